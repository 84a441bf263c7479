package physical

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// Explain prints a plan as Spark prints its physical plans: one node a line, children indented below.
func Explain(p Plan) string {
	var b strings.Builder
	top := &explainer{b: &b}
	if hasExchange(p) {
		b.WriteString("AdaptiveSparkPlan isFinalPlan=false\n")
		top.tree(p, "", true)
	} else {
		b.WriteString(top.line(p) + "\n")
		top.children(p, "")
	}
	return b.String()
}

func hasExchange(p Plan) bool {
	found := false
	Walk(p, func(n Plan) bool {
		switch n.(type) {
		case *Exchange, *Broadcast:
			found = true
		}
		return !found
	})
	return found
}

type explainer struct {
	b    *strings.Builder
	next int
	seen map[int]int // plan ids of shared exchanges
}

// tree prints a node with its branch and what is below it.
func (x *explainer) tree(p Plan, indent string, last bool) {
	branch, below := ":- ", ":  "
	if last {
		branch, below = "+- ", "   "
	}
	x.b.WriteString(indent + branch + x.line(p) + "\n")
	x.children(p, indent+below)
}

func (x *explainer) children(p Plan, indent string) {
	kids := p.Children()
	if x.reused(p) {
		return
	}
	for i, c := range kids {
		x.tree(c, indent, i == len(kids)-1)
	}
}

// reused says whether an exchange's rows are those of one that was printed before, and notes it.
func (x *explainer) reused(p Plan) bool {
	n := sharedNumber(p)
	if n == 0 {
		return false
	}
	if x.seen == nil {
		x.seen = map[int]int{}
	}
	if x.seen[n] == 0 {
		x.seen[n] = x.next
	}
	return x.seen[n] != x.next
}

func sharedNumber(p Plan) int {
	switch n := p.(type) {
	case *Exchange:
		return n.Shared
	case *Broadcast:
		return n.Shared
	}
	return 0
}

func (x *explainer) line(p Plan) string {
	if id := x.seen[sharedNumber(p)]; id > 0 {
		x.next++
		return fmt.Sprintf("ReusedExchange [%s], plan_id=%d", strings.Trim(expr.ColumnTexts(p.Output()), "[]"), id)
	}
	switch p.(type) {
	case *Exchange, *Broadcast:
		x.next++
		return DescribeExchange(p, x.next)
	}
	return Describe(p)
}

// DescribeExchange is one line about a node between two stages, with the number that it has in its plan.
func DescribeExchange(p Plan, id int) string {
	switch n := p.(type) {
	case *Exchange:
		why := "ENSURE_REQUIREMENTS"
		if n.User {
			why = "REPARTITION_BY_NUM"
		}
		return fmt.Sprintf("Exchange %s, %s, [plan_id=%d]", n.Part, why, id)
	case *Broadcast:
		return fmt.Sprintf("BroadcastExchange HashedRelationBroadcastMode(%s), [plan_id=%d]", expr.ColumnTexts(n.Output()), id)
	}
	return Describe(p)
}

// String prints a partitioning as Spark does.
func (p Partitioning) String() string {
	n := strconv.Itoa(p.N)
	switch p.Kind {
	case HashPart:
		return "hashpartitioning(" + expr.TextList(p.Keys) + ", " + n + ")"
	case RangePart:
		return "rangepartitioning(" + orderText(p.Order) + ", " + n + ")"
	case RoundRobinPart:
		return "RoundRobinPartitioning(" + n + ")"
	case SinglePart:
		return "SinglePartition"
	}
	return "UnknownPartitioning(" + n + ")"
}

func orderText(order []expr.SortOrder) string {
	parts := make([]string, len(order))
	for i := range order {
		parts[i] = expr.Text(&order[i])
	}
	return strings.Join(parts, ", ")
}

func list(e []expr.Expr) string { return "[" + expr.TextList(e) + "]" }

// Name is Spark's name of a node's operator.
func Name(p Plan) string {
	name, _, _ := strings.Cut(DescribeExchange(p, 0), " ")
	name, _, _ = strings.Cut(name, "(")
	return name
}

// Describe is one line about a node, without its children.
func Describe(p Plan) string {
	switch n := p.(type) {
	case *Scan:
		return describeScan(n)
	case *LocalScan:
		return "LocalTableScan " + expr.ColumnTexts(n.Out)
	case *OneRow:
		return "Scan OneRowRelation[]"
	case *Range:
		return fmt.Sprintf("Range (%d, %d, step=%d, splits=%d)", n.Start, n.End, n.Step, n.Partitions)
	case *CachedScan:
		return "InMemoryTableScan " + expr.ColumnTexts(n.Out)
	case *Project:
		return "Project " + list(n.List)
	case *Filter:
		return "Filter " + expr.Text(n.Cond)
	case *Aggregate:
		return describeAggregate(n)
	case *Sort:
		return fmt.Sprintf("Sort [%s], %v, 0", orderText(n.Order), n.Global)
	case *TopN:
		return fmt.Sprintf("TakeOrderedAndProject(limit=%d, orderBy=[%s], output=%s)", n.N, orderText(n.Order), expr.ColumnTexts(n.Output()))
	case *Limit:
		return describeLimit(n)
	case *Tail:
		return fmt.Sprintf("CollectTail %d", n.N)
	case *Window:
		return fmt.Sprintf("Window %s, %s, [%s]", list(n.List), list(n.Partition), orderText(n.Order))
	case *Generate:
		return fmt.Sprintf("Generate %s, %s, %v, %s", expr.Text(n.Gen), expr.ColumnTexts(n.Required), n.Outer, expr.ColumnTexts(n.Out))
	case *Expand:
		rows := make([]string, len(n.Projections))
		for i, r := range n.Projections {
			rows[i] = list(r)
		}
		return "Expand [" + strings.Join(rows, ", ") + "], " + expr.ColumnTexts(n.Out)
	case *Union:
		return "Union"
	case *Sample:
		return fmt.Sprintf("Sample %v, %v, %v, %d", n.Lower, n.Upper, n.WithReplacement, n.Seed)
	case *Coalesce:
		return fmt.Sprintf("Coalesce %d", n.N)
	case *StageInput:
		return fmt.Sprintf("ShuffleQueryStage %d", n.Stage)
	case *WriteFiles:
		return "WriteFiles " + n.Format + ", " + n.Path
	}
	return describeJoin(p)
}

func describeJoin(p Plan) string {
	side := func(right bool) string {
		if right {
			return "BuildRight"
		}
		return "BuildLeft"
	}
	cond := func(e expr.Expr) string {
		if e == nil {
			return ""
		}
		return ", " + expr.Text(e)
	}
	switch n := p.(type) {
	case *HashJoin:
		name := "ShuffledHashJoin"
		tail := ""
		if n.Broadcast {
			name, tail = "BroadcastHashJoin", fmt.Sprintf(", %v", n.Hint.NullAware)
		}
		return fmt.Sprintf("%s %s, %s, %s, %s%s%s", name, list(n.LeftKeys), list(n.RightKeys), joinKind(n.Kind, n.Hint), side(n.BuildRight), cond(n.Cond), tail)
	case *MergeJoin:
		return fmt.Sprintf("SortMergeJoin %s, %s, %s%s", list(n.LeftKeys), list(n.RightKeys), joinKind(n.Kind, n.Hint), cond(n.Cond))
	case *LoopJoin:
		if !n.Broadcast {
			return "CartesianProduct" + strings.Replace(cond(n.Cond), ", ", " ", 1)
		}
		return fmt.Sprintf("BroadcastNestedLoopJoin %s, %s%s", side(n.BuildRight), joinKind(n.Kind, n.Hint), cond(n.Cond))
	}
	return fmt.Sprintf("%T", p)
}

func joinKind(k logical.JoinKind, h logical.JoinHint) string {
	if k == logical.ExistenceJoin {
		return "ExistenceJoin(" + expr.ColumnText(h.Exists) + ")"
	}
	return k.String()
}

func describeAggregate(n *Aggregate) string {
	fns := make([]string, len(n.Aggs))
	object := false
	for i, a := range n.Aggs {
		prefix := ""
		switch a.Mode {
		case Partial:
			prefix = "partial_"
		case PartialMerge:
			prefix = "merge_"
		}
		fns[i] = prefix + expr.Text(a.Agg)
		for _, s := range a.State {
			object = object || s.T.Kind == types.BinaryKind
		}
	}
	name := "HashAggregate"
	if object {
		name = "ObjectHashAggregate"
	}
	return fmt.Sprintf("%s(keys=%s, functions=[%s])", name, list(n.Keys), strings.Join(fns, ", "))
}

func describeLimit(n *Limit) string {
	name := "LocalLimit"
	if n.Global {
		name = "GlobalLimit"
	}
	if n.Offset > 0 {
		return fmt.Sprintf("%s %d, %d", name, n.N, n.Offset)
	}
	return fmt.Sprintf("%s %d", name, n.N)
}

func describeScan(n *Scan) string {
	t := n.Table
	fields := make([]string, len(n.Out))
	for i, c := range n.Out {
		fields[i] = c.Name + ":" + c.T.String()
	}
	paths := t.Paths
	if len(paths) == 0 && t.Location != "" {
		paths = []string{t.Location}
	}
	name := ""
	if len(t.Name) > 0 {
		name = strings.Join(t.Name, ".")
	}
	return fmt.Sprintf("FileScan %s %s%s Batched: true, DataFilters: %s, Format: %s, Location: InMemoryFileIndex(%d paths)[%s], PartitionFilters: [], PushedFilters: %s, ReadSchema: struct<%s>",
		t.Provider, name, expr.ColumnTexts(n.Out), list(n.Filters), formatName(t.Provider), len(paths), strings.Join(paths, ", "), list(n.Filters), strings.Join(fields, ","))
}

func formatName(provider string) string {
	switch provider {
	case "csv", "json", "orc":
		return strings.ToUpper(provider)
	case "":
		return ""
	}
	return strings.ToUpper(provider[:1]) + provider[1:]
}
