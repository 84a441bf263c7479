// Package text holds functions of single texts, by character: texts are UTF-8, and bytes that are none count as characters of
// one byte each. Functions named Append… add their result to dst.
package text

import (
	"strings"
	"unicode/utf8"
)

// Len is the number of characters.
func Len[T string | []byte](s T) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i]&0xC0 != 0x80 {
			n++
		}
	}
	return n
}

// width is the number of bytes of the character that starts with c.
func width(c byte) int {
	switch {
	case c < 0xC0:
		return 1
	case c < 0xE0:
		return 2
	case c < 0xF0:
		return 3
	case c < 0xF8:
		return 4
	}
	return 1
}

// Offset is the byte offset of character n; the length of s when there are fewer.
func Offset(s string, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		i += width(s[i])
	}
	return min(i, len(s))
}

// Prefix is the first n characters.
func Prefix(s string, n int) string { return s[:Offset(s, n)] }

// Substring is SQL's: from character pos (1 is the first, negative counts from the end) at most n characters.
func Substring(s string, pos, n int) string {
	if n <= 0 {
		return ""
	}
	start := 0
	switch {
	case pos > 0:
		start = pos - 1
	case pos < 0:
		start = Len(s) + pos
	}
	end := start + n
	if end < start {
		end = int(^uint(0) >> 1)
	}
	if end <= 0 {
		return ""
	}
	s = s[Offset(s, max(start, 0)):]
	return s[:Offset(s, end-max(start, 0))]
}

// SubstringBytes is Substring for bytes.
func SubstringBytes(b []byte, pos, n int) []byte {
	start := 0
	switch {
	case pos > 0:
		start = pos - 1
	case pos < 0:
		start = len(b) + pos
	}
	end := min(start+n, len(b))
	start = max(start, 0)
	if start >= end {
		return nil
	}
	return b[start:end]
}

// AppendLeftPad and AppendRightPad make s n characters long: with pad repeated, or cut.
func AppendLeftPad(dst []byte, s string, n int32, pad string) []byte {
	fill, ok := padding(s, int(n), pad)
	if !ok {
		return append(dst, Prefix(s, int(n))...)
	}
	return append(appendFill(dst, pad, fill), s...)
}
func AppendRightPad(dst []byte, s string, n int32, pad string) []byte {
	fill, ok := padding(s, int(n), pad)
	if !ok {
		return append(dst, Prefix(s, int(n))...)
	}
	return appendFill(append(dst, s...), pad, fill)
}

// padding is the number of characters to add; false when s is long enough.
func padding(s string, n int, pad string) (int, bool) {
	have := Len(s)
	if have >= n {
		return 0, false
	}
	if pad == "" {
		return 0, true
	}
	return n - have, true
}

func appendFill(dst []byte, pad string, n int) []byte {
	if n == 0 {
		return dst
	}
	whole := Len(pad)
	for ; n >= whole; n -= whole {
		dst = append(dst, pad...)
	}
	return append(dst, Prefix(pad, n)...)
}

// AppendLeftPadBytes and AppendRightPadBytes do the same for bytes.
func AppendLeftPadBytes(dst, b []byte, n int32, pad []byte) []byte {
	if len(b) >= int(n) {
		return append(dst, b[:max(n, 0)]...)
	}
	return append(appendFillBytes(dst, pad, int(n)-len(b)), b...)
}
func AppendRightPadBytes(dst, b []byte, n int32, pad []byte) []byte {
	if len(b) >= int(n) {
		return append(dst, b[:max(n, 0)]...)
	}
	return appendFillBytes(append(dst, b...), pad, int(n)-len(b))
}

func appendFillBytes(dst, pad []byte, n int) []byte {
	if len(pad) == 0 {
		return dst
	}
	for ; n > 0; n -= len(pad) {
		dst = append(dst, pad[:min(n, len(pad))]...)
	}
	return dst
}

// AppendRepeat adds s n times.
func AppendRepeat(dst []byte, s string, n int32) []byte {
	if n <= 0 {
		return dst
	}
	from := len(dst)
	dst = append(dst, s...)
	end := from + int(n)*len(s)
	for len(dst) < end { // twice as much each time
		dst = append(dst, dst[from:from+min(len(dst)-from, end-len(dst))]...)
	}
	return dst
}

// AppendReverse adds the characters of s from the last to the first.
func AppendReverse(dst []byte, s string) []byte {
	for len(s) > 0 {
		i := len(s) - 1
		for i > 0 && s[i]&0xC0 == 0x80 && len(s)-i < 4 {
			i--
		}
		dst = append(dst, s[i:]...)
		s = s[:i]
	}
	return dst
}

// Index is the position of sub in s in characters, from character start: 1 is the first, 0 is none.
func Index(s, sub string, start int) int32 {
	if sub == "" {
		return 1
	}
	at := Offset(s, start)
	i := strings.Index(s[at:], sub)
	if i < 0 {
		return 0
	}
	return int32(Len(s[:at+i]) + 1)
}

// SubstringIndex is what stands before the n-th delimiter, or for negative n after the n-th from the end; s when there are fewer.
func SubstringIndex(s, delim string, n int32) string {
	if delim == "" || n == 0 {
		return ""
	}
	if n > 0 {
		at := -1
		for ; n > 0; n-- {
			i := strings.Index(s[min(at+1, len(s)):], delim)
			if i < 0 {
				return s
			}
			at += 1 + i
		}
		return s[:at]
	}
	end := len(s)
	at := 0
	for ; n < 0; n++ {
		if at = strings.LastIndex(s[:end], delim); at < 0 {
			return s
		}
		end = at + len(delim) - 1
	}
	return s[at+len(delim):]
}

// AppendTranslate replaces each character of s that is in from by the one at its place in to, or drops it.
func AppendTranslate(dst []byte, s, from, to string) []byte {
	for i := 0; i < len(s); {
		n := min(width(s[i]), len(s)-i)
		c := s[i : i+n]
		i += n
		at := strings.Index(from, c)
		if at < 0 {
			dst = append(dst, c...)
			continue
		}
		k := Offset(to, Len(from[:at]))
		if k < len(to) {
			dst = append(dst, to[k:k+min(width(to[k]), len(to)-k)]...)
		}
	}
	return dst
}

// AppendReplace replaces every search in s.
func AppendReplace(dst []byte, s, search, replace string) []byte {
	if search == "" {
		return append(dst, s...)
	}
	for {
		i := strings.Index(s, search)
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), replace...)
		s = s[i+len(search):]
	}
}

// TrimLeft and TrimRight drop characters that are in set at one end.
func TrimLeft(s, set string) string {
	for len(s) > 0 {
		n := min(width(s[0]), len(s))
		if !strings.Contains(set, s[:n]) {
			return s
		}
		s = s[n:]
	}
	return s
}
func TrimRight(s, set string) string {
	for len(s) > 0 {
		i := len(s) - 1
		for i > 0 && s[i]&0xC0 == 0x80 {
			i--
		}
		if !strings.Contains(set, s[i:]) {
			return s
		}
		s = s[:i]
	}
	return s
}

// FindInSet is the position of word in a comma-separated list, from 1; 0 when it is not there or has a comma.
func FindInSet(word, list string) int32 {
	if strings.Contains(word, ",") {
		return 0
	}
	for k := int32(1); ; k++ {
		item, rest, more := strings.Cut(list, ",")
		if item == word {
			return k
		}
		if !more {
			return 0
		}
		list = rest
	}
}

// SplitPart is part n of s between delimiters, from 1, negative from the end; "" when there is none.
func SplitPart(s, delim string, n int) string {
	if delim == "" {
		if n == 1 || n == -1 {
			return s
		}
		return ""
	}
	if n < 0 {
		n += strings.Count(s, delim) + 2
		if n <= 0 {
			return ""
		}
	}
	for ; ; n-- {
		part, rest, more := strings.Cut(s, delim)
		if n == 1 {
			return part
		}
		if !more {
			return ""
		}
		s = rest
	}
}

// AppendOverlay puts replace in the place of n characters of s from character pos; negative n means as many as replace has.
func AppendOverlay(dst []byte, s, replace string, pos, n int32) []byte {
	if n < 0 {
		n = int32(Len(replace))
	}
	dst = append(dst, Substring(s, 1, int(pos)-1)...)
	dst = append(dst, replace...)
	return append(dst, Substring(s, int(pos)+int(n), 1<<31-1)...)
}

// AppendOverlayBytes is AppendOverlay for bytes.
func AppendOverlayBytes(dst, b, replace []byte, pos, n int32) []byte {
	if n < 0 {
		n = int32(len(replace))
	}
	dst = append(dst, SubstringBytes(b, 1, int(pos)-1)...)
	dst = append(dst, replace...)
	return append(dst, SubstringBytes(b, int(pos)+int(n), 1<<31-1)...)
}

// AppendValid adds b with everything that is not UTF-8 replaced.
func AppendValid(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n != 1 {
			dst = append(dst, b[:n]...)
		} else {
			n = badLen(b)
			dst = append(dst, "\uFFFD"...)
		}
		b = b[n:]
	}
	return dst
}

// badLen is the length of the longest start of b that is the start of a character, at least 1.
func badLen(b []byte) int {
	n := width(b[0])
	for k := min(n, len(b)); k > 1; k-- {
		if startsChar(b[:k]) {
			return k
		}
	}
	return 1
}

// startsChar says whether some continuation makes b a character.
func startsChar(b []byte) bool {
	for _, last := range []byte{0x80, 0x90, 0xA0, 0xBF} {
		full := append(append([]byte{}, b...), last, 0x80, 0x80)
		if utf8.Valid(full[:width(b[0])]) {
			return true
		}
	}
	return false
}
