package parquet

import (
	"bytes"
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
)

// Bounds of a column's values in a row group or page. Min and Max are Go values of the field's type (types/value.go),
// nil if unknown; they enclose all values that are not null, and need not be values themselves.
type Bounds struct {
	Min, Max any
	Nulls    int64 // -1 unknown
	Rows     int64
}

// Bounds are what the statistics of a row group say of a plain column.
func (f *File) Bounds(group int, fld *Field) Bounds {
	g := &f.RowGroups[group]
	out := Bounds{Nulls: -1, Rows: g.Rows}
	n := fld.Flat()
	if n == nil {
		return out
	}
	c := &g.Columns[n.Leaf]
	out.Nulls = c.Stats.Nulls
	if n.Def == 0 {
		out.Nulls = 0
	}
	lo, hi := c.Stats.bounds(n)
	out.Min, out.Max = fld.bound(lo), fld.bound(hi)
	if out.Min == nil || out.Max == nil {
		out.Min, out.Max = nil, nil
	}
	return out
}

// bounds are the raw minimum and maximum as far as they can be trusted: the old fields were written with signed
// comparison of bytes, which is wrong for strings and unsigned numbers, and INT96 has no order.
func (s *Statistics) bounds(n *Node) (lo, hi []byte) {
	switch {
	case n.phys == Int96Type:
		return nil, nil
	case s.hasValues:
		return s.Min, s.Max
	case s.oldMin == nil || s.oldMax == nil || n.logical.kind == logicalInteger && !n.logical.signed:
		return nil, nil
	case n.phys == ByteArrayType || n.phys == FixedType:
		if bytes.Equal(s.oldMin, s.oldMax) {
			return s.oldMin, s.oldMax
		}
		return nil, nil
	}
	return s.oldMin, s.oldMax
}

// bound turns a raw bound into a value of the field's type; nil if it is damaged or not a bound (NaN).
func (f *Field) bound(raw []byte) any {
	if raw == nil {
		return nil
	}
	if w := f.node.fixedWidth(); w > 0 && len(raw) != w || f.node.phys == BooleanType && len(raw) != 1 {
		return nil
	}
	p := pages{node: f.node, t: f.Type, conv: f.conv, pool: &pool{}}
	buf := p.own(len(raw))
	copy(buf, raw)
	var v columnar.Vector
	switch {
	case f.node.fixedWidth() > 0:
		var err error
		if v, err = p.fixed(buf, 0, 1); err != nil {
			return nil
		}
	case f.node.phys == BooleanType:
		return raw[0] != 0
	default:
		v = p.fromStrings(strings{buf, []int64{0, int64(len(raw))}})
	}
	switch x := v.ValueAt(0).(type) {
	case float64:
		return floatBound(x, x)
	case float32:
		return floatBound(x, float64(x))
	default:
		return x
	}
}

func floatBound(v any, f float64) any {
	if math.IsNaN(f) {
		return nil
	}
	return v
}

// DictionarySize is the number of entries of a chunk's dictionary and the bytes of its page, if all pages of the chunk use
// it; -1 otherwise.
func (s *Scan) DictionarySize(col int) (entries, size int64) {
	fld := s.Columns[col].Field
	if fld == nil || fld.Flat() == nil {
		return -1, -1
	}
	n := fld.Flat()
	c := &s.File.RowGroups[s.Group].Columns[n.Leaf]
	if !c.allDictionary {
		return -1, -1
	}
	var p pages
	p.open(s.Handle, c, n, fld.Type, fld.conv, &pool{})
	if p.header() != nil || p.hdr.kind != dictionaryPage {
		return -1, -1
	}
	return int64(p.hdr.values), int64(p.hdr.uncompressed)
}

// Nullable says whether a field may be null in this file.
func (f *Field) Nullable() bool { return f.kind == missingField || f.def > 0 }
