package physical

import (
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// Scan reads a table. Filters are conjuncts that the reader applies exactly; Runtime names the filters that joins fill in while the query runs.
type Scan struct {
	node
	Table   *catalog.Table
	Out     []*expr.Column
	Filters []expr.Expr
	Runtime []RuntimeRef
	Limit   int64 // rows that suffice; <0: all
	Tasks   int   // number of tasks that the splits go to; 0: as many as there are slots, or as the splits' sizes call for
}

func (p *Scan) Children() []Plan         { return nil }
func (p *Scan) WithChildren([]Plan) Plan { return p }
func (p *Scan) Exprs() []expr.Expr       { return p.Filters }
func (p *Scan) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Filters = e
	return &q
}

// Output implements Plan.
func (p *Scan) Output() []*expr.Column { return p.Out }

// LocalScan yields rows held in memory.
type LocalScan struct {
	node
	Batches []*columnar.Batch
	Out     []*expr.Column
}

func (p *LocalScan) Children() []Plan           { return nil }
func (p *LocalScan) WithChildren([]Plan) Plan   { return p }
func (p *LocalScan) Exprs() []expr.Expr         { return nil }
func (p *LocalScan) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *LocalScan) Output() []*expr.Column { return p.Out }

// OneRow yields one row without columns.
type OneRow struct {
	node
}

func (p *OneRow) Children() []Plan           { return nil }
func (p *OneRow) WithChildren([]Plan) Plan   { return p }
func (p *OneRow) Exprs() []expr.Expr         { return nil }
func (p *OneRow) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *OneRow) Output() []*expr.Column { return nil }

// Range yields a sequence of BIGINT, split over Partitions.
type Range struct {
	node
	Start      int64
	End        int64
	Step       int64
	Partitions int
	Out        []*expr.Column
}

func (p *Range) Children() []Plan           { return nil }
func (p *Range) WithChildren([]Plan) Plan   { return p }
func (p *Range) Exprs() []expr.Expr         { return nil }
func (p *Range) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Range) Output() []*expr.Column { return p.Out }

// Project computes named expressions.
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

// Filter keeps the rows for which Cond is true.
type Filter struct {
	node
	Cond  expr.Expr
	Child Plan
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

// Aggregate groups by hash. Keys are named expressions (Column or Alias). Out: the keys, then per aggregate its state columns (Partial) or its result (Final, Complete). Final's input is the output of a Partial. SortBased marks aggregation over sorted input.
type Aggregate struct {
	node
	Mode AggMode // for display; each aggregate has its own
	// Loose says of a PartialMerge that it need not bring all rows of a group together, as a Partial need not.
	Loose bool
	Keys  []expr.Expr
	Aggs  []AggExpr
	Child Plan
}

func (p *Aggregate) Children() []Plan { return []Plan{p.Child} }
func (p *Aggregate) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}

// Exprs are the keys, then the aggregates.
func (p *Aggregate) Exprs() []expr.Expr {
	l := append(make([]expr.Expr, 0, len(p.Keys)+len(p.Aggs)), p.Keys...)
	for _, a := range p.Aggs {
		l = append(l, a.Agg)
	}
	return l
}
func (p *Aggregate) WithExprs(e []expr.Expr) Plan {
	q, n := *p, len(p.Keys)
	q.Keys, q.Aggs = e[:n:n], append([]AggExpr(nil), p.Aggs...)
	for i := range q.Aggs {
		q.Aggs[i].Agg = e[n+i].(*expr.Agg)
	}
	return &q
}

// Output implements Plan.
func (p *Aggregate) Output() []*expr.Column { return p.output() }

// Sort orders the rows of each partition; the plan makes it global by an exchange below. It spills.
type Sort struct {
	node
	Order  []expr.SortOrder
	Global bool
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

// TopN keeps the first N rows after the first Offset in the order, of each partition.
type TopN struct {
	node
	Order  []expr.SortOrder
	N      int64
	Offset int64
	Child  Plan
}

func (p *TopN) Children() []Plan { return []Plan{p.Child} }
func (p *TopN) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *TopN) Exprs() []expr.Expr {
	var l exprList
	l.order(p.Order)
	return l
}
func (p *TopN) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Order = l.takeOrder(p.Order)
	return &q
}

// Output implements Plan.
func (p *TopN) Output() []*expr.Column { return p.Child.Output() }

// Limit keeps the first N rows after the first Offset of each partition; Global expects one partition. N<0: all.
type Limit struct {
	node
	N      int64
	Offset int64
	Global bool
	Child  Plan
}

func (p *Limit) Children() []Plan { return []Plan{p.Child} }
func (p *Limit) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Limit) Exprs() []expr.Expr         { return nil }
func (p *Limit) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Limit) Output() []*expr.Column { return p.Child.Output() }

// Tail keeps the last N rows of its one partition.
type Tail struct {
	node
	N     int64
	Child Plan
}

func (p *Tail) Children() []Plan { return []Plan{p.Child} }
func (p *Tail) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Tail) Exprs() []expr.Expr         { return nil }
func (p *Tail) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Tail) Output() []*expr.Column { return p.Child.Output() }

// HashJoin joins by a hash table over the build side. Left and Right keep the query's order; BuildRight says which is built. Broadcast: the build side is a Broadcast exchange, shared by all tasks.
type HashJoin struct {
	node
	Left       Plan
	Right      Plan
	Kind       logical.JoinKind
	BuildRight bool
	Broadcast  bool
	LeftKeys   []expr.Expr
	RightKeys  []expr.Expr
	Cond       expr.Expr // over both sides; nil: none
	Hint       logical.JoinHint
	Narrow     []*expr.Column // the columns of the join's output that are wanted, in order; nil: all
}

func (p *HashJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *HashJoin) WithChildren(c []Plan) Plan {
	q := *p
	q.Left, q.Right = c[0], c[1]
	return &q
}
func (p *HashJoin) Exprs() []expr.Expr {
	var l exprList
	l.many(p.LeftKeys)
	l.many(p.RightKeys)
	l.one(p.Cond)
	return l
}
func (p *HashJoin) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.LeftKeys = l.takeMany(p.LeftKeys)
	q.RightKeys = l.takeMany(p.RightKeys)
	q.Cond = l.takeOne(p.Cond)
	return &q
}

// Output implements Plan.
func (p *HashJoin) Output() []*expr.Column { return p.output() }

// MergeJoin joins inputs that are sorted by their keys.
type MergeJoin struct {
	node
	Left      Plan
	Right     Plan
	Kind      logical.JoinKind
	LeftKeys  []expr.Expr
	RightKeys []expr.Expr
	Cond      expr.Expr
	Hint      logical.JoinHint
	Narrow    []*expr.Column // as in HashJoin
}

func (p *MergeJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *MergeJoin) WithChildren(c []Plan) Plan {
	q := *p
	q.Left, q.Right = c[0], c[1]
	return &q
}
func (p *MergeJoin) Exprs() []expr.Expr {
	var l exprList
	l.many(p.LeftKeys)
	l.many(p.RightKeys)
	l.one(p.Cond)
	return l
}
func (p *MergeJoin) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.LeftKeys = l.takeMany(p.LeftKeys)
	q.RightKeys = l.takeMany(p.RightKeys)
	q.Cond = l.takeOne(p.Cond)
	return &q
}

// Output implements Plan.
func (p *MergeJoin) Output() []*expr.Column { return p.output() }

// LoopJoin joins every row with every row. Broadcast: the build side is a Broadcast exchange; else it is a cartesian product over single partitions.
type LoopJoin struct {
	node
	Left       Plan
	Right      Plan
	Kind       logical.JoinKind
	BuildRight bool
	Broadcast  bool
	Cond       expr.Expr
	Hint       logical.JoinHint
	Narrow     []*expr.Column // as in HashJoin
}

func (p *LoopJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *LoopJoin) WithChildren(c []Plan) Plan {
	q := *p
	q.Left, q.Right = c[0], c[1]
	return &q
}
func (p *LoopJoin) Exprs() []expr.Expr {
	var l exprList
	l.one(p.Cond)
	return l
}
func (p *LoopJoin) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Cond = l.takeOne(p.Cond)
	return &q
}

// Output implements Plan.
func (p *LoopJoin) Output() []*expr.Column { return p.output() }

// Exchange is a shuffle: a stage ends below it. User marks one that the user asked for (repartition). Publish are the runtime
// filters that its rows fill in when the stage ends, across processes only.
type Exchange struct {
	node
	Publish []RuntimePub
	Part    Partitioning
	User    bool
	Stage   int // id of the stage that writes it; set by Cut
	Shared  int // exchanges of one plan with the same number >0 have the same rows, and one stage
	Child   Plan
}

func (p *Exchange) Children() []Plan { return []Plan{p.Child} }
func (p *Exchange) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Exchange) Exprs() []expr.Expr {
	var l exprList
	l.many(p.Part.Keys)
	l.order(p.Part.Order)
	return l
}
func (p *Exchange) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Part.Keys = l.takeMany(p.Part.Keys)
	q.Part.Order = l.takeOrder(p.Part.Order)
	return &q
}

// Output implements Plan.
func (p *Exchange) Output() []*expr.Column { return p.Child.Output() }

// Broadcast hands its whole input to every task of the stage above. Publish are the runtime filters that its rows fill in when the stage ends.
type Broadcast struct {
	node
	Stage   int
	Shared  int // as Exchange's
	Publish []RuntimePub
	Child   Plan
}

func (p *Broadcast) Children() []Plan { return []Plan{p.Child} }
func (p *Broadcast) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Broadcast) Exprs() []expr.Expr         { return nil }
func (p *Broadcast) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Broadcast) Output() []*expr.Column { return p.Child.Output() }

// StageInput reads what a stage below wrote; it stands for the Exchange or Broadcast that was cut off (kept in From for EXPLAIN).
type StageInput struct {
	node
	Stage int
	Out   []*expr.Column
	Specs []PartitionSpec // which map outputs each task of this stage reads; nil: partition i
	From  Plan
}

func (p *StageInput) Children() []Plan { return []Plan{p.From} }
func (p *StageInput) WithChildren(c []Plan) Plan {
	q := *p
	q.From = c[0]
	return &q
}
func (p *StageInput) Exprs() []expr.Expr         { return nil }
func (p *StageInput) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *StageInput) Output() []*expr.Column { return p.Out }

// Window computes window expressions (Alias of expr.Window with one Partition and Order); its input is partitioned and sorted so.
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

// Generate runs a generator function for each row; output: the child's columns that Required keeps, then Out.
type Generate struct {
	node
	Gen      *expr.Call
	Outer    bool
	Required []*expr.Column
	Out      []*expr.Column
	Child    Plan
}

func (p *Generate) Children() []Plan { return []Plan{p.Child} }
func (p *Generate) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Generate) Exprs() []expr.Expr { return []expr.Expr{p.Gen} }
func (p *Generate) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Gen = e[0].(*expr.Call)
	return &q
}

// Output implements Plan.
func (p *Generate) Output() []*expr.Column {
	return append(p.Required[:len(p.Required):len(p.Required)], p.Out...)
}

// Expand emits one row per projection for each input row.
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

// Union puts the partitions of its inputs side by side.
type Union struct {
	node
	Inputs []Plan
	Out    []*expr.Column
}

func (p *Union) Children() []Plan { return p.Inputs }
func (p *Union) WithChildren(c []Plan) Plan {
	q := *p
	q.Inputs = c
	return &q
}
func (p *Union) Exprs() []expr.Expr         { return nil }
func (p *Union) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Union) Output() []*expr.Column { return p.Out }

// Sample keeps a share of the rows.
type Sample struct {
	node
	Lower           float64
	Upper           float64
	WithReplacement bool
	Seed            int64
	Child           Plan
}

func (p *Sample) Children() []Plan { return []Plan{p.Child} }
func (p *Sample) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Sample) Exprs() []expr.Expr         { return nil }
func (p *Sample) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Sample) Output() []*expr.Column { return p.Child.Output() }

// Coalesce merges partitions without a shuffle.
type Coalesce struct {
	node
	N     int
	Child Plan
}

func (p *Coalesce) Children() []Plan { return []Plan{p.Child} }
func (p *Coalesce) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Coalesce) Exprs() []expr.Expr         { return nil }
func (p *Coalesce) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Coalesce) Output() []*expr.Column { return p.Child.Output() }

// CachedScan reads a cached plan's blocks by key.
type CachedScan struct {
	node
	Key        string
	Name       string
	Out        []*expr.Column
	Partitions int
}

func (p *CachedScan) Children() []Plan           { return nil }
func (p *CachedScan) WithChildren([]Plan) Plan   { return p }
func (p *CachedScan) Exprs() []expr.Expr         { return nil }
func (p *CachedScan) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *CachedScan) Output() []*expr.Column { return p.Out }

// WriteFiles writes its input by the job of Writer, one file set per task; its output are the commit messages of the tasks.
type WriteFiles struct {
	node
	Writer any // *source.WriteJob
	Format string
	Path   string
	Child  Plan
}

func (p *WriteFiles) Children() []Plan { return []Plan{p.Child} }
func (p *WriteFiles) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *WriteFiles) Exprs() []expr.Expr         { return nil }
func (p *WriteFiles) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *WriteFiles) Output() []*expr.Column { return nil }
