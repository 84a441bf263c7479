package sqlparser

import (
	"math"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// fieldPattern writes the fields from a unit to another as Spark's messages do: "d h:m:s.n".
func fieldPattern(from, to unit) string {
	if from == year {
		return "y-m"
	}
	out := ""
	for u := from; u <= to; u++ {
		switch u {
		case day:
			out += "d"
		case hour:
			if out != "" {
				out += " "
			}
			out += "h"
		case minute:
			if out != "" {
				out += ":"
			}
			out += "m"
		case second:
			if out != "" {
				out += ":"
			}
			out += "s.n"
		}
	}
	return out
}

// parseFromTo reads the text of INTERVAL 'text' from TO to: months of a year-month interval, microseconds of a day-time one.
func parseFromTo(s string, from, to unit) (int64, types.Type, *sparkerr.Error) {
	switch {
	case from == year && to == month:
	case from == day && to >= hour && to <= second, from == hour && (to == minute || to == second), from == minute && to == second:
	default:
		return 0, types.Null, sparkerr.New("INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "input", s, "from", from.String(), "to", to.String())
	}
	kind, sub, family := types.DayTimeKind, "UNMATCHED_FORMAT_STRING_WITH_NOTICE", "day-time"
	if from == year {
		kind, sub, family = types.YearMonthKind, "UNMATCHED_FORMAT_STRING", "year-month"
	}
	t := types.Type{Kind: kind, From: from.field(), To: to.field()}
	fields, neg, ok := splitFields(s, from, to)
	if !ok {
		pat := fieldPattern(from, to)
		up := strings.ToUpper(from.String() + " to " + to.String())
		return 0, t, sparkerr.New("INVALID_INTERVAL_FORMAT."+sub, "input", s, "intervalStr", family,
			"supportedFormat", "`[+|-]"+pat+"`, `INTERVAL [+|-]'[+|-]"+pat+"' "+up+"`", "typeName", "interval "+from.String()+" to "+to.String())
	}
	if from == year {
		v, e := monthsOf(s, fields, neg)
		return v, t, e
	}
	v, e := microsOf(fields, from, neg)
	return v, t, e
}

// splitFields cuts the text into the digits of its fields, the last with its fraction.
func splitFields(s string, from, to unit) (fields []string, neg, ok bool) {
	s = types.TrimAll(s)
	for s != "" && (s[0] == '-' || s[0] == '+') {
		neg = neg != (s[0] == '-')
		s = s[1:]
	}
	var u unit
	for u = from; ; u++ {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == 0 || u != day && u != year && n > 2 && !(u == from) || n > 18 {
			return nil, false, false
		}
		if u == second && n < len(s) && s[n] == '.' {
			m := n + 1
			for m < len(s) && isDigit(s[m]) {
				m++
			}
			if m == n+1 || m > n+10 {
				return nil, false, false
			}
			n = m
		}
		fields = append(fields, s[:n])
		s = s[n:]
		if u == to {
			return fields, neg, s == ""
		}
		want := byte(':')
		switch u {
		case day:
			want = ' '
		case year:
			want = '-'
		}
		if s == "" || s[0] != want {
			return nil, false, false
		}
		s = s[1:]
		if u == day {
			s = strings.TrimLeft(s, " ")
		}
	}
}

func monthsOf(s string, fields []string, neg bool) (int64, *sparkerr.Error) {
	years, err := strconv.ParseInt(fields[0], 10, 64)
	months, _ := strconv.ParseInt(fields[1], 10, 64)
	total, ok := addScaled(months, years, 12)
	if neg {
		total = -total
	}
	if err != nil || !ok || months > 11 || total > math.MaxInt32 || total < math.MinInt32 {
		return 0, sparkerr.New("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "input", s, "interval", "year-month")
	}
	return total, nil
}

// fieldLimits are the largest values of the fields: of a field that leads, and of one that follows.
var fieldLimits = [...][2]int64{
	day:    {math.MaxInt64 / microsPerDay, 0},
	hour:   {math.MaxInt64 / microsPerHour, 23},
	minute: {math.MaxInt64 / microsPerMinute, 59},
	second: {math.MaxInt64 / microsPerSecond, 59},
}

func microsOf(fields []string, from unit, neg bool) (int64, *sparkerr.Error) {
	factor := [...]int64{day: microsPerDay, hour: microsPerHour, minute: microsPerMinute, second: microsPerSecond}
	total := int64(0)
	for i, f := range fields {
		u := from + unit(i)
		frac := int64(0)
		if head, tail, ok := strings.Cut(f, "."); ok {
			f = head
			frac, _ = strconv.ParseInt((tail + "000000000")[:6], 10, 64)
		}
		v, err := strconv.ParseInt(f, 10, 64)
		limit := fieldLimits[u][min(i, 1)]
		if err != nil || v > limit {
			return 0, sparkerr.New("_LEGACY_ERROR_TEMP_0063", "msg",
				"requirement failed: "+u.String()+" "+f+" outside range [0, "+strconv.FormatInt(limit, 10)+"]")
		}
		if neg {
			v, frac = -v, -frac
		}
		var ok bool
		if total, ok = addScaled(total, v, factor[u]); ok {
			total, ok = addScaled(total, frac, 1)
		}
		if !ok {
			return 0, sparkerr.New("_LEGACY_ERROR_TEMP_0063", "msg", "long overflow")
		}
	}
	return total, nil
}
