package frame

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

var allTypes = []types.Type{
	types.Null, types.Boolean, types.Byte, types.Short, types.Int, types.Long, types.Float, types.Double, types.Decimal(9, 2),
	types.Decimal(38, 4), types.String, types.Binary, types.Date, types.Calendar, types.Array(types.Long, true),
	types.Map(types.String, types.Int, true),
	types.Struct(types.Field{Name: "a", Type: types.Int, Nullable: true}, types.Field{Name: "b", Type: types.String, Nullable: true}),
}

func value(r *rand.Rand, t types.Type) any {
	if r.IntN(8) == 0 {
		return nil
	}
	wide := int64(r.Uint64()) >> (r.UintN(8) * 8)
	switch t.Kind {
	case types.BooleanKind:
		return wide&1 == 1
	case types.ByteKind:
		return int8(wide)
	case types.ShortKind:
		return int16(wide)
	case types.IntKind, types.DateKind:
		return int32(wide)
	case types.LongKind:
		return wide
	case types.FloatKind:
		return float32(wide)
	case types.DoubleKind:
		return float64(wide) / 3
	case types.DecimalKind:
		if t.Precision > 18 && r.IntN(50) == 0 {
			return types.Int128{Lo: r.Uint64(), Hi: int64(r.Uint64() >> 3)}
		}
		return types.I128(wide % 1e9)
	case types.StringKind:
		return text(r)
	case types.BinaryKind:
		return []byte(text(r))
	case types.CalendarKind:
		return types.CalendarInterval{Months: int32(wide), Days: 3, Micros: wide}
	case types.ArrayKind:
		out := make([]any, r.IntN(4))
		for i := range out {
			out[i] = value(r, t.Elem())
		}
		return out
	case types.MapKind:
		m := types.MapValue{Keys: []any{}, Values: []any{}}
		for range r.IntN(3) {
			m.Keys, m.Values = append(m.Keys, text(r)), append(m.Values, value(r, t.Elem()))
		}
		return m
	case types.StructKind:
		out := make([]any, len(t.Fields()))
		for i, f := range t.Fields() {
			out[i] = value(r, f.Type)
		}
		return out
	}
	return nil
}

func text(r *rand.Rand) string {
	b := make([]byte, r.IntN(30))
	for i := range b {
		b[i] = byte('a' + r.IntN(3))
	}
	return string(b)
}

func vector(r *rand.Rand, t types.Type, n int) columnar.Vector {
	b := columnar.NewBuilder(t, n)
	switch r.IntN(4) {
	case 0:
		return columnar.NewConst(t, value(r, t), n)
	case 1:
		for range 1 + r.IntN(9) {
			v := value(r, t)
			for v == nil && t.Kind != types.NullKind {
				v = value(r, t)
			}
			b.Append(v)
		}
		dict := b.Finish()
		codes, valid := make([]uint32, n), columnar.FullBitmap(n)
		for i := range codes {
			codes[i] = r.Uint32N(uint32(dict.N))
			if r.IntN(5) == 0 {
				valid.Clear(i)
			}
		}
		return columnar.NewDict(&dict, codes, valid)
	}
	for range n {
		b.Append(value(r, t))
	}
	return b.Finish()
}

func batch(r *rand.Rand, n int) *columnar.Batch {
	b := &columnar.Batch{Schema: &types.Schema{}, N: n}
	for _, t := range allTypes {
		b.Schema.Fields = append(b.Schema.Fields, types.Field{Name: t.String(), Type: t, Nullable: true})
		b.Cols = append(b.Cols, vector(r, t, n))
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var dec *Decoder
	for round := range 200 {
		b := batch(r, r.IntN(300))
		if dec == nil {
			dec = NewDecoder(b.Schema)
		}
		from := r.IntN(b.N + 1)
		to := from + r.IntN(b.N-from+1)
		e := Encoder{Compress: round%2 == 0}
		got, err := dec.Decode(e.Append(nil, b, from, to))
		if err != nil {
			t.Fatal(err)
		}
		if got.N != to-from {
			t.Fatalf("%d rows of %d", got.N, to-from)
		}
		for c := range b.Cols {
			for i := range got.N {
				if w, g := b.Cols[c].ValueAt(from+i), got.Cols[c].ValueAt(i); !reflect.DeepEqual(w, g) {
					t.Fatalf("%s row %d: %v, want %v (form %d)", allTypes[c], i, g, w, b.Cols[c].Form)
				}
			}
		}
	}
}

func TestDamageIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	b := batch(r, 50)
	whole := (&Encoder{}).Append(nil, b, 0, 50)
	dec := NewDecoder(b.Schema)
	for i := HeaderSize; i < len(whole); i++ {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x41
		if _, err := dec.Decode(bad); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if _, err := dec.Decode(whole[:len(whole)-1]); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("a cut frame: %v", err)
	}
}

// The structure is checked even where the checksum holds: a writer's fault must not read beyond the frame.
func TestStructureIsChecked(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	b := batch(r, 40)
	whole := (&Encoder{}).Append(nil, b, 0, 40)
	dec := NewDecoder(b.Schema)
	for range 3000 {
		bad := append([]byte(nil), whole...)
		bad[HeaderSize+r.IntN(len(bad)-HeaderSize)] = byte(r.Uint32())
		fixChecksum(bad)
		if _, err := dec.Decode(bad); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	b := columnar.Batch{N: 4096, Schema: types.NewSchema(types.Field{Type: types.Long}, types.Field{Type: types.String})}
	longs, texts := columnar.NewBuilder(types.Long, 0), columnar.NewBuilder(types.String, 0)
	for i := range 4096 {
		longs.Append(int64(i * 77))
		texts.Append("the text of a row")
	}
	b.Cols = []columnar.Vector{longs.Finish(), texts.Finish()}
	e, d := &Encoder{Compress: true}, NewDecoder(b.Schema)
	var buf []byte
	allocs := testing.AllocsPerRun(10, func() {
		buf = e.Append(buf[:0], &b, 0, b.N)
		if _, err := d.Decode(buf); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame", allocs)
	}
}

func BenchmarkInts(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	vals := make([]int64, 16384)
	for i := range vals {
		vals[i] = 1e6 + r.Int64N(60000)
	}
	batch := columnar.Batch{N: len(vals), Schema: types.NewSchema(types.Field{Type: types.Long}), Cols: []columnar.Vector{columnar.NewFlat(types.Long, vals)}}
	e, d := &Encoder{}, NewDecoder(batch.Schema)
	buf := e.Append(nil, &batch, 0, batch.N)
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(vals) * 8))
		for b.Loop() {
			buf = e.Append(buf[:0], &batch, 0, batch.N)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(vals) * 8))
		for b.Loop() {
			_, _ = d.Decode(buf)
		}
	})
}
