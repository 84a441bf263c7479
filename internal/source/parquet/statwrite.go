package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
)

// statWriter keeps minimum and maximum of a chunk's values.
type statWriter struct {
	n        *Node
	any      bool
	bad      bool // no bounds: NaN, or a type without order
	loI, hiI int64
	loF, hiF float64
	lo, hi   []byte
}

// maxBound is the longest string that is written as a bound.
const maxBound = 1024

func (s *statWriter) reset(n *Node) {
	*s = statWriter{n: n, lo: s.lo[:0], hi: s.hi[:0], bad: n.phys == Int96Type}
}

func (s *statWriter) integer(v int64) {
	if !s.any {
		s.any, s.loI, s.hiI = true, v, v
	}
	s.loI, s.hiI = min(s.loI, v), max(s.hiI, v)
}

func (s *statWriter) float(v float64) {
	if math.IsNaN(v) {
		return
	}
	if !s.any {
		s.any, s.loF, s.hiF = true, v, v
	}
	s.loF, s.hiF = min(s.loF, v), max(s.hiF, v)
}

func (s *statWriter) bools(v []byte) {
	for _, b := range v {
		s.integer(int64(b))
	}
}

func (s *statWriter) fixed(raw []byte, w int) {
	switch s.n.phys {
	case Int32Type:
		for _, v := range columnar.Of[int32](raw) {
			s.integer(int64(v))
		}
	case Int64Type:
		for _, v := range columnar.Of[int64](raw) {
			s.integer(v)
		}
	case FloatType:
		for _, v := range columnar.Of[float32](raw) {
			s.float(float64(v))
		}
	case DoubleType:
		for _, v := range columnar.Of[float64](raw) {
			s.float(v)
		}
	case FixedType:
		for i := 0; i+w <= len(raw); i += w {
			s.signed(raw[i : i+w])
		}
	}
}

// signed takes a big-endian two's complement number: flipping the sign bit makes bytes compare as numbers.
func (s *statWriter) signed(v []byte) {
	less := func(a, b []byte) bool {
		if x, y := a[0]^0x80, b[0]^0x80; x != y {
			return x < y
		}
		return bytes.Compare(a, b) < 0
	}
	if !s.any || less(v, s.lo) {
		s.lo = append(s.lo[:0], v...)
	}
	if !s.any || less(s.hi, v) {
		s.hi = append(s.hi[:0], v...)
	}
	s.any = true
}

func (s *statWriter) text(v []byte) {
	if len(v) > maxBound {
		s.bad = true
	}
	if s.bad {
		return
	}
	if !s.any || bytes.Compare(v, s.lo) < 0 {
		s.lo = append(s.lo[:0], v...)
	}
	if !s.any || bytes.Compare(v, s.hi) > 0 {
		s.hi = append(s.hi[:0], v...)
	}
	s.any = true
}

// merge adds what a page's bounds say.
func (s *statWriter) merge(p *statWriter) {
	s.bad = s.bad || p.bad
	if !p.any || s.bad {
		return
	}
	switch s.n.phys {
	case ByteArrayType:
		s.text(p.lo)
		s.text(p.hi)
	case FixedType:
		s.signed(p.lo)
		s.signed(p.hi)
	case FloatType, DoubleType:
		s.float(p.loF)
		s.float(p.hiF)
	default:
		s.integer(p.loI)
		s.integer(p.hiI)
	}
}

// bounds are minimum and maximum as the footer stores them; nil if there are none. A zero bound of floats takes the sign
// that encloses both zeros.
func (s *statWriter) bounds() (lo, hi []byte) {
	if !s.any || s.bad {
		return nil, nil
	}
	le := binary.LittleEndian
	if s.loF == 0 {
		s.loF = math.Copysign(0, -1)
	}
	if s.hiF == 0 {
		s.hiF = 0
	}
	switch s.n.phys {
	case BooleanType:
		return []byte{byte(s.loI)}, []byte{byte(s.hiI)}
	case Int32Type:
		return le.AppendUint32(nil, uint32(s.loI)), le.AppendUint32(nil, uint32(s.hiI))
	case Int64Type:
		return le.AppendUint64(nil, uint64(s.loI)), le.AppendUint64(nil, uint64(s.hiI))
	case FloatType:
		return le.AppendUint32(nil, math.Float32bits(float32(s.loF))), le.AppendUint32(nil, math.Float32bits(float32(s.hiF)))
	case DoubleType:
		return le.AppendUint64(nil, math.Float64bits(s.loF)), le.AppendUint64(nil, math.Float64bits(s.hiF))
	}
	return append([]byte{}, s.lo...), append([]byte{}, s.hi...)
}
