package show

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Format is how values become text.
type Format struct {
	Zone        *time.Location // of TIMESTAMP values; nil is UTC
	BinaryStyle string         // spark.sql.binaryOutputStyle: UTF-8, BASIC, BASE64, HEX; else HEX_DISCRETE
}

// Cell is the text of one value as tables show it: NULL for nulls, nested values in brackets and braces.
func (f *Format) Cell(v *columnar.Vector, row int) string {
	var b strings.Builder
	f.value(&b, v.ValueAt(row), v.Type)
	return b.String()
}

// Value is the text of a Go value of a type (types/value.go).
func (f *Format) Value(x any, t types.Type) string {
	var b strings.Builder
	f.value(&b, x, t)
	return b.String()
}

func (f *Format) value(b *strings.Builder, x any, t types.Type) {
	switch v := x.(type) {
	case nil:
		b.WriteString("NULL")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		b.WriteString(v)
	case []byte:
		f.binary(b, v)
	case float32:
		b.WriteString(types.FormatFloat(float64(v), 32))
	case float64:
		b.WriteString(types.FormatFloat(v, 64))
	case types.Int128:
		b.WriteString(types.FormatDecimal(v, int(t.Scale)))
	case types.CalendarInterval:
		b.WriteString(Calendar(v))
	case int32:
		f.int32(b, v, t)
	case int64:
		f.int64(b, v, t)
	default:
		f.nested(b, x, t)
	}
}

func (f *Format) int32(b *strings.Builder, v int32, t types.Type) {
	switch t.Kind {
	case types.DateKind:
		b.WriteString(types.FormatDate(v))
	case types.YearMonthKind:
		b.WriteString(YearMonth(v, t))
	default:
		b.WriteString(strconv.Itoa(int(v)))
	}
}

func (f *Format) int64(b *strings.Builder, v int64, t types.Type) {
	switch t.Kind {
	case types.TimestampKind:
		b.WriteString(types.FormatTimestampNTZ(v + f.offset(v)))
	case types.TimestampNTZKind:
		b.WriteString(types.FormatTimestampNTZ(v))
	case types.TimeKind:
		b.WriteString(Time(v))
	case types.DayTimeKind:
		b.WriteString(DayTime(v, t))
	default:
		b.WriteString(strconv.FormatInt(v, 10))
	}
}

// offset is the zone's offset at an instant, in microseconds.
func (f *Format) offset(us int64) int64 {
	if f.Zone == nil {
		return 0
	}
	_, sec := time.UnixMicro(us).In(f.Zone).Zone()
	return int64(sec) * 1e6
}

func (f *Format) nested(b *strings.Builder, x any, t types.Type) {
	switch v := x.(type) {
	case int8, int16:
		fmt.Fprint(b, v)
	case types.MapValue:
		b.WriteByte('{')
		for i, k := range v.Keys {
			separate(b, i)
			f.value(b, k, t.Key())
			b.WriteString(" -> ")
			f.value(b, v.Values[i], t.Elem())
		}
		b.WriteByte('}')
	case []any:
		f.list(b, v, t)
	default:
		panic(fmt.Sprintf("show: a %T is no value of type %s", x, t))
	}
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

func (f *Format) list(b *strings.Builder, v []any, t types.Type) {
	switch t.Kind {
	case types.VariantKind:
		b.WriteString(f.variant(v[0].([]byte), v[1].([]byte)))
	case types.StructKind:
		b.WriteByte('{')
		for i, x := range v {
			separate(b, i)
			f.value(b, x, t.Fields()[i].Type)
		}
		b.WriteByte('}')
	default:
		b.WriteByte('[')
		for i, x := range v {
			separate(b, i)
			f.value(b, x, t.Elem())
		}
		b.WriteByte(']')
	}
}

func (f *Format) binary(b *strings.Builder, v []byte) {
	switch f.BinaryStyle {
	case "UTF-8":
		b.WriteString(strings.ToValidUTF8(string(v), "\uFFFD"))
	case "BASE64":
		b.WriteString(base64.RawStdEncoding.EncodeToString(v))
	case "HEX":
		fmt.Fprintf(b, "%X", v)
	case "BASIC":
		b.WriteByte('[')
		for i, c := range v {
			separate(b, i)
			b.WriteString(strconv.Itoa(int(int8(c))))
		}
		b.WriteByte(']')
	default:
		fmt.Fprintf(b, "[% X]", v)
	}
}
