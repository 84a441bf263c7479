package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// special makes the row of a function that eval evaluates lazily.
func special(name, since, usage string, bind func(env *BindEnv, call *expr.Func) (expr.Expr, error), examples ...string) *Row {
	r := &Row{Name: name, Kind: Special, Since: since, Usage: usage, Bind: bind, Total: always}
	return r.examples(examples)
}

// sugar makes the row of a function that stands for another expression over its arguments.
func sugar(name, since, usage string, s *Sig, f func(env *BindEnv, a []expr.Expr) (expr.Expr, error), examples ...string) *Row {
	r := &Row{Name: name, Kind: Special, Since: since, Usage: usage, Sig: s, Replace: f}
	return r.examples(examples)
}

// args is a signature that only says how many arguments there may be.
func args(in ...In) *Sig { return &Sig{In: in} }

func predicateRows() []*Row {
	return group("predicate_funcs",
		special("and", "1.0.0", "expr1 AND expr2: true when both are; null when one is unknown and the other not false.", bindLogic,
			"true and true", "true", "true and false", "false", "true and NULL", "NULL", "false and NULL", "false"),
		special("or", "1.0.0", "expr1 OR expr2: true when one is; null when one is unknown and the other not true.", bindLogic,
			"true or false", "true", "false or false", "false", "true or NULL", "true", "false or NULL", "NULL"),
		fn("not", "1.0.0", "NOT expr: the opposite truth value.", sig(to(types.Boolean), tBool), is(kernel.NotFunc),
			"not true", "false", "not NULL", "NULL").alias("!").total(),
		special("isnull", "1.0.0", "isnull(expr): whether the value is null.", bindNullTest, "isnull(1)", "false"),
		special("isnotnull", "1.0.0", "isnotnull(expr): whether the value is not null.", bindNullTest, "isnotnull(1)", "true"),
		fn("isnan", "1.5.0", "isnan(expr): whether a number is NaN; false for null.", sig(to(types.Boolean), oneOf(tDouble, tFloat)).never(), isNaN,
			"isnan(cast('NaN' as double))", "true").seesNulls().total(),
		&Row{Name: "=", Aliases: []string{"=="}, Since: "1.0.0", Usage: "expr1 = expr2: whether the values are equal.", NullIn: true, Total: always,
			Bind: bindCompare, Kernel: compareKernel(kernel.Eq), Examples: exs("2 = 2", "true", "1 = '1'", "true", "true = NULL", "NULL")},
		&Row{Name: "<=>", Since: "1.1.0", Usage: "expr1 <=> expr2: whether the values are equal, where null equals null.", Total: always,
			Bind: bindCompare, Kernel: func(c *expr.Call) (kernel.Func, error) { return kernel.NullSafeEq(c.Args[0].Type()), nil },
			Examples: exs("2 <=> 2", "true", "true <=> NULL", "false", "NULL <=> NULL", "true")},
		&Row{Name: "!=", Aliases: []string{"<>"}, Since: "1.0.0", Usage: "expr1 != expr2: whether the values differ.", Kind: Special,
			Bind: bindNotEqual, Examples: exs("1 != 2", "true", "1 != '2'", "true", "true != NULL", "NULL")},
		&Row{Name: "<", Since: "1.0.0", Usage: "expr1 < expr2: whether the left value is less.", NullIn: true, Total: always,
			Bind: bindCompare, Kernel: compareKernel(kernel.Lt), Examples: exs("1 < 2", "true", "1.1 < '1'", "false", "1 < NULL", "NULL")},
		&Row{Name: "<=", Since: "1.0.0", Usage: "expr1 <= expr2: whether the left value is less or equal.", NullIn: true, Total: always,
			Bind: bindCompare, Kernel: compareKernel(kernel.Le), Examples: exs("2 <= 2", "true")},
		&Row{Name: ">", Since: "1.0.0", Usage: "expr1 > expr2: whether the left value is greater.", NullIn: true, Total: always,
			Bind: bindCompare, Kernel: compareKernel(kernel.Gt), Examples: exs("2 > 1", "true")},
		&Row{Name: ">=", Since: "1.0.0", Usage: "expr1 >= expr2: whether the left value is greater or equal.", NullIn: true, Total: always,
			Bind: bindCompare, Kernel: compareKernel(kernel.Ge), Examples: exs("2 >= 1", "true")},
		sugar("between", "1.0.0", "expr BETWEEN low AND high: whether low <= expr and expr <= high.", args(tAny, tAny, tAny), between,
			"0.5 between 0.1 and 1.0", "true"),
		&Row{Name: "in", Since: "1.0.0", Usage: "expr IN (a, b, …): whether the value equals one of the list.", Total: always,
			Bind: bindIn, Kernel: inKernel, Examples: exs("1 in (1, 2, 3)", "true", "1 in (2, 3, 4)", "false", "1 in (2, NULL)", "NULL")},
	)
}

func exs(list ...string) []Example { return new(Row).examples(list).Examples }

func conditionalRows() []*Row {
	return group("conditional_funcs",
		special("if", "1.0.0", "if(cond, a, b): a where cond is true, else b.", bindIf, "if(1 < 2, 'a', 'b')", "a"),
		special("when", "1.0.1", "CASE WHEN cond THEN value [WHEN …] [ELSE value] END: the value of the first true condition.", bindWhen,
			"CASE WHEN 1 > 0 THEN 1 WHEN 2 > 0 THEN 2.0 ELSE 1.2 END", "1.0", "CASE WHEN 1 < 0 THEN 1 WHEN 2 < 0 THEN 2.0 END", "NULL").alias("case"),
		special("coalesce", "1.0.0", "coalesce(a, b, …): the first value that is not null.", bindCoalesce, "coalesce(NULL, 1, NULL)", "1"),
		sugar("nvl", "2.0.0", "nvl(a, b): b where a is null, else a.", args(tAny, tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			return bindCall(env, "coalesce", a...)
		}, "nvl(NULL, 2)", "2").alias("ifnull").own(),
		sugar("nvl2", "2.0.0", "nvl2(a, b, c): b where a is not null, else c.", args(tAny, tAny, tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			return bindCall(env, "if", expr.IsNotNull(a[0]), a[1], a[2])
		}, "nvl2(NULL, 2, 1)", "1"),
		sugar("nullif", "2.0.0", "nullif(a, b): null where a equals b, else a.", args(tAny, tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			eq, err := bindCall(env, "=", a...)
			if err != nil {
				return nil, err
			}
			return bindCall(env, "if", eq, &expr.Literal{T: a[0].Type()}, a[0])
		}, "nullif(2, 2)", "NULL"),
		sugar("nullifzero", "4.0.0", "nullifzero(a): null where a is 0, else a.", args(tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			eq, err := bindCall(env, "=", a[0], expr.NewLiteral(int32(0), types.Int))
			if err != nil {
				return nil, err
			}
			return bindCall(env, "if", eq, expr.NewLiteral(nil, types.Null), a[0])
		}, "nullifzero(0)", "NULL", "nullifzero(2)", "2"),
		sugar("zeroifnull", "4.0.0", "zeroifnull(a): 0 where a is null, else a.", args(tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			return bindCall(env, "coalesce", a[0], expr.NewLiteral(int32(0), types.Int))
		}, "zeroifnull(NULL)", "0", "zeroifnull(2)", "2"),
		sugar("nanvl", "1.5.0", "nanvl(a, b): b where a is NaN, else a.", args(tAny, tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			nan, err := bindCall(env, "isnan", a[0])
			if err != nil {
				return nil, err
			}
			return bindCall(env, "if", nan, a[1], a[0])
		}, "nanvl(cast('NaN' as double), 123)", "123.0"),
	)
}

// bindLogic binds AND and OR.
func bindLogic(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	a, b := call.Args[0], call.Args[1]
	if a.Type().Kind != types.BooleanKind && a.Type().Kind != types.NullKind || b.Type().Kind != types.BooleanKind && b.Type().Kind != types.NullKind {
		if t, err := commonBinary(env, call, a, b); err == nil && t.Kind != types.BooleanKind {
			return nil, mismatch("BINARY_OP_WRONG_TYPE", call, "inputType", `"BOOLEAN"`, "actualDataType", quoted(t.SQL()))
		}
	}
	if t, err := commonBinary(env, call, a, b); err != nil || t.Kind != types.BooleanKind && t.Kind != types.NullKind {
		return nil, err
	}
	name := strings.ToLower(call.Name[0])
	return &expr.Call{Name: name, Args: []expr.Expr{castTo(env, a, types.Boolean), castTo(env, b, types.Boolean)}, T: types.Boolean,
		Null: a.Nullable() || b.Nullable(), At: call.At}, nil
}

// commonBinary is the type both sides of an operator are cast to.
func commonBinary(env *BindEnv, call expr.Expr, a, b expr.Expr) (types.Type, error) {
	ta, tb := a.Type(), b.Type()
	if t, ok := types.PromoteString(ta, tb); ok && (ta.Kind == types.StringKind) != (tb.Kind == types.StringKind) {
		return t, nil
	}
	if t, ok := decimalBeside(a, b); ok {
		return t, nil
	}
	if t, ok := types.Wider(ta, tb); ok {
		return t, nil
	}
	return types.Type{}, mismatch("BINARY_OP_DIFF_TYPES", call, "left", quoted(ta.SQL()), "right", quoted(tb.SQL()))
}

// decimalBeside is the common type of a decimal and an integer: a constant counts with its own digits only.
func decimalBeside(a, b expr.Expr) (types.Type, bool) {
	ta, tb := a.Type(), b.Type()
	switch {
	case ta.Kind == types.DecimalKind && tb.IsIntegral():
		return types.WiderDecimal(ta, integralDecimal(b)), true
	case tb.Kind == types.DecimalKind && ta.IsIntegral():
		return types.WiderDecimal(tb, integralDecimal(a)), true
	}
	return types.Type{}, false
}

// integralDecimal is the decimal type that stands for an integer operand.
func integralDecimal(e expr.Expr) types.Type {
	if l, ok := e.(*expr.Literal); ok {
		if v, isInt := integerValue(l.Value); isInt {
			return types.DecimalForLong(v)
		}
	}
	return types.DecimalFor(e.Type())
}

func integerValue(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

func bindCompare(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	a, b := call.Args[0], call.Args[1]
	t, err := commonBinary(env, call, a, b)
	if err != nil {
		return nil, err
	}
	r, _ := Lookup(call.Name[len(call.Name)-1])
	eq := r.Name == "=" || r.Name == "<=>"
	switch {
	case t.Kind == types.CalendarKind && eq:
	case eq && t.HasMap() || eq && t.Kind == types.VariantKind || !eq && !t.IsOrderable():
		return nil, mismatch("INVALID_ORDERING_TYPE", call, "functionName", types.Quote(r.Name), "dataType", quoted(t.SQL()))
	}
	null := r.Name != "<=>" && (a.Nullable() || b.Nullable())
	return r.call(env, call, types.Boolean, null, castTo(env, a, t), castTo(env, b, t)), nil
}

// bindNotEqual makes a != b the negation of an equality, which is how it prints too.
func bindNotEqual(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	eq, err := Bind(env, &expr.Func{Name: []string{"="}, Args: call.Args, At: call.At})
	if err != nil {
		return nil, err
	}
	return &expr.Call{Name: "not", Args: []expr.Expr{eq}, T: types.Boolean, Null: eq.Nullable(), At: call.At}, nil
}

func compareKernel(op kernel.Op) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.Compare(op, c.Args[0].Type()), nil }
}

func bindNullTest(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 1); err != nil {
		return nil, err
	}
	return &expr.Call{Name: strings.ToLower(call.Name[len(call.Name)-1]), Args: call.Args, T: types.Boolean, At: call.At}, nil
}

var isNaN = func(c *expr.Call) (kernel.Func, error) { return kernel.IsNaN(c.Args[0].Type()), nil }

func between(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
	lo, err := bindCall(env, ">=", a[0], a[1])
	if err != nil {
		return nil, err
	}
	hi, err := bindCall(env, "<=", a[0], a[2])
	if err != nil {
		return nil, err
	}
	return bindCall(env, "and", lo, hi)
}

// bindIn casts the value and the list to one type.
func bindIn(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, -1); err != nil {
		return nil, err
	}
	list := argTypes(call.Args)
	t, ok := types.WiderOf(list)
	if !ok {
		names := make([]string, len(list))
		for i, x := range list {
			names[i] = quoted(x.SQL())
		}
		return nil, mismatch("DATA_DIFF_TYPES", call, "functionName", "`in`", "dataType", "["+strings.Join(names, ", ")+"]")
	}
	if t.HasMap() {
		return nil, mismatch("INVALID_ORDERING_TYPE", call, "functionName", "`in`", "dataType", quoted(t.SQL()))
	}
	args := make([]expr.Expr, len(call.Args))
	null := false
	for i, a := range call.Args {
		args[i] = castTo(env, a, t)
		null = null || a.Nullable()
	}
	r, _ := Lookup("in")
	return r.call(env, call, types.Boolean, null, args...), nil
}

func inKernel(c *expr.Call) (kernel.Func, error) { return kernel.In(c.Args[0].Type()), nil }

func bindIf(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 3, 3); err != nil {
		return nil, err
	}
	cond := call.Args[0]
	if k := cond.Type().Kind; k != types.BooleanKind && k != types.NullKind {
		if k != types.StringKind {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "first", "requiredType", `"BOOLEAN"`, "inputSql", quoted(cond.SQL()),
				"inputType", quoted(cond.Type().SQL()))
		}
	}
	t, ok := types.Wider(call.Args[1].Type(), call.Args[2].Type())
	if !ok {
		return nil, mismatch("DATA_DIFF_TYPES", call, "functionName", "`if`", "dataType",
			"["+quoted(call.Args[1].Type().SQL())+", "+quoted(call.Args[2].Type().SQL())+"]")
	}
	a, b := castTo(env, call.Args[1], t), castTo(env, call.Args[2], t)
	return &expr.Call{Name: "if", Args: []expr.Expr{castTo(env, cond, types.Boolean), a, b}, T: t, Null: a.Nullable() || b.Nullable(), At: call.At}, nil
}

func bindWhen(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, -1); err != nil {
		return nil, err
	}
	args := append([]expr.Expr{}, call.Args...)
	var values []int
	null := len(args)%2 == 0
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			values = append(values, i)
			null = null || args[i].Nullable()
			continue
		}
		if k := args[i].Type().Kind; k != types.BooleanKind && k != types.NullKind {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", Ordinal(i/2), "requiredType", `"BOOLEAN"`, "inputSql", quoted(args[i].SQL()),
				"inputType", quoted(args[i].Type().SQL()))
		}
		args[i] = castTo(env, args[i], types.Boolean)
	}
	list := make([]types.Type, len(values))
	for i, v := range values {
		list[i] = args[v].Type()
	}
	t, ok := types.WiderOf(list)
	if !ok {
		names := make([]string, len(list))
		for i, x := range list {
			names[i] = quoted(x.SQL())
		}
		return nil, mismatch("DATA_DIFF_TYPES", call, "functionName", "`casewhen`", "dataType", "["+strings.Join(names, ", ")+"]")
	}
	for _, v := range values {
		args[v] = castTo(env, args[v], t)
	}
	return &expr.Call{Name: "when", Args: args, T: t, Null: null, At: call.At}, nil
}

func bindCoalesce(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if len(call.Args) == 0 {
		return nil, wrongArgs("coalesce", 1, -1, 0)
	}
	args, err := commonArgs(call, call.Args, []int{-1}, false)
	if err != nil {
		return nil, err
	}
	null := true
	for _, a := range args {
		null = null && a.Nullable()
	}
	return &expr.Call{Name: "coalesce", Args: args, T: args[0].Type(), Null: null, At: call.At}, nil
}
