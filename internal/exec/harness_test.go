package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spoiler hands out copies of batches and fills them with garbage at the next call, as an operator's arena would.
type spoiler struct {
	Operator
	last *columnar.Batch
}

func spoil(_ physical.Plan, op Operator) Operator { return &spoiler{Operator: op} }

func (s *spoiler) Next(ctx context.Context) (*columnar.Batch, error) {
	if s.last != nil {
		for i := range s.last.Cols {
			garble(&s.last.Cols[i])
		}
		s.last = nil
	}
	b, err := s.Operator.Next(ctx)
	if err != nil {
		return nil, err
	}
	s.last = &columnar.Batch{Schema: b.Schema, N: b.N, Cols: make([]columnar.Vector, len(b.Cols))}
	for i := range b.Cols {
		if b.Cols[i].N != b.N {
			return nil, fmt.Errorf("column %d has %d rows of %d", i, b.Cols[i].N, b.N)
		}
		s.last.Cols[i] = ownCopy(&b.Cols[i])
	}
	out := *s.last
	return &out, nil
}

func ownCopy(v *columnar.Vector) columnar.Vector {
	out := *v
	out.Data = append([]byte(nil), v.Data...)
	out.Valid = append(columnar.Bitmap(nil), v.Valid...)
	out.Codes = append([]uint32(nil), v.Codes...)
	if v.Valid == nil {
		out.Valid = nil
	}
	out.Bufs = nil
	for _, b := range v.Bufs {
		out.Bufs = append(out.Bufs, append([]byte(nil), b...))
	}
	out.Kids = nil
	for i := range v.Kids {
		out.Kids = append(out.Kids, ownCopy(&v.Kids[i]))
	}
	if v.Dict != nil {
		d := ownCopy(v.Dict)
		out.Dict = &d
	}
	return out
}

func garble(v *columnar.Vector) {
	for i := range v.Data {
		v.Data[i] = 0xDB
	}
	for i := range v.Valid {
		v.Valid[i] = 0xDBDBDBDBDBDBDBDB
	}
	for i := range v.Codes {
		v.Codes[i] = 0xDBDBDBDB
	}
	for _, b := range v.Bufs {
		for i := range b {
			b[i] = 0xDB
		}
	}
	for i := range v.Kids {
		garble(&v.Kids[i])
	}
	if v.Dict != nil {
		garble(v.Dict)
	}
}

// lab is where a test runs plans: a pool of some budget, spill directories, operators that spoil what they lent.
type lab struct {
	t       testing.TB
	pool    *memory.Pool
	dirs    *memory.Dirs
	env     *Env
	inputs  Inputs
	filters *Filters
}

func newLab(t testing.TB, budget int64) *lab {
	l := &lab{t: t, pool: memory.NewPool(memory.Config{Budget: budget, Key: "spark.driver.memory"}), dirs: memory.NewDirs(t.TempDir())}
	l.env = &Env{Session: &kernel.Session{Ansi: true}, Wrap: spoil, ExternalAgg: testAggs}
	return l
}

func (l *lab) task(partition int) *Task {
	return &Task{Partition: partition, Session: l.env.Session, Mem: l.pool.Account("task"), Dirs: l.dirs, Inputs: l.inputs, Filters: l.filters,
		Shared: &Shared{}, Metrics: &Metrics{}}
}

// run gives the rows of a plan in order.
func (l *lab) run(p physical.Plan, t *Task) ([][]any, error) {
	op, err := Build(p, l.env)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	err = Run(context.Background(), t, op, func(b *columnar.Batch) error {
		for i := range b.N {
			row := make([]any, len(b.Cols))
			for c := range b.Cols {
				row[c] = b.Cols[c].ValueAt(i)
			}
			rows = append(rows, row)
		}
		return nil
	})
	if u := l.pool.Usage(); u.Execution != 0 {
		l.t.Errorf("%d bytes are still reserved", u.Execution)
	}
	return rows, err
}

func (l *lab) must(p physical.Plan, t *Task) [][]any {
	l.t.Helper()
	rows, err := l.run(p, t)
	if err != nil {
		l.t.Fatal(err)
	}
	return rows
}

// col makes a column.
func col(name string, t types.Type) *expr.Column {
	return &expr.Column{ID: expr.NextID(), Name: name, T: t, Null: true}
}

// table is a LocalScan of random forms: rows are cut into batches of up to size rows, and columns become dictionaries now
// and then.
func table(r *rand.Rand, cols []*expr.Column, rows [][]any, size int) *physical.LocalScan {
	p := &physical.LocalScan{Out: cols}
	for len(rows) > 0 {
		n := min(1+r.IntN(size), len(rows))
		b := &columnar.Batch{Schema: schemaOf(cols), N: n}
		for c := range cols {
			b.Cols = append(b.Cols, formed(r, cols[c].T, rows[:n], c))
		}
		p.Batches = append(p.Batches, b)
		rows = rows[n:]
	}
	return p
}

func formed(r *rand.Rand, t types.Type, rows [][]any, c int) columnar.Vector {
	b := columnar.NewBuilder(t, len(rows))
	codes, at, valid := []uint32{}, map[string]uint32{}, columnar.FullBitmap(len(rows))
	asDict := r.IntN(2) == 0 && t.Kind != types.NullKind
	for i, row := range rows {
		if !asDict {
			b.Append(row[c])
			continue
		}
		if row[c] == nil {
			valid.Clear(i)
			codes = append(codes, 0)
			continue
		}
		k := fmt.Sprintf("%#v", row[c])
		if _, ok := at[k]; !ok {
			at[k] = uint32(b.Len())
			b.Append(row[c])
		}
		codes = append(codes, at[k])
	}
	v := b.Finish()
	if !asDict || v.N == 0 {
		if v.N == 0 {
			return columnar.NewConst(t, nil, len(rows))
		}
		return v
	}
	return columnar.NewDict(&v, codes, valid)
}

// sorted orders rows by their text.
func sorted(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprintf("%#v", r)
	}
	sort.Strings(out)
	return out
}

// testAggs are aggregates for tests of the operator alone: sum and count of BIGINT, first of anything.
func testAggs(a *expr.Agg) (kernel.Agg, error) {
	switch a.Name {
	case "sum", "count":
		return &sumAgg{count: a.Name == "count"}, nil
	case "list":
		return &listAgg{}, nil
	}
	return nil, nil
}

type sumAgg struct {
	count bool
	sums  []int64
}

func (s *sumAgg) grow(groups int) {
	for len(s.sums) < groups {
		s.sums = append(s.sums, 0)
	}
}

func (s *sumAgg) Update(_ *kernel.Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	s.grow(groups)
	args = append([]columnar.Vector(nil), args...)
	args[0] = args[0].Flatten()
	vals := columnar.Values[int64](&args[0])
	if args[0].Valid == nil && group != nil && !s.count {
		sums := s.sums
		for i, v := range vals[:n] {
			sums[group[i]] += v
		}
		return nil
	}
	for i := range n {
		g, v := uint32(0), vals[i]
		if group != nil {
			g = group[i]
		}
		if args[0].Null(i) {
			continue
		}
		if s.count {
			v = 1
		}
		s.sums[g] += v
	}
	return nil
}

func (s *sumAgg) Merge(c *kernel.Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	count := s.count
	s.count = false
	err := s.Update(c, state, n, group, groups)
	s.count = count
	return err
}

func (s *sumAgg) State(_ *kernel.Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{columnar.NewFlat(types.Long, s.sums[from:to])}, nil
}

func (s *sumAgg) Result(_ *kernel.Ctx, from, to int) (columnar.Vector, error) {
	return columnar.NewFlat(types.Long, s.sums[from:to]), nil
}

func (s *sumAgg) Bytes() int64 { return int64(cap(s.sums)) * 8 }
func (s *sumAgg) Reset()       { clear(s.sums); s.sums = s.sums[:0] }

// listAgg writes its texts one after the other.
type listAgg struct{ lists []string }

func (s *listAgg) Update(_ *kernel.Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	for len(s.lists) < groups {
		s.lists = append(s.lists, "")
	}
	for i := range n {
		g := uint32(0)
		if group != nil {
			g = group[i]
		}
		s.lists[g] += fmt.Sprint(args[0].ValueAt(i)) + ";"
	}
	return nil
}

func (s *listAgg) Merge(*kernel.Ctx, []columnar.Vector, int, []uint32, int) error {
	return fmt.Errorf("list has no partial form")
}
func (s *listAgg) State(*kernel.Ctx, int, int) ([]columnar.Vector, error) {
	return nil, fmt.Errorf("list has no partial form")
}
func (s *listAgg) Result(_ *kernel.Ctx, from, to int) (columnar.Vector, error) {
	b := columnar.NewBuilder(types.String, 0)
	for _, l := range s.lists[from:to] {
		b.Append(l)
	}
	return b.Finish(), nil
}
func (s *listAgg) Bytes() int64 { return 0 }
func (s *listAgg) Reset()       { s.lists = nil }
