package eval

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

type nodeKind uint8

const (
	inputNode nodeKind = iota
	constNode
	callNode
	lazyNode
)

// node computes one sub-expression.
type node struct {
	kind   nodeKind
	t      types.Type
	col    int // inputNode
	args   []*node
	fn     kernel.Func
	ctx    kernel.Ctx
	at     *expr.Origin
	nullIn bool
	pure   bool            // deterministic: may run once per dictionary entry
	stable bool            // built of constants only and deterministic: one run serves all batches
	done   bool            // a stable node has its value
	value  columnar.Vector // constNode and done: the constant

	lazy     func(p *Program, n *node) (columnar.Vector, error)
	branches []*branch

	epoch   uint64
	vec     columnar.Vector
	argv    []columnar.Vector
	scratch kernel.Scratch // flattened arguments, combined validity
	result  kernel.Scratch // what fn takes

	dictOf  uint64 // DictID that dict was computed from
	dictLen int
	dict    columnar.Vector
	dictBad uint64         // DictID of a dictionary on which fn failed
	large   largeDict      // a dictionary that is large against single batches
	entries kernel.Scratch // what fn takes when it computes dict
}

// eval leaves the node's value for the program's current batch in n.vec.
func (n *node) eval(p *Program) error {
	if n.epoch == p.epoch {
		return nil
	}
	err := n.compute(p)
	if err != nil {
		return function.At(err, n.at)
	}
	n.epoch = p.epoch
	return nil
}

func (n *node) compute(p *Program) error {
	switch {
	case p.n == 0:
		n.vec = columnar.Nulls(n.t, 0)
		return nil
	case n.kind == inputNode:
		n.vec = p.in.Cols[n.col]
		return nil
	case n.kind == constNode || n.done:
		n.vec = n.value
		n.vec.N = p.n
		return nil
	case n.kind == lazyNode:
		n.scratch.Reset()
		n.result.Reset()
		v, err := n.lazy(p, n)
		v.Type = n.t
		n.vec = v
		return err
	}
	return n.apply(p)
}

// apply evaluates the arguments and calls the function in the cheapest form.
func (n *node) apply(p *Program) error {
	n.scratch.Reset()
	n.result.Reset()
	n.argv = n.argv[:0]
	allConst := true
	for _, a := range n.args {
		if err := a.eval(p); err != nil {
			return err
		}
		n.argv = append(n.argv, a.vec)
		allConst = allConst && a.vec.Form == columnar.Const
	}
	if n.nullIn && n.hasNullConst() {
		n.vec = columnar.NewConst(n.t, nil, p.n)
		n.keep()
		return nil
	}
	n.ctx.RowBase = p.base
	if allConst && n.pure {
		return n.applyConst(p.n)
	}
	if n.pure && n.nullIn {
		if dict := n.sharedDict(); dict != nil && n.applyDict(dict, p.n) {
			return nil
		}
	}
	return n.applyFlat(p.n)
}

func (n *node) hasNullConst() bool {
	for i := range n.argv {
		if a := &n.argv[i]; a.Form == columnar.Const && a.Null(0) || a.Type.Kind == types.NullKind {
			return true
		}
	}
	return false
}

// applyConst runs the function on one row.
func (n *node) applyConst(rows int) error {
	for i := range n.argv {
		n.argv[i].Form, n.argv[i].N = columnar.Flat, 1
	}
	v, err := n.call(1, &n.result)
	if err != nil {
		return err
	}
	if v.Form == columnar.Flat {
		v.Form = columnar.Const
	}
	v.N = rows
	n.vec = v
	n.keep()
	return nil
}

// keep makes a stable node's value serve later batches too.
func (n *node) keep() {
	if n.stable {
		n.done, n.value = true, n.vec
	}
}

// applyFlat flattens dictionaries and constants where needed and runs the function on all rows.
func (n *node) applyFlat(rows int) error {
	for i := range n.argv {
		if n.argv[i].Form == columnar.Dict {
			n.argv[i] = n.scratch.Flatten(&n.argv[i])
		}
	}
	v, err := n.call(rows, &n.result)
	if err != nil {
		return err
	}
	n.vec = v
	return nil
}

// call runs the function with the combined validity of its arguments and completes the result.
func (n *node) call(rows int, out *kernel.Scratch) (columnar.Vector, error) {
	n.ctx.Valid = nil
	if n.nullIn {
		n.ctx.Valid = n.combine(rows)
	}
	n.ctx.Scratch = out
	v, err := n.fn(&n.ctx, n.argv, rows)
	if err != nil {
		return v, err
	}
	v.Type = n.t
	if n.nullIn && n.ctx.Valid != nil && v.Form != columnar.Const {
		if v.Valid == nil {
			v.Valid = n.ctx.Valid
		} else {
			v.Valid = columnar.And(n.scratch.RawBits(rows), v.Valid, n.ctx.Valid, rows)
		}
	}
	return v, nil
}

// combine is the AND of the arguments' validity; nil if no row is null.
func (n *node) combine(rows int) columnar.Bitmap {
	var out columnar.Bitmap
	owned := false
	for i := range n.argv {
		v := n.argv[i].Valid
		switch {
		case v == nil || n.argv[i].Form == columnar.Const:
		case out == nil:
			out = v
		default:
			dst := out
			if !owned {
				dst = n.scratch.RawBits(rows)
			}
			out, owned = columnar.And(dst, out, v, rows), true
		}
	}
	return out
}

// sharedDict is the dictionary argument when all arguments that are not constant have the same codes.
func (n *node) sharedDict() *columnar.Vector {
	var first *columnar.Vector
	for i := range n.argv {
		a := &n.argv[i]
		switch {
		case a.Form == columnar.Const:
		case a.Form != columnar.Dict || len(a.Codes) == 0:
			return nil
		case first == nil:
			first = a
		case &first.Codes[0] != &a.Codes[0] || first.Dict.N != a.Dict.N:
			return nil
		}
	}
	return first
}

// applyDict runs the function once per dictionary entry; false when that does not pay or fails for an entry that perhaps no row
// has.
func (n *node) applyDict(arg *columnar.Vector, rows int) bool {
	id := n.dictKey()
	if id == 0 || id != n.dictOf {
		if !n.large.pays(arg.Dict.N, id, rows) || id != 0 && id == n.dictBad {
			return false
		}
		if !n.fillDict(arg.Dict.N, id) {
			return false
		}
	}
	codes, valid := arg.Codes, n.dictValid(rows)
	if n.dict.Valid != nil {
		valid = n.pushNulls(codes, valid, rows)
	}
	if n.dict.Form == columnar.Const {
		n.vec = n.dict
		n.vec.N = rows
		return true
	}
	n.vec = columnar.Vector{Type: n.t, Form: columnar.Dict, N: rows, Valid: valid, Codes: codes, Dict: &n.dict}
	return true
}

// largeDict counts the rows that came with a dictionary before it was worth to compute all its entries.
type largeDict struct {
	id   uint64
	rows int
}

// pays says whether computing a dictionary's entries costs less than the rows, of which so many are there now: those that came
// with it let expect as many again.
func (l *largeDict) pays(entries int, id uint64, rows int) bool {
	if entries <= rows || id != 0 && entries <= 8*rows {
		return true
	}
	if id == 0 {
		return false
	}
	if l.id != id {
		l.id, l.rows = id, 0
	}
	l.rows += rows
	return l.rows >= entries
}

// dictKey names the combination of dictionaries; 0 when one is unknown.
func (n *node) dictKey() uint64 {
	var key uint64
	for i := range n.argv {
		if a := &n.argv[i]; a.Form == columnar.Dict {
			if a.Dict.DictID == 0 {
				return 0
			}
			key = key*0x9E3779B97F4A7C15 + a.Dict.DictID
		} else if !n.args[i].stable && n.args[i].kind != constNode {
			return 0
		}
	}
	return key
}

func (n *node) fillDict(entries int, id uint64) bool {
	n.entries.Reset()
	saved := n.argv
	n.argv = append([]columnar.Vector(nil), saved...)
	for i := range n.argv {
		if a := &n.argv[i]; a.Form == columnar.Dict {
			*a = *a.Dict
		} else {
			a.N = entries
		}
	}
	v, err := n.call(entries, &n.entries)
	n.argv = saved
	if err != nil {
		n.dictBad = id
		n.dictOf = 0
		return false
	}
	v.DictID = 0
	if id != 0 {
		v.DictID = columnar.NextDictID()
	}
	n.dict, n.dictOf = v, id
	return true
}

// dictValid is the combined validity of the dictionary arguments' rows.
func (n *node) dictValid(rows int) columnar.Bitmap {
	return n.combine(rows)
}

// pushNulls moves nulls of dictionary entries to the rows.
func (n *node) pushNulls(codes []uint32, valid columnar.Bitmap, rows int) columnar.Bitmap {
	out := n.scratch.Bits(rows)
	entries := n.dict.Valid
	for i, c := range codes {
		out[i>>6] |= (entries[c>>6] >> (c & 63) & 1) << (uint(i) & 63)
	}
	return columnar.And(out, out, valid, rows)
}
