package source

import (
	"bytes"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/types"
)

// mayMatch says whether a condition can be true for some row whose columns lie within the bounds; get gives the bounds of
// a column, ok false if nothing is known. What it does not understand may match.
func mayMatch(e expr.Expr, get func(*expr.Column) (parquet.Bounds, bool)) bool {
	switch x := e.(type) {
	case *expr.Literal:
		return x.T.Kind != types.BooleanKind || x.Value == true
	case *expr.Column:
		b, ok := get(x)
		return !ok || b.Max == nil && !allNull(b) || b.Max == true
	case *expr.Call:
		switch x.Name {
		case "and":
			return mayMatch(x.Args[0], get) && mayMatch(x.Args[1], get)
		case "or":
			return mayMatch(x.Args[0], get) || mayMatch(x.Args[1], get)
		case "isnull", "isnotnull":
			return mayMatchNull(x, get)
		case "in":
			return mayMatchIn(x, get)
		case "startswith":
			return mayMatchPrefix(x, get)
		case "=", "==", "<", "<=", ">", ">=", "<=>":
			return mayMatchCompare(x, get)
		}
	}
	return true
}

func allNull(b parquet.Bounds) bool { return b.Nulls == b.Rows && b.Rows > 0 }

func mayMatchNull(x *expr.Call, get func(*expr.Column) (parquet.Bounds, bool)) bool {
	c, ok := x.Args[0].(*expr.Column)
	if !ok {
		return true
	}
	b, ok := get(c)
	if !ok || b.Nulls < 0 {
		return true
	}
	if x.Name == "isnull" {
		return b.Nulls > 0
	}
	return b.Nulls < b.Rows
}

// operand is a column and a constant of comparable type; flipped says that the constant came first.
func operand(x *expr.Call) (c *expr.Column, lit *expr.Literal, flipped bool) {
	if len(x.Args) != 2 {
		return nil, nil, false
	}
	a, b := x.Args[0], x.Args[1]
	if _, ok := a.(*expr.Literal); ok {
		a, b, flipped = b, a, true
	}
	c, _ = a.(*expr.Column)
	lit, _ = b.(*expr.Literal)
	if c == nil || lit == nil || !c.T.SameType(lit.T) || c.T.Collation != "" {
		return nil, nil, false
	}
	return c, lit, flipped
}

func mayMatchCompare(x *expr.Call, get func(*expr.Column) (parquet.Bounds, bool)) bool {
	c, lit, flipped := operand(x)
	if c == nil {
		return true
	}
	b, ok := get(c)
	if !ok {
		return true
	}
	if lit.Value == nil {
		return x.Name == "<=>" && b.Nulls != 0
	}
	if allNull(b) {
		return false
	}
	lo, ok1 := compare(b.Min, lit.Value)
	hi, ok2 := compare(b.Max, lit.Value)
	if !ok1 || !ok2 {
		return true
	}
	name := x.Name
	if flipped {
		name = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[name]
		if name == "" {
			name = "="
		}
	}
	switch name {
	case "<":
		return lo < 0
	case "<=":
		return lo <= 0
	case ">":
		return hi > 0 || float(lit.Value)
	case ">=":
		return hi >= 0 || float(lit.Value)
	}
	return lo <= 0 && hi >= 0 || nan(lit.Value)
}

// float: bounds leave out NaN, which is greater than all other values.
func float(v any) bool {
	switch v.(type) {
	case float32, float64:
		return true
	}
	return false
}

func nan(v any) bool {
	switch x := v.(type) {
	case float32:
		return x != x
	case float64:
		return x != x
	}
	return false
}

func mayMatchIn(x *expr.Call, get func(*expr.Column) (parquet.Bounds, bool)) bool {
	for _, v := range x.Args[1:] {
		if mayMatchCompare(&expr.Call{Name: "=", Args: []expr.Expr{x.Args[0], v}}, get) {
			return true
		}
	}
	return false
}

func mayMatchPrefix(x *expr.Call, get func(*expr.Column) (parquet.Bounds, bool)) bool {
	c, lit, flipped := operand(x)
	if c == nil || flipped {
		return true
	}
	prefix, ok := lit.Value.(string)
	if !ok {
		return lit.Value != nil
	}
	b, known := get(c)
	lo, ok1 := b.Min.(string)
	hi, ok2 := b.Max.(string)
	if !known || !ok1 || !ok2 {
		return !known || !allNull(b)
	}
	return hi >= prefix && (lo <= prefix || strings.HasPrefix(lo, prefix))
}

// compare orders two values of one type; ok is false if it cannot.
func compare(a, b any) (int, bool) {
	switch x := a.(type) {
	case int8:
		return order(x, b)
	case int16:
		return order(x, b)
	case int32:
		return order(x, b)
	case int64:
		return order(x, b)
	case float32:
		return order(x, b)
	case float64:
		return order(x, b)
	case string:
		return order(x, b)
	case types.Int128:
		y, ok := b.(types.Int128)
		return x.Cmp(y), ok
	case []byte:
		y, ok := b.([]byte)
		return bytes.Compare(x, y), ok
	case bool:
		y, ok := b.(bool)
		switch {
		case x == y:
			return 0, ok
		case x:
			return 1, ok
		}
		return -1, ok
	}
	return 0, false
}

func order[T int8 | int16 | int32 | int64 | float32 | float64 | string](a T, other any) (int, bool) {
	b, ok := other.(T)
	switch {
	case a < b:
		return -1, ok
	case a > b:
		return 1, ok
	}
	return 0, ok
}
