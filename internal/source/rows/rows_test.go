package rows

import (
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/types"
)

func values(c *Column) []any {
	v := c.Vector()
	out := []any{}
	for i := range v.N {
		out = append(out, v.ValueAt(i))
	}
	return out
}

func TestColumns(t *testing.T) {
	var blocks Blocks
	block := []byte("in the input, not inline")
	b := blocks.Add(block)
	s := NewColumn(types.String, &blocks)
	for range 70 {
		s.Text([]byte("a copied text of some length"))
	}
	s.Null()
	s.View(block[3:16], b, 3)
	got := values(s)
	if len(got) != 72 || got[69] != "a copied text of some length" || got[70] != nil || got[71] != "the input, no" {
		t.Errorf("%q", got[68:])
	}
	s.Truncate(1)
	s.Text([]byte("x"))
	if got := values(s); !reflect.DeepEqual(got, []any{"a copied text of some length", "x"}) {
		t.Errorf("%q", got)
	}

	n := NewColumn(types.Struct(types.Field{Name: "l", Type: types.Array(types.Int, true)}, types.Field{Name: "d", Type: types.Decimal(20, 0)}), nil)
	row := func() {
		n.Kids[0].Kids[0].Int(1)
		n.Kids[0].Kids[0].Null()
		n.Kids[0].End()
		n.Kids[1].Decimal(types.I128(5))
		n.End()
	}
	row()
	n.Null()
	row()
	want := []any{[]any{[]any{int32(1), nil}, types.I128(5)}, nil, []any{[]any{int32(1), nil}, types.I128(5)}}
	if got := values(n); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	n.Kids[0].Kids[0].Int(9) // begun, then given up
	n.Kids[0].End()
	n.Truncate(3)
	n.Truncate(2)
	row()
	if got := values(n); !reflect.DeepEqual(got, want) {
		t.Errorf("after truncation: %v", got)
	}
}

func TestNoAllocationPerValue(t *testing.T) {
	c := NewColumn(types.Long, nil)
	fill := func() {
		c.Reset()
		for i := range 1000 {
			if i%5 == 0 {
				c.Null()
			} else {
				c.Int(int64(i))
			}
		}
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n > 1 {
		t.Errorf("%v allocations for 1000 values", n)
	}
}
