package json

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// Syntax are the liberties that a text may take with JSON's grammar.
type Syntax struct {
	SingleQuotes      bool // 'text'
	UnquotedNames     bool // {name: 1}
	LeadingZeros      bool // 007
	NonNumericNumbers bool // NaN, Infinity, -Infinity
	Comments          bool // /* */ and //
	AnyEscape         bool // a backslash before any character
	ControlChars      bool // control characters inside strings
}

var errSyntax = errors.New("not JSON")

// scanner reads one text. After an error it must not be used further.
type scanner struct {
	Syntax
	b     []byte
	p     int
	buf   []byte // of the last string with escapes
	depth int
}

// What Spark's reader allows: nested values, and the characters of a number.
const (
	maxDepth  = 1000
	maxNumber = 1000
)

// space skips white space and, if allowed, comments; 0 is the end.
func (s *scanner) space() byte {
	for s.p < len(s.b) {
		switch c := s.b[s.p]; c {
		case ' ', '\t', '\n', '\r':
			s.p++
		case '/':
			if !s.Comments || !s.comment() {
				return c
			}
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) comment() bool {
	if s.p+1 >= len(s.b) {
		return false
	}
	switch s.b[s.p+1] {
	case '/':
		for s.p < len(s.b) && s.b[s.p] != '\n' {
			s.p++
		}
		return true
	case '*':
		for i := s.p + 2; i+1 < len(s.b); i++ {
			if s.b[i] == '*' && s.b[i+1] == '/' {
				s.p = i + 2
				return true
			}
		}
	}
	return false
}

// kind is what a value begins with.
type kind uint8

const (
	noKind kind = iota
	nullKind
	trueKind
	falseKind
	intKind
	floatKind
	nanKind // NaN and the infinities
	textKind
	arrayKind
	objectKind
)

// peek tells the kind of the value that comes next.
func (s *scanner) peek() (kind, error) {
	switch c := s.space(); {
	case c == '{':
		return objectKind, nil
	case c == '[':
		return arrayKind, nil
	case c == '"' || c == '\'' && s.SingleQuotes:
		return textKind, nil
	case c == 't':
		return trueKind, nil
	case c == 'f':
		return falseKind, nil
	case c == 'n':
		return nullKind, nil
	case c == '-' || c >= '0' && c <= '9' || c == '+' || c == 'N' || c == 'I':
		return s.number(s.p).kind, nil
	}
	return noKind, errSyntax
}

// token is a scalar's place in the text.
type token struct {
	kind     kind
	from, to int
}

// scalar reads null, true, false or a number.
func (s *scanner) scalar(k kind) (token, error) {
	t := token{kind: k, from: s.p, to: s.p}
	switch k {
	case nullKind:
		t.to += 4
		return t, s.word("null")
	case trueKind:
		t.to += 4
		return t, s.word("true")
	case falseKind:
		t.to += 5
		return t, s.word("false")
	}
	t = s.number(s.p)
	if t.kind == noKind || t.to < len(s.b) && wordByte(s.b[t.to]) {
		return t, errSyntax
	}
	s.p = t.to
	return t, nil
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c >= 0x80
}

func (s *scanner) word(w string) error {
	end := s.p + len(w)
	if end > len(s.b) || string(s.b[s.p:end]) != w || end < len(s.b) && wordByte(s.b[end]) {
		return errSyntax
	}
	s.p = end
	return nil
}

// number finds the number at i without moving.
func (s *scanner) number(i int) token {
	t := token{kind: intKind, from: i}
	b := s.b
	sign := i < len(b) && (b[i] == '-' || b[i] == '+')
	if sign {
		i++
	}
	if s.NonNumericNumbers {
		for _, w := range []string{"NaN", "Infinity", "INF"} {
			if len(b)-i >= len(w) && string(b[i:i+len(w)]) == w && (sign || w != "INF") && !(sign && w == "NaN") {
				t.kind, t.to = nanKind, i+len(w)
				return t
			}
		}
	}
	digits := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == digits || sign && b[t.from] == '+' || i > digits+1 && b[digits] == '0' && !s.LeadingZeros {
		return token{}
	}
	if i < len(b) && b[i] == '.' {
		t.kind = floatKind
		from := i + 1
		for i++; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		}
		if i == from {
			return token{}
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		t.kind = floatKind
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		from := i
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		}
		if i == from {
			return token{}
		}
	}
	if t.to = i; t.to-t.from > maxNumber {
		return token{}
	}
	return t
}

// text reads a string: its bytes, which lie in the input unless copied.
func (s *scanner) text() (v []byte, copied bool, err error) {
	q := s.b[s.p]
	s.p++
	start := s.p
	for i := start; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == q:
			s.p = i + 1
			return s.b[start:i], false, nil
		case c == '\\':
			return s.escaped(q, start, i)
		case c < 0x20 && !s.ControlChars:
			return nil, false, errSyntax
		}
	}
	return nil, false, errSyntax
}

// escaped reads a string whose first backslash is at i into the scanner's buffer.
func (s *scanner) escaped(q byte, start, i int) ([]byte, bool, error) {
	s.buf = append(s.buf[:0], s.b[start:i]...)
	for i < len(s.b) {
		switch c := s.b[i]; {
		case c == q:
			s.p = i + 1
			return s.buf, true, nil
		case c < 0x20 && !s.ControlChars:
			return nil, false, errSyntax
		case c != '\\':
			s.buf = append(s.buf, c)
			i++
		default:
			n, err := s.escape(i)
			if err != nil {
				return nil, false, err
			}
			i += n
		}
	}
	return nil, false, errSyntax
}

// escape appends what the escape at i stands for and returns its length.
func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.b) {
		return 0, errSyntax
	}
	switch c := s.b[i+1]; c {
	case '"', '\\', '/':
		s.buf = append(s.buf, c)
	case 'b':
		s.buf = append(s.buf, '\b')
	case 'f':
		s.buf = append(s.buf, '\f')
	case 'n':
		s.buf = append(s.buf, '\n')
	case 'r':
		s.buf = append(s.buf, '\r')
	case 't':
		s.buf = append(s.buf, '\t')
	case 'u':
		return s.unicode(i)
	default:
		if !s.AnyEscape && !(c == '\'' && s.SingleQuotes) {
			return 0, errSyntax
		}
		s.buf = append(s.buf, c)
	}
	return 2, nil
}

func (s *scanner) unicode(i int) (int, error) {
	r, ok := s.hex4(i)
	if !ok {
		return 0, errSyntax
	}
	if utf16.IsSurrogate(r) {
		if low, ok := s.hex4(i + 6); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				s.buf = utf8.AppendRune(s.buf, pair)
				return 12, nil
			}
		}
		s.buf = append(s.buf, '?')
		return 6, nil
	}
	s.buf = utf8.AppendRune(s.buf, r)
	return 6, nil
}

// hex4 reads \uXXXX at i.
func (s *scanner) hex4(i int) (r rune, ok bool) {
	if i+6 > len(s.b) || s.b[i] != '\\' || s.b[i+1] != 'u' {
		return 0, false
	}
	for _, c := range s.b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() ([]byte, error) {
	var v []byte
	switch c := s.space(); {
	case c == '"' || c == '\'' && s.SingleQuotes:
		var err error
		if v, _, err = s.text(); err != nil {
			return nil, err
		}
	case s.UnquotedNames && (wordByte(c) && c != '.' || c == '$') && !(c >= '0' && c <= '9'):
		start := s.p
		for s.p < len(s.b) && (wordByte(s.b[s.p]) || s.b[s.p] == '$' || s.b[s.p] == '-') {
			s.p++
		}
		v = s.b[start:s.p]
	default:
		return nil, errSyntax
	}
	if s.space() != ':' {
		return nil, errSyntax
	}
	s.p++
	return v, nil
}

// enter begins an array or object; more says that it has a first element.
func (s *scanner) enter(end byte) (more bool, err error) {
	if s.depth++; s.depth > maxDepth {
		return false, errSyntax
	}
	s.p++
	switch s.space() {
	case end:
		s.p++
		s.depth--
		return false, nil
	case 0:
		return false, errSyntax
	}
	return true, nil
}

// after is what follows an element: another one, or the end.
func (s *scanner) after(end byte) (more bool, err error) {
	switch s.space() {
	case ',':
		s.p++
		return true, nil
	case end:
		s.p++
		s.depth--
		return false, nil
	}
	return false, errSyntax
}

// skip passes over a value of any kind.
func (s *scanner) skip() error {
	k, err := s.peek()
	if err != nil {
		return err
	}
	switch k {
	case textKind:
		_, _, err = s.text()
		return err
	case arrayKind:
		more, err := s.enter(']')
		for more && err == nil {
			if err = s.skip(); err == nil {
				more, err = s.after(']')
			}
		}
		return err
	case objectKind:
		more, err := s.enter('}')
		for more && err == nil {
			if _, err = s.name(); err == nil {
				if err = s.skip(); err == nil {
					more, err = s.after('}')
				}
			}
		}
		return err
	}
	_, err = s.scalar(k)
	return err
}
