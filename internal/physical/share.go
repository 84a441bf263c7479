package physical

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
)

// share marks exchanges below which the same work is done, so that Cut makes one stage of them: a common table expression
// that is used twice is a plan that occurs twice by now. Only plans that join or group are worth it: what is shared is not told
// by single users which rows they want.
func share(p Plan) Plan {
	texts := map[string]int{}
	count(p, texts)
	marks := map[string]int{}
	for text, n := range texts {
		if n > 1 {
			marks[text] = 0
		}
	}
	if len(marks) == 0 {
		return p
	}
	m := &marker{of: marks, times: texts}
	return m.mark(p, 1)
}

// count counts the texts of exchanges.
func count(p Plan, texts map[string]int) {
	Walk(p, func(n Plan) bool {
		if text := sharedText(n); text != "" {
			texts[text]++
		}
		return true
	})
}

type marker struct {
	of    map[string]int // shared number by text; 0: none yet
	times map[string]int // how often a text occurs
	next  int
}

// mark numbers equal exchanges: the topmost, and those below that occur elsewhere too, which is more often than above, the
// times that what is above occurs.
func (m *marker) mark(p Plan, above int) Plan {
	text := sharedText(p)
	n, ok := m.of[text]
	if text == "" || !ok || m.times[text] <= above {
		return MapChildren(p, func(c Plan) Plan { return m.mark(c, above) })
	}
	p = MapChildren(p, func(c Plan) Plan { return m.mark(c, m.times[text]) })
	if n == 0 {
		m.next++
		n = m.next
		m.of[text] = n
	}
	switch x := p.(type) {
	case *Exchange:
		q := *x
		q.Shared = n
		return &q
	case *Broadcast:
		q := *x
		q.Shared = n
		return &q
	}
	return p
}

// sharedText is the canonical text of an exchange that may be shared, "" of all other plans.
func sharedText(p Plan) string {
	kind := ""
	switch n := p.(type) {
	case *Exchange:
		if n.User || n.Part.Kind == RangePart || n.Part.Kind == RoundRobinPart {
			return ""
		}
		kind = "exchange"
	case *Broadcast:
		kind = "broadcast"
	default:
		return ""
	}
	if !worthSharing(p) {
		return ""
	}
	return kind + logical.CanonicalWith(p, canonicalNode)
}

// worthSharing says whether a plan joins or groups, and yields the same rows whenever it runs.
func worthSharing(p Plan) bool {
	worth, same := false, true
	Walk(p, func(n Plan) bool {
		switch n.(type) {
		case *Aggregate, *HashJoin, *MergeJoin, *LoopJoin, *Window:
			worth = true
		case *Scan, *LocalScan, *OneRow, *Range, *Project, *Filter, *Exchange, *Broadcast, *Sort, *TopN, *Expand, *Union:
		default:
			same = false
		}
		for _, e := range n.Exprs() {
			same = same && !expr.Any(e, random)
		}
		return same
	})
	return worth && same
}

func random(x expr.Expr) bool {
	c, ok := x.(*expr.Call)
	if !ok {
		return false
	}
	r, found := function.Lookup(c.Name)
	return !found || r.NonDeterministic
}

// canonicalNode prints what tells scans apart: the table, and which of its columns are read.
func canonicalNode(x any) (text string, done bool) {
	switch n := x.(type) {
	case *Scan:
		names := make([]string, len(n.Out))
		for i, c := range n.Out {
			names[i] = c.Name
		}
		return strings.Join(names, ","), false
	case *catalog.Table:
		return fmt.Sprintf("%p", n), true
	case *columnar.Batch:
		return fmt.Sprintf("%p", n), true
	}
	return "", false
}
