package columnar

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// MakeView makes the view of text that lies (when longer than InlineMax) at offset off of buffer buf.
func MakeView(text []byte, buf, off uint32) View {
	v := View{Len: uint32(len(text))}
	if len(text) <= InlineMax {
		copy((*[16]byte)(unsafe.Pointer(&v))[4:], text)
		return v
	}
	v.Prefix = binary.LittleEndian.Uint32(text)
	v.Buf, v.Off = buf, off
	return v
}

// ViewBytes is the text of a view; for an inline one it points into the view itself.
func ViewBytes(v *View, bufs [][]byte) []byte {
	if v.Len <= InlineMax {
		return (*[16]byte)(unsafe.Pointer(v))[4 : 4+v.Len : 4+v.Len]
	}
	return bufs[v.Buf][v.Off : v.Off+v.Len : v.Off+v.Len]
}

// ViewEqual compares two views: length and prefix first.
func ViewEqual(a *View, abufs [][]byte, b *View, bbufs [][]byte) bool {
	if a.Len != b.Len || a.Prefix != b.Prefix {
		return false
	}
	if a.Len <= InlineMax {
		return a.Buf == b.Buf && a.Off == b.Off
	}
	return bytes.Equal(ViewBytes(a, abufs), ViewBytes(b, bbufs))
}

// ViewCompare orders two views by bytes: -1, 0 or 1.
func ViewCompare(a *View, abufs [][]byte, b *View, bbufs [][]byte) int {
	if a.Prefix != b.Prefix {
		// Short texts are zero-padded, so a difference of prefixes decides, as big-endian numbers.
		if bits.ReverseBytes32(a.Prefix) < bits.ReverseBytes32(b.Prefix) {
			return -1
		}
		return 1
	}
	return bytes.Compare(ViewBytes(a, abufs), ViewBytes(b, bbufs))
}
