package expr

import "github.com/firesteel/firesteel/internal/types"

// True, False and NullBool are the boolean constants.
var (
	True     = &Literal{Value: true, T: types.Boolean}
	False    = &Literal{Value: false, T: types.Boolean}
	NullBool = &Literal{T: types.Boolean}
)

// NewLiteral makes a constant of a type.
func NewLiteral(v any, t types.Type) *Literal { return &Literal{Value: v, T: t} }

// NewCall makes a resolved call that is nullable when an argument is.
func NewCall(name string, t types.Type, args ...Expr) *Call {
	null := false
	for _, a := range args {
		null = null || a.Nullable()
	}
	return &Call{Name: name, Args: args, T: t, Null: null}
}

// NewFunc makes an unresolved call by name, operators included.
func NewFunc(name string, args ...Expr) *Func { return &Func{Name: []string{name}, Args: args} }

// And joins conditions; nil for none. Already resolved operands only.
func And(conds ...Expr) Expr {
	var out Expr
	for _, c := range conds {
		switch {
		case c == nil:
		case out == nil:
			out = c
		default:
			out = NewCall("and", types.Boolean, out, c)
		}
	}
	return out
}

// Eq, Not and IsNotNull build resolved predicates.
func Eq(a, b Expr) Expr     { return NewCall("=", types.Boolean, a, b) }
func Not(a Expr) Expr       { return NewCall("not", types.Boolean, a) }
func IsNotNull(a Expr) Expr { return &Call{Name: "isnotnull", Args: []Expr{a}, T: types.Boolean} }
