package types

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// TrimAll drops white space and control characters at both ends, as casts from text do.
func TrimAll(s string) string {
	for len(s) > 0 && (s[0] <= ' ' || s[0] == 0x7f) {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] <= ' ' || s[len(s)-1] == 0x7f) {
		s = s[:len(s)-1]
	}
	return s
}

// ParseLong reads an integer within [lo, hi]. With fraction, digits after a point are allowed and dropped.
func ParseLong(s string, lo, hi int64, fraction bool) (int64, bool) {
	s = TrimAll(s)
	i, neg := 0, false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		neg = s[i] == '-'
		i++
	}
	if i == len(s) {
		return 0, false
	}
	var v uint64
	start := i
	for ; i < len(s) && s[i] != '.'; i++ {
		c := s[i] - '0'
		if c > 9 || v > (math.MaxUint64-9)/10 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	if i < len(s) {
		if !fraction || i == start && i+1 == len(s) {
			return 0, false
		}
		for _, c := range []byte(s[i+1:]) {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
	}
	if neg {
		return -int64(v), v <= uint64(-lo)
	}
	return int64(v), v <= uint64(hi)
}

// ParseFloat reads a double (bits 64) or float (bits 32): plain and scientific notation, an optional d or f at the end, and the names
// of infinities and NaN in any case.
func ParseFloat(s string, bitSize int) (float64, bool) {
	s = TrimAll(s)
	if s == "" {
		return 0, false
	}
	switch c := s[len(s)-1]; {
	case c >= '0' && c <= '9' || c == '.':
	default:
		switch strings.ToLower(s) {
		case "nan":
			return math.NaN(), true
		case "inf", "+inf", "infinity", "+infinity":
			return math.Inf(1), true
		case "-inf", "-infinity":
			return math.Inf(-1), true
		}
		if c|0x20 != 'd' && c|0x20 != 'f' {
			return 0, false
		}
		s = s[:len(s)-1]
	}
	if !IsDecimalText(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bitSize)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// ParseBool reads t, true, y, yes, 1 and f, false, n, no, 0 in any case.
func ParseBool(s string) (v, ok bool) {
	switch strings.ToLower(TrimAll(s)) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// DaysInMonth is the number of days of a month.
func DaysInMonth(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// MakeDate is the date of valid parts; false for parts out of range.
func MakeDate(y, m, d int) (int32, bool) {
	if m < 1 || m > 12 || d < 1 || d > DaysInMonth(y, m) || y > 5881580 || y < -5877641 {
		return 0, false
	}
	return DaysFromCivil(y, m, d), true
}

// scanner reads numbers from text.
type scanner struct {
	s string
	i int
}

func (p *scanner) number(minDigits, maxDigits int) (int, bool) {
	v, start := 0, p.i
	for p.i < len(p.s) && p.i-start < maxDigits && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		v = v*10 + int(p.s[p.i]-'0')
		p.i++
	}
	return v, p.i-start >= minDigits
}

func (p *scanner) eat(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *scanner) end() bool { return p.i == len(p.s) }

// date reads [+-]yyyy[yyy][-m[m][-d[d]]].
func (p *scanner) date() (y, m, d int, ok bool) {
	neg := p.eat('-')
	if !neg {
		p.eat('+')
	}
	y, ok = p.number(4, 7)
	if !ok {
		return
	}
	if neg {
		y = -y
	}
	m, d = 1, 1
	if p.eat('-') {
		if m, ok = p.number(1, 2); ok && p.eat('-') {
			d, ok = p.number(1, 2)
		}
	}
	return
}

// ParseDate reads yyyy, yyyy-[m]m or yyyy-[m]m-[d]d; after a full date anything may follow a space or T.
func ParseDate(s string) (int32, bool) {
	p := scanner{s: TrimAll(s)}
	y, m, d, ok := p.date()
	if !ok || !p.end() && p.s[p.i] != ' ' && p.s[p.i] != 'T' {
		return 0, false
	}
	if !p.end() && strings.Count(p.s[1:p.i], "-") != 2 {
		return 0, false
	}
	return MakeDate(y, m, d)
}

// ParsedTimestamp is what a timestamp text says.
type ParsedTimestamp struct {
	Local    int64 // microseconds of local date-time; of the time of day when TimeOnly
	TimeOnly bool
	HasTime  bool
	Zone     *time.Location // nil: none in the text
}

// ScanTimestamp reads [+-]yyyy*[-m[m][-d[d][ |T][h]h:[m]m:[s]s[.f*][zone]]] or a time of day.
func ScanTimestamp(s string) (out ParsedTimestamp, ok bool) {
	p := scanner{s: TrimAll(s)}
	if p.end() {
		return out, false
	}
	if p.s[0] == 'T' || timeFirst(p.s) {
		p.eat('T')
		out.TimeOnly, out.HasTime = true, true
		out.Local, ok = p.clock(&out)
		return out, ok
	}
	y, m, d, ok := p.date()
	if !ok {
		return out, false
	}
	days, ok := MakeDate(y, m, d)
	if !ok {
		return out, false
	}
	out.Local = int64(days) * MicrosPerDay
	if days > 106751991 || days < -106751991 {
		return out, false
	}
	if p.end() {
		return out, true
	}
	if strings.Count(p.s[1:p.i], "-") != 2 || !p.eat(' ') && !p.eat('T') {
		return out, false
	}
	if p.end() {
		return out, true
	}
	out.HasTime = true
	tod, ok := p.clock(&out)
	out.Local += tod
	return out, ok
}

// timeFirst says whether the text starts with h: or hh:.
func timeFirst(s string) bool {
	i := strings.IndexByte(s, ':')
	return (i == 1 || i == 2) && s[0] >= '0' && s[0] <= '9' && s[i-1] >= '0' && s[i-1] <= '9'
}

// clock reads h[h][:m[m][:s[s][.f*]]] and an optional zone to the end.
func (p *scanner) clock(out *ParsedTimestamp) (int64, bool) {
	h, ok := p.number(1, 2)
	if !ok || h > 23 {
		return 0, false
	}
	us := int64(h) * MicrosPerHour
	if p.eat(':') {
		m, ok := p.number(1, 2)
		if !ok || m > 59 {
			return 0, false
		}
		us += int64(m) * MicrosPerMinute
		if p.eat(':') {
			s, ok := p.number(1, 2)
			if !ok || s > 59 {
				return 0, false
			}
			us += int64(s) * MicrosPerSecond
			if p.eat('.') {
				us += p.micros()
			}
		}
	} else if !p.end() {
		return 0, false
	}
	if p.end() {
		return us, true
	}
	zone, ok := ParseZone(strings.TrimLeft(p.s[p.i:], " "))
	out.Zone = zone
	return us, ok
}

// micros reads fraction digits; those past the sixth are dropped.
func (p *scanner) micros() int64 {
	v, unit := int64(0), int64(100000)
	for ; p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9'; p.i++ {
		v += int64(p.s[p.i]-'0') * unit
		unit /= 10
	}
	return v
}

// ParseTimestamp is the UTC timestamp of a text without zone taken in the given zone; now (UTC µs) gives the date of a bare time.
func ParseTimestamp(s string, zone *time.Location, now int64) (int64, bool) {
	p, ok := ScanTimestamp(s)
	if !ok {
		return 0, false
	}
	if p.Zone != nil {
		zone = p.Zone
	}
	if p.TimeOnly {
		p.Local += FloorDiv(ToLocal(now, zone), MicrosPerDay) * MicrosPerDay
	}
	return FromLocal(p.Local, zone), true
}

// ParseTimestampNTZ reads a local date-time; a zone in the text is ignored when allowZone is set, else refused. A bare time is refused.
func ParseTimestampNTZ(s string, allowZone bool) (int64, bool) {
	p, ok := ScanTimestamp(s)
	if !ok || p.TimeOnly || p.Zone != nil && !allowZone {
		return 0, false
	}
	return p.Local, true
}

// ParseTime reads a time of day to nanoseconds.
func ParseTime(s string) (int64, bool) {
	var out ParsedTimestamp
	p := scanner{s: TrimAll(s)}
	p.eat('T')
	us, ok := p.clock(&out)
	return us * 1000, ok && out.Zone == nil && strings.Contains(s, ":")
}

// ParseZone reads a time zone: a region, Z, or an offset like +8, -08:00, UTC+1, GMT-03:30.
func ParseZone(s string) (*time.Location, bool) {
	switch s {
	case "":
		return nil, false
	case "Z", "z", "UTC", "GMT", "UT", "Etc/UTC":
		return time.UTC, true
	}
	off := s
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if strings.HasPrefix(s, p) {
			off = s[len(p):]
			break
		}
	}
	if off != "" && (off[0] == '+' || off[0] == '-') {
		sec, ok := parseOffset(off)
		if !ok {
			return nil, false
		}
		return time.FixedZone(off, sec), true
	}
	if !strings.Contains(s, "/") {
		if region, ok := shortZones[s]; ok {
			s = region
		}
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil && s != "Local"
}

// shortZones are Java's three-letter zone names.
var shortZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
	"BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago",
	"CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix",
	"PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}

// parseOffset reads ±h[h][:m[m][:s[s]]] or ±hhmm[ss].
func parseOffset(s string) (int, bool) {
	p := scanner{s: s, i: 1}
	h, ok := p.number(1, 2)
	m, sec := 0, 0
	colon := p.eat(':')
	if ok && !p.end() {
		if m, ok = p.number(1, 2); ok && !p.end() && (!colon || p.eat(':')) {
			sec, ok = p.number(1, 2)
		}
	} else if colon {
		return 0, false
	}
	total := h*3600 + m*60 + sec
	if !ok || !p.end() || m > 59 || sec > 59 || total > 18*3600 {
		return 0, false
	}
	if s[0] == '-' {
		total = -total
	}
	return total, true
}
