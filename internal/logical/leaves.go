package logical

import (
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// UnresolvedRelation is a table, view or CTE by name.
type UnresolvedRelation struct {
	node
	Name      []string
	NameExpr  expr.Expr // IDENTIFIER(…); Name is then empty
	Options   map[string]string
	Version   string    // time travel: VERSION AS OF
	AsOf      expr.Expr // TIMESTAMP AS OF
	Streaming bool
	At        *expr.Origin
}

func (p *UnresolvedRelation) Children() []Plan         { return nil }
func (p *UnresolvedRelation) WithChildren([]Plan) Plan { return p }
func (p *UnresolvedRelation) Exprs() []expr.Expr {
	var l exprList
	l.one(p.NameExpr)
	l.one(p.AsOf)
	return l
}
func (p *UnresolvedRelation) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.NameExpr = l.takeOne(p.NameExpr)
	q.AsOf = l.takeOne(p.AsOf)
	return &q
}

// Output implements Plan.
func (p *UnresolvedRelation) Output() []*expr.Column { return nil }

// TableFunction is a table-valued function call in FROM: range, explode, stack …
type TableFunction struct {
	node
	Func  *expr.Func
	Outer bool
}

func (p *TableFunction) Children() []Plan           { return nil }
func (p *TableFunction) WithChildren([]Plan) Plan   { return p }
func (p *TableFunction) Exprs() []expr.Expr         { return nil }
func (p *TableFunction) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *TableFunction) Output() []*expr.Column { return nil }

// DataSource is spark.read.format(…).load(…): a source by format and options.
type DataSource struct {
	node
	Format     string
	Paths      []string
	Schema     *types.Schema // nil: inferred
	Options    map[string]string
	Predicates []string
	Streaming  bool
}

func (p *DataSource) Children() []Plan           { return nil }
func (p *DataSource) WithChildren([]Plan) Plan   { return p }
func (p *DataSource) Exprs() []expr.Expr         { return nil }
func (p *DataSource) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *DataSource) Output() []*expr.Column { return nil }

// Relation is a resolved table: Out are the columns read, a subset of the table's once pruned.
type Relation struct {
	node
	Table   *catalog.Table
	Out     []*expr.Column
	Filters []expr.Expr // conjuncts that the scan applies (set by the optimizer)
}

func (p *Relation) Children() []Plan         { return nil }
func (p *Relation) WithChildren([]Plan) Plan { return p }
func (p *Relation) Exprs() []expr.Expr       { return p.Filters }
func (p *Relation) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Filters = e
	return &q
}

// Output implements Plan.
func (p *Relation) Output() []*expr.Column { return p.Out }

// LocalRelation holds rows in memory. Out is set by the analyzer.
type LocalRelation struct {
	node
	Schema  *types.Schema
	Batches []*columnar.Batch
	Out     []*expr.Column
}

func (p *LocalRelation) Children() []Plan           { return nil }
func (p *LocalRelation) WithChildren([]Plan) Plan   { return p }
func (p *LocalRelation) Exprs() []expr.Expr         { return nil }
func (p *LocalRelation) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *LocalRelation) Output() []*expr.Column { return p.Out }

// Values is an inline table.
type Values struct {
	node
	Rows [][]expr.Expr
	At   *expr.Origin
}

func (p *Values) Children() []Plan         { return nil }
func (p *Values) WithChildren([]Plan) Plan { return p }
func (p *Values) Exprs() []expr.Expr {
	var l exprList
	l.rows(p.Rows)
	return l
}
func (p *Values) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Rows = l.takeRows(p.Rows)
	return &q
}

// Output implements Plan.
func (p *Values) Output() []*expr.Column { return nil }

// OneRow is the FROM of a SELECT without FROM: one row, no columns.
type OneRow struct {
	node
}

func (p *OneRow) Children() []Plan           { return nil }
func (p *OneRow) WithChildren([]Plan) Plan   { return p }
func (p *OneRow) Exprs() []expr.Expr         { return nil }
func (p *OneRow) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *OneRow) Output() []*expr.Column { return nil }

// Range yields Start, Start+Step, … up to End (exclusive) as a BIGINT column id.
type Range struct {
	node
	Start      int64
	End        int64
	Step       int64
	Partitions int // 0: the session's
	Out        []*expr.Column
}

func (p *Range) Children() []Plan           { return nil }
func (p *Range) WithChildren([]Plan) Plan   { return p }
func (p *Range) Exprs() []expr.Expr         { return nil }
func (p *Range) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Range) Output() []*expr.Column { return p.Out }

// CTERef is a use of a shared common table expression, with column ids of its own.
type CTERef struct {
	node
	ID        int64
	Out       []*expr.Column
	Recursive bool
}

func (p *CTERef) Children() []Plan           { return nil }
func (p *CTERef) WithChildren([]Plan) Plan   { return p }
func (p *CTERef) Exprs() []expr.Expr         { return nil }
func (p *CTERef) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *CTERef) Output() []*expr.Column { return p.Out }

// CachedRelation reads what a CACHE or persist has stored under a key.
type CachedRelation struct {
	node
	Key   string
	Name  string
	Out   []*expr.Column
	Stats *catalog.Stats
	Plan  Plan // what it computes when nothing is stored
}

func (p *CachedRelation) Children() []Plan           { return nil }
func (p *CachedRelation) WithChildren([]Plan) Plan   { return p }
func (p *CachedRelation) Exprs() []expr.Expr         { return nil }
func (p *CachedRelation) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *CachedRelation) Output() []*expr.Column { return p.Out }
