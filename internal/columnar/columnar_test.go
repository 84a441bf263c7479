package columnar

import (
	"reflect"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/types"
)

// samples holds values of every layout, nulls between them.
func samples() map[string]struct {
	t    types.Type
	vals []any
} {
	type row = struct {
		t    types.Type
		vals []any
	}
	long := strings.Repeat("long text ", 5)
	st := types.Struct(types.Field{Name: "a", Type: types.Int, Nullable: true}, types.Field{Name: "b", Type: types.String, Nullable: true})
	return map[string]row{
		"bool":    {types.Boolean, []any{true, nil, false}},
		"byte":    {types.Byte, []any{int8(-3), nil}},
		"short":   {types.Short, []any{int16(-300), nil}},
		"int":     {types.Int, []any{int32(1), int32(2), nil}},
		"long":    {types.Long, []any{int64(1) << 40, nil}},
		"double":  {types.Double, []any{1.5, nil}},
		"float":   {types.Float, []any{float32(1.5), nil}},
		"decimal": {types.Decimal(10, 2), []any{types.I128(-1234), nil}},
		"wide":    {types.Decimal(38, 2), []any{types.Int128{Lo: 5, Hi: 7}, nil}},
		"string":  {types.String, []any{"", "short", long, nil, "exactly12byt", "thirteen byte"}},
		"binary":  {types.Binary, []any{[]byte{1, 2}, nil}},
		"cal":     {types.Calendar, []any{types.CalendarInterval{Months: 1, Days: 2, Micros: 3}, nil}},
		"array":   {types.Array(types.String, true), []any{[]any{"x", nil, long}, nil, []any{}}},
		"map":     {types.Map(types.Int, types.String, true), []any{types.MapValue{Keys: []any{int32(1)}, Values: []any{"v"}}, nil}},
		"struct":  {st, []any{[]any{int32(1), long}, nil, []any{nil, "q"}}},
	}
}

func build(t types.Type, vals []any) Vector {
	b := NewBuilder(t, len(vals))
	for _, v := range vals {
		b.Append(v)
	}
	return b.Finish()
}

func read(v *Vector) []any {
	out := make([]any, v.N)
	for i := range out {
		out[i] = v.ValueAt(i)
	}
	return out
}

func TestBuildReadGather(t *testing.T) {
	for name, s := range samples() {
		v := build(s.t, s.vals)
		if got := read(&v); !reflect.DeepEqual(got, s.vals) {
			t.Errorf("%s: built %v, want %v", name, got, s.vals)
		}
		sel := []uint32{1, 0, 1}
		want := []any{s.vals[1], s.vals[0], s.vals[1]}
		g := Gather(&v, sel)
		if got := read(&g); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: gathered %v, want %v", name, got, want)
		}
		a := NewAppender(s.t)
		a.AppendRows(&v, sel)
		a.AppendVector(&v)
		c := NewConst(s.t, s.vals[0], 2)
		a.AppendVector(&c)
		want = append(append(want, s.vals...), s.vals[0], s.vals[0])
		f := a.Finish()
		if got := read(&f); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: appended %v, want %v", name, got, want)
		}
	}
}

func TestDictFlatten(t *testing.T) {
	d := build(types.String, []any{"red", "a green that is longer"})
	valid := FullBitmap(3)
	valid.Clear(1)
	v := NewDict(&d, []uint32{1, 0, 0}, valid)
	want := []any{"a green that is longer", nil, "red"}
	if got := read(&v); !reflect.DeepEqual(got, want) {
		t.Fatalf("dict reads %v", got)
	}
	f := v.Flatten()
	if got := read(&f); !reflect.DeepEqual(got, want) {
		t.Fatalf("flattened reads %v", got)
	}
}

func TestAppendAfterNulls(t *testing.T) {
	a := NewAppender(types.Int)
	one := build(types.Int, []any{int32(7)})
	for range 130 {
		a.AppendVector(&one)
	}
	a.AppendNulls(1)
	a.AppendVector(&one)
	v := a.Finish()
	if v.Valid.Count(v.N) != 131 || v.ValueAt(130) != nil || v.ValueAt(131) != int32(7) {
		t.Fatal("validity lost when the first null came late")
	}
}

func TestViewOrder(t *testing.T) {
	words := []string{"", "a", "ab", "abcd", "abcde", "abcdefghijkl", "abcdefghijklm", "abcdefghijklmn", "b", "b\x00"}
	v := build(types.String, func() (l []any) {
		for _, w := range words {
			l = append(l, w)
		}
		return
	}())
	views := Values[View](&v)
	for i := range views {
		for j := range views {
			if got, want := ViewCompare(&views[i], v.Bufs, &views[j], v.Bufs), strings.Compare(words[i], words[j]); got != want {
				t.Errorf("%q ? %q = %d, want %d", words[i], words[j], got, want)
			}
			if ViewEqual(&views[i], v.Bufs, &views[j], v.Bufs) != (i == j) {
				t.Errorf("%q == %q is wrong", words[i], words[j])
			}
		}
	}
}
