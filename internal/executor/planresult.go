package executor

import (
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/wire"
)

// maxInline is the size up to which a task's result travels with its report (as spark.task.maxDirectResultSize).
const maxInline = 1 << 20

// resultWriter encodes a task's rows: in memory while they are few, into the executor's store from then on.
type resultWriter struct {
	env  *Env
	name string
	enc  frame.Encoder
	buf  []byte
	out  io.WriteCloser // of the store
	size int64
}

func (r *resultWriter) write(b *columnar.Batch) error {
	r.buf = wire.AppendFrames(r.buf, &r.enc, b)
	if len(r.buf) <= maxInline {
		return nil
	}
	return r.spill()
}

func (r *resultWriter) spill() (err error) {
	if r.out == nil {
		if r.out, err = r.env.Store(r.name); err != nil {
			return err
		}
	}
	n, err := r.out.Write(r.buf)
	r.size += int64(n)
	r.buf = r.buf[:0]
	return err
}

// finish puts the result, or where it is, into the outcome.
func (r *resultWriter) finish(out *wire.Outcome) error {
	if r.out == nil {
		out.Result, out.ResultSize = r.buf, int64(len(r.buf))
		return nil
	}
	err := r.spill()
	err = errors.Join(err, r.out.Close())
	r.out = nil
	out.Stored, out.ResultSize = r.name, r.size
	return err
}

// abort gives up what was stored.
func (r *resultWriter) abort() {
	if a, ok := r.out.(interface{ Abort() error }); ok {
		_ = a.Abort() // the task fails with an error of its own
	} else if r.out != nil {
		_ = r.out.Close()
	}
	r.out = nil
}
