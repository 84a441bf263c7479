package function

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, lambdaRows) }

// higher makes the row of a function whose last argument is a lambda over the elements of an array. out types the call from the array
// and the bound lambda. A second parameter of the lambda is the element's index.
func higher(name, since, usage string, body types.Type, out func(array expr.Expr, l *expr.Lambda) (types.Type, bool), run kernel.HigherOrder, examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 2); err != nil {
			return nil, err
		}
		a := call.Args[0]
		if a.Type().Kind == types.NullKind {
			a = castTo(env, a, types.Array(types.Null, true))
		}
		if a.Type().Kind != types.ArrayKind {
			return nil, wrongType(call, 0, tArray, call.Args[0])
		}
		l, err := bindLambda(env, call, 1, types.Field{Name: "x", Type: a.Type().Elem(), Nullable: a.Type().ContainsNull()}, types.Field{Name: "i", Type: types.Int})
		if err != nil {
			return nil, err
		}
		if body.Kind != types.NullKind {
			if k := l.Body.Type(); k.Kind != body.Kind && k.Kind != types.NullKind {
				return nil, wrongType(call, 1, exactly(body), l)
			}
			l = &expr.Lambda{Params: l.Params, Body: castTo(env, l.Body, body)}
		}
		t, null := out(a, l)
		return r.call(env, call, t, null || a.Nullable(), a, l), nil
	}
	r.HigherOrder = func(*expr.Call) (kernel.HigherOrder, error) { return run, nil }
	return r.examples(examples)
}

// bindLambda resolves argument i, which must be a lambda, against the parameters.
func bindLambda(env *BindEnv, call *expr.Func, i int, params ...types.Field) (*expr.Lambda, error) {
	l, ok := call.Args[i].(*expr.Lambda)
	if !ok {
		return nil, wrongType(call, i, tLambda, call.Args[i])
	}
	return env.Lambda(l, params...)
}

func lambdaRows() []*Row {
	return group("lambda_funcs",
		higher("transform", "2.4.0", "transform(array, x -> …): the array of the function's values; (x, i) -> … gets the index too.", types.Null,
			func(a expr.Expr, l *expr.Lambda) (types.Type, bool) {
				return types.Array(l.Body.Type(), l.Body.Nullable()), false
			}, kernel.Transform,
			"transform(array(1, 2, 3), x -> x + 1)", "[2, 3, 4]", "transform(array(1, 2, 3), (x, i) -> x + i)", "[1, 3, 5]"),
		higher("filter", "2.4.0", "filter(array, x -> …): the elements for which the function is true; (x, i) -> … gets the index too.", types.Boolean,
			func(a expr.Expr, l *expr.Lambda) (types.Type, bool) { return a.Type(), false }, kernel.FilterElements,
			"filter(array(1, 2, 3), x -> x % 2 = 1)", "[1, 3]", "filter(array(0, 2, 3), (x, i) -> x > i)", "[2, 3]"),
		higher("exists", "2.4.0", "exists(array, x -> …): whether the function is true for an element; null when for none but unknown for one.", types.Boolean,
			func(a expr.Expr, l *expr.Lambda) (types.Type, bool) { return types.Boolean, l.Body.Nullable() }, kernel.AnyElement(true),
			"exists(array(1, 2, 3), x -> x % 2 = 0)", "true", "exists(array(1, null, 3), x -> x % 2 = 0)", "NULL"),
		higher("forall", "3.0.0", "forall(array, x -> …): whether the function is true for all elements.", types.Boolean,
			func(a expr.Expr, l *expr.Lambda) (types.Type, bool) { return types.Boolean, l.Body.Nullable() }, kernel.AnyElement(false),
			"forall(array(1, 2, 3), x -> x % 2 = 0)", "false", "forall(array(2, null, 8), x -> x % 2 = 0)", "NULL"),
		aggregateRow(),
	)
}

// aggregateRow folds an array: aggregate(array, start, (acc, x) -> …[, acc -> …]).
func aggregateRow() *Row {
	r := &Row{Name: "aggregate", Aliases: []string{"reduce"}, OwnNames: true, Since: "2.4.0",
		Usage: "aggregate(array, start, (acc, x) -> …[, acc -> …]): folds the elements from a start value; the last function makes the result."}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 3, 4); err != nil {
			return nil, err
		}
		a, zero := call.Args[0], call.Args[1]
		if a.Type().Kind != types.ArrayKind {
			return nil, wrongType(call, 0, tArray, a)
		}
		acc := types.Field{Name: "acc", Type: zero.Type(), Nullable: true}
		merge, err := bindLambda(env, call, 2, acc, types.Field{Name: "x", Type: a.Type().Elem(), Nullable: a.Type().ContainsNull()})
		if err != nil {
			return nil, err
		}
		if t := merge.Body.Type(); !t.SameType(zero.Type()) {
			if _, ok := exactly(zero.Type()).implicit(t, env.Session.Ansi); !ok && zero.Type().Kind != types.NullKind {
				return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "third", "requiredType", quoted(zero.Type().SQL()),
					"inputSql", quoted(merge.SQL()), "inputType", quoted(t.SQL()))
			}
			merge = &expr.Lambda{Params: merge.Params, Body: castTo(env, merge.Body, zero.Type())}
		}
		args := []expr.Expr{a, zero, merge}
		t := zero.Type()
		if len(call.Args) == 4 {
			finish, err := bindLambda(env, call, 3, acc)
			if err != nil {
				return nil, err
			}
			args, t = append(args, finish), finish.Body.Type()
		}
		return r.call(env, call, t, true, args...), nil
	}
	r.HigherOrder = func(*expr.Call) (kernel.HigherOrder, error) { return kernel.FoldElements, nil }
	return r.examples([]string{"aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6", "aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x, acc -> acc * 10)", "60"})
}
