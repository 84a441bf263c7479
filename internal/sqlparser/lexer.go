package sqlparser

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexer turns a text into tokens. It never fails except on a comment that is not closed: what begins no token
// becomes one of kind tUnknown, because statements such as SET take raw text.
type lexer struct {
	text string
	at   int // byte offset
	// where at is, for the positions of tokens
	rune, line, lineRune int
	toks                 []token
	parens               []int32
	unclosed             bool // a comment is not closed
}

// lex returns the tokens of text, ended by one of kind tEOF; ok is false if a comment is not closed.
func lex(text string) (toks []token, ok bool) {
	l := lexer{text: text, line: 1, toks: make([]token, 0, len(text)/5+8)}
	for l.skipBlanks() {
		l.next()
	}
	end := len(text)
	l.toks = append(l.toks, token{kind: tEOF, start: int32(end), end: int32(end), rune: int32(l.rune), line: int32(l.line),
		pos: int32(l.rune - l.lineRune), match: -1})
	return l.toks, !l.unclosed
}

// peek is the byte n places on, 0 behind the end.
func (l *lexer) peek(n int) byte {
	if l.at+n < len(l.text) {
		return l.text[l.at+n]
	}
	return 0
}

// skip moves over n bytes and counts lines and runes.
func (l *lexer) skip(n int) {
	for _, r := range l.text[l.at : l.at+n] {
		l.rune++
		if r == '\n' {
			l.line++
			l.lineRune = l.rune
		}
	}
	l.at += n
}

// skipBlanks moves over blanks and comments; false at the end of the text.
func (l *lexer) skipBlanks() bool {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c == ' ' || c >= '\t' && c <= '\r' || c >= utf8.RuneSelf && l.wideBlank() > 0:
			l.skip(l.wideBlank())
		case c == '-' && l.peek(1) == '-':
			l.lineComment()
		case c == '/' && l.peek(1) == '*' && l.peek(2) != '+':
			l.blockComment()
		default:
			return true
		}
	}
	return false
}

// wideBlank is the length of the blank at the current place, 0 if there is none.
func (l *lexer) wideBlank() int {
	if l.text[l.at] < utf8.RuneSelf {
		return 1
	}
	r, n := utf8.DecodeRuneInString(l.text[l.at:])
	switch {
	case r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x2028 || r == 0x202f || r == 0x205f || r == 0x3000:
		return n
	}
	return 0
}

// lineComment ends at a line end that has no backslash before it.
func (l *lexer) lineComment() {
	n := 2
	for l.at+n < len(l.text) {
		c := l.text[l.at+n]
		n++
		if c == '\\' && l.peek(n) == '\n' {
			n++
		} else if c == '\n' || c == '\r' {
			break
		}
	}
	l.skip(n)
}

// blockComment may hold others.
func (l *lexer) blockComment() {
	depth, n := 0, 0
	for l.at+n < len(l.text) {
		switch {
		case l.text[l.at+n] == '/' && l.peek(n+1) == '*' && l.peek(n+2) != '+':
			depth++
			n += 2
		case l.text[l.at+n] == '*' && l.peek(n+1) == '/':
			depth--
			n += 2
		default:
			n++
		}
		if depth == 0 {
			l.skip(n)
			return
		}
	}
	l.unclosed = true
	l.skip(n)
}

// next appends the token at the current place.
func (l *lexer) next() {
	t := token{start: int32(l.at), rune: int32(l.rune), line: int32(l.line), pos: int32(l.rune - l.lineRune), match: -1}
	var n int
	t.kind, n = l.scan()
	l.pair(&t)
	l.skip(n)
	t.end = int32(l.at)
	l.toks = append(l.toks, t)
}

// pair keeps the stack of open parentheses.
func (l *lexer) pair(t *token) {
	switch i := int32(len(l.toks)); t.kind {
	case tLeftParen:
		l.parens = append(l.parens, i)
	case tRightParen:
		if n := len(l.parens); n > 0 {
			l.toks[l.parens[n-1]].match = i
			l.parens = l.parens[:n-1]
		}
	}
}

// scan finds the longest token at the current place and its length.
func (l *lexer) scan() (kind, int) {
	switch c := l.text[l.at]; {
	case (c == 'r' || c == 'R') && (l.peek(1) == '\'' || l.peek(1) == '"'):
		if i := strings.IndexByte(l.text[l.at+2:], l.text[l.at+1]); i >= 0 {
			return tString, i + 3
		}
		return l.word()
	case isDigit(c) || c == '.' && isDigit(l.peek(1)):
		return l.number()
	case isLetter(c) || c == '_' || c >= utf8.RuneSelf:
		return l.word()
	case c == '\'':
		return l.quoted(tString)
	case c == '"':
		return l.quoted(tDouble)
	case c == '`':
		return l.backQuoted()
	case c == '$':
		return l.dollar()
	}
	return l.operator()
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// word scans a word of letters, digits and underscores, or a location such as s3://bucket/path.
func (l *lexer) word() (kind, int) {
	var upper [24]byte
	n, ascii, letters := 0, true, true
	for l.at+n < len(l.text) {
		c := l.text[l.at+n]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(l.text[l.at+n:])
			if !unicode.IsLetter(r) {
				break
			}
			ascii = false
			n += size
			continue
		}
		if !isLetter(c) {
			if !isDigit(c) && c != '_' {
				break
			}
			letters = false
		}
		if n < len(upper) {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			upper[n] = c
		}
		n++
	}
	switch {
	case n == 0:
		_, size := utf8.DecodeRuneInString(l.text[l.at:])
		return tUnknown, size
	case letters && strings.HasPrefix(l.text[l.at+n:], "://"):
		return tIdent, l.location(n)
	case ascii && n <= len(upper):
		return lookupKeyword(upper[:n]), n
	}
	return tIdent, n
}

// location is the length of scheme://rest where the scheme has n bytes; n if there is no rest.
func (l *lexer) location(n int) int {
	i := n + 3
	for l.at+i < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at+i:])
		if !unicode.IsLetter(r) && !strings.ContainsRune("0123456789_/-.?=&#%", r) {
			break
		}
		i += size
	}
	if i == n+3 {
		return n
	}
	return i
}

// quoted scans a string with backslash escapes and doubled quotes.
func (l *lexer) quoted(k kind) (kind, int) {
	q := l.text[l.at]
	for n := 1; l.at+n < len(l.text); n++ {
		switch l.text[l.at+n] {
		case '\\':
			n++
		case q:
			if l.peek(n+1) != q {
				return k, n + 1
			}
			n++
		}
	}
	return tUnknown, 1
}

func (l *lexer) backQuoted() (kind, int) {
	for n := 1; l.at+n < len(l.text); n++ {
		if l.text[l.at+n] == '`' {
			if l.peek(n+1) != '`' {
				return tQuoted, n + 1
			}
			n++
		}
	}
	return tUnknown, 1
}

// dollar scans $tag$ … $tag$.
func (l *lexer) dollar() (kind, int) {
	n := 1
	for isLetter(l.peek(n)) {
		n++
	}
	if l.peek(n) != '$' {
		return tUnknown, 1
	}
	tag := l.text[l.at : l.at+n+1]
	end := strings.Index(l.text[l.at+len(tag):], tag)
	if end < 0 {
		return tUnknown, 1
	}
	return tDollar, end + 2*len(tag)
}

// operator scans punctuation, the longest first.
func (l *lexer) operator() (kind, int) {
	a, b, c := l.text[l.at], l.peek(1), l.peek(2)
	switch a {
	case '<':
		switch {
		case b == '=' && c == '>':
			return tNullSafeEq, 3
		case b == '=':
			return tLessEq, 2
		case b == '>':
			return tNotEq, 2
		case b == '<':
			return tShiftLeft, 2
		}
		return tLess, 1
	case '>':
		switch {
		case b == '>' && c == '>':
			return tShiftRightUnsigned, 3
		case b == '>':
			return tShiftRight, 2
		case b == '=':
			return tGreaterEq, 2
		}
		return tGreater, 1
	case '!':
		switch b {
		case '=':
			return tBangEq, 2
		case '>':
			return tLessEq, 2
		case '<':
			return tGreaterEq, 2
		}
		return tBang, 1
	case '=':
		switch b {
		case '=':
			return tEq, 2
		case '>':
			return tFatArrow, 2
		}
		return tEq, 1
	case '|':
		switch b {
		case '|':
			return tConcat, 2
		case '>':
			return tPipeArrow, 2
		}
		return tPipe, 1
	case ':':
		if b == ':' {
			return tDoubleColon, 2
		}
		return tColon, 1
	case '-':
		if b == '>' {
			return tArrow, 2
		}
		return tMinus, 1
	case '*':
		if b == '/' {
			return tHintEnd, 2
		}
		return tStar, 1
	case '/':
		if b == '*' && c == '+' {
			return tHintStart, 3
		}
		return tSlash, 1
	}
	return single(a), 1
}

// single is the kind of a character that is a token by itself.
func single(c byte) kind {
	switch c {
	case ';':
		return tSemicolon
	case '(':
		return tLeftParen
	case ')':
		return tRightParen
	case ',':
		return tComma
	case '.':
		return tDot
	case '[':
		return tLeftBracket
	case ']':
		return tRightBracket
	case '+':
		return tPlus
	case '%':
		return tPercent
	case '~':
		return tTilde
	case '&':
		return tAmpersand
	case '^':
		return tHat
	case '?':
		return tQuestion
	}
	return tUnknown
}

// number scans a number or a word that begins with a digit. A number with a dot counts only if no letter, digit or
// underscore follows it, so that 1.a is 1 . a.
func (l *lexer) number() (kind, int) {
	n := l.digits(0)
	best, size := tInteger, n
	take := func(k kind, end int) {
		if end > size {
			best, size = k, end
		}
	}
	dotted := l.peek(n) == '.'
	if n > 0 {
		l.suffixes(n, take)
		take(tExponent, l.exponentEnd(n))
	}
	if dotted {
		m := l.digits(n + 1)
		if n == 0 {
			best, size = tUnknown, 0
		}
		l.dottedNumber(m, take)
	}
	if size == 0 {
		return tDot, 1
	}
	if n > 0 {
		if end := l.wordEnd(n); end > size {
			return tIdent, end
		}
	}
	return best, size
}

// digits is where the digits that begin at n end.
func (l *lexer) digits(n int) int {
	for isDigit(l.peek(n)) {
		n++
	}
	return n
}

// exponentEnd is where an exponent at n ends; n if there is none.
func (l *lexer) exponentEnd(n int) int {
	if l.peek(n)|0x20 != 'e' {
		return n
	}
	m := n + 1
	if c := l.peek(m); c == '+' || c == '-' {
		m++
	}
	if end := l.digits(m); end > m {
		return end
	}
	return n
}

// suffixes offers the literals with a type letter whose digits end at n.
func (l *lexer) suffixes(n int, take func(kind, int)) {
	switch l.peek(n) | 0x20 {
	case 'l':
		take(tBigint, n+1)
	case 's':
		take(tSmallint, n+1)
	case 'y':
		take(tTinyint, n+1)
	}
	l.fractional(n, take)
	l.fractional(l.exponentEnd(n), take)
}

func (l *lexer) fractional(n int, take func(kind, int)) {
	switch l.peek(n) | 0x20 {
	case 'f':
		take(tFloat, n+1)
	case 'd':
		take(tDoubleValue, n+1)
	case 'b':
		if l.peek(n+1)|0x20 == 'd' {
			take(tBigDecimal, n+2)
		}
	}
}

// dottedNumber offers the literals with a dot whose digits end at n.
func (l *lexer) dottedNumber(n int, take func(kind, int)) {
	checked := func(k kind, end int) {
		if c := l.peek(end); !isLetter(c) && !isDigit(c) && c != '_' {
			take(k, end)
		}
	}
	checked(tDecimal, n)
	l.fractional(n, checked)
	if e := l.exponentEnd(n); e > n {
		checked(tExponent, e)
		l.fractional(e, checked)
	}
}

// wordEnd is where the word of which n bytes are known ends.
func (l *lexer) wordEnd(n int) int {
	for l.at+n < len(l.text) {
		c := l.text[l.at+n]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(l.text[l.at+n:])
			if !unicode.IsLetter(r) {
				break
			}
			n += size
			continue
		}
		if !isLetter(c) && !isDigit(c) && c != '_' {
			break
		}
		n++
	}
	return n
}
