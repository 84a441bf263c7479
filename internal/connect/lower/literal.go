package lower

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Literal lowers a constant.
func (l *Lowerer) Literal(p *connectpb.Expression_Literal) (*expr.Literal, error) {
	v, t, err := l.value(p)
	if err != nil {
		return nil, err
	}
	return expr.NewLiteral(v, t), nil
}

// value reads a literal's Go value and type.
func (l *Lowerer) value(p *connectpb.Expression_Literal) (any, types.Type, error) {
	switch k := p.GetLiteralType().(type) {
	case *connectpb.Expression_Literal_Null:
		t, err := l.Type(k.Null)
		return nil, t, err
	case *connectpb.Expression_Literal_Binary:
		return k.Binary, types.Binary, nil
	case *connectpb.Expression_Literal_Boolean:
		return k.Boolean, types.Boolean, nil
	case *connectpb.Expression_Literal_Byte:
		return int8(k.Byte), types.Byte, nil
	case *connectpb.Expression_Literal_Short:
		return int16(k.Short), types.Short, nil
	case *connectpb.Expression_Literal_Integer:
		return k.Integer, types.Int, nil
	case *connectpb.Expression_Literal_Long:
		return k.Long, types.Long, nil
	case *connectpb.Expression_Literal_Float:
		return k.Float, types.Float, nil
	case *connectpb.Expression_Literal_Double:
		return k.Double, types.Double, nil
	case *connectpb.Expression_Literal_String_:
		return k.String_, types.String, nil
	case *connectpb.Expression_Literal_Decimal_:
		return decimal(k.Decimal)
	}
	return l.timeValue(p)
}

// timeValue reads dates, times and intervals.
func (l *Lowerer) timeValue(p *connectpb.Expression_Literal) (any, types.Type, error) {
	switch k := p.GetLiteralType().(type) {
	case *connectpb.Expression_Literal_Date:
		return k.Date, types.Date, nil
	case *connectpb.Expression_Literal_Timestamp:
		return k.Timestamp, types.Timestamp, nil
	case *connectpb.Expression_Literal_TimestampNtz:
		return k.TimestampNtz, types.TimestampNTZ, nil
	case *connectpb.Expression_Literal_CalendarInterval_:
		i := k.CalendarInterval
		return types.CalendarInterval{Months: i.GetMonths(), Days: i.GetDays(), Micros: i.GetMicroseconds()}, types.Calendar, nil
	case *connectpb.Expression_Literal_YearMonthInterval:
		t, err := l.typeOr(p.GetDataType(), types.YearMonth)
		return k.YearMonthInterval, t, err
	case *connectpb.Expression_Literal_DayTimeInterval:
		t, err := l.typeOr(p.GetDataType(), types.DayTime)
		return k.DayTimeInterval, t, err
	case *connectpb.Expression_Literal_Time_:
		t := types.Time
		if k.Time.Precision != nil {
			t.Precision = uint8(k.Time.GetPrecision())
		}
		return k.Time.GetNano(), t, nil
	}
	return l.nestedValue(p)
}

// typeOr reads a type that may be absent.
func (l *Lowerer) typeOr(p *connectpb.DataType, other types.Type) (types.Type, error) {
	if p == nil {
		return other, nil
	}
	return l.Type(p)
}

func (l *Lowerer) nestedValue(p *connectpb.Expression_Literal) (any, types.Type, error) {
	switch k := p.GetLiteralType().(type) {
	case *connectpb.Expression_Literal_Array_:
		return l.array(k.Array, p.GetDataType())
	case *connectpb.Expression_Literal_Map_:
		return l.mapValue(k.Map, p.GetDataType())
	case *connectpb.Expression_Literal_Struct_:
		return l.structValue(k.Struct, p.GetDataType())
	case *connectpb.Expression_Literal_SpecializedArray_:
		return packed(k.SpecializedArray)
	case nil:
		return nil, types.Null, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Expression.Literal", "name", "literal_type")
	}
	return nil, types.Null, unsupportedCase(p, "literal_type")
}

// decimal reads a decimal from its text; precision and scale default to those of the text.
func decimal(d *connectpb.Expression_Literal_Decimal) (any, types.Type, error) {
	v, scale, ok := types.ParseDecimal(d.GetValue())
	if !ok {
		return nil, types.Null, sparkerr.New("INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", d.GetValue(), "minValue", "-"+strings.Repeat("9", 38),
			"maxValue", strings.Repeat("9", 38), "typeName", "decimal(38,0)")
	}
	for ; scale < 0; scale++ {
		v = times10(v)
	}
	digits := len(strings.TrimLeft(types.FormatDecimal(v, 0), "-"))
	p, s := int32(max(digits, scale)), int32(scale)
	if d.Precision != nil {
		p = max(d.GetPrecision(), p)
	}
	for d.Scale != nil && s < d.GetScale() && p < types.MaxPrecision {
		v, s = times10(v), s+1
		if n := len(strings.TrimLeft(types.FormatDecimal(v, 0), "-")); int32(n) > p {
			p = int32(n)
		}
	}
	if p > types.MaxPrecision {
		return nil, types.Null, sparkerr.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", itoa(p), "maxPrecision", "38")
	}
	return v, types.Decimal(int(p), int(s)), nil
}

func times10(v types.Int128) types.Int128 {
	v2 := v.Add(v)
	v4 := v2.Add(v2)
	return v4.Add(v4).Add(v2)
}

func (l *Lowerer) values(in []*connectpb.Expression_Literal) ([]any, []types.Type, error) {
	out, ts := make([]any, len(in)), make([]types.Type, len(in))
	for i, p := range in {
		var err error
		if out[i], ts[i], err = l.value(p); err != nil {
			return nil, nil, err
		}
	}
	return out, ts, nil
}

func hasNull(vs []any) bool {
	for _, v := range vs {
		if v == nil {
			return true
		}
	}
	return false
}

// pick chooses the declared type of elements, else that of the first one.
func (l *Lowerer) pick(declared *connectpb.DataType, found []types.Type, what string) (types.Type, error) {
	switch {
	case declared != nil:
		return l.Type(declared)
	case len(found) > 0:
		return found[0], nil
	}
	return types.Null, invalid(what)
}

func (l *Lowerer) array(a *connectpb.Expression_Literal_Array, declared *connectpb.DataType) (any, types.Type, error) {
	vs, ts, err := l.values(a.GetElements())
	if err != nil {
		return nil, types.Null, err
	}
	if declared.GetArray() != nil {
		t, err := l.Type(declared)
		return retyped(vs, t.Elem()), t, err
	}
	elem, err := l.pick(a.GetElementType(), ts, "ARRAY_LITERAL_MISSING_DATA_TYPE")
	return retyped(vs, elem), types.Array(elem, hasNull(vs)), err
}

// retyped widens integers and floats to the declared element type.
func retyped(vs []any, t types.Type) []any {
	for i, v := range vs {
		var n int64
		switch x := v.(type) {
		case int8:
			n = int64(x)
		case int16:
			n = int64(x)
		case int32:
			n = int64(x)
		case int64:
			n = x
		case float32:
			if t.Kind == types.DoubleKind {
				vs[i] = float64(x)
			}
			continue
		default:
			continue
		}
		switch t.Kind {
		case types.ShortKind:
			vs[i] = int16(n)
		case types.IntKind:
			vs[i] = int32(n)
		case types.LongKind:
			vs[i] = n
		}
	}
	return vs
}

func (l *Lowerer) mapValue(m *connectpb.Expression_Literal_Map, declared *connectpb.DataType) (any, types.Type, error) {
	keys, kts, err := l.values(m.GetKeys())
	if err != nil {
		return nil, types.Null, err
	}
	vs, vts, err := l.values(m.GetValues())
	if err != nil {
		return nil, types.Null, err
	}
	if len(keys) != len(vs) {
		return nil, types.Null, invalid("ASSERTION_FAILURE", "message", "a map literal has "+strconv.Itoa(len(keys))+" keys and "+strconv.Itoa(len(vs))+" values")
	}
	t := types.Null
	if declared.GetMap() != nil {
		if t, err = l.Type(declared); err != nil {
			return nil, t, err
		}
	} else {
		key, err := l.pick(m.GetKeyType(), kts, "MAP_LITERAL_MISSING_DATA_TYPE")
		if err != nil {
			return nil, t, err
		}
		value, err := l.pick(m.GetValueType(), vts, "MAP_LITERAL_MISSING_DATA_TYPE")
		if err != nil {
			return nil, t, err
		}
		t = types.Map(key, value, hasNull(vs))
	}
	return types.MapValue{Keys: retyped(keys, t.Key()), Values: retyped(vs, t.Elem())}, t, nil
}

func (l *Lowerer) structValue(s *connectpb.Expression_Literal_Struct, declared *connectpb.DataType) (any, types.Type, error) {
	vs, _, err := l.values(s.GetElements())
	if err != nil {
		return nil, types.Null, err
	}
	if declared.GetStruct() == nil {
		declared = s.GetStructType()
	}
	if declared.GetStruct() == nil {
		return nil, types.Null, invalid("STRUCT_LITERAL_MISSING_DATA_TYPE")
	}
	t, err := l.Type(declared)
	if err == nil && len(t.Fields()) != len(vs) {
		err = invalid("ASSERTION_FAILURE", "message", "a struct literal has "+strconv.Itoa(len(vs))+" values for "+strconv.Itoa(len(t.Fields()))+" fields")
	}
	return vs, t, err
}

// packed reads an array of one primitive type.
func packed(a *connectpb.Expression_Literal_SpecializedArray) (any, types.Type, error) {
	switch k := a.GetValueType().(type) {
	case *connectpb.Expression_Literal_SpecializedArray_Bools:
		return anys(k.Bools.GetValues()), types.Array(types.Boolean, false), nil
	case *connectpb.Expression_Literal_SpecializedArray_Ints:
		return anys(k.Ints.GetValues()), types.Array(types.Int, false), nil
	case *connectpb.Expression_Literal_SpecializedArray_Longs:
		return anys(k.Longs.GetValues()), types.Array(types.Long, false), nil
	case *connectpb.Expression_Literal_SpecializedArray_Floats:
		return anys(k.Floats.GetValues()), types.Array(types.Float, false), nil
	case *connectpb.Expression_Literal_SpecializedArray_Doubles:
		return anys(k.Doubles.GetValues()), types.Array(types.Double, false), nil
	case *connectpb.Expression_Literal_SpecializedArray_Strings:
		return anys(k.Strings.GetValues()), types.Array(types.String, false), nil
	}
	return nil, types.Null, unsupportedCase(a, "value_type")
}

func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

// LiteralToProto is the wire form of a value, for observed metrics; types without one give null.
func LiteralToProto(v any, t types.Type) *connectpb.Expression_Literal {
	p := &connectpb.Expression_Literal{}
	switch x := v.(type) {
	case bool:
		p.LiteralType = &connectpb.Expression_Literal_Boolean{Boolean: x}
	case int8:
		p.LiteralType = &connectpb.Expression_Literal_Byte{Byte: int32(x)}
	case int16:
		p.LiteralType = &connectpb.Expression_Literal_Short{Short: int32(x)}
	case int32:
		p.LiteralType = &connectpb.Expression_Literal_Integer{Integer: x}
		if t.Kind == types.DateKind {
			p.LiteralType = &connectpb.Expression_Literal_Date{Date: x}
		}
	case int64:
		switch t.Kind {
		case types.TimestampKind:
			p.LiteralType = &connectpb.Expression_Literal_Timestamp{Timestamp: x}
		case types.TimestampNTZKind:
			p.LiteralType = &connectpb.Expression_Literal_TimestampNtz{TimestampNtz: x}
		default:
			p.LiteralType = &connectpb.Expression_Literal_Long{Long: x}
		}
	case float32:
		p.LiteralType = &connectpb.Expression_Literal_Float{Float: x}
	case float64:
		p.LiteralType = &connectpb.Expression_Literal_Double{Double: x}
	case string:
		p.LiteralType = &connectpb.Expression_Literal_String_{String_: x}
	case []byte:
		p.LiteralType = &connectpb.Expression_Literal_Binary{Binary: x}
	case types.Int128:
		pr, s := int32(t.Precision), int32(t.Scale)
		p.LiteralType = &connectpb.Expression_Literal_Decimal_{Decimal: &connectpb.Expression_Literal_Decimal{
			Value: types.FormatDecimal(x, int(t.Scale)), Precision: &pr, Scale: &s}}
	default:
		return nestedLiteral(v, t)
	}
	return p
}

func nestedLiteral(v any, t types.Type) *connectpb.Expression_Literal {
	list, ok := v.([]any)
	switch {
	case ok && t.Kind == types.ArrayKind:
		a := &connectpb.Expression_Literal_Array{}
		for _, x := range list {
			a.Elements = append(a.Elements, LiteralToProto(x, t.Elem()))
		}
		return &connectpb.Expression_Literal{LiteralType: &connectpb.Expression_Literal_Array_{Array: a}, DataType: ToProto(t)}
	case ok && t.Kind == types.StructKind:
		s := &connectpb.Expression_Literal_Struct{}
		for i, x := range list {
			s.Elements = append(s.Elements, LiteralToProto(x, t.Fields()[i].Type))
		}
		return &connectpb.Expression_Literal{LiteralType: &connectpb.Expression_Literal_Struct_{Struct: s}, DataType: ToProto(t)}
	}
	return &connectpb.Expression_Literal{LiteralType: &connectpb.Expression_Literal_Null{Null: ToProto(t)}}
}
