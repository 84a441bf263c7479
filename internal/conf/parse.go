package conf

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Check says whether a value fits the kind of its key.
func Check(key, value string) error {
	r := Lookup(key)
	if r == nil {
		return nil
	}
	if key == "spark.sql.session.timeZone" && !validZone(value) {
		return invalid("TIME_ZONE", key, value)
	}
	if what, ok := r.misfit(value); !ok {
		if r.Kind == Enum {
			return invalid("OUT_OF_RANGE_OF_OPTIONS", key, value, "confOptions", strings.ReplaceAll(r.Options, " ", ", "))
		}
		return invalid("TYPE_MISMATCH", key, value, "confType", what)
	}
	if n, err := parseInt(r, value); key == "spark.sql.shuffle.partitions" && err == nil && n <= 0 {
		return invalid("REQUIREMENT", key, value, "confRequirement", "The value of "+key+" must be positive")
	}
	return nil
}

func invalid(sub, key, value string, more ...string) error {
	return sparkerr.New("INVALID_CONF_VALUE."+sub, append(more, "confName", key, "confValue", value)...)
}

// misfit says whether the text can be read; if not, what it should be.
func (r *Row) misfit(s string) (string, bool) {
	var err error
	switch r.Kind {
	case Int:
		_, err = parseInt(r, s)
		return "int", err == nil
	case Double:
		_, err = parseDouble(s)
		return "double", err == nil
	case Bool:
		t := strings.TrimSpace(s)
		return "boolean", strings.EqualFold(t, "true") || strings.EqualFold(t, "false")
	case Bytes:
		_, err = parseInt(r, s)
		return "bytes in " + [...]string{Usual: "BYTE", KiB: "KiB", MiB: "MiB"}[r.Unit], err == nil
	case Time:
		_, err = parseTime(s, r.Unit)
		if r.Unit == Seconds {
			return "time in SECONDS", err == nil
		}
		return "time in MILLISECONDS", err == nil
	case Enum:
		for o := range strings.FieldsSeq(r.Options) {
			if strings.EqualFold(o, s) {
				return "", true
			}
		}
		return "", false
	}
	return "", true
}

// normal is the text of a default as clients see it.
func (r *Row) normal(s string) string {
	switch r.Kind {
	case Bytes:
		if n, err := parseInt(r, s); err == nil {
			return strconv.FormatInt(n, 10) + "b"
		}
	case Time:
		if d, err := parseTime(s, r.Unit); err == nil {
			return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
		}
	}
	return s
}

// parseInt reads a number, or a size for keys of kind Bytes.
func parseInt(r *Row, s string) (int64, error) {
	if r == nil || r.Kind != Bytes {
		return strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	}
	return ParseBytes(s, [...]int64{Usual: 1, KiB: 1 << 10, MiB: 1 << 20}[r.Unit])
}

func parseDouble(s string) (float64, error) { return strconv.ParseFloat(strings.TrimSpace(s), 64) }

var sizes = map[string]int64{"b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30,
	"t": 1 << 40, "tb": 1 << 40, "p": 1 << 50, "pb": 1 << 50}

// ParseBytes reads a size: a whole number with one of the suffixes b, k, m, g, t, p (also kb, mb …), or without one in
// multiples of unit bytes.
func ParseBytes(s string, unit int64) (int64, error) {
	number, suffix := split(s)
	if suffix != "" {
		var ok bool
		if unit, ok = sizes[suffix]; !ok {
			return 0, strconv.ErrSyntax
		}
	}
	return multiply(number, unit)
}

func multiply(number string, unit int64) (int64, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, err
	}
	if n > math.MaxInt64/unit || n < math.MinInt64/unit {
		return 0, strconv.ErrRange
	}
	return n * unit, nil
}

// split separates a number from its suffix in lower case.
func split(s string) (number, suffix string) {
	s = strings.ToLower(strings.TrimSpace(s))
	i := strings.LastIndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' }) + 1
	return strings.TrimSpace(s[:i]), s[i:]
}

var durations = map[string]time.Duration{"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute,
	"min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

func unitOf(r *Row) Unit {
	if r == nil {
		return Usual
	}
	return r.Unit
}

// parseTime reads a time: a whole number with one of the suffixes us, ms, s, m, min, h, d, or without one in the unit.
func parseTime(s string, unit Unit) (time.Duration, error) {
	number, suffix := split(s)
	d := time.Millisecond
	if unit == Seconds {
		d = time.Second
	}
	if suffix != "" {
		var ok bool
		if d, ok = durations[suffix]; !ok {
			return 0, strconv.ErrSyntax
		}
	}
	n, err := multiply(number, int64(d))
	return time.Duration(n), err
}

// ParseDuration reads a time as keys of kind Time do; a bare number counts milliseconds.
func ParseDuration(s string) (time.Duration, error) { return parseTime(s, Usual) }

// validZone: a region of the time zone data base, or an offset such as +01:00, UTC+1, GMT-08:30.
func validZone(s string) bool {
	for _, p := range []string{"UTC", "GMT", "UT"} {
		s = strings.TrimPrefix(s, p)
	}
	if s == "" || s == "Z" {
		return true
	}
	if s[0] == '+' || s[0] == '-' {
		return validOffset(s[1:])
	}
	_, err := time.LoadLocation(s)
	return err == nil && s != "Local"
}

// validOffset reads h, hh, hh:mm, hh:mm:ss, h:mm, up to 18 hours.
func validOffset(s string) bool {
	for i, part := range strings.Split(s, ":") {
		n, err := strconv.Atoi(part)
		limit := 59
		if i == 0 {
			limit = 18
		}
		if err != nil || n < 0 || n > limit || i > 2 || len(part) > 2 || len(part) == 1 && i > 0 {
			return false
		}
	}
	return true
}
