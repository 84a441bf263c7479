package physical

import (
	"math"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Options are what planning takes from the session and the cluster.
type Options struct {
	Slots             int   // task slots of the application
	InProcess         bool  // one process runs all tasks: exchanges hand over by reference, scans share one queue
	ShufflePartitions int   // spark.sql.shuffle.partitions; 0: as many as the rows call for
	BroadcastBytes    int64 // largest build side that is broadcast; <0: never
	PreferSortMerge   bool  // spark.sql.join.preferSortMergeJoin
	// Frugal keeps sides of joins whole in memory only where there is no other way, whatever hints say.
	Frugal bool
	// StateTypes gives the types of an aggregate's partial state (the function table's, by way of eval).
	StateTypes func(a *expr.Agg) ([]types.Type, error)
}

// Subquery is an uncorrelated scalar subquery of a plan; it is run first and replaced by its value.
type Subquery struct {
	ID   expr.ID
	Plan Plan
	T    types.Type
}

// Planner turns optimized logical plans into physical ones. It serves one query.
type Planner struct {
	Options
	est        *logical.Estimator
	Subqueries []Subquery
	// Writer plans WriteFiles and other nodes that the session adds; nil answers are errors.
	Extra       func(pl *Planner, p logical.Plan) (Plan, error)
	nextRuntime int
}

// NewPlanner makes a planner.
func NewPlanner(o Options, est *logical.Estimator) *Planner { return &Planner{Options: o, est: est} }

// spread says how a plan's rows lie over its tasks.
type spread struct {
	kind PartKind // SinglePart, HashPart or UnknownPart
	n    int      // tasks, as far as known
	keys []expr.Expr
}

var single = spread{kind: SinglePart, n: 1}

// Plan plans p and gives scans their runtime filters.
func (pl *Planner) Plan(p logical.Plan) (Plan, error) {
	out, _, err := pl.plan(p)
	if err != nil {
		return nil, err
	}
	out, err = pl.planSubqueries(out)
	if err != nil {
		return nil, err
	}
	out = pl.addRuntimeFilters(share(out))
	return narrowJoins(out, idSet(out.Output())), nil
}

// planSubqueries plans the scalar subqueries that p's expressions hold, each once.
func (pl *Planner) planSubqueries(p Plan) (Plan, error) {
	var failed error
	done := map[expr.ID]bool{}
	for _, s := range pl.Subqueries {
		done[s.ID] = true
	}
	Walk(p, func(n Plan) bool {
		for _, e := range n.Exprs() {
			expr.Walk(e, func(x expr.Expr) bool {
				q, ok := x.(*expr.Subquery)
				if !ok || done[q.ID] || failed != nil {
					return true
				}
				done[q.ID] = true
				failed = pl.planSubquery(q)
				return true
			})
		}
		return failed == nil
	})
	return p, failed
}

func (pl *Planner) planSubquery(q *expr.Subquery) error {
	if q.Kind != expr.ScalarSubquery || len(q.Outer) > 0 {
		return sparkerr.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "treeNode", q.SQL())
	}
	sub := NewPlanner(pl.Options, pl.est)
	sub.Extra, sub.nextRuntime = pl.Extra, pl.nextRuntime
	plan, err := sub.Plan(q.Plan.(logical.Plan))
	if err != nil {
		return err
	}
	pl.nextRuntime = sub.nextRuntime
	pl.Subqueries = append(pl.Subqueries, sub.Subqueries...)
	pl.Subqueries = append(pl.Subqueries, Subquery{q.ID, plan, q.T})
	return nil
}

func (pl *Planner) plan(p logical.Plan) (Plan, spread, error) {
	switch n := p.(type) {
	case *logical.Relation:
		return pl.scan(n)
	case *logical.LocalRelation:
		return &LocalScan{Batches: n.Batches, Out: n.Out}, single, nil
	case *logical.OneRow:
		return &OneRow{}, single, nil
	case *logical.Range:
		return pl.rangeScan(n)
	case *logical.Project:
		c, s, err := pl.plan(n.Child)
		if err != nil {
			return nil, s, err
		}
		return &Project{List: n.List, Child: c}, s.through(n.List), nil
	case *logical.Filter:
		c, s, err := pl.plan(n.Child)
		return &Filter{Cond: n.Cond, Child: c}, s, err
	case *logical.SubqueryAlias:
		return pl.alias(n)
	case *logical.Join:
		return pl.join(n)
	case *logical.Aggregate:
		return pl.aggregate(n)
	case *groupsBelow:
		return pl.groupsBelow(n)
	case *logical.Sort:
		return pl.sort(n)
	case *logical.Limit:
		return pl.limit(n)
	case *logical.Offset:
		return pl.offset(n)
	case *logical.Tail:
		return pl.tail(n)
	case *logical.SetOp:
		return pl.union(n)
	case *logical.Window:
		return pl.window(n)
	case *logical.Generate:
		return pl.generate(n)
	case *logical.Expand:
		c, s, err := pl.plan(n.Child)
		s.kind = unlessSingle(s)
		return &Expand{Projections: n.Projections, Out: n.Out, Child: c}, s, err
	case *logical.Sample:
		c, s, err := pl.plan(n.Child)
		return &Sample{Lower: n.Lower, Upper: n.Upper, WithReplacement: n.WithReplacement, Seed: n.Seed, Child: c}, s, err
	case *logical.Repartition:
		return pl.repartition(n)
	case *logical.Hint:
		return pl.plan(n.Child)
	case *logical.CachedRelation:
		return &CachedScan{Key: n.Key, Name: n.Name, Out: n.Out}, spread{kind: UnknownPart}, nil
	}
	if pl.Extra != nil {
		out, err := pl.Extra(pl, p)
		if out != nil || err != nil {
			return out, spread{kind: UnknownPart}, err
		}
	}
	if _, script := p.(*logical.ScriptTransform); script {
		return nil, single, sparkerr.Unsupported("TRANSFORM … USING a script")
	}
	if _, does := p.(logical.Command); does {
		return nil, single, sparkerr.Unsupported("a command within a query")
	}
	return nil, single, sparkerr.Internal("no physical plan for %T", p)
}

// Child plans a child of a node that Extra plans.
func (pl *Planner) Child(p logical.Plan) (Plan, error) {
	out, _, err := pl.plan(p)
	return out, err
}

// through keeps what is known of the spread across a projection: keys that are renamed or gone are not tracked.
func (s spread) through(list []expr.Expr) spread {
	if s.kind != HashPart {
		return s
	}
	kept := map[expr.ID]bool{}
	for _, e := range list {
		if c, ok := e.(*expr.Column); ok {
			kept[c.ID] = true
		}
	}
	for _, k := range s.keys {
		if c, ok := k.(*expr.Column); !ok || !kept[c.ID] {
			return spread{kind: UnknownPart, n: s.n}
		}
	}
	return s
}

func unlessSingle(s spread) PartKind {
	if s.kind == SinglePart {
		return SinglePart
	}
	return UnknownPart
}

// rowsPerTask is how many rows make a further task of a scan or a range worth its while.
const rowsPerTask = 40_000

func (pl *Planner) tasksFor(rows float64) int {
	return int(math.Max(1, math.Min(float64(pl.Slots), math.Ceil(rows/rowsPerTask))))
}

func (pl *Planner) scan(n *logical.Relation) (Plan, spread, error) {
	bare := *n
	bare.Filters = nil
	out := &Scan{Table: n.Table, Out: n.Out, Filters: n.Filters, Limit: -1, Tasks: pl.tasksFor(pl.est.Of(&bare).Rows)}
	switch {
	case out.Tasks == 1:
		return out, single, nil
	case !pl.InProcess:
		out.Tasks = 0 // the splits' sizes will tell
	}
	return out, spread{kind: UnknownPart, n: out.Tasks}, nil
}

func (pl *Planner) rangeScan(n *logical.Range) (Plan, spread, error) {
	parts := n.Partitions
	if parts == 0 {
		parts = pl.tasksFor(pl.est.Of(n).Rows)
	}
	s := spread{kind: UnknownPart, n: parts}
	if parts == 1 {
		s = single
	}
	return &Range{Start: n.Start, End: n.End, Step: n.Step, Partitions: parts, Out: n.Out}, s, nil
}

// alias renames nothing physically: ids stay.
func (pl *Planner) alias(n *logical.SubqueryAlias) (Plan, spread, error) { return pl.plan(n.Child) }

// exchange puts a shuffle on top of a plan.
func exchange(c Plan, kind PartKind, n int, keys []expr.Expr) Plan {
	if kind == SinglePart {
		n = 1
	}
	return &Exchange{Part: Partitioning{Kind: kind, N: n, Keys: keys}, Child: c}
}

func (pl *Planner) toSingle(c Plan, s spread) Plan {
	if s.kind == SinglePart {
		return c
	}
	return exchange(c, SinglePart, 1, nil)
}

// partitions is the number of partitions of a hash exchange of about that many rows.
func (pl *Planner) partitions(rows float64) int {
	if !pl.InProcess && pl.ShufflePartitions > 0 {
		return pl.ShufflePartitions
	}
	return pl.Slots * int(math.Max(1, math.Min(8, rows/1e6)))
}

// byKeys makes sure that rows with equal keys lie in one partition.
func (pl *Planner) byKeys(c Plan, s spread, keys []expr.Expr, rows float64) (Plan, spread) {
	switch {
	case s.kind == SinglePart:
		return c, s
	case len(keys) == 0:
		return pl.toSingle(c, s), single
	case s.kind == HashPart && subset(s.keys, keys):
		return c, s
	}
	n := pl.partitions(rows)
	return exchange(c, HashPart, n, keys), spread{kind: HashPart, n: n, keys: keys}
}

// subset says whether every one of keys is among of.
func subset(keys, of []expr.Expr) bool {
	ids := map[expr.ID]bool{}
	for _, e := range of {
		if c, ok := e.(*expr.Column); ok {
			ids[c.ID] = true
		}
	}
	for _, e := range keys {
		if c, ok := e.(*expr.Column); !ok || !ids[c.ID] {
			return false
		}
	}
	return true
}

func (pl *Planner) sort(n *logical.Sort) (Plan, spread, error) {
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	if !n.Global {
		return &Sort{Order: n.Order, Child: c}, s, nil
	}
	if s.kind == SinglePart {
		return &Sort{Order: n.Order, Global: true, Child: c}, single, nil
	}
	part := Partitioning{Kind: SinglePart, N: 1}
	if rows := pl.est.Of(n.Child).Rows; !pl.InProcess && rows > 1e6 {
		part = Partitioning{Kind: RangePart, N: pl.partitions(rows), Order: n.Order}
	}
	out := &Sort{Order: n.Order, Global: true, Child: &Exchange{Part: part, Child: c}}
	if part.Kind == SinglePart {
		return out, single, nil
	}
	return out, spread{kind: UnknownPart, n: part.N}, nil
}

// constant is the value of a folded LIMIT or OFFSET.
func constant(e expr.Expr) (int64, error) {
	if l, ok := e.(*expr.Literal); ok {
		switch v := l.Value.(type) {
		case int32:
			return int64(v), nil
		case int64:
			return v, nil
		case int16:
			return int64(v), nil
		case int8:
			return int64(v), nil
		case nil:
			return 0, nil
		}
	}
	return 0, sparkerr.Internal("a limit was not folded: %s", e.SQL())
}

// limitOf takes apart LIMIT over OFFSET over the rest.
func limitOf(n *logical.Limit) (limit, offset int64, rest logical.Plan, err error) {
	if limit, err = constant(n.N); err != nil {
		return 0, 0, nil, err
	}
	rest = n.Child
	if o, ok := rest.(*logical.Offset); ok {
		if offset, err = constant(o.N); err != nil {
			return 0, 0, nil, err
		}
		rest = o.Child
	}
	return limit, offset, rest, nil
}

// maxTopN is the largest limit for which sorting keeps a heap instead of all rows.
const maxTopN = 1 << 20

func (pl *Planner) limit(n *logical.Limit) (Plan, spread, error) {
	limit, offset, rest, err := limitOf(n)
	if err != nil {
		return nil, single, err
	}
	if list, s, ok := sortBelow(rest); ok && limit+offset <= maxTopN {
		return pl.topN(s, list, limit, offset)
	}
	c, s, err := pl.plan(rest)
	if err != nil {
		return nil, s, err
	}
	c = pushLimit(c, limit+offset)
	if inOrder(c) {
		s = single
	}
	if s.kind != SinglePart {
		c = pl.toSingle(&Limit{N: limit + offset, Child: c}, s)
	}
	return &Limit{N: limit, Offset: offset, Global: true, Child: c}, single, nil
}

// sortBelow finds a global sort below at most one projection.
func sortBelow(p logical.Plan) (list []expr.Expr, s *logical.Sort, ok bool) {
	if pr, isProject := p.(*logical.Project); isProject {
		list, p = pr.List, pr.Child
	}
	s, ok = p.(*logical.Sort)
	return list, s, ok && s.Global
}

func (pl *Planner) topN(n *logical.Sort, list []expr.Expr, limit, offset int64) (Plan, spread, error) {
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	if s.kind != SinglePart {
		c = pl.toSingle(&TopN{Order: n.Order, N: limit + offset, Child: c}, s)
	}
	var out Plan = &TopN{Order: n.Order, N: limit, Offset: offset, Child: c}
	if list != nil {
		out = &Project{List: list, Child: out}
	}
	return out, single, nil
}

// pushLimit tells a scan below projections how many rows suffice.
func pushLimit(p Plan, n int64) Plan {
	switch x := p.(type) {
	case *Scan:
		q := *x
		q.Limit = n
		if len(q.Filters) == 0 {
			q.Tasks = 1 // the first rows come from the first splits
		}
		return &q
	case *Project:
		return MapChildren(x, func(c Plan) Plan { return pushLimit(c, n) })
	}
	return p
}

// inOrder says whether one task reads a scan for a limit, below projections.
func inOrder(p Plan) bool {
	switch x := p.(type) {
	case *Project:
		return inOrder(x.Child)
	case *Scan:
		return x.Tasks == 1
	}
	return false
}

func (pl *Planner) offset(n *logical.Offset) (Plan, spread, error) {
	k, err := constant(n.N)
	if err != nil {
		return nil, single, err
	}
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	return &Limit{N: -1, Offset: k, Global: true, Child: pl.toSingle(c, s)}, single, nil
}

func (pl *Planner) tail(n *logical.Tail) (Plan, spread, error) {
	k, err := constant(n.N)
	if err != nil {
		return nil, single, err
	}
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	if s.kind != SinglePart {
		c = &Exchange{Part: Partitioning{Kind: SinglePart, N: 1}, Child: c}
	}
	return &Tail{N: k, Child: c}, single, nil
}

func (pl *Planner) union(n *logical.SetOp) (Plan, spread, error) {
	if n.Kind != logical.Union || !n.All {
		return nil, single, sparkerr.Internal("set operation was not rewritten")
	}
	out := &Union{Out: n.Output()}
	total := 0
	for _, in := range n.Inputs {
		c, s, err := pl.plan(in)
		if err != nil {
			return nil, s, err
		}
		total += s.n
		out.Inputs = append(out.Inputs, c)
	}
	return out, spread{kind: UnknownPart, n: total}, nil
}

func (pl *Planner) window(n *logical.Window) (Plan, spread, error) {
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	c, s = pl.byKeys(c, s, n.Partition, pl.est.Of(n.Child).Rows)
	order := make([]expr.SortOrder, 0, len(n.Partition)+len(n.Order))
	for _, e := range n.Partition {
		order = append(order, expr.SortOrder{Child: e, NullsFirst: true})
	}
	order = append(order, n.Order...)
	if len(order) > 0 {
		c = &Sort{Order: order, Child: c}
	}
	return &Window{List: n.List, Partition: n.Partition, Order: n.Order, Child: c}, s, nil
}

func (pl *Planner) generate(n *logical.Generate) (Plan, spread, error) {
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	gen, ok := n.Gen.(*expr.Call)
	if !ok {
		return nil, s, sparkerr.Internal("generator %s was not resolved", n.Gen.SQL())
	}
	return &Generate{Gen: gen, Outer: n.Outer, Required: n.Child.Output(), Out: n.Output()[len(n.Child.Output()):], Child: c}, s, nil
}

func (pl *Planner) repartition(n *logical.Repartition) (Plan, spread, error) {
	c, s, err := pl.plan(n.Child)
	if err != nil {
		return nil, s, err
	}
	count := n.N
	if count == 0 {
		count = pl.partitions(pl.est.Of(n.Child).Rows)
	}
	if !n.Shuffle {
		if count == 1 && s.n == 1 {
			return c, s, nil
		}
		return &Coalesce{N: count, Child: c}, spread{kind: UnknownPart, n: count}, nil
	}
	part := Partitioning{Kind: HashPart, N: count, Keys: n.By}
	switch {
	case n.Range:
		part = Partitioning{Kind: RangePart, N: count}
		for _, e := range n.By {
			o, ok := e.(*expr.SortOrder)
			if !ok {
				o = &expr.SortOrder{Child: e, NullsFirst: true}
			}
			part.Order = append(part.Order, *o)
		}
	case len(n.By) == 0 && count > 1:
		part.Kind = RoundRobinPart
	case len(n.By) == 0:
		part.Kind = SinglePart
	}
	out := spread{kind: part.Kind, n: count, keys: part.Keys}
	if part.Kind != HashPart && part.Kind != SinglePart {
		out.kind = UnknownPart
	}
	return &Exchange{Part: part, User: true, Child: c}, out, nil
}
