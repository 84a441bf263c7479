package sqlparser

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// isString says whether the token n places on is a string (not an identifier in double quotes).
func (p *parser) isString(n int) bool {
	k := p.at(n)
	return k == tString || k == tDouble && !p.o.DoubleQuotedIdentifiers
}

// stringLiteral takes one or more adjacent strings, which are joined. Parameter markers with known values count too.
func (p *parser) stringLiteral() string {
	s := p.oneString()
	for p.isString(0) || p.boundString() {
		s += p.oneString()
	}
	return s
}

func (p *parser) oneString() string {
	if p.isString(0) {
		s := p.unquote(p.word(p.i))
		p.i++
		return s
	}
	if p.boundString() {
		l, _ := p.marker().(*expr.Literal)
		if s, ok := l.Value.(string); ok {
			return s
		}
	}
	p.fail()
	return ""
}

// boundString says whether a parameter marker whose value is a string is next.
func (p *parser) boundString() bool {
	var e expr.Expr
	switch {
	case p.kind() == tQuestion && p.markers < len(p.o.Positional):
		e = p.o.Positional[p.markers]
	case p.kind() == tColon && p.o.Named != nil && p.isName(1):
		e = p.o.Named[p.word(p.i+1)]
	}
	l, ok := e.(*expr.Literal)
	return ok && l.T.Kind == types.StringKind
}

// isMarker says whether a parameter marker is next.
func (p *parser) isMarker() bool {
	return p.kind() == tQuestion || p.kind() == tColon && p.isName(1)
}

// marker takes a parameter marker; it is replaced if its value is known.
func (p *parser) marker() expr.Expr {
	start := p.i
	p.i++
	if p.toks[start].kind == tQuestion {
		n := p.markers
		p.markers++
		if n < len(p.o.Positional) {
			return p.o.Positional[n]
		}
		return &expr.Param{Index: n, At: p.origin(start)}
	}
	name := p.identifier()
	if e, ok := p.o.Named[name]; ok {
		return e
	}
	return &expr.Param{Name: name, At: p.origin(start)}
}

// integer takes an unsigned whole number where the grammar wants one.
func (p *parser) integer() int {
	if p.isMarker() {
		if l, ok := p.marker().(*expr.Literal); ok {
			switch v := l.Value.(type) {
			case int32:
				return int(v)
			case int64:
				return int(v)
			}
		}
		p.i--
		p.fail()
	}
	if p.kind() != tInteger {
		p.failExpecting(tInteger)
	}
	n, err := strconv.Atoi(p.word(p.i))
	if err != nil || n > math.MaxInt32 {
		start := p.i
		p.i++
		p.failAt(start, "INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", p.word(start), "minValue", "-2147483648",
			"maxValue", "2147483647", "typeName", "int")
	}
	p.i++
	return n
}

// unquote is the value of a string token.
func (p *parser) unquote(s string) string {
	if s[0] == 'r' || s[0] == 'R' {
		return s[2 : len(s)-1]
	}
	q := s[0]
	s = s[1 : len(s)-1]
	if p.o.EscapedStringLiterals {
		return s
	}
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, q) < 0 {
		return s
	}
	return unescape(s, q, p.o.ConsecutiveStrings)
}

// unescape resolves backslashes and doubled quotes. dropQuotes: the doubled quote is nothing instead of one quote.
func unescape(s string, quote byte, dropQuotes bool) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == quote {
			if i++; !dropQuotes {
				b = append(b, c)
			}
			continue
		}
		if c != '\\' || i+1 == len(s) {
			b = append(b, c)
			continue
		}
		i++
		if n := 0; s[i] == 'u' || s[i] == 'U' {
			if b, n = appendUnicode(b, s[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		if i+2 < len(s) && s[i] <= '1' && isOctal(s[i]) && isOctal(s[i+1]) && isOctal(s[i+2]) {
			b = utf8.AppendRune(b, rune(s[i]-'0')<<6|rune(s[i+1]-'0')<<3|rune(s[i+2]-'0'))
			i += 2
			continue
		}
		b = appendEscape(b, s[i])
	}
	return string(b)
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

// appendUnicode appends the character of uXXXX or UXXXXXXXX and gives the length of the escape; 0 if it is none.
func appendUnicode(b []byte, s string) ([]byte, int) {
	n := 5
	if s[0] == 'U' {
		n = 9
	}
	if len(s) < n {
		return b, 0
	}
	v, err := strconv.ParseUint(s[1:n], 16, 32)
	if err != nil {
		return b, 0
	}
	// a pair of surrogates is one character
	if v >= 0xd800 && v < 0xdc00 && len(s) >= n+6 && s[n] == '\\' && s[n+1] == 'u' {
		if low, err := strconv.ParseUint(s[n+2:n+6], 16, 32); err == nil && low >= 0xdc00 && low < 0xe000 {
			return utf8.AppendRune(b, rune(0x10000+(v-0xd800)<<10+(low-0xdc00))), n + 6
		}
	}
	return utf8.AppendRune(b, rune(v)), n
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '0':
		return append(b, 0)
	case 'b':
		return append(b, '\b')
	case 'n':
		return append(b, '\n')
	case 'r':
		return append(b, '\r')
	case 't':
		return append(b, '\t')
	case 'Z':
		return append(b, 26)
	case '%', '_': // kept for LIKE
		return append(b, '\\', c)
	}
	return append(b, c)
}

// number takes a number, with its sign if it has one.
func (p *parser) number() expr.Expr {
	start := p.i
	neg := p.accept(tMinus)
	k, s := p.kind(), p.word(p.i)
	p.i++
	if k == tExponent && p.o.ExponentAsDecimal {
		k = tDecimal
	}
	switch k {
	case tInteger:
		return p.wholeNumber(start, s, neg)
	case tBigint:
		return p.sized(start, s, neg, 64, types.Long)
	case tSmallint:
		return p.sized(start, s, neg, 16, types.Short)
	case tTinyint:
		return p.sized(start, s, neg, 8, types.Byte)
	case tExponent:
		return p.floating(start, s, neg, 64)
	case tDoubleValue:
		return p.floating(start, s[:len(s)-1], neg, 64)
	case tFloat:
		return p.floating(start, s[:len(s)-1], neg, 32)
	case tBigDecimal:
		return p.decimal(start, s[:len(s)-2], neg)
	case tDecimal:
		return p.decimal(start, s, neg)
	}
	p.i = start
	p.fail()
	return nil
}

func signed(s string, neg bool) string {
	if neg {
		return "-" + s
	}
	return s
}

// wholeNumber is INT, BIGINT or DECIMAL, whatever holds it first.
func (p *parser) wholeNumber(start int, s string, neg bool) expr.Expr {
	v, err := strconv.ParseInt(signed(s, neg), 10, 64)
	switch {
	case err != nil:
		return p.decimal(start, s, neg)
	case v >= math.MinInt32 && v <= math.MaxInt32:
		return &expr.Literal{Value: int32(v), T: types.Int, At: p.origin(start)}
	}
	return &expr.Literal{Value: v, T: types.Long, At: p.origin(start)}
}

// sized is a whole number with a type letter.
func (p *parser) sized(start int, s string, neg bool, bits int, t types.Type) expr.Expr {
	s = signed(s[:len(s)-1], neg)
	v, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		high := int64(1)<<(bits-1) - 1
		p.outOfRange(start, s, strconv.FormatInt(-high-1, 10), strconv.FormatInt(high, 10), t)
	}
	l := &expr.Literal{T: t, At: p.origin(start)}
	switch bits {
	case 8:
		l.Value = int8(v)
	case 16:
		l.Value = int16(v)
	default:
		l.Value = v
	}
	return l
}

func (p *parser) outOfRange(start int, s, low, high string, t types.Type) {
	p.failAt(start, "INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", s, "minValue", low, "maxValue", high, "typeName", t.String())
}

func (p *parser) floating(start int, s string, neg bool, bits int) expr.Expr {
	s = signed(s, neg)
	v, err := strconv.ParseFloat(s, bits)
	if err != nil {
		high, t := "1.7976931348623157E+308", types.Double
		if bits == 32 {
			high, t = "3.4028234663852886E+38", types.Float
		}
		p.outOfRange(start, s, "-"+high, high, t)
	}
	if bits == 32 {
		return &expr.Literal{Value: float32(v), T: types.Float, At: p.origin(start)}
	}
	return &expr.Literal{Value: v, T: types.Double, At: p.origin(start)}
}

// decimal is an exact number: its precision and scale are those of its digits.
func (p *parser) decimal(start int, s string, neg bool) expr.Expr {
	mant, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mant = s[:i]
		exp, _ = strconv.Atoi(s[i+1:])
		if exp > 1000 || exp < -1000 {
			p.tooPrecise(start, 1000)
		}
	}
	whole, frac, _ := strings.Cut(mant, ".")
	digits := strings.TrimLeft(whole+frac, "0")
	scale := len(frac) - exp
	if scale < 0 {
		if digits != "" {
			if len(digits)-scale > types.MaxPrecision {
				p.tooPrecise(start, len(digits)-scale)
			}
			digits += strings.Repeat("0", -scale)
		}
		scale = 0
	}
	precision := max(len(digits), scale, 1)
	if precision > types.MaxPrecision {
		p.tooPrecise(start, precision)
	}
	v, _, ok := types.ParseDecimal(digits)
	if digits != "" && !ok {
		p.tooPrecise(start, len(digits))
	}
	if neg {
		v = v.Neg()
	}
	return &expr.Literal{Value: v, T: types.Decimal(precision, scale), At: p.origin(start)}
}

func (p *parser) tooPrecise(start, precision int) {
	e := sparkerr.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(precision), "maxPrecision", "38")
	e.Class = sparkerr.ArithmeticException
	if p.toks[p.i-1].kind != tInteger {
		e.Class, e.Context = sparkerr.ParseException, p.context(start)
	}
	panic(bailout{e})
}

// typedLiteral is TYPE 'text'.
func (p *parser) typedLiteral() expr.Expr {
	start := p.i
	typ := strings.ToUpper(p.word(p.i))
	p.i++
	s := p.oneString()
	at := p.origin(start)
	invalid := func() { p.invalidLiteral(start, typ, s) }
	switch typ {
	case "DATE":
		if d, ok := p.dateLiteral(s); ok {
			return &expr.Literal{Value: d, T: types.Date, At: at}
		}
		invalid()
	case "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ":
		if v, t, ok := p.timestampLiteral(typ, s); ok {
			return &expr.Literal{Value: v, T: t, At: at}
		}
		invalid()
	case "TIME":
		if v, ok := timeLiteral(s); ok {
			return &expr.Literal{Value: v, T: types.Time, At: at}
		}
		invalid()
	case "INTERVAL":
		return p.intervalText(start, s)
	case "X":
		digits := s
		if len(s)%2 == 1 {
			digits = "0" + s
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			invalid()
		}
		return &expr.Literal{Value: b, T: types.Binary, At: at}
	}
	p.failAt(start, "UNSUPPORTED_TYPED_LITERAL", "unsupportedType", `"`+typ+`"`,
		"supportedTypes", `"DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME"`)
	return nil
}

func (p *parser) invalidLiteral(start int, typ, s string) {
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
	p.failAt(start, "INVALID_TYPED_LITERAL", "valueType", `"`+typ+`"`, "value", "'"+quoted+"'")
}
