package bitpack

import "golang.org/x/sys/cpu"

var fast = cpu.X86.HasAVX2

// fastWidth is the largest width of which a value and the bits before it in its first byte fit 32 bits.
const fastWidth = 25

// shape says for a width how 8 values get into the 8 lanes of a register, of which the upper half is loaded from the
// byte in which the fifth value begins: the 4 bytes of each, and by how much to shift them.
type shape struct {
	bytes  [32]byte
	shifts [8]uint32
	mask   uint32
	upper  uint32 // byte of the fifth value
}

var shapes = func() (t [fastWidth + 1]shape) {
	for w := range t {
		s := &t[w]
		s.mask, s.upper = 1<<w-1, uint32(w/2)
		for i := range 8 {
			bit := i * w
			if i >= 4 {
				bit -= w / 2 * 8
			}
			s.shifts[i] = uint32(bit % 8)
			for k := range 4 {
				s.bytes[4*i+k] = byte(bit/8 + k)
			}
		}
	}
	return t
}()

func unpackMax(dst []uint32, src []byte, w uint) uint32 {
	if !fast || w > fastWidth || len(dst) < 8 {
		Unpack(dst, src, w)
		return largest(dst)
	}
	_ = src[len(dst)/8*int(w)+Slack-1]
	return unpackGroups(&dst[0], &src[0], len(dst)/8, int(w), &shapes[w])
}

// unpackGroups unpacks n > 0 groups of 8 values and returns the largest value.
//
//go:noescape
func unpackGroups(dst *uint32, src *byte, n, w int, s *shape) uint32
