package spark

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// DataFrame is a query that has not run: rows of columns by name. It never changes; methods give new frames. See the
// package comment for errors.
type DataFrame struct {
	s    *Session
	id   int64
	plan logical.Plan
	err  error
}

// Err is the first error that the frame carries; it does not look at what only the analyzer knows (see Schema).
func (d *DataFrame) Err() error { return d.err }

// Session is the frame's session.
func (d *DataFrame) Session() *Session { return d.s }

// Col is a column of this frame, even where another frame has one of the same name.
func (d *DataFrame) Col(name string) Column {
	if name == "*" {
		return Column{e: &expr.Star{PlanID: d.id}}
	}
	parts, err := sqlparser.ParseAttribute(name)
	return Column{e: &expr.Attribute{Name: parts, PlanID: d.id}, err: firstError(d.err, err)}
}

// over puts a node over the frame's plan.
func (d *DataFrame) over(err error, node func(p logical.Plan) logical.Plan) *DataFrame {
	if err = firstError(d.err, err); err != nil {
		return &DataFrame{s: d.s, err: err}
	}
	return d.s.frame(node(d.plan))
}

// Select computes columns.
func (d *DataFrame) Select(cols ...Column) *DataFrame {
	list, err := lowered(cols)
	return d.over(err, func(p logical.Plan) logical.Plan { return &logical.Project{List: list, Child: p} })
}

// SelectExpr computes columns in SQL: SelectExpr("a", "a + 1 AS b").
func (d *DataFrame) SelectExpr(exprs ...string) *DataFrame {
	cols := make([]Column, len(exprs))
	for i, t := range exprs {
		cols[i] = d.s.expr(t)
	}
	return d.Select(cols...)
}

// expr reads an expression under the session's settings.
func (s *Session) expr(text string) Column {
	e, err := s.s.ParseExpression(text)
	return Column{e: e, err: err}
}

// Filter keeps the rows for which a condition holds.
func (d *DataFrame) Filter(cond Column) *DataFrame {
	list, err := lowered([]Column{cond})
	return d.over(err, func(p logical.Plan) logical.Plan { return &logical.Filter{Cond: list[0], Child: p} })
}

// Where is Filter with a condition in SQL.
func (d *DataFrame) Where(cond string) *DataFrame {
	if d.err != nil {
		return d
	}
	return d.Filter(d.s.expr(cond))
}

// OrderBy sorts all rows; columns may say Asc or Desc.
func (d *DataFrame) OrderBy(cols ...Column) *DataFrame { return d.sort(true, cols) }

// Sort is OrderBy.
func (d *DataFrame) Sort(cols ...Column) *DataFrame { return d.sort(true, cols) }

// SortWithinPartitions sorts each partition for itself.
func (d *DataFrame) SortWithinPartitions(cols ...Column) *DataFrame { return d.sort(false, cols) }

func (d *DataFrame) sort(global bool, cols []Column) *DataFrame {
	order, err := sorted(cols)
	return d.over(err, func(p logical.Plan) logical.Plan { return &logical.Sort{Order: order, Global: global, Child: p} })
}

func number(n int) expr.Expr { return expr.NewLiteral(int32(n), types.Int) }

// Limit keeps at most n rows.
func (d *DataFrame) Limit(n int) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.Limit{N: number(n), Child: p} })
}

// Offset leaves out the first n rows.
func (d *DataFrame) Offset(n int) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.Offset{N: number(n), Child: p} })
}

// WithColumn adds or replaces a column.
func (d *DataFrame) WithColumn(name string, c Column) *DataFrame {
	c = asColumn(c)
	return d.over(c.err, func(p logical.Plan) logical.Plan {
		return logical.NewUnary(logical.WithColumns{Columns: []*expr.Alias{expr.NewAlias(c.e, name)}}, p)
	})
}

// WithColumnRenamed renames a column; there is nothing to do if it does not exist.
func (d *DataFrame) WithColumnRenamed(from, to string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan {
		return logical.NewUnary(logical.WithColumnsRenamed{From: []string{from}, To: []string{to}}, p)
	})
}

// ToDF renames all columns.
func (d *DataFrame) ToDF(names ...string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return logical.NewUnary(logical.ToDF{Names: names}, p) })
}

// Drop leaves out columns by name; names that do not exist do no harm.
func (d *DataFrame) Drop(names ...string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return logical.NewUnary(logical.DropColumns{Names: names}, p) })
}

// DropColumn leaves out a column, such as one of two frames that were joined.
func (d *DataFrame) DropColumn(c Column) *DataFrame {
	list, err := lowered([]Column{c})
	return d.over(err, func(p logical.Plan) logical.Plan { return logical.NewUnary(logical.DropColumns{Columns: list}, p) })
}

// Distinct keeps one of equal rows.
func (d *DataFrame) Distinct() *DataFrame { return d.DropDuplicates() }

// DropDuplicates keeps one of the rows that are equal in the columns; without columns, in all.
func (d *DataFrame) DropDuplicates(names ...string) *DataFrame {
	var keys []expr.Expr
	for _, n := range names {
		keys = append(keys, &expr.Attribute{Name: []string{n}})
	}
	return d.over(nil, func(p logical.Plan) logical.Plan {
		return &logical.Deduplicate{Keys: keys, AllColumns: len(keys) == 0, Child: p}
	})
}

// As gives the frame a name by which its columns can be qualified.
func (d *DataFrame) As(name string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.SubqueryAlias{Name: []string{name}, Child: p} })
}

// Sample keeps a share of the rows, chosen by a seed.
func (d *DataFrame) Sample(withReplacement bool, fraction float64, seed int64) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan {
		return &logical.Sample{Upper: fraction, WithReplacement: withReplacement, Seed: seed, HasSeed: true, Child: p}
	})
}

// Hint gives the optimizer a hint, such as broadcast.
func (d *DataFrame) Hint(name string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.Hint{Name: strings.ToUpper(name), Child: p} })
}

// Repartition spreads the rows over n partitions (0: the default), by the columns' values if there are some.
func (d *DataFrame) Repartition(n int, by ...Column) *DataFrame {
	list, err := lowered(by)
	return d.over(err, func(p logical.Plan) logical.Plan {
		return &logical.Repartition{N: n, Shuffle: true, By: list, Child: p}
	})
}

// RepartitionByRange spreads the rows over n partitions by ranges of the columns.
func (d *DataFrame) RepartitionByRange(n int, by ...Column) *DataFrame {
	order, err := sorted(by)
	list := make([]expr.Expr, len(order))
	for i := range order {
		list[i] = &order[i]
	}
	return d.over(err, func(p logical.Plan) logical.Plan {
		return &logical.Repartition{N: n, Shuffle: true, By: list, Range: true, Child: p}
	})
}

// Coalesce joins partitions until there are at most n.
func (d *DataFrame) Coalesce(n int) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.Repartition{N: n, Child: p} })
}

// Union is all rows of both frames, columns by position.
func (d *DataFrame) Union(o *DataFrame) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Union, All: true})
}

// UnionByName is all rows of both frames, columns by name; with allowMissing, columns that one lacks are null there.
func (d *DataFrame) UnionByName(o *DataFrame, allowMissing bool) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Union, All: true, ByName: true, AllowMissing: allowMissing})
}

// Intersect is the distinct rows that both frames have.
func (d *DataFrame) Intersect(o *DataFrame) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Intersect})
}

// IntersectAll is Intersect that counts equal rows.
func (d *DataFrame) IntersectAll(o *DataFrame) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Intersect, All: true})
}

// Except is the distinct rows of this frame that the other has not.
func (d *DataFrame) Except(o *DataFrame) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Except})
}

// ExceptAll is Except that counts equal rows.
func (d *DataFrame) ExceptAll(o *DataFrame) *DataFrame {
	return d.set(o, logical.SetOp{Kind: logical.Except, All: true})
}

func (d *DataFrame) set(o *DataFrame, op logical.SetOp) *DataFrame {
	return d.over(o.err, func(p logical.Plan) logical.Plan {
		op.Inputs = []logical.Plan{p, o.plan}
		return &op
	})
}

// JoinType is the way a join combines rows: one of Spark's names.
type JoinType string

// The join types.
const (
	Inner      JoinType = "inner"
	Cross      JoinType = "cross"
	FullOuter  JoinType = "full_outer"
	LeftOuter  JoinType = "left_outer"
	RightOuter JoinType = "right_outer"
	LeftSemi   JoinType = "left_semi"
	LeftAnti   JoinType = "left_anti"
)

var joinKinds = map[string]logical.JoinKind{
	"inner": logical.InnerJoin, "cross": logical.CrossJoin, "outer": logical.FullJoin, "full": logical.FullJoin, "fullouter": logical.FullJoin,
	"left": logical.LeftJoin, "leftouter": logical.LeftJoin, "right": logical.RightJoin, "rightouter": logical.RightJoin,
	"semi": logical.SemiJoin, "leftsemi": logical.SemiJoin, "anti": logical.AntiJoin, "leftanti": logical.AntiJoin,
}

// Join combines the rows of two frames for which a condition holds.
func (d *DataFrame) Join(o *DataFrame, on Column, how JoinType) *DataFrame {
	list, err := lowered([]Column{on})
	if err != nil {
		return d.s.failed(err)
	}
	return d.join(o, how, logical.Join{Cond: list[0]})
}

// JoinUsing combines the rows that are equal in columns of the same name; the columns appear once.
func (d *DataFrame) JoinUsing(o *DataFrame, columns []string, how JoinType) *DataFrame {
	return d.join(o, how, logical.Join{Using: columns})
}

// CrossJoin combines every row with every row.
func (d *DataFrame) CrossJoin(o *DataFrame) *DataFrame { return d.join(o, Cross, logical.Join{}) }

func (d *DataFrame) join(o *DataFrame, how JoinType, j logical.Join) *DataFrame {
	kind, ok := joinKinds[strings.ReplaceAll(strings.ToLower(string(how)), "_", "")]
	var err error
	if !ok {
		err = fmt.Errorf("spark: there is no join type %q", how)
	}
	return d.over(firstError(o.err, err), func(p logical.Plan) logical.Plan {
		j.Left, j.Right, j.Kind = p, o.plan, kind
		return &j
	})
}

// FillNA replaces nulls (and NaN) of columns whose type suits a value; without columns, of all.
func (d *DataFrame) FillNA(value any, columns ...string) *DataFrame {
	v, t, err := literal(value)
	return d.over(err, func(p logical.Plan) logical.Plan {
		return logical.NewUnary(logical.FillNA{Columns: columns, Values: []*expr.Literal{expr.NewLiteral(v, t)}}, p)
	})
}

// DropNA leaves out rows with a null (or NaN) in one of the columns; without columns, in any.
func (d *DataFrame) DropNA(columns ...string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan { return logical.NewUnary(logical.DropNA{Columns: columns}, p) })
}

// Describe gives count, mean, stddev, min and max of columns; without columns, of all that are numbers or text.
func (d *DataFrame) Describe(columns ...string) *DataFrame {
	return d.over(nil, func(p logical.Plan) logical.Plan {
		return logical.NewUnary(logical.Summary{Columns: columns, Statistics: []string{"count", "mean", "stddev", "min", "max"}}, p)
	})
}

// prepare resolves the plan.
func (d *DataFrame) prepare(ctx context.Context) (*session.Query, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.s.s.Prepare(ctx, d.plan)
}

// Schema are the frame's columns.
func (d *DataFrame) Schema() (*StructType, error) {
	q, err := d.prepare(context.Background())
	if err != nil {
		return nil, err
	}
	return q.Schema(), nil
}

// Columns are the names of the columns.
func (d *DataFrame) Columns() ([]string, error) {
	s, err := d.Schema()
	if err != nil {
		return nil, err
	}
	return s.Names(), nil
}

// PrintSchema prints the columns as a tree.
func (d *DataFrame) PrintSchema() error {
	s, err := d.Schema()
	if err == nil {
		_, err = io.WriteString(os.Stdout, show.Tree(s, 0)+"\n")
	}
	return err
}

// Explain prints the plans. Mode: simple, extended, codegen, cost, formatted.
func (d *DataFrame) Explain(ctx context.Context, mode string) error {
	text, err := d.ExplainString(ctx, mode)
	if err == nil {
		_, err = fmt.Println(text)
	}
	return err
}

// ExplainString is what Explain prints.
func (d *DataFrame) ExplainString(ctx context.Context, mode string) (string, error) {
	q, err := d.prepare(ctx)
	if err != nil {
		return "", err
	}
	return q.Explain(mode)
}

// run executes the query; batches are borrowed.
func (d *DataFrame) run(ctx context.Context, sink func(*types.Schema, *columnar.Batch) error) error {
	q, err := d.prepare(ctx)
	if err != nil {
		return err
	}
	s := q.Schema()
	return q.Run(ctx, func(b *columnar.Batch) error { return sink(s, b) })
}

// Collect gives all rows.
func (d *DataFrame) Collect(ctx context.Context) ([]Row, error) {
	var out []Row
	zone := d.s.sessionZone()
	err := d.run(ctx, func(s *types.Schema, b *columnar.Batch) error {
		for i := range b.N {
			out = append(out, rowAt(s, b, i, zone))
		}
		return nil
	})
	return out, err
}

// Rows gives the rows one after the other while the query runs; it ends with an error if the query does.
func (d *DataFrame) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if d.err != nil {
			yield(Row{}, d.err)
			return
		}
		zone := d.s.sessionZone()
		enough := false
		err := d.run(ctx, func(s *types.Schema, b *columnar.Batch) error {
			for i := range b.N {
				if !yield(rowAt(s, b, i, zone), nil) {
					enough = true
					return errEnough
				}
			}
			return nil
		})
		if err != nil && !enough {
			yield(Row{}, err)
		}
	}
}

// Count is the number of rows.
func (d *DataFrame) Count(ctx context.Context) (int64, error) {
	rows, err := d.GroupBy().Agg(Fn("count", Lit(1)).As("count")).Collect(ctx)
	if err != nil {
		return 0, err
	}
	return rows[0].Get(0).(int64), nil
}

// Head gives the first n rows.
func (d *DataFrame) Head(ctx context.Context, n int) ([]Row, error) { return d.Limit(n).Collect(ctx) }

// Take is Head.
func (d *DataFrame) Take(ctx context.Context, n int) ([]Row, error) { return d.Head(ctx, n) }

// Tail gives the last n rows.
func (d *DataFrame) Tail(ctx context.Context, n int) ([]Row, error) {
	return d.over(nil, func(p logical.Plan) logical.Plan { return &logical.Tail{N: number(n), Child: p} }).Collect(ctx)
}

// First is the first row; an error if there is none.
func (d *DataFrame) First(ctx context.Context) (Row, error) {
	rows, err := d.Head(ctx, 1)
	if err == nil && len(rows) == 0 {
		err = ErrEmpty
	}
	if err != nil {
		return Row{}, err
	}
	return rows[0], nil
}

// IsEmpty says whether there is no row.
func (d *DataFrame) IsEmpty(ctx context.Context) (bool, error) {
	rows, err := d.Head(ctx, 1)
	return len(rows) == 0, err
}

// ShowOptions say how Show prints: how long a cell may be (0: no limit), and whether a row takes a line for each column.
type ShowOptions struct {
	Truncate int
	Vertical bool
}

// Show prints the first n rows as a table, cells cut to 20 characters.
func (d *DataFrame) Show(ctx context.Context, n int) error {
	return d.ShowWith(ctx, n, ShowOptions{Truncate: 20})
}

// ShowWith is Show with options.
func (d *DataFrame) ShowWith(ctx context.Context, n int, o ShowOptions) error {
	text, err := d.ShowString(ctx, n, o)
	if err == nil {
		_, err = fmt.Println(text)
	}
	return err
}

// ShowString is what Show prints.
func (d *DataFrame) ShowString(ctx context.Context, n int, o ShowOptions) (string, error) {
	var batches []*columnar.Batch
	top := d.Limit(n + 1)
	schema, err := d.Schema()
	if err != nil {
		return "", err
	}
	if err := top.run(ctx, func(_ *types.Schema, b *columnar.Batch) error { batches = append(batches, b.Clone()); return nil }); err != nil {
		return "", err
	}
	f := &show.Format{Zone: d.s.sessionZone(), BinaryStyle: d.s.s.Conf().Values().String("spark.sql.binaryOutputStyle")}
	return f.Text(schema.Names(), batches, show.Options{Rows: n, Truncate: o.Truncate, Vertical: o.Vertical}), nil
}

// Cache keeps the rows in memory, and on disk what does not fit, when they are first computed.
func (d *DataFrame) Cache() *DataFrame { return d.Persist(MemoryAndDisk) }

// Persist is Cache at a storage level.
func (d *DataFrame) Persist(level StorageLevel) *DataFrame {
	q, err := d.prepare(context.Background())
	if err == nil {
		err = q.Persist(string(level))
	}
	if err != nil {
		return d.s.failed(err)
	}
	return d
}

// Unpersist forgets the kept rows.
func (d *DataFrame) Unpersist() error {
	q, err := d.prepare(context.Background())
	if err == nil {
		err = q.Unpersist(true)
	}
	return err
}

// StorageLevel is the level at which the rows are kept, None when they are not.
func (d *DataFrame) StorageLevel() (StorageLevel, error) {
	q, err := d.prepare(context.Background())
	if err != nil {
		return None, err
	}
	return StorageLevel(q.StorageLevel()), nil
}

// CreateOrReplaceTempView makes the frame known to the session's SQL by a name.
func (d *DataFrame) CreateOrReplaceTempView(name string) error {
	return d.createView(name, logical.CreateView{Temp: true, Replace: true})
}

// CreateTempView is CreateOrReplaceTempView that fails when the name is taken.
func (d *DataFrame) CreateTempView(name string) error {
	return d.createView(name, logical.CreateView{Temp: true})
}

// CreateOrReplaceGlobalTempView makes the frame known to all sessions of the application, as global_temp.name.
func (d *DataFrame) CreateOrReplaceGlobalTempView(name string) error {
	return d.createView(name, logical.CreateView{Temp: true, Global: true, Replace: true})
}

func (d *DataFrame) createView(name string, v logical.CreateView) error {
	parts, err := identifier(name)
	if err = firstError(d.err, err); err != nil {
		return err
	}
	v.Name, v.Query = parts, d.plan
	_, err = d.s.do(context.Background(), &v)
	return err
}

// Write begins to write the frame.
func (d *DataFrame) Write() *DataFrameWriter {
	return &DataFrameWriter{d: d, mode: ErrorIfExists, options: map[string]string{}}
}
