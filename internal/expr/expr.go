// Package expr holds expression trees: unresolved forms as the front ends make them, and resolved forms as the
// analyzer leaves them. Expressions are immutable; rules build new ones, and "nothing changed" is pointer equality.
//
// After analysis a tree holds only: Literal, Column, Alias, Cast, Call, Agg, Window, SortOrder, Lambda, LambdaVar,
// Subquery, OuterRef. Everything that has a row in the function table is a Call (scalar, generator, window function)
// or an Agg, operators and CASE included: Call{Name: "and"}, Call{Name: "+"}, Call{Name: "when"} …
package expr

import (
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/types"
)

// Expr is a node of an expression tree.
type Expr interface {
	// Children are the sub-expressions in order; WithChildren returns a copy of the node with others in their place.
	Children() []Expr
	WithChildren(c []Expr) Expr
	// Type and Nullable hold for resolved nodes; unresolved ones answer types.Null and true.
	Type() types.Type
	Nullable() bool
	// SQL is Spark's printed form: the name of an unaliased column, e.g. "(a + 1)", "CAST(a AS INT)".
	SQL() string
}

// Plan is what a Subquery holds: a logical.Plan (this package cannot name it).
type Plan interface{ IsPlan() }

// ID identifies a column over a whole plan.
type ID uint64

var lastID atomic.Uint64

// NextID makes a fresh column id.
func NextID() ID { return ID(lastID.Add(1)) }

// RaiseID makes NextID give ids above id: those of a plan that comes from another process are taken.
func RaiseID(id ID) {
	for {
		last := lastID.Load()
		if last >= uint64(id) || lastID.CompareAndSwap(last, uint64(id)) {
			return
		}
	}
}

// Origin says where in the user's text or program an expression stands; nil if unknown.
type Origin struct {
	Text                   string // the whole SQL text
	Start, Stop            int    // 0-based rune offsets in Text, Stop inclusive
	Line, Pos              int    // 1-based line, 0-based column of Start
	ObjectType, ObjectName string // e.g. VIEW, name
	CallSite, Fragment     string // DataFrame origin
}

// ---- resolved and shared nodes ----

// Literal is a constant; Value's Go type is as types/value.go says, nil for NULL.
type Literal struct {
	Value any
	T     types.Type
	At    *Origin
}

// Column refers to a column of a child plan's output by id (Spark's AttributeReference).
type Column struct {
	ID        ID
	Name      string
	T         types.Type
	Null      bool
	Qualifier []string // e.g. [spark_catalog, default, t] or [alias]
	Metadata  string   // JSON object text
	PlanIDs   []int64  // client plan ids whose output this column belongs to (DataFrame references)
	Hidden    bool     // reachable by name but not part of *: e.g. _metadata, the dropped side of USING
}

// Alias names an expression and gives it an id.
type Alias struct {
	Child     Expr
	Name      string
	ID        ID
	Qualifier []string
	Metadata  string
	Auto      bool // named by the engine (Child's SQL), not by the user
}

// CastMode is how a cast fails.
type CastMode uint8

// CastDefault takes the session's mode when it is resolved: Ansi or Legacy.
const (
	CastDefault CastMode = iota
	CastLegacy
	CastAnsi
	CastTry
)

// Cast converts to a type.
type Cast struct {
	Child    Expr
	To       types.Type
	Mode     CastMode
	Implicit bool // put in by coercion: printed as its child is
	At       *Origin
}

// Call applies a row of the function table (operators included) that is not an aggregate.
type Call struct {
	Name string // the row's name
	Args []Expr
	T    types.Type
	Null bool
	Mode CastMode // how arithmetic fails: Ansi, Legacy (null or wrap), Try
	Seed int64    // state of non-deterministic functions
	At   *Origin
}

// Agg applies an aggregate function.
type Agg struct {
	Name        string
	Args        []Expr
	Distinct    bool
	Filter      Expr        // nil if none
	Order       []SortOrder // WITHIN GROUP or ORDER BY inside the call
	IgnoreNulls bool
	T           types.Type
	Null        bool
	Mode        CastMode
	At          *Origin
}

// SortOrder is an ordering of rows by an expression.
type SortOrder struct {
	Child      Expr
	Desc       bool
	NullsFirst bool
}

// FrameUnit is ROWS or RANGE.
type FrameUnit uint8

// DefaultFrame is resolved by the analyzer: RANGE to the current row with an order, else the whole partition.
const (
	DefaultFrame FrameUnit = iota
	Rows
	Range
)

// Bound kinds of a window frame.
type BoundKind uint8

const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a window frame; Offset (Preceding and Following) is foldable.
type Bound struct {
	Kind   BoundKind
	Offset Expr
}

// WindowSpec is what follows OVER.
type WindowSpec struct {
	Ref       string // name of a WINDOW clause entry to start from; "" if none
	Partition []Expr
	Order     []SortOrder
	Unit      FrameUnit
	Lower     Bound
	Upper     Bound
}

// Window is a window function (a Call of window kind, or an Agg) over a window.
type Window struct {
	Func Expr
	Spec WindowSpec
	At   *Origin
}

// Lambda is an anonymous function; Params are bound by the higher-order function.
type Lambda struct {
	Params []*LambdaVar
	Body   Expr
}

// LambdaVar is a parameter of a Lambda. Unresolved ones have ID 0 and are matched by name.
type LambdaVar struct {
	Name string
	ID   ID
	T    types.Type
	Null bool
}

// SubqueryKind is the way a subquery is used.
type SubqueryKind uint8

const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery    // Values IN (plan)
	TableArgument // TABLE(plan) as an argument of a function
	ArraySubquery // ARRAY(plan)
)

// Subquery is a plan inside an expression.
type Subquery struct {
	Kind    SubqueryKind
	Plan    Plan
	PlanRef int64  // unresolved DataFrame form: id of a plan among the WithRelations' references; 0 if none
	Values  []Expr // InSubquery: the left side
	Outer   []Expr // after analysis: the outer columns that the plan uses (as Column)
	ID      ID
	T       types.Type
	Null    bool
	At      *Origin
}

// OuterRef is, inside a correlated subquery, a column of the query around it.
type OuterRef struct{ Col *Column }

// ---- unresolved nodes ----

// Attribute is a possibly qualified name.
type Attribute struct {
	Name   []string
	PlanID int64 // 0: none; else the DataFrame whose output it belongs to
	Meta   bool  // metadata column
	At     *Origin
}

// Star is * or a.*, with EXCEPT columns and REPLACE-like forms as the grammar has them.
type Star struct {
	Target []string
	PlanID int64
	Except [][]string
	At     *Origin
}

// Regex is colRegex: the columns whose names match.
type Regex struct {
	Pattern string
	Target  []string
	PlanID  int64
}

// Func is a call by name.
type Func struct {
	Name        []string
	Args        []Expr
	Distinct    bool
	Filter      Expr
	Order       []SortOrder // WITHIN GROUP or ORDER BY
	Within      bool        // Order came by WITHIN GROUP
	IgnoreNulls bool
	Internal    bool // may name functions that SQL users cannot call
	At          *Origin
}

// Operator calls (+, =, and, like, when, between …) made by the front ends are Func with the operator's row name as the only part.

// Extract is a.b, a[b]: field, element or map value.
type Extract struct {
	Child, Key Expr
	At         *Origin
}

// UpdateFields is withField/dropFields.
type UpdateFields struct {
	Child Expr
	Field []string
	Value Expr // nil drops the field
}

// NamedArg is name => value.
type NamedArg struct {
	Name  string
	Value Expr
}

// MultiAlias names the columns of a generator.
type MultiAlias struct {
	Child Expr
	Names []string
}

// Param is a parameter marker: by name, or by position when Name is "".
type Param struct {
	Name  string
	Index int
	At    *Origin
}

// Identifier is IDENTIFIER(expr): Child gives a name. When Call is set it stands for a function name with Args.
type Identifier struct {
	Child Expr
	Call  *Func // Name empty
	At    *Origin
}

// GroupingKind says how Sets of GroupingSets combine.
type GroupingKind uint8

const (
	SetsGrouping GroupingKind = iota
	RollupGrouping
	CubeGrouping
)

// GroupingSets is an element of GROUP BY: GROUPING SETS, ROLLUP or CUBE.
type GroupingSets struct {
	Kind GroupingKind
	Sets [][]Expr
}

// Default is the DEFAULT keyword in VALUES and UPDATE.
type Default struct{}
