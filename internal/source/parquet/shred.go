package parquet

import (
	"github.com/firesteel/firesteel/internal/columnar"
)

// shredder turns the rows of a nested vector into levels and values of its leaves. Its list of entries holds, for the node
// at hand, one entry for each slot: the row of the node's vector, or none where the value is missing, with the levels
// reached so far.
type shredder struct {
	w    *Writer
	leaf int // next leaf
}

type entry struct {
	row      int32 // -1: null or missing at some level above
	rep, def uint8
}

// shred adds the vector of a node to the leaves below it.
func (s *shredder) shred(n *Node, v *columnar.Vector, in []entry) {
	if v.Form != columnar.Flat {
		flat := v.Flatten()
		v = &flat
	}
	if n.rep == Optional {
		in = markNulls(v, in)
	}
	switch {
	case !n.isGroup():
		s.addLeaf(n, v, in)
	case n.logical.kind == logicalList:
		elems := s.elements(v, in, uint8(n.Rep+1))
		s.shred(n.Kids[0].Kids[0], &v.Kids[0], elems)
	case n.logical.kind == logicalMap:
		elems := s.elements(v, in, uint8(n.Rep+1))
		s.shred(n.Kids[0].Kids[0], &v.Kids[0], elems)
		s.shred(n.Kids[0].Kids[1], &v.Kids[1], elems)
	default:
		for i, k := range n.Kids {
			s.shred(k, &v.Kids[i], in)
		}
	}
}

// markNulls raises the definition level of entries that are not null and takes the row from those that are.
func markNulls(v *columnar.Vector, in []entry) []entry {
	out := make([]entry, len(in))
	for i, e := range in {
		if e.row >= 0 {
			if v.Null(int(e.row)) {
				e.row = -1
			} else {
				e.def++
			}
		}
		out[i] = e
	}
	return out
}

// elements replaces each list by its elements; an empty or missing one keeps its place.
func (s *shredder) elements(v *columnar.Vector, in []entry, rep uint8) []entry {
	offs := columnar.Of[int32](v.Data)
	out := make([]entry, 0, len(in))
	for _, e := range in {
		if e.row < 0 || offs[e.row] == offs[e.row+1] {
			e.row = -1
			out = append(out, e)
			continue
		}
		for k := offs[e.row]; k < offs[e.row+1]; k++ {
			x := entry{row: k, rep: rep, def: e.def + 1}
			if k == offs[e.row] {
				x.rep = e.rep
			}
			out = append(out, x)
		}
	}
	return out
}

func (s *shredder) addLeaf(n *Node, v *columnar.Vector, in []entry) {
	c := s.w.cols[n.Leaf]
	idx := make([]uint32, 0, len(in))
	for _, e := range in {
		if n.Rep > 0 {
			c.rep = append(c.rep, e.rep)
		}
		if n.Def > 0 {
			c.def = append(c.def, e.def)
		}
		if e.row >= 0 {
			idx = append(idx, uint32(e.row))
		} else {
			c.nulls++
		}
	}
	c.entries += len(in)
	c.values(v, idx)
}
