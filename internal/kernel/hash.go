package kernel

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/types"
)

// Hasher folds values into a hash as Spark's hash functions do.
type Hasher interface {
	int32(v int32, seed uint64) uint64
	int64(v int64, seed uint64) uint64
	bytes(b []byte, seed uint64) uint64
}

// Murmur is Spark's MurmurHash3 of 32 bits, XX its XXH64.
type Murmur struct{}
type XX struct{}

// HashValue folds a value of a type; nulls leave the hash as it is.
func HashValue(h Hasher, t types.Type, v any, seed uint64) uint64 {
	switch x := v.(type) {
	case bool:
		return h.int32(int32(b2i(x)), seed)
	case int8:
		return h.int32(int32(x), seed)
	case int16:
		return h.int32(int32(x), seed)
	case int32:
		return h.int32(x, seed)
	case int64:
		return h.int64(x, seed)
	case float32:
		if x == 0 {
			return h.int32(0, seed)
		}
		if x != x {
			return h.int32(0x7fc00000, seed)
		}
		return h.int32(int32(math.Float32bits(x)), seed)
	case float64:
		if x == 0 {
			return h.int64(0, seed)
		}
		if x != x {
			return h.int64(0x7ff8000000000000, seed)
		}
		return h.int64(int64(math.Float64bits(x)), seed)
	case types.Int128:
		if t.Precision <= types.MaxLongDigits {
			return h.int64(x.Int64(), seed)
		}
		return h.bytes(bigEndian(x), seed)
	case string:
		return h.bytes([]byte(x), seed)
	case []byte:
		return h.bytes(x, seed)
	case types.CalendarInterval:
		return h.int32(x.Months, h.int32(x.Days, h.int64(x.Micros, seed)))
	case types.MapValue:
		for i := range x.Keys {
			seed = HashValue(h, t.Elem(), x.Values[i], HashValue(h, t.Key(), x.Keys[i], seed))
		}
	case []any:
		for i, e := range x {
			seed = HashValue(h, partType(t, i), e, seed)
		}
	}
	return seed
}

// bigEndian is the shortest two's complement form.
func bigEndian(v types.Int128) []byte {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(v.Hi)), v.Lo)
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xFF && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

func mixMurmur(h, k uint32) uint32 {
	h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func endMurmur(h, n uint32) uint64 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return uint64(h ^ h>>16)
}

func (Murmur) int32(v int32, seed uint64) uint64 {
	return endMurmur(mixMurmur(uint32(seed), uint32(v)), 4)
}

func (Murmur) int64(v int64, seed uint64) uint64 {
	return endMurmur(mixMurmur(mixMurmur(uint32(seed), uint32(v)), uint32(v>>32)), 8)
}

// bytes mixes each byte after the last whole word by itself.
func (Murmur) bytes(b []byte, seed uint64) uint64 {
	h, n := uint32(seed), uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = mixMurmur(h, binary.LittleEndian.Uint32(b))
	}
	for _, c := range b {
		h = mixMurmur(h, uint32(int32(int8(c))))
	}
	return endMurmur(h, n)
}

const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

func endXX(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func (XX) int32(v int32, seed uint64) uint64 {
	h := seed + prime5 + 4
	h ^= uint64(uint32(v)) * prime1
	return endXX(bits.RotateLeft64(h, 23)*prime2 + prime3)
}

func (XX) int64(v int64, seed uint64) uint64 {
	h := seed + prime5 + 8
	h ^= bits.RotateLeft64(uint64(v)*prime2, 31) * prime1
	return endXX(bits.RotateLeft64(h, 27)*prime1 + prime4)
}

func (XX) bytes(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	h := seed + prime5
	if len(b) >= 32 {
		lanes := [4]uint64{seed + prime1 + prime2, seed + prime2, seed, seed - prime1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft64(lanes[i]+binary.LittleEndian.Uint64(b[8*i:])*prime2, 31) * prime1
			}
		}
		h = bits.RotateLeft64(lanes[0], 1) + bits.RotateLeft64(lanes[1], 7) + bits.RotateLeft64(lanes[2], 12) + bits.RotateLeft64(lanes[3], 18)
		for _, l := range lanes {
			h = (h^bits.RotateLeft64(l*prime2, 31)*prime1)*prime1 + prime4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b)*prime2, 31) * prime1
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h ^= uint64(binary.LittleEndian.Uint32(b)) * prime1
		h = bits.RotateLeft64(h, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h ^= uint64(c) * prime5
		h = bits.RotateLeft64(h, 11) * prime1
	}
	return endXX(h)
}
