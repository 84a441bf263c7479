package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
)

// Local is the manager of one process that runs all tasks: batches stay in memory, paid by an account of the shuffle, and
// go to disk only when memory is refused.
type Local struct {
	pool     *memory.Pool
	dirs     *memory.Dirs
	mu       sync.Mutex
	shuffles map[event.ShuffleID]*localShuffle
}

type localShuffle struct {
	account *memory.Account
	maps    map[int]*mapOutput
}

// mapOutput is what one map task wrote: what was spilled lies before what stayed.
type mapOutput struct {
	parts []localPart
	mem   *memory.Reservation
	spill *memory.SpillFile
	late  *lateOutput // not spread yet; guarded by its lock
	st    MapStatus
}

// lateOutput is an output whose rows are still in one partition.
type lateOutput struct {
	mu   sync.Mutex
	done bool
	o    Output
}

type localPart struct {
	sections []section
	batches  []*columnar.Batch
	sizes    []int64 // of the batches
	rows     int64
	bytes    int64
}

type section struct{ from, to int64 }

// NewLocal makes the manager.
func NewLocal(pool *memory.Pool, dirs *memory.Dirs) *Local {
	return &Local{pool: pool, dirs: dirs, shuffles: map[event.ShuffleID]*localShuffle{}}
}

func (l *Local) shuffle(id event.ShuffleID) *localShuffle {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shuffles[id]
	if s == nil {
		s = &localShuffle{account: l.pool.Yielding(fmt.Sprintf("shuffle %d", id)), maps: map[int]*mapOutput{}}
		l.shuffles[id] = s
	}
	return s
}

// Writer implements Manager.
func (l *Local) Writer(o Output) (Writer, error) {
	n := o.Partitions
	if o.Late != nil {
		n = 1
	}
	w := l.writer(o, n)
	if o.Late != nil {
		w.out.late = &lateOutput{o: o}
	}
	return w, nil
}

func (l *Local) writer(o Output, parts int) *localWriter {
	s := l.shuffle(o.Shuffle)
	w := &localWriter{local: l, o: o, out: &mapOutput{parts: make([]localPart, parts), mem: s.account.Reserve("Exchange")}}
	w.bins = newBins(o.Schema, parts, w.keep)
	return w
}

type localWriter struct {
	local *Local
	o     Output
	out   *mapOutput
	bins  *bins
	done  bool
}

func (w *localWriter) Write(ctx context.Context, b *columnar.Batch, order, bounds []uint32) error {
	n := size(b)
	err := w.out.mem.GrowOrSpill(ctx, n, w.spill)
	if err == nil {
		return w.bins.add(b, order, bounds, n)
	}
	if !memory.Refused(err) || w.out.mem.Bytes() > 0 {
		return err
	}
	// Others hold all the memory: this batch goes straight to disk.
	if err := w.bins.add(b, order, bounds, n); err != nil {
		return err
	}
	return w.spill(ctx)
}

// keep takes a full bin. Its bytes were reserved by Write.
func (w *localWriter) keep(part int, b *columnar.Batch) error {
	p := &w.out.parts[part]
	n := size(b)
	p.batches, p.sizes = append(p.batches, b), append(p.sizes, n)
	p.rows += int64(b.N)
	p.bytes += n
	return nil
}

// spill writes all batches to disk, partition by partition.
func (w *localWriter) spill(context.Context) error {
	if err := w.bins.flush(); err != nil {
		return err
	}
	if w.out.spill == nil {
		f, err := w.local.dirs.Spill()
		if err != nil {
			return err
		}
		w.out.spill = f
	}
	for i := range w.out.parts {
		if err := w.out.parts[i].writeTo(w.out.spill); err != nil {
			return err
		}
	}
	w.out.mem.Release()
	return nil
}

func (p *localPart) writeTo(f *memory.SpillFile) error {
	if len(p.batches) == 0 {
		return nil
	}
	from, err := f.Position()
	if err != nil {
		return err
	}
	for _, b := range p.batches {
		if err := f.Write(b, 0, b.N); err != nil {
			return err
		}
		free(b)
	}
	to, err := f.Position()
	p.sections = append(p.sections, section{from, to})
	p.batches, p.sizes = nil, nil
	return err
}

func (w *localWriter) Commit(context.Context) (MapStatus, error) {
	if err := w.end(); err != nil {
		return MapStatus{}, err
	}
	st := w.out.status(w.o.Map, w.o.Partitions)
	w.out.st, w.done = st, true
	s := w.local.shuffle(w.o.Shuffle)
	w.local.mu.Lock()
	old := s.maps[w.o.Map]
	s.maps[w.o.Map] = w.out
	w.local.mu.Unlock()
	return st, old.free()
}

// end finishes the output's batches and file.
func (w *localWriter) end() error {
	if err := w.bins.flush(); err != nil {
		return err
	}
	if w.out.spill != nil {
		return w.out.spill.Done()
	}
	return nil
}

// status tells sizes and rows of n partitions; of an output that is not spread yet, equal shares.
func (m *mapOutput) status(id, n int) MapStatus {
	st := MapStatus{Map: id, At: event.DriverExecutor, Sizes: make([]int64, n), Rows: make([]int64, n)}
	for i := range n {
		if len(m.parts) == n {
			st.Sizes[i], st.Rows[i] = m.parts[i].bytes, m.parts[i].rows
			continue
		}
		k, all := int64(n), &m.parts[0]
		st.Sizes[i] = all.bytes*int64(i+1)/k - all.bytes*int64(i)/k
		st.Rows[i] = all.rows*int64(i+1)/k - all.rows*int64(i)/k
	}
	return st
}

func (w *localWriter) Abort() {
	if !w.done {
		w.done = true
		w.bins.drop()
		_ = w.out.free() // the task fails for another reason already
	}
}

func (m *mapOutput) free() error {
	if m == nil {
		return nil
	}
	for i := range m.parts {
		for _, b := range m.parts[i].batches {
			if b != nil {
				free(b)
			}
		}
		m.parts[i].batches = nil
	}
	m.mem.Release()
	return m.spill.Close()
}

// Remove implements Manager.
func (l *Local) Remove(id event.ShuffleID) error {
	l.mu.Lock()
	s := l.shuffles[id]
	delete(l.shuffles, id)
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	var errs []error
	for _, m := range s.maps {
		errs = append(errs, m.free())
	}
	return errors.Join(append(errs, s.account.Close())...)
}

// Close removes all shuffles.
func (l *Local) Close() error {
	l.mu.Lock()
	ids := make([]event.ShuffleID, 0, len(l.shuffles))
	for id := range l.shuffles {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	var errs []error
	for _, id := range ids {
		errs = append(errs, l.Remove(id))
	}
	return errors.Join(errs...)
}

// Statuses lists the committed outputs of a shuffle in map order.
func (l *Local) Statuses(id event.ShuffleID) []MapStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shuffles[id]
	if s == nil {
		return nil
	}
	var out []MapStatus
	for _, o := range s.maps {
		out = append(out, o.st)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Map < out[j].Map })
	return out
}

var errGone = errors.New("the map output is not here")

// Reader implements Manager.
func (l *Local) Reader(ctx context.Context, r Request) (Reader, error) {
	out, err := l.find(r)
	if err != nil {
		return nil, err
	}
	// Each reader starts at another output, so that those who come together spread different ones.
	for i := range out.maps {
		m := out.maps[(i+r.From)%len(out.maps)]
		if err := l.spread(ctx, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// spread distributes the rows of a late output over its partitions, once.
func (l *Local) spread(ctx context.Context, m *mapOutput) error {
	if m.late == nil {
		return nil
	}
	m.late.mu.Lock()
	defer m.late.mu.Unlock()
	if m.late.done {
		return nil
	}
	split, err := m.late.o.Late()
	if err != nil {
		return err
	}
	w := l.writer(m.late.o, m.late.o.Partitions)
	defer w.Abort()
	in := &localReader{r: Request{Shuffle: m.late.o.Shuffle, Schema: m.late.o.Schema, Maps: make([]MapStatus, 1), To: 1}, maps: []*mapOutput{m}}
	in.take = true
	for {
		b, err := in.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		order, bounds, err := split(b)
		if err != nil {
			return err
		}
		if err := w.Write(ctx, b, order, bounds); err != nil {
			return err
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	old := mapOutput{parts: m.parts, mem: m.mem, spill: m.spill}
	m.parts, m.mem, m.spill, m.late.done = w.out.parts, w.out.mem, w.out.spill, true
	w.done = true
	return old.free()
}

// find makes a reader of the committed outputs.
func (l *Local) find(r Request) (*localReader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shuffles[r.Shuffle]
	out := &localReader{r: r}
	for _, m := range r.Maps {
		var o *mapOutput
		if s != nil {
			o = s.maps[m.Map]
		}
		if o == nil {
			return nil, failed(&r, m, r.From, errGone)
		}
		out.maps = append(out.maps, o)
		if m.size(r.From, r.To) > 0 {
			r.count(&m, true)
		}
	}
	return out, nil
}

// localReader walks maps, their partitions, and in each what was spilled and what stayed.
type localReader struct {
	r       Request
	maps    []*mapOutput
	m, p    int // p counts from r.From
	section int
	batch   int
	file    *memory.FrameReader
	take    bool // batches are given up once they are read
}

func (r *localReader) Next(context.Context) (*columnar.Batch, error) {
	for r.m < len(r.maps) {
		if r.r.From+r.p >= r.r.To {
			r.m, r.p = r.m+1, 0
			continue
		}
		o := r.maps[r.m]
		part := &o.parts[r.r.From+r.p]
		b, err := r.from(o, part)
		if err != nil {
			return nil, failed(&r.r, r.r.Maps[r.m], r.r.From+r.p, err)
		}
		if b != nil {
			return b, nil
		}
		r.p, r.section, r.batch = r.p+1, 0, 0
	}
	return nil, io.EOF
}

// from is the next batch of a partition; nil at its end.
func (r *localReader) from(o *mapOutput, part *localPart) (*columnar.Batch, error) {
	for r.file != nil || r.section < len(part.sections) {
		if r.file == nil {
			s := part.sections[r.section]
			r.file = o.spill.Section(r.r.Schema, s.from, s.to)
			r.section++
		}
		b, err := r.file.Next()
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		r.file = nil
	}
	if r.batch == len(part.batches) {
		return nil, nil
	}
	if r.take && r.batch > 0 {
		free(part.batches[r.batch-1])
		part.batches[r.batch-1] = nil
		o.mem.Shrink(part.sizes[r.batch-1])
	}
	r.batch++
	return part.batches[r.batch-1], nil
}

func (r *localReader) Close() error { return nil }
