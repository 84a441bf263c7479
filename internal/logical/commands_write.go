package logical

import "github.com/firesteel/firesteel/internal/expr"

// Assignment is target = value of UPDATE and MERGE. The value may be expr.Default.
type Assignment struct {
	Column []string
	Value  expr.Expr
}

// MergeAction is one WHEN clause of MERGE.
type MergeAction struct {
	When   MergeWhen
	Cond   expr.Expr // nil: none
	Delete bool
	Star   bool         // UPDATE SET * or INSERT *
	Assign []Assignment // UPDATE and INSERT
}

// MergeWhen says for which rows an action is.
type MergeWhen uint8

// The kinds of MERGE clauses.
const (
	WhenMatched MergeWhen = iota
	WhenNotMatched
	WhenNotMatchedBySource
)

// Constraint is a table or column constraint. Kind: CHECK, PRIMARY KEY, UNIQUE, FOREIGN KEY.
type Constraint struct {
	Kind       string
	Name       string
	Columns    []string
	Check      expr.Expr
	Text       string // of the check
	References []string
	RefColumns []string
	Enforced   *bool
	Rely       *bool
}

// TableExtra are the clauses of CREATE TABLE that few tables have.
type TableExtra struct {
	Generated    map[string]string // column: expression
	Identity     map[string]Identity
	Constraints  []Constraint
	ClusterBy    [][]string
	Transforms   []expr.Expr // PARTITIONED BY years(ts), bucket(4, id) …
	Collation    string
	StoredAs     string // file format of STORED AS
	InputFormat  string
	OutputFormat string
	StoredBy     string
	Serde        string
	SerdeProps   map[string]string
	Delimited    map[string]string // ROW FORMAT DELIMITED: field.delim, escape.delim, collection.delim, mapkey.delim, line.delim, null.format
	SkewedBy     []string
	Temporary    bool
	PipelineKind string // MATERIALIZED VIEW or STREAMING TABLE
}

// Identity is GENERATED … AS IDENTITY.
type Identity struct {
	Always      bool
	Start, Step int64
}

// MultiInsert is FROM … INSERT … INSERT …: the inserts in order.
type MultiInsert struct {
	command
	Inserts []Plan
}

// DeleteFrom is DELETE FROM.
type DeleteFrom struct {
	command
	Target
	Alias string
	Cond  expr.Expr
}

// UpdateTable is UPDATE.
type UpdateTable struct {
	command
	Target
	Alias  string
	Assign []Assignment
	Cond   expr.Expr
}

// MergeInto is MERGE INTO.
type MergeInto struct {
	command
	Target
	Alias           string
	Source          Plan
	On              expr.Expr
	Actions         []MergeAction
	SchemaEvolution bool
}

func (p *MultiInsert) WithChildren([]Plan) Plan   { return p }
func (p *MultiInsert) WithExprs([]expr.Expr) Plan { return p }
func (p *DeleteFrom) WithChildren([]Plan) Plan    { return p }
func (p *DeleteFrom) WithExprs([]expr.Expr) Plan  { return p }
func (p *UpdateTable) WithChildren([]Plan) Plan   { return p }
func (p *UpdateTable) WithExprs([]expr.Expr) Plan { return p }
func (p *MergeInto) WithChildren([]Plan) Plan     { return p }
func (p *MergeInto) WithExprs([]expr.Expr) Plan   { return p }
