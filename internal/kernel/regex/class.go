package regex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// set is a sorted list of disjoint ranges of characters.
type set []span
type span struct{ lo, hi rune }

func (s set) add(lo, hi rune) set { return append(s, span{lo, hi}) }

// normal sorts and joins ranges.
func (s set) normal() set {
	out := append(set{}, s...)
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && out[j].lo < out[j-1].lo; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	k := 0
	for _, r := range out {
		if k > 0 && r.lo <= out[k-1].hi+1 {
			out[k-1].hi = max(out[k-1].hi, r.hi)
			continue
		}
		out[k] = r
		k++
	}
	return out[:k]
}

func (s set) not() set {
	var out set
	next := rune(0)
	for _, r := range s.normal() {
		if r.lo > next {
			out = out.add(next, r.lo-1)
		}
		next = r.hi + 1
	}
	if next <= utf8.MaxRune {
		out = out.add(next, utf8.MaxRune)
	}
	return out
}

func (s set) and(o set) set { return append(append(set{}, s.not()...), o.not()...).not() }

// text writes the ranges as the body of a class.
func (s set) text() string {
	var b strings.Builder
	for _, r := range s.normal() {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, r.lo, r.hi)
	}
	return b.String()
}

// class reads [ … ] and writes it as plain ranges.
func (t *translation) class() error {
	s, err := t.classSet()
	if err != nil {
		return err
	}
	if len(s) == 0 {
		s = nil
		t.fastOK = false
		t.atom("", `(?!)`)
		return nil
	}
	if strings.Contains(t.flags, "i") {
		s = folded(s)
	}
	slow := set{}
	for _, r := range s.normal() { // the backtracking dialect knows four digits
		if r.lo <= 0xFFFF {
			slow = slow.add(r.lo, min(r.hi, 0xFFFF))
		}
	}
	text := "[" + s.text() + "]"
	slowText := "[" + slowClass(slow.text()) + "]"
	if n := s.normal(); n[len(n)-1].hi == utf8.MaxRune { // everything but …
		slowText = "[^" + slowClass(s.not().text()) + "]"
		if len(s.not()) == 0 {
			slowText = `[\s\S]`
		}
	}
	t.atom(text, slowText)
	return nil
}

func folded(s set) set {
	out := append(set{}, s...)
	for _, r := range s {
		for c := max(r.lo, 'A'); c <= min(r.hi, 'z'); c++ {
			if l := c | 0x20; l >= 'a' && l <= 'z' && c < 0x80 {
				out = out.add(c^0x20, c^0x20)
			}
		}
	}
	return out
}

func (t *translation) classSet() (set, error) {
	t.i++ // [
	neg := false
	if t.i < len(t.p) && t.p[t.i] == '^' {
		neg = true
		t.i++
	}
	var cur, left set
	have, first := false, true
	for {
		if t.i >= len(t.p) {
			return nil, t.bad("Unclosed character class")
		}
		switch c := t.p[t.i]; {
		case c == ']' && !first:
			t.i++
			if have {
				cur = left.and(cur)
			}
			if neg {
				cur = cur.not()
			}
			return cur.normal(), nil
		case c == '[':
			s, err := t.classSet()
			if err != nil {
				return nil, err
			}
			cur = append(cur, s...)
		case c == '&' && strings.HasPrefix(t.p[t.i:], "&&"):
			t.i += 2
			if have {
				left = left.and(cur)
			} else {
				left, have = cur, true
			}
			cur = nil
		default:
			s, err := t.classItem()
			if err != nil {
				return nil, err
			}
			cur = append(cur, s...)
		}
		first = false
	}
}

// classItem reads a character, a range or a class escape.
func (t *translation) classItem() (set, error) {
	lo, s, err := t.classChar()
	if err != nil || s != nil {
		return s, err
	}
	if t.i+1 < len(t.p) && t.p[t.i] == '-' && t.p[t.i+1] != ']' && t.p[t.i+1] != '[' {
		t.i++
		hi, s, err := t.classChar()
		if err != nil {
			return nil, err
		}
		if s != nil {
			return append(s, span{lo, lo}, span{'-', '-'}), nil
		}
		if hi < lo {
			return nil, t.bad("Illegal character range")
		}
		return set{{lo, hi}}, nil
	}
	return set{{lo, lo}}, nil
}

func (t *translation) classChar() (rune, set, error) {
	if t.p[t.i] != '\\' {
		r, n := utf8.DecodeRuneInString(t.p[t.i:])
		t.i += n
		return r, nil, nil
	}
	if t.i+1 >= len(t.p) {
		return 0, nil, t.bad("Unclosed character class")
	}
	if strings.IndexByte("dDwWsShHvVpP", t.p[t.i+1]) >= 0 {
		s, err := t.namedSet()
		return 0, s, err
	}
	r, err := t.escapedChar()
	return r, nil, err
}

// classEscape reads \d, \p{…}, \t, \. and so on outside of a class, as a class body.
func (t *translation) classEscape() (string, error) {
	if strings.IndexByte("dDwWsShHvVpP", t.p[t.i+1]) >= 0 {
		s, err := t.namedSet()
		return s.text(), err
	}
	r, err := t.escapedChar()
	s := set{{r, r}}
	if strings.Contains(t.flags, "i") {
		s = folded(s)
	}
	return s.text(), err
}

// escapedChar reads one character after a backslash.
func (t *translation) escapedChar() (rune, error) {
	c := t.p[t.i+1]
	at := t.i + 2
	hex := func(n int) (rune, error) {
		if at+n > len(t.p) {
			return 0, t.bad("Illegal hexadecimal escape sequence")
		}
		v, err := strconv.ParseUint(t.p[at:at+n], 16, 32)
		if err != nil {
			return 0, t.bad("Illegal hexadecimal escape sequence")
		}
		t.i = at + n
		return rune(v), nil
	}
	switch c {
	case 't', 'n', 'r', 'f', 'a', 'e':
		t.i = at
		return rune(map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': 7, 'e': 27}[c]), nil
	case 'x':
		if at < len(t.p) && t.p[at] == '{' {
			end := strings.IndexByte(t.p[at:], '}')
			if end < 0 {
				return 0, t.bad("Unclosed hexadecimal escape sequence")
			}
			v, err := strconv.ParseUint(t.p[at+1:at+end], 16, 32)
			if err != nil {
				return 0, t.bad("Illegal hexadecimal escape sequence")
			}
			t.i = at + end + 1
			return rune(v), nil
		}
		return hex(2)
	case 'u':
		return hex(4)
	case '0':
		n := 0
		for n < 3 && at+n < len(t.p) && t.p[at+n] >= '0' && t.p[at+n] <= '7' {
			n++
		}
		v, err := strconv.ParseUint(t.p[at:at+n], 8, 32)
		if err != nil {
			return 0, t.bad("Illegal octal escape sequence")
		}
		t.i = at + n
		return rune(v), nil
	case 'c':
		if at >= len(t.p) {
			return 0, t.bad("Illegal control escape sequence")
		}
		t.i = at + 1
		return rune(t.p[at]) ^ 64, nil
	}
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '1' && c <= '9' {
		return 0, t.bad("Illegal/unsupported escape sequence")
	}
	r, n := utf8.DecodeRuneInString(t.p[t.i+1:])
	t.i += 1 + n
	return r, nil
}

// namedSet reads \d, \w, \s, \h, \v, \p and their complements.
func (t *translation) namedSet() (set, error) {
	c := t.p[t.i+1]
	t.i += 2
	var s set
	switch c | 0x20 {
	case 'd':
		s = set{{'0', '9'}}
	case 'w':
		s = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	case 's':
		s = set{{'\t', '\r'}, {' ', ' '}}
	case 'h':
		s = set{{'\t', '\t'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}
	case 'v':
		s = set{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
	case 'p':
		var err error
		if s, err = t.property(); err != nil {
			return nil, err
		}
	}
	if c < 'a' {
		s = s.not()
	}
	return s, nil
}

var posix = map[string]set{
	"Lower": {{'a', 'z'}}, "Upper": {{'A', 'Z'}}, "ASCII": {{0, 0x7F}}, "Alpha": {{'A', 'Z'}, {'a', 'z'}}, "Digit": {{'0', '9'}},
	"Alnum": {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, "Punct": {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, "Graph": {{'!', '~'}},
	"Print": {{' ', '~'}}, "Blank": {{'\t', '\t'}, {' ', ' '}}, "Cntrl": {{0, 0x1F}, {0x7F, 0x7F}}, "XDigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
	"Space": {{'\t', '\r'}, {' ', ' '}},
}

func (t *translation) property() (set, error) {
	if t.i >= len(t.p) {
		return nil, t.bad("Illegal/unsupported escape sequence")
	}
	name := t.p[t.i : t.i+1]
	if name == "{" {
		end := strings.IndexByte(t.p[t.i:], '}')
		if end < 0 {
			return nil, t.bad("Unclosed character family")
		}
		name = t.p[t.i+1 : t.i+end]
		t.i += end
	}
	t.i++
	if s, ok := posix[name]; ok {
		return s, nil
	}
	_, value, found := strings.Cut(name, "=")
	if !found {
		value = name
	}
	if table := unicodeTable(value); table != nil {
		var s set
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				if r.Stride == 1 {
					s = s.add(rune(r.Lo), rune(r.Hi))
					break
				}
				s = s.add(c, c)
			}
		}
		for _, r := range table.R32 {
			if r.Stride == 1 {
				s = s.add(rune(r.Lo), rune(r.Hi))
				continue
			}
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				s = s.add(c, c)
			}
		}
		return s.normal(), nil
	}
	return nil, t.bad("Unknown character property name {" + name + "}")
}

// unicodeTable finds a category, a script or one of Java's own properties.
func unicodeTable(name string) *unicode.RangeTable {
	switch name {
	case "IsAlphabetic", "javaLetter", "javaAlphabetic":
		return unicode.Letter
	case "IsUppercase", "javaUpperCase":
		return unicode.Upper
	case "IsLowercase", "javaLowerCase":
		return unicode.Lower
	case "IsDigit", "javaDigit":
		return unicode.Nd
	case "IsPunctuation":
		return unicode.Punct
	case "IsWhite_Space", "javaWhitespace", "IsWhiteSpace":
		return unicode.White_Space
	case "IsIdeographic":
		return unicode.Ideographic
	case "LC":
		return unicode.Letter
	}
	if table, ok := unicode.Categories[name]; ok {
		return table
	}
	if table, ok := unicode.Scripts[name]; ok {
		return table
	}
	if rest, ok := strings.CutPrefix(name, "Is"); ok {
		if table, ok := unicode.Categories[rest]; ok {
			return table
		}
		if table, ok := unicode.Scripts[rest]; ok {
			return table
		}
		return unicode.Properties[rest]
	}
	return nil
}
