package parquet

import (
	"github.com/firesteel/firesteel/internal/types"
)

// TimestampForm is how TIMESTAMP columns are stored.
type TimestampForm uint8

// The forms, by the values of spark.sql.parquet.outputTimestampType.
const (
	Int96Timestamps TimestampForm = iota
	MicrosTimestamps
	MillisTimestamps
)

// UnsupportedError says that a type cannot be written.
type UnsupportedError struct {
	Column string
	Type   types.Type
}

func (e *UnsupportedError) Error() string {
	return "column " + e.Column + " of type " + e.Type.String() + " cannot be stored in Parquet"
}

// writeNode makes the schema tree of a column, and the leaves in order.
type schemaWriter struct {
	o      *WriterOptions
	leaves []*Node
	column string
}

func (w *schemaWriter) schema(s *types.Schema) (*Node, error) {
	root := &Node{element: element{name: "spark_schema", phys: -1, converted: convNone, id: -1}, Leaf: -1}
	for _, f := range s.Fields {
		w.column = f.Name
		k, err := w.node(f.Name, f.Type, f.Nullable, 0, 0)
		if err != nil {
			return nil, err
		}
		root.Kids = append(root.Kids, k)
	}
	return root, nil
}

func (w *schemaWriter) node(name string, t types.Type, nullable bool, def, rep int) (*Node, error) {
	n := &Node{element: element{name: name, phys: -1, converted: convNone, id: -1}, Leaf: -1, Def: def, Rep: rep}
	if nullable || t.Kind == types.NullKind {
		n.rep = Optional
		n.Def++
	}
	var err error
	switch t.Kind {
	case types.ArrayKind:
		n.converted, n.logical.kind = convList, logicalList
		err = w.list(n, t)
	case types.MapKind:
		n.converted, n.logical.kind = convMap, logicalMap
		err = w.mapOf(n, t)
	case types.StructKind:
		err = w.fields(n, t.Fields())
	case types.VariantKind:
		err = w.fields(n, []types.Field{{Name: "value", Type: types.Binary}, {Name: "metadata", Type: types.Binary}})
	default:
		err = w.leaf(n, t)
	}
	return n, err
}

func (w *schemaWriter) fields(n *Node, fields []types.Field) error {
	for _, f := range fields {
		k, err := w.node(f.Name, f.Type, f.Nullable, n.Def, n.Rep)
		if err != nil {
			return err
		}
		n.Kids = append(n.Kids, k)
	}
	return nil
}

// repeated adds the repeated group below a list or map.
func repeated(n *Node, name string) *Node {
	r := &Node{element: element{name: name, phys: -1, rep: Repeated, converted: convNone, id: -1}, Leaf: -1, Def: n.Def + 1, Rep: n.Rep + 1}
	n.Kids = []*Node{r}
	return r
}

func (w *schemaWriter) list(n *Node, t types.Type) error {
	r := repeated(n, "list")
	k, err := w.node("element", t.Elem(), t.ContainsNull(), r.Def, r.Rep)
	r.Kids = []*Node{k}
	return err
}

func (w *schemaWriter) mapOf(n *Node, t types.Type) error {
	r := repeated(n, "key_value")
	k, err := w.node("key", t.Key(), false, r.Def, r.Rep)
	if err != nil {
		return err
	}
	v, err := w.node("value", t.Elem(), t.ContainsNull(), r.Def, r.Rep)
	r.Kids = []*Node{k, v}
	return err
}

func (w *schemaWriter) leaf(n *Node, t types.Type) error {
	integer := func(converted int32, bits int8) {
		n.phys, n.converted, n.logical = Int32Type, converted, logical{kind: logicalInteger, bits: bits, signed: true}
	}
	switch t.Kind {
	case types.BooleanKind:
		n.phys = BooleanType
	case types.NullKind:
		n.phys, n.logical.kind = BooleanType, logicalUnknown
	case types.ByteKind:
		integer(convInt8, 8)
	case types.ShortKind:
		integer(convInt16, 16)
	case types.IntKind, types.YearMonthKind:
		n.phys = Int32Type
	case types.LongKind, types.DayTimeKind:
		n.phys = Int64Type
	case types.FloatKind:
		n.phys = FloatType
	case types.DoubleKind:
		n.phys = DoubleType
	case types.DateKind:
		n.phys, n.converted, n.logical.kind = Int32Type, convDate, logicalDate
	case types.StringKind:
		n.phys, n.converted, n.logical.kind = ByteArrayType, convUTF8, logicalString
	case types.BinaryKind:
		n.phys = ByteArrayType
	case types.TimestampKind:
		w.timestamp(n)
	case types.TimestampNTZKind:
		n.phys, n.logical = Int64Type, logical{kind: logicalTimestamp, unit: micros}
	case types.TimeKind:
		n.phys, n.logical = Int64Type, logical{kind: logicalTime, unit: micros}
	case types.DecimalKind:
		w.decimal(n, t)
	default:
		return &UnsupportedError{w.column, t}
	}
	n.Leaf = len(w.leaves)
	w.leaves = append(w.leaves, n)
	return nil
}

func (w *schemaWriter) timestamp(n *Node) {
	switch w.o.Timestamps {
	case MicrosTimestamps:
		n.phys, n.converted, n.logical = Int64Type, convTimestampMicros, logical{kind: logicalTimestamp, unit: micros, utc: true}
	case MillisTimestamps:
		n.phys, n.converted, n.logical = Int64Type, convTimestampMillis, logical{kind: logicalTimestamp, unit: millis, utc: true}
	default:
		n.phys = Int96Type
	}
}

// decimal: int32 to nine digits, int64 to eighteen, else big-endian bytes; the legacy form has bytes for all.
func (w *schemaWriter) decimal(n *Node, t types.Type) {
	n.converted, n.precision, n.scale = convDecimal, int32(t.Precision), int32(t.Scale)
	n.logical = logical{kind: logicalDecimal, precision: int32(t.Precision), scale: int32(t.Scale)}
	switch {
	case t.Precision <= 9 && !w.o.Legacy:
		n.phys = Int32Type
	case t.Precision <= 18 && !w.o.Legacy:
		n.phys = Int64Type
	default:
		n.phys, n.length = FixedType, bytesForPrecision(int(t.Precision))
	}
}

// bytesForPrecision is the least number of bytes for decimals of p digits.
func bytesForPrecision(p int) int32 {
	n := 1
	for maxFixedPrecision(n) < p {
		n++
	}
	return int32(n)
}

// writeElements writes the tree as the flat list of the footer.
func writeElements(w *thriftOut, n *Node, root bool) int {
	w.open()
	if !n.isGroup() {
		w.i32(1, int32(n.phys))
		if n.phys == FixedType {
			w.i32(2, n.length)
		}
	}
	if !root {
		w.i32(3, int32(n.rep))
	}
	w.string(4, n.name)
	if n.isGroup() {
		w.i32(5, int32(len(n.Kids)))
	}
	if n.converted != convNone {
		w.i32(6, n.converted)
	}
	if n.converted == convDecimal {
		w.i32(7, n.scale)
		w.i32(8, n.precision)
	}
	if n.logical.kind != logicalNone {
		w.sub(10, func() { writeLogical(w, n.logical) })
	}
	w.close()
	count := 1
	for _, k := range n.Kids {
		count += writeElements(w, k, false)
	}
	return count
}

func writeLogical(w *thriftOut, l logical) {
	w.sub(int16(l.kind), func() {
		switch l.kind {
		case logicalDecimal:
			w.i32(1, l.scale)
			w.i32(2, l.precision)
		case logicalTime, logicalTimestamp:
			w.bool(1, l.utc)
			w.sub(2, func() { w.sub(int16(l.unit), func() {}) })
		case logicalInteger:
			w.i8(1, l.bits)
			w.bool(2, l.signed)
		}
	})
}
