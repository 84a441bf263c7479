package session

import (
	"context"
	"errors"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/command"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// writePlan is the top of a plan whose rows are written by an open job. Its rows are the tasks' commit messages.
type writePlan struct {
	child logical.Plan
	job   *source.WriteJob
}

func (p *writePlan) IsPlan()                                    {}
func (p *writePlan) Children() []logical.Plan                   { return []logical.Plan{p.child} }
func (p *writePlan) WithChildren(c []logical.Plan) logical.Plan { return &writePlan{c[0], p.job} }
func (p *writePlan) Exprs() []expr.Expr                         { return nil }
func (p *writePlan) WithExprs([]expr.Expr) logical.Plan         { return p }
func (p *writePlan) Output() []*expr.Column                     { return nil }

// planWrite plans a write on top of its child's plan.
func (q *query) planWrite(pl *physical.Planner, w *writePlan) (physical.Plan, error) {
	child, err := pl.Child(w.child)
	if err != nil {
		return nil, err
	}
	return &physical.WriteFiles{Writer: w.job, Format: w.job.Spec.Format, Path: w.job.Spec.Path, Child: child}, nil
}

// write runs a plan and commits what its tasks wrote; when anything fails, nothing is seen of it.
func (q *query) write(ctx context.Context, w *command.Write) (*command.Written, error) {
	if w.Buckets > 0 && w.Table == nil {
		return nil, sparkerr.Unsupported("bucketBy with save to a path")
	}
	spec := source.WriteSpec{
		Format: w.Format, Path: w.Path, Schema: schemaOf(w.Plan.Output()), Partition: w.Partition, Dynamic: w.Dynamic,
		Mode: source.SaveMode(w.Mode), Options: w.Options, Static: staticDirs(w),
	}
	job, err := source.NewWriteJob(ctx, spec, q.src)
	if err != nil {
		return nil, err
	}
	if job.Skip {
		return &command.Written{}, nil
	}
	msgs, err := q.runWrite(ctx, w.Plan, job)
	if err == nil {
		err = job.Commit(ctx, msgs, q.src)
	}
	if err != nil {
		return nil, errors.Join(err, job.Abort(context.WithoutCancel(ctx), q.src))
	}
	return written(msgs, w.Partition), nil
}

// staticDirs are the directories of constant partition values, in the order of the partition columns.
func staticDirs(w *command.Write) []string {
	var out []string
	for _, name := range w.Partition {
		v, ok := w.Static[name]
		if !ok {
			break
		}
		out = append(out, name+"="+v)
	}
	return out
}

func (q *query) runWrite(ctx context.Context, p logical.Plan, job *source.WriteJob) ([]source.CommitMessage, error) {
	var msgs []source.CommitMessage
	err := q.run(ctx, &writePlan{p, job}, func(b *columnar.Batch) error {
		for i := range b.N {
			m, err := source.DecodeCommitMessage(string(b.Cols[0].Text(i)))
			if err != nil {
				return err
			}
			msgs = append(msgs, m)
		}
		return nil
	})
	return msgs, err
}

// written sums up the messages; partition directories become values.
func written(msgs []source.CommitMessage, columns []string) *command.Written {
	out := &command.Written{}
	seen := map[string]bool{}
	for _, m := range msgs {
		out.Rows, out.Bytes, out.Files = out.Rows+m.Rows, out.Bytes+m.Bytes, out.Files+int64(len(m.Files))
		for _, dir := range m.Partitions {
			if seen[dir] {
				continue
			}
			seen[dir] = true
			p := catalog.Partition{}
			for _, part := range strings.Split(dir, "/") {
				_, v, _ := strings.Cut(part, "=")
				text, null := source.PartitionValue(v)
				p.Values, p.Null = append(p.Values, text), append(p.Null, null)
			}
			if len(p.Values) == len(columns) {
				out.Partitions = append(out.Partitions, p)
			}
		}
	}
	return out
}
