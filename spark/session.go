package spark

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/types"
)

// Version is Firesteel's own version; SparkVersion the release of Spark whose semantics it has.
const (
	Version      = session.Version
	SparkVersion = session.SparkVersion
)

// Session is a SparkSession: the door to SQL, frames and datasets. Its methods may be called by several goroutines.
type Session struct {
	app *session.App
	s   *session.Session
	sc  *SparkContext
}

func newSession(app *session.App) *Session {
	s := &Session{app: app, s: app.NewSession()}
	s.sc = newContext(s)
	return s
}

// Over gives the session of an application that runs already; it is for the commands of this module.
func Over(app *session.App) *Session { return newSession(app) }

// NewSession is another session of the same application: settings and temporary views of its own.
func (s *Session) NewSession() *Session {
	return &Session{app: s.app, s: s.app.NewSession(), sc: s.sc}
}

// Stop ends the application: its jobs, executors and files.
func (s *Session) Stop(ctx context.Context) error {
	current.Lock()
	if current.s != nil && current.s.app == s.app {
		current.s = nil
	}
	current.Unlock()
	return errors.Join(s.sc.stop(), s.app.Close(ctx))
}

// SparkContext is the door to RDDs, broadcast variables and accumulators.
func (s *Session) SparkContext() *SparkContext { return s.sc }

// Version is the release of Spark whose semantics the session has.
func (s *Session) Version() string { return SparkVersion }

// SQL runs a statement. Queries run when an action on the frame asks for rows; commands run at once, and the frame has
// their rows. args bind the parameter markers: a map[string]any binds names, everything else goes by position.
func (s *Session) SQL(ctx context.Context, text string, args ...any) (*DataFrame, error) {
	p, err := s.s.Parse(text)
	if err != nil {
		return nil, err
	}
	if p, err = bound(p, args); err != nil {
		return nil, err
	}
	q, err := s.s.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	if _, ok := q.Plan().(logical.Command); !ok {
		return s.frame(p), nil
	}
	return s.done(ctx, q)
}

func bound(p logical.Plan, args []any) (logical.Plan, error) {
	if len(args) == 0 {
		return p, nil
	}
	out := &logical.WithParams{Child: p}
	for _, a := range args {
		named, ok := a.(map[string]any)
		if !ok {
			c := asColumn(a)
			if c.err != nil {
				return nil, c.err
			}
			out.Positional = append(out.Positional, c.e)
			continue
		}
		for k, v := range named {
			c := asColumn(v)
			if c.err != nil {
				return nil, c.err
			}
			if out.Named == nil {
				out.Named = map[string]expr.Expr{}
			}
			out.Named[k] = c.e
		}
	}
	return out, nil
}

// done does a command and makes a frame of what it printed.
func (s *Session) done(ctx context.Context, q *session.Query) (*DataFrame, error) {
	var batches []*columnar.Batch
	if err := q.Run(ctx, func(b *columnar.Batch) error { batches = append(batches, b.Clone()); return nil }); err != nil {
		return nil, err
	}
	schema := q.Schema()
	if schema == nil {
		schema = &types.Schema{}
	}
	return s.frame(&logical.LocalRelation{Schema: schema, Batches: batches}), nil
}

// do runs a command.
func (s *Session) do(ctx context.Context, p logical.Plan) (*DataFrame, error) {
	q, err := s.s.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.done(ctx, q)
}

var nextPlan atomic.Int64

// frame makes a frame of a plan. Its columns can be told from those of other frames by its number.
func (s *Session) frame(p logical.Plan) *DataFrame {
	id := nextPlan.Add(1)
	return &DataFrame{s: s, id: id, plan: &logical.PlanID{ID: id, Child: p}}
}

func (s *Session) failed(err error) *DataFrame { return &DataFrame{s: s, err: err} }

// Table is a table or view by name.
func (s *Session) Table(name string) *DataFrame {
	parts, err := identifier(name)
	if err != nil {
		return s.failed(err)
	}
	return s.frame(&logical.UnresolvedRelation{Name: parts})
}

// Range is a frame of a BIGINT column id from start to end, without end.
func (s *Session) Range(start, end int64) *DataFrame { return s.RangeBy(start, end, 1, 0) }

// RangeBy is Range in steps, in so many partitions (0: as many as there are task slots).
func (s *Session) RangeBy(start, end, step int64, partitions int) *DataFrame {
	if step == 0 {
		return s.failed(fmt.Errorf("spark: the step of a range cannot be 0"))
	}
	return s.frame(&logical.Range{Start: start, End: end, Step: step, Partitions: partitions})
}

// EmptyDataFrame has no rows and no columns.
func (s *Session) EmptyDataFrame() *DataFrame {
	return s.frame(&logical.LocalRelation{Schema: &types.Schema{}})
}

// CreateDataFrame makes a frame of Go values: a slice of structs (see As for how fields become columns), of maps or
// other values with a Spark type (column value), or of rows with the schema of the first.
func (s *Session) CreateDataFrame(data any) *DataFrame {
	if rows, ok := data.([]Row); ok {
		return s.rowsOf(rows)
	}
	v := reflect.ValueOf(data)
	if !v.IsValid() || v.Kind() != reflect.Slice {
		return s.failed(fmt.Errorf("spark: CreateDataFrame takes a slice, not a %T", data))
	}
	enc, err := encoderFor(v.Type().Elem())
	if err != nil {
		return s.failed(fmt.Errorf("spark: CreateDataFrame: %w", err))
	}
	schema := enc.schema()
	b := newBatchBuilder(schema, v.Len())
	for i := range v.Len() {
		if err := b.add(enc, v.Index(i)); err != nil {
			return s.failed(fmt.Errorf("spark: row %d: %w", i, err))
		}
	}
	return s.frame(&logical.LocalRelation{Schema: schema, Batches: b.finish()})
}

func (s *Session) rowsOf(rows []Row) *DataFrame {
	if len(rows) == 0 {
		return s.failed(fmt.Errorf("spark: no rows to take the schema from; use CreateDataFrameOf"))
	}
	schema := &types.Schema{}
	for i, f := range rows[0].schema.Fields {
		t := types.Null
		for _, r := range rows {
			if i >= len(r.values) || r.values[i] == nil {
				continue
			}
			_, lt, err := literalOf(r.values[i])
			if err != nil {
				return s.failed(err)
			}
			if wide, ok := types.WiderOf([]types.Type{t, lt}); ok {
				t = wide
			} else {
				return s.failed(fmt.Errorf("spark: column %s has values of type %s and of type %s", f.Name, t, lt))
			}
		}
		schema.Fields = append(schema.Fields, types.Field{Name: f.Name, Type: t, Nullable: true})
	}
	return s.CreateDataFrameOf(rows, schema)
}

// literalOf is literal with the column type of a whole number, which is BIGINT for an int.
func literalOf(v any) (any, types.Type, error) {
	if n, ok := v.(int); ok {
		v = int64(n)
	}
	return literal(v)
}

// CreateDataFrameOf makes a frame of rows with a schema. Values must be of their columns' types; numbers may be of any Go
// kind that fits.
func (s *Session) CreateDataFrameOf(rows []Row, schema *StructType) *DataFrame {
	b := newBatchBuilder(schema, len(rows))
	for i, r := range rows {
		v, err := toStruct(r.values, schema.Type())
		if err != nil {
			return s.failed(fmt.Errorf("spark: row %d: %w", i, err))
		}
		b.append(v.([]any))
	}
	return s.frame(&logical.LocalRelation{Schema: schema, Batches: b.finish()})
}

// batchBuilder collects rows in batches.
type batchBuilder struct {
	schema  *types.Schema
	batches []*columnar.Batch
	cols    []*columnar.Builder
	n, left int
}

// batchRows is how many rows a batch of local data has.
const batchRows = 4096

func newBatchBuilder(s *types.Schema, rows int) *batchBuilder {
	return &batchBuilder{schema: s, left: rows}
}

// add appends a value: a struct gives a row, everything else the row's only column.
func (b *batchBuilder) add(enc *encoder, v reflect.Value) error {
	x, err := enc.toSpark(v)
	if err != nil {
		return err
	}
	if enc.t.Kind == types.StructKind {
		row, ok := x.([]any)
		if !ok {
			return fmt.Errorf("a nil %s is no row", enc.goType)
		}
		b.append(row)
		return nil
	}
	b.append([]any{x})
	return nil
}

func (b *batchBuilder) append(row []any) {
	if b.cols == nil {
		n := min(batchRows, max(b.left, 1))
		for _, f := range b.schema.Fields {
			b.cols = append(b.cols, columnar.NewBuilder(f.Type, n))
		}
	}
	for i, c := range b.cols {
		c.Append(row[i])
	}
	b.n++
	if b.left--; b.n == batchRows {
		b.flush()
	}
}

func (b *batchBuilder) flush() {
	if b.n == 0 {
		return
	}
	out := &columnar.Batch{Schema: b.schema, N: b.n}
	for _, c := range b.cols {
		out.Cols = append(out.Cols, c.Finish())
	}
	b.batches, b.cols, b.n = append(b.batches, out), nil, 0
}

func (b *batchBuilder) finish() []*columnar.Batch { b.flush(); return b.batches }

// schema are the columns of a frame of the encoder's values.
func (e *encoder) schema() *types.Schema {
	if e.t.Kind == types.StructKind {
		return types.NewSchema(e.t.Fields()...)
	}
	return types.NewSchema(types.Field{Name: "value", Type: e.t, Nullable: e.nullable})
}

// zone is the session time zone.
func (s *Session) zone() *time.Location {
	loc, ok := types.Zone(s.s.Conf().Values().String("spark.sql.session.timeZone"))
	if !ok {
		return time.UTC
	}
	return loc
}

// Conf are the session's settings.
func (s *Session) Conf() RuntimeConfig { return RuntimeConfig{s.s.Conf()} }

func (s *Session) apply(given map[string]string) error {
	for k, v := range given {
		if k == "spark.master" || k == "spark.app.name" {
			continue
		}
		if err := s.s.Conf().Set(k, v); err != nil && !isStatic(err) {
			return err
		}
	}
	return nil
}
