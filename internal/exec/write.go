package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// writeFiles writes its input as one task attempt of a write job. Its one row is the commit message
// (source.CommitMessage, encoded), for the driver to commit the job with.
type writeFiles struct {
	p      *physical.WriteFiles
	child  Operator
	t      *Task
	w      *source.TaskWriter
	done   bool
	result columnar.Batch
}

// CommitSchema is the schema of a WriteFiles' row: source.CommitMessage as text.
var CommitSchema = types.NewSchema(types.Field{Name: "message", Type: types.String})

func newWriteFiles(p *physical.WriteFiles, env *Env) (Operator, error) {
	if _, ok := p.Writer.(*source.WriteJob); !ok {
		return nil, sparkerr.Internal("a write to %s has no job", p.Path)
	}
	child, err := Build(p.Child, env)
	return &writeFiles{p: p, child: child}, err
}

func (o *writeFiles) Schema() *types.Schema { return CommitSchema }

func (o *writeFiles) Open(ctx context.Context, t *Task) error {
	o.t = t
	return o.child.Open(ctx, t)
}

func (o *writeFiles) Next(ctx context.Context) (*columnar.Batch, error) {
	if o.done {
		return nil, io.EOF
	}
	o.done = true
	job := o.p.Writer.(*source.WriteJob)
	w, err := job.TaskWriter(ctx, o.t.Partition, o.t.Attempt, o.t.Source)
	if err != nil {
		return nil, err
	}
	o.w = w
	for {
		b, err := o.child.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := w.Write(ctx, b); err != nil {
			return nil, err
		}
	}
	return o.commit(ctx)
}

// commit asks for leave and commits the attempt.
func (o *writeFiles) commit(ctx context.Context) (*columnar.Batch, error) {
	if o.t.MayCommit != nil {
		if err := o.t.MayCommit(ctx); err != nil {
			return nil, err
		}
	}
	msg, err := o.w.Commit(ctx)
	if err != nil {
		return nil, err
	}
	o.w = nil
	if o.t.Metrics != nil {
		o.t.Metrics.Task.Output.RecordsWritten += msg.Rows
		o.t.Metrics.Task.Output.BytesWritten += msg.Bytes
	}
	v := columnar.NewBuilder(types.String, 1)
	v.Append(msg.Encode())
	o.result = columnar.Batch{Schema: CommitSchema, N: 1, Cols: []columnar.Vector{v.Finish()}}
	return &o.result, nil
}

// Close aborts an attempt that was not committed.
func (o *writeFiles) Close() error {
	var err error
	if o.w != nil {
		err = o.w.Abort(context.Background()) // the task's own context may be cancelled already
		o.w = nil
	}
	return errors.Join(err, o.child.Close())
}
