package datefmt

import (
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// Parsed is what a text says by a pattern.
type Parsed struct {
	Day     int32 // since 1970-01-01; of parts that are missing 1970, January and 1
	Nanos   int64 // of the day
	Zone    *time.Location
	HasDate bool
	HasTime bool
}

type field uint8

const (
	fYear field = iota
	fEraYear
	fEra
	fMonth
	fDay
	fDayOfYear
	fWeekday
	fQuarter
	fAligned
	fHour
	fHour12 // 1..12
	fHour11 // 0..11
	fHour24 // 1..24
	fAmPm
	fMinute
	fSecond
	fNanos
	nFields
)

type reader struct {
	s    string
	i    int
	bad  int // farthest place of failure
	have [nFields]bool
	val  [nFields]int64
	zone *time.Location
}

// Parse reads the whole text. The error's text is that of Java's exception.
func (f *Format) Parse(s string) (Parsed, error) {
	r := reader{s: s}
	if !f.read(&r, 0, len(f.items)) {
		return Parsed{}, &ParseError{Text: s, At: r.bad}
	}
	if r.i < len(s) {
		return Parsed{}, &ParseError{Text: s, At: r.i, Msg: "unparsed text found"}
	}
	return r.resolve()
}

// ParseError is a text that does not fit its pattern.
type ParseError struct {
	Text string
	At   int
	Msg  string // "": plain failure at At
	Why  string // the parts do not go together; At does not count
}

func (e *ParseError) Error() string {
	t := e.Text
	if len(t) > 64 {
		t = t[:64] + "..."
	}
	switch {
	case e.Why != "":
		return "Text '" + t + "' could not be parsed: " + e.Why
	case e.Msg != "":
		return "Text '" + t + "' could not be parsed, " + e.Msg + " at index " + strconv.Itoa(e.At)
	}
	return "Text '" + t + "' could not be parsed at index " + strconv.Itoa(e.At)
}

func (f *Format) read(r *reader, from, to int) bool {
	for k := from; k < to; k++ {
		it := &f.items[k]
		if it.letter == '[' {
			saved := *r
			if !f.read(r, k+1, it.next) {
				*r = saved
			}
			k = it.next
			continue
		}
		if it.letter == ']' {
			continue
		}
		start := r.i
		if !f.readItem(r, it, f.reserved(k)) {
			r.bad = start
			return false
		}
	}
	return true
}

// reserved is the number of digits that fixed-width items right after item k want.
func (f *Format) reserved(k int) int {
	n := 0
	for k++; k < len(f.items); k++ {
		it := &f.items[k]
		if strings.IndexByte("dHhkKmsDMLQq", it.letter) < 0 || it.letter == 0 || it.n < 2 || strings.IndexByte("MLQq", it.letter) >= 0 && it.n > 2 {
			break
		}
		n += it.n
	}
	return n
}

func (f *Format) readItem(r *reader, it *item, reserved int) bool {
	switch it.letter {
	case 0:
		if len(r.s)-r.i < len(it.text) || !strings.EqualFold(r.s[r.i:r.i+len(it.text)], it.text) {
			return false
		}
		r.i += len(it.text)
		return true
	case 'y', 'u':
		return r.year(it.n, reserved)
	case 'M', 'L':
		if it.n > 2 {
			return r.name(fMonth, months[:], it.n == 3)
		}
		return r.number(fMonth, it.n, 2, reserved)
	case 'd':
		return r.number(fDay, it.n, 2, reserved)
	case 'D':
		return r.number(fDayOfYear, it.n, 3, reserved)
	case 'E':
		return r.name(fWeekday, days[:], it.n < 4)
	case 'F':
		return r.number(fAligned, it.n, 1, reserved)
	case 'Q', 'q':
		return r.quarter(it, reserved)
	case 'G':
		return r.name(fEra, eras[min(it.n, 4)/4], false)
	case 'a':
		return r.name(fAmPm, []string{"AM", "PM"}, false)
	case 'h':
		return r.number(fHour12, it.n, 2, reserved)
	case 'K':
		return r.number(fHour11, it.n, 2, reserved)
	case 'k':
		return r.number(fHour24, it.n, 2, reserved)
	case 'H':
		return r.number(fHour, it.n, 2, reserved)
	case 'm':
		return r.number(fMinute, it.n, 2, reserved)
	case 's':
		return r.number(fSecond, it.n, 2, reserved)
	case 'S':
		return r.fraction(it.n)
	case 'V':
		z, n := parseZoneID(r.s[r.i:])
		r.zone, r.i = z, r.i+n
		return n > 0
	case 'z':
		z, n := parseZoneName(r.s[r.i:])
		r.zone, r.i = z, r.i+n
		return n > 0
	}
	sec, n, ok := parseOffset(it, r.s[r.i:])
	if ok {
		r.zone, r.i = time.FixedZone("", sec), r.i+n
	}
	return ok
}

var eras = [...][]string{{"BC", "AD"}, {"Before Christ", "Anno Domini"}}

func (r *reader) set(f field, v int64) bool {
	if r.have[f] && r.val[f] != v {
		return false
	}
	r.have[f], r.val[f] = true, v
	return true
}

// digits counts the digits ahead, up to limit.
func (r *reader) digits(limit int) int {
	n := 0
	for n < limit && r.i+n < len(r.s) && r.s[r.i+n] >= '0' && r.s[r.i+n] <= '9' {
		n++
	}
	return n
}

func (r *reader) take(n int) int64 {
	v, _ := strconv.ParseInt(r.s[r.i:r.i+n], 10, 64)
	r.i += n
	return v
}

// number reads a field: letters 2 and more are that many digits, a single one any number of them.
func (r *reader) number(f field, n, _, reserved int) bool {
	if n >= 2 {
		if r.digits(n) < n {
			return false
		}
		return r.set(f, r.take(n))
	}
	k := r.digits(18)
	if reserved > 0 {
		k = max(k-reserved, min(k, 1))
	}
	return k > 0 && r.set(f, r.take(k))
}

func (r *reader) year(n, reserved int) bool {
	if n == 2 {
		if r.digits(2) < 2 {
			return false
		}
		return r.set(fEraYear, 2000+r.take(2))
	}
	sign := byte(0)
	if r.i < len(r.s) && (r.s[r.i] == '+' || r.s[r.i] == '-') {
		sign = r.s[r.i]
		r.i++
	}
	k := r.digits(9)
	if reserved > 0 {
		k = max(k-reserved, min(k, n))
	}
	switch {
	case k < n, k == 0:
		return false
	case n >= 4 && sign == 0 && k > n:
		if reserved == 0 {
			return false
		}
		k = n
	case n >= 4 && sign == '+' && k <= n:
		return false
	}
	v := r.take(k)
	if sign == '-' {
		v = -v
	}
	return r.set(fEraYear, v)
}

func (r *reader) name(f field, names []string, short bool) bool {
	for i, name := range names {
		if short {
			name = name[:3]
		}
		if len(r.s)-r.i >= len(name) && strings.EqualFold(r.s[r.i:r.i+len(name)], name) {
			r.i += len(name)
			v := int64(i)
			if f == fMonth || f == fWeekday {
				v++
			}
			return r.set(f, v)
		}
	}
	return false
}

func (r *reader) quarter(it *item, reserved int) bool {
	switch it.n {
	case 1, 2:
		return r.number(fQuarter, it.n, 1, reserved)
	}
	for q := 1; q <= 4; q++ {
		name := string(appendQuarter(nil, q, it.n))
		if len(r.s)-r.i >= len(name) && strings.EqualFold(r.s[r.i:r.i+len(name)], name) {
			r.i += len(name)
			return r.set(fQuarter, int64(q))
		}
	}
	return false
}

func (r *reader) fraction(n int) bool {
	k := r.digits(n)
	if k == 0 {
		return false
	}
	v := r.take(k)
	for ; k < 9; k++ {
		v *= 10
	}
	return r.set(fNanos, v)
}

var ranges = [nFields]struct {
	name   string
	lo, hi int64
}{
	fMonth: {"MonthOfYear", 1, 12}, fDay: {"DayOfMonth", 1, 31}, fDayOfYear: {"DayOfYear", 1, 366}, fHour: {"HourOfDay", 0, 23},
	fHour12: {"ClockHourOfAmPm", 1, 12}, fHour11: {"HourOfAmPm", 0, 11}, fHour24: {"ClockHourOfDay", 1, 24}, fMinute: {"MinuteOfHour", 0, 59},
	fSecond: {"SecondOfMinute", 0, 59}, fQuarter: {"QuarterOfYear", 1, 4},
}

func (r *reader) fail(why string) (Parsed, error) {
	return Parsed{}, &ParseError{Text: r.s, Why: why}
}

// resolve puts the fields together.
func (r *reader) resolve() (Parsed, error) {
	for f, lim := range ranges {
		if v := r.val[f]; r.have[f] && lim.name != "" && (v < lim.lo || v > lim.hi) {
			top := strconv.FormatInt(lim.hi, 10)
			switch field(f) {
			case fDay:
				top = "28/31"
			case fDayOfYear:
				top = "365/366"
			}
			return r.fail("Invalid value for " + lim.name + " (valid values " + strconv.FormatInt(lim.lo, 10) + " - " + top + "): " + strconv.FormatInt(v, 10))
		}
	}
	out := Parsed{Zone: r.zone}
	if bad := r.date(&out); bad != "" {
		return r.fail(bad)
	}
	r.time(&out)
	return out, nil
}

func (r *reader) date(out *Parsed) string {
	year, month, day := 1970, 1, 1
	if r.have[fEraYear] {
		year = int(r.val[fEraYear])
		if r.have[fEra] && r.val[fEra] == 0 {
			year = 1 - year
		}
	}
	if r.have[fMonth] {
		month = int(r.val[fMonth])
	}
	if r.have[fDay] {
		day = int(r.val[fDay])
	}
	out.HasDate = r.have[fEraYear] || r.have[fMonth] || r.have[fDay] || r.have[fDayOfYear]
	switch {
	case r.have[fDayOfYear] && r.have[fEraYear]:
		if n := int(r.val[fDayOfYear]); n == 366 && types.DaysInMonth(year, 2) == 28 {
			return "Invalid date 'DayOfYear 366' as '" + strconv.Itoa(year) + "' is not a leap year"
		}
		out.Day = types.DaysFromCivil(year, 1, 1) + int32(r.val[fDayOfYear]) - 1
		if y, m, d := types.CivilDate(out.Day); r.have[fMonth] && m != month || r.have[fDay] && d != day {
			return "Conflict found: Field MonthOfYear " + strconv.Itoa(m) + " differs from MonthOfYear " + strconv.Itoa(month) + " derived from " + strconv.Itoa(y)
		}
	case day > types.DaysInMonth(year, month):
		if month == 2 && day == 29 {
			return "Invalid date 'February 29' as '" + strconv.Itoa(year) + "' is not a leap year"
		}
		return "Invalid date '" + strings.ToUpper(months[month-1]) + " " + strconv.Itoa(day) + "'"
	default:
		out.Day = types.DaysFromCivil(year, month, day)
	}
	if w := DayOfWeek(out.Day); r.have[fWeekday] && r.have[fEraYear] && r.have[fMonth] && r.have[fDay] && int(r.val[fWeekday]) != w {
		return "Conflict found: Field DayOfWeek " + strconv.Itoa(w) + " differs from DayOfWeek " + strconv.Itoa(int(r.val[fWeekday])) + " derived from " + types.FormatDate(out.Day)
	}
	return ""
}

func (r *reader) time(out *Parsed) {
	pm := r.have[fAmPm] && r.val[fAmPm] == 1
	hour := int64(0)
	switch {
	case r.have[fHour]:
		hour = r.val[fHour]
	case r.have[fHour24]:
		hour = r.val[fHour24] % 24
	case r.have[fHour12]:
		hour = r.val[fHour12] % 12
	case r.have[fHour11]:
		hour = r.val[fHour11]
	}
	if pm && !r.have[fHour] && !r.have[fHour24] {
		hour += 12
	}
	for f := fHour; f <= fNanos; f++ {
		out.HasTime = out.HasTime || r.have[f]
	}
	out.Nanos = ((hour*60+r.val[fMinute])*60+r.val[fSecond])*1e9 + r.val[fNanos]
}

// Unparsable is the first letter of the pattern that may only be printed.
func (f *Format) Unparsable() (byte, bool) {
	for _, it := range f.items {
		if it.letter != 0 && strings.IndexByte("EFqQ", it.letter) >= 0 {
			return it.letter, true
		}
	}
	return 0, false
}
