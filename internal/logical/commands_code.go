package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// FunctionParam is a parameter of a SQL function; Default is SQL text.
type FunctionParam struct {
	types.Field
	Default *string
}

// CreateFunction is CREATE FUNCTION: of a class, or of SQL when Body or Query is set.
type CreateFunction struct {
	command
	Target
	Temp          bool
	Replace       bool
	IfNotExists   bool
	Class         string
	Resources     [][2]string // kind and path
	Params        []FunctionParam
	Returns       *types.Type // nil: not given
	ReturnsTable  []types.Field
	IsTable       bool
	Body          expr.Expr
	Query         Plan
	Text          string // of the body
	Comment       string
	Collation     string
	Language      string
	Deterministic *bool
	ReadsData     *bool
}

// DropFunction is DROP FUNCTION.
type DropFunction struct {
	command
	Target
	Temp     bool
	IfExists bool
}

// DeclareVariable is DECLARE VARIABLE.
type DeclareVariable struct {
	command
	Names   []Target
	Replace bool
	Type    *types.Type
	Default expr.Expr
	Text    string // of the default
}

// SetVariable is SET VARIABLE: to expressions, or to the one row of a Query. A value may be expr.Default.
type SetVariable struct {
	command
	Names  [][]string
	Values []expr.Expr
	Query  Plan
	At     *expr.Origin
}

// DropVariable is DROP TEMPORARY VARIABLE.
type DropVariable struct {
	command
	Target
	IfExists bool
}

// ExecuteImmediate is EXECUTE IMMEDIATE; arguments with an alias are named.
type ExecuteImmediate struct {
	command
	Statement expr.Expr
	Into      [][]string
	Args      []expr.Expr
	At        *expr.Origin
}

// CallProcedure is CALL.
type CallProcedure struct {
	command
	Target
	Args []expr.Expr
}

func (p *CreateFunction) WithChildren([]Plan) Plan     { return p }
func (p *CreateFunction) WithExprs([]expr.Expr) Plan   { return p }
func (p *DropFunction) WithChildren([]Plan) Plan       { return p }
func (p *DropFunction) WithExprs([]expr.Expr) Plan     { return p }
func (p *DeclareVariable) WithChildren([]Plan) Plan    { return p }
func (p *DeclareVariable) WithExprs([]expr.Expr) Plan  { return p }
func (p *SetVariable) WithChildren([]Plan) Plan        { return p }
func (p *SetVariable) WithExprs([]expr.Expr) Plan      { return p }
func (p *DropVariable) WithChildren([]Plan) Plan       { return p }
func (p *DropVariable) WithExprs([]expr.Expr) Plan     { return p }
func (p *ExecuteImmediate) WithChildren([]Plan) Plan   { return p }
func (p *ExecuteImmediate) WithExprs([]expr.Expr) Plan { return p }
func (p *CallProcedure) WithChildren([]Plan) Plan      { return p }
func (p *CallProcedure) WithExprs([]expr.Expr) Plan    { return p }
