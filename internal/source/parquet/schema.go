package parquet

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Node is an element of a file's schema tree.
type Node struct {
	element
	Kids []*Node
	Def  int // definition level at which this node is present
	Rep  int // number of repeated nodes from the root down to this one
	Leaf int // column number; -1 for groups
}

// Name is the field's name as stored.
func (n *Node) Name() string { return n.name }

// ID is the field id, -1 if none.
func (n *Node) ID() int { return int(n.id) }

func (n *Node) isGroup() bool { return n.Leaf < 0 }

// tree builds the schema tree and the list of leaves.
func tree(elems []element) (root *Node, leaves []*Node, err error) {
	if len(elems) == 0 || elems[0].kids < 0 {
		return nil, nil, fmt.Errorf("the schema is empty")
	}
	b := &treeBuilder{elems: elems}
	elems[0].rep = Required
	root = b.node(0, 0, 0)
	if b.err == nil && b.next != len(elems) {
		b.err = fmt.Errorf("the schema has %d elements too many", len(elems)-b.next)
	}
	return root, b.leaves, b.err
}

type treeBuilder struct {
	elems  []element
	next   int
	leaves []*Node
	err    error
}

func (b *treeBuilder) node(def, rep, depth int) *Node {
	if b.next >= len(b.elems) || depth > 64 {
		b.err = fmt.Errorf("the schema tree is cut off or too deep")
		return &Node{}
	}
	n := &Node{element: b.elems[b.next], Leaf: -1, Def: def, Rep: rep}
	b.next++
	switch n.rep {
	case Optional:
		n.Def++
	case Repeated:
		n.Def++
		n.Rep++
	}
	if n.phys >= 0 && n.kids == 0 {
		n.Leaf = len(b.leaves)
		b.leaves = append(b.leaves, n)
		if n.phys > FixedType || n.phys == FixedType && n.length <= 0 {
			b.err = fmt.Errorf("column %q has a bad physical type", n.name)
		}
		return n
	}
	for i := int32(0); i < n.kids && b.err == nil; i++ {
		n.Kids = append(n.Kids, b.node(n.Def, n.Rep, depth+1))
	}
	return n
}

// SchemaOptions are the settings that change how Parquet types map to Spark's.
type SchemaOptions struct {
	BinaryAsString bool // spark.sql.parquet.binaryAsString
	NoNTZ          bool // spark.sql.parquet.inferTimestampNTZ.enabled=false
	NanosAsLong    bool // spark.sql.legacy.parquet.nanosAsLong
}

// SparkSchema maps a file's schema as Spark does; all columns are nullable.
func (f *File) SparkSchema(o SchemaOptions) (*types.Schema, error) {
	s := &types.Schema{}
	for _, n := range f.Root.Kids {
		t, err := o.fieldType(n)
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, types.Field{Name: n.name, Type: t, Nullable: true})
	}
	return s, nil
}

// fieldType is the type of a field; a repeated field outside LIST and MAP is an array.
func (o SchemaOptions) fieldType(n *Node) (types.Type, error) {
	t, err := o.valueType(n)
	if err == nil && n.rep == Repeated {
		t = types.Array(t, true)
	}
	return t, err
}

// valueType is the type of a node without regard of its repetition.
func (o SchemaOptions) valueType(n *Node) (types.Type, error) {
	if !n.isGroup() {
		return o.primitive(n)
	}
	switch n.logical.kind {
	case logicalList:
		_, elem, err := listElement(n)
		if err != nil {
			return types.Type{}, err
		}
		t, err := o.valueType(elem)
		return types.Array(t, true), err
	case logicalMap:
		k, v, err := mapEntry(n)
		if err != nil {
			return types.Type{}, err
		}
		kt, err := o.fieldType(k)
		if err != nil {
			return kt, err
		}
		vt, err := o.fieldType(v)
		return types.Map(kt, vt, true), err
	case logicalVariant:
		return types.Variant, nil
	}
	fields := make([]types.Field, len(n.Kids))
	for i, k := range n.Kids {
		t, err := o.fieldType(k)
		if err != nil {
			return t, err
		}
		fields[i] = types.Field{Name: k.name, Type: t, Nullable: true}
	}
	return types.Struct(fields...), nil
}

// listElement finds the repeated node and the element of a LIST group by the format's backward-compatibility rules.
func listElement(n *Node) (repeated, elem *Node, err error) {
	if len(n.Kids) != 1 || n.Kids[0].rep != Repeated {
		return nil, nil, illegalType(n)
	}
	r := n.Kids[0]
	twoLevel := !r.isGroup() || len(r.Kids) != 1 || r.Kids[0].rep == Repeated || r.name == "array" || r.name == n.name+"_tuple"
	if twoLevel {
		return r, r, nil
	}
	return r, r.Kids[0], nil
}

// mapEntry finds key and value of a MAP group.
func mapEntry(n *Node) (key, value *Node, err error) {
	if len(n.Kids) != 1 || n.Kids[0].rep != Repeated || len(n.Kids[0].Kids) != 2 {
		return nil, nil, illegalType(n)
	}
	return n.Kids[0].Kids[0], n.Kids[0].Kids[1], nil
}

func illegalType(n *Node) error {
	return sparkerr.New("PARQUET_TYPE_ILLEGAL", "parquetType", n.TypeName())
}

func notSupported(n *Node) error {
	return sparkerr.New("PARQUET_TYPE_NOT_SUPPORTED", "parquetType", n.TypeName())
}

func (o SchemaOptions) primitive(n *Node) (types.Type, error) {
	l := n.logical
	if l.kind == logicalUnknown {
		return types.Null, nil
	}
	switch n.phys {
	case BooleanType:
		return types.Boolean, nil
	case FloatType:
		return types.Float, nil
	case DoubleType:
		return types.Double, nil
	case Int96Type:
		return types.Timestamp, nil
	case Int32Type:
		return int32Spark(n, l)
	case Int64Type:
		return o.int64Spark(n, l)
	case ByteArrayType:
		return o.binarySpark(n, l)
	}
	switch l.kind {
	case logicalDecimal:
		return decimalSpark(n, maxFixedPrecision(int(n.length)))
	case logicalNone, logicalUUID:
		if n.converted == convInterval {
			return types.Type{}, notSupported(n)
		}
		return types.Binary, nil
	}
	return types.Type{}, illegalType(n)
}

func int32Spark(n *Node, l logical) (types.Type, error) {
	switch l.kind {
	case logicalNone:
		return types.Int, nil
	case logicalDate:
		return types.Date, nil
	case logicalDecimal:
		return decimalSpark(n, 9)
	case logicalInteger:
		switch {
		case l.signed && l.bits == 8:
			return types.Byte, nil
		case l.signed && l.bits == 16, !l.signed && l.bits == 8:
			return types.Short, nil
		case l.signed && l.bits == 32, !l.signed && l.bits == 16:
			return types.Int, nil
		case l.bits == 32:
			return types.Long, nil
		}
	}
	return types.Type{}, illegalType(n)
}

func (o SchemaOptions) int64Spark(n *Node, l logical) (types.Type, error) {
	switch l.kind {
	case logicalNone:
		return types.Long, nil
	case logicalDecimal:
		return decimalSpark(n, 18)
	case logicalInteger:
		switch {
		case l.bits == 64 && l.signed:
			return types.Long, nil
		case l.bits == 64:
			return types.Decimal(20, 0), nil
		}
	case logicalTimestamp:
		switch {
		case l.unit == nanos && o.NanosAsLong:
			return types.Long, nil
		case l.unit == nanos:
			return types.Type{}, illegalType(n)
		case l.utc || o.NoNTZ:
			return types.Timestamp, nil
		}
		return types.TimestampNTZ, nil
	case logicalTime:
		if l.unit == micros && !l.utc {
			return types.Time, nil
		}
	}
	return types.Type{}, illegalType(n)
}

func (o SchemaOptions) binarySpark(n *Node, l logical) (types.Type, error) {
	switch l.kind {
	case logicalString, logicalEnum, logicalJSON:
		return types.String, nil
	case logicalNone:
		if o.BinaryAsString {
			return types.String, nil
		}
		return types.Binary, nil
	case logicalBSON:
		return types.Binary, nil
	case logicalDecimal:
		return decimalSpark(n, types.MaxPrecision)
	}
	return types.Type{}, illegalType(n)
}

func decimalSpark(n *Node, maxPrecision int) (types.Type, error) {
	p, s := int(n.logical.precision), int(n.logical.scale)
	if p <= 0 || p > maxPrecision || p > types.MaxPrecision || s < 0 || s > p {
		return types.Type{}, illegalType(n)
	}
	return types.Decimal(p, s), nil
}

// maxFixedPrecision is the number of decimal digits that fit n bytes of two's complement.
func maxFixedPrecision(n int) int {
	digits := [...]int{0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35}
	if n < len(digits) {
		return digits[n]
	}
	return types.MaxPrecision
}

// TypeName prints a node's type as Spark's messages do, e.g. "INT64 (TIMESTAMP(NANOS,true))".
func (n *Node) TypeName() string {
	if n.isGroup() {
		return "group " + n.name
	}
	s := n.phys.String()
	if a := n.logical.String(); a != "" {
		return s + " (" + a + ")"
	}
	return s
}

func (l logical) String() string {
	unit := map[timeUnit]string{millis: "MILLIS", micros: "MICROS", nanos: "NANOS"}[l.unit]
	switch l.kind {
	case logicalString:
		return "STRING"
	case logicalMap:
		return "MAP"
	case logicalList:
		return "LIST"
	case logicalEnum:
		return "ENUM"
	case logicalDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", l.precision, l.scale)
	case logicalDate:
		return "DATE"
	case logicalTime:
		return fmt.Sprintf("TIME(%s,%t)", unit, l.utc)
	case logicalTimestamp:
		return fmt.Sprintf("TIMESTAMP(%s,%t)", unit, l.utc)
	case logicalInteger:
		return fmt.Sprintf("INTEGER(%d,%t)", l.bits, l.signed)
	case logicalUnknown:
		return "UNKNOWN"
	case logicalJSON:
		return "JSON"
	case logicalBSON:
		return "BSON"
	case logicalUUID:
		return "UUID"
	case logicalFloat16:
		return "FLOAT16"
	case logicalVariant:
		return "VARIANT"
	}
	return ""
}
