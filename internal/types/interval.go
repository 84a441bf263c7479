package types

import (
	"math"
	"strconv"
	"strings"
)

// AppendYearMonth prints a year-month interval as INTERVAL '1-2' YEAR TO MONTH.
func AppendYearMonth(dst []byte, months int32, t Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	m := int64(months)
	if m < 0 {
		dst, m = append(dst, '-'), -m
	}
	switch {
	case t.From == Year && t.To == Year:
		dst = append(strconv.AppendInt(dst, m/12, 10), "' YEAR"...)
	case t.From == Month:
		dst = append(strconv.AppendInt(dst, m, 10), "' MONTH"...)
	default:
		dst = append(strconv.AppendInt(dst, m/12, 10), '-')
		dst = append(strconv.AppendInt(dst, m%12, 10), "' YEAR TO MONTH"...)
	}
	return dst
}

var dayTimeNames = [...]string{"DAY", "HOUR", "MINUTE", "SECOND"}

// AppendDayTime prints a day-time interval as INTERVAL '1 02:03:04.5' DAY TO SECOND.
func AppendDayTime(dst []byte, us int64, t Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	u := uint64(us)
	if us < 0 {
		dst, u = append(dst, '-'), -u
	}
	units := [...]uint64{uint64(MicrosPerDay), uint64(MicrosPerHour), uint64(MicrosPerMinute), uint64(MicrosPerSecond)}
	for f := t.From; f <= t.To; f++ {
		v := u / units[f]
		u %= units[f]
		if f > t.From {
			sep := byte(':')
			if f == Hour {
				sep = ' '
			}
			dst = append(dst, sep)
		}
		if f > Day && v < 10 {
			dst = append(dst, '0')
		}
		dst = strconv.AppendUint(dst, v, 10)
		if f == Second {
			dst = appendFraction(dst, int64(u), 6)
		}
	}
	dst = append(dst, "' "...)
	dst = append(dst, dayTimeNames[t.From]...)
	if t.From != t.To {
		dst = append(append(dst, " TO "...), dayTimeNames[t.To]...)
	}
	return dst
}

// AppendCalendar prints an interval of the old kind: 1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds.
func AppendCalendar(dst []byte, v CalendarInterval) []byte {
	at := len(dst)
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > at {
			dst = append(dst, ' ')
		}
		dst = append(append(strconv.AppendInt(dst, n, 10), ' '), unit...)
	}
	part(int64(v.Months/12), "years")
	part(int64(v.Months%12), "months")
	part(int64(v.Days), "days")
	part(v.Micros/MicrosPerHour, "hours")
	part(v.Micros%MicrosPerHour/MicrosPerMinute, "minutes")
	if rest := v.Micros % MicrosPerMinute; rest != 0 {
		if len(dst) > at {
			dst = append(dst, ' ')
		}
		if rest < 0 {
			dst, rest = append(dst, '-'), -rest
		}
		dst = strconv.AppendInt(dst, rest/MicrosPerSecond, 10)
		dst = append(appendFraction(dst, rest%MicrosPerSecond, 6), " seconds"...)
	}
	if len(dst) == at {
		dst = append(dst, "0 seconds"...)
	}
	return dst
}

// ParseYearMonth reads a year-month interval of type t: 1-2, 5, or the literal form INTERVAL '1-2' YEAR TO MONTH.
func ParseYearMonth(s string, t Type) (int32, bool) {
	body, neg, ok := intervalBody(s, t)
	if !ok {
		return 0, false
	}
	p := scanner{s: body}
	if p.eat('-') {
		neg = !neg
	} else {
		p.eat('+')
	}
	a, ok := p.long()
	if !ok {
		return 0, false
	}
	months := a
	switch {
	case t.From != t.To:
		if !p.eat('-') {
			return 0, false
		}
		m, ok := p.number(1, 2)
		if !ok || m > 11 {
			return 0, false
		}
		months = a*12 + int64(m)
	case t.To == Year:
		months = a * 12
	}
	if neg {
		months = -months
	}
	return int32(months), p.end() && a <= 1<<40 && months >= math.MinInt32 && months <= math.MaxInt32
}

func (p *scanner) long() (int64, bool) {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	v, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	return v, err == nil
}

// intervalBody strips INTERVAL '…' UNIT [TO UNIT] around the value, when it is there; the units must be those of t.
func intervalBody(s string, t Type) (body string, neg, ok bool) {
	s = TrimAll(s)
	if len(s) < 8 || !strings.EqualFold(s[:8], "interval") {
		return s, false, true
	}
	rest := TrimAll(s[8:])
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		neg, rest = rest[0] == '-', rest[1:]
	}
	if rest == "" || rest[0] != '\'' {
		return "", false, false
	}
	end := strings.LastIndexByte(rest, '\'')
	if end == 0 || !strings.EqualFold(strings.Join(strings.Fields(rest[end+1:]), " "), strings.TrimPrefix(t.String(), "interval ")) {
		return "", false, false
	}
	return TrimAll(rest[1:end]), neg, true
}

// ParseDayTime reads a day-time interval of type t: 1 02:03:04.5 and its shorter kinds, or the literal form.
func ParseDayTime(s string, t Type) (int64, bool) {
	body, neg, ok := intervalBody(s, t)
	if !ok {
		return 0, false
	}
	p := scanner{s: body}
	if p.eat('-') {
		neg = !neg
	} else {
		p.eat('+')
	}
	var total Int128
	units := [...]int64{MicrosPerDay, MicrosPerHour, MicrosPerMinute, MicrosPerSecond}
	limits := [...]int64{106751991, 23, 59, 59}
	for f := t.From; f <= t.To; f++ {
		if f > t.From {
			sep := byte(':')
			if f == Hour {
				sep = ' '
			}
			if !p.eat(sep) {
				return 0, false
			}
		}
		v, ok := p.long()
		if !ok || f > t.From && v > limits[f] {
			return 0, false
		}
		total = total.Add(MulInt64(v, units[f]))
		if f == Second && p.eat('.') {
			at := p.i
			total = total.Add(I128(p.micros()))
			if p.i == at || p.i-at > 9 {
				return 0, false
			}
		}
	}
	if neg {
		total = total.Neg()
	}
	return total.Int64(), p.end() && total.Fits64()
}

// ParseCalendar reads an interval of the old kind: [interval] followed by numbers with units, e.g. 1 year -2 months 3.5 seconds.
func ParseCalendar(s string) (out CalendarInterval, ok bool) {
	words := strings.Fields(strings.ToLower(TrimAll(s)))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 {
		return out, false
	}
	for len(words) > 0 {
		num := words[0]
		words = words[1:]
		if (num == "-" || num == "+") && len(words) > 0 {
			num, words = num+words[0], words[1:]
		}
		if len(words) == 0 || !out.add(num, words[0]) {
			return out, false
		}
		words = words[1:]
	}
	return out, true
}

// add adds a number of a unit; only seconds may have a fraction.
func (v *CalendarInterval) add(num, unit string) bool {
	whole, frac, point := strings.Cut(num, ".")
	unit = strings.TrimSuffix(unit, "s")
	if point && unit != "second" {
		return false
	}
	neg := strings.HasPrefix(whole, "-")
	n, err := strconv.ParseInt(strings.TrimPrefix(whole, "+"), 10, 64)
	if err != nil && !(point && strings.Trim(whole, "+-") == "" && frac != "") {
		return false
	}
	switch unit {
	case "year":
		return addInt(&v.Months, n, 12)
	case "month":
		return addInt(&v.Months, n, 1)
	case "week":
		return addInt(&v.Days, n, 7)
	case "day":
		return addInt(&v.Days, n, 1)
	}
	scale := map[string]int64{"hour": MicrosPerHour, "minute": MicrosPerMinute, "second": MicrosPerSecond, "millisecond": 1000, "microsecond": 1}[unit]
	if scale == 0 {
		return false
	}
	total := MulInt64(n, scale).Add(I128(v.Micros))
	if point {
		p := scanner{s: frac}
		f := p.micros()
		if !p.end() || len(frac) > 9 {
			return false
		}
		if neg {
			f = -f
		}
		total = total.Add(I128(f))
	}
	v.Micros = total.Int64()
	return total.Fits64()
}

func addInt(dst *int32, n, factor int64) bool {
	if n > math.MaxInt32 || n < math.MinInt32 {
		return false
	}
	sum := int64(*dst) + n*factor
	*dst = int32(sum)
	return sum == int64(int32(sum))
}

// AddMonths adds months to a date, keeping the day of month where the new month has it, else its last day. ok is false when
// the result leaves the range of dates.
func AddMonths(days int32, months int64) (int32, bool) {
	y, m, d := CivilDate(days)
	total := int64(y)*12 + int64(m-1) + months
	ny, nm := FloorDiv(total, 12), int(FloorMod(total, 12))+1
	if ny > 5881580 || ny < -5877641 {
		return 0, false
	}
	return DaysFromCivil(int(ny), nm, min(d, DaysInMonth(int(ny), nm))), true
}
