package types

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
)

// The Append functions print values as CAST(… AS STRING) does, at the end of dst.

// AppendDate prints yyyy-MM-dd.
func AppendDate(dst []byte, days int32) []byte {
	y, m, d := CivilDate(days)
	if y >= 0 && y <= 9999 {
		return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-', byte('0'+m/10), byte('0'+m%10), '-',
			byte('0'+d/10), byte('0'+d%10))
	}
	dst = append(dst, formatYear(y)...)
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// AppendTimestamp prints microseconds of local date-time: yyyy-MM-dd HH:mm:ss[.ffffff] without trailing zeros.
func AppendTimestamp(dst []byte, us int64) []byte {
	days := FloorDiv(us, MicrosPerDay)
	dst = append(AppendDate(dst, int32(days)), ' ')
	return AppendTime(dst, (us-days*MicrosPerDay)*1000)
}

// AppendTime prints nanoseconds since midnight: HH:mm:ss[.fffffffff] without trailing zeros.
func AppendTime(dst []byte, ns int64) []byte {
	s := ns / 1e9
	dst = append(dst, byte('0'+s/36000), byte('0'+s/3600%10), ':', byte('0'+s/600%6), byte('0'+s/60%10), ':', byte('0'+s%60/10), byte('0'+s%10))
	return appendFraction(dst, ns%1e9, 9)
}

func appendFraction(dst []byte, v int64, digits int) []byte {
	if v == 0 {
		return dst
	}
	dst = append(dst, '.')
	at := len(dst)
	for range digits {
		dst = append(dst, '0')
	}
	for i := digits - 1; i >= 0; i-- {
		dst[at+i] = byte('0' + v%10)
		v /= 10
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendDecimal prints an unscaled value in plain notation.
func AppendDecimal(dst []byte, v Int128, scale int) []byte {
	if !v.Fits64() || v.Int64() == math.MinInt64 {
		return append(dst, FormatDecimal(v, scale)...)
	}
	x := v.Int64()
	if x < 0 {
		dst, x = append(dst, '-'), -x
	}
	var buf [48]byte
	text := strconv.AppendInt(buf[:0], x, 10)
	if scale == 0 {
		return append(dst, text...)
	}
	for pad := scale + 1 - len(text); pad > 0; pad-- {
		text = append(text, 0)
		copy(text[1:], text)
		text[0] = '0'
	}
	dst = append(dst, text[:len(text)-scale]...)
	dst = append(dst, '.')
	return append(dst, text[len(text)-scale:]...)
}

// AppendValue prints a value of any type as CAST(… AS STRING) does; zone is the session's. nil prints as null.
func AppendValue(dst []byte, v any, t Type, zone *time.Location) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, x)
	case int8:
		return strconv.AppendInt(dst, int64(x), 10)
	case int16:
		return strconv.AppendInt(dst, int64(x), 10)
	case float32:
		return append(dst, FormatFloat(float64(x), 32)...)
	case float64:
		return append(dst, FormatFloat(x, 64)...)
	case Int128:
		return AppendDecimal(dst, x, int(t.Scale))
	case string:
		return append(dst, x...)
	case []byte:
		return append(dst, x...)
	case CalendarInterval:
		return AppendCalendar(dst, x)
	case MapValue:
		return appendMap(dst, x, t, zone)
	case []any:
		return appendList(dst, x, t, zone)
	case int32:
		switch t.Kind {
		case DateKind:
			return AppendDate(dst, x)
		case YearMonthKind:
			return AppendYearMonth(dst, x, t)
		}
		return strconv.AppendInt(dst, int64(x), 10)
	case int64:
		switch t.Kind {
		case TimestampKind:
			return AppendTimestamp(dst, ToLocal(x, zone))
		case TimestampNTZKind:
			return AppendTimestamp(dst, x)
		case TimeKind:
			return AppendTime(dst, x)
		case DayTimeKind:
			return AppendDayTime(dst, x, t)
		}
		return strconv.AppendInt(dst, x, 10)
	}
	return dst
}

func appendList(dst []byte, list []any, t Type, zone *time.Location) []byte {
	open, end := byte('['), byte(']')
	if t.Kind == StructKind {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for i, x := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		e := Binary
		switch t.Kind {
		case StructKind:
			e = t.Fields()[i].Type
		case ArrayKind:
			e = t.Elem()
		}
		dst = AppendValue(dst, x, e, zone)
	}
	return append(dst, end)
}

func appendMap(dst []byte, m MapValue, t Type, zone *time.Location) []byte {
	dst = append(dst, '{')
	for i := range m.Keys {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendValue(dst, m.Keys[i], t.Key(), zone)
		dst = append(dst, " -> "...)
		dst = AppendValue(dst, m.Values[i], t.Elem(), zone)
	}
	return append(dst, '}')
}

// LiteralText prints a value as error messages show it: 'text', 12L, 1.5BD, DATE '2020-01-01'.
func LiteralText(v any, t Type, zone *time.Location) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case int8:
		return strconv.Itoa(int(x)) + "Y"
	case int16:
		return strconv.Itoa(int(x)) + "S"
	case string:
		return "'" + strings.ReplaceAll(strings.ReplaceAll(x, `\`, `\\`), "'", `\'`) + "'"
	case []byte:
		return "X'" + strings.ToUpper(hexText(x)) + "'"
	case float64:
		if s := FormatFloat(x, 64); !math.IsNaN(x) && !math.IsInf(x, 0) {
			return s + "D"
		}
	case Int128:
		return FormatDecimal(x, int(t.Scale)) + "BD"
	case int64:
		switch t.Kind {
		case LongKind:
			return strconv.FormatInt(x, 10) + "L"
		case TimestampKind:
			return "TIMESTAMP '" + string(AppendTimestamp(nil, ToLocal(x, zone))) + "'"
		case TimestampNTZKind:
			return "TIMESTAMP_NTZ '" + string(AppendTimestamp(nil, x)) + "'"
		case TimeKind:
			return "TIME '" + string(AppendTime(nil, x)) + "'"
		}
	case int32:
		if t.Kind == DateKind {
			return "DATE '" + FormatDate(x) + "'"
		}
	}
	return string(AppendValue(nil, v, t, zone))
}

func hexText(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// BinaryStyle prints a binary value as show() does in one of the styles of spark.sql.binaryOutputStyle; "" is HEX_DISCRETE-like default.
func BinaryStyle(b []byte, style string) string {
	switch strings.ToUpper(style) {
	case "UTF-8", "UTF8":
		return string(b)
	case "BASE64":
		return base64.RawStdEncoding.EncodeToString(b)
	case "HEX":
		return strings.ToUpper(hexText(b))
	case "BASIC":
		parts := make([]string, len(b))
		for i, c := range b {
			parts[i] = strconv.Itoa(int(int8(c)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = strings.ToUpper(hexText([]byte{c}))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// ---- time zones ----

// Time units.
const (
	MicrosPerSecond = int64(1e6)
	MicrosPerMinute = 60 * MicrosPerSecond
	MicrosPerHour   = 60 * MicrosPerMinute
	MicrosPerDay    = 24 * MicrosPerHour
	NanosPerDay     = 1000 * MicrosPerDay
)

// FloorDiv and FloorMod round towards minus infinity.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
func FloorMod(a, b int64) int64 { return a - FloorDiv(a, b)*b }

// zoneOffset is the offset from UTC in seconds at a UTC second.
func zoneOffset(sec int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return 0
	}
	_, off := time.Unix(sec, 0).In(zone).Zone()
	return int64(off)
}

// ToLocal turns a UTC timestamp to microseconds of local date-time in a zone.
func ToLocal(us int64, zone *time.Location) int64 {
	return us + zoneOffset(FloorDiv(us, MicrosPerSecond), zone)*MicrosPerSecond
}

// FromLocal is the UTC timestamp of a local date-time. A local time that exists twice is the earlier one; one that a clock change
// skipped is moved forward by the length of the gap.
func FromLocal(us int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return us
	}
	sec := FloorDiv(us, MicrosPerSecond)
	before, after := zoneOffset(sec-86400, zone), zoneOffset(sec+86400, zone)
	if before == after && zoneOffset(sec-before, zone) == before {
		return us - before*MicrosPerSecond
	}
	if zoneOffset(sec-before, zone) == before {
		return us - before*MicrosPerSecond
	}
	if zoneOffset(sec-after, zone) == after {
		return us - after*MicrosPerSecond
	}
	return us - before*MicrosPerSecond
}
