package arrowipc

import (
	"encoding/binary"
	"math"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// batchReader deals out the nodes and buffers of one record batch in order.
type batchReader struct {
	d           *decoder
	body        []byte
	nodes, bufs []byte
	nodeN, bufN int
	codec       *byte // nil: not compressed
}

func (r *batchReader) node() (rows, nulls int, err error) {
	if r.nodeN == 0 {
		return 0, 0, malformed("too few nodes")
	}
	n, z := int64(binary.LittleEndian.Uint64(r.nodes)), int64(binary.LittleEndian.Uint64(r.nodes[8:]))
	r.nodes, r.nodeN = r.nodes[16:], r.nodeN-1
	if n < 0 || n > math.MaxInt32 {
		return 0, 0, malformed("a column of %d rows", n)
	}
	return int(n), int(z), nil
}

// buffer is the next buffer, of at least size bytes.
func (r *batchReader) buffer(size int) ([]byte, error) {
	if r.bufN == 0 {
		return nil, malformed("too few buffers")
	}
	at, n := int64(binary.LittleEndian.Uint64(r.bufs)), int64(binary.LittleEndian.Uint64(r.bufs[8:]))
	r.bufs, r.bufN = r.bufs[16:], r.bufN-1
	if at < 0 || n < 0 || at > int64(len(r.body)) || n > int64(len(r.body))-at {
		return nil, malformed("a buffer lies outside the body")
	}
	b := r.body[at : at+n]
	if r.codec != nil {
		var err error
		if b, err = r.decompress(b); err != nil {
			return nil, err
		}
	}
	if len(b) < size {
		return nil, malformed("a buffer of %d bytes where %d are needed", len(b), size)
	}
	return b, nil
}

// zstdReader is made at the first compressed buffer; DecodeAll may be called by several goroutines.
var zstdReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(1<<31))
})

// decompress: eight bytes of size before the compressed bytes, or -1 and the bytes as they are.
func (r *batchReader) decompress(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return b, nil
	}
	if len(b) < 8 {
		return nil, malformed("a compressed buffer of %d bytes", len(b))
	}
	size := int64(binary.LittleEndian.Uint64(b))
	if size == -1 {
		return b[8:], nil
	}
	if *r.codec != 1 {
		return nil, sparkerr.Unsupported("LZ4 compression of Arrow data from clients")
	}
	z, err := zstdReader()
	if err != nil {
		return nil, err
	}
	out, err := z.DecodeAll(b[8:], nil)
	if err != nil || int64(len(out)) != size {
		return nil, malformed("a compressed buffer does not unpack: %v", err)
	}
	return out, nil
}

// column reads one column with its children.
func (r *batchReader) column(f *field) (columnar.Vector, error) {
	if f.index != nil {
		return r.dictionary(f)
	}
	n, nulls, err := r.node()
	if err != nil {
		return columnar.Vector{}, err
	}
	v := columnar.Vector{Type: f.t, N: n}
	if f.tag == typeNull {
		return v, nil
	}
	if v.Valid, err = r.validity(n, nulls); err != nil {
		return v, err
	}
	switch f.tag {
	case typeUtf8, typeBinary:
		err = r.text(&v, 4)
	case typeLargeUtf8, typeLargeBinary:
		err = r.text(&v, 8)
	case typeFixedBinary:
		err = r.fixedText(&v, f.width)
	case typeList, typeMap:
		err = r.list(&v, f, 4)
	case typeLargeList:
		err = r.list(&v, f, 8)
	case typeFixedList:
		err = r.fixedList(&v, f)
	case typeStruct:
		err = r.record(&v, f)
	default:
		err = r.fixed(&v, f)
	}
	return v, err
}

func (r *batchReader) validity(n, nulls int) (columnar.Bitmap, error) {
	size := (n + 7) / 8
	if nulls == 0 {
		size = 0
	}
	b, err := r.buffer(0)
	if err != nil || nulls == 0 || len(b) == 0 {
		return nil, err
	}
	if len(b) < size {
		return nil, malformed("a bitmap of %d bytes for %d rows", len(b), n)
	}
	out := columnar.NewBitmap(n)
	copy(columnar.Bytes(out), b[:size])
	if left := n % 64; left != 0 {
		out[len(out)-1] &= 1<<left - 1
	}
	return out, nil
}

// fixed reads values of fixed width into the layout of the type.
func (r *batchReader) fixed(v *columnar.Vector, f *field) error {
	width := f.storedWidth()
	size := v.N * width
	if f.tag == typeBool {
		size = (v.N + 7) / 8
	}
	b, err := r.buffer(size)
	if err != nil {
		return err
	}
	v.Data = columnar.Make(columnar.LayoutOf(f.t), v.N)
	switch f.tag {
	case typeBool:
		for i := range v.Data {
			v.Data[i] = b[i>>3] >> (uint(i) & 7) & 1
		}
	case typeDecimal:
		if columnar.LayoutOf(f.t) == columnar.Int64x {
			return narrow(columnar.Of[int64](v.Data), b)
		}
		copy(v.Data, b)
	case typeInterval:
		copy(v.Data, b)
		for i, x := range columnar.Of[types.CalendarInterval](v.Data) {
			if f.unit == intervalMonthDayNano {
				columnar.Of[types.CalendarInterval](v.Data)[i].Micros = x.Micros / 1000
			}
		}
	case typeDate, typeTime, typeTimestamp, typeDuration:
		return f.scaled(v, b)
	default:
		copy(v.Data, b)
	}
	return nil
}

// storedWidth is the width of a value in the buffer.
func (f *field) storedWidth() int {
	switch f.tag {
	case typeDate:
		if f.unit == 0 {
			return 4
		}
		return 8
	case typeTimestamp, typeDuration:
		return 8
	case typeInterval:
		if f.unit == intervalYearMonth {
			return 4
		}
		return 16
	}
	return f.width
}

// narrow reads decimals of at most 18 digits; the high half must only carry the sign.
func narrow(dst []int64, b []byte) error {
	for i := range dst {
		lo, hi := int64(binary.LittleEndian.Uint64(b[16*i:])), int64(binary.LittleEndian.Uint64(b[16*i+8:]))
		if hi != lo>>63 {
			return sparkerr.New("NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "roundedValue", "a decimal", "originalValue", "a decimal",
				"precision", "18", "scale", "0")
		}
		dst[i] = lo
	}
	return nil
}

// scaled reads times and brings them to the unit of the type: days, nanoseconds of TIME, else microseconds.
func (f *field) scaled(v *columnar.Vector, b []byte) error {
	if f.tag == typeDate {
		days := columnar.Of[int32](v.Data)
		for i := range days {
			if f.unit == 0 {
				days[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
			} else {
				days[i] = int32(floorDiv(int64(binary.LittleEndian.Uint64(b[8*i:])), 86400000))
			}
		}
		return nil
	}
	unit := [...]int64{unitSecond: 1e9, unitMilli: 1e6, unitMicro: 1e3, unitNano: 1}[f.unit&3]
	target := int64(1000)
	if f.tag == typeTime {
		target = 1
	}
	out := columnar.Of[int64](v.Data)
	for i := range out {
		x := int64(0)
		if f.storedWidth() == 4 {
			x = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			x = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		if unit < target {
			out[i] = floorDiv(x, target/unit)
			continue
		}
		if by := unit / target; x > math.MaxInt64/by || x < math.MinInt64/by {
			if !v.Null(i) {
				return sparkerr.New("DATETIME_OVERFLOW", "operation", "read a time from Arrow data")
			}
		} else {
			out[i] = x * by
		}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// text reads strings or binaries with offsets of a width; the views point into the data buffer.
func (r *batchReader) text(v *columnar.Vector, width int) error {
	offs, err := r.offsets(v.N, width)
	if err != nil {
		return err
	}
	b, err := r.buffer(int(offs[v.N]))
	if err != nil {
		return err
	}
	v.Data, v.Bufs = columnar.Make(columnar.View16, v.N), [][]byte{b}
	views := columnar.Of[columnar.View](v.Data)
	for i := range views {
		views[i] = columnar.MakeView(b[offs[i]:offs[i+1]], 0, uint32(offs[i]))
	}
	return nil
}

// offsets reads n+1 offsets that never fall; a column of no rows may have none.
func (r *batchReader) offsets(n, width int) ([]int64, error) {
	b, err := r.buffer(0)
	if err != nil {
		return nil, err
	}
	out := make([]int64, n+1)
	if n == 0 {
		return out, nil
	}
	if len(b) < (n+1)*width {
		return nil, malformed("%d bytes of offsets for %d rows", len(b), n)
	}
	last := int64(0)
	for i := range out {
		if width == 4 {
			out[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			out[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		if out[i] < last || out[i] > math.MaxInt32 {
			return nil, malformed("offset %d after %d", out[i], last)
		}
		last = out[i]
	}
	return out, nil
}

func (r *batchReader) fixedText(v *columnar.Vector, width int) error {
	if width > 0 && v.N > math.MaxInt32/width {
		return malformed("%d values of %d bytes", v.N, width)
	}
	b, err := r.buffer(v.N * width)
	if err != nil {
		return err
	}
	v.Data, v.Bufs = columnar.Make(columnar.View16, v.N), [][]byte{b}
	views := columnar.Of[columnar.View](v.Data)
	for i := range views {
		views[i] = columnar.MakeView(b[i*width:(i+1)*width], 0, uint32(i*width))
	}
	return nil
}

// list reads an array or a map.
func (r *batchReader) list(v *columnar.Vector, f *field, width int) error {
	offs, err := r.offsets(v.N, width)
	if err != nil {
		return err
	}
	v.Data = columnar.Make(columnar.List, v.N+1)
	for i, o := range offs {
		columnar.Of[int32](v.Data)[i] = int32(o)
	}
	return r.elements(v, f, int(offs[v.N]))
}

func (r *batchReader) fixedList(v *columnar.Vector, f *field) error {
	if f.width > 0 && v.N > math.MaxInt32/f.width {
		return malformed("%d lists of %d", v.N, f.width)
	}
	v.Data = columnar.Make(columnar.List, v.N+1)
	for i := range v.N + 1 {
		columnar.Of[int32](v.Data)[i] = int32(i * f.width)
	}
	return r.elements(v, f, v.N*f.width)
}

// elements reads what lies in the lists: at least n elements, or entries of a map.
func (r *batchReader) elements(v *columnar.Vector, f *field, n int) error {
	kid, err := r.column(&f.kids[0])
	if err != nil {
		return err
	}
	if kid.N < n {
		return malformed("%d elements where %d are needed", kid.N, n)
	}
	v.Kids = []columnar.Vector{kid}
	if f.tag == typeMap {
		v.Kids = kid.Kids
	}
	return nil
}

func (r *batchReader) record(v *columnar.Vector, f *field) error {
	v.Kids = make([]columnar.Vector, len(f.kids))
	for i := range f.kids {
		kid, err := r.column(&f.kids[i])
		if err != nil {
			return err
		}
		if kid.N != v.N {
			return malformed("field %s has %d rows of %d", f.kids[i].name, kid.N, v.N)
		}
		v.Kids[i] = kid
	}
	return nil
}

// dictionary reads codes; values that are null inside the dictionary become null rows.
func (r *batchReader) dictionary(f *field) (columnar.Vector, error) {
	none := columnar.Vector{}
	n, nulls, err := r.node()
	if err != nil {
		return none, err
	}
	valid, err := r.validity(n, nulls)
	if err != nil {
		return none, err
	}
	b, err := r.buffer(n * f.index.width)
	if err != nil {
		return none, err
	}
	dict := r.d.dicts[f.dict]
	if dict == nil {
		return none, malformed("dictionary %d is missing", f.dict)
	}
	codes := make([]uint32, n)
	for i := range codes {
		if valid != nil && !valid.Get(i) {
			continue
		}
		c := f.index.code(b, i)
		if c >= uint64(dict.N) {
			return none, malformed("code %d of %d values", c, dict.N)
		}
		codes[i] = uint32(c)
	}
	if dict.Valid == nil && n > 0 && dict.N > 0 {
		return columnar.NewDict(dict, codes, valid), nil
	}
	return gatherValid(dict, codes, valid), nil
}

func gatherValid(dict *columnar.Vector, codes []uint32, valid columnar.Bitmap) columnar.Vector {
	a := columnar.NewAppender(dict.Type)
	for i := range codes {
		if valid != nil && !valid.Get(i) {
			a.AppendNulls(1)
		} else {
			a.AppendRows(dict, codes[i:i+1])
		}
	}
	return a.Finish()
}

func (f *field) code(b []byte, i int) uint64 {
	switch f.width {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	case 8:
		return binary.LittleEndian.Uint64(b[8*i:])
	}
	return math.MaxUint64
}
