package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// A build side that is refused its memory goes to files, and the probe side after it, both spread by a hash of the keys
// over parts that are joined one by one. A part that is still too large is spread again by another hash. If that does not
// help (few keys with many rows, or no keys at all) its build side is joined in chunks, each with the whole probe side.

const (
	spillFan    = 16
	spillLevels = 5
)

// scatter writes batches to files by a hash of their keys.
type scatter struct {
	files  []*memory.SpillFile
	keys   []int
	level  uint64
	hashes []uint64
	tmp    []uint64
	order  []uint32
	refs   []*columnar.Vector
	bufs   []rowBuf
	sorted columnar.Batch
}

func newScatter(d *memory.Dirs, s *joinSide, fan int, level uint64) (*scatter, error) {
	c := &scatter{keys: s.keys, level: level, bufs: make([]rowBuf, len(s.cols)), refs: make([]*columnar.Vector, len(s.keys))}
	c.sorted = columnar.Batch{Schema: s.schema, Cols: make([]columnar.Vector, len(s.cols))}
	for range fan {
		f, err := d.Spill()
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.files = append(c.files, f)
	}
	return c, nil
}

func (c *scatter) add(b *columnar.Batch) error {
	if len(c.files) == 1 {
		return c.files[0].Write(b, 0, b.N)
	}
	c.hashes = sized(c.hashes, b.N)
	for i, k := range c.keys {
		c.refs[i] = &b.Cols[k]
	}
	hashRows(c.hashes, c.refs, &c.tmp)
	var ends [spillFan]int
	for i, h := range c.hashes {
		h = mix(h, c.level) >> 60
		c.hashes[i] = h
		ends[h]++
	}
	at := 0
	var starts [spillFan]int
	for p, n := range ends {
		starts[p] = at
		at += n
	}
	ends = starts
	c.order = sized(c.order, b.N)
	for i, p := range c.hashes {
		c.order[ends[p]] = uint32(i)
		ends[p]++
	}
	for i := range b.Cols {
		c.sorted.Cols[i] = c.bufs[i].gather(&b.Cols[i], c.order)
	}
	c.sorted.N = b.N
	for p, f := range c.files {
		if err := f.Write(&c.sorted, starts[p], ends[p]); err != nil {
			return err
		}
	}
	return nil
}

func (c *scatter) done() error {
	for _, f := range c.files {
		if err := f.Done(); err != nil {
			return err
		}
	}
	return nil
}

func (c *scatter) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	c.files = nil
	return errors.Join(errs...)
}

// joinSpill is the part of a join that lies in files.
type joinSpill struct {
	build, probe *scatter    // being written
	todo         []joinFiles // written, the next one last
	part         joinFiles   // being joined
	chunks       *chunkJoin  // set while part is joined in chunks
}

// joinFiles are the two sides of a part. rows is the number of build rows it was made from, itself included.
type joinFiles struct {
	build, probe *memory.SpillFile
	level        uint64
	rows         int64
}

func (f *joinFiles) close() error {
	err := errors.Join(f.build.Close(), f.probe.Close())
	f.build, f.probe = nil, nil
	return err
}

func (s *joinSpill) close() error {
	errs := []error{s.build.close(), s.probe.close(), s.part.close()}
	for i := range s.todo {
		errs = append(errs, s.todo[i].close())
	}
	return errors.Join(errs...)
}

// fan is the number of parts: one where rows with different keys may meet.
func (o *tableJoin) fan() int {
	if len(o.buildForm.keys) == 0 || o.shape.nullAware {
		return 1
	}
	return spillFan
}

// startSpill moves the rows collected so far to files.
func (o *tableJoin) startSpill(s *rowStore) error {
	o.spill = &joinSpill{}
	c, err := newScatter(o.t.Dirs, o.buildForm, o.fan(), 1)
	if err != nil {
		return err
	}
	o.spill.build = c
	all := columnar.Batch{Schema: o.buildForm.schema, Cols: s.finish(), N: s.n}
	if err := addWindows(c, &all); err != nil {
		return err
	}
	o.mem.Release()
	return nil
}

// addWindows adds a large batch piece by piece.
func addWindows(c *scatter, all *columnar.Batch) error {
	var part columnar.Batch
	for from := 0; from < all.N; from += BatchRows {
		all.WindowInto(&part, from, min(from+BatchRows, all.N))
		if err := c.add(&part); err != nil {
			return err
		}
	}
	return nil
}

// takeProbe writes the probe side to files, and makes parts of both.
func (s *joinSpill) takeProbe(ctx context.Context, o *tableJoin) error {
	if err := o.openProbe(ctx); err != nil {
		return err
	}
	c, err := newScatter(o.t.Dirs, o.probeForm, o.fan(), 1)
	if err != nil {
		return err
	}
	s.probe = c
	if err := o.probeForm.drain(ctx, o.probe, c.add); err != nil {
		return err
	}
	var rows int64
	for _, f := range s.build.files {
		rows += f.Rows()
	}
	return s.arrange(o, 1, rows)
}

// arrange turns what was written into parts to do.
func (s *joinSpill) arrange(o *tableJoin, level uint64, rows int64) error {
	if err := errors.Join(s.build.done(), s.probe.done()); err != nil {
		return err
	}
	for i := len(s.build.files) - 1; i >= 0; i-- {
		b, p := s.build.files[i], s.probe.files[i]
		o.t.Metrics.spilled(o.node, b.Rows()+p.Rows(), b.Bytes()+p.Bytes())
		s.todo = append(s.todo, joinFiles{build: b, probe: p, level: level, rows: rows})
	}
	s.build, s.probe = nil, nil
	return nil
}

// nextPart turns to the next part, or goes on with one that is joined in chunks.
func (o *tableJoin) nextPart(ctx context.Context) (*columnar.Batch, error) {
	s := o.spill
	if s == nil {
		o.phase = joinDone
		return nil, nil
	}
	if s.chunks != nil {
		return o.nextChunk(ctx)
	}
	o.mem.Release()
	if err := s.part.close(); err != nil {
		return nil, err
	}
	if len(s.todo) == 0 {
		o.phase = joinDone
		return nil, nil
	}
	s.part = s.todo[len(s.todo)-1]
	s.todo = s.todo[:len(s.todo)-1]
	if s.part.build.Rows() == 0 && !o.shape.rowsOfProbe() || s.part.probe.Rows() == 0 && !o.shape.rowsOfBuild() {
		return nil, nil
	}
	return nil, o.loadPart(ctx)
}

func (o *tableJoin) loadPart(ctx context.Context) error {
	s := o.spill
	store, whole, err := o.load(ctx, s.part.build, nil)
	if err != nil {
		return err
	}
	switch {
	case whole:
		o.probing.use(o.tableOf(store))
		o.current, o.phase = false, joinProbing
		o.source, err = readFile(s.part.probe, o.probeForm.schema)
		return err
	case o.fan() > 1 && s.part.level < spillLevels && s.part.build.Rows() <= s.part.rows*3/4:
		o.mem.Release()
		return o.spread(ctx)
	}
	o.mem.Release()
	return o.startChunks()
}

// load reads build rows until they are all there or no more are granted; from goes on where another load stopped.
func (o *tableJoin) load(ctx context.Context, f *memory.SpillFile, from *memory.FrameReader) (*rowStore, bool, error) {
	store := o.buildForm.newStore()
	r := from
	if r == nil {
		var err error
		if r, err = f.Reader(o.buildForm.schema); err != nil {
			return nil, false, err
		}
	}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return store, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		store.add(b)
		if !o.fits(store) {
			return store, false, nil
		}
	}
}

func readFile(f *memory.SpillFile, s *types.Schema) (func(context.Context) (*columnar.Batch, error), error) {
	r, err := f.Reader(s)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*columnar.Batch, error) { return r.Next() }, nil
}

// spread spreads the current part again by another hash.
func (o *tableJoin) spread(ctx context.Context) error {
	s := o.spill
	level := s.part.level + 1
	var err error
	if s.build, err = newScatter(o.t.Dirs, o.buildForm, spillFan, level); err != nil {
		return err
	}
	if s.probe, err = newScatter(o.t.Dirs, o.probeForm, spillFan, level); err != nil {
		return err
	}
	if err := refile(ctx, s.part.build, o.buildForm.schema, s.build); err != nil {
		return err
	}
	if err := refile(ctx, s.part.probe, o.probeForm.schema, s.probe); err != nil {
		return err
	}
	return s.arrange(o, level, s.part.build.Rows())
}

func refile(ctx context.Context, f *memory.SpillFile, schema *types.Schema, to *scatter) error {
	next, err := readFile(f, schema)
	if err != nil {
		return err
	}
	for {
		b, err := next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = to.add(b)
		}
		if err != nil {
			return err
		}
	}
}

// chunkJoin joins a part chunk by chunk of its build side. Which probe rows have found a partner is kept over all chunks;
// those that stand for themselves come out in a last pass.
type chunkJoin struct {
	build *memory.FrameReader
	last  bool // the chunk at hand is the last
	flush func(context.Context) (*columnar.Batch, error)
}

func (o *tableJoin) startChunks() error {
	s := o.spill
	r, err := s.part.build.Reader(o.buildForm.schema)
	if err != nil {
		return err
	}
	s.chunks = &chunkJoin{build: r}
	p := o.probing
	p.deferred = true
	if p.tracks() {
		p.matched = columnar.NewBitmap(int(s.part.probe.Rows()))
	}
	return nil
}

// nextChunk is called at the start, after each chunk, and for each batch of the last pass.
func (o *tableJoin) nextChunk(ctx context.Context) (*columnar.Batch, error) {
	c, p := o.spill.chunks, o.probing
	if c.flush != nil {
		return o.flushChunks(ctx)
	}
	if c.last {
		var err error
		p.base = 0
		c.flush, err = readFile(o.spill.part.probe, o.probeForm.schema)
		return nil, err
	}
	o.mem.Release()
	store, whole, err := o.load(ctx, nil, c.build)
	if err != nil {
		return nil, err
	}
	if c.last = whole; whole && store.n == 0 {
		return nil, nil
	}
	p.use(o.tableOf(store))
	next, err := readFile(o.spill.part.probe, o.probeForm.schema)
	rows := 0
	o.source = func(ctx context.Context) (*columnar.Batch, error) {
		b, err := next(ctx)
		if err == nil {
			p.base = rows
			rows += b.N
		}
		return b, err
	}
	o.current, o.phase = false, joinProbing
	return nil, err
}

func (o *tableJoin) flushChunks(ctx context.Context) (*columnar.Batch, error) {
	p := o.probing
	b, err := o.spill.chunks.flush(ctx)
	if errors.Is(err, io.EOF) || err == nil && !o.shape.rowsOfProbe() {
		o.spill.chunks, p.deferred, p.matched = nil, false, nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := p.flush(b)
	p.base += b.N
	return out, nil
}
