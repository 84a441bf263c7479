package exec

import (
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// joinSide is the form in which a join holds the rows of one input: the columns that are needed, then the keys that are
// not columns themselves. Rows are brought into it once, and kept and spilled so.
type joinSide struct {
	cols   []*expr.Column // of the form; computed keys have ids of their own
	pick   []int          // the input's column for each of the first columns
	exprs  []expr.Expr    // the computed keys
	keys   []int          // where each key lies
	schema *types.Schema
	input  []*expr.Column

	prog *eval.Program
	out  columnar.Batch
	vecs []columnar.Vector
}

// newJoinSide keeps those of the input's columns that used tells.
func newJoinSide(input []*expr.Column, keys []expr.Expr, used map[expr.ID]bool) *joinSide {
	s := &joinSide{input: input}
	at := map[expr.ID]int{}
	add := func(i int) {
		at[input[i].ID] = len(s.cols)
		s.cols, s.pick = append(s.cols, input[i]), append(s.pick, i)
	}
	for i, c := range input {
		if _, twice := at[c.ID]; used[c.ID] && !twice {
			add(i)
		}
	}
	for _, k := range keys {
		c, ok := k.(*expr.Column)
		if !ok {
			continue
		}
		if i, err := indexOf(input, c.ID); err == nil {
			if _, have := at[c.ID]; !have {
				add(i)
			}
		}
	}
	for _, k := range keys {
		if c, ok := k.(*expr.Column); ok {
			s.keys = append(s.keys, at[c.ID])
			continue
		}
		s.keys = append(s.keys, len(s.cols))
		s.exprs = append(s.exprs, k)
		s.cols = append(s.cols, &expr.Column{ID: expr.NextID(), Name: "key", T: k.Type(), Null: true})
	}
	s.schema = schemaOf(s.cols)
	return s
}

// newStore makes a store for rows of the form, with flat keys.
func (s *joinSide) newStore() *rowStore {
	return newCodedStore(s.schema, func(col int) bool { return slices.Contains(s.keys, col) })
}

// needed are the columns of the input that the form takes.
func (s *joinSide) needed() map[expr.ID]*expr.Column {
	need := neededBy(s.exprs)
	for _, i := range s.pick {
		need[s.input[i].ID] = s.input[i]
	}
	return need
}

// forTask is the side with a program and buffers of its own.
func (s *joinSide) forTask(t *Task, env *Env) (*joinSide, error) {
	c := *s
	c.out = columnar.Batch{Schema: s.schema, Cols: make([]columnar.Vector, len(s.cols))}
	c.vecs = make([]columnar.Vector, len(s.exprs))
	if len(s.exprs) == 0 {
		return &c, nil
	}
	p, err := env.compile(s.exprs, s.input, t)
	c.prog = p
	return &c, err
}

// load brings a batch of the input into the form; it holds as long as b does, and until the next load.
func (s *joinSide) load(b *columnar.Batch) (*columnar.Batch, error) {
	s.out.N = b.N
	for i, c := range s.pick {
		s.out.Cols[i] = b.Cols[c]
	}
	if s.prog != nil {
		if err := s.prog.Run(b, s.vecs); err != nil {
			return nil, err
		}
		copy(s.out.Cols[len(s.pick):], s.vecs)
	}
	return &s.out, nil
}

// usedIDs adds the columns of an expression to a set.
func usedIDs(set map[expr.ID]bool, e expr.Expr) {
	if e == nil {
		return
	}
	if c, ok := e.(*expr.Column); ok {
		set[c.ID] = true
	}
	for _, c := range e.Children() {
		usedIDs(set, c)
	}
}
