package block

import (
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// Writer makes a block of bytes: in memory while there is room, then on disk. It belongs to one goroutine.
type Writer struct {
	s      *Store
	name   string
	level  Level
	chunks [][]byte
	held   int64
	rows   int64
	copies int
	file   *file
	over   bool
	err    error
}

// Writer starts a block, which is there when the writer is closed.
func (s *Store) Writer(name string, level Level) *Writer {
	return &Writer{s: s, name: name, level: level}
}

// Rows says how many rows the block has, where its bytes are those of rows.
func (w *Writer) Rows(n int64) { w.rows = n }

// Copies says how many executors should have the block.
func (w *Writer) Copies(n int) { w.copies = n }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err == nil {
		w.err = w.write(p)
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

func (w *Writer) write(p []byte) error {
	for len(p) > 0 && w.file == nil {
		last := len(w.chunks) - 1
		if last < 0 || len(w.chunks[last]) == Chunk {
			if w.level&InMemory == 0 || !w.s.grow(Chunk) {
				if err := w.spill(); err != nil {
					return err
				}
				break
			}
			w.held += Chunk
			w.chunks = append(w.chunks, make([]byte, 0, Chunk))
			last++
		}
		n := min(Chunk-len(w.chunks[last]), len(p))
		w.chunks[last] = append(w.chunks[last], p[:n]...)
		p = p[n:]
	}
	if len(p) == 0 {
		return nil
	}
	_, err := w.file.Write(p)
	return err
}

// spill moves what was written to disk.
func (w *Writer) spill() (err error) {
	if w.level&OnDisk == 0 {
		return ErrNoRoom
	}
	if w.file, err = newFile(w.s.dirs); err != nil {
		return err
	}
	for _, c := range w.chunks {
		if _, err := w.file.Write(c); err != nil {
			return err
		}
	}
	w.release()
	return nil
}

func (w *Writer) release() {
	w.s.pool.ReleaseStorage(w.held)
	w.held, w.chunks = 0, nil
}

// Close puts the block into the store.
func (w *Writer) Close() error {
	if w.over {
		return w.err
	}
	if w.err == nil && w.file != nil {
		w.err = w.file.flush()
	}
	if w.err == nil && w.file == nil && w.level&InMemory == 0 { // an empty one
		if w.err = w.spill(); w.err == nil {
			w.err = w.file.flush()
		}
	}
	if w.err != nil {
		return errors.Join(w.err, w.Abort())
	}
	w.over = true
	var size int64
	for _, c := range w.chunks {
		size += int64(len(c))
	}
	if w.held > size { // the last chunk was not filled
		w.s.pool.ReleaseStorage(w.held - size)
		w.held = size
	}
	return w.s.add(&entry{name: w.name, level: w.level, chunks: w.chunks, held: w.held, rows: w.rows, copies: w.copies, file: w.file})
}

// Abort gives up the block. After Close it does nothing.
func (w *Writer) Abort() error {
	if w.over {
		return nil
	}
	w.over = true
	w.release()
	if w.file != nil {
		w.file.remove()
	}
	return nil
}

// BatchWriter makes a block of batches. It belongs to one goroutine.
type BatchWriter struct {
	s       *Store
	name    string
	level   Level
	schema  *types.Schema
	batches []*columnar.Batch
	held    int64
	out     *Writer // once it is on disk
	enc     frame.Encoder
	buf     []byte
	rows    int64
	copies  int
	full    bool // there was no room
	over    bool
}

// BatchWriter starts a block of batches of a schema, which is there when the writer is closed.
func (s *Store) BatchWriter(name string, level Level, schema *types.Schema) *BatchWriter {
	return &BatchWriter{s: s, name: name, level: level, schema: schema}
}

// Copies says how many executors should have the block.
func (w *BatchWriter) Copies(n int) { w.copies = n }

// Add copies a batch into the block. ErrNoRoom says that there is no memory and the block may not lie on disk: there will be
// no block then, and what was added before can be had from Added until Abort.
func (w *BatchWriter) Add(b *columnar.Batch) error {
	if w.full {
		return ErrNoRoom
	}
	w.rows += int64(b.N)
	if w.out == nil && w.level&InMemory != 0 {
		own := b.Clone()
		own.Schema = w.schema
		if n := own.Bytes(); w.s.grow(n) {
			w.batches, w.held = append(w.batches, own), w.held+n
			return nil
		}
	}
	if w.out == nil {
		if w.level&OnDisk == 0 {
			w.full = true
			return ErrNoRoom
		}
		w.out = w.s.Writer(w.name, OnDisk)
		for _, old := range w.batches {
			if err := w.encode(old); err != nil {
				return err
			}
		}
		w.release()
	}
	return w.encode(b)
}

func (w *BatchWriter) encode(b *columnar.Batch) error {
	w.buf = w.enc.Append(w.buf[:0], b, 0, b.N)
	_, err := w.out.Write(w.buf)
	return err
}

func (w *BatchWriter) release() {
	w.s.pool.ReleaseStorage(w.held)
	w.held, w.batches = 0, nil
}

// Added are the batches of a block that found no room.
func (w *BatchWriter) Added() []*columnar.Batch { return w.batches }

// Close puts the block into the store, unless it found no room.
func (w *BatchWriter) Close() error {
	_, err := w.finish()
	return err
}

// Finish is Close, and reads the block, which may have to give way to others at once.
func (w *BatchWriter) Finish() (*BatchReader, error) {
	e, err := w.finish()
	if err != nil {
		return nil, err
	}
	if e == nil {
		return w.s.Batches(w.name, w.schema)
	}
	return &BatchReader{batches: w.batches}, nil
}

func (w *BatchWriter) finish() (*entry, error) {
	if w.over || w.full {
		w.Abort()
		return nil, nil
	}
	w.over = true
	if w.out != nil {
		w.out.level, w.out.rows, w.out.copies = w.level, w.rows, w.copies
		return nil, w.out.Close()
	}
	if w.batches == nil {
		w.batches = []*columnar.Batch{}
	}
	e := &entry{name: w.name, level: w.level, schema: w.schema, batches: w.batches, held: w.held, rows: w.rows, copies: w.copies}
	return e, w.s.add(e)
}

// Abort gives up the block. After Close it does nothing.
func (w *BatchWriter) Abort() {
	if w.over {
		return
	}
	w.over = true
	w.release()
	if w.out != nil {
		_ = w.out.Abort()
	}
}

// BatchReader reads a block of batches.
type BatchReader struct {
	s       *Store
	e       *entry
	batches []*columnar.Batch
	file    Reader
	dec     *memory.FrameReader
}

// Batches reads a block of batches of a schema, from memory by reference; fs.ErrNotExist if it is not there.
func (s *Store) Batches(name string, schema *types.Schema) (*BatchReader, error) {
	e, err := s.pin(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	batches := e.batches
	s.mu.Unlock()
	if batches != nil {
		return &BatchReader{s: s, e: e, batches: batches}, nil
	}
	defer s.unpin(e)
	r, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	return &BatchReader{file: r, dec: memory.NewFrameReader(io.NewSectionReader(r, 0, r.Size()), schema)}, nil
}

// Next is the next batch, borrowed until the following call; io.EOF after the last.
func (r *BatchReader) Next() (*columnar.Batch, error) {
	if r.dec != nil {
		return r.dec.Next()
	}
	if len(r.batches) == 0 {
		return nil, io.EOF
	}
	b := r.batches[0]
	r.batches = r.batches[1:]
	return b, nil
}

// Close lets the block go.
func (r *BatchReader) Close() error {
	if r.file != nil {
		return r.file.Close()
	}
	if r.e != nil {
		r.s.unpin(r.e)
		r.e = nil
	}
	return nil
}

// writeFrames writes batches as frames.
func writeFrames(w io.Writer, batches []*columnar.Batch) error {
	var enc frame.Encoder
	var buf []byte
	for _, b := range batches {
		buf = enc.Append(buf[:0], b, 0, b.N)
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
