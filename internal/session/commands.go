package session

import (
	"context"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/command"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// do does the command once and remembers what it printed.
func (q *Query) do(ctx context.Context) (*command.Result, error) {
	if q.result == nil {
		end := q.q.openSQL(commandName(q.command))
		res, err := command.Run(ctx, &commandEnv{q.q}, q.command)
		if end(err); err != nil {
			return nil, err
		}
		q.result = res
	}
	return q.result, nil
}

// runCommand does a command; what it prints goes to sink.
func (q *Query) runCommand(ctx context.Context, sink func(*columnar.Batch) error) error {
	res, err := q.do(ctx)
	if err != nil {
		return err
	}
	if b := res.Batch(); b.N > 0 {
		return sink(b)
	}
	return nil
}

// commandEnv is the session as commands see it.
type commandEnv struct{ q *query }

func (e *commandEnv) Catalog() *catalog.Session { return e.q.s.catalog }
func (e *commandEnv) Conf() *conf.Conf          { return e.q.s.conf }
func (e *commandEnv) FS() *vfs.Registry         { return e.q.s.app.fs }
func (e *commandEnv) User() string              { return e.q.s.user }
func (e *commandEnv) Now() int64                { return e.q.kernel.Now / 1000 }

func (e *commandEnv) Analysis(ctx context.Context) *analyzer.Context { return e.q.analysis(ctx) }

func (e *commandEnv) Parse(text string) (logical.Plan, error) { return e.q.s.Parse(text) }

func (e *commandEnv) Rows(ctx context.Context, p logical.Plan) ([][]any, error) {
	var rows [][]any
	err := e.q.run(ctx, p, func(b *columnar.Batch) error {
		for i := range b.N {
			row := make([]any, len(b.Cols))
			for c := range b.Cols {
				row[c] = b.Cols[c].ValueAt(i)
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func (e *commandEnv) Write(ctx context.Context, w *command.Write) (*command.Written, error) {
	return e.q.write(ctx, w)
}

func (e *commandEnv) Explain(ctx context.Context, mode string, parsed logical.Plan) (string, error) {
	q, err := e.q.s.Prepare(ctx, parsed)
	if err != nil {
		return "", err
	}
	return q.Explain(mode)
}

func (e *commandEnv) Do(ctx context.Context, p logical.Plan) (*command.Result, error) {
	q, err := e.q.s.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	if q.command != nil {
		return q.do(ctx)
	}
	rows, err := e.Rows(ctx, q.plan)
	return &command.Result{Schema: q.Schema(), Rows: rows}, err
}

func (e *commandEnv) Cache(ctx context.Context, name string, p logical.Plan, lazy bool, options map[string]string) error {
	level := "MEMORY_AND_DISK"
	for k, v := range options {
		if strings.EqualFold(k, "storageLevel") {
			level = strings.ToUpper(v)
		}
	}
	if !slices.Contains(storageLevels, level) {
		return sparkerr.IllegalArgument("Invalid StorageLevel: " + level)
	}
	entry, _ := e.q.s.app.cache.add(name, level, p)
	if lazy {
		return nil
	}
	return e.q.s.app.cache.fillNow(ctx, e.q, entry)
}

func (e *commandEnv) Uncache(p logical.Plan) (bool, error) { return e.q.s.app.cache.remove(p) }
func (e *commandEnv) ClearCache() error                    { return e.q.s.app.cache.clear() }
func (e *commandEnv) IsCached(p logical.Plan) bool         { return e.q.s.app.cache.find(p) != nil }
func (e *commandEnv) Changed(location string)              { e.q.s.app.cache.changed(location) }

// Persist caches the query's rows at a storage level; Unpersist forgets them; StorageLevel is NONE when they are not cached.
func (q *Query) Persist(level string) error {
	q.q.s.app.cache.add("", level, q.plan)
	return nil
}

func (q *Query) Unpersist(bool) error {
	_, err := q.q.s.app.cache.remove(q.plan)
	return err
}

func (q *Query) StorageLevel() string {
	if e := q.q.s.app.cache.find(q.plan); e != nil {
		return e.level
	}
	return "NONE"
}

// Hash and SameAs compare queries by what they compute.
func (q *Query) Hash() int32 { return logical.Hash(q.plan) }

func (q *Query) sameAs(o *Query) bool { return logical.Canonical(q.plan) == logical.Canonical(o.plan) }

// SameResult says whether two queries compute the same.
func SameResult(a, b *Query) bool { return a.sameAs(b) }

// InputFiles lists the files that the query reads.
func (q *Query) InputFiles() ([]string, error) {
	var files []string
	seen := map[string]bool{}
	logical.Walk(q.plan, func(p logical.Plan) bool {
		if r, ok := p.(*logical.Relation); ok && r.Table.Relation != nil {
			for _, f := range r.Table.Relation.Files() {
				if !seen[f] {
					seen[f] = true
					files = append(files, f)
				}
			}
		}
		return true
	})
	return files, nil
}

// Local says whether the query needs no task, Streaming whether it reads a stream.
func (q *Query) Local() bool {
	_, ok := q.plan.(*logical.LocalRelation)
	return ok || q.command != nil
}

func (q *Query) Streaming() bool { return false }
