package lower

import (
	"encoding/json"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// invalid is an error of condition CONNECT_INVALID_PLAN.
func invalid(sub string, kv ...string) *sparkerr.Error {
	return sparkerr.New("CONNECT_INVALID_PLAN."+sub, kv...)
}

// ToProto is the wire form of a type.
func ToProto(t types.Type) *connectpb.DataType {
	switch t.Kind {
	case types.NullKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Null{Null: &connectpb.DataType_NULL{}}}
	case types.BooleanKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Boolean_{Boolean: &connectpb.DataType_Boolean{}}}
	case types.ByteKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Byte_{Byte: &connectpb.DataType_Byte{}}}
	case types.ShortKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Short_{Short: &connectpb.DataType_Short{}}}
	case types.IntKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Integer_{Integer: &connectpb.DataType_Integer{}}}
	case types.LongKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Long_{Long: &connectpb.DataType_Long{}}}
	case types.FloatKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Float_{Float: &connectpb.DataType_Float{}}}
	case types.DoubleKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Double_{Double: &connectpb.DataType_Double{}}}
	case types.DecimalKind:
		p, s := int32(t.Precision), int32(t.Scale)
		return &connectpb.DataType{Kind: &connectpb.DataType_Decimal_{Decimal: &connectpb.DataType_Decimal{Precision: &p, Scale: &s}}}
	case types.BinaryKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Binary_{Binary: &connectpb.DataType_Binary{}}}
	case types.StringKind:
		return stringProto(t)
	case types.ArrayKind, types.MapKind, types.StructKind:
		return nestedProto(t)
	}
	return timeProto(t)
}

func stringProto(t types.Type) *connectpb.DataType {
	switch t.Char {
	case 1:
		return &connectpb.DataType{Kind: &connectpb.DataType_Char_{Char: &connectpb.DataType_Char{Length: t.Length}}}
	case 2:
		return &connectpb.DataType{Kind: &connectpb.DataType_VarChar_{VarChar: &connectpb.DataType_VarChar{Length: t.Length}}}
	}
	collation := t.Collation
	if collation == "" {
		collation = "UTF8_BINARY"
	}
	return &connectpb.DataType{Kind: &connectpb.DataType_String_{String_: &connectpb.DataType_String{Collation: collation}}}
}

func timeProto(t types.Type) *connectpb.DataType {
	from, to := int32(t.From), int32(t.To)
	switch t.Kind {
	case types.DateKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Date_{Date: &connectpb.DataType_Date{}}}
	case types.TimestampKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Timestamp_{Timestamp: &connectpb.DataType_Timestamp{}}}
	case types.TimestampNTZKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_TimestampNtz{TimestampNtz: &connectpb.DataType_TimestampNTZ{}}}
	case types.TimeKind:
		p := int32(t.Precision)
		return &connectpb.DataType{Kind: &connectpb.DataType_Time_{Time: &connectpb.DataType_Time{Precision: &p}}}
	case types.YearMonthKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_YearMonthInterval_{
			YearMonthInterval: &connectpb.DataType_YearMonthInterval{StartField: &from, EndField: &to}}}
	case types.DayTimeKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_DayTimeInterval_{
			DayTimeInterval: &connectpb.DataType_DayTimeInterval{StartField: &from, EndField: &to}}}
	case types.CalendarKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_CalendarInterval_{CalendarInterval: &connectpb.DataType_CalendarInterval{}}}
	}
	return &connectpb.DataType{Kind: &connectpb.DataType_Variant_{Variant: &connectpb.DataType_Variant{}}}
}

func nestedProto(t types.Type) *connectpb.DataType {
	switch t.Kind {
	case types.ArrayKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Array_{
			Array: &connectpb.DataType_Array{ElementType: ToProto(t.Elem()), ContainsNull: t.ContainsNull()}}}
	case types.MapKind:
		return &connectpb.DataType{Kind: &connectpb.DataType_Map_{
			Map: &connectpb.DataType_Map{KeyType: ToProto(t.Key()), ValueType: ToProto(t.Elem()), ValueContainsNull: t.ContainsNull()}}}
	}
	return SchemaToProto(t.Fields())
}

// SchemaToProto is the wire form of a schema.
func SchemaToProto(fields []types.Field) *connectpb.DataType {
	s := &connectpb.DataType_Struct{}
	for _, f := range fields {
		p := &connectpb.DataType_StructField{Name: f.Name, DataType: ToProto(f.Type), Nullable: f.Nullable}
		if f.Metadata != "" {
			p.Metadata = &f.Metadata
		}
		s.Fields = append(s.Fields, p)
	}
	return &connectpb.DataType{Kind: &connectpb.DataType_Struct_{Struct: s}}
}

// Type reads the wire form of a type. Types given as text are parsed.
func (l *Lowerer) Type(p *connectpb.DataType) (types.Type, error) {
	switch p.GetKind().(type) {
	case *connectpb.DataType_Null:
		return types.Null, nil
	case *connectpb.DataType_Boolean_:
		return types.Boolean, nil
	case *connectpb.DataType_Byte_:
		return types.Byte, nil
	case *connectpb.DataType_Short_:
		return types.Short, nil
	case *connectpb.DataType_Integer_:
		return types.Int, nil
	case *connectpb.DataType_Long_:
		return types.Long, nil
	case *connectpb.DataType_Float_:
		return types.Float, nil
	case *connectpb.DataType_Double_:
		return types.Double, nil
	case *connectpb.DataType_Binary_:
		return types.Binary, nil
	case *connectpb.DataType_Date_:
		return types.Date, nil
	case *connectpb.DataType_Timestamp_:
		return types.Timestamp, nil
	case *connectpb.DataType_TimestampNtz:
		return types.TimestampNTZ, nil
	case *connectpb.DataType_CalendarInterval_:
		return types.Calendar, nil
	case *connectpb.DataType_Variant_:
		return types.Variant, nil
	}
	return l.parameterized(p)
}

// parameterized reads types with parameters, and nested ones.
func (l *Lowerer) parameterized(p *connectpb.DataType) (types.Type, error) {
	switch k := p.GetKind().(type) {
	case *connectpb.DataType_Decimal_:
		return decimalType(k.Decimal)
	case *connectpb.DataType_String_:
		t := types.String
		if c := k.String_.GetCollation(); c != "UTF8_BINARY" {
			t.Collation = c
		}
		return t, nil
	case *connectpb.DataType_Char_:
		return types.Char(int(k.Char.GetLength())), nil
	case *connectpb.DataType_VarChar_:
		return types.Varchar(int(k.VarChar.GetLength())), nil
	case *connectpb.DataType_Time_:
		t := types.Time
		if k.Time.Precision != nil {
			t.Precision = uint8(k.Time.GetPrecision())
		}
		return t, nil
	case *connectpb.DataType_YearMonthInterval_:
		i := k.YearMonthInterval
		return interval(types.YearMonth, i.StartField, i.EndField)
	case *connectpb.DataType_DayTimeInterval_:
		i := k.DayTimeInterval
		return interval(types.DayTime, i.StartField, i.EndField)
	case *connectpb.DataType_Array_:
		elem, err := l.Type(k.Array.GetElementType())
		return types.Array(elem, k.Array.GetContainsNull()), err
	case *connectpb.DataType_Map_:
		key, err := l.Type(k.Map.GetKeyType())
		if err != nil {
			return types.Null, err
		}
		value, err := l.Type(k.Map.GetValueType())
		return types.Map(key, value, k.Map.GetValueContainsNull()), err
	case *connectpb.DataType_Struct_:
		return l.structType(k.Struct)
	case *connectpb.DataType_Udt:
		if k.Udt.SqlType == nil {
			return types.Null, sparkerr.Unsupported("user-defined type " + k.Udt.GetJvmClass() + " without a SQL type")
		}
		return l.Type(k.Udt.SqlType)
	case *connectpb.DataType_Unparsed_:
		return l.Parse.Type(k.Unparsed.GetDataTypeString())
	}
	return types.Null, invalid("DATA_TYPE_UNSUPPORTED_PROTO_TO_CATALYST", "kindCase", caseName(p, "kind"))
}

func decimalType(d *connectpb.DataType_Decimal) (types.Type, error) {
	p, s := int32(10), int32(0)
	if d.Precision != nil {
		p = d.GetPrecision()
	}
	if d.Scale != nil {
		s = d.GetScale()
	}
	switch {
	case p > types.MaxPrecision:
		return types.Null, sparkerr.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", itoa(p), "maxPrecision", "38")
	case p < 1 || s < 0 || s > p:
		return types.Null, sparkerr.New("DECIMAL_SCALE_EXCEEDS_PRECISION", "precision", itoa(p), "scale", itoa(s))
	}
	return types.Decimal(int(p), int(s)), nil
}

// interval narrows an interval type to the given fields. Only a start means that field alone.
func interval(t types.Type, start, end *int32) (types.Type, error) {
	last := t.To
	if start != nil {
		t.From, t.To = uint8(*start), uint8(*start)
		if end != nil {
			t.To = uint8(*end)
		}
	}
	if t.To > last || t.From > t.To {
		return t, invalid("ASSERTION_FAILURE", "message", "interval fields out of range")
	}
	return t, nil
}

func (l *Lowerer) structType(s *connectpb.DataType_Struct) (types.Type, error) {
	fields := make([]types.Field, len(s.GetFields()))
	for i, f := range s.GetFields() {
		t, err := l.Type(f.GetDataType())
		if err != nil {
			return types.Null, err
		}
		fields[i] = types.Field{Name: f.GetName(), Type: t, Nullable: f.GetNullable(), Metadata: metadata(f.GetMetadata())}
	}
	return types.Struct(fields...), nil
}

// metadata keeps an object text and drops the empty object.
func metadata(s string) string {
	var m map[string]json.RawMessage
	if s == "" || json.Unmarshal([]byte(s), &m) == nil && len(m) == 0 {
		return ""
	}
	return s
}
