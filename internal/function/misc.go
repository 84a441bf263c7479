package function

import (
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, sessionRows, taskRows, raiseRows, bitmapRows) }

// fixedText is a text that is the same for the whole query.
func fixedText(name, since, usage string, f func(c *kernel.Ctx) string, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.String)).never(), func(*expr.Call) (kernel.Func, error) {
		return func(c *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.NewConst(types.String, f(c), n), nil
		}, nil
	}, examples...).total()
}

func sessionRows() []*Row {
	return group("misc_funcs",
		fixedText("current_catalog", "3.1.0", "current_catalog(): the session's catalog.", func(c *kernel.Ctx) string { return c.Catalog }, "current_catalog()", "spark_catalog"),
		fixedText("current_database", "1.6.0", "current_database(): the session's database.", func(c *kernel.Ctx) string { return c.Database }, "current_database()", "default").alias("current_schema").own(),
		fixedText("current_user", "3.2.0", "current_user(): the name of the user.", func(c *kernel.Ctx) string { return c.User }, "current_user() = session_user()", "true").alias("user", "session_user").own(),
		fixedText("version", "3.0.0", "version(): the version of Spark whose behaviour this is.", func(*kernel.Ctx) string { return "4.2.0 firesteel" }, "version() LIKE '4.2.%'", "true"),
		fn("typeof", "3.0.0", "typeof(expr): the type of the expression.", sig(to(types.String), tAny).never(), func(call *expr.Call) (kernel.Func, error) {
			name := call.Args[0].Type().String()
			return func(_ *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
				return columnar.NewConst(types.String, name, n), nil
			}, nil
		}, "typeof(array(1))", "array<int>").seesNulls().total(),
		sugar("equal_null", "3.4.0", "equal_null(a, b): whether the values are equal, where null equals null.", args(tAny, tAny), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			return bindCall(env, "<=>", a...)
		}, "equal_null(3, 3)", "true", "equal_null(NULL, 3)", "false"),
	)
}

func taskRows() []*Row {
	return group("misc_funcs",
		fn("monotonically_increasing_id", "1.4.0", "monotonically_increasing_id(): ids that rise from row to row: the partition and the row in it.", sig(to(types.Long)).never(), func(*expr.Call) (kernel.Func, error) {
			return func(c *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
				out := kernel.Out[int64](c, n)
				for i := range out {
					out[i] = int64(c.Partition)<<33 + c.RowBase + int64(i)
				}
				return kernel.Flat(out), nil
			}, nil
		}, "monotonically_increasing_id()", "0").volatile().total(),
		fn("spark_partition_id", "1.4.0", "spark_partition_id(): the number of the partition.", sig(to(types.Int)).never(), func(*expr.Call) (kernel.Func, error) {
			return func(c *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
				return columnar.NewConst(types.Int, int32(c.Partition), n), nil
			}, nil
		}, "spark_partition_id()", "0").volatile().total(),
	)
}

func raised(msg string) error {
	return sparkerr.New("USER_RAISED_EXCEPTION", "errorMessage", msg)
}

func raiseRows() []*Row {
	return group("misc_funcs",
		fn("assert_true", "2.0.0", "assert_true(cond[, message]): null when the condition is true, else an error.", nil, assertTrue, "assert_true(0 < 1)", "NULL").binds(bindAssertTrue).volatile().seesNulls(),
		fn("raise_error", "3.1.0", "raise_error(message): an error.", sig(to(types.Null), tStr).nullable(), func(*expr.Call) (kernel.Func, error) {
			return func(_ *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
				if n == 0 {
					return columnar.Nulls(types.Null, 0), nil
				}
				if args[0].Null(0) {
					return columnar.Vector{}, raised("null")
				}
				return columnar.Vector{}, raised(string(args[0].Text(0)))
			}, nil
		}, "raise_error('stock below zero')", "[USER_RAISED_EXCEPTION] stock below zero").volatile().seesNulls(),
	)
}

func bindAssertTrue(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup("assert_true")
	args := append([]expr.Expr{}, call.Args...)
	if len(args) == 1 {
		args = append(args, expr.NewLiteral("'"+args[0].SQL()+"' is not true!", types.String))
	}
	args, err := (&Row{Name: "assert_true", Sig: &Sig{In: []In{tBool, tStr}}}).coerce(env, call, args)
	if err != nil {
		return nil, err
	}
	return r.call(env, call, types.Null, true, args...), nil
}

func assertTrue(*expr.Call) (kernel.Func, error) {
	return func(_ *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		for i := range n {
			if ok, _ := args[0].ValueAt(i).(bool); !ok {
				msg, _ := args[1].ValueAt(i).(string)
				return columnar.Vector{}, raised(msg)
			}
		}
		return columnar.Nulls(types.Null, n), nil
	}, nil
}

const bitmapBits = 4096 * 8

func bitmapRows() []*Row {
	return group("misc_funcs",
		fn("bitmap_bucket_number", "3.5.0", "bitmap_bucket_number(n): the number of the bitmap that n belongs to.", sig(to(types.Long), tLong), f1(func(v int64) int64 {
			if v > 0 {
				return 1 + (v-1)/bitmapBits
			}
			return v / bitmapBits
		}), "bitmap_bucket_number(123)", "1").total(),
		fn("bitmap_bit_position", "3.5.0", "bitmap_bit_position(n): the bit of n in its bitmap.", sig(to(types.Long), tLong), f1(func(v int64) int64 {
			if v > 0 {
				return (v - 1) % bitmapBits
			}
			return -v % bitmapBits
		}), "bitmap_bit_position(123)", "122").total(),
		fn("bitmap_count", "3.5.0", "bitmap_count(bitmap): the number of bits that are set.", sig(to(types.Long), tBin), f1(func(b []byte) int64 {
			n := 0
			for _, c := range b {
				n += bits.OnesCount8(c)
			}
			return int64(n)
		}), "bitmap_count(X'1010')", "2").total(),
	)
}
