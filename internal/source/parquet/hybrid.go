package parquet

import (
	"encoding/binary"
	"errors"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/source/parquet/bitpack"
)

var (
	errRuns   = errors.New("a run of levels or codes is damaged")
	errCode   = errors.New("a dictionary code is beyond the dictionary")
	errLevels = errors.New("the levels of a page are damaged")
	errShort  = errors.New("a page ends before its values do")
)

// overread is how far behind its input a hybrid may read: a group of a run that is cut off, and the unpacker's slack.
const overread = 32 + bitpack.Slack

// hybrid reads the RLE/bit-packed encoding of levels, codes and booleans; it can stop anywhere and go on.
type hybrid struct {
	b      []byte // the runs; overread bytes are readable behind them
	p      int    // next run header
	w      uint   // bit width
	limit  uint32 // largest valid value
	check  bool   // the width allows values beyond limit
	packed bool
	left   int    // values left in the current run
	value  uint32 // of an RLE run
	at     int    // packed: byte offset of the next group of eight
	tail   [8]uint32
	tailN  int // values of the last group that were not taken, at the end of tail
}

// start begins with width w; values must not be above limit. The bytes have padding behind them.
func (h *hybrid) start(b []byte, w uint, limit uint32) error {
	if w > 32 {
		return errRuns
	}
	*h = hybrid{b: b, w: w, limit: limit, check: uint64(limit) < 1<<w-1}
	return nil
}

// header reads the next run's header.
func (h *hybrid) header() error {
	v, n := binary.Uvarint(h.b[min(h.p, len(h.b)):])
	if n <= 0 || v == 0 {
		return errRuns
	}
	h.p += n
	if v&1 == 0 {
		return h.rleRun(v >> 1)
	}
	groups := v >> 1
	if groups > 1<<28 {
		return errRuns
	}
	h.packed, h.at = true, h.p
	size := int(groups) * int(h.w)
	if size > len(h.b)-h.p { // the last run may be cut off behind its last value
		size = len(h.b) - h.p
		h.left = size * 8 / max(int(h.w), 1)
		h.p = len(h.b)
		if h.left == 0 {
			return errRuns
		}
		return nil
	}
	h.left = int(groups) * 8
	h.p += size
	return nil
}

func (h *hybrid) rleRun(n uint64) error {
	bytes := int(h.w+7) / 8
	if n > 1<<31 || n == 0 || bytes > len(h.b)-h.p {
		return errRuns
	}
	h.packed, h.left, h.value = false, int(n), 0
	for i := range bytes {
		h.value |= uint32(h.b[h.p+i]) << (8 * i)
	}
	h.p += bytes
	if h.value > h.limit {
		return errCode
	}
	return nil
}

// read fills dst with the next values.
func (h *hybrid) read(dst []uint32) error {
	for len(dst) > 0 {
		if h.tailN > 0 {
			n := copy(dst, h.tail[8-h.tailN:])
			h.tailN -= n
			dst = dst[n:]
			continue
		}
		if h.left == 0 {
			if err := h.header(); err != nil {
				return err
			}
		}
		n := min(h.left, len(dst))
		if h.packed {
			n = h.unpack(dst[:n])
			if n < 0 {
				return errCode
			}
		} else {
			fill(dst[:n], h.value)
			h.left -= n
		}
		dst = dst[n:]
	}
	return nil
}

// unpack reads values of a packed run: whole groups into dst, else one group into tail (and then 0 values are done).
func (h *hybrid) unpack(dst []uint32) int {
	n := len(dst) &^ 7
	src := h.b[h.at : len(h.b)+overread]
	if n == 0 {
		top := bitpack.UnpackMax(h.tail[:], src, h.w)
		h.at += int(h.w)
		k := min(h.left, 8)
		h.left -= k
		if k < 8 {
			copy(h.tail[8-k:], h.tail[:k])
		}
		h.tailN = k
		if top > h.limit && h.check && bitpack.AnyAbove(h.tail[8-k:], h.limit) {
			return -1
		}
		return 0
	}
	dst = dst[:n]
	top := bitpack.UnpackMax(dst, src, h.w)
	h.at += n / 8 * int(h.w)
	h.left -= n
	if h.check && top > h.limit {
		return -1
	}
	return n
}

// skip passes over n values.
func (h *hybrid) skip(n int) error {
	for n > 0 {
		if h.tailN > 0 {
			k := min(n, h.tailN)
			h.tailN -= k
			n -= k
			continue
		}
		if h.left == 0 {
			if err := h.header(); err != nil {
				return err
			}
		}
		k := min(n, h.left)
		if !h.packed {
			h.left -= k
			n -= k
			continue
		}
		if k &^= 7; k > 0 {
			h.at += k / 8 * int(h.w)
			h.left -= k
			n -= k
			continue
		}
		if h.unpack(nil) < 0 {
			return errCode
		}
	}
	return nil
}

// pick reads of the next n values those that sel names, in ascending order, without unpacking the others.
func (h *hybrid) pick(dst, sel []uint32, n int) error {
	k := 0
	for pos := 0; pos < n; {
		switch {
		case h.tailN > 0:
			m := min(h.tailN, n-pos)
			for ; k < len(sel) && int(sel[k]) < pos+m; k++ {
				dst[k] = h.tail[8-h.tailN+int(sel[k])-pos]
			}
			h.tailN -= m
			pos += m
		case h.left == 0:
			if err := h.header(); err != nil {
				return err
			}
		case !h.packed:
			m := min(h.left, n-pos)
			for ; k < len(sel) && int(sel[k]) < pos+m; k++ {
				dst[k] = h.value
			}
			h.left -= m
			pos += m
		default:
			m := min(h.left, n-pos) &^ 7
			if m == 0 {
				if h.unpack(nil) < 0 {
					return errCode
				}
				continue
			}
			to := k
			for to < len(sel) && int(sel[to]) < pos+m {
				to++
			}
			h.extract(dst[k:to], sel[k:to], pos)
			k = to
			h.at += m / 8 * int(h.w)
			h.left -= m
			pos += m
		}
	}
	if h.check && bitpack.AnyAbove(dst[:len(sel)], h.limit) {
		return errCode
	}
	return nil
}

// extract reads single values of a packed run, whose next value has the number pos.
func (h *hybrid) extract(dst, sel []uint32, pos int) {
	b := h.b[h.at : len(h.b)+overread]
	mask := uint32(1)<<h.w - 1
	dst = dst[:len(sel)]
	for i, s := range sel {
		bit := (uint(s) - uint(pos)) * h.w
		dst[i] = uint32(binary.LittleEndian.Uint64(b[bit>>3:])>>(bit&7)) & mask
	}
}

func fill(dst []uint32, v uint32) {
	if v == 0 {
		clear(dst)
		return
	}
	for i := range dst {
		dst[i] = v
	}
}

// presence reads n definition levels of width 1 as a bitmap and counts the ones; bits must have room for n.
func presence(b []byte, n int, bits columnar.Bitmap) (ones int, err error) {
	h := hybrid{b: b, w: 1, limit: 1}
	clear(bits)
	for i := 0; i < n; {
		if err := h.header(); err != nil {
			return 0, errLevels
		}
		k := min(h.left, n-i)
		if h.packed {
			ones += orBits(bits, i, b[h.at:], k)
		} else if h.value != 0 {
			setBits(bits, i, k)
			ones += k
		}
		i += k
	}
	return ones, nil
}

// setBits sets bits [at, at+n).
func setBits(bits columnar.Bitmap, at, n int) {
	for n > 0 {
		w, s := at>>6, uint(at)&63
		k := min(n, 64-int(s))
		bits[w] |= (^uint64(0) >> (64 - uint(k))) << s
		at += k
		n -= k
	}
}

// orBits copies n bits of src to bits at offset at and counts the ones.
func orBits(bits columnar.Bitmap, at int, src []byte, n int) (ones int) {
	for n > 0 {
		var x uint64
		k := min(n, 56)
		if len(src) >= 8 {
			x = binary.LittleEndian.Uint64(src)
		} else {
			for i, c := range src {
				x |= uint64(c) << (8 * i)
			}
		}
		x &= 1<<uint(k) - 1
		w, s := at>>6, uint(at)&63
		bits[w] |= x << s
		if s+uint(k) > 64 {
			bits[w+1] |= x >> (64 - s)
		}
		ones += popcount(x)
		at += k
		n -= k
		src = src[min(7, len(src)):]
	}
	return ones
}
