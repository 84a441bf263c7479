// Package cell prints single values of vectors for formats of text, without boxing them.
package cell

import (
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Formats print dates and times at the end of dst; us is UTC for Timestamp and local for TimestampNTZ.
type Formats struct {
	Date         func(dst []byte, days int32) []byte
	Timestamp    func(dst []byte, us int64) []byte
	TimestampNTZ func(dst []byte, us int64) []byte
}

// ISO are the formats when no pattern is given: yyyy-MM-dd and yyyy-MM-dd'T'HH:mm:ss.SSSXXX.
func ISO(zone *time.Location) Formats {
	return Formats{
		Date: types.AppendDate,
		Timestamp: func(dst []byte, us int64) []byte {
			dst = localTime(dst, types.ToLocal(us, zone))
			return appendOffset(dst, types.ToLocal(us, zone)-us)
		},
		TimestampNTZ: localTime,
	}
}

// localTime prints yyyy-MM-dd'T'HH:mm:ss.SSS.
func localTime(dst []byte, us int64) []byte {
	day := types.FloorDiv(us, 86400e6)
	dst = append(types.AppendDate(dst, int32(day)), 'T')
	ms := (us - day*86400e6) / 1000
	two := func(n int64, end byte) { dst = append(dst, byte('0'+n/10), byte('0'+n%10), end) }
	two(ms/3600000, ':')
	two(ms/60000%60, ':')
	two(ms/1000%60, '.')
	ms %= 1000
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

// appendOffset prints a zone offset in µs as Z, +01:00 or -04:56:02.
func appendOffset(dst []byte, us int64) []byte {
	sec := us / 1e6
	if sec == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if sec < 0 {
		sign, sec = '-', -sec
	}
	dst = append(dst, sign, byte('0'+sec/36000), byte('0'+sec/3600%10), ':', byte('0'+sec/600%6), byte('0'+sec/60%10))
	if s := sec % 60; s != 0 {
		dst = append(dst, ':', byte('0'+s/10), byte('0'+s%10))
	}
	return dst
}

// Append prints value i of a flat vector of an atomic type; binary values come out as they are.
func Append(dst []byte, v *columnar.Vector, i int, f *Formats) []byte {
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		return strconv.AppendBool(dst, v.Data[i] != 0)
	case columnar.Int8x:
		return strconv.AppendInt(dst, int64(int8(v.Data[i])), 10)
	case columnar.Int16x:
		return strconv.AppendInt(dst, int64(columnar.Of[int16](v.Data)[i]), 10)
	case columnar.Int32x:
		return append32(dst, columnar.Of[int32](v.Data)[i], v.Type, f)
	case columnar.Int64x:
		return append64(dst, columnar.Of[int64](v.Data)[i], v.Type, f)
	case columnar.Int128x:
		return types.AppendDecimal(dst, columnar.Of[types.Int128](v.Data)[i], int(v.Type.Scale))
	case columnar.Float32x:
		return append(dst, types.FormatFloat(float64(columnar.Of[float32](v.Data)[i]), 32)...)
	case columnar.Float64x:
		return append(dst, types.FormatFloat(columnar.Of[float64](v.Data)[i], 64)...)
	case columnar.View16:
		return append(dst, v.Text(i)...)
	case columnar.Interval16:
		return types.AppendCalendar(dst, columnar.Of[types.CalendarInterval](v.Data)[i])
	}
	return dst
}

func append32(dst []byte, x int32, t types.Type, f *Formats) []byte {
	switch t.Kind {
	case types.DateKind:
		return f.Date(dst, x)
	case types.YearMonthKind:
		return types.AppendYearMonth(dst, x, t)
	}
	return strconv.AppendInt(dst, int64(x), 10)
}

func append64(dst []byte, x int64, t types.Type, f *Formats) []byte {
	switch t.Kind {
	case types.TimestampKind:
		return f.Timestamp(dst, x)
	case types.TimestampNTZKind:
		return f.TimestampNTZ(dst, x)
	case types.DecimalKind:
		return types.AppendDecimal(dst, types.I128(x), int(t.Scale))
	case types.TimeKind:
		return types.AppendTime(dst, x)
	case types.DayTimeKind:
		return types.AppendDayTime(dst, x, t)
	}
	return strconv.AppendInt(dst, x, 10)
}
