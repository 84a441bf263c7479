package sqlparser

import (
	"math"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// dateLiteral reads the text of DATE '…': a date in ISO form (a time after it is ignored) or a special word.
func (p *parser) dateLiteral(s string) (int32, bool) {
	if w := strings.ToLower(trimBlanks(s)); w != "" && isLetter(w[0]) {
		return p.specialDate(w)
	}
	d, rest, ok := scanDate(trimBlanks(s))
	if !ok || rest != "" && (rest[0] != ' ' && rest[0] != 'T' || !fullDate(trimBlanks(s))) {
		return 0, false
	}
	return d, true
}

// specialDate reads epoch, now, today, yesterday and tomorrow.
func (p *parser) specialDate(w string) (int32, bool) {
	if w == "epoch" {
		return 0, true
	}
	y, m, d := p.now().Date()
	today := types.DaysFromCivil(y, int(m), d)
	switch w {
	case "now", "today":
		return today, true
	case "yesterday":
		return today - 1, true
	case "tomorrow":
		return today + 1, true
	}
	return 0, false
}

func (p *parser) location() *time.Location {
	if p.o.Location == nil {
		return time.UTC
	}
	return p.o.Location
}

func (p *parser) now() time.Time { return p.o.Now.In(p.location()) }

// timestampLiteral reads the text of a timestamp literal. A TIMESTAMP with a zone in its text is one with local time zone
// whatever the session's default type is.
func (p *parser) timestampLiteral(typ, s string) (int64, types.Type, bool) {
	ntz := typ == "TIMESTAMP_NTZ" || typ == "TIMESTAMP" && p.o.TimestampNTZ
	t := types.Timestamp
	if ntz {
		t = types.TimestampNTZ
	}
	if w := strings.ToLower(trimBlanks(s)); w != "" && isLetter(w[0]) && w[0] != 't' || w == "today" || w == "tomorrow" {
		v, ok := p.specialTimestamp(w, ntz)
		return v, t, ok
	}
	c, ok := p.scanTimestamp(trimBlanks(s))
	if !ok || c.timeOnly && ntz {
		return 0, t, false
	}
	if ntz && typ == "TIMESTAMP" && c.zone != nil {
		ntz, t = false, types.Timestamp
	}
	if ntz {
		return c.local, t, true
	}
	if c.zone == nil {
		c.zone = p.location()
	}
	v, ok := toInstant(c.local, c.zone)
	return v, t, ok
}

func (p *parser) specialTimestamp(w string, ntz bool) (int64, bool) {
	if w == "now" {
		if ntz {
			_, off := p.now().Zone()
			return p.now().UnixMicro() + int64(off)*microsPerSecond, true
		}
		return p.now().UnixMicro(), true
	}
	if w == "epoch" {
		return 0, true
	}
	d, ok := p.specialDate(w)
	if !ok {
		return 0, false
	}
	if ntz {
		return int64(d) * microsPerDay, true
	}
	return toInstant(int64(d)*microsPerDay, p.location())
}

// toInstant converts local microseconds in a zone to microseconds since the epoch. In a gap the offset before it counts,
// in an overlap the earlier instant.
func toInstant(local int64, zone *time.Location) (int64, bool) {
	sec := local / microsPerSecond
	rest := local % microsPerSecond
	if rest < 0 {
		sec, rest = sec-1, rest+microsPerSecond
	}
	offset := func(at int64) int64 {
		_, off := time.Unix(at, 0).In(zone).Zone()
		return int64(off)
	}
	// the offset that held a day before tells which side of a change to take first
	before := offset(sec - 86400)
	at := sec - before
	if off := offset(at); off != before {
		if later := sec - off; offset(later) == off {
			at = later
		}
	}
	if at > math.MaxInt64/microsPerSecond || at < math.MinInt64/microsPerSecond {
		return 0, false
	}
	return at*microsPerSecond + rest, true
}

// scanDate reads [+-]y…-m-d, [+-]y…-m or [+-]y… and gives what follows.
func scanDate(s string) (days int32, rest string, ok bool) {
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		s = s[1:]
	}
	y, n := scanInt(s, 7)
	if n < 4 {
		return 0, "", false
	}
	if neg {
		y = -y
	}
	s = s[n:]
	m, d := 1, 1
	for _, f := range []*int{&m, &d} {
		if s == "" || s[0] != '-' {
			break
		}
		if *f, n = scanInt(s[1:], 2); n == 0 {
			return 0, "", false
		}
		s = s[1+n:]
	}
	if m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, "", false
	}
	if y > 5_879_610 || y < -5_877_641 {
		return 0, "", false
	}
	return types.DaysFromCivil(y, m, d), s, true
}

// fullDate says whether a date has a month and a day.
func fullDate(s string) bool {
	end := strings.IndexAny(s, " T")
	return end > 0 && strings.Count(strings.TrimLeft(s[:end], "+-"), "-") == 2
}

// scanInt reads at most limit digits; more are an error, told by the count 0.
func scanInt(s string, limit int) (v, n int) {
	for n < len(s) && isDigit(s[n]) {
		if n == limit {
			return 0, 0
		}
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// clock is a date and time as written.
type clock struct {
	local    int64 // microseconds
	zone     *time.Location
	timeOnly bool
}

// scanTimestamp reads a date, or a date and time with an optional zone, or a time (of today) with an optional zone.
func (p *parser) scanTimestamp(s string) (c clock, ok bool) {
	days, rest, isDate := scanDate(s)
	switch {
	case isDate && rest == "":
		return clock{local: int64(days) * microsPerDay}, true
	case isDate && (rest[0] == ' ' || rest[0] == 'T') && fullDate(s):
		if rest = rest[1:]; rest == "" {
			return c, false
		}
	case !isDate && strings.Contains(s, ":"):
		rest = strings.TrimPrefix(s, "T")
		days, _ = p.specialDate("today")
		c.timeOnly = true
	default:
		return c, false
	}
	us, rest, ok := scanClock(rest)
	if !ok {
		return c, false
	}
	c.local = int64(days)*microsPerDay + us
	if rest = trimBlanks(rest); rest != "" {
		if c.zone, ok = zoneOf(rest); !ok {
			return c, false
		}
	}
	return c, true
}

// scanClock reads h:m[:s[.fraction]] in microseconds and gives what follows. A lone hour needs nothing after it.
func scanClock(s string) (us int64, rest string, ok bool) {
	limits := [3]int{23, 59, 59}
	factors := [3]int64{microsPerHour, microsPerMinute, microsPerSecond}
	fields := 0
	for i := range limits {
		if i > 0 {
			if s == "" || s[0] != ':' {
				break
			}
			s = s[1:]
		}
		v, n := scanInt(s, 2)
		if n == 0 || v > limits[i] {
			return 0, "", i == 0 && s == ""
		}
		us += int64(v) * factors[i]
		s = s[n:]
		fields++
	}
	if fields == 3 && s != "" && s[0] == '.' {
		n, weight := 1, int64(100_000)
		for n < len(s) && isDigit(s[n]) {
			us += int64(s[n]-'0') * weight
			weight /= 10
			n++
		}
		s = s[n:]
	}
	return us, s, true
}

// zoneOf reads a time zone: Z, an offset with or without UTC, GMT or UT before it, or a region.
func zoneOf(s string) (*time.Location, bool) {
	if s == "Z" || s == "UTC" || s == "GMT" || s == "UT" {
		return time.UTC, true
	}
	off := s
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if strings.HasPrefix(s, prefix) && len(s) > len(prefix) {
			off = s[len(prefix):]
			break
		}
	}
	if off[0] == '+' || off[0] == '-' {
		sec, ok := scanOffset(off[1:])
		if off[0] == '-' {
			sec = -sec
		}
		return time.FixedZone(s, sec), ok
	}
	if off != s || s == "Local" {
		return nil, false
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil
}

// scanOffset reads h[h][:m[m][:s[s]]] or hhmm[ss]; at most 18 hours.
func scanOffset(s string) (int, bool) {
	parts := strings.Split(s, ":")
	if len(parts) == 1 && (len(s) == 4 || len(s) == 6) {
		parts = []string{s[:2], s[2:4], s[4:]}[:len(s)/2]
	}
	if len(parts) > 3 {
		return 0, false
	}
	sec, factor := 0, 3600
	for i, f := range parts {
		v, n := scanInt(f, 2)
		if n == 0 || n != len(f) || i > 0 && v > 59 {
			return 0, false
		}
		sec += v * factor
		factor /= 60
	}
	return sec, sec <= 18*3600
}

// parseTime reads the text of TIME '…' as nanoseconds since midnight.
func parseTime(s string) (int64, bool) {
	s = strings.TrimPrefix(trimBlanks(s), "T")
	upper := strings.ToUpper(s)
	pm := strings.HasSuffix(upper, "PM")
	if pm || strings.HasSuffix(upper, "AM") {
		return parseHalfDay(trimBlanks(s[:len(s)-2]), pm)
	}
	if !strings.Contains(s, ":") {
		return 0, false
	}
	us, rest, ok := scanClock(s)
	return us * 1000, ok && rest == ""
}

// parseHalfDay reads a time on a twelve-hour clock.
func parseHalfDay(s string, pm bool) (int64, bool) {
	us, rest, ok := scanClock(s)
	h := us / microsPerHour
	if !ok || rest != "" || h < 1 || h > 12 || !strings.Contains(s, ":") {
		return 0, false
	}
	us -= h * microsPerHour
	h %= 12
	if pm {
		h += 12
	}
	return (us + h*microsPerHour) * 1000, true
}
