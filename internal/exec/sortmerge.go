package exec

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
)

// mergeFan is the number of runs that are merged at once, if memory allows, and leastFan the least.
const (
	mergeFan = 64
	leastFan = 4
)

// merge merges the runs; if there are too many, in several passes.
func (s *sorter) merge(ctx context.Context) (rowSource, error) {
	fan := s.fan()
	for at := 0; len(s.files) > fan; at++ {
		n := fan
		if over := (len(s.files) - fan) % (fan - 1); over > 0 { // the first merges so few that all others are full
			n = over + 1
		}
		if at+n > len(s.files) {
			at = 0
		}
		if err := s.mergeSome(ctx, at, n); err != nil {
			return nil, err
		}
	}
	m, err := s.newMerger(s.files)
	if err != nil {
		return nil, err
	}
	return m.next, nil
}

// fan is the number of runs that there is memory to merge at once. It reserves what their readers take.
func (s *sorter) fan() int {
	each := int64(0)
	for _, f := range s.files {
		each = max(each, f.ReaderBytes())
	}
	n := min(mergeFan, max(len(s.files), leastFan))
	for s.mem.Release(); n > leastFan && !s.mem.TryGrow(int64(n)*each); n-- {
	}
	return n
}

// mergeSome makes one run of n runs; it takes their place, so that equal rows stay in order.
func (s *sorter) mergeSome(ctx context.Context, at, n int) error {
	done := slices.Clone(s.files[at : at+n])
	m, err := s.newMerger(done)
	if err != nil {
		return err
	}
	f, err := s.t.Dirs.Spill()
	if err != nil {
		return err
	}
	s.files = slices.Replace(s.files, at, at+n, f)
	for err == nil {
		var b *columnar.Batch
		if b, err = m.next(ctx); b == nil {
			break
		}
		err = f.Write(b, 0, b.N)
	}
	err = errors.Join(err, f.Done())
	for _, old := range done {
		err = errors.Join(err, old.Close())
	}
	return err
}

// sortedRun is a run being merged: its current batch and the row that comes next.
type sortedRun struct {
	r     *memory.FrameReader
	b     *columnar.Batch
	words []uint64
	tmp   []uint64
	row   int
}

// merger merges sorted runs by a binary heap of their first rows.
type merger struct {
	s    *sorter
	plan *prefixPlan
	runs []*sortedRun
	heap []int // run numbers
	stop int   // a run whose batch is used up; -1: none
	left int   // rows that may still come, <0: any number
	out  columnar.Batch
	most int      // rows of a batch
	from []int    // of the rows collected: their runs
	rows []uint32 // and their numbers
}

func (s *sorter) newMerger(files []*memory.SpillFile) (*merger, error) {
	m := &merger{s: s, plan: planByType(s.keys), stop: -1, left: s.limit}
	var bytes, rows int64
	m.out.Schema = s.schema
	m.out.Cols = make([]columnar.Vector, len(s.schema.Fields))
	for _, f := range files {
		r, err := f.Reader(s.schema)
		if err != nil {
			return nil, err
		}
		m.runs = append(m.runs, &sortedRun{r: r})
		bytes, rows = bytes+f.Bytes(), rows+f.Rows()
	}
	m.most = rowsPer(mergeBytes, bytes, rows)
	for i := range m.runs {
		ok, err := m.load(i)
		if err != nil {
			return nil, err
		}
		if ok {
			m.push(i)
		}
	}
	return m, nil
}

// mergeBytes is the size of a batch of wide rows, about.
const mergeBytes = 4 << 20

// rowsPer is how many rows a batch has that is not much larger than a size, where so many rows take so many bytes.
func rowsPer(size, bytes, rows int64) int {
	return int(min(max(size*rows/max(bytes, 1), 1), BatchRows))
}

// load reads the next batch of a run; false at its end.
func (m *merger) load(i int) (bool, error) {
	r := m.runs[i]
	b, err := r.r.Next()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.b, r.row = b, 0
	r.words = sized(r.words, b.N)
	m.plan.words(r.words, b.Cols, &r.tmp)
	return true, nil
}

// less says whether run a's next row comes before run b's; equal rows come in the order of the runs.
func (m *merger) less(a, b int) bool {
	x, y := m.runs[a], m.runs[b]
	if p, q := x.words[x.row], y.words[y.row]; p != q {
		return p < q
	}
	if keys := m.s.keys[m.plan.tie:]; len(keys) > 0 {
		if c := compareKeys(keys, x.b.Cols, x.row, y.b.Cols, y.row); c != 0 {
			return c < 0
		}
	}
	return a < b
}

func (m *merger) push(run int) {
	m.heap = append(m.heap, run)
	for i := len(m.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !m.less(m.heap[i], m.heap[up]) {
			return
		}
		m.heap[i], m.heap[up] = m.heap[up], m.heap[i]
		i = up
	}
}

// sink puts the changed first element where it belongs.
func (m *merger) sink() {
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heap); c++ {
			if m.less(m.heap[c], m.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// next is the next batch, nil at the end.
func (m *merger) next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if m.stop >= 0 {
			if err := m.reload(); err != nil {
				return nil, err
			}
		}
		m.collect()
		if len(m.rows) > 0 {
			return m.gather(), nil
		}
		if m.stop < 0 {
			return nil, nil
		}
	}
}

// reload goes on with the run that stopped, which is the first of the heap.
func (m *merger) reload() error {
	ok, err := m.load(m.stop)
	if err != nil {
		return err
	}
	m.stop = -1
	if !ok {
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
	}
	if len(m.heap) > 0 {
		m.sink()
	}
	return nil
}

// collect picks rows until a batch is full or a run has to be read on.
func (m *merger) collect() {
	m.from, m.rows = m.from[:0], m.rows[:0]
	for len(m.heap) > 0 && len(m.rows) < m.most && m.left != 0 {
		i := m.heap[0]
		r := m.runs[i]
		m.from, m.rows = append(m.from, i), append(m.rows, uint32(r.row))
		m.left--
		if r.row++; r.row == r.b.N {
			m.stop = i
			return
		}
		m.sink()
	}
}

// gather copies the collected rows: run by run, then into their order.
func (m *merger) gather() *columnar.Batch {
	start := make([]int, len(m.runs)+1)
	for _, f := range m.from {
		start[f+1]++
	}
	for i := range m.runs {
		start[i+1] += start[i]
	}
	byRun, place, at := make([]uint32, len(m.rows)), make([]uint32, len(m.rows)), append([]int(nil), start...)
	for k, f := range m.from {
		byRun[at[f]], place[k] = m.rows[k], uint32(at[f])
		at[f]++
	}
	for c := range m.out.Cols {
		a := columnar.NewAppender(m.s.schema.Fields[c].Type)
		for i, r := range m.runs {
			if start[i] < start[i+1] {
				a.AppendRows(&r.b.Cols[c], byRun[start[i]:start[i+1]])
			}
		}
		v := a.Finish()
		m.out.Cols[c] = columnar.Gather(&v, place)
	}
	m.out.N = len(m.rows)
	return &m.out
}
