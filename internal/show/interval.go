package show

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Calendar is the text of a calendar interval: its non-zero parts.
func Calendar(v types.CalendarInterval) string {
	var parts []string
	unit := func(n int64, name string) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	unit(int64(v.Months/12), "years")
	unit(int64(v.Months%12), "months")
	unit(int64(v.Days), "days")
	unit(v.Micros/3600e6, "hours")
	unit(v.Micros%3600e6/60e6, "minutes")
	if s := v.Micros % 60e6; s != 0 {
		sign := ""
		if s < 0 {
			sign, s = "-", -s
		}
		parts = append(parts, sign+fmt.Sprint(s/1e6)+micros(s%1e6)+" seconds")
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// micros is the fraction of a second without trailing zeros.
func micros(us int64) string {
	if us == 0 {
		return ""
	}
	return "." + strings.TrimRight(fmt.Sprintf("%06d", us), "0")
}

// YearMonth is the text of a year-month interval, e.g. INTERVAL '1-2' YEAR TO MONTH.
func YearMonth(months int32, t types.Type) string {
	n, sign := int64(months), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	switch {
	case t.To == types.Year:
		return fmt.Sprintf("INTERVAL '%s%d' YEAR", sign, n/12)
	case t.From == types.Month:
		return fmt.Sprintf("INTERVAL '%s%d' MONTH", sign, n)
	}
	return fmt.Sprintf("INTERVAL '%s%d-%d' YEAR TO MONTH", sign, n/12, n%12)
}

var dayTimeNames = [...]string{"DAY", "HOUR", "MINUTE", "SECOND"}

// DayTime is the text of a day-time interval, e.g. INTERVAL '1 02:03:04.5' DAY TO SECOND.
func DayTime(us int64, t types.Type) string {
	n, sign := uint64(us), ""
	if us < 0 {
		n, sign = -n, "-"
	}
	units := [...]uint64{86400e6, 3600e6, 60e6, 1e6}
	var b strings.Builder
	for f := t.From; f <= t.To; f++ {
		switch {
		case f == types.Day:
			fmt.Fprint(&b, n/units[f])
		case f == t.From:
			fmt.Fprintf(&b, "%02d", n/units[f])
		case f == types.Hour:
			fmt.Fprintf(&b, " %02d", n/units[f])
		default:
			fmt.Fprintf(&b, ":%02d", n/units[f])
		}
		n %= units[f]
	}
	if t.To == types.Second {
		b.WriteString(micros(int64(n)))
	}
	name := dayTimeNames[t.From]
	if t.To != t.From {
		name += " TO " + dayTimeNames[t.To]
	}
	return "INTERVAL '" + sign + b.String() + "' " + name
}

// Time is the text of a time of day in nanoseconds, with as many digits of the fraction as it needs.
func Time(ns int64) string {
	s := ns / 1e9
	out := fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	if f := ns % 1e9; f != 0 {
		out += "." + strings.TrimRight(fmt.Sprintf("%09d", f), "0")
	}
	return out
}
