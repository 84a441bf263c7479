package arrowipc

import (
	"strconv"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// field is an Arrow field: the Spark type, and how the values lie.
type field struct {
	name     string
	nullable bool
	t        types.Type
	tag      byte
	width    int   // bytes a value: integers, floats, decimals, fixed binary; list size of fixed lists
	unit     int16 // date, time, timestamp, duration, interval
	signed   bool
	index    *field // dictionary-encoded: the type of the codes
	dict     int64
	kids     []field
}

// maxDepth bounds the nesting of types.
const maxDepth = 64

func (d *decoder) readSchema(t *flatbuffers.Table) error {
	d.fields, d.schema = []field{}, &types.Schema{}
	for _, c := range children(t, 1) {
		f, err := readField(c, 0)
		if err != nil {
			return err
		}
		d.fields = append(d.fields, f)
		d.schema.Fields = append(d.schema.Fields, types.Field{Name: f.name, Type: f.t, Nullable: f.nullable})
	}
	return nil
}

func readField(t *flatbuffers.Table, depth int) (field, error) {
	f := field{name: text(t, 0), nullable: t.GetBoolSlot(slot(1), false), tag: t.GetByteSlot(slot(2), 0)}
	if depth > maxDepth {
		return f, malformed("types nest too deep")
	}
	for _, c := range children(t, 5) {
		k, err := readField(c, depth+1)
		if err != nil {
			return f, err
		}
		f.kids = append(f.kids, k)
	}
	typ, ok := child(t, 3)
	if !ok {
		return f, malformed("field %s has no type", f.name)
	}
	if dict, ok := child(t, 4); ok {
		f.dict, f.index = dict.GetInt64Slot(slot(0), 0), &field{tag: typeInt, width: 4, signed: true}
		if it, ok := child(dict, 1); ok {
			f.index.width, f.index.signed = int(it.GetInt32Slot(slot(0), 0))/8, it.GetBoolSlot(slot(1), false)
		}
	}
	return f, f.resolve(typ)
}

// resolve reads the type table and finds the Spark type.
func (f *field) resolve(t *flatbuffers.Table) error {
	ok := true
	switch f.tag {
	case typeNull:
		f.t = types.Null
	case typeInt:
		f.width, f.signed = int(t.GetInt32Slot(slot(0), 0))/8, t.GetBoolSlot(slot(1), false)
		f.t, ok = intTypes[f.width]
		ok = ok && f.signed
	case typeFloat:
		p := t.GetInt16Slot(slot(0), 0)
		f.t, f.width, ok = types.Float, 4, p == 1
		if p == 2 {
			f.t, f.width, ok = types.Double, 8, true
		}
	case typeBool:
		f.t = types.Boolean
	case typeDecimal:
		return f.decimal(t)
	case typeUtf8, typeLargeUtf8:
		f.t = types.String
	case typeBinary, typeLargeBinary:
		f.t = types.Binary
	case typeFixedBinary:
		f.t, f.width = types.Binary, int(t.GetInt32Slot(slot(0), 0))
		ok = f.width >= 0
	default:
		return f.resolveMore(t)
	}
	return f.check(ok)
}

var intTypes = map[int]types.Type{1: types.Byte, 2: types.Short, 4: types.Int, 8: types.Long}

// resolveMore: times and nested types.
func (f *field) resolveMore(t *flatbuffers.Table) error {
	ok := true
	switch f.tag {
	case typeDate:
		f.t, f.unit = types.Date, t.GetInt16Slot(slot(0), unitMilli)
	case typeTime:
		f.t, f.unit, f.width = types.Time, t.GetInt16Slot(slot(0), unitMilli), int(t.GetInt32Slot(slot(1), 32))/8
		ok = f.width == 4 || f.width == 8
	case typeTimestamp:
		f.t, f.unit = types.TimestampNTZ, t.GetInt16Slot(slot(0), unitSecond)
		if text(t, 1) != "" {
			f.t = types.Timestamp
		}
	case typeDuration:
		f.t, f.unit = types.DayTime, t.GetInt16Slot(slot(0), unitMilli)
	case typeInterval:
		f.unit = t.GetInt16Slot(slot(0), 0)
		f.t, ok = types.YearMonth, f.unit == intervalYearMonth
		if f.unit == intervalMonthDayNano {
			f.t, ok = types.Calendar, true
		}
	case typeList, typeLargeList, typeFixedList:
		if ok = len(f.kids) == 1; ok {
			f.t = types.Array(f.kids[0].t, f.kids[0].nullable)
		}
		if f.tag == typeFixedList {
			f.width = int(t.GetInt32Slot(slot(0), 0))
			ok = ok && f.width >= 0
		}
	case typeMap:
		if ok = len(f.kids) == 1 && len(f.kids[0].kids) == 2 && f.kids[0].tag == typeStruct; ok {
			key, value := f.kids[0].kids[0], f.kids[0].kids[1]
			f.t = types.Map(key.t, value.t, value.nullable)
		}
	case typeStruct:
		fs := make([]types.Field, len(f.kids))
		for i, k := range f.kids {
			fs[i] = types.Field{Name: k.name, Type: k.t, Nullable: k.nullable}
		}
		f.t = types.Struct(fs...)
	default:
		ok = false
	}
	return f.check(ok)
}

func (f *field) decimal(t *flatbuffers.Table) error {
	p, s := t.GetInt32Slot(slot(0), 0), t.GetInt32Slot(slot(1), 0)
	f.width = int(t.GetInt32Slot(slot(2), 128)) / 8
	if p < 1 || p > types.MaxPrecision || s < 0 || s > p || f.width != 16 {
		return f.check(false)
	}
	f.t = types.Decimal(int(p), int(s))
	return nil
}

func (f *field) check(ok bool) error {
	if ok {
		return nil
	}
	return sparkerr.New("UNSUPPORTED_ARROWTYPE", "typeName", strconv.Itoa(int(f.tag))+" of column "+types.Quote(f.name))
}
