// Package columnar holds the form that data has in the engine: Vector and Batch.
//
// A vector has one of three physical forms: Flat (one value per row), Dict (a code per row into a flat
// dictionary) and Const (one value for all rows). Values are fixed-width and pointer-free, laid out as Arrow
// does where Arrow has a layout; strings are 16-byte views over byte buffers.
//
// Ownership: a Batch is borrowed until the producer's next Next. Whoever keeps rows copies them
// (Clone, Appender) or takes over the buffers by an explicit agreement with the producer.
package columnar

import (
	"unsafe"

	"github.com/firesteel/firesteel/internal/types"
)

// Form is the physical form of a vector.
type Form uint8

// The forms. Readers switch on the form only in kernels that gain from it; Flatten serves all others.
const (
	Flat Form = iota
	Dict
	Const
)

// Layout is how the values of a type lie in Vector.Data.
type Layout uint8

// The layouts; Width gives the bytes a row.
const (
	NoData     Layout = iota // VOID
	Bool8                    // one byte, 0 or 1
	Int8x                    // TINYINT
	Int16x                   // SMALLINT
	Int32x                   // INT, DATE, year-month interval
	Int64x                   // BIGINT, DECIMAL(p<=18), TIMESTAMP(_NTZ), TIME, day-time interval
	Int128x                  // DECIMAL(p>18): types.Int128
	Float32x                 // FLOAT
	Float64x                 // DOUBLE
	View16                   // STRING, BINARY: View
	Interval16               // CALENDAR INTERVAL: types.CalendarInterval
	List                     // ARRAY: Data holds N+1 int32 offsets into Kids[0]
	Entries                  // MAP: Data holds N+1 int32 offsets into Kids[0] (keys) and Kids[1] (values)
	Record                   // STRUCT, VARIANT: Kids hold the fields, N rows each
)

// LayoutOf is the layout of a type's values.
func LayoutOf(t types.Type) Layout {
	if t.Kind == types.DecimalKind && t.Precision > types.MaxLongDigits {
		return Int128x
	}
	return layouts[t.Kind]
}

var layouts = [...]Layout{
	types.NullKind: NoData, types.BooleanKind: Bool8, types.ByteKind: Int8x, types.ShortKind: Int16x, types.IntKind: Int32x,
	types.LongKind: Int64x, types.FloatKind: Float32x, types.DoubleKind: Float64x, types.DecimalKind: Int64x, types.StringKind: View16,
	types.BinaryKind: View16, types.DateKind: Int32x, types.TimestampKind: Int64x, types.TimestampNTZKind: Int64x, types.TimeKind: Int64x,
	types.YearMonthKind: Int32x, types.DayTimeKind: Int64x, types.CalendarKind: Interval16, types.ArrayKind: List, types.MapKind: Entries,
	types.StructKind: Record, types.VariantKind: Record,
}

// Width is the number of bytes a row in Data; 0 for VOID and STRUCT; 4 (one offset) for ARRAY and MAP.
func (l Layout) Width() int { return widths[l] }

var widths = [...]int{NoData: 0, Bool8: 1, Int8x: 1, Int16x: 2, Int32x: 4, Int64x: 8, Int128x: 16, Float32x: 4, Float64x: 8,
	View16: 16, Interval16: 16, List: 4, Entries: 4, Record: 0}

// View is one string: up to 12 bytes inline, else the first four bytes and where the whole lies (Arrow's string view).
// Inline: bytes 4..15 hold the text, zero-padded. Long: bytes 4..7 prefix, 8..11 buffer index, 12..15 offset.
type View struct {
	Len    uint32
	Prefix uint32
	Buf    uint32
	Off    uint32
}

// InlineMax is the longest text that lies inside a View.
const InlineMax = 12

// Vector is a column of N values of one type.
type Vector struct {
	Type  types.Type
	Form  Form
	N     int
	Valid Bitmap   // bit set: not null; nil: no nulls. N bits when Flat or Dict; bit 0 counts when Const
	Data  []byte   // Flat: N values (List/Entries: N+1 offsets); Const: one value (two offsets); Dict: empty
	Bufs  [][]byte // View16: where long views point
	Kids  []Vector // List: elements; Entries: keys, values; Record: fields. Const: one row
	Codes []uint32 // Dict: N codes, each < Dict.N; codes of null rows are valid too (0)
	Dict  *Vector  // Dict: the Flat dictionary; its own entries are never null
	// DictID, set on a dictionary, names its content for the life of the process (NextDictID): what was computed from the entries
	// may be kept for later batches. 0: unknown.
	DictID uint64
}

// Batch is N rows of columns; dense: no selection travels between operators.
type Batch struct {
	Schema *types.Schema
	Cols   []Vector
	N      int
}

// Fixed are the Go types that lie in Data.
type Fixed interface {
	~int8 | ~uint8 | ~int16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64 | ~bool | types.Int128 | types.CalendarInterval | View
}

// Of views a byte buffer as values of T; the caller knows the layout.
func Of[T Fixed](data []byte) []T {
	var z T
	n := len(data) / int(unsafe.Sizeof(z))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), n)
}

// Bytes views values as bytes.
func Bytes[T Fixed](v []T) []byte {
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(z)))
}

// Make allocates an aligned, zeroed, padded buffer of n values of the layout as bytes: padding of 64 bytes follows the length.
func Make(l Layout, n int) []byte {
	size := n * l.Width()
	words := make([]uint64, (size+7)/8+8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:size]
}

// Values are the flat values of a vector; for Const the one value.
func Values[T Fixed](v *Vector) []T { return Of[T](v.Data) }

// NewFlat wraps values as a flat vector without nulls.
func NewFlat[T Fixed](t types.Type, v []T) Vector {
	return Vector{Type: t, N: len(v), Data: Bytes(v)}
}

// Null says whether row i is null.
func (v *Vector) Null(i int) bool {
	if v.Form == Const {
		i = 0
	}
	return v.Type.Kind == types.NullKind || v.Valid != nil && !v.Valid.Get(i)
}

// MayHaveNulls is false when no row is null for sure.
func (v *Vector) MayHaveNulls() bool { return v.Valid != nil || v.Type.Kind == types.NullKind }
