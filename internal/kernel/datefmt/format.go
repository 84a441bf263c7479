// Package datefmt prints and reads dates and times by patterns of java.time's DateTimeFormatter.
package datefmt

import (
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// Format is a compiled pattern.
type Format struct {
	items []item
	zone  bool // prints or reads a zone
}

type item struct {
	letter byte // 0: literal text; '[' and ']': an optional part
	n      int  // number of letters
	text   string
	next   int // '[': index of the matching ']'
}

// PatternError says what is wrong with a pattern.
type PatternError struct {
	Pattern string
	// Letter is the letter that Spark does not accept (with a hint), 0 when the pattern is malformed.
	Letter byte
	Msg    string
}

func (e *PatternError) Error() string { return "illegal pattern " + e.Pattern + ": " + e.Msg }

// most is the greatest number of repetitions of a letter.
var most = map[byte]int{'G': 4, 'y': 6, 'u': 6, 'D': 3, 'M': 4, 'L': 4, 'd': 2, 'Q': 4, 'q': 4, 'E': 4, 'F': 1, 'a': 1, 'h': 2, 'H': 2, 'k': 2, 'K': 2, 'm': 2,
	's': 2, 'S': 9, 'V': 2, 'z': 4, 'O': 4, 'X': 5, 'x': 5, 'Z': 5}

// Compile reads a pattern.
func Compile(pattern string) (*Format, error) {
	f := &Format{}
	bad := func(letter byte, msg string) error { return &PatternError{Pattern: pattern, Letter: letter, Msg: msg} }
	var open []int
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			limit, known := most[c]
			switch {
			case strings.IndexByte("YWwec", c) >= 0:
				return nil, bad(c, "All week-based patterns are unsupported since Spark 3.0, detected: "+string(c)+", Please use the SQL function EXTRACT instead")
			case !known:
				return nil, bad(c, "Illegal pattern character: "+string(c))
			case n > limit || c == 'V' && n != 2 || c == 'O' && n != 1 && n != 4:
				return nil, bad(c, "Too many pattern letters: "+string(c))
			}
			if c == 'V' || c == 'z' || c == 'O' || c == 'X' || c == 'x' || c == 'Z' {
				f.zone = true
			}
			f.items = append(f.items, item{letter: c, n: n})
			i += n
		case c == '\'':
			text, next, ok := quoted(pattern, i)
			if !ok {
				return nil, bad(0, "Pattern ends with an incomplete string literal: "+pattern)
			}
			f.literal(text)
			i = next
		case c == '[':
			open = append(open, len(f.items))
			f.items = append(f.items, item{letter: '['})
			i++
		case c == ']':
			if len(open) == 0 {
				return nil, bad(0, "Pattern invalid as it contains ] without previous [")
			}
			f.items[open[len(open)-1]].next = len(f.items)
			open = open[:len(open)-1]
			f.items = append(f.items, item{letter: ']'})
			i++
		case c == '{' || c == '}' || c == '#':
			return nil, bad(0, "Pattern includes reserved character: '"+string(c)+"'")
		default:
			f.literal(pattern[i : i+1])
			i++
		}
	}
	for _, o := range open {
		f.items[o].next = len(f.items)
	}
	return f, nil
}

// quoted reads '…' where ” is a quote; ” alone is one too.
func quoted(p string, i int) (text string, next int, ok bool) {
	var b []byte
	for j := i + 1; j < len(p); j++ {
		if p[j] != '\'' {
			b = append(b, p[j])
			continue
		}
		if j+1 < len(p) && p[j+1] == '\'' {
			b = append(b, '\'')
			j++
			continue
		}
		if j == i+1 {
			b = append(b, '\'')
		}
		return string(b), j + 1, true
	}
	return "", 0, false
}

func (f *Format) literal(s string) {
	if k := len(f.items) - 1; k >= 0 && f.items[k].letter == 0 {
		f.items[k].text += s
		return
	}
	f.items = append(f.items, item{text: s})
}

var (
	months = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	days   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// MonthName and DayName are the short names of a month (1 is January) and a day (1 is Monday).
func MonthName(m int) string { return months[m-1][:3] }
func DayName(d int) string   { return days[d-1][:3] }

// DayOfWeek is 1 for Monday to 7 for Sunday.
func DayOfWeek(d int32) int { return int(types.FloorMod(int64(d)+3, 7)) + 1 }

// DayOfYear counts from 1.
func DayOfYear(d int32) int {
	y, _, _ := types.CivilDate(d)
	return int(d-types.DaysFromCivil(y, 1, 1)) + 1
}

// Append prints a moment: local date and time of day in nanoseconds, and the zone with its offset at that moment in seconds.
func (f *Format) Append(dst []byte, day int32, nanos int64, zone *time.Location, offset int) []byte {
	y, m, d := types.CivilDate(day)
	sec := nanos / 1e9
	hour := int(sec / 3600)
	for i := range f.items {
		it := &f.items[i]
		switch it.letter {
		case 0:
			dst = append(dst, it.text...)
		case 'y':
			dst = appendYear(dst, eraYear(y), it.n, y)
		case 'u':
			dst = appendYear(dst, y, it.n, y)
		case 'M', 'L':
			dst = appendName(dst, it.n, m, months[m-1])
		case 'd':
			dst = appendPadded(dst, d, it.n)
		case 'D':
			dst = appendPadded(dst, DayOfYear(day), it.n)
		case 'E':
			name := days[DayOfWeek(day)-1]
			if it.n < 4 {
				name = name[:3]
			}
			dst = append(dst, name...)
		case 'F':
			dst = appendPadded(dst, (d-1)%7+1, it.n)
		case 'Q', 'q':
			dst = appendQuarter(dst, (m-1)/3+1, it.n)
		case 'G':
			dst = appendEra(dst, y, it.n)
		case 'a':
			dst = append(dst, "AMPM"[hour/12*2:hour/12*2+2]...)
		case 'h':
			dst = appendPadded(dst, (hour+11)%12+1, it.n)
		case 'K':
			dst = appendPadded(dst, hour%12, it.n)
		case 'k':
			dst = appendPadded(dst, (hour+23)%24+1, it.n)
		case 'H':
			dst = appendPadded(dst, hour, it.n)
		case 'm':
			dst = appendPadded(dst, int(sec/60%60), it.n)
		case 's':
			dst = appendPadded(dst, int(sec%60), it.n)
		case 'S':
			dst = appendFraction(dst, nanos%1e9, it.n)
		case 'V':
			dst = append(dst, zoneID(zone)...)
		case 'z':
			dst = appendZoneName(dst, zone, day, nanos, offset, it.n)
		case 'O':
			dst = appendGMT(dst, offset, it.n == 4)
		case 'X', 'x', 'Z':
			dst = appendOffset(dst, it, offset)
		}
	}
	return dst
}

func eraYear(y int) int {
	if y <= 0 {
		return 1 - y
	}
	return y
}

func appendYear(dst []byte, v, n, _ int) []byte {
	if n == 2 {
		return appendPadded(dst, ((v%100)+100)%100, 2)
	}
	if v < 0 {
		dst, v = append(dst, '-'), -v
	} else if n >= 4 && len(strconv.Itoa(v)) > n {
		dst = append(dst, '+')
	}
	return appendPadded(dst, v, n)
}

func appendPadded(dst []byte, v, n int) []byte {
	if n == 2 && v >= 0 && v < 100 {
		return append(dst, byte('0'+v/10), byte('0'+v%10))
	}
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], int64(v), 10)
	for k := len(s); k < n; k++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

func appendName(dst []byte, n, v int, name string) []byte {
	switch n {
	case 1, 2:
		return appendPadded(dst, v, n)
	case 3:
		return append(dst, name[:3]...)
	}
	return append(dst, name...)
}

func appendQuarter(dst []byte, q, n int) []byte {
	switch n {
	case 1, 2:
		return appendPadded(dst, q, n)
	case 3:
		return append(dst, 'Q', byte('0'+q))
	}
	return append(append(dst, [...]string{"1st", "2nd", "3rd", "4th"}[q-1]...), " quarter"...)
}

func appendEra(dst []byte, y, n int) []byte {
	short, long := "AD", "Anno Domini"
	if y <= 0 {
		short, long = "BC", "Before Christ"
	}
	if n == 4 {
		return append(dst, long...)
	}
	return append(dst, short...)
}

func appendFraction(dst []byte, nanos int64, n int) []byte {
	unit := int64(100000000)
	for ; n > 0; n-- {
		dst = append(dst, byte('0'+nanos/unit%10))
		unit /= 10
	}
	return dst
}

// FullDayName is the name of a day, 1 for Monday.
func FullDayName(d int) string { return days[d-1] }

// FullMonthName is the name of a month, 1 for January.
func FullMonthName(m int) string { return months[m-1] }
