package text

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/types"
)

// Arg is an argument of Printf: a value and its type.
type Arg struct {
	Value any
	Type  types.Type
}

type directive struct {
	flags      string
	width      int
	precision  int
	conversion byte
	index      int // argument number from 1; 0: the next; -1: the last again
}

// AppendPrintf formats as java.util.Formatter does. The error's text is that of Java's exception.
func AppendPrintf(dst []byte, format string, args []Arg) ([]byte, error) {
	next, last := 0, 0
	for i := 0; i < len(format); {
		if format[i] != '%' {
			dst = append(dst, format[i])
			i++
			continue
		}
		d, n, err := parseDirective(format[i:])
		if err != nil {
			return dst, err
		}
		spec := format[i : i+n]
		i += n
		switch d.conversion {
		case '%':
			dst = d.pad(dst, "%")
			continue
		case 'n':
			dst = append(dst, '\n')
			continue
		}
		at := 0
		switch d.index {
		case 0:
			at = next
			next++
		case -1:
			at = last
		default:
			at = d.index - 1
		}
		if at >= len(args) {
			return dst, errors.New("Format specifier '" + spec + "'")
		}
		last = at
		if dst, err = d.append(dst, args[at]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func parseDirective(s string) (d directive, n int, err error) {
	d.precision = -1
	i := 1
	number := func() int {
		v := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			v = v*10 + int(s[i]-'0')
			i++
		}
		return v
	}
	if i < len(s) && s[i] == '<' {
		d.index = -1
		i++
	} else if start := i; i < len(s) && s[i] >= '1' && s[i] <= '9' {
		if v := number(); i < len(s) && s[i] == '$' {
			d.index = v
			i++
		} else {
			i = start
		}
	}
	for i < len(s) && strings.IndexByte("-#+ 0,(", s[i]) >= 0 {
		d.flags += s[i : i+1]
		i++
	}
	d.width = number()
	if i < len(s) && s[i] == '.' {
		i++
		d.precision = number()
	}
	if i >= len(s) {
		return d, 0, errors.New("Conversion = '%'")
	}
	d.conversion = s[i]
	if strings.IndexByte("bBhHsScCdoxXeEfgGaA%n", d.conversion) < 0 {
		return d, 0, errors.New("Conversion = '" + s[i:i+1] + "'")
	}
	return d, i + 1, nil
}

func (d *directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// pad adds s with spaces to the width.
func (d *directive) pad(dst []byte, s string) []byte {
	fill := d.width - utf8.RuneCountInString(s)
	if d.has('-') {
		dst = append(dst, s...)
	}
	for ; fill > 0; fill-- {
		dst = append(dst, ' ')
	}
	if !d.has('-') {
		dst = append(dst, s...)
	}
	return dst
}

func (d *directive) wrong(a Arg) error {
	return errors.New(string(d.conversion) + " != " + javaClass(a))
}

// javaClass is the class that holds a value on the JVM.
func javaClass(a Arg) string {
	switch a.Value.(type) {
	case string:
		return "org.apache.spark.unsafe.types.UTF8String"
	case bool:
		return "java.lang.Boolean"
	case int8:
		return "java.lang.Byte"
	case int16:
		return "java.lang.Short"
	case int32:
		return "java.lang.Integer"
	case int64:
		return "java.lang.Long"
	case float32:
		return "java.lang.Float"
	case float64:
		return "java.lang.Double"
	case types.Int128:
		return "org.apache.spark.sql.types.Decimal"
	}
	return "java.lang.Object"
}

func (d *directive) append(dst []byte, a Arg) ([]byte, error) {
	if a.Value == nil && d.conversion|0x20 != 'b' {
		return d.finish(dst, d.cut("null")), nil
	}
	switch d.conversion | 0x20 {
	case 's':
		return d.finish(dst, d.cut(plain(a))), nil
	case 'b':
		v, isBool := a.Value.(bool)
		return d.finish(dst, d.cut(strconv.FormatBool(a.Value != nil && (!isBool || v)))), nil
	case 'h':
		return d.finish(dst, d.cut(strconv.FormatUint(uint64(javaHash(a)), 16))), nil
	case 'c':
		v, ok := integer(a.Value)
		if !ok {
			return dst, d.wrong(a)
		}
		return d.finish(dst, string(rune(v))), nil
	case 'd', 'o', 'x':
		return d.integer(dst, a)
	}
	return d.float(dst, a)
}

func (d *directive) cut(s string) string {
	if d.precision >= 0 {
		return Prefix(s, d.precision)
	}
	return s
}

func (d *directive) finish(dst []byte, s string) []byte {
	if d.conversion < 'a' {
		s = strings.ToUpper(s)
	}
	return d.pad(dst, s)
}

// plain is a value as the JVM's toString of the engine's own value gives it: dates and times as numbers.
func plain(a Arg) string {
	switch x := a.Value.(type) {
	case int32:
		return strconv.FormatInt(int64(x), 10)
	case int64:
		return strconv.FormatInt(x, 10)
	}
	return string(types.AppendValue(nil, a.Value, a.Type, nil))
}

// javaHash is the hash code of a value on the JVM.
func javaHash(a Arg) uint32 {
	switch x := a.Value.(type) {
	case bool:
		if x {
			return 1231
		}
		return 1237
	case int8:
		return uint32(x)
	case int16:
		return uint32(x)
	case int32:
		return uint32(x)
	case int64:
		return uint32(x ^ int64(uint64(x)>>32))
	case float64:
		b := math.Float64bits(x)
		return uint32(b ^ b>>32)
	case float32:
		return math.Float32bits(x)
	}
	return 0
}

func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

func (d *directive) integer(dst []byte, a Arg) ([]byte, error) {
	v, ok := integer(a.Value)
	if !ok {
		return dst, d.wrong(a)
	}
	if d.conversion == 'd' {
		digits := strconv.FormatUint(uint64(abs(v)), 10)
		return d.signed(dst, d.grouped(digits), v < 0), nil
	}
	bits := map[types.Kind]uint{types.ByteKind: 8, types.ShortKind: 16, types.IntKind: 32}[a.Type.Kind]
	u := uint64(v)
	if bits != 0 {
		u &= 1<<bits - 1
	}
	base, prefix := 16, "0x"
	if d.conversion == 'o' {
		base, prefix = 8, "0"
	}
	s := strconv.FormatUint(u, base)
	if d.has('#') {
		s = prefix + s
	}
	if d.has('0') && len(s) < d.width {
		s = strings.Repeat("0", d.width-len(s)) + s
	}
	return d.finish(dst, s), nil
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// grouped puts commas between thousands of the digits before the point when the flag says so.
func (d *directive) grouped(s string) string {
	if !d.has(',') {
		return s
	}
	return Group(s)
}

// Group puts commas between thousands of the digits before the point.
func Group(s string) string {
	whole, frac, point := strings.Cut(s, ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if point {
		b.WriteString("." + frac)
	}
	return b.String()
}

// signed adds the sign, and zeros up to the width.
func (d *directive) signed(dst []byte, s string, neg bool) []byte {
	before, after := "", ""
	switch {
	case neg && d.has('('):
		before, after = "(", ")"
	case neg:
		before = "-"
	case d.has('+'):
		before = "+"
	case d.has(' '):
		before = " "
	}
	if fill := d.width - len(before) - len(s) - len(after); d.has('0') && fill > 0 {
		s = strings.Repeat("0", fill) + s
	}
	return d.finish(dst, before+s+after)
}

func (d *directive) float(dst []byte, a Arg) ([]byte, error) {
	var f float64
	switch x := a.Value.(type) {
	case float32:
		f, _ = strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
	case float64:
		f = x
	case types.Int128:
		return d.decimal(dst, x, int(a.Type.Scale), a)
	default:
		return dst, d.wrong(a)
	}
	if math.IsNaN(f) {
		return d.finish(dst, "NaN"), nil
	}
	neg := math.Signbit(f)
	f = math.Abs(f)
	if math.IsInf(f, 0) {
		e := *d
		e.flags = strings.ReplaceAll(d.flags, "0", "")
		return e.signed(dst, "Infinity", neg), nil
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	switch d.conversion | 0x20 {
	case 'f':
		return d.signed(dst, d.grouped(fixed(f, precision)), neg), nil
	case 'e':
		return d.signed(dst, strconv.FormatFloat(f, 'e', precision, 64), neg), nil
	case 'a':
		s := strings.Replace(strconv.FormatFloat(f, 'x', d.precision, 64), "p+", "p", 1)
		m, e, _ := strings.Cut(s, "p")
		if !strings.Contains(m, ".") {
			m += ".0"
		}
		n, _ := strconv.Atoi(e)
		return d.signed(dst, m+"p"+strconv.Itoa(n), neg), nil
	}
	if precision == 0 {
		precision = 1
	}
	if f != 0 && (f < 1e-4 || f >= math.Pow10(precision)) {
		return d.signed(dst, strconv.FormatFloat(f, 'e', precision-1, 64), neg), nil
	}
	digits := precision - 1
	if f != 0 {
		digits -= int(math.Floor(math.Log10(f)))
	}
	return d.signed(dst, d.grouped(fixed(f, max(digits, 0))), neg), nil
}

// fixed prints with so many digits after the point, rounding the shortest decimal form half up as Java does.
func fixed(f float64, precision int) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if _, frac, _ := strings.Cut(s, "."); len(frac) <= precision {
		return strconv.FormatFloat(f, 'f', precision, 64)
	}
	return RoundDecimal(s, precision, false)
}

// RoundDecimal rounds a plain unsigned decimal text to so many digits after the point: half up, or half to even.
func RoundDecimal(s string, precision int, even bool) string {
	whole, frac, _ := strings.Cut(s, ".")
	for len(frac) < precision {
		frac += "0"
	}
	rest := frac[precision:]
	digits := []byte(whole + frac[:precision])
	up := rest != "" && rest[0] >= '5'
	if up && even && strings.Trim(rest[1:], "0") == "" && rest[0] == '5' {
		up = len(digits) > 0 && (digits[len(digits)-1]-'0')%2 == 1
	}
	if up {
		i := len(digits) - 1
		for ; i >= 0 && digits[i] == '9'; i-- {
			digits[i] = '0'
		}
		if i >= 0 {
			digits[i]++
		} else {
			digits = append([]byte{'1'}, digits...)
		}
	}
	n := len(digits) - precision
	if precision == 0 {
		return string(digits)
	}
	return string(digits[:n]) + "." + string(digits[n:])
}

func (d *directive) decimal(dst []byte, v types.Int128, scale int, a Arg) ([]byte, error) {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	neg := v.Sign() < 0
	s := types.FormatDecimal(v.Abs(), scale)
	switch d.conversion | 0x20 {
	case 'f':
		return d.signed(dst, d.grouped(RoundDecimal(s, precision, false)), neg), nil
	case 'e', 'g':
		f, _ := strconv.ParseFloat(s, 64)
		e := *d
		return e.float(dst, Arg{Value: signedFloat(f, neg), Type: types.Double})
	}
	return dst, d.wrong(a)
}

func signedFloat(f float64, neg bool) float64 {
	if neg {
		return -f
	}
	return f
}
