package rows

import "unicode/utf8"

// UTF8 is text with the replacement character in place of bytes that are no UTF-8, as many as Java's decoder puts there.
// Valid text is returned as it is.
func UTF8(b []byte) (text []byte, changed bool) {
	if utf8.Valid(b) {
		return b, false
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = malformed(b)
		}
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return out, true
}

// malformed is how many bytes at the beginning of b one replacement character stands for.
func malformed(b []byte) int {
	continues := func(i int) bool { return i < len(b) && b[i]&0xc0 == 0x80 }
	switch lead := b[0]; {
	case lead < 0xe0 || lead > 0xf4 || !continues(1):
		return 1
	case lead == 0xe0 && b[1] < 0xa0, lead == 0xf0 && b[1] < 0x90, lead == 0xf4 && b[1] > 0x8f:
		return 1
	case !continues(2):
		return 2
	}
	return 3 // half a surrogate pair, or four bytes without the last
}
