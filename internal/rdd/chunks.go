package rdd

import (
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/types"
)

const (
	// writeBuffer is how many bytes of records a map task collects before they go to the shuffle.
	writeBuffer = 1 << 20
	// chunkSize is about the size of a chunk on disk.
	chunkSize = 64 << 10
)

// ChunkWriter takes the encoded records of one map task.
type ChunkWriter struct {
	t      *Task
	w      shuffle.Writer
	mem    *memory.Reservation
	parts  [][]byte
	held   int
	order  []uint32
	bounds []uint32
	status shuffle.MapStatus
}

func (t *Task) newChunkWriter(s *mapStage) (*ChunkWriter, error) {
	w, err := t.Env.Shuffle.Writer(shuffle.Output{Shuffle: s.id, Map: t.Partition, Task: t.ID, Partitions: s.parts, Schema: chunkSchema, Mem: t.Mem})
	if err != nil {
		return nil, err
	}
	c := &ChunkWriter{t: t, w: w, mem: t.Mem.Reserve("chunks of records"), parts: make([][]byte, s.parts), bounds: make([]uint32, s.parts+1)}
	t.OnClose(func() error { c.w.Abort(); c.mem.Release(); return nil })
	return c, c.mem.GrowOrSpill(t.ctx, 2*writeBuffer, nil)
}

// Parts is the number of partitions.
func (c *ChunkWriter) Parts() int { return len(c.parts) }

// Put appends a record to a partition.
func Put[T any](c *ChunkWriter, codec Codec[T], part int, v *T) {
	before := len(c.parts[part])
	b, err := codec.Append(c.parts[part], v)
	if err != nil {
		c.t.Fail(err)
		return
	}
	if len(b) == before {
		// A record without bytes could not be told from none.
		c.t.Fail(fmt.Errorf("records of type %T have nothing to encode", *v))
		return
	}
	c.parts[part] = b
	c.t.Metrics.ShuffleWrite.RecordsWritten++
	if c.held += len(b) - before; c.held >= writeBuffer {
		c.flush()
	}
}

// flush hands what is collected to the shuffle: a row a partition.
func (c *ChunkWriter) flush() {
	if c.held == 0 || c.t.Failed() {
		return
	}
	b := columnar.NewBuilder(types.Binary, len(c.parts))
	n := uint32(0)
	c.order = c.order[:0]
	for p, data := range c.parts {
		c.bounds[p] = n
		if len(data) > 0 {
			b.Append(data)
			c.order = append(c.order, n)
			n++
			c.parts[p] = data[:0]
		}
	}
	c.bounds[len(c.parts)] = n
	c.t.Metrics.ShuffleWrite.BytesWritten += int64(c.held)
	c.held = 0
	batch := &columnar.Batch{Schema: chunkSchema, N: int(n), Cols: []columnar.Vector{b.Finish()}}
	c.t.Fail(c.w.Write(c.t.ctx, batch, c.order, c.bounds))
}

// commit publishes the output, unless the task fails.
func (c *ChunkWriter) commit() {
	c.flush()
	if c.t.Err() != nil {
		return
	}
	st, err := c.w.Commit(c.t.ctx)
	c.status = st
	c.t.Fail(err)
}

// runFile is a spill file of chunks.
type runFile struct {
	f     *memory.SpillFile
	batch []byte
}

func (t *Task) newRunFile() (*runFile, error) {
	f, err := t.Env.Dirs.Spill()
	if err != nil {
		return nil, err
	}
	r := &runFile{f: f}
	t.OnClose(r.f.Close)
	return r, nil
}

// chunk writes one chunk.
func (r *runFile) chunk(data []byte) error {
	b := columnar.NewBuilder(types.Binary, 1)
	b.Append(data)
	return r.f.Write(&columnar.Batch{Schema: chunkSchema, N: 1, Cols: []columnar.Vector{b.Finish()}}, 0, 1)
}

// add collects an encoded record; end writes what is left and gives the position after it.
func (r *runFile) add(encode func([]byte) ([]byte, error)) error {
	var err error
	if r.batch, err = encode(r.batch); err != nil || len(r.batch) < chunkSize {
		return err
	}
	err = r.chunk(r.batch)
	r.batch = r.batch[:0]
	return err
}

func (r *runFile) end() (int64, error) {
	if len(r.batch) > 0 {
		if err := r.chunk(r.batch); err != nil {
			return 0, err
		}
		r.batch = r.batch[:0]
	}
	return r.f.Position()
}

// chunks reads the chunks between two positions, until io.EOF.
func (r *runFile) chunks(from, to int64) func() ([]byte, error) {
	in := r.f.Section(chunkSchema, from, to)
	var b *columnar.Batch
	i := 0
	return func() ([]byte, error) {
		for b == nil || i >= b.N {
			var err error
			if b, err = in.Next(); err != nil {
				return nil, err
			}
			i = 0
		}
		i++
		return b.Cols[0].Text(i - 1), nil
	}
}

// records reads the records of chunks, one by one; ok is false after the last and after a failure.
func records[T any](t *Task, c Codec[T], next func() ([]byte, error)) func() (v T, ok bool) {
	var chunk []byte
	return func() (v T, ok bool) {
		for len(chunk) == 0 {
			var err error
			if chunk, err = next(); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fail(err)
				}
				return v, false
			}
		}
		var err error
		if chunk, err = c.Read(chunk, &v); err != nil {
			t.Fail(err)
			return v, false
		}
		return v, true
	}
}
