package exec

import (
	"math/rand/v2"
	"testing"

	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// generate makes the plan of a generator over a table, by the function's own row.
func generate(t *testing.T, h *harness, s *rowset, keep []int, outer bool, name string, args ...expr.Expr) *physical.Generate {
	t.Helper()
	env := &function.BindEnv{Session: h.session, Fold: func(e expr.Expr) (any, error) { return eval.Value(e, h.session) }}
	f := expr.NewFunc(name, args...)
	f.Internal = true
	e, err := function.Bind(env, f)
	if err != nil {
		t.Fatal(err)
	}
	p := &physical.Generate{Gen: e.(*expr.Call), Outer: outer, Child: s.plan}
	for _, k := range keep {
		p.Required = append(p.Required, s.cols[k])
	}
	row, _ := function.Lookup(name)
	for _, c := range row.Columns(p.Gen) {
		p.Out = append(p.Out, col(c.Name, c.Type))
	}
	return p
}

func TestGenerate(t *testing.T) {
	arr := types.Array(types.Long, true)
	m := types.Map(types.String, types.Long, true)
	st := types.Array(types.Struct(types.Field{Name: "a", Type: types.Long, Nullable: true}, types.Field{Name: "b", Type: types.String, Nullable: true}), true)
	one := types.Array(types.Struct(types.Field{Name: "a", Type: types.Long, Nullable: true}), true)
	ts := []types.Type{types.Long, arr, m, st, one, types.String}
	l := func(v ...int64) []any {
		out := []any{}
		for _, x := range v {
			out = append(out, x)
		}
		return out
	}
	long := "a text of more than twelve bytes"
	s := fixedRowset(ts, [][]any{
		{int64(2), l(7, 8), types.MapValue{Keys: []any{"x", long}, Values: []any{int64(1), nil}}, []any{[]any{int64(1), long}, nil}, []any{[]any{int64(5)}, nil}, `{"a": "x", "b": {"c": [1, 2]}}`},
		{int64(0), nil, nil, nil, nil, "no json"},
		{nil, l(), types.MapValue{Keys: []any{}, Values: []any{}}, []any{}, []any{}, nil},
		{int64(1), []any{nil}, types.MapValue{Keys: []any{"y"}, Values: []any{int64(3)}}, []any{[]any{nil, "q"}}, []any{[]any{nil}}, `{"b": null, "a": 1.50}`},
	})
	text := func(v string) expr.Expr { return expr.NewLiteral(v, types.String) }
	num := func(v int32) expr.Expr { return expr.NewLiteral(v, types.Int) }
	n := func(v int64) any { return v }
	cases := []struct {
		name  string
		outer bool
		args  []expr.Expr
		want  [][]any // after the first column
	}{
		{"explode", false, s.exprs(1), [][]any{{n(2), n(7)}, {n(2), n(8)}, {n(1), nil}}},
		{"explode", true, s.exprs(1), [][]any{{n(2), n(7)}, {n(2), n(8)}, {n(0), nil}, {nil, nil}, {n(1), nil}}},
		{"explode_outer", false, s.exprs(1), [][]any{{n(2), n(7)}, {n(2), n(8)}, {n(0), nil}, {nil, nil}, {n(1), nil}}},
		{"explode", false, s.exprs(2), [][]any{{n(2), "x", n(1)}, {n(2), long, nil}, {n(1), "y", n(3)}}},
		{"posexplode", false, s.exprs(1), [][]any{{n(2), int32(0), n(7)}, {n(2), int32(1), n(8)}, {n(1), int32(0), nil}}},
		{"posexplode", true, s.exprs(2), [][]any{{n(2), int32(0), "x", n(1)}, {n(2), int32(1), long, nil}, {n(0), nil, nil, nil}, {nil, nil, nil, nil}, {n(1), int32(0), "y", n(3)}}},
		{"inline", false, s.exprs(3), [][]any{{n(2), n(1), long}, {n(2), nil, nil}, {n(1), nil, "q"}}},
		{"inline", false, s.exprs(4), [][]any{{n(2), n(5)}, {n(2), nil}, {n(1), nil}}},
		{"explode", false, s.exprs(4), [][]any{{n(2), []any{n(5)}}, {n(2), nil}, {n(1), []any{nil}}}},
		{"replicate_rows", false, s.exprs(0), [][]any{{n(2), n(2)}, {n(2), n(2)}, {n(1), n(1)}}},
		{"stack", false, []expr.Expr{num(2), s.cols[0], text("a"), expr.NewLiteral(int64(9), types.Long)},
			[][]any{{n(2), n(2), "a"}, {n(2), n(9), nil}, {n(0), n(0), "a"}, {n(0), n(9), nil}, {nil, nil, "a"}, {nil, n(9), nil}, {n(1), n(1), "a"}, {n(1), n(9), nil}}},
		{"stack", false, []expr.Expr{num(1), s.cols[0]}, [][]any{{n(2), n(2)}, {n(0), n(0)}, {nil, nil}, {n(1), n(1)}}},
		{"json_tuple", false, []expr.Expr{s.cols[5], text("a"), text("b")}, [][]any{{n(2), "x", `{"c":[1,2]}`}, {n(0), nil, nil}, {nil, nil, nil}, {n(1), "1.50", nil}}},
		{"json_tuple", false, []expr.Expr{s.cols[5], text("a")}, [][]any{{n(2), "x"}, {n(0), nil}, {nil, nil}, {n(1), "1.50"}}},
	}
	for _, c := range cases {
		h := newHarness(t, 1<<30)
		t.Run(c.name, func(t *testing.T) {
			sameRows(t, h.mustRun(t, generate(t, h, s, []int{0}, c.outer, c.name, c.args...)), c.want, false)
		})
	}
}

func TestExplodeManyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	var rows, want [][]any
	for i := range 300 {
		list := []any{}
		for range r.IntN(3) * r.IntN(4000) {
			list = append(list, int64(r.IntN(99)))
		}
		rows = append(rows, []any{int64(i), list})
		for _, x := range list {
			want = append(want, []any{int64(i), x})
		}
	}
	s := fixedRowset([]types.Type{types.Long, types.Array(types.Long, true)}, rows)
	h := newHarness(t, 1<<30)
	sameRows(t, h.mustRun(t, generate(t, h, s, []int{0}, false, "explode", s.cols[1])), want, false)
}
