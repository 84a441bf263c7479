package function

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// fn makes the row of a scalar function that is null where an argument is. examples are SQL and result in turns.
func fn(name, since, usage string, s *Sig, k func(*expr.Call) (kernel.Func, error), examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, Sig: s, Kernel: k, NullIn: true}
	return r.examples(examples)
}

func (r *Row) examples(list []string) *Row {
	for i := 0; i+1 < len(list); i += 2 {
		r.Examples = append(r.Examples, Example{list[i], list[i+1]})
	}
	return r
}

// alias adds names; each prints as this row. own lets each alias print as itself.
func (r *Row) alias(names ...string) *Row { r.Aliases = append(r.Aliases, names...); return r }
func (r *Row) own() *Row                  { r.OwnNames = true; return r }

// named gives the arguments names.
func (r *Row) named(args ...string) *Row { r.Args = args; return r }

// seesNulls: the kernel handles null arguments itself.
func (r *Row) seesNulls() *Row { r.NullIn = false; return r }

// total: evaluation never fails.
func (r *Row) total() *Row { r.Total = always; return r }

// internal: not callable from SQL text.
func (r *Row) internal() *Row { r.Internal = true; return r }

// volatile: gives other values each time.
func (r *Row) volatile() *Row { r.NonDeterministic = true; return r }

func always(*expr.Call) bool { return true }

// group sets the group of rows.
func group(name string, rows ...*Row) []*Row {
	for _, r := range rows {
		if r.Group == "" {
			r.Group = name
		}
	}
	return rows
}

// is makes a Kernel of one loop that fits all argument types.
func is(f kernel.Func) func(*expr.Call) (kernel.Func, error) {
	return func(*expr.Call) (kernel.Func, error) { return f, nil }
}

// f1, f2 and f3 lift plain Go functions that cannot fail; e1, e2 and e3 functions that can; m1, m2 and m3 functions that
// may also answer null (false).
func f1[A, R kernel.Value](f func(A) R) func(*expr.Call) (kernel.Func, error) {
	return m1(func(_ *kernel.Ctx, a A) (R, bool, error) { return f(a), true, nil })
}
func f2[A, B, R kernel.Value](f func(A, B) R) func(*expr.Call) (kernel.Func, error) {
	return m2(func(_ *kernel.Ctx, a A, b B) (R, bool, error) { return f(a, b), true, nil })
}
func f3[A, B, C, R kernel.Value](f func(A, B, C) R) func(*expr.Call) (kernel.Func, error) {
	return m3(func(_ *kernel.Ctx, a A, b B, c C) (R, bool, error) { return f(a, b, c), true, nil })
}
func e1[A, R kernel.Value](f func(*kernel.Ctx, A) (R, error)) func(*expr.Call) (kernel.Func, error) {
	return m1(func(c *kernel.Ctx, a A) (R, bool, error) { r, err := f(c, a); return r, true, err })
}
func e2[A, B, R kernel.Value](f func(*kernel.Ctx, A, B) (R, error)) func(*expr.Call) (kernel.Func, error) {
	return m2(func(c *kernel.Ctx, a A, b B) (R, bool, error) { r, err := f(c, a, b); return r, true, err })
}
func e3[A, B, C, R kernel.Value](f func(*kernel.Ctx, A, B, C) (R, error)) func(*expr.Call) (kernel.Func, error) {
	return m3(func(c *kernel.Ctx, a A, b B, d C) (R, bool, error) { r, err := f(c, a, b, d); return r, true, err })
}
func m1[A, R kernel.Value](f func(*kernel.Ctx, A) (R, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.Each1(c.T, f), nil }
}
func m2[A, B, R kernel.Value](f func(*kernel.Ctx, A, B) (R, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.Each2(c.T, f), nil }
}
func m3[A, B, C, R kernel.Value](f func(*kernel.Ctx, A, B, C) (R, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.Each3(c.T, f), nil }
}

// rows lifts a function of whole rows of Go values, nil for null.
func rowsOf(f func(c *kernel.Ctx, row []any) (any, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.EachRow(c.T, f), nil }
}

// argTypes are the types of a call's arguments.
func argTypes(args []expr.Expr) []types.Type {
	out := make([]types.Type, len(args))
	for i, a := range args {
		out[i] = a.Type()
	}
	return out
}
