package shuffle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Files is the manager that writes map outputs to files (see output.go for what is in them). A file gets its name by one
// rename, so that a reader sees all of it or nothing.
type Files struct {
	dirs     *memory.Dirs
	self     event.ExecutorID
	host     string
	compress bool
	fetch    Fetcher
	// Window bounds the bytes that a reader asks other executors for ahead of what it reads (spark.reducer.maxSizeInFlight).
	Window int64
	// Requests bounds the map outputs that it asks for ahead (spark.reducer.maxReqsInFlight).
	Requests int
	mu       sync.Mutex
	written  map[event.ShuffleID]map[int]bool
}

// Fetcher reads partitions [from, to) of a map output that lies elsewhere.
type Fetcher interface {
	Fetch(ctx context.Context, shuffle event.ShuffleID, m MapStatus, from, to int) (io.ReadCloser, error)
}

// NewFiles makes the manager of executor self. fetch may be nil when all outputs are its own.
func NewFiles(dirs *memory.Dirs, self event.ExecutorID, host string, compress bool, fetch Fetcher) *Files {
	return &Files{dirs: dirs, self: self, host: host, compress: compress, fetch: fetch, Window: defaultWindow, Requests: maxAhead, written: map[event.ShuffleID]map[int]bool{}}
}

const (
	frameBytes    = 1 << 20 // of a frame, about: a reader holds one
	defaultWindow = 48 << 20
	maxAhead      = 256 // map outputs that a reader asks for ahead
)

// Writer implements Manager.
func (f *Files) Writer(o Output) (Writer, error) {
	if o.Late != nil {
		return nil, sparkerr.Internal("a map output in files must know its partitions when it is written")
	}
	w := &fileWriter{files: f, o: o, mem: o.Mem.Reserve("Exchange"), parts: make([]filePart, o.Partitions)}
	w.enc.Compress, w.enc.Seal = f.compress, f.dirs.Seal()
	w.bins = newBins(o.Schema, o.Partitions, w.encode)
	return w, nil
}

// fileWriter keeps encoded frames by partition and moves them to run files when memory is refused.
type fileWriter struct {
	files *Files
	o     Output
	mem   *memory.Reservation
	bins  *bins
	enc   frame.Encoder
	frame []byte // the last that was encoded
	parts []filePart
	held  int64 // bytes of frames in memory
	runs  []*os.File
	tmp   *os.File
}

type filePart struct {
	frames [][]byte // slabs with one frame after the other
	runs   []runPart
	rows   int64
}

// keep appends a frame to the slabs and gives the bytes that they grew by.
func (p *filePart) keep(frame []byte) (grown int64) {
	last := len(p.frames) - 1
	if last < 0 || len(p.frames[last])+len(frame) > cap(p.frames[last])-memory.Pad {
		size := firstFrames << min(2*len(p.frames), 6)
		p.frames = append(p.frames, memory.Buffers.Get(max(size-memory.Pad, len(frame)))[:0])
		last++
		grown = int64(cap(p.frames[last]))
	}
	p.frames[last] = append(p.frames[last], frame...)
	return grown
}

// firstFrames is the size of a partition's first slab; the next ones are larger, up to 256 KB.
const firstFrames = 4 << 10

// drop gives the slabs back.
func (p *filePart) drop() {
	for _, f := range p.frames {
		memory.Buffers.Put(f)
	}
	p.frames = nil
}

type runPart struct {
	run      int
	from, to int64
}

func (w *fileWriter) Write(ctx context.Context, b *columnar.Batch, order, bounds []uint32) error {
	n := size(b)
	if err := w.mem.Resize(ctx, w.held+w.bins.pending+n, w.spill); err != nil {
		return err
	}
	return w.bins.add(b, order, bounds, n)
}

func (w *fileWriter) encode(part int, b *columnar.Batch) error {
	p := &w.parts[part]
	for from := 0; from < b.N; {
		n := b.RowsWithin(from, b.N, frameBytes)
		w.frame = w.enc.Append(w.frame[:0], b, from, from+n)
		w.held += p.keep(w.frame)
		from += n
	}
	p.rows += int64(b.N)
	free(b)
	return nil
}

// spill writes the frames in memory to a run file, partition by partition.
func (w *fileWriter) spill(context.Context) error {
	if err := w.bins.flush(); err != nil {
		return err
	}
	f, err := w.files.dirs.Create("temp_shuffle_")
	if err != nil {
		return err
	}
	run := len(w.runs)
	w.runs = append(w.runs, f)
	out, at := bufio.NewWriterSize(f, 256<<10), int64(0)
	for i := range w.parts {
		p := &w.parts[i]
		if len(p.frames) == 0 {
			continue
		}
		n, err := p.writeTo(out)
		if err != nil {
			return err
		}
		p.runs = append(p.runs, runPart{run, at, at + n})
		at += n
		p.drop()
	}
	w.held = 0
	w.mem.Release()
	return out.Flush()
}

func (w *fileWriter) Commit(context.Context) (MapStatus, error) {
	defer w.Abort()
	if err := w.bins.flush(); err != nil {
		return MapStatus{}, err
	}
	name := FileName(w.o.Shuffle, w.o.Map)
	places, err := w.files.dirs.Places(name)
	if err != nil {
		return MapStatus{}, err
	}
	st, err := w.place(places)
	if err != nil {
		return st, fmt.Errorf("writing map output %s failed: %w", name, err)
	}
	w.files.note(w.o.Shuffle, w.o.Map)
	return st, nil
}

// place writes the output to the first of its places whose disk takes it.
func (w *fileWriter) place(places []string) (st MapStatus, err error) {
	for _, path := range places {
		st = MapStatus{Map: w.o.Map, At: w.files.self, Host: w.files.host, Sizes: make([]int64, len(w.parts)), Rows: make([]int64, len(w.parts))}
		if w.tmp, err = os.CreateTemp(filepath.Dir(path), "temp_shuffle_"); err == nil {
			if err = w.assemble(&st); err == nil {
				err = os.Rename(w.tmp.Name(), path)
			}
		}
		if err == nil || !memory.DiskTrouble(err) {
			return st, err
		}
		if w.tmp != nil {
			_ = w.tmp.Close()
			_ = os.Remove(w.tmp.Name()) // the error of writing is the one to report
			w.tmp = nil
		}
	}
	return st, err
}

// assemble writes the partitions one after the other, and the index.
func (w *fileWriter) assemble(st *MapStatus) error {
	out := bufio.NewWriterSize(w.tmp, 256<<10)
	ends, sums, at := make([]int64, len(w.parts)), make([]uint32, len(w.parts)), int64(0)
	for i := range w.parts {
		h := crc32.New(castagnoli)
		n, err := w.copyPart(io.MultiWriter(out, h), &w.parts[i])
		if err != nil {
			return err
		}
		at += n
		st.Sizes[i], st.Rows[i] = n, w.parts[i].rows
		ends[i], sums[i] = at, h.Sum32()
	}
	if _, err := out.Write(indexOf(ends, sums)); err != nil {
		return err
	}
	return out.Flush()
}

func (w *fileWriter) copyPart(out io.Writer, p *filePart) (int64, error) {
	var total int64
	for _, r := range p.runs {
		n, err := io.Copy(out, io.NewSectionReader(w.runs[r.run], r.from, r.to-r.from))
		total += n
		if err != nil {
			return total, err
		}
	}
	n, err := p.writeTo(out)
	return total + n, err
}

// writeTo writes the frames in memory.
func (p *filePart) writeTo(out io.Writer) (total int64, err error) {
	for _, f := range p.frames {
		n, err := out.Write(f)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Abort deletes temporary files and gives the memory back. After Commit the output itself stays.
func (w *fileWriter) Abort() {
	w.mem.Release()
	w.bins.drop()
	for i := range w.parts {
		w.parts[i].drop()
	}
	for _, f := range append(w.runs, w.tmp) {
		if f != nil {
			_ = f.Close()
			_ = os.Remove(f.Name()) // a committed file has another name by now
		}
	}
	w.runs, w.tmp, w.parts = nil, nil, nil
}

func (f *Files) note(id event.ShuffleID, m int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written[id] == nil {
		f.written[id] = map[int]bool{}
	}
	f.written[id][m] = true
}

// Adopt keeps the output of a map task that ran in another executor: in has its whole file.
func (f *Files) Adopt(id event.ShuffleID, m int, in io.Reader) error {
	path, err := f.dirs.Path(FileName(id, m))
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "temp_shuffle_")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, in)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = CheckFile(tmp.Name(), 0, -1)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keeping map output %s failed: %w", FileName(id, m), err), os.Remove(tmp.Name()))
	}
	f.note(id, m)
	return nil
}

// Remove implements Manager. Outputs whose files are gone already are none of its errors.
func (f *Files) Remove(id event.ShuffleID) error {
	f.mu.Lock()
	maps := f.written[id]
	delete(f.written, id)
	f.mu.Unlock()
	var errs []error
	for m := range maps {
		path, err := f.dirs.Path(FileName(id, m))
		if err == nil {
			err = os.Remove(path)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Open opens partitions [from, to) of a map output of this executor, for a reader here or the block server.
func (f *Files) Open(id event.ShuffleID, m, from, to int) (*Section, error) {
	path, err := f.dirs.Path(FileName(id, m))
	if err != nil {
		return nil, err
	}
	return OpenFile(path, from, to)
}

// Reader implements Manager.
func (f *Files) Reader(_ context.Context, r Request) (Reader, error) {
	maps := append([]MapStatus(nil), r.Maps...)
	sort.SliceStable(maps, func(i, j int) bool { return maps[i].Map < maps[j].Map })
	r.Maps = maps
	return &fileReader{files: f, r: r}, nil
}

type fileReader struct {
	files *Files
	r     Request
	m     int // the map output that is read, or comes next
	in    io.ReadCloser
	dec   *memory.FrameReader
	ahead []fetched // of the map outputs from m on
	asked int64     // bytes of those that were asked for
	// Of the map output that is read: batches that were given, those to pass over as it is read again, whether it was fetched
	// again because it was damaged, and how often because it had moved.
	given, skip int
	refetched   bool
	moves       int
}

// fetched is a map output that was asked for ahead: nothing for one that lies here or is empty.
type fetched struct {
	in   io.ReadCloser
	err  error
	size int64
}

func (r *fileReader) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if r.in == nil {
			for r.m < len(r.r.Maps) && r.r.Maps[r.m].size(r.r.From, r.r.To) == 0 {
				r.advance()
			}
			if r.m == len(r.r.Maps) {
				return nil, io.EOF
			}
			if err := r.open(ctx, r.r.Maps[r.m]); err != nil {
				if err = r.again(ctx, err); err != nil {
					return nil, r.failed(ctx, err)
				}
			}
		}
		b, err := r.dec.Next()
		switch {
		case err == nil && r.skip > 0:
			r.skip--
			continue
		case err == nil:
			r.given++
			return b, nil
		case !errors.Is(err, io.EOF):
			if err = r.again(ctx, err); err != nil {
				return nil, r.failed(ctx, err)
			}
			continue
		}
		in := r.in
		r.in = nil
		if err := in.Close(); err != nil {
			return nil, err
		}
		r.advance()
	}
}

// failed blames the map output that is read, unless the task was told to end.
func (r *fileReader) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failed(&r.r, r.r.Maps[r.m], r.r.From, err)
}

// advance goes on to the next map output.
func (r *fileReader) advance() {
	r.m++
	r.given, r.skip, r.refetched, r.moves = 0, 0, false, 0
	if len(r.ahead) > 0 {
		r.asked -= r.ahead[0].size
		r.ahead = r.ahead[1:]
	}
}

// fetchAhead asks other executors for what is read next.
func (r *fileReader) fetchAhead(ctx context.Context) {
	for len(r.ahead) < max(min(maxAhead, r.files.Requests), 1) && r.m+len(r.ahead) < len(r.r.Maps) && (r.asked < r.files.Window || len(r.ahead) == 0) {
		m := r.r.Maps[r.m+len(r.ahead)]
		var f fetched
		if size := m.size(r.r.From, r.r.To); m.At != r.files.self && size != 0 {
			f.size = max(size, 0)
			f.in, f.err = r.files.fetch.Fetch(ctx, r.r.Shuffle, m, r.r.From, r.r.To)
		}
		r.asked += f.size
		r.ahead = append(r.ahead, f)
	}
}

func (r *fileReader) open(ctx context.Context, m MapStatus) (err error) {
	if r.files.fetch != nil {
		start := time.Now()
		r.fetchAhead(ctx)
		if r.r.Metrics != nil {
			r.r.Metrics.FetchWaitTime += time.Since(start)
		}
	}
	switch {
	case m.At == r.files.self:
		r.in, err = r.files.Open(r.r.Shuffle, m.Map, r.r.From, r.r.To)
	case r.files.fetch == nil:
		err = errGone
	default:
		r.in, err = r.ahead[0].in, r.ahead[0].err
		r.ahead[0].in = nil
	}
	if err != nil {
		r.in = nil
		return err
	}
	r.r.count(&m, m.At == r.files.self)
	r.decode()
	return nil
}

func (r *fileReader) decode() {
	if r.dec == nil {
		r.dec = memory.NewFrameReader(r.in, r.r.Schema).Sealed(r.files.dirs.Seal())
	} else {
		r.dec.Reset(r.in)
	}
}

func (r *fileReader) Close() error {
	var err error
	if r.in != nil {
		err = r.in.Close()
		r.in = nil
	}
	for _, f := range r.ahead {
		if f.in != nil {
			err = errors.Join(err, f.in.Close())
		}
	}
	r.ahead = nil
	return err
}
