package types

import "strings"

// DayOfWeek is 1 for Sunday to 7 for Saturday; ISOWeekday 1 for Monday to 7 for Sunday.
func DayOfWeek(days int32) int  { return int(FloorMod(int64(days)+4, 7)) + 1 }
func ISOWeekday(days int32) int { return int(FloorMod(int64(days)+3, 7)) + 1 }

// DayOfYear is 1 for the first of January.
func DayOfYear(days int32) int {
	y, _, _ := CivilDate(days)
	return int(days-DaysFromCivil(y, 1, 1)) + 1
}

// ISOWeek is the week of ISO 8601 and the year that the week belongs to.
func ISOWeek(days int32) (year, week int) {
	thursday := days - int32(ISOWeekday(days)) + 4
	y, _, _ := CivilDate(thursday)
	return y, int(thursday-DaysFromCivil(y, 1, 1))/7 + 1
}

// Unit is a unit of date and time.
type Unit uint8

// The units, from long to short.
const (
	NoUnit Unit = iota
	YearUnit
	QuarterUnit
	MonthUnit
	WeekUnit
	DayUnit
	HourUnit
	MinuteUnit
	SecondUnit
	MillisUnit
	MicrosUnit
)

// TruncUnit is the unit that TRUNC and DATE_TRUNC name; NoUnit for other words.
func TruncUnit(name string) Unit {
	switch strings.ToUpper(name) {
	case "YEAR", "YYYY", "YY":
		return YearUnit
	case "QUARTER":
		return QuarterUnit
	case "MONTH", "MON", "MM":
		return MonthUnit
	case "WEEK":
		return WeekUnit
	case "DAY", "DD":
		return DayUnit
	case "HOUR":
		return HourUnit
	case "MINUTE":
		return MinuteUnit
	case "SECOND":
		return SecondUnit
	case "MILLISECOND":
		return MillisUnit
	case "MICROSECOND":
		return MicrosUnit
	}
	return NoUnit
}

// TruncDate is the first day of the unit that holds a date.
func TruncDate(days int32, u Unit) int32 {
	y, m, _ := CivilDate(days)
	switch u {
	case YearUnit:
		return DaysFromCivil(y, 1, 1)
	case QuarterUnit:
		return DaysFromCivil(y, (m-1)/3*3+1, 1)
	case MonthUnit:
		return DaysFromCivil(y, m, 1)
	case WeekUnit:
		return days - int32(ISOWeekday(days)) + 1
	}
	return days
}

// TruncLocal is the start of the unit that holds a local date-time.
func TruncLocal(us int64, u Unit) int64 {
	if u <= DayUnit {
		return int64(TruncDate(int32(FloorDiv(us, MicrosPerDay)), u)) * MicrosPerDay
	}
	return us - FloorMod(us, [...]int64{HourUnit: MicrosPerHour, MinuteUnit: MicrosPerMinute, SecondUnit: MicrosPerSecond, MillisUnit: 1000, MicrosUnit: 1}[u])
}

// WeekdayNamed is the ISO number of a weekday by name or its first two or three letters; 0 for other words.
func WeekdayNamed(name string) int {
	switch strings.ToUpper(TrimAll(name)) {
	case "MO", "MON", "MONDAY":
		return 1
	case "TU", "TUE", "TUESDAY":
		return 2
	case "WE", "WED", "WEDNESDAY":
		return 3
	case "TH", "THU", "THURSDAY":
		return 4
	case "FR", "FRI", "FRIDAY":
		return 5
	case "SA", "SAT", "SATURDAY":
		return 6
	case "SU", "SUN", "SUNDAY":
		return 7
	}
	return 0
}
