package pb

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

type inner struct {
	Name string `pb:"1,req"`
	Next *inner `pb:"2"`
}

type outer struct {
	Zig    int32    `pb:"1,sint"`
	Fixed  int64    `pb:"2,fixed"`
	Fixed4 int32    `pb:"3,fixed"`
	Neg    int32    `pb:"4"`
	On     bool     `pb:"5"`
	Share  float32  `pb:"6"`
	Raw    []byte   `pb:"7"`
	List   []*inner `pb:"8"`
	Nums   []int32  `pb:"9"`
	Texts  []string `pb:"10"`
	Count  uint64   `pb:"11"`
}

func TestRoundTrip(t *testing.T) {
	want := &outer{Zig: -3, Fixed: -1, Fixed4: 7, Neg: -105, On: true, Share: 0.5, Raw: []byte{0, 1}, List: []*inner{{Name: ""}, {"x", &inner{Name: "y"}}},
		Nums: []int32{0, -1, 300}, Texts: []string{"", "a"}, Count: 1 << 63}
	got := new(outer)
	if err := Unmarshal(Marshal(want), got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	rest, err := ConsumeDelimited(append(AppendDelimited(nil, want), 9), new(outer))
	if err != nil || !bytes.Equal(rest, []byte{9}) {
		t.Errorf("rest %v, %v", rest, err)
	}
}

// What protoc's encoders write: numbers below are from protobuf's documentation of the wire.
func TestKnownBytes(t *testing.T) {
	for _, c := range []struct {
		m    any
		want []byte
	}{
		{&struct {
			A int32 `pb:"1"`
		}{150}, []byte{0x08, 0x96, 0x01}},
		{&struct {
			B string `pb:"2"`
		}{"testing"}, []byte{0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'}},
		{&struct {
			A int32 `pb:"1,sint"`
		}{-2}, []byte{0x08, 0x03}},
		{&struct {
			A int32 `pb:"1"`
		}{-1}, []byte{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
		{&struct {
			A bool `pb:"1,req"`
		}{}, []byte{0x08, 0x00}},
	} {
		if got := Marshal(c.m); !bytes.Equal(got, c.want) {
			t.Errorf("%+v: % x, want % x", c.m, got, c.want)
		}
	}
	var packed outer
	if err := Unmarshal([]byte{9<<3 | 2, 3, 1, 0xAC, 0x02}, &packed); err != nil || !reflect.DeepEqual(packed.Nums, []int32{1, 300}) {
		t.Errorf("packed %v, %v", packed.Nums, err)
	}
}

func TestMalformed(t *testing.T) {
	deep := Marshal(&inner{Name: "x"})
	for range maxDepth + 2 {
		deep = append([]byte{2<<3 | 2, byte(len(deep))}, deep...)
		if len(deep) > 120 {
			break
		}
	}
	for _, b := range [][]byte{{0x08}, {0x12, 0x07, 't'}, {0x00}, {0x3D, 1}, {8 << 3, 1}, {2<<3 | 2, 0}, deep} {
		if err := Unmarshal(b, new(outer)); err == nil && !bytes.Equal(b, deep) {
			t.Errorf("% x was taken", b)
		} else if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("% x: %v", b, err)
		}
	}
	if err := Unmarshal(deep, new(inner)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a message that nests %d deep: %v", maxDepth+1, err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(Marshal(&outer{Zig: -3, List: []*inner{{"x", &inner{Name: "y"}}}, Nums: []int32{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m outer
		if Unmarshal(b, &m) == nil {
			var again outer
			if err := Unmarshal(Marshal(&m), &again); err != nil {
				t.Errorf("what was read cannot be read again: %v", err)
			}
		}
	})
}
