package columnar

import (
	"fmt"
	"testing"

	"github.com/firesteel/firesteel/internal/types"
)

// dictOf is a dictionary with an id.
func dictOf(entries ...string) *Vector {
	b := NewBuilder(types.String, len(entries))
	for _, e := range entries {
		b.Append(e)
	}
	d := b.Finish()
	d.DictID = NextDictID()
	return &d
}

// TestCoder keeps rows of two dictionaries and of nulls; sealing between does not change what is there.
func TestCoder(t *testing.T) {
	long := "a text that does not fit a view"
	a, b, empty := dictOf("x", long, "unused"), dictOf(long, "y"), dictOf()
	inputs := []Vector{NewDict(empty, []uint32{0, 0}, Bitmap{0}), NewDict(a, []uint32{1, 0, 1}, nil),
		NewDict(b, []uint32{1, 0}, nil), NewDict(a, []uint32{0}, nil)}
	c := NewCoder(types.String)
	var kept []Vector
	for i := range inputs {
		v := &inputs[i]
		if !Codable(v) {
			t.Fatalf("input %d is not codable", i)
		}
		codes := make([]uint32, v.N)
		c.Codes(codes, v)
		kept = append(kept, NewDict(c.Dict(), codes, v.Valid))
		if i == 1 {
			c.Seal()
		}
	}
	before := c.Dict().DictID
	c.Seal()
	if c.Dict().DictID == before {
		t.Error("a dictionary with more entries has the id of the smaller one")
	}
	id := c.Dict().DictID
	if c.Seal(); c.Dict().DictID != id {
		t.Error("sealing without new entries made another id")
	}
	for i := range inputs {
		for r := range inputs[i].N {
			if got, want := fmt.Sprint(kept[i].ValueAt(r)), fmt.Sprint(inputs[i].ValueAt(r)); got != want {
				t.Errorf("input %d row %d: %s, want %s", i, r, got, want)
			}
		}
	}
	for e := range c.Dict().N {
		if c.Dict().ValueAt(e) == "unused" {
			t.Error("an entry that no row has was copied")
		}
	}
}

func TestCodable(t *testing.T) {
	unnamed := dictOf("x")
	unnamed.DictID = 0
	for name, v := range map[string]Vector{"flat": *dictOf("x"), "constant": NewConst(types.String, "x", 3), "unnamed": NewDict(unnamed, []uint32{0}, nil)} {
		if Codable(&v) {
			t.Errorf("%s is codable", name)
		}
	}
}
