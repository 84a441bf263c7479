package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// joinShape is what a join does, told from the side whose rows stream by (probe) and the side that is kept (build).
type joinShape struct {
	buildRight bool
	// Pairs of rows come out, and with them the rows of either side that found no partner.
	pairs      bool
	probeOuter bool
	buildOuter bool
	// Or rows of one side come out: those that found a partner, those that did not, or all with a mark.
	probeFlag flagMode
	buildFlag flagMode

	nullAware bool
	single    bool

	out    []outColumn
	schema *types.Schema
	cond   expr.Expr
}

// flagMode is what becomes of rows that stand for themselves.
type flagMode uint8

const (
	noFlag flagMode = iota
	keepMatched
	keepUnmatched
	markMatched
)

// outColumn says where an output column comes from: its side's column, or the mark of an existence join.
type outColumn struct {
	from outFrom
	col  int
	t    types.Type
}

type outFrom uint8

const (
	fromProbe outFrom = iota
	fromBuild
	fromMark
)

// joinInputs are the parts that joins of all strategies have.
type joinInputs struct {
	left, right         physical.Plan
	leftKeys, rightKeys []expr.Expr
	kind                logical.JoinKind
	buildRight          bool
	cond                expr.Expr
	hint                logical.JoinHint
	out                 []*expr.Column
}

// shape makes the plan-time parts of a join.
func (in *joinInputs) shape() (s *joinShape, probe, build *joinSide, err error) {
	s = &joinShape{buildRight: in.buildRight, nullAware: in.hint.NullAware, single: in.hint.Single, cond: in.cond}
	s.setKind(in.kind)
	used := map[expr.ID]bool{}
	for _, c := range in.out {
		used[c.ID] = true
	}
	usedIDs(used, in.cond)
	l := newJoinSide(in.left.Output(), in.leftKeys, used)
	r := newJoinSide(in.right.Output(), in.rightKeys, used)
	probe, build = l, r
	if !in.buildRight {
		probe, build = r, l
	}
	if in.kind == logical.SemiJoin || in.kind == logical.AntiJoin || in.kind == logical.ExistenceJoin {
		err = s.place(in.out, l, nil, in.hint.Exists)
	} else {
		err = s.place(in.out, l, r, nil)
	}
	s.schema = schemaOf(in.out)
	return s, probe, build, err
}

func (s *joinShape) setKind(k logical.JoinKind) {
	flag := func(m flagMode) {
		if s.buildRight {
			s.probeFlag = m
		} else {
			s.buildFlag = m
		}
	}
	switch k {
	case logical.SemiJoin:
		flag(keepMatched)
	case logical.AntiJoin:
		flag(keepUnmatched)
	case logical.ExistenceJoin:
		flag(markMatched)
	default:
		s.pairs = true
		s.probeOuter = k == logical.FullJoin || k == logical.LeftJoin && s.buildRight || k == logical.RightJoin && !s.buildRight
		s.buildOuter = k == logical.FullJoin || k == logical.LeftJoin && !s.buildRight || k == logical.RightJoin && s.buildRight
	}
}

// place finds the output columns in the sides; right is nil where only the left side's come out.
func (s *joinShape) place(out []*expr.Column, left, right *joinSide, exists *expr.Column) error {
	leftFrom, rightFrom := fromProbe, fromBuild
	if !s.buildRight {
		leftFrom, rightFrom = fromBuild, fromProbe
	}
	for _, c := range out {
		if exists != nil && c.ID == exists.ID {
			s.out = append(s.out, outColumn{fromMark, 0, c.T})
			continue
		}
		if i, err := indexOf(left.cols, c.ID); err == nil {
			s.out = append(s.out, outColumn{leftFrom, i, c.T})
			continue
		}
		if right == nil {
			right = &joinSide{}
		}
		i, err := indexOf(right.cols, c.ID)
		if err != nil {
			return err
		}
		s.out = append(s.out, outColumn{rightFrom, i, c.T})
	}
	return nil
}

// rowsOfBuild says whether the build side's rows come out on their own, so that it must be known which found a partner.
func (s *joinShape) rowsOfBuild() bool { return s.buildOuter || s.buildFlag != noFlag }

// rowsOfProbe says the same of the probe side.
func (s *joinShape) rowsOfProbe() bool { return s.probeOuter || s.probeFlag != noFlag }

// joinOut makes output batches of pairs of row numbers. The batch is borrowed until the next is made.
type joinOut struct {
	shape   *joinShape
	batch   columnar.Batch
	bufs    []rowBuf
	safe    []uint32
	present columnar.Bitmap
	mark    []byte
}

func newJoinOut(s *joinShape) *joinOut {
	return &joinOut{shape: s, bufs: make([]rowBuf, len(s.out)),
		batch: columnar.Batch{Schema: s.schema, Cols: make([]columnar.Vector, len(s.out))}}
}

// pairs is the batch of rows prow[i] of the probe side with brow[i] of the build side; a nil list stands for rows 0, 1, 2 ….
// holes says that brow may have noRow.
func (o *joinOut) pairs(probe *columnar.Batch, build []columnar.Vector, prow, brow []uint32, holes bool) *columnar.Batch {
	n := len(brow)
	if holes {
		o.split(brow)
	}
	for i, c := range o.shape.out {
		switch {
		case c.from == fromProbe && prow == nil:
			o.batch.Cols[i] = probe.Cols[c.col]
		case c.from == fromProbe:
			o.batch.Cols[i] = o.bufs[i].gather(&probe.Cols[c.col], prow)
		case holes:
			o.batch.Cols[i] = o.bufs[i].gatherOuter(&build[c.col], o.safe, o.present)
		default:
			o.batch.Cols[i] = o.bufs[i].gather(&build[c.col], brow)
		}
	}
	o.batch.N = n
	return &o.batch
}

// split makes safe rows and the bitmap of those that are none.
func (o *joinOut) split(rows []uint32) {
	o.safe = sized(o.safe, len(rows))
	o.present = sized(o.present, (len(rows)+63)/64)
	for w := range o.present {
		part := rows[w*64 : min(w*64+64, len(rows))]
		safe := o.safe[w*64 : w*64+len(part)]
		var x uint64
		for i, r := range part {
			if r == noRow {
				r = 0
			} else {
				x |= 1 << uint(i)
			}
			safe[i] = r
		}
		o.present[w] = x
	}
}

// probeRows is the batch of rows of the probe side with nulls for the build side; nil rows: all.
func (o *joinOut) probeRows(probe *columnar.Batch, rows []uint32) *columnar.Batch {
	n := len(rows)
	if rows == nil {
		n = probe.N
	}
	for i, c := range o.shape.out {
		switch {
		case c.from == fromProbe && rows == nil:
			o.batch.Cols[i] = probe.Cols[c.col]
		case c.from == fromProbe:
			o.batch.Cols[i] = o.bufs[i].gather(&probe.Cols[c.col], rows)
		default:
			o.batch.Cols[i] = o.bufs[i].nulls(c.t, n)
		}
	}
	o.batch.N = n
	return &o.batch
}

// marked is the whole probe batch with the mark whether each row found a partner, from bit base of matched on.
func (o *joinOut) marked(probe *columnar.Batch, matched columnar.Bitmap, base int) *columnar.Batch {
	o.mark = sized(o.mark, probe.N)
	for i := range o.mark {
		o.mark[i] = byte(matched[(base+i)>>6] >> (uint(base+i) & 63) & 1)
	}
	for i, c := range o.shape.out {
		if c.from == fromMark {
			o.batch.Cols[i] = columnar.Vector{Type: c.t, N: probe.N, Data: o.mark}
		} else {
			o.batch.Cols[i] = probe.Cols[c.col]
		}
	}
	o.batch.N = probe.N
	return &o.batch
}

// buildRows is the batch of rows of the build side alone: with nulls for the probe side, or with their marks.
func (o *joinOut) buildRows(build []columnar.Vector, rows []uint32, matched columnar.Bitmap) *columnar.Batch {
	for i, c := range o.shape.out {
		switch c.from {
		case fromBuild:
			o.batch.Cols[i] = o.bufs[i].gather(&build[c.col], rows)
		case fromProbe:
			o.batch.Cols[i] = o.bufs[i].nulls(c.t, len(rows))
		case fromMark:
			o.mark = sized(o.mark, len(rows))
			for k, r := range rows {
				o.mark[k] = byte(matched[r>>6] >> (r & 63) & 1)
			}
			o.batch.Cols[i] = columnar.Vector{Type: c.t, N: len(rows), Data: o.mark}
		}
	}
	o.batch.N = len(rows)
	return &o.batch
}

// joinCond evaluates a join's condition over pairs of rows.
type joinCond struct {
	prog *eval.Program
	in   columnar.Batch
	used []outColumn // as in joinShape: where each of the condition's columns comes from
	at   []int       // and its place in the program's input
	bufs []rowBuf
	vec  []columnar.Vector
	rows []uint32
	np   int
}

// newJoinCond compiles a condition; nil if there is none.
func newJoinCond(t *Task, env *Env, cond expr.Expr, probe, build *joinSide) (*joinCond, error) {
	if cond == nil {
		return nil, nil
	}
	input := append(probe.cols[:len(probe.cols):len(probe.cols)], build.cols...)
	p, err := env.compile([]expr.Expr{cond}, input, t)
	if err != nil {
		return nil, err
	}
	c := &joinCond{prog: p, vec: make([]columnar.Vector, 1), np: len(probe.cols)}
	c.in.Cols = make([]columnar.Vector, len(input))
	used := map[expr.ID]bool{}
	usedIDs(used, cond)
	for i, col := range input {
		if !used[col.ID] {
			continue
		}
		if i < c.np {
			c.used = append(c.used, outColumn{fromProbe, i, col.T})
		} else {
			c.used = append(c.used, outColumn{fromBuild, i - c.np, col.T})
		}
		c.at = append(c.at, i)
	}
	c.bufs = make([]rowBuf, len(c.used))
	return c, nil
}

// eval gives the condition's value for pairs of rows, none of them noRow. It holds until the next call.
func (c *joinCond) eval(probe *columnar.Batch, build []columnar.Vector, prow, brow []uint32) (*columnar.Vector, error) {
	for k, u := range c.used {
		if u.from == fromProbe {
			c.in.Cols[c.at[k]] = c.bufs[k].gather(&probe.Cols[u.col], prow)
		} else {
			c.in.Cols[c.at[k]] = c.bufs[k].gather(&build[u.col], brow)
		}
	}
	c.in.N = len(prow)
	err := c.prog.Run(&c.in, c.vec)
	return &c.vec[0], err
}

// filter keeps the pairs for which the condition is true, in place.
func (c *joinCond) filter(probe *columnar.Batch, build []columnar.Vector, prow, brow []uint32) (p, b []uint32, err error) {
	if len(prow) == 0 {
		return prow, brow, nil
	}
	v, err := c.eval(probe, build, prow, brow)
	if err != nil {
		return nil, nil, err
	}
	c.rows = sized(c.rows, len(prow))
	n := trueRows(v, c.rows)
	for i, r := range c.rows[:n] {
		prow[i], brow[i] = prow[r], brow[r]
	}
	return prow[:n], brow[:n], nil
}
