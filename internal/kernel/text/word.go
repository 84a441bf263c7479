package text

import (
	"unicode"
	"unicode/utf8"
)

// AppendTitle adds s in small letters, with a capital at the start and after each space.
func AppendTitle(dst []byte, s string) []byte {
	start := true
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case start && c >= 'a' && c <= 'z':
				c -= 'a' - 'A'
			case !start && c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			start = c == ' '
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, c)
		case start:
			dst = utf8.AppendRune(dst, unicode.ToTitle(r))
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		start = false
		i += n
	}
	return dst
}

var soundexCodes = [26]byte{'0', '1', '2', '3', '0', '1', '2', '7', '0', '2', '2', '4', '5', '5', '0', '1', '2', '6', '2', '3', '0', '1', '7', '2', '0', '2'}

// AppendSoundex adds the code of a word: a letter and three digits; s itself when it does not start with a letter.
func AppendSoundex(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	first := s[0] &^ 0x20
	if first < 'A' || first > 'Z' {
		return append(dst, s...)
	}
	dst = append(dst, first)
	last, n := soundexCodes[first-'A'], 1
	for i := 1; i < len(s) && n < 4; i++ {
		c := s[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			last = '0'
			continue
		}
		code := soundexCodes[c-'A']
		if code == '7' { // H and W separate nothing
			continue
		}
		if code != '0' && code != last {
			dst = append(dst, code)
			n++
		}
		last = code
	}
	for ; n < 4; n++ {
		dst = append(dst, '0')
	}
	return dst
}

// Distances computes edit distances; it keeps its buffers.
type Distances struct {
	a, b []rune
	row  []int32
}

// Of is the number of insertions, deletions and replacements that make b of a.
func (d *Distances) Of(a, b string) int32 {
	d.a, d.b = append(d.a[:0], []rune(a)...), append(d.b[:0], []rune(b)...)
	if cap(d.row) <= len(d.b) {
		d.row = make([]int32, len(d.b)+16)
	}
	row := d.row[:len(d.b)+1]
	for j := range row {
		row[j] = int32(j)
	}
	for i, x := range d.a {
		diagonal := row[0]
		row[0] = int32(i + 1)
		for j, y := range d.b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(d.b)]
}

// Luhn says whether s is a number of digits with a right check digit.
func Luhn(s string) bool {
	sum, double := 0, false
	for i := len(s) - 1; i >= 0; i-- {
		v := int(s[i]) - '0'
		if v < 0 || v > 9 {
			return false
		}
		if double {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum, double = sum+v, !double
	}
	return s != "" && sum%10 == 0
}

// Mask replaces characters by class; a negative rune leaves its class as it is.
type Mask struct{ Upper, Lower, Digit, Other rune }

// Append adds s masked.
func (m *Mask) Append(dst []byte, s string) []byte {
	for _, r := range s {
		to := m.Other
		switch {
		case unicode.IsUpper(r):
			to = m.Upper
		case unicode.IsLower(r):
			to = m.Lower
		case unicode.IsDigit(r):
			to = m.Digit
		}
		if to < 0 {
			to = r
		}
		dst = utf8.AppendRune(dst, to)
	}
	return dst
}

// Sentences splits s to sentences of words: letters, digits and what joins them.
func Sentences(s string) []any {
	var all, words []any
	rs := []rune(s)
	for i := 0; i < len(rs); {
		switch r := rs[i]; {
		case wordRune(r):
			j := i + 1
			for j < len(rs) && (wordRune(rs[j]) || j+1 < len(rs) && joins(rs[j-1], rs[j], rs[j+1])) {
				j++
			}
			words = append(words, string(rs[i:j]))
			i = j
			continue
		case r == '.' || r == '!' || r == '?':
			if endsSentence(rs[i:]) {
				if words != nil {
					all = append(all, words)
				}
				words = nil
			}
		}
		i++
	}
	if words != nil {
		all = append(all, words)
	}
	if all == nil {
		all = []any{}
	}
	return all
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || unicode.IsMark(r)
}

// joins: an apostrophe or point between letters, a point or comma between digits.
func joins(before, c, after rune) bool {
	switch c {
	case '\'', '’':
		return unicode.IsLetter(before) && unicode.IsLetter(after)
	case '.', ',':
		return unicode.IsDigit(before) && unicode.IsDigit(after) || c == '.' && unicode.IsLetter(before) && unicode.IsLetter(after)
	}
	return false
}

// endsSentence: ! and ? always do; a point does when a space and no small letter follow.
func endsSentence(rs []rune) bool {
	if rs[0] != '.' {
		return true
	}
	for i := 1; i < len(rs); i++ {
		switch {
		case unicode.IsSpace(rs[i]) || unicode.IsPunct(rs[i]):
		default:
			return i > 1 && !unicode.IsLower(rs[i])
		}
	}
	return true
}
