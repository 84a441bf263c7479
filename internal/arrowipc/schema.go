package arrowipc

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Options are the choices that a session makes about its streams.
type Options struct {
	TimeZone string // the zone that TIMESTAMP columns are labelled with
	Large    bool   // 64-bit offsets for text and binary
}

// schemaMessage is the whole first message of a stream.
func schemaMessage(s *types.Schema, o Options) ([]byte, error) {
	b := flatbuffers.NewBuilder(1024)
	w := schemaWriter{b, o}
	fields, err := w.fields(s.Fields)
	if err != nil {
		return nil, err
	}
	b.StartObject(4)
	b.PrependUOffsetTSlot(1, fields, 0)
	schema := b.EndObject()
	return message(b, headerSchema, schema, 0), nil
}

// message finishes a flatbuffer as an encapsulated message without its body.
func message(b *flatbuffers.Builder, header byte, at flatbuffers.UOffsetT, body int64) []byte {
	b.StartObject(5)
	b.PrependInt16Slot(0, metadataV5, 0)
	b.PrependByteSlot(1, header, 0)
	b.PrependUOffsetTSlot(2, at, 0)
	b.PrependInt64Slot(3, body, 0)
	b.Finish(b.EndObject())
	return frame(b.FinishedBytes(), 0)
}

// frame puts the prefix before metadata and pads it to at least size bytes, prefix included.
func frame(meta []byte, size int) []byte {
	n := max((8+len(meta)+7)/8*8, size)
	out := make([]byte, n)
	binary.LittleEndian.PutUint32(out, continuation)
	binary.LittleEndian.PutUint32(out[4:], uint32(n-8))
	copy(out[8:], meta)
	return out
}

type schemaWriter struct {
	b *flatbuffers.Builder
	o Options
}

func (w *schemaWriter) fields(fs []types.Field) (flatbuffers.UOffsetT, error) {
	offs := make([]flatbuffers.UOffsetT, len(fs))
	for i, f := range fs {
		var err error
		if offs[i], err = w.field(f, ""); err != nil {
			return 0, err
		}
	}
	return w.vector(offs), nil
}

func (w *schemaWriter) vector(offs []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	w.b.StartVector(4, len(offs), 4)
	for _, o := range slices.Backward(offs) {
		w.b.PrependUOffsetT(o)
	}
	return w.b.EndVector(len(offs))
}

// field writes one field with its children. mark is a key of custom metadata with the value "true", or "".
func (w *schemaWriter) field(f types.Field, mark string) (flatbuffers.UOffsetT, error) {
	kids, err := w.children(f.Type)
	if err != nil {
		return 0, err
	}
	tag, typ, err := w.typ(f)
	if err != nil {
		return 0, err
	}
	name := w.b.CreateString(f.Name)
	meta := w.metadata(f, mark)
	w.b.StartObject(7)
	w.b.PrependUOffsetTSlot(0, name, 0)
	w.b.PrependBoolSlot(1, f.Nullable, false)
	w.b.PrependByteSlot(2, tag, 0)
	w.b.PrependUOffsetTSlot(3, typ, 0)
	w.b.PrependUOffsetTSlot(5, kids, 0)
	w.b.PrependUOffsetTSlot(6, meta, 0)
	return w.b.EndObject(), nil
}

// metadata writes the mark, and the string values of the field's own metadata.
func (w *schemaWriter) metadata(f types.Field, mark string) flatbuffers.UOffsetT {
	pairs := map[string]string{}
	if f.Metadata != "" && f.Metadata != "{}" {
		pairs["SPARK::metadata::json"] = f.Metadata
	}
	if mark != "" {
		pairs[mark] = "true"
	}
	if len(pairs) == 0 {
		return 0
	}
	var offs []flatbuffers.UOffsetT
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		key, value := w.b.CreateString(k), w.b.CreateString(pairs[k])
		w.b.StartObject(2)
		w.b.PrependUOffsetTSlot(0, key, 0)
		w.b.PrependUOffsetTSlot(1, value, 0)
		offs = append(offs, w.b.EndObject())
	}
	return w.vector(offs)
}

func (w *schemaWriter) children(t types.Type) (flatbuffers.UOffsetT, error) {
	switch t.Kind {
	case types.ArrayKind:
		return w.fields([]types.Field{{Name: "element", Type: t.Elem(), Nullable: t.ContainsNull()}})
	case types.MapKind:
		return w.fields([]types.Field{{Name: "entries", Type: types.Struct(
			types.Field{Name: "key", Type: t.Key()},
			types.Field{Name: "value", Type: t.Elem(), Nullable: t.ContainsNull()},
		)}})
	case types.StructKind:
		return w.fields(distinctNames(t.Fields()))
	case types.VariantKind:
		value, err := w.field(types.Field{Name: "value", Type: types.Binary}, "")
		if err != nil {
			return 0, err
		}
		meta, err := w.field(types.Field{Name: "metadata", Type: types.Binary}, "variant")
		return w.vector([]flatbuffers.UOffsetT{value, meta}), err
	}
	return w.vector(nil), nil
}

// distinctNames numbers the names that occur twice inside of a struct, because clients make dictionaries of structs.
// Columns may share a name.
func distinctNames(fs []types.Field) []types.Field {
	times := make(map[string]int, len(fs))
	for _, f := range fs {
		times[f.Name]++
	}
	if len(times) == len(fs) {
		return fs
	}
	out, next := slices.Clone(fs), map[string]int{}
	for i, f := range fs {
		if times[f.Name] > 1 {
			out[i].Name = f.Name + "_" + strconv.Itoa(next[f.Name])
			next[f.Name]++
		}
	}
	return out
}

// typ writes the type table of a field.
func (w *schemaWriter) typ(f types.Field) (byte, flatbuffers.UOffsetT, error) {
	t := f.Type
	switch t.Kind {
	case types.NullKind:
		return typeNull, w.table(), nil
	case types.BooleanKind:
		return typeBool, w.table(), nil
	case types.ByteKind, types.ShortKind, types.IntKind, types.LongKind:
		return typeInt, w.integer(int32(8 * columnar.LayoutOf(t).Width())), nil
	case types.FloatKind:
		return typeFloat, w.table(1), nil
	case types.DoubleKind:
		return typeFloat, w.table(2), nil
	case types.DecimalKind:
		return typeDecimal, w.decimal(t), nil
	case types.StringKind:
		if w.o.Large {
			return typeLargeUtf8, w.table(), nil
		}
		return typeUtf8, w.table(), nil
	case types.BinaryKind:
		if w.o.Large {
			return typeLargeBinary, w.table(), nil
		}
		return typeBinary, w.table(), nil
	case types.DateKind:
		return typeDate, w.table(0), nil
	case types.TimeKind:
		return typeTime, w.time(), nil
	case types.TimestampKind:
		return typeTimestamp, w.timestamp(w.o.TimeZone), nil
	case types.TimestampNTZKind:
		return typeTimestamp, w.timestamp(""), nil
	case types.YearMonthKind:
		return typeInterval, w.table(intervalYearMonth), nil
	case types.DayTimeKind:
		return typeDuration, w.table(unitMicro), nil
	case types.CalendarKind:
		return typeInterval, w.table(intervalMonthDayNano), nil
	case types.ArrayKind:
		return typeList, w.table(), nil
	case types.MapKind:
		return typeMap, w.table(), nil
	case types.StructKind, types.VariantKind:
		return typeStruct, w.table(), nil
	}
	return 0, 0, sparkerr.New("UNSUPPORTED_DATATYPE", "typeName", `"`+t.SQL()+`"`)
}

// table writes a table of at most one 16-bit field; a negative default makes sure that it is written.
func (w *schemaWriter) table(v ...int16) flatbuffers.UOffsetT {
	w.b.StartObject(1)
	for _, x := range v {
		w.b.PrependInt16Slot(0, x, -1)
	}
	return w.b.EndObject()
}

func (w *schemaWriter) integer(bits int32) flatbuffers.UOffsetT {
	w.b.StartObject(2)
	w.b.PrependInt32Slot(0, bits, 0)
	w.b.PrependBoolSlot(1, true, false)
	return w.b.EndObject()
}

func (w *schemaWriter) decimal(t types.Type) flatbuffers.UOffsetT {
	w.b.StartObject(3)
	w.b.PrependInt32Slot(0, int32(t.Precision), 0)
	w.b.PrependInt32Slot(1, int32(t.Scale), 0)
	w.b.PrependInt32Slot(2, 128, 0)
	return w.b.EndObject()
}

func (w *schemaWriter) time() flatbuffers.UOffsetT {
	w.b.StartObject(2)
	w.b.PrependInt16Slot(0, unitNano, unitMilli)
	w.b.PrependInt32Slot(1, 64, 32)
	return w.b.EndObject()
}

func (w *schemaWriter) timestamp(zone string) flatbuffers.UOffsetT {
	var z flatbuffers.UOffsetT
	if zone != "" {
		z = w.b.CreateString(zone)
	}
	w.b.StartObject(2)
	w.b.PrependInt16Slot(0, unitMicro, 0)
	w.b.PrependUOffsetTSlot(1, z, 0)
	return w.b.EndObject()
}
