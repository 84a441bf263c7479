package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
)

// Project computes named expressions (Column or Alias once resolved).
type Project struct {
	node
	List  []expr.Expr
	Child Plan
}

func (p *Project) Children() []Plan { return []Plan{p.Child} }
func (p *Project) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Project) Exprs() []expr.Expr { return p.List }
func (p *Project) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.List = e
	return &q
}

// Output implements Plan.
func (p *Project) Output() []*expr.Column { return outputOf(p.List) }

// Filter keeps the rows for which Cond is true. Having marks HAVING, whose aggregates the analyzer moves below.
type Filter struct {
	node
	Cond   expr.Expr
	Having bool
	Child  Plan
}

func (p *Filter) Children() []Plan { return []Plan{p.Child} }
func (p *Filter) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Filter) Exprs() []expr.Expr {
	var l exprList
	l.one(p.Cond)
	return l
}
func (p *Filter) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Cond = l.takeOne(p.Cond)
	return &q
}

// Output implements Plan.
func (p *Filter) Output() []*expr.Column { return p.Child.Output() }

// Join combines two inputs. Unresolved joins may have Using or Natural in place of Cond; a Lateral right side sees the left's columns.
type Join struct {
	node
	Left    Plan
	Right   Plan
	Kind    JoinKind
	Cond    expr.Expr // nil: none
	Using   []string
	Natural bool
	Lateral bool
	Hint    JoinHint
}

func (p *Join) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *Join) WithChildren(c []Plan) Plan {
	q := *p
	q.Left, q.Right = c[0], c[1]
	return &q
}
func (p *Join) Exprs() []expr.Expr {
	var l exprList
	l.one(p.Cond)
	return l
}
func (p *Join) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Cond = l.takeOne(p.Cond)
	return &q
}

// Output implements Plan.
func (p *Join) Output() []*expr.Column { return p.output() }

// Aggregate groups by Group and computes List (named expressions over groups and aggregates). Group may hold *expr.GroupingSets before analysis. All marks GROUP BY ALL.
type Aggregate struct {
	node
	Group []expr.Expr
	List  []expr.Expr
	All   bool
	Child Plan
}

func (p *Aggregate) Children() []Plan { return []Plan{p.Child} }
func (p *Aggregate) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Aggregate) Exprs() []expr.Expr {
	var l exprList
	l.many(p.Group)
	l.many(p.List)
	return l
}
func (p *Aggregate) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Group = l.takeMany(p.Group)
	q.List = l.takeMany(p.List)
	return &q
}

// Output implements Plan.
func (p *Aggregate) Output() []*expr.Column { return outputOf(p.List) }

// Sort orders rows, over all partitions when Global. All marks ORDER BY ALL.
type Sort struct {
	node
	Order  []expr.SortOrder
	Global bool
	All    bool
	Child  Plan
}

func (p *Sort) Children() []Plan { return []Plan{p.Child} }
func (p *Sort) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Sort) Exprs() []expr.Expr {
	var l exprList
	l.order(p.Order)
	return l
}
func (p *Sort) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Order = l.takeOrder(p.Order)
	return &q
}

// Output implements Plan.
func (p *Sort) Output() []*expr.Column { return p.Child.Output() }

// Limit keeps the first N rows; N is a foldable integer.
type Limit struct {
	node
	N     expr.Expr
	Child Plan
}

func (p *Limit) Children() []Plan { return []Plan{p.Child} }
func (p *Limit) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Limit) Exprs() []expr.Expr {
	var l exprList
	l.one(p.N)
	return l
}
func (p *Limit) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.N = l.takeOne(p.N)
	return &q
}

// Output implements Plan.
func (p *Limit) Output() []*expr.Column { return p.Child.Output() }

// Offset drops the first N rows.
type Offset struct {
	node
	N     expr.Expr
	Child Plan
}

func (p *Offset) Children() []Plan { return []Plan{p.Child} }
func (p *Offset) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Offset) Exprs() []expr.Expr {
	var l exprList
	l.one(p.N)
	return l
}
func (p *Offset) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.N = l.takeOne(p.N)
	return &q
}

// Output implements Plan.
func (p *Offset) Output() []*expr.Column { return p.Child.Output() }

// Tail keeps the last N rows.
type Tail struct {
	node
	N     expr.Expr
	Child Plan
}

func (p *Tail) Children() []Plan { return []Plan{p.Child} }
func (p *Tail) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Tail) Exprs() []expr.Expr {
	var l exprList
	l.one(p.N)
	return l
}
func (p *Tail) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.N = l.takeOne(p.N)
	return &q
}

// Output implements Plan.
func (p *Tail) Output() []*expr.Column { return p.Child.Output() }

// SetOp is UNION, INTERSECT or EXCEPT of inputs of equal width; ByName matches columns by name.
type SetOp struct {
	node
	Kind         SetKind
	All          bool
	ByName       bool
	AllowMissing bool
	Inputs       []Plan
	Out          []*expr.Column // set by the analyzer
}

func (p *SetOp) Children() []Plan { return p.Inputs }
func (p *SetOp) WithChildren(c []Plan) Plan {
	q := *p
	q.Inputs = c
	return &q
}
func (p *SetOp) Exprs() []expr.Expr         { return nil }
func (p *SetOp) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *SetOp) Output() []*expr.Column { return p.output() }

// Distinct removes duplicate rows.
type Distinct struct {
	node
	Child Plan
}

func (p *Distinct) Children() []Plan { return []Plan{p.Child} }
func (p *Distinct) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Distinct) Exprs() []expr.Expr         { return nil }
func (p *Distinct) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Distinct) Output() []*expr.Column { return p.Child.Output() }

// Deduplicate keeps one row per value of Keys (all columns when AllColumns).
type Deduplicate struct {
	node
	Keys            []expr.Expr
	AllColumns      bool
	WithinWatermark bool
	Child           Plan
}

func (p *Deduplicate) Children() []Plan { return []Plan{p.Child} }
func (p *Deduplicate) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Deduplicate) Exprs() []expr.Expr { return p.Keys }
func (p *Deduplicate) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Keys = e
	return &q
}

// Output implements Plan.
func (p *Deduplicate) Output() []*expr.Column { return p.Child.Output() }

// SubqueryAlias qualifies its child's columns with a name, and renames them when Columns is set.
type SubqueryAlias struct {
	node
	Name    []string
	Columns []string
	Child   Plan
}

func (p *SubqueryAlias) Children() []Plan { return []Plan{p.Child} }
func (p *SubqueryAlias) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *SubqueryAlias) Exprs() []expr.Expr         { return nil }
func (p *SubqueryAlias) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *SubqueryAlias) Output() []*expr.Column { return p.output() }

// Window adds window expressions (Alias of expr.Window, all over the same partition and order).
type Window struct {
	node
	List      []expr.Expr
	Partition []expr.Expr
	Order     []expr.SortOrder
	Child     Plan
}

func (p *Window) Children() []Plan { return []Plan{p.Child} }
func (p *Window) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Window) Exprs() []expr.Expr {
	var l exprList
	l.many(p.List)
	l.many(p.Partition)
	l.order(p.Order)
	return l
}
func (p *Window) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.List = l.takeMany(p.List)
	q.Partition = l.takeMany(p.Partition)
	q.Order = l.takeOrder(p.Order)
	return &q
}

// Output implements Plan.
func (p *Window) Output() []*expr.Column {
	return append(p.Child.Output()[:len(p.Child.Output()):len(p.Child.Output())], outputOf(p.List)...)
}

// Generate runs a generator function for each row (LATERAL VIEW, explode in SELECT). Out are the generator's columns; Required keeps the child's columns that go on.
type Generate struct {
	node
	Gen   expr.Expr
	Outer bool
	Alias string
	Names []string
	Out   []*expr.Column // set by the analyzer
	Child Plan
}

func (p *Generate) Children() []Plan { return []Plan{p.Child} }
func (p *Generate) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Generate) Exprs() []expr.Expr {
	var l exprList
	l.one(p.Gen)
	return l
}
func (p *Generate) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Gen = l.takeOne(p.Gen)
	return &q
}

// Output implements Plan.
func (p *Generate) Output() []*expr.Column {
	return append(p.Child.Output()[:len(p.Child.Output()):len(p.Child.Output())], p.outColumns()...)
}

// Expand emits one row per projection for each input row (grouping sets).
type Expand struct {
	node
	Projections [][]expr.Expr
	Out         []*expr.Column
	Child       Plan
}

func (p *Expand) Children() []Plan { return []Plan{p.Child} }
func (p *Expand) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Expand) Exprs() []expr.Expr {
	var l exprList
	l.rows(p.Projections)
	return l
}
func (p *Expand) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Projections = l.takeRows(p.Projections)
	return &q
}

// Output implements Plan.
func (p *Expand) Output() []*expr.Column { return p.Out }

// Pivot turns values into columns. Group is nil for SQL's implicit grouping; Values may be empty for a DataFrame pivot (found by a query).
type Pivot struct {
	node
	Group    []expr.Expr
	Explicit bool // Group is given, even if empty
	Column   expr.Expr
	Values   []expr.Expr // Alias or bare
	Aggs     []expr.Expr
	Child    Plan
}

func (p *Pivot) Children() []Plan { return []Plan{p.Child} }
func (p *Pivot) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Pivot) Exprs() []expr.Expr {
	var l exprList
	l.many(p.Group)
	l.one(p.Column)
	l.many(p.Values)
	l.many(p.Aggs)
	return l
}
func (p *Pivot) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Group = l.takeMany(p.Group)
	q.Column = l.takeOne(p.Column)
	q.Values = l.takeMany(p.Values)
	q.Aggs = l.takeMany(p.Aggs)
	return &q
}

// Output implements Plan.
func (p *Pivot) Output() []*expr.Column { return nil }

// Unpivot turns columns into rows. Ids nil: all columns that are not values; Values nil: all that are not ids.
type Unpivot struct {
	node
	Ids          []expr.Expr
	IdsGiven     bool
	Values       [][]expr.Expr // each a tuple of columns
	ValuesGiven  bool
	ValueAliases []string // per value tuple; may be nil
	Variable     string
	ValueNames   []string
	IncludeNulls bool
	Child        Plan
}

func (p *Unpivot) Children() []Plan { return []Plan{p.Child} }
func (p *Unpivot) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Unpivot) Exprs() []expr.Expr {
	var l exprList
	l.many(p.Ids)
	l.rows(p.Values)
	return l
}
func (p *Unpivot) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Ids = l.takeMany(p.Ids)
	q.Values = l.takeRows(p.Values)
	return &q
}

// Output implements Plan.
func (p *Unpivot) Output() []*expr.Column { return nil }

// Sample takes a share of the rows: Fraction bounds [Lower, Upper), or Rows, or Buckets.
type Sample struct {
	node
	Lower           float64
	Upper           float64
	Rows            expr.Expr // TABLESAMPLE (n ROWS)
	WithReplacement bool
	Seed            int64
	HasSeed         bool
	Child           Plan
}

func (p *Sample) Children() []Plan { return []Plan{p.Child} }
func (p *Sample) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Sample) Exprs() []expr.Expr {
	var l exprList
	l.one(p.Rows)
	return l
}
func (p *Sample) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Rows = l.takeOne(p.Rows)
	return &q
}

// Output implements Plan.
func (p *Sample) Output() []*expr.Column { return p.Child.Output() }

// Repartition redistributes rows over N partitions (0: the session's number), by By when given (hash, or range when Range).
type Repartition struct {
	node
	N       int
	Shuffle bool
	By      []expr.Expr
	Range   bool
	Child   Plan
}

func (p *Repartition) Children() []Plan { return []Plan{p.Child} }
func (p *Repartition) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Repartition) Exprs() []expr.Expr { return p.By }
func (p *Repartition) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.By = e
	return &q
}

// Output implements Plan.
func (p *Repartition) Output() []*expr.Column { return p.Child.Output() }

// Hint carries a hint (BROADCAST, MERGE, SHUFFLE_HASH, COALESCE …) to what is below.
type Hint struct {
	node
	Name  string
	Args  []expr.Expr
	Child Plan
}

func (p *Hint) Children() []Plan { return []Plan{p.Child} }
func (p *Hint) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Hint) Exprs() []expr.Expr { return p.Args }
func (p *Hint) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Args = e
	return &q
}

// Output implements Plan.
func (p *Hint) Output() []*expr.Column { return p.Child.Output() }

// WithWindows holds the WINDOW clause of a query block; gone after analysis.
type WithWindows struct {
	node
	Defs  map[string]expr.WindowSpec
	Child Plan
}

func (p *WithWindows) Children() []Plan { return []Plan{p.Child} }
func (p *WithWindows) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *WithWindows) Exprs() []expr.Expr         { return nil }
func (p *WithWindows) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *WithWindows) Output() []*expr.Column { return p.Child.Output() }

// With binds common table expressions for its child.
type With struct {
	node
	CTEs      []CTE
	Recursive bool
	Child     Plan
}

func (p *With) Children() []Plan { return []Plan{p.Child} }
func (p *With) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *With) Exprs() []expr.Expr         { return nil }
func (p *With) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *With) Output() []*expr.Column { return p.Child.Output() }

// WithParams binds parameter markers in its child.
type WithParams struct {
	node
	Named      map[string]expr.Expr
	Positional []expr.Expr
	Child      Plan
}

func (p *WithParams) Children() []Plan { return []Plan{p.Child} }
func (p *WithParams) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *WithParams) Exprs() []expr.Expr { return p.Positional }
func (p *WithParams) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Positional = e
	return &q
}

// Output implements Plan.
func (p *WithParams) Output() []*expr.Column { return p.Child.Output() }

// WithRelations carries plans that subquery expressions of Child refer to by plan id, and named views (SubqueryAlias).
type WithRelations struct {
	node
	Child      Plan
	References []Plan
}

func (p *WithRelations) Children() []Plan { return append([]Plan{p.Child}, p.References...) }
func (p *WithRelations) WithChildren(c []Plan) Plan {
	q := *p
	q.Child, q.References = c[0], c[1:]
	return &q
}
func (p *WithRelations) Exprs() []expr.Expr         { return nil }
func (p *WithRelations) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *WithRelations) Output() []*expr.Column { return p.Child.Output() }

// PlanID marks a DataFrame node of the client by its id, so that references by plan id resolve. Gone after analysis.
type PlanID struct {
	node
	ID    int64
	Child Plan
}

func (p *PlanID) Children() []Plan { return []Plan{p.Child} }
func (p *PlanID) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *PlanID) Exprs() []expr.Expr         { return nil }
func (p *PlanID) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *PlanID) Output() []*expr.Column { return p.Child.Output() }

// CTEDef holds a shared common table expression that CTERef leaves below Child point to.
type CTEDef struct {
	node
	ID    int64
	Def   Plan
	Child Plan
}

func (p *CTEDef) Children() []Plan { return []Plan{p.Def, p.Child} }
func (p *CTEDef) WithChildren(c []Plan) Plan {
	q := *p
	q.Def, q.Child = c[0], c[1]
	return &q
}
func (p *CTEDef) Exprs() []expr.Expr         { return nil }
func (p *CTEDef) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *CTEDef) Output() []*expr.Column { return p.Child.Output() }

// RecursiveCTE computes Anchor, then Step over the last rows until none come; Step refers to them by CTERef with ID.
type RecursiveCTE struct {
	node
	ID       int64
	Name     string
	Anchor   Plan
	Step     Plan
	MaxLevel int   // 0: the session's limit, <0: none
	Most     int64 // at most so many rows are asked for; 0: all (set by the optimizer)
	UnionAll bool
	Out      []*expr.Column
}

func (p *RecursiveCTE) Children() []Plan { return []Plan{p.Anchor, p.Step} }
func (p *RecursiveCTE) WithChildren(c []Plan) Plan {
	q := *p
	q.Anchor, q.Step = c[0], c[1]
	return &q
}
func (p *RecursiveCTE) Exprs() []expr.Expr         { return nil }
func (p *RecursiveCTE) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *RecursiveCTE) Output() []*expr.Column { return p.Out }
