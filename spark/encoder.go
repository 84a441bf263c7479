package spark

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// encoder turns values of one Go type to the engine's form and back. It is made by reflection once per type.
type encoder struct {
	goType   reflect.Type
	t        types.Type
	nullable bool // pointers, slices, maps
	toSpark  func(v reflect.Value) (any, error)
	fromGo   func(dst reflect.Value, v any) error
}

var encoders sync.Map // reflect.Type → *encoder

// encoderFor finds or makes the encoder of a type.
func encoderFor(t reflect.Type) (*encoder, error) {
	if t == nil {
		return nil, fmt.Errorf("it has no type")
	}
	if e, ok := encoders.Load(t); ok {
		return e.(*encoder), nil
	}
	e, err := makeEncoder(t, nil)
	if err != nil {
		return nil, err
	}
	got, _ := encoders.LoadOrStore(t, e)
	return got.(*encoder), nil
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	dateType     = reflect.TypeFor[Date]()
	monthsType   = reflect.TypeFor[Months]()
	todType      = reflect.TypeFor[TimeOfDay]()
	decimalType  = reflect.TypeFor[Decimal]()
	intervalType = reflect.TypeFor[Interval]()
)

// makeEncoder makes an encoder; above are the struct types that it is within, because a type that contains itself has no
// columns.
func makeEncoder(t reflect.Type, above []reflect.Type) (*encoder, error) {
	if e := special(t); e != nil {
		return e, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return plain(t, types.Boolean, func(v reflect.Value) any { return v.Bool() }, func(dst reflect.Value, v any) bool {
			b, ok := v.(bool)
			dst.SetBool(b)
			return ok
		}), nil
	case reflect.Int8:
		return integer(t, types.Byte, func(n int64) any { return int8(n) }), nil
	case reflect.Int16:
		return integer(t, types.Short, func(n int64) any { return int16(n) }), nil
	case reflect.Int32:
		return integer(t, types.Int, func(n int64) any { return int32(n) }), nil
	case reflect.Int64, reflect.Int:
		return integer(t, types.Long, func(n int64) any { return n }), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return unsigned(t), nil
	case reflect.Float32:
		return plain(t, types.Float, func(v reflect.Value) any { return float32(v.Float()) }, setFloat), nil
	case reflect.Float64:
		return plain(t, types.Double, func(v reflect.Value) any { return v.Float() }, setFloat), nil
	case reflect.String:
		return plain(t, types.String, func(v reflect.Value) any { return v.String() }, func(dst reflect.Value, v any) bool {
			s, ok := v.(string)
			dst.SetString(s)
			return ok
		}), nil
	case reflect.Pointer:
		return pointer(t, above)
	case reflect.Slice:
		return slice(t, above)
	case reflect.Map:
		return mapping(t, above)
	case reflect.Struct:
		return record(t, above)
	}
	return nil, fmt.Errorf("Go type %s has no Spark type", t)
}

// special are the Go types that stand for a Spark type by their name.
func special(t reflect.Type) *encoder {
	switch t {
	case timeType:
		return plain(t, types.Timestamp, func(v reflect.Value) any { return v.Interface().(time.Time).UnixMicro() }, func(dst reflect.Value, v any) bool {
			n, ok := v.(int64)
			dst.Set(reflect.ValueOf(time.UnixMicro(n)))
			return ok
		})
	case durationType:
		return integerWith(t, types.DayTime, func(n int64) any { return n / 1000 }, 1000)
	case dateType:
		return integer(t, types.Date, func(n int64) any { return int32(n) })
	case monthsType:
		return integer(t, types.YearMonth, func(n int64) any { return int32(n) })
	case todType:
		return integer(t, types.Time, func(n int64) any { return n })
	case intervalType:
		return plain(t, types.Calendar, func(v reflect.Value) any { return types.CalendarInterval(v.Interface().(Interval)) }, func(dst reflect.Value, v any) bool {
			i, ok := v.(types.CalendarInterval)
			dst.Set(reflect.ValueOf(Interval(i)))
			return ok
		})
	case decimalType:
		// Without a tag a decimal is DECIMAL(38,18), as Spark takes java.math.BigDecimal.
		return decimalEncoder(types.Decimal(38, 18))
	}
	return nil
}

func decimalEncoder(dt types.Type) *encoder {
	return &encoder{goType: decimalType, t: dt,
		toSpark: func(v reflect.Value) (any, error) {
			u, err := v.Interface().(Decimal).rescaled(int(dt.Scale))
			if err == nil && len(strings.Trim(types.FormatDecimal(u, 0), "-")) > int(dt.Precision) {
				err = fmt.Errorf("spark: %v does not fit %s", v.Interface(), dt)
			}
			return u, err
		},
		fromGo: func(dst reflect.Value, v any) error {
			u, ok := v.(types.Int128)
			if !ok {
				return mismatch(v, decimalType)
			}
			dst.Set(reflect.ValueOf(Decimal{bigOf(u), int(dt.Scale)}))
			return nil
		}}
}

func mismatch(v any, t reflect.Type) error {
	if v == nil {
		return fmt.Errorf("spark: null does not fit the Go type %s; use a pointer", t)
	}
	return fmt.Errorf("spark: a %T does not fit the Go type %s", v, t)
}

func plain(t reflect.Type, st types.Type, to func(reflect.Value) any, from func(dst reflect.Value, v any) bool) *encoder {
	return &encoder{goType: t, t: st,
		toSpark: func(v reflect.Value) (any, error) { return to(v), nil },
		fromGo: func(dst reflect.Value, v any) error {
			if !from(dst, v) {
				return mismatch(v, t)
			}
			return nil
		}}
}

func integer(t reflect.Type, st types.Type, to func(int64) any) *encoder {
	return integerWith(t, st, to, 1)
}

func integerWith(t reflect.Type, st types.Type, to func(int64) any, unit int64) *encoder {
	return &encoder{goType: t, t: st,
		toSpark: func(v reflect.Value) (any, error) { return to(v.Int()), nil },
		fromGo: func(dst reflect.Value, v any) error {
			n, ok := asInt(v)
			if !ok || dst.OverflowInt(n*unit) {
				return mismatch(v, t)
			}
			dst.SetInt(n * unit)
			return nil
		}}
}

// unsigned kinds take the next wider signed type.
func unsigned(t reflect.Type) *encoder {
	st, to := types.Short, func(n uint64) any { return int16(n) }
	switch t.Kind() {
	case reflect.Uint16:
		st, to = types.Int, func(n uint64) any { return int32(n) }
	case reflect.Uint32:
		st, to = types.Long, func(n uint64) any { return int64(n) }
	}
	return &encoder{goType: t, t: st,
		toSpark: func(v reflect.Value) (any, error) { return to(v.Uint()), nil },
		fromGo: func(dst reflect.Value, v any) error {
			n, ok := asInt(v)
			if !ok || n < 0 || dst.OverflowUint(uint64(n)) {
				return mismatch(v, t)
			}
			dst.SetUint(uint64(n))
			return nil
		}}
}

func asInt(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

func setFloat(dst reflect.Value, v any) bool {
	switch x := v.(type) {
	case float32:
		dst.SetFloat(float64(x))
	case float64:
		dst.SetFloat(x)
	default:
		n, ok := asInt(v)
		dst.SetFloat(float64(n))
		return ok && n > -1<<53 && n < 1<<53
	}
	return true
}

func pointer(t reflect.Type, above []reflect.Type) (*encoder, error) {
	elem, err := makeEncoder(t.Elem(), above)
	if err != nil {
		return nil, err
	}
	return &encoder{goType: t, t: elem.t, nullable: true,
		toSpark: func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			return elem.toSpark(v.Elem())
		},
		fromGo: func(dst reflect.Value, v any) error {
			if v == nil {
				dst.SetZero()
				return nil
			}
			p := reflect.New(t.Elem())
			dst.Set(p)
			return elem.fromGo(p.Elem(), v)
		}}, nil
}

func slice(t reflect.Type, above []reflect.Type) (*encoder, error) {
	if t.Elem().Kind() == reflect.Uint8 {
		return &encoder{goType: t, t: types.Binary, nullable: true,
			toSpark: func(v reflect.Value) (any, error) {
				if v.IsNil() {
					return nil, nil
				}
				return v.Bytes(), nil
			},
			fromGo: func(dst reflect.Value, v any) error {
				b, ok := v.([]byte)
				if !ok && v != nil {
					return mismatch(v, t)
				}
				dst.SetBytes(b)
				return nil
			}}, nil
	}
	elem, err := makeEncoder(t.Elem(), above)
	if err != nil {
		return nil, err
	}
	return &encoder{goType: t, t: types.Array(elem.t, elem.nullable), nullable: true,
		toSpark: func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			out := make([]any, v.Len())
			for i := range out {
				var err error
				if out[i], err = elem.toSpark(v.Index(i)); err != nil {
					return nil, err
				}
			}
			return out, nil
		},
		fromGo: func(dst reflect.Value, v any) error {
			list, ok := v.([]any)
			if !ok && v != nil {
				return mismatch(v, t)
			}
			if v == nil {
				dst.SetZero()
				return nil
			}
			out := reflect.MakeSlice(t, len(list), len(list))
			for i, x := range list {
				if err := elem.fromGo(out.Index(i), x); err != nil {
					return err
				}
			}
			dst.Set(out)
			return nil
		}}, nil
}

func mapping(t reflect.Type, above []reflect.Type) (*encoder, error) {
	key, err := makeEncoder(t.Key(), above)
	if err != nil {
		return nil, err
	}
	value, err := makeEncoder(t.Elem(), above)
	if err != nil {
		return nil, err
	}
	return &encoder{goType: t, t: types.Map(key.t, value.t, value.nullable), nullable: true,
		toSpark: func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			var out types.MapValue
			for it := v.MapRange(); it.Next(); {
				k, err := key.toSpark(it.Key())
				if err != nil {
					return nil, err
				}
				x, err := value.toSpark(it.Value())
				if err != nil {
					return nil, err
				}
				out.Keys, out.Values = append(out.Keys, k), append(out.Values, x)
			}
			return out, nil
		},
		fromGo: func(dst reflect.Value, v any) error {
			m, ok := v.(types.MapValue)
			if !ok && v != nil {
				return mismatch(v, t)
			}
			if v == nil {
				dst.SetZero()
				return nil
			}
			out := reflect.MakeMapWithSize(t, len(m.Keys))
			for i := range m.Keys {
				k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				if err := firstError(key.fromGo(k, m.Keys[i]), value.fromGo(x, m.Values[i])); err != nil {
					return err
				}
				out.SetMapIndex(k, x)
			}
			dst.Set(out)
			return nil
		}}, nil
}

// column is a struct field that is a column.
type column struct {
	index []int
	name  string
	enc   *encoder
}

// columnsOf are the columns of a struct: its exported fields, those of embedded structs included. The tag spark:"name"
// renames one, spark:"-" leaves it out, spark:"name,decimal(10,2)" gives a Decimal its type. Without a tag the name is the
// field's with a small first letter.
func columnsOf(t reflect.Type, above []reflect.Type) ([]column, error) {
	for _, a := range above {
		if a == t {
			return nil, fmt.Errorf("Go type %s contains itself", t)
		}
	}
	above = append(above[:len(above):len(above)], t)
	var out []column
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("spark"), ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct && special(f.Type) == nil:
			inner, err := columnsOf(f.Type, above)
			if err != nil {
				return nil, err
			}
			for _, c := range inner {
				c.index = append([]int{i}, c.index...)
				out = append(out, c)
			}
			continue
		case !f.IsExported():
			continue
		}
		enc, err := fieldEncoder(f.Type, options, above)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if tag == "" {
			tag = lowerFirst(f.Name)
		}
		out = append(out, column{[]int{i}, tag, enc})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("Go type %s has no exported fields", t)
	}
	return out, nil
}

func fieldEncoder(t reflect.Type, sql string, above []reflect.Type) (*encoder, error) {
	if sql == "" {
		return makeEncoder(t, above)
	}
	dt, err := types.Null, error(nil)
	if dt, err = parseType(sql); err != nil {
		return nil, err
	}
	if t != decimalType || dt.Kind != types.DecimalKind {
		return nil, fmt.Errorf("the tag says %s for Go type %s: only a Decimal's type can be told", sql, t)
	}
	return decimalEncoder(dt), nil
}

// lowerFirst: UserID becomes userID, ID becomes id.
func lowerFirst(s string) string {
	if s == strings.ToUpper(s) {
		return strings.ToLower(s)
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func record(t reflect.Type, above []reflect.Type) (*encoder, error) {
	cols, err := columnsOf(t, above)
	if err != nil {
		return nil, err
	}
	fields := make([]types.Field, len(cols))
	for i, c := range cols {
		fields[i] = types.Field{Name: c.name, Type: c.enc.t, Nullable: c.enc.nullable}
	}
	return &encoder{goType: t, t: types.Struct(fields...),
		toSpark: func(v reflect.Value) (any, error) {
			out := make([]any, len(cols))
			for i, c := range cols {
				var err error
				if out[i], err = c.enc.toSpark(v.FieldByIndex(c.index)); err != nil {
					return nil, fmt.Errorf("field %s: %w", c.name, err)
				}
			}
			return out, nil
		},
		fromGo: func(dst reflect.Value, v any) error {
			row, ok := v.([]any)
			if !ok || len(row) != len(cols) {
				return mismatch(v, t)
			}
			for i, c := range cols {
				if err := c.enc.fromGo(dst.FieldByIndex(c.index), row[i]); err != nil {
					return fmt.Errorf("column %s: %w", c.name, err)
				}
			}
			return nil
		}}, nil
}

// converterTo turns values of a Go type into the engine's form for a column of a given type, where that loses nothing.
func converterTo(gt reflect.Type, t types.Type) (func(reflect.Value) (any, error), error) {
	enc, err := encoderFor(gt)
	if err != nil {
		return nil, err
	}
	if enc.t.SameType(t) {
		return enc.toSpark, nil
	}
	wrong := fmt.Errorf("spark: a Go %s is no value of type %s", gt, t)
	switch {
	case enc.t.IsIntegral() && (t.IsIntegral() || t.IsFractional()):
		return func(v reflect.Value) (any, error) {
			x, err := enc.toSpark(v)
			if err != nil {
				return nil, err
			}
			n, _ := asInt(x)
			if out, ok := sized(n, t); ok {
				return out, nil
			}
			return nil, fmt.Errorf("spark: %d does not fit type %s", n, t)
		}, nil
	case enc.t.IsFractional() && t.IsFractional():
		return func(v reflect.Value) (any, error) {
			if t.Kind == types.FloatKind {
				return float32(v.Float()), nil
			}
			return v.Float(), nil
		}, nil
	case gt == decimalType && t.Kind == types.DecimalKind:
		return decimalEncoder(t).toSpark, nil
	case gt == timeType && t.Kind == types.TimestampNTZKind:
		return func(v reflect.Value) (any, error) {
			x := v.Interface().(time.Time)
			_, offset := x.Zone()
			return x.UnixMicro() + int64(offset)*1e6, nil
		}, nil
	case gt == timeType && t.Kind == types.DateKind:
		return func(v reflect.Value) (any, error) { return int32(DateOf(v.Interface().(time.Time))), nil }, nil
	case enc.t.Kind == t.Kind && !t.IsNested() && t.Kind != types.DecimalKind:
		return enc.toSpark, nil
	case t.Kind == types.ArrayKind && gt.Kind() == reflect.Slice:
		return listTo(gt, t)
	}
	return nil, wrong
}

func listTo(gt reflect.Type, t types.Type) (func(reflect.Value) (any, error), error) {
	elem, err := converterTo(gt.Elem(), t.Elem())
	if err != nil {
		return nil, err
	}
	return func(v reflect.Value) (any, error) {
		out := make([]any, v.Len())
		for i := range out {
			var err error
			if out[i], err = elem(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	}, nil
}

// sized is an integer as a value of a numeric type, if it fits.
func sized(n int64, t types.Type) (any, bool) {
	switch t.Kind {
	case types.ByteKind:
		return int8(n), n >= math.MinInt8 && n <= math.MaxInt8
	case types.ShortKind:
		return int16(n), n >= math.MinInt16 && n <= math.MaxInt16
	case types.IntKind:
		return int32(n), n >= math.MinInt32 && n <= math.MaxInt32
	case types.FloatKind:
		return float32(n), n >= -1<<24 && n <= 1<<24
	case types.DoubleKind:
		return float64(n), n >= -1<<53 && n <= 1<<53
	}
	return n, true
}
