// Package command executes the statements that act on the catalog and on the session: SHOW, DESCRIBE, CREATE, DROP, ALTER,
// USE, SET, INSERT and the like. What it cannot do itself (running queries, writing files, caching) it asks of an Env.
package command

import (
	"context"
	"fmt"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Result is what a command prints: rows of Go values as types/value.go says. Commands without output have no columns.
type Result struct {
	Schema *types.Schema
	Rows   [][]any
}

// Batch are the rows in columns.
func (r *Result) Batch() *columnar.Batch {
	b := &columnar.Batch{Schema: r.Schema, Cols: make([]columnar.Vector, len(r.Schema.Fields)), N: len(r.Rows)}
	for k, f := range r.Schema.Fields {
		c := columnar.NewBuilder(f.Type, len(r.Rows))
		for _, row := range r.Rows {
			c.Append(row[k])
		}
		b.Cols[k] = c.Finish()
	}
	return b
}

// Plan is a relation of the rows.
func (r *Result) Plan() *logical.LocalRelation {
	out := make([]*expr.Column, len(r.Schema.Fields))
	for i, f := range r.Schema.Fields {
		out[i] = &expr.Column{ID: expr.NextID(), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata}
	}
	return &logical.LocalRelation{Schema: r.Schema, Batches: []*columnar.Batch{r.Batch()}, Out: out}
}

// Env is what commands need of the session. All of it may be called from one goroutine only.
type Env interface {
	Catalog() *catalog.Session
	Conf() *conf.Conf
	FS() *vfs.Registry
	User() string
	Now() int64 // ms since the epoch

	// Analysis is the context in which this session's plans are resolved.
	Analysis(ctx context.Context) *analyzer.Context
	// Rows runs a resolved plan and returns its rows.
	Rows(ctx context.Context, p logical.Plan) ([][]any, error)
	// Write runs a resolved plan and writes its rows as files.
	Write(ctx context.Context, w *Write) (*Written, error)
	// Explain prints a parsed plan in a mode: simple, extended, codegen, cost, formatted.
	Explain(ctx context.Context, mode string, parsed logical.Plan) (string, error)
	// Do runs any parsed statement and returns its rows (EXECUTE IMMEDIATE).
	Do(ctx context.Context, p logical.Plan) (*Result, error)
	// Parse reads a statement.
	Parse(text string) (logical.Plan, error)

	// Cache keeps a resolved plan's rows under a display name, at its first use if lazy. Uncache forgets them and says whether
	// there were any; ClearCache forgets all. IsCached looks a resolved plan up.
	Cache(ctx context.Context, name string, p logical.Plan, lazy bool, options map[string]string) error
	Uncache(p logical.Plan) (bool, error)
	ClearCache() error
	IsCached(p logical.Plan) bool
	// Changed says that files of a table or below a path changed: what is cached of them is stale.
	Changed(location string)

	// AddResource ships files to the session's tasks; Resources lists them. Kind: file, jar, archive.
	AddResource(ctx context.Context, kind string, paths []string) error
	Resources(kind string) []string
}

// Write says what is written where. The plan's columns are those of the table in order, partition columns last.
type Write struct {
	Plan      logical.Plan
	Format    string
	Path      string
	Mode      logical.SaveMode
	Dynamic   bool              // Overwrite replaces the partitions that get rows only
	Static    map[string]string // Overwrite replaces the partitions with these values only
	Partition []string
	BucketBy  []string
	SortBy    []string
	Buckets   int
	Options   map[string]string
	Table     *catalog.Table // nil for plain paths
}

// Written is what a write did. Partitions are the values of the partitions that got files.
type Written struct {
	Rows, Bytes, Files int64
	Partitions         []catalog.Partition
}

// runner executes one command.
type runner struct {
	Env
	ctx context.Context
	cat *catalog.Session
}

// Run executes a command that analyzer.Analyze has seen.
func Run(ctx context.Context, env Env, c logical.Command) (*Result, error) {
	r := &runner{Env: env, ctx: ctx, cat: env.Catalog()}
	for _, f := range []func(logical.Command) (*Result, bool, error){r.show, r.describe, r.define, r.alter, r.sessionState, r.data} {
		out, done, err := f(c)
		if err != nil {
			return nil, err
		}
		if done {
			if out == nil {
				out = &Result{Schema: &types.Schema{}}
			}
			return out, nil
		}
	}
	return nil, sparkerr.Unsupported(fmt.Sprintf("command %T", c))
}

// text makes a schema of STRING columns that are never null, but for names that end in a question mark.
func text(names ...string) *types.Schema {
	s := &types.Schema{}
	for _, n := range names {
		null := false
		if n[len(n)-1] == '?' {
			n, null = n[:len(n)-1], true
		}
		s.Fields = append(s.Fields, types.Field{Name: n, Type: types.String, Nullable: null})
	}
	return s
}

// name evaluates the name of a command's target.
func (r *runner) name(t logical.Target) ([]string, error) {
	if t.NameExpr == nil {
		return t.Name, nil
	}
	return analyzer.Name(r.Analysis(r.ctx), t.NameExpr)
}

// searchPath is where unqualified names are looked up, as messages show it.
func (r *runner) searchPath() string {
	cat, db := r.cat.Current()
	return "[`system`.`builtin`, `system`.`session`, " + types.Quote(cat) + "." + types.Quote(db) + "]"
}

func quoteAll(parts []string) string {
	s := ""
	for i, p := range parts {
		if i > 0 {
			s += "."
		}
		s += types.Quote(p)
	}
	return s
}

func (r *runner) notFound(name []string, at *expr.Origin) error {
	e := sparkerr.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", quoteAll(name), "searchPath", r.searchPath())
	if at != nil {
		e = e.At(analyzer.Place(at))
	}
	return e
}

// table finds a table or view of a catalog; a temporary view comes back as view.
func (r *runner) table(t logical.Target) (p catalog.Place, table *catalog.Table, view *catalog.TempView, err error) {
	name, err := r.name(t)
	if err != nil {
		return p, nil, nil, err
	}
	return r.byName(name, t.At)
}

func (r *runner) byName(name []string, at *expr.Origin) (p catalog.Place, table *catalog.Table, view *catalog.TempView, err error) {
	view, table, err = r.cat.Relation(name, nil)
	switch {
	case err != nil:
	case table == nil && view == nil:
		err = r.notFound(name, at)
	case table != nil:
		p = catalog.Place{Catalog: table.Name[0], Database: table.Name[1], Name: table.Name[2]}
	}
	return p, table, view, err
}

// realTable finds a table that is no view; what names the statement in the error otherwise.
func (r *runner) realTable(t logical.Target, what string) (catalog.Place, *catalog.Table, error) {
	p, table, view, err := r.table(t)
	if err != nil {
		return p, nil, err
	}
	if view != nil {
		return p, nil, sparkerr.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", quoteAll(view.Name), "operation", what).At(analyzer.Place(t.At))
	}
	if table.Kind == "VIEW" {
		return p, nil, sparkerr.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", p.String(), "operation", what).At(analyzer.Place(t.At))
	}
	return p, table, nil
}
