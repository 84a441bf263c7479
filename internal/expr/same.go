package expr

import (
	"bytes"

	"github.com/firesteel/firesteel/internal/types"
)

// mirrored are the operators that mean the same with their operands exchanged under another (or the same) name.
var mirrored = map[string]string{"+": "+", "*": "*", "=": "=", "<=>": "<=>", "and": "and", "or": "or", "&": "&", "|": "|", "^": "^",
	"<": ">", ">": "<", "<=": ">=", ">=": "<="}

// Same says whether two resolved expressions compute the same value: columns by id whatever their names, commutative
// operands in either order. Expressions that are not deterministic are the same only if they are one node.
func Same(a, b Expr) bool {
	if a == b {
		return true
	}
	switch x := a.(type) {
	case *Column:
		y, ok := b.(*Column)
		return ok && x.ID == y.ID
	case *OuterRef:
		y, ok := b.(*OuterRef)
		return ok && x.Col.ID == y.Col.ID
	case *LambdaVar:
		y, ok := b.(*LambdaVar)
		return ok && x.ID == y.ID
	case *Literal:
		y, ok := b.(*Literal)
		return ok && x.T.SameType(y.T) && sameValue(x.Value, y.Value)
	case *Alias:
		y, ok := b.(*Alias)
		return ok && Same(x.Child, y.Child)
	case *Cast:
		y, ok := b.(*Cast)
		return ok && x.Mode == y.Mode && x.To.Equal(y.To) && Same(x.Child, y.Child)
	case *Call:
		y, ok := b.(*Call)
		return ok && sameCall(x, y)
	case *SortOrder:
		y, ok := b.(*SortOrder)
		return ok && x.Desc == y.Desc && x.NullsFirst == y.NullsFirst && Same(x.Child, y.Child)
	}
	return sameRare(a, b)
}

func sameRare(a, b Expr) bool {
	switch x := a.(type) {
	case *Agg:
		y, ok := b.(*Agg)
		return ok && x.Name == y.Name && x.Distinct == y.Distinct && x.IgnoreNulls == y.IgnoreNulls && x.Mode == y.Mode &&
			(x.Filter == nil) == (y.Filter == nil) && sameOrder(x.Order, y.Order) && SameAll(x.Children(), y.Children())
	case *Window:
		y, ok := b.(*Window)
		return ok && x.Spec.Unit == y.Spec.Unit && len(x.Spec.Partition) == len(y.Spec.Partition) && sameOrder(x.Spec.Order, y.Spec.Order) &&
			sameBound(x.Spec.Lower, y.Spec.Lower) && sameBound(x.Spec.Upper, y.Spec.Upper) && SameAll(x.Children(), y.Children())
	case *Lambda:
		y, ok := b.(*Lambda)
		return ok && sameLambda(x, y)
	case *Subquery:
		y, ok := b.(*Subquery)
		return ok && x.ID == y.ID && x.Kind == y.Kind && SameAll(x.Children(), y.Children())
	}
	return false
}

// SameAll compares lists element by element.
func SameAll(a, b []Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameCall(x, y *Call) bool {
	if x.Seed != y.Seed || x.Mode != y.Mode || len(x.Args) != len(y.Args) {
		return false
	}
	if x.Name == y.Name && SameAll(x.Args, y.Args) {
		return true
	}
	return len(x.Args) == 2 && mirrored[x.Name] == y.Name && y.Name != "" && Same(x.Args[0], y.Args[1]) && Same(x.Args[1], y.Args[0])
}

func sameOrder(a, b []SortOrder) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Desc != b[i].Desc || a[i].NullsFirst != b[i].NullsFirst {
			return false
		}
	}
	return true
}

func sameBound(a, b Bound) bool { return a.Kind == b.Kind && (a.Offset == nil) == (b.Offset == nil) }

// sameLambda compares bodies with the parameters of one put in place of the other's.
func sameLambda(x, y *Lambda) bool {
	if len(x.Params) != len(y.Params) {
		return false
	}
	for i, p := range x.Params {
		if !p.T.Equal(y.Params[i].T) {
			return false
		}
	}
	body := Up(y.Body, func(e Expr) Expr {
		v, ok := e.(*LambdaVar)
		if !ok {
			return e
		}
		for i, p := range y.Params {
			if p.ID == v.ID {
				return x.Params[i]
			}
		}
		return e
	})
	return Same(x.Body, body)
}

// sameValue compares two values as literals hold them.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case []any:
		y, ok := b.([]any)
		return ok && sameValues(x, y)
	case types.MapValue:
		y, ok := b.(types.MapValue)
		return ok && sameValues(x.Keys, y.Keys) && sameValues(x.Values, y.Values)
	}
	switch b.(type) {
	case []byte, []any, types.MapValue:
		return false
	}
	return a == b
}

func sameValues(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameValue(a[i], b[i]) {
			return false
		}
	}
	return true
}
