package text

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// AppendHex adds two capital digits a byte.
func AppendHex[T string | []byte](dst []byte, b T) []byte {
	for i := 0; i < len(b); i++ {
		dst = append(dst, upperHex[b[i]>>4], upperHex[b[i]&15])
	}
	return dst
}

// AppendHexNumber adds the digits of a number without leading zeros; negative ones as 64 bits in two's complement.
func AppendHexNumber(dst []byte, v int64) []byte {
	u, shift := uint64(v), 60
	for shift > 0 && u>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[u>>shift&15])
	}
	return dst
}

// AppendUnhex decodes hexadecimal digits; an odd number of them has a 0 before it. False for other characters.
func AppendUnhex(dst []byte, s string) ([]byte, bool) {
	if len(s)%2 == 1 {
		v, ok := hexDigit(s[0])
		if !ok {
			return dst, false
		}
		dst, s = append(dst, v), s[1:]
	}
	for ; s != ""; s = s[2:] {
		hi, ok1 := hexDigit(s[0])
		lo, ok2 := hexDigit(s[1])
		if !ok1 || !ok2 {
			return dst, false
		}
		dst = append(dst, hi<<4|lo)
	}
	return dst, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// AppendBase64 encodes; with chunks, lines of 76 characters are separated by CR LF.
func AppendBase64(dst, b []byte, chunks bool) []byte {
	if !chunks {
		return base64.StdEncoding.AppendEncode(dst, b)
	}
	for first := true; len(b) > 0; first = false {
		if !first {
			dst = append(dst, '\r', '\n')
		}
		n := min(len(b), 57)
		dst, b = base64.StdEncoding.AppendEncode(dst, b[:n]), b[n:]
	}
	return dst
}

// AppendUnbase64 decodes as MIME does: characters that are none of the alphabet are skipped. The error says what is wrong.
func AppendUnbase64(dst []byte, s string) ([]byte, string) {
	var word uint32
	bits, i := 0, 0
	for ; i < len(s); i++ {
		c := s[i]
		if c == '=' {
			break
		}
		v := base64Value(c)
		if v < 0 {
			continue
		}
		word = word<<6 | uint32(v)
		if bits += 6; bits == 24 {
			dst = append(dst, byte(word>>16), byte(word>>8), byte(word))
			word, bits = 0, 0
		}
	}
	switch {
	case i < len(s) && (bits == 0 || bits == 6):
		return dst, "Input byte array has wrong 4-byte ending unit"
	case bits == 6:
		return dst, "Last unit does not have enough valid bits"
	case bits == 12:
		if i < len(s) && !strings.HasPrefix(strings.TrimLeftFunc(s[i+1:], notBase64), "=") {
			return dst, "Input byte array has wrong 4-byte ending unit"
		}
		dst = append(dst, byte(word>>4))
	case bits == 18:
		dst = append(dst, byte(word>>10), byte(word>>2))
	}
	for i++; i < len(s); i++ {
		if s[i] != '=' && base64Value(s[i]) >= 0 {
			return dst, "Input byte array has incorrect ending byte at " + itoa(i)
		}
	}
	return dst, ""
}

func notBase64(r rune) bool { return r != '=' && (r >= 0x80 || base64Value(byte(r)) < 0) }

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// Charset is one of the character sets of encode and decode.
type Charset uint8

// The character sets.
const (
	NoCharset Charset = iota
	ASCII
	Latin1
	UTF8
	UTF16
	UTF16BE
	UTF16LE
	UTF32
)

// CharsetOf finds a character set by its name in any case.
func CharsetOf(name string) Charset {
	switch strings.ToUpper(name) {
	case "US-ASCII":
		return ASCII
	case "ISO-8859-1":
		return Latin1
	case "UTF-8":
		return UTF8
	case "UTF-16":
		return UTF16
	case "UTF-16BE":
		return UTF16BE
	case "UTF-16LE":
		return UTF16LE
	case "UTF-32":
		return UTF32
	}
	return NoCharset
}

// AppendEncoded adds s in a character set; false when it has characters that the set has not. lenient replaces them by '?'.
func AppendEncoded(dst []byte, s string, set Charset, lenient bool) ([]byte, bool) {
	switch set {
	case UTF8:
		return append(dst, s...), true
	case UTF16:
		if s != "" {
			dst = append(dst, 0xFE, 0xFF)
		}
		set = UTF16BE
	}
	for _, r := range s {
		switch {
		case set == UTF32:
			dst = binary.BigEndian.AppendUint32(dst, uint32(r))
		case set == UTF16BE || set == UTF16LE:
			dst = appendUTF16(dst, r, set)
		case r < 0x80 || r < 0x100 && set == Latin1:
			dst = append(dst, byte(r))
		case lenient:
			dst = append(dst, '?')
		default:
			return dst, false
		}
	}
	return dst, true
}

func appendUTF16(dst []byte, r rune, set Charset) []byte {
	put := func(u uint16) {
		if set == UTF16LE {
			dst = append(dst, byte(u), byte(u>>8))
		} else {
			dst = append(dst, byte(u>>8), byte(u))
		}
	}
	if r >= 0x10000 {
		a, b := utf16.EncodeRune(r)
		put(uint16(a))
		put(uint16(b))
	} else {
		put(uint16(r))
	}
	return dst
}

// AppendDecoded adds the text of b in a character set; false when b is none. lenient puts replacement characters instead.
func AppendDecoded(dst, b []byte, set Charset, lenient bool) ([]byte, bool) {
	switch set {
	case UTF8:
		if !utf8.Valid(b) {
			return AppendValid(dst, b), lenient
		}
		return append(dst, b...), true
	case UTF16:
		set = UTF16BE
		if len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE {
			set, b = UTF16LE, b[2:]
		} else if len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF {
			b = b[2:]
		}
	}
	switch set {
	case UTF16BE, UTF16LE:
		return appendFromUTF16(dst, b, set, lenient)
	case UTF32:
		ok := len(b)%4 == 0
		for ; len(b) >= 4; b = b[4:] {
			r := rune(binary.BigEndian.Uint32(b))
			ok = ok && utf8.ValidRune(r)
			dst = utf8.AppendRune(dst, r)
		}
		return dst, ok || lenient
	}
	ok := true
	for _, c := range b {
		if set == ASCII && c >= 0x80 {
			ok = false
			dst = utf8.AppendRune(dst, utf8.RuneError)
			continue
		}
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst, ok || lenient
}

func appendFromUTF16(dst, b []byte, set Charset, lenient bool) ([]byte, bool) {
	ok := len(b)%2 == 0
	unit := func(i int) rune {
		if set == UTF16LE {
			return rune(b[i]) | rune(b[i+1])<<8
		}
		return rune(b[i])<<8 | rune(b[i+1])
	}
	for i := 0; i+1 < len(b); i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			r2 := rune(0)
			if i+3 < len(b) {
				r2 = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, r2); r == utf8.RuneError {
				ok = false
			} else {
				i += 2
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, ok || lenient
}
