package spark

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// How values are held in Go, in rows, literals and the fields of Dataset structs:
//
//	BOOLEAN bool · TINYINT int8 · SMALLINT int16 · INT int32 · BIGINT int64 · FLOAT float32 · DOUBLE float64
//	DECIMAL Decimal · STRING string · BINARY []byte · DATE Date · TIMESTAMP time.Time · TIMESTAMP_NTZ time.Time (in UTC)
//	TIME TimeOfDay · day-time interval time.Duration · year-month interval Months · CALENDAR INTERVAL Interval
//	ARRAY []any · MAP []MapEntry, in the map's order · STRUCT Row · NULL nil

// Date is a day: days since 1970-01-01.
type Date int32

// DateOf is the day of a time in its own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

const secondsPerDay = 24 * 60 * 60

// Time is the day's midnight in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String is YYYY-MM-DD.
func (d Date) String() string { return types.FormatDate(int32(d)) }

// TimeOfDay is a time without a date: nanoseconds since midnight.
type TimeOfDay int64

// Months is a year-month interval.
type Months int32

// Interval is Spark's legacy interval of months, days and microseconds.
type Interval struct {
	Months, Days int32
	Micros       int64
}

// MapEntry is one entry of a map value.
type MapEntry struct{ Key, Value any }

// Decimal is an exact number: Unscaled / 10^Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// ParseDecimal reads a decimal number such as "-12.50".
func ParseDecimal(text string) (Decimal, error) {
	v, scale, ok := types.ParseDecimal(text)
	if !ok || scale < 0 {
		return Decimal{}, fmt.Errorf("spark: %q is no decimal number", text)
	}
	return Decimal{bigOf(v), scale}, nil
}

// String is the number in digits.
func (d Decimal) String() string {
	v, err := d.int128()
	if err != nil {
		return err.Error()
	}
	return types.FormatDecimal(v, d.Scale)
}

// Rat is the exact value.
func (d Decimal) Rat() *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(d.unscaled(), scale)
}

func (d Decimal) unscaled() *big.Int {
	if d.Unscaled == nil {
		return new(big.Int)
	}
	return d.Unscaled
}

func bigOf(v types.Int128) *big.Int {
	out := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return out.Add(out, new(big.Int).SetUint64(v.Lo))
}

// int128 is the unscaled value as the engine keeps it.
func (d Decimal) int128() (types.Int128, error) {
	u := d.unscaled()
	if u.BitLen() > 127 || len(new(big.Int).Abs(u).String()) > types.MaxPrecision {
		return types.Int128{}, fmt.Errorf("spark: a decimal has at most %d digits", types.MaxPrecision)
	}
	lo := new(big.Int).And(u, new(big.Int).SetUint64(math.MaxUint64))
	hi := new(big.Int).Rsh(u, 64)
	return types.Int128{Lo: lo.Uint64(), Hi: hi.Int64()}, nil
}

// rescaled is the unscaled value at another scale, which must lose nothing.
func (d Decimal) rescaled(scale int) (types.Int128, error) {
	u := new(big.Int).Set(d.unscaled())
	ten := big.NewInt(10)
	for s := d.Scale; s < scale; s++ {
		u.Mul(u, ten)
	}
	for s := d.Scale; s > scale; s-- {
		r := new(big.Int)
		if u.QuoRem(u, ten, r); r.Sign() != 0 {
			return types.Int128{}, fmt.Errorf("spark: %s has more than %d digits after the point", d, scale)
		}
	}
	return Decimal{u, scale}.int128()
}

// Lit is a Go value as a literal. An int is an INT if it fits and a BIGINT otherwise; int32, int64 and so on keep their
// size. nil is NULL.
func Lit(v any) Column {
	if c, ok := v.(Column); ok {
		return c
	}
	x, t, err := literal(v)
	return Column{e: expr.NewLiteral(x, t), err: err}
}

// literal is the engine's form of a Go value, and its type.
func literal(v any) (any, types.Type, error) {
	switch x := v.(type) {
	case nil:
		return nil, types.Null, nil
	case int:
		if x >= math.MinInt32 && x <= math.MaxInt32 {
			return int32(x), types.Int, nil
		}
		return int64(x), types.Long, nil
	case Decimal:
		u, err := x.int128()
		digits := len(new(big.Int).Abs(x.unscaled()).String())
		return u, types.Decimal(max(digits, x.Scale, 1), x.Scale), err
	case Row:
		fields := make([]types.Field, x.Len())
		out := make([]any, x.Len())
		for i := range out {
			e, t, err := literal(x.Get(i))
			if err != nil {
				return nil, t, err
			}
			out[i], fields[i] = e, types.Field{Name: x.Schema().Fields[i].Name, Type: t, Nullable: true}
		}
		return out, types.Struct(fields...), nil
	case []byte:
		return x, types.Binary, nil
	}
	enc, err := encoderFor(reflect.TypeOf(v))
	if err != nil {
		return nil, types.Null, fmt.Errorf("spark: a %T cannot be a literal: %w", v, err)
	}
	out, err := enc.toSpark(reflect.ValueOf(v))
	return out, enc.t, err
}

// fromEngine is the Go form of a value that the engine holds.
func fromEngine(v any, t types.Type, zone *time.Location) any {
	switch x := v.(type) {
	case nil:
		return nil
	case int32:
		switch t.Kind {
		case types.DateKind:
			return Date(x)
		case types.YearMonthKind:
			return Months(x)
		}
	case int64:
		switch t.Kind {
		case types.TimestampKind:
			return time.UnixMicro(x).In(zone)
		case types.TimestampNTZKind:
			return time.UnixMicro(x).UTC()
		case types.TimeKind:
			return TimeOfDay(x)
		case types.DayTimeKind:
			return time.Duration(x) * time.Microsecond
		}
	case types.Int128:
		return Decimal{bigOf(x), int(t.Scale)}
	case types.CalendarInterval:
		return Interval{x.Months, x.Days, x.Micros}
	case types.MapValue:
		out := make([]MapEntry, len(x.Keys))
		for i := range out {
			out[i] = MapEntry{fromEngine(x.Keys[i], t.Key(), zone), fromEngine(x.Values[i], t.Elem(), zone)}
		}
		return out
	case []any:
		if t.Kind == types.ArrayKind {
			out := make([]any, len(x))
			for i := range out {
				out[i] = fromEngine(x[i], t.Elem(), zone)
			}
			return out
		}
		return nested(x, t, zone)
	}
	return v
}

func nested(x []any, t types.Type, zone *time.Location) any {
	if t.Kind != types.StructKind {
		return x // VARIANT: its metadata and its value
	}
	values := make([]any, len(x))
	for i, f := range t.Fields() {
		values[i] = fromEngine(x[i], f.Type, zone)
	}
	return Row{schema: types.NewSchema(t.Fields()...), values: values}
}

// toEngine is the engine's form of a Go value for a column of a type. Numbers may be of any Go kind that fits.
func toEngine(v any, t types.Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch x := v.(type) {
	case Row:
		if t.Kind == types.StructKind {
			return toStruct(x.values, t)
		}
	case []MapEntry:
		if t.Kind == types.MapKind {
			return toMap(x, t)
		}
	case []any:
		return toList(x, t)
	}
	dec, err := converterTo(reflect.TypeOf(v), t)
	if err != nil {
		return nil, err
	}
	return dec(reflect.ValueOf(v))
}

func toStruct(values []any, t types.Type) (any, error) {
	if len(values) != len(t.Fields()) {
		return nil, fmt.Errorf("spark: %d values for the %d fields of %s", len(values), len(t.Fields()), t)
	}
	out := make([]any, len(values))
	for i, f := range t.Fields() {
		var err error
		if out[i], err = toEngine(values[i], f.Type); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return out, nil
}

func toMap(entries []MapEntry, t types.Type) (any, error) {
	var out types.MapValue
	for _, e := range entries {
		k, err := toEngine(e.Key, t.Key())
		if err != nil {
			return nil, err
		}
		v, err := toEngine(e.Value, t.Elem())
		if err != nil {
			return nil, err
		}
		out.Keys, out.Values = append(out.Keys, k), append(out.Values, v)
	}
	return out, nil
}

func toList(x []any, t types.Type) (any, error) {
	switch t.Kind {
	case types.StructKind:
		return toStruct(x, t)
	case types.ArrayKind:
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = toEngine(e, t.Elem()); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("spark: a list is no value of type %s", t)
}

func defaultParser() sqlparser.Options { return sqlparser.Options{} }
