package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, likeRows, basicTextRows) }

func likeRows() []*Row {
	like := func(name, usage string, fold bool, examples ...string) *Row {
		return fn(name, "1.0.0", usage, sig(to(types.Boolean), tStr, tStr, tStr.optional().constant()), func(c *expr.Call) (kernel.Func, error) {
			return kernel.Like(fold), nil
		}, examples...)
	}
	l := like("like", "text LIKE pattern [ESCAPE c]: whether the text fits the pattern, where % stands for any characters and _ for one.", false,
		"'Spark' like '_park'", "true", "'100%' like '%!%' escape '!'", "true")
	l.Total = constPattern
	i := like("ilike", "text ILIKE pattern [ESCAPE c]: LIKE without regard to case.", true, "'Spark' ilike '_PARK'", "true")
	i.Since, i.Total = "3.3.0", constPattern
	return group("predicate_funcs", l, i)
}

// constPattern: a pattern that is constant and without escapes never fails.
func constPattern(c *expr.Call) bool {
	l, ok := c.Args[1].(*expr.Literal)
	s, text := "", false
	if ok {
		s, text = l.Value.(string)
	}
	return text && len(c.Args) == 2 && !strings.Contains(s, `\`)
}

func basicTextRows() []*Row {
	length := func(c *expr.Call) (kernel.Func, error) { return kernel.Length(c.Args[0].Type()), nil }
	trim := func(name string, side byte, usage string, examples ...string) *Row {
		r := fn(name, "1.5.0", usage, sig(to(types.String), tStr, tStr.optional()), is(kernel.Trim(side)), examples...).total()
		r.Sig.Rewr = func(a []expr.Expr) expr.Expr { // the characters come first in the call
			c := expr.NewCall(name, types.String, a...)
			if len(a) == 2 {
				c.Args = []expr.Expr{a[1], a[0]}
			}
			return c
		}
		return r
	}
	return group("string_funcs",
		fn("length", "1.5.0", "length(expr): the number of characters of a text, or of bytes of a binary.", sig(to(types.Int), tStrBin), length,
			"length('Spark SQL ')", "10", "length(x'537061726b2053514c')", "9").alias("char_length", "character_length", "len").own().total(),
		fn("upper", "1.0.1", "upper(str): the text in capitals.", sig(to(types.String), tStr), is(kernel.Upper()), "upper('SparkSql')", "SPARKSQL").alias("ucase").own().total(),
		fn("lower", "1.0.1", "lower(str): the text in small letters.", sig(to(types.String), tStr), is(kernel.Lower()), "lower('SparkSql')", "sparksql").alias("lcase").own().total(),
		trim("trim", 'b', "trim([chars,] str): the text without spaces, or without any of the characters, at both ends.", "trim('    SparkSQL   ')", "SparkSQL",
			"trim(BOTH 'SL' FROM 'SSparkSQLS')", "parkSQ"),
		trim("ltrim", 'l', "ltrim([chars,] str): the text without spaces, or without any of the characters, at its start.", "ltrim('    SparkSQL   ')", "SparkSQL   "),
		trim("rtrim", 'r', "rtrim([chars,] str): the text without spaces, or without any of the characters, at its end.", "rtrim('    SparkSQL   ')", "    SparkSQL"),
		fn("btrim", "3.2.0", "btrim(str[, chars]): the text without spaces, or without any of the characters, at both ends.", sig(to(types.String), tStr, tStr.optional()),
			is(kernel.Trim('b')), "btrim('    SparkSQL   ')", "SparkSQL", "btrim('SSparkSQLS', 'SL')", "parkSQ").total(),
		fn("substring", "1.5.0", "substring(str, pos[, len]): the part of a text or binary from a position, counted from 1 or, negative, from the end.",
			sig(like(0), tStrBin, tInt, tInt.defaultTo(int32(1<<31-1))), func(c *expr.Call) (kernel.Func, error) { return kernel.Substring(c.T), nil },
			"substring('Spark SQL', 5)", "k SQL", "substring('Spark SQL', -3)", "SQL", "substring('Spark SQL', 5, 1)", "k").alias("substr").own().total(),
		&Row{Name: "concat", Aliases: []string{"||"}, OwnNames: true, Since: "1.5.0", Usage: "concat(a, b, …): the texts, binaries or arrays joined.", NullIn: true, Total: always,
			Bind: bindConcat, Kernel: concatKernel, Examples: exs("concat('Spark', 'SQL')", "SparkSQL", "'a' || 1", "a1")},
	)
}

// bindConcat joins arrays of a common type, binaries, or else texts of all arguments.
func bindConcat(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("concat")
	t, allBinary, anyArray := types.String, len(call.Args) > 0, false
	for _, a := range call.Args {
		k := a.Type().Kind
		allBinary = allBinary && k == types.BinaryKind
		anyArray = anyArray || k == types.ArrayKind
	}
	if allBinary {
		t = types.Binary
	}
	if anyArray {
		common, ok := types.WiderOf(argTypes(call.Args))
		if !ok {
			return nil, diffTypes(call, argTypes(call.Args))
		}
		t = common
	}
	args := make([]expr.Expr, len(call.Args))
	null := false
	for i, a := range call.Args {
		if !anyArray && a.Type().IsNested() {
			return nil, wrongType(call, i, In{name: `("STRING" or "BINARY" or "ARRAY")`, any: []In{tStr}}, a)
		}
		args[i] = castTo(env, a, t)
		null = null || a.Nullable()
	}
	return r.call(env, call, t, null, args...), nil
}

func concatKernel(c *expr.Call) (kernel.Func, error) {
	if c.T.Kind != types.ArrayKind {
		return kernel.Concat, nil
	}
	return kernel.EachRow(c.T, func(_ *kernel.Ctx, row []any) (any, error) {
		out := []any{}
		for _, x := range row {
			out = append(out, x.([]any)...)
		}
		return out, nil
	}), nil
}
