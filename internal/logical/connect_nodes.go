package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// Expander is a node of the DataFrame API that stands for a plan of basic nodes once the columns of its children are known.
// The analyzer resolves the children, wraps each in Resolved, calls Expand, and resolves what comes out.
type Expander interface {
	Plan
	Expand(env *ExpandEnv, children []Plan) (Plan, error)
}

// ExpandEnv is what expansion asks of the analyzer.
type ExpandEnv struct {
	// Same says whether two column names are equal under the session's case sensitivity.
	Same func(a, b string) bool
	// Resolve resolves an expression against the columns of the children.
	Resolve func(e expr.Expr) (expr.Expr, error)
}

// Resolved is a subtree that the analyzer has been through; it answers with Plan as it is.
type Resolved struct {
	node
	Plan Plan
}

func (p *Resolved) Children() []Plan           { return nil }
func (p *Resolved) WithChildren([]Plan) Plan   { return p }
func (p *Resolved) Exprs() []expr.Expr         { return nil }
func (p *Resolved) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *Resolved) Output() []*expr.Column { return p.Plan.Output() }

// unary gives the nodes of this file what a node with one child and no own expressions answers.
type unary struct {
	node
	Child Plan
}

func (p *unary) Children() []Plan       { return []Plan{p.Child} }
func (p *unary) Exprs() []expr.Expr     { return nil }
func (p *unary) Output() []*expr.Column { return nil }

// WithColumns adds columns, or replaces those of the same name (withColumn, withColumns, withMetadata).
type WithColumns struct {
	unary
	Columns []*expr.Alias
}

// WithColumnsRenamed renames columns; names that do not exist are ignored.
type WithColumnsRenamed struct {
	unary
	From, To []string
}

// DropColumns removes columns by name or by reference; what does not exist is ignored.
type DropColumns struct {
	unary
	Names   []string
	Columns []expr.Expr
}

// ToDF gives all columns new names.
type ToDF struct {
	unary
	Names []string
}

// ToSchema picks, orders and casts columns by name to fit a schema.
type ToSchema struct {
	unary
	Schema *types.Schema
}

// FillNA replaces nulls (and NaN). One value is for all columns of its type, else Values go with Columns.
type FillNA struct {
	unary
	Columns []string
	Values  []*expr.Literal
}

// DropNA keeps rows with at least MinNonNulls values in Columns (none: all columns); MinNonNulls 0 means all of them.
type DropNA struct {
	unary
	Columns     []string
	MinNonNulls int
}

// ReplaceNA replaces values by others in columns of their type.
type ReplaceNA struct {
	unary
	Columns  []string
	Old, New []*expr.Literal
}

// Summary computes statistics of columns, a row for each: describe and summary.
type Summary struct {
	unary
	Columns    []string // none: all numeric and string columns
	Statistics []string
}

// SampleBy keeps a share of the rows for each value of a column.
type SampleBy struct {
	unary
	Column    expr.Expr
	Values    []*expr.Literal
	Fractions []float64
	Seed      int64
}

// ParseText parses a column of text as JSON or CSV into columns.
type ParseText struct {
	unary
	Format  string // json or csv
	Schema  *types.Schema
	Options map[string]string
}

// Crosstab counts pairs of values of two columns.
type Crosstab struct {
	unary
	Column1, Column2 string
}

// EventTimeWatermark says how late rows may be. It has no effect on a batch query.
type EventTimeWatermark struct {
	unary
	Column string
	Delay  string
}

func (p *WithColumns) WithChildren(c []Plan) Plan        { q := *p; q.Child = c[0]; return &q }
func (p *WithColumnsRenamed) WithChildren(c []Plan) Plan { q := *p; q.Child = c[0]; return &q }
func (p *DropColumns) WithChildren(c []Plan) Plan        { q := *p; q.Child = c[0]; return &q }
func (p *ToDF) WithChildren(c []Plan) Plan               { q := *p; q.Child = c[0]; return &q }
func (p *ToSchema) WithChildren(c []Plan) Plan           { q := *p; q.Child = c[0]; return &q }
func (p *FillNA) WithChildren(c []Plan) Plan             { q := *p; q.Child = c[0]; return &q }
func (p *DropNA) WithChildren(c []Plan) Plan             { q := *p; q.Child = c[0]; return &q }
func (p *ReplaceNA) WithChildren(c []Plan) Plan          { q := *p; q.Child = c[0]; return &q }
func (p *Summary) WithChildren(c []Plan) Plan            { q := *p; q.Child = c[0]; return &q }
func (p *SampleBy) WithChildren(c []Plan) Plan           { q := *p; q.Child = c[0]; return &q }
func (p *ParseText) WithChildren(c []Plan) Plan          { q := *p; q.Child = c[0]; return &q }
func (p *Crosstab) WithChildren(c []Plan) Plan           { q := *p; q.Child = c[0]; return &q }
func (p *EventTimeWatermark) WithChildren(c []Plan) Plan { q := *p; q.Child = c[0]; return &q }

func (p *WithColumnsRenamed) WithExprs([]expr.Expr) Plan { return p }
func (p *ToDF) WithExprs([]expr.Expr) Plan               { return p }
func (p *ToSchema) WithExprs([]expr.Expr) Plan           { return p }
func (p *FillNA) WithExprs([]expr.Expr) Plan             { return p }
func (p *DropNA) WithExprs([]expr.Expr) Plan             { return p }
func (p *ReplaceNA) WithExprs([]expr.Expr) Plan          { return p }
func (p *Summary) WithExprs([]expr.Expr) Plan            { return p }
func (p *ParseText) WithExprs([]expr.Expr) Plan          { return p }
func (p *Crosstab) WithExprs([]expr.Expr) Plan           { return p }
func (p *EventTimeWatermark) WithExprs([]expr.Expr) Plan { return p }

// Exprs of WithColumns are its aliases.
func (p *WithColumns) Exprs() []expr.Expr {
	out := make([]expr.Expr, len(p.Columns))
	for i, c := range p.Columns {
		out[i] = c
	}
	return out
}

// WithExprs implements Plan.
func (p *WithColumns) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Columns = make([]*expr.Alias, len(e))
	for i, x := range e {
		q.Columns[i] = x.(*expr.Alias)
	}
	return &q
}

// Exprs of DropColumns are its references.
func (p *DropColumns) Exprs() []expr.Expr { return p.Columns }

// WithExprs implements Plan.
func (p *DropColumns) WithExprs(e []expr.Expr) Plan { q := *p; q.Columns = e; return &q }

// Exprs of SampleBy is its column.
func (p *SampleBy) Exprs() []expr.Expr { return []expr.Expr{p.Column} }

// WithExprs implements Plan.
func (p *SampleBy) WithExprs(e []expr.Expr) Plan { q := *p; q.Column = e[0]; return &q }

// NewUnary sets the child of a node of this file.
func NewUnary[T any, P interface {
	*T
	setChild(Plan)
}](n T, child Plan) *T {
	P(&n).setChild(child)
	return &n
}

func (p *unary) setChild(c Plan) { p.Child = c }
