//go:build !amd64

package snappy

import "github.com/klauspost/compress/s2"

func decode(dst, src []byte, _ int) error {
	if _, err := s2.Decode(dst, src); err != nil {
		return ErrCorrupt
	}
	return nil
}
