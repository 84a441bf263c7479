package types

import (
	"strconv"
	"strings"
	"time"
)

// Zone finds a time zone by its Java name: a region, Z, UTC, GMT, or an offset such as +01:00, GMT+8, UTC-03:30.
func Zone(name string) (*time.Location, bool) {
	s := name
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(s, p); ok && (rest == "" || rest[0] == '+' || rest[0] == '-') {
			s = rest
			break
		}
	}
	switch {
	case s == "" && name != "" || s == "Z" || s == "0":
		return time.UTC, true
	case s != "" && (s[0] == '+' || s[0] == '-'):
		return offsetZone(s)
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil && name != "" && name != "Local"
}

// offsetZone reads ±H, ±HH, ±HH:mm, ±HHmm, ±HH:mm:ss, up to 18 hours.
func offsetZone(s string) (*time.Location, bool) {
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits) == 1 || len(digits) == 3 {
		digits = "0" + digits
	}
	if len(digits)%2 != 0 || len(digits) > 6 {
		return nil, false
	}
	total, unit := 0, 3600
	for i := 0; i < len(digits); i += 2 {
		n, err := strconv.Atoi(digits[i : i+2])
		if err != nil || n > 59 {
			return nil, false
		}
		total, unit = total+n*unit, unit/60
	}
	if total > 18*3600 {
		return nil, false
	}
	if s[0] == '-' {
		total = -total
	}
	return time.FixedZone(offsetName(total), total), true
}

// offsetName is the canonical name of an offset in seconds: Z, +01:00, -03:30:15.
func offsetName(sec int) string {
	if sec == 0 {
		return "Z"
	}
	sign := "+"
	if sec < 0 {
		sign, sec = "-", -sec
	}
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	out := sign + two(sec/3600) + ":" + two(sec/60%60)
	if sec%60 != 0 {
		out += ":" + two(sec%60)
	}
	return out
}
