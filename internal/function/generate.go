package function

import (
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, generatorRows) }

// generator makes the row of a generator; its kernel gives the generated rows of each row as package kernel says.
func generator(name, since, usage string, s *Sig, columns func(c *expr.Call) []types.Field, k func(*expr.Call) (kernel.Func, error), examples ...string) *Row {
	r := &Row{Name: name, Kind: Generator, Since: since, Usage: usage, Sig: s, Columns: columns, Kernel: k}
	return r.examples(examples)
}

// generatorRows are the generators. A name that ends in _outer gives a row of nulls where there is none.
func generatorRows() []*Row {
	in := oneOf(tArray, tMap)
	return group("generator_funcs",
		generator("explode", "1.0.0", "explode(expr): a row for each element of an array, or entry of a map.", sig(exploded, in).never(), entryColumns, is(kernel.Explode),
			"explode(array(10, 20))", "10\n20"),
		generator("explode_outer", "1.0.0", "explode_outer(expr): as explode, with a row of nulls for what is empty.", sig(exploded, in).nullable(), entryColumns, is(kernel.Explode),
			"explode_outer(array(10, 20))", "10\n20"),
		generator("posexplode", "2.0.0", "posexplode(expr): as explode, with positions from 0.", sig(exploded, in).never(), posColumns, is(kernel.PosExplode),
			"posexplode(array(10, 20))", "0 10\n1 20"),
		generator("posexplode_outer", "2.0.0", "posexplode_outer(expr): as posexplode, with a row of nulls for what is empty.", sig(exploded, in).nullable(), posColumns,
			is(kernel.PosExplode), "posexplode_outer(array(10, 20))", "0 10\n1 20"),
		generator("inline", "2.0.0", "inline(expr): a row for each struct of an array.", sig(elemOf(0), arrayOf(tStruct)).never(), inlineColumns, is(kernel.Inline),
			"inline(array(struct(1, 'a'), struct(2, 'b')))", "1 a\n2 b"),
		generator("inline_outer", "2.0.0", "inline_outer(expr): as inline, with a row of nulls for what is empty.", sig(elemOf(0), arrayOf(tStruct)).nullable(), inlineColumns,
			is(kernel.Inline), "inline_outer(array(struct(1, 'a'), struct(2, 'b')))", "1 a\n2 b"),
		generator("json_tuple", "1.6.0", "json_tuple(json, p1, p2, …): the fields of a JSON object, as text.", sig(to(types.String), tStr, tStr.repeated(1)).nullable(), tupleColumns,
			is(kernel.JSONTuple), `json_tuple('{"a":1, "b":2}', 'a', 'b')`, "1 2"),
		stackRow(),
		generator("replicate_rows", "2.4.0", "replicate_rows(n): n rows of n.", sig(to(types.Long), tLong).never(), func(*expr.Call) []types.Field {
			return []types.Field{{Name: "n", Type: types.Long}}
		}, is(kernel.ReplicateRows)).internal(),
	)
}

// exploded is the type of an element, or of an entry as a struct.
func exploded(args []expr.Expr) types.Type {
	t := args[0].Type()
	if t.Kind == types.MapKind {
		return types.Struct(entryFields(t)...)
	}
	return t.Elem()
}

func entryFields(t types.Type) []types.Field {
	if t.Kind == types.MapKind {
		return []types.Field{{Name: "key", Type: t.Key()}, {Name: "value", Type: t.Elem(), Nullable: t.ContainsNull()}}
	}
	return []types.Field{{Name: "col", Type: t.Elem(), Nullable: t.ContainsNull()}}
}

func entryColumns(c *expr.Call) []types.Field { return entryFields(c.Args[0].Type()) }

func posColumns(c *expr.Call) []types.Field {
	return append([]types.Field{{Name: "pos", Type: types.Int}}, entryColumns(c)...)
}

func inlineColumns(c *expr.Call) []types.Field {
	t := c.Args[0].Type()
	fields := append([]types.Field(nil), t.Elem().Fields()...)
	for i := range fields {
		fields[i].Nullable = fields[i].Nullable || t.ContainsNull()
	}
	return fields
}

func tupleColumns(c *expr.Call) []types.Field {
	fields := make([]types.Field, len(c.Args)-1)
	for i := range fields {
		fields[i] = types.Field{Name: "c" + strconv.Itoa(i), Type: types.String, Nullable: true}
	}
	return fields
}

// stackRow is stack(n, e1, e2, …): the values in n rows. The first argument of the resolved call is the literal n.
func stackRow() *Row {
	r := generator("stack", "2.0.0", "stack(n, expr1, …, exprk): the k expressions in n rows.", nil, stackColumns,
		func(c *expr.Call) (kernel.Func, error) {
			fields := stackColumns(c)
			cols := make([]types.Type, len(fields))
			for i, f := range fields {
				cols[i] = f.Type
			}
			f := kernel.Stack(stackCount(c), len(cols), cols)
			return dropFirst(f), nil
		}, "stack(2, 1, 2, 3)", "1 2\n3 NULL")
	r.Bind = bindStack(r)
	return r
}

func stackCount(c *expr.Call) int {
	n, _ := constant(c.Args[0]).(int32)
	return int(n)
}

func stackColumns(c *expr.Call) []types.Field {
	rows := stackCount(c)
	fields := make([]types.Field, (len(c.Args)-1+rows-1)/rows)
	for i := range fields {
		fields[i] = types.Field{Name: "col" + strconv.Itoa(i), Type: c.Args[i+1].Type(), Nullable: true}
	}
	return fields
}

func bindStack(r *Row) func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if len(call.Args) < 2 {
			return nil, sparkerr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(r.Name), "expectedNum", "> 1",
				"actualNum", strconv.Itoa(len(call.Args)), "docroot", "https://spark.apache.org/docs/latest")
		}
		if !Foldable(call.Args[0]) {
			return nil, notConstant(call, "n", types.Int, call.Args[0])
		}
		v, err := env.Fold(castTo(env, call.Args[0], types.Int))
		if err != nil {
			return nil, err
		}
		n, ok := v.(int32)
		if !ok || n <= 0 {
			return nil, mismatch("VALUE_OUT_OF_RANGE", call, "exprName", types.Quote("n"), "valueRange", "(0, 2147483647]", "currentValue", castText(v))
		}
		args := append([]expr.Expr{expr.NewLiteral(n, types.Int)}, call.Args[1:]...)
		width := (len(args) - 1 + int(n) - 1) / int(n)
		for c := range width {
			var same []int
			for k := c + 1; k < len(args); k += width {
				same = append(same, k)
			}
			if args, err = commonArgs(call, args, same, true); err != nil {
				return nil, err
			}
		}
		return r.call(env, call, types.Null, true, args...), nil
	}
}

func castText(v any) string {
	if n, ok := v.(int32); ok {
		return strconv.Itoa(int(n))
	}
	return "NULL"
}

// dropFirst gives a kernel its arguments without the first.
func dropFirst(f kernel.Func) kernel.Func {
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return f(c, args[1:], n) }
}
