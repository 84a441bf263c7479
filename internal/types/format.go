package types

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// FormatDecimal prints an unscaled value with its scale in plain notation, e.g. -12.50.
func FormatDecimal(v Int128, scale int) string {
	neg := v.Sign() < 0
	if neg {
		v = v.Neg()
	}
	digits := formatUnsigned(v)
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if neg {
		return "-" + digits
	}
	return digits
}

func formatUnsigned(v Int128) string {
	hi, lo := uint64(v.Hi), v.Lo
	if hi == 0 {
		return strconv.FormatUint(lo, 10)
	}
	const chunk = 1e18
	var parts []uint64
	for hi != 0 {
		q1, r1 := hi/chunk, hi%chunk
		q0, r0 := bits.Div64(r1, lo, chunk)
		parts = append(parts, r0)
		hi, lo = q1, q0
	}
	s := strconv.FormatUint(lo, 10)
	for i := len(parts) - 1; i >= 0; i-- {
		s += fmt.Sprintf("%018d", parts[i])
	}
	return s
}

// FormatFloat prints a double (bits 64) or float (bits 32) as Java's toString: 1.0, 1.5E10, 1.0E-5, NaN, Infinity.
func FormatFloat(f float64, bitSize int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if a := math.Abs(f); f == 0 || a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bitSize)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, bitSize)
	mant, exp, _ := strings.Cut(s, "E")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mant + "E" + strconv.Itoa(n)
}

// CivilDate converts days since 1970-01-01 to year, month, day (proleptic Gregorian); DaysFromCivil is its inverse.
func CivilDate(days int32) (year, month, day int) {
	z := int64(days) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp) + 3
	if month > 12 {
		month -= 12
	}
	year = int(yoe + era*400)
	if month <= 2 {
		year++
	}
	return year, month, day
}

// DaysFromCivil is the number of days since 1970-01-01.
func DaysFromCivil(year, month, day int) int32 {
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	mp := int64((month + 9) % 12)
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int32(era*146097 + doe - 719468)
}

// FormatDate prints a date as yyyy-MM-dd (a sign and more digits outside 0000..9999).
func FormatDate(days int32) string {
	y, m, d := CivilDate(days)
	return formatYear(y) + fmt.Sprintf("-%02d-%02d", m, d)
}

func formatYear(y int) string {
	switch {
	case y > 9999:
		return fmt.Sprintf("+%d", y)
	case y < 0:
		return fmt.Sprintf("-%04d", -y)
	}
	return fmt.Sprintf("%04d", y)
}

// FormatTimestampNTZ prints microseconds of local date-time: yyyy-MM-dd HH:mm:ss[.ffffff] without trailing zeros.
func FormatTimestampNTZ(us int64) string {
	days, rest := us/86400e6, us%86400e6
	if rest < 0 {
		days, rest = days-1, rest+86400e6
	}
	s := rest / 1e6
	out := FormatDate(int32(days)) + fmt.Sprintf(" %02d:%02d:%02d", s/3600, s/60%60, s%60)
	return out + fraction(rest%1e6, 6)
}

// fraction prints .ffffff of a number of 10^-digits without trailing zeros; "" for zero.
func fraction(v int64, digits int) string {
	if v == 0 {
		return ""
	}
	return "." + strings.TrimRight(fmt.Sprintf("%0*d", digits, v), "0")
}

// FormatValue prints values of datetime and interval types as Spark's SQL literals; ok is false for other types.
// Timestamps with time zone are printed in UTC here: who has a session zone converts first.
func FormatValue(v any, t Type) (string, bool) {
	switch t.Kind {
	case DateKind:
		return "DATE '" + FormatDate(v.(int32)) + "'", true
	case TimestampKind:
		return "TIMESTAMP '" + FormatTimestampNTZ(v.(int64)) + "'", true
	case TimestampNTZKind:
		return "TIMESTAMP_NTZ '" + FormatTimestampNTZ(v.(int64)) + "'", true
	case TimeKind:
		return "TIME '" + string(AppendTime(nil, v.(int64))) + "'", true
	case YearMonthKind:
		return string(AppendYearMonth(nil, v.(int32), t)), true
	case DayTimeKind:
		return string(AppendDayTime(nil, v.(int64), t)), true
	case CalendarKind:
		return string(AppendCalendar([]byte("INTERVAL '"), v.(CalendarInterval))) + "'", true
	case ArrayKind, MapKind, StructKind:
		return string(AppendValue(nil, v, t, nil)), true
	}
	return "", false
}
