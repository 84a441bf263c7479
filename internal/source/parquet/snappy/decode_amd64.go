package snappy

import (
	"github.com/klauspost/compress/s2"
	"golang.org/x/sys/cpu"
)

var fast = cpu.X86.HasBMI2

// margin is how far from the end of its input and output the loop in assembly stops: it reads and writes more than it uses.
const margin = 80

// decode decodes the elements at src[s:].
func decode(dst, src []byte, s int) error {
	if !fast {
		if _, err := s2.Decode(dst, src); err != nil {
			return ErrCorrupt
		}
		return nil
	}
	d, ok := 0, true
	for d < len(dst) {
		if len(dst)-d > margin && len(src)-s > margin {
			d, s = elements(&dst[0], d, len(dst)-margin, &src[0], s, len(src)-margin, &shapes[0])
		}
		if d, s, ok = element(dst, src, d, s); !ok {
			return ErrCorrupt
		}
	}
	if s != len(src) {
		return ErrCorrupt
	}
	return nil
}

// elements decodes elements from position s of src to position d of dst, as long as they are short and the positions
// are below the limits, which are margin bytes before the ends. It returns the positions of the element at which it stopped.
//
//go:noescape
func elements(dst *byte, d, dlimit int, src *byte, s, slimit int, shapes *uint32) (nd, ns int)

// shapes tells of each tag of a short copy: its length, and from bit 8 on the part of the offset that lies in the tag.
// All other tags have a length that is too long for the loop.
var shapes = func() (t [256]uint32) {
	for tag := range t {
		switch tag & 3 {
		case copy1:
			t[tag] = uint32(tag>>2&7+4) | uint32(tag>>5)<<16
		case copy2:
			t[tag] = uint32(tag>>2 + 1)
		default:
			t[tag] = 255
		}
	}
	return t
}()
