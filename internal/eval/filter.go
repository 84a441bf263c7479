package eval

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// Filter finds the rows that satisfy all of a list of conditions. It belongs to one goroutine.
type Filter struct {
	preds []*pred
	ids   []uint32
	outer Program // holds the current batch for the conditions' programs
	ctx   kernel.Ctx
}

type predKind uint8

const (
	anyPred   predKind = iota
	constPred          // column op constant
	colsPred           // column op column
	nullPred           // column IS [NOT] NULL
)

// pred is one condition.
type pred struct {
	kind   predKind
	op     kernel.Op
	not    bool
	a, b   int             // columns
	value  columnar.Vector // constPred
	safe   bool
	full   *branch // anyPred: the condition as a program
	single int     // the only column it uses, -1
	pure   bool

	pass    []byte // the condition for each entry of a dictionary
	passOf  uint64
	large   largeDict
	badPass uint64
	entries *Program
	at      *expr.Origin
	scratch kernel.Scratch
}

// CompileFilter makes the filter of conditions, all of which must be true; ANDs are taken apart. Conditions are tried in the given
// order, each on the rows that the earlier ones left.
func CompileFilter(conds []expr.Expr, input []*expr.Column, s *kernel.Session, o Options) (*Filter, error) {
	ids := make(map[expr.ID]int, len(input))
	for i, c := range input {
		ids[c.ID] = i
	}
	f := &Filter{}
	f.ctx.Session, f.ctx.Scratch = s, &kernel.Scratch{}
	c := &compiler{env: newEnv(s, o), p: &Program{}, ids: ids, known: map[int]*node{}}
	for _, cond := range conds {
		list, err := c.conjuncts(cond)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			p, err := c.pred(x)
			if err != nil {
				return nil, err
			}
			f.preds = append(f.preds, p)
		}
	}
	f.outer.in = &columnar.Batch{}
	return f, nil
}

// Texts is how many bytes of text the conditions made last, about.
func (f *Filter) Texts() (size int64) {
	for _, p := range f.preds {
		if p.full != nil {
			size += p.full.p.Texts()
		}
	}
	return size
}

// conjuncts splits a condition at its ANDs, those of BETWEEN included.
func (c *compiler) conjuncts(cond expr.Expr) ([]expr.Expr, error) {
	var out []expr.Expr
	for _, x := range expr.Conjuncts(cond) {
		call, ok := expr.IsCall(x, "between")
		if !ok {
			out = append(out, x)
			continue
		}
		row, _ := function.Lookup("between")
		e, err := replaced(row, call, c.env.session)
		if err != nil {
			return nil, err
		}
		out = append(out, expr.Conjuncts(e)...)
	}
	return out, nil
}

var predOps = map[string]kernel.Op{"=": kernel.Eq, "==": kernel.Eq, "!=": kernel.Ne, "<>": kernel.Ne, "<": kernel.Lt, "<=": kernel.Le, ">": kernel.Gt, ">=": kernel.Ge}

// pred compiles one condition, by a special form when there is one for it.
func (c *compiler) pred(x expr.Expr) (*pred, error) {
	p := &pred{single: -1, a: -1, b: -1, safe: c.env.isSafe(x), pure: function.Deterministic(x)}
	var err error
	if p.full, err = c.subProgram(x); err != nil {
		return nil, err
	}
	if len(p.full.cols) == 1 {
		p.single = p.full.cols[0]
		if p.entries, err = compile([]expr.Expr{x}, c.ids, c.env); err != nil {
			return nil, err
		}
	}
	call, ok := x.(*expr.Call)
	if !ok {
		return p, nil
	}
	p.at = call.At
	op, compares := predOps[call.Name]
	switch {
	case (call.Name == "isnull" || call.Name == "isnotnull") && len(call.Args) == 1:
		if p.a = c.plainColumn(call.Args[0]); p.a >= 0 {
			p.kind, p.not = nullPred, call.Name == "isnotnull"
		}
	case compares && len(call.Args) == 2:
		c.comparison(p, op, call.Args[0], call.Args[1])
	}
	return p, nil
}

func (c *compiler) comparison(p *pred, op kernel.Op, l, r expr.Expr) {
	if c.plainColumn(l) < 0 {
		l, r, op = r, l, op.Swap()
	}
	a := c.plainColumn(l)
	if a < 0 || !l.Type().SameType(r.Type()) {
		return
	}
	if b := c.plainColumn(r); b >= 0 && kernel.CanSelectCols(l.Type()) {
		p.kind, p.op, p.a, p.b = colsPred, op, a, b
		return
	}
	if !function.Foldable(r) {
		return
	}
	v, err := Value(r, c.env.session)
	if err != nil || !kernel.CanSelectConst(l.Type(), v) {
		return
	}
	p.kind, p.op, p.a, p.value = constPred, op, a, columnar.NewConst(l.Type(), v, 1)
}

// plainColumn is the input position of a column, seen through casts that leave the stored values as they are; -1 for others.
func (c *compiler) plainColumn(e expr.Expr) int {
	switch x := e.(type) {
	case *expr.Column:
		if i, ok := c.ids[x.ID]; ok {
			return i
		}
	case *expr.Alias:
		return c.plainColumn(x.Child)
	case *expr.Cast:
		if kernel.CastKeepsValues(x.Child.Type(), x.To) {
			return c.plainColumn(x.Child)
		}
	}
	return -1
}

// Select returns the rows of b, ascending, that satisfy the conditions: among those of sel, or among all when sel is nil. The result
// lies in the filter's own buffer until the next Select; sel is not changed.
func (f *Filter) Select(b *columnar.Batch, sel []uint32) ([]uint32, error) {
	n := b.N
	if cap(f.ids) < n {
		f.ids = make([]uint32, n+n/4+16)
	}
	out := f.ids[:n]
	f.outer.in.Cols, f.outer.in.N, f.outer.n = b.Cols, n, n
	if len(f.preds) == 0 {
		return all(sel, out), nil
	}
	for _, p := range f.preds {
		if sel != nil && len(sel) == 0 {
			return sel, nil
		}
		var err error
		if sel, err = p.sel(f, b, sel, out); err != nil {
			return nil, function.At(err, p.at)
		}
	}
	f.outer.base += int64(n)
	return sel, nil
}

func all(sel, out []uint32) []uint32 {
	if sel != nil {
		return out[:copy(out, sel)]
	}
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

// sel applies one condition.
func (p *pred) sel(f *Filter, b *columnar.Batch, rows, out []uint32) ([]uint32, error) {
	p.scratch.Reset()
	if b.N == 0 {
		return out[:0], nil
	}
	if p.kind == nullPred {
		v := &b.Cols[p.a]
		return kernel.SelectNull(v, p.not, rows, out), nil
	}
	if p.single >= 0 && b.Cols[p.single].Form == columnar.Dict && p.pure {
		if v := &b.Cols[p.single]; p.fillPass(v, b.N) {
			return kernel.SelectPass(v, p.pass, rows, out), nil
		}
	}
	switch p.kind {
	case constPred:
		if v := &b.Cols[p.a]; v.Form == columnar.Flat {
			return kernel.SelectConst(p.op, v, &p.value, rows, out), nil
		}
	case colsPred:
		if v, w := &b.Cols[p.a], &b.Cols[p.b]; v.Form == columnar.Flat && w.Form == columnar.Flat {
			return kernel.SelectCols(p.op, v, w, rows, out), nil
		}
	}
	return p.general(f, b, rows, out)
}

// fillPass computes the condition for each entry of a dictionary; false when that does not pay, null rows may satisfy it, or an entry
// makes it fail.
func (p *pred) fillPass(v *columnar.Vector, rows int) bool {
	d := v.Dict
	if d.DictID != 0 && d.DictID == p.passOf {
		return true
	}
	if !p.large.pays(d.N, d.DictID, rows) || d.DictID != 0 && d.DictID == p.badPass || d.N == 0 {
		return false
	}
	if v.Valid != nil && p.nullTrue(v.Type) {
		return false
	}
	in := p.full.in
	if len(in) <= p.single {
		in = make([]columnar.Vector, p.single+1)
		p.full.in = in
	}
	in[p.single] = *d
	if p.entries.run(in, d.N) != nil {
		p.badPass = d.DictID
		return false
	}
	out := p.entries.outs[0].vec
	flat := p.scratch.Flatten(&out)
	p.pass = append(p.pass[:0], flat.Data[:d.N]...)
	if flat.Valid != nil {
		for i := range p.pass {
			p.pass[i] &= byte(flat.Valid[i>>6] >> (uint(i) & 63) & 1)
		}
	}
	p.passOf = d.DictID
	return true
}

// nullTrue says whether the condition may be true for a null value of its column.
func (p *pred) nullTrue(t types.Type) bool {
	in := make([]columnar.Vector, p.single+1)
	in[p.single] = columnar.NewConst(t, nil, 1)
	if p.entries.run(in, 1) != nil {
		return true
	}
	v := p.entries.outs[0].vec
	return !v.Null(0) && v.ValueAt(0) == true
}

// general runs the condition's program: over the whole batch when most rows are still wanted and it cannot fail, else over the wanted
// rows.
func (p *pred) general(f *Filter, b *columnar.Batch, rows, out []uint32) ([]uint32, error) {
	f.ctx.Scratch.Reset()
	if rows == nil {
		v, _, err := p.full.run(&f.outer, out[:b.N])
		if err != nil {
			return nil, err
		}
		return kernel.SelectTrue(&f.ctx, v, b.N, nil, out, false), nil
	}
	if p.safe && len(rows)*4 > b.N*3 {
		v, _, err := p.full.run(&f.outer, f.outerRows(b.N))
		if err != nil {
			return nil, err
		}
		g := p.scratch.Gather(v, rows)
		return kernel.SelectTrue(&f.ctx, &g, len(rows), rows, out, false), nil
	}
	v, dense, err := p.full.run(&f.outer, rows)
	if err != nil {
		return nil, err
	}
	if dense && len(rows) != b.N {
		g := p.scratch.Gather(v, rows)
		v = &g
	}
	return kernel.SelectTrue(&f.ctx, v, len(rows), rows, out, false), nil
}

// outerRows is a list of the length that asks a branch for all rows; its content does not matter then.
func (f *Filter) outerRows(n int) []uint32 { return f.ids[:n] }
