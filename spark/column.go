package spark

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Column is an expression over the columns of a frame. Methods take other columns, or Go values as literals (see Lit).
// A column that cannot be built carries the error to the frame that it is used in.
type Column struct {
	e   expr.Expr
	err error
}

// Col is a column by name: a, t.a, or a.b for field b of column a. Names with dots are put in back-ticks.
func Col(name string) Column {
	if name == "*" {
		return Column{e: &expr.Star{}}
	}
	parts, err := sqlparser.ParseAttribute(name)
	return Column{e: &expr.Attribute{Name: parts}, err: err}
}

// Cols are columns by name.
func Cols(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i] = Col(n)
	}
	return out
}

// Expr is an expression in SQL, e.g. "a + 1 AS b".
func Expr(text string) Column {
	e, err := sqlparser.ParseNamedExpression(text, defaultParser())
	return Column{e: e, err: err}
}

// Fn calls a function by name: any row of the function table, or a function that was created in the catalog. Package
// functions has a Go function for each built-in one.
func Fn(name string, args ...any) Column {
	parts, err := sqlparser.ParseIdentifier(name)
	if _, ok := function.Lookup(name); ok {
		parts, err = []string{name}, nil
	}
	if err != nil {
		return Column{err: err}
	}
	f := &expr.Func{Name: parts}
	for _, a := range args {
		c := asColumn(a)
		if c.err != nil {
			return c
		}
		f.Args = append(f.Args, c.e)
	}
	return Column{e: f}
}

// asColumn is a column as it is, and any other value as a literal.
func asColumn(v any) Column {
	if c, ok := v.(Column); ok {
		if c.e == nil && c.err == nil {
			return Column{err: fmt.Errorf("spark: the zero Column is no expression; use Col, Lit or Expr")}
		}
		return c
	}
	return Lit(v)
}

// Distinct makes the call of an aggregate function count distinct arguments only.
func (c Column) Distinct() Column {
	return c.call(func(f *expr.Func) { f.Distinct = true }, "DISTINCT")
}

// FilterWhere makes an aggregate see only the rows that satisfy a condition (FILTER (WHERE …)).
func (c Column) FilterWhere(cond Column) Column {
	if cond.err != nil {
		return cond
	}
	return c.call(func(f *expr.Func) { f.Filter = cond.e }, "FILTER")
}

// IgnoreNulls makes first, last, lead, lag and their like pass over nulls.
func (c Column) IgnoreNulls() Column {
	return c.call(func(f *expr.Func) { f.IgnoreNulls = true }, "IGNORE NULLS")
}

func (c Column) call(change func(*expr.Func), what string) Column {
	f, ok := c.e.(*expr.Func)
	if c.err != nil {
		return c
	}
	if !ok {
		return Column{err: fmt.Errorf("spark: %s needs a call of a function", what)}
	}
	g := *f
	change(&g)
	return Column{e: &g}
}

// As names the expression; several names are for expressions with several columns (explode of a map).
func (c Column) As(names ...string) Column {
	switch {
	case c.err != nil:
		return c
	case len(names) == 1:
		return Column{e: expr.NewAlias(c.e, names[0])}
	case len(names) == 0:
		return Column{err: fmt.Errorf("spark: As needs a name")}
	}
	return Column{e: &expr.MultiAlias{Child: c.e, Names: names}}
}

// Alias is As.
func (c Column) Alias(names ...string) Column { return c.As(names...) }

// Eq is c = other.
func (c Column) Eq(other any) Column { return Fn("=", c, other) }

// Neq is c <> other.
func (c Column) Neq(other any) Column { return Fn("not", Fn("=", c, other)) }

// EqNullSafe is c <=> other: nulls are equal to each other.
func (c Column) EqNullSafe(other any) Column { return Fn("<=>", c, other) }

// Lt is c < other.
func (c Column) Lt(other any) Column { return Fn("<", c, other) }

// Leq is c <= other.
func (c Column) Leq(other any) Column { return Fn("<=", c, other) }

// Gt is c > other.
func (c Column) Gt(other any) Column { return Fn(">", c, other) }

// Geq is c >= other.
func (c Column) Geq(other any) Column { return Fn(">=", c, other) }

// Between is lower <= c <= upper.
func (c Column) Between(lower, upper any) Column { return c.Geq(lower).And(c.Leq(upper)) }

// Plus is c + other.
func (c Column) Plus(other any) Column { return Fn("+", c, other) }

// Minus is c - other.
func (c Column) Minus(other any) Column { return Fn("-", c, other) }

// Times is c * other.
func (c Column) Times(other any) Column { return Fn("*", c, other) }

// Div is c / other.
func (c Column) Div(other any) Column { return Fn("/", c, other) }

// Mod is c % other.
func (c Column) Mod(other any) Column { return Fn("%", c, other) }

// Neg is -c.
func (c Column) Neg() Column { return Fn("negative", c) }

// And is c AND other.
func (c Column) And(other Column) Column { return Fn("and", c, other) }

// Or is c OR other.
func (c Column) Or(other Column) Column { return Fn("or", c, other) }

// Not is NOT c.
func (c Column) Not() Column { return Fn("not", c) }

// BitwiseAnd is c & other.
func (c Column) BitwiseAnd(other any) Column { return Fn("&", c, other) }

// BitwiseOr is c | other.
func (c Column) BitwiseOr(other any) Column { return Fn("|", c, other) }

// BitwiseXor is c ^ other.
func (c Column) BitwiseXor(other any) Column { return Fn("^", c, other) }

// IsNull says whether c is null.
func (c Column) IsNull() Column { return Fn("isnull", c) }

// IsNotNull says whether c is not null.
func (c Column) IsNotNull() Column { return Fn("isnotnull", c) }

// IsNaN says whether c is not a number.
func (c Column) IsNaN() Column { return Fn("isnan", c) }

// In says whether c is one of the values.
func (c Column) In(values ...any) Column { return Fn("in", append([]any{c}, values...)...) }

// Like matches a pattern with % and _.
func (c Column) Like(pattern any) Column { return Fn("like", c, pattern) }

// ILike is Like in any letter case.
func (c Column) ILike(pattern any) Column { return Fn("ilike", c, pattern) }

// RLike matches a Java regular expression.
func (c Column) RLike(pattern any) Column { return Fn("rlike", c, pattern) }

// Contains says whether c contains a text.
func (c Column) Contains(text any) Column { return Fn("contains", c, text) }

// StartsWith says whether c starts with a text.
func (c Column) StartsWith(text any) Column { return Fn("startswith", c, text) }

// EndsWith says whether c ends with a text.
func (c Column) EndsWith(text any) Column { return Fn("endswith", c, text) }

// Substr is the part of c from a position, counted from 1, of a length.
func (c Column) Substr(pos, length any) Column { return Fn("substring", c, pos, length) }

// GetItem is the element of an array at a position, counted from 0, or the value of a map's key.
func (c Column) GetItem(key any) Column {
	k := asColumn(key)
	if c.err != nil || k.err != nil {
		return Column{err: firstError(c.err, k.err)}
	}
	return Column{e: &expr.Extract{Child: c.e, Key: k.e}}
}

// GetField is a field of a struct.
func (c Column) GetField(name string) Column { return c.GetItem(name) }

// WithField adds or replaces a field of a struct.
func (c Column) WithField(name string, value Column) Column {
	field, err := sqlparser.ParseAttribute(name)
	if err = firstError(c.err, value.err, err); err != nil {
		return Column{err: err}
	}
	return Column{e: &expr.UpdateFields{Child: c.e, Field: field, Value: value.e}}
}

// DropFields removes fields of a struct.
func (c Column) DropFields(names ...string) Column {
	for _, n := range names {
		field, err := sqlparser.ParseAttribute(n)
		if err = firstError(c.err, err); err != nil {
			return Column{err: err}
		}
		c = Column{e: &expr.UpdateFields{Child: c.e, Field: field}}
	}
	return c
}

// Cast converts to a type.
func (c Column) Cast(t DataType) Column { return c.cast(t, nil, expr.CastDefault) }

// CastTo converts to a type in SQL's form: "int", "decimal(10,2)", "array<string>".
func (c Column) CastTo(name string) Column {
	t, err := sqlparser.ParseType(name)
	return c.cast(t, err, expr.CastDefault)
}

// TryCast converts to a type; what cannot be converted becomes null.
func (c Column) TryCast(t DataType) Column { return c.cast(t, nil, expr.CastTry) }

func (c Column) cast(t types.Type, err error, mode expr.CastMode) Column {
	if err = firstError(c.err, err); err != nil {
		return Column{err: err}
	}
	return Column{e: &expr.Cast{Child: c.e, To: t, Mode: mode}}
}

// Asc sorts ascending, nulls first.
func (c Column) Asc() Column { return c.order(false, true) }

// AscNullsLast sorts ascending, nulls last.
func (c Column) AscNullsLast() Column { return c.order(false, false) }

// Desc sorts descending, nulls last.
func (c Column) Desc() Column { return c.order(true, false) }

// DescNullsFirst sorts descending, nulls first.
func (c Column) DescNullsFirst() Column { return c.order(true, true) }

func (c Column) order(desc, nullsFirst bool) Column {
	if c.err != nil {
		return c
	}
	return Column{e: &expr.SortOrder{Child: c.e, Desc: desc, NullsFirst: nullsFirst}}
}

// When begins a CASE: the value of the first condition that holds. Add more with Column.When, and Otherwise at the end.
func When(cond Column, value any) Column { return Fn("when", cond, value) }

// When adds a branch to a CASE.
func (c Column) When(cond Column, value any) Column {
	v := asColumn(value)
	if err := firstError(c.err, cond.err, v.err); err != nil {
		return Column{err: err}
	}
	if f, ok := c.openCase(); ok {
		return Column{e: &expr.Func{Name: f.Name, Args: append(f.Args[:len(f.Args):len(f.Args)], cond.e, v.e)}}
	}
	return Column{err: fmt.Errorf("spark: When follows When, and nothing else")}
}

// Otherwise ends a CASE with the value for rows of no branch.
func (c Column) Otherwise(value any) Column {
	v := asColumn(value)
	if err := firstError(c.err, v.err); err != nil {
		return Column{err: err}
	}
	if f, ok := c.openCase(); ok {
		return Column{e: &expr.Func{Name: f.Name, Args: append(f.Args[:len(f.Args):len(f.Args)], v.e)}}
	}
	return Column{err: fmt.Errorf("spark: Otherwise follows When, once")}
}

func (c Column) openCase() (*expr.Func, bool) {
	f, ok := c.e.(*expr.Func)
	return f, ok && len(f.Name) == 1 && f.Name[0] == "when" && len(f.Args)%2 == 0
}

// Over computes a window function or an aggregate over a window.
func (c Column) Over(w WindowSpec) Column {
	if err := firstError(c.err, w.err); err != nil {
		return Column{err: err}
	}
	return Column{e: &expr.Window{Func: c.e, Spec: w.spec}}
}

// String is the expression in Spark's printed form.
func (c Column) String() string {
	if c.err != nil {
		return "Column<" + c.err.Error() + ">"
	}
	if c.e == nil {
		return "Column<>"
	}
	return "Column<'" + c.e.SQL() + "'>"
}

// Lambda makes an anonymous function for higher-order functions: f gets its parameters as columns.
//
//	functions.Transform(spark.Col("xs"), spark.Lambda(func(x ...spark.Column) spark.Column { return x[0].Plus(1) }, "x"))
func Lambda(f func(params ...Column) Column, names ...string) Column {
	l := &expr.Lambda{}
	var params []Column
	for _, n := range names {
		l.Params = append(l.Params, &expr.LambdaVar{Name: n})
		params = append(params, Column{e: &expr.LambdaVar{Name: n}})
	}
	body := f(params...)
	l.Body = body.e
	return Column{e: l, err: body.err}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// lowered are the expressions of columns, or the first error.
func lowered(cols []Column) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		c = asColumn(c)
		if c.err != nil {
			return nil, c.err
		}
		out[i] = c.e
	}
	return out, nil
}

// sorted are sort orders of columns: ascending with nulls first where nothing is said.
func sorted(cols []Column) ([]expr.SortOrder, error) {
	es, err := lowered(cols)
	out := make([]expr.SortOrder, len(es))
	for i, e := range es {
		if o, ok := e.(*expr.SortOrder); ok {
			out[i] = *o
		} else {
			out[i] = expr.SortOrder{Child: e, NullsFirst: true}
		}
	}
	return out, err
}
