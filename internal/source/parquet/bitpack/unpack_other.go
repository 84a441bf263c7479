//go:build !amd64

package bitpack

func unpackMax(dst []uint32, src []byte, w uint) uint32 {
	Unpack(dst, src, w)
	return largest(dst)
}
