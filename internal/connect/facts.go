package connect

import (
	"hash/fnv"
	"slices"

	"github.com/firesteel/firesteel/internal/logical"
)

// canonicalHash is equal for plans that yield the same result.
func canonicalHash(p logical.Plan) int32 {
	h := fnv.New32a()
	h.Write([]byte(logical.Canonical(p))) // never fails
	return int32(h.Sum32())
}

// streaming says whether a lowered plan reads a stream.
func streaming(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		switch x := n.(type) {
		case *logical.DataSource:
			found = found || x.Streaming
		case *logical.UnresolvedRelation:
			found = found || x.Streaming
		}
		return !found
	})
	return found
}

// localRows says whether the rows of a lowered plan lie in the plan itself.
func localRows(p logical.Plan) bool {
	for {
		switch x := p.(type) {
		case *logical.PlanID:
			p = x.Child
		case *logical.LocalRelation, logical.Command:
			return true
		default:
			return false
		}
	}
}

// inputFiles are the files that a resolved plan reads.
func inputFiles(p logical.Plan) []string {
	var out []string
	logical.Walk(p, func(n logical.Plan) bool {
		if r, ok := n.(*logical.Relation); ok && r.Table != nil && r.Table.Relation != nil {
			out = append(out, r.Table.Relation.Files()...)
		}
		return true
	})
	slices.Sort(out)
	return slices.Compact(out)
}
