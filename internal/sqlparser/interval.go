package sqlparser

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Microseconds of the units of a day-time interval.
const (
	microsPerMilli  = 1_000
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
)

// unit is a field of interval literals.
type unit uint8

const (
	noUnit unit = iota
	year
	month
	week
	day
	hour
	minute
	second
	millisecond
	microsecond
	nanosecond
)

var unitNames = [...]string{"", "year", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond"}

func (u unit) String() string { return unitNames[u] }

// unitOf reads a unit's name, singular or plural, in any case.
func unitOf(s string) unit {
	s = strings.TrimSuffix(strings.ToLower(s), "s")
	for u, name := range unitNames {
		if u > 0 && s == name {
			return unit(u)
		}
	}
	return noUnit
}

// yearMonth says which of the two interval families a unit is of.
func (u unit) yearMonth() bool { return u == year || u == month }

// field is the code of the unit in types.Type: weeks count as days, parts of seconds as seconds.
func (u unit) field() uint8 {
	switch u {
	case year, month:
		return uint8(u - year)
	case week, day:
		return types.Day
	case hour:
		return types.Hour
	case minute:
		return types.Minute
	}
	return types.Second
}

// ParseInterval reads an interval from text such as "1 year -2 days" or "interval 3 hours".
func ParseInterval(text string) (types.CalendarInterval, error) {
	v, e := parseInterval(text)
	if e != nil {
		return v, e
	}
	return v, nil
}

func badInterval(sub, input string, kv ...string) *sparkerr.Error {
	e := sparkerr.New("INVALID_INTERVAL_FORMAT."+sub, append([]string{"input", input}, kv...)...)
	e.Class = sparkerr.IllegalArgumentException
	return e
}

// intervalScan reads value and unit in turn.
type intervalScan struct {
	input string
	rest  string
	v     types.CalendarInterval
}

func isBlank(c byte) bool { return c <= ' ' }

// firstWord is what stands before the first blank.
func firstWord(s string) string {
	for i := 0; i < len(s); i++ {
		if isBlank(s[i]) {
			return s[:i]
		}
	}
	return s
}

func parseInterval(text string) (v types.CalendarInterval, e *sparkerr.Error) {
	s := intervalScan{input: text, rest: strings.ToLower(types.TrimAll(text))}
	if s.rest == "" {
		return v, badInterval("INPUT_IS_EMPTY", text)
	}
	if w := firstWord(s.rest); strings.HasPrefix(w, "interval") {
		if w != "interval" || len(s.rest) == len(w) {
			return v, badInterval("INVALID_PREFIX", text, "prefix", w)
		}
		s.rest = types.TrimAll(s.rest[len(w):])
	}
	for s.rest != "" {
		if e := s.pair(); e != nil {
			return v, e
		}
	}
	return s.v, nil
}

// pair reads one [sign] number unit.
func (s *intervalScan) pair() *sparkerr.Error {
	neg := s.rest[0] == '-'
	if neg || s.rest[0] == '+' {
		s.rest = strings.TrimLeft(s.rest[1:], " \t\n\r")
	}
	start := s.rest
	n, digits, e := s.digits()
	if e != nil {
		return e
	}
	frac, fracDigits := int64(0), 0
	fractional := strings.HasPrefix(s.rest, ".")
	if fractional {
		s.rest = s.rest[1:]
		if frac, fracDigits, e = s.fraction(start); e != nil {
			return e
		}
	}
	if digits+fracDigits == 0 {
		return badInterval("UNRECOGNIZED_NUMBER", s.input, "number", firstWord(start))
	}
	if s.rest != "" && !isBlank(s.rest[0]) {
		return badInterval("INVALID_VALUE", s.input, "value", firstWord(start))
	}
	number := firstWord(start)
	s.rest = strings.TrimLeft(s.rest, " \t\n\r\v\f")
	if s.rest == "" {
		return badInterval("MISSING_UNIT", s.input, "word", number)
	}
	w := firstWord(s.rest)
	s.rest = types.TrimAll(s.rest[len(w):])
	u := unitOf(w)
	if fractional && u != second && u != noUnit {
		return badInterval("INVALID_FRACTION", s.input, "unit", w)
	}
	if neg {
		n, frac = -n, -frac
	}
	return s.add(n, frac, u, w)
}

// digits reads a whole number.
func (s *intervalScan) digits() (n int64, count int, e *sparkerr.Error) {
	for count < len(s.rest) && isDigit(s.rest[count]) {
		hi, lo := bits.Mul64(uint64(n), 10)
		lo, carry := bits.Add64(lo, uint64(s.rest[count]-'0'), 0)
		if hi+carry != 0 || lo > math.MaxInt64 {
			return 0, 0, badInterval("ARITHMETIC_EXCEPTION", s.input)
		}
		n = int64(lo)
		count++
	}
	s.rest = s.rest[count:]
	return n, count, nil
}

// fraction reads up to nine digits as nanoseconds and gives whole microseconds.
func (s *intervalScan) fraction(start string) (micros int64, count int, e *sparkerr.Error) {
	nanos, weight := int64(0), int64(100_000_000)
	for count < len(s.rest) && isDigit(s.rest[count]) {
		if weight == 0 {
			return 0, 0, badInterval("INVALID_PRECISION", s.input, "value", firstWord(start))
		}
		nanos += int64(s.rest[count]-'0') * weight
		weight /= 10
		count++
	}
	s.rest = s.rest[count:]
	return nanos / 1000, count, nil
}

// add adds n units and, for seconds, frac microseconds.
func (s *intervalScan) add(n, frac int64, u unit, word string) *sparkerr.Error {
	overflow := badInterval("ARITHMETIC_EXCEPTION", s.input)
	whole := func(into *int32, n, factor int64) *sparkerr.Error {
		sum, ok := addScaled(int64(*into), n, factor)
		if !ok || sum != int64(int32(sum)) {
			return overflow
		}
		*into = int32(sum)
		return nil
	}
	micros := func(factor int64) *sparkerr.Error {
		sum, ok := addScaled(s.v.Micros, n, factor)
		if ok {
			sum, ok = addScaled(sum, frac, 1)
		}
		if !ok {
			return overflow
		}
		s.v.Micros = sum
		return nil
	}
	switch u {
	case year:
		return whole(&s.v.Months, n, 12)
	case month:
		return whole(&s.v.Months, n, 1)
	case week:
		return whole(&s.v.Days, n, 7)
	case day:
		return whole(&s.v.Days, n, 1)
	case hour:
		return micros(microsPerHour)
	case minute:
		return micros(microsPerMinute)
	case second:
		return micros(microsPerSecond)
	case millisecond:
		return micros(microsPerMilli)
	case microsecond:
		return micros(1)
	}
	return badInterval("INVALID_UNIT", s.input, "unit", word)
}

// addScaled is a + b*factor; ok is false on overflow.
func addScaled(a, b, factor int64) (int64, bool) {
	m := b * factor
	if b != 0 && m/b != factor {
		return 0, false
	}
	sum := a + m
	return sum, (sum > a) == (m > 0) || m == 0
}

// ---- literals ----

// intervalAhead says whether INTERVAL begins a literal rather than being a name.
func (p *parser) intervalAhead() bool {
	n := 1
	if k := p.at(n); k == tPlus || k == tMinus {
		n++
	}
	switch {
	case p.at(n) == tInteger || p.at(n) == tDecimal:
		return n == 1 || p.unitAhead(n+1) != noUnit
	case p.isString(n):
		return true
	}
	return false
}

// unitAhead is the unit that the token n places on names.
func (p *parser) unitAhead(n int) unit {
	if p.at(n) < firstKeyword {
		return noUnit
	}
	return unitOf(p.word(p.i + n))
}

// interval takes INTERVAL and what follows: pairs of value and unit, one value with from-to units, or one text.
func (p *parser) interval() expr.Expr {
	start := p.i
	if p.isString(1) && p.unitAhead(2) == noUnit {
		return p.typedLiteral()
	}
	p.i++
	first := p.i
	var units []unit
	var parts strings.Builder
	for p.intervalValueAhead() {
		v := p.i
		value, isText := p.intervalValue()
		u := p.unitAhead(0)
		if u == noUnit {
			p.fail()
		}
		p.i++
		if p.kind() == kwTo && (p.unitAhead(1) != noUnit) {
			return p.fromTo(start, v, value, isText, u, len(units) > 0)
		}
		if isText && !isNumberText(value) {
			p.failAt(first, "_LEGACY_ERROR_TEMP_0026", "value", value)
		}
		units = append(units, u)
		parts.WriteString(" " + value + " " + p.word(p.i-1))
	}
	v, e := parseInterval(parts.String())
	if e != nil {
		panic(bailout{e})
	}
	return p.unitsLiteral(start, v, units)
}

// intervalValueAhead says whether another value with a unit follows. An operator before it belongs to the interval
// only if the number has a unit.
func (p *parser) intervalValueAhead() bool {
	n := 0
	if k := p.at(0); k == tPlus || k == tMinus {
		n = 1
	}
	if k := p.at(n); k != tInteger && k != tDecimal && !p.isString(n) {
		return false
	}
	return n == 0 || p.unitAhead(n+1) != noUnit
}

// intervalValue takes [sign] number, or [sign] 'text'.
func (p *parser) intervalValue() (value string, isText bool) {
	sign := ""
	switch p.kind() {
	case tMinus:
		sign = "-"
		p.i++
	case tPlus:
		p.i++
	}
	if p.isString(0) {
		s := p.oneString()
		if sign == "-" {
			if t := strings.TrimLeft(s, " \t"); strings.HasPrefix(t, "-") {
				return t[1:], true
			}
			return "-" + s, true
		}
		return s, true
	}
	s := p.word(p.i)
	p.i++
	return sign + s, false
}

// isNumberText says whether the text of a value is empty or a number.
func isNumberText(s string) bool {
	s = types.TrimAll(s)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = types.TrimAll(s[1:])
	}
	if s == "" {
		return true
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "xXnNiIeEpP_")
}

// unitsLiteral is the literal of an interval given by units; its type spans them.
func (p *parser) unitsLiteral(start int, v types.CalendarInterval, units []unit) expr.Expr {
	at := p.origin(start)
	if p.o.CalendarIntervals || len(units) == 0 {
		return &expr.Literal{Value: v, T: types.Calendar, At: at}
	}
	from, to := units[0].field(), units[0].field()
	for _, u := range units[1:] {
		if u.yearMonth() != units[0].yearMonth() {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0029", "literal", p.source(start))
		}
		from, to = min(from, u.field()), max(to, u.field())
	}
	if units[0].yearMonth() {
		return &expr.Literal{Value: v.Months, T: types.Type{Kind: types.YearMonthKind, From: from, To: to}, At: at}
	}
	micros, ok := addScaled(v.Micros, int64(v.Days), microsPerDay)
	if !ok {
		e := sparkerr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
		e.Class = sparkerr.ArithmeticException
		panic(bailout{e})
	}
	return &expr.Literal{Value: micros, T: types.Type{Kind: types.DayTimeKind, From: from, To: to}, At: at}
}

// intervalText is INTERVAL 'text'.
func (p *parser) intervalText(start int, s string) expr.Expr {
	v, e := parseInterval(s)
	if e != nil {
		p.invalidLiteral(start, "INTERVAL", s)
	}
	var units []unit
	for _, w := range strings.Fields(s) {
		if u := unitOf(w); u != noUnit {
			units = append(units, u)
		}
	}
	return p.unitsLiteral(start, v, units)
}

// fromTo is INTERVAL 'text' unit TO unit.
func (p *parser) fromTo(start, at int, s string, isText bool, from unit, more bool) expr.Expr {
	p.i++
	to := p.unitAhead(0)
	p.i++
	if more || p.intervalValueAhead() {
		for p.intervalValueAhead() {
			p.intervalValue()
			if p.unitAhead(0) == noUnit {
				p.fail()
			}
			p.i++
			if p.kind() == kwTo && p.unitAhead(1) != noUnit {
				p.i += 2
			}
		}
		p.failAt(start, "_LEGACY_ERROR_TEMP_0024")
	}
	if !isText {
		p.failAt(at, "_LEGACY_ERROR_TEMP_0027")
	}
	v, t, e := parseFromTo(s, from, to)
	if e != nil {
		e.Class, e.Context = sparkerr.ParseException, p.context(at)
		panic(bailout{e})
	}
	o := p.origin(start)
	if p.o.CalendarIntervals {
		c := types.CalendarInterval{Micros: v}
		if t.Kind == types.YearMonthKind {
			c = types.CalendarInterval{Months: int32(v)}
		} else {
			c.Days, c.Micros = int32(v/microsPerDay), v%microsPerDay
		}
		return &expr.Literal{Value: c, T: types.Calendar, At: o}
	}
	if t.Kind == types.YearMonthKind {
		return &expr.Literal{Value: int32(v), T: t, At: o}
	}
	return &expr.Literal{Value: v, T: t, At: o}
}
