// Package function is the function table: one row per function, operators included. The analyzer resolves names and
// argument types by it, eval finds kernels by it, SHOW/DESCRIBE FUNCTION, the docs and the example tests read it.
package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// Kind says where a function may stand.
type Kind uint8

// The kinds. Special functions (and, or, when, if, coalesce …) are evaluated lazily by eval itself.
const (
	Scalar Kind = iota
	Special
	Aggregate
	WindowFunc
	Generator
	TableFunc
)

// Example is a documented call and its answer as text; the example test runs it. SQL is what stands after SELECT.
type Example struct{ SQL, Result string }

// Row is one function.
type Row struct {
	Name     string
	Aliases  []string
	Kind     Kind
	Group    string // e.g. math_funcs, string_funcs: as DESCRIBE FUNCTION and the docs sort them
	Since    string
	Usage    string
	Args     []string // names, for named arguments
	Examples []Example
	Internal bool // not callable from SQL text
	// OwnNames: a call by an alias is printed with the alias.
	OwnNames bool
	// NonDeterministic functions are not folded, pushed or duplicated.
	NonDeterministic bool
	// NullIn: the result is null where an argument is, and the kernel sees the arguments' validity already combined in Ctx.Valid.
	NullIn bool
	// Total says that evaluating the resolved call never fails, so that it may run on rows that are not asked for; nil: it may fail.
	Total func(c *expr.Call) bool
	// Sig describes the arguments and the result of a simple function; Bind, when set, is used instead.
	Sig *Sig
	// Bind checks and coerces the arguments and returns the resolved expression: usually *expr.Call or *expr.Agg of this row,
	// or another expression when the function is a rewrite.
	Bind func(env *BindEnv, call *expr.Func) (expr.Expr, error)
	// Replace gives the expression that a call stands for, from its arguments as the user gave them (resolved): the call keeps its
	// name and arguments for printing, eval evaluates the replacement.
	Replace func(env *BindEnv, args []expr.Expr) (expr.Expr, error)
	// HigherOrder gives the loop of a function with lambda arguments, instead of Kernel.
	HigherOrder func(c *expr.Call) (kernel.HigherOrder, error)
	// Kernel gives the loop for concrete argument types (Scalar).
	Kernel func(c *expr.Call) (kernel.Func, error)
	// NewAgg makes an empty state and StateTypes its partial form (Aggregate).
	NewAgg     func(a *expr.Agg) (kernel.Agg, error)
	StateTypes func(a *expr.Agg) []types.Type
	// Columns are the output columns of a generator or table function for bound arguments.
	Columns func(c *expr.Call) []types.Field
}

// BindEnv is what binding needs of the session.
type BindEnv struct {
	Session *kernel.Session
	// Fold evaluates a foldable resolved expression to a value (set by the analyzer from eval).
	Fold func(e expr.Expr) (any, error)
	// Lambda resolves the body of a lambda against parameters of the given names, types and nullability; a lambda with fewer
	// parameters than given takes the first ones.
	Lambda func(l *expr.Lambda, params ...types.Field) (*expr.Lambda, error)
}

// Lookup finds a row by name or alias, in any case.
func Lookup(name string) (*Row, bool) {
	r, ok := index()[strings.ToLower(name)]
	return r, ok
}

// Rows is the whole table, sorted by name.
func Rows() []*Row { return all() }
