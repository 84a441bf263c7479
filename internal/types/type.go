// Package types holds Spark's data types, schemas, the coercion lattice and the decimal rules.
package types

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is the family of a type.
type Kind uint8

// The kinds, in Spark's precedence order where the lattice needs one.
const (
	NullKind Kind = iota // VOID
	BooleanKind
	ByteKind
	ShortKind
	IntKind
	LongKind
	FloatKind
	DoubleKind
	DecimalKind
	StringKind // STRING, CHAR(n) and VARCHAR(n): see Type.Char
	BinaryKind
	DateKind
	TimestampKind    // with local (session) time zone; microseconds since the epoch, UTC
	TimestampNTZKind // microseconds of local date-time
	TimeKind         // nanoseconds since midnight
	YearMonthKind    // months
	DayTimeKind      // microseconds
	CalendarKind     // months, days, microseconds
	ArrayKind
	MapKind
	StructKind
	VariantKind
)

// Field codes of interval types.
const (
	Year, Month               uint8 = 0, 1
	Day, Hour, Minute, Second uint8 = 0, 1, 2, 3
)

// Type is a Spark data type: a small immutable value. Atomic types compare with ==; nested ones with Equal.
type Type struct {
	Kind      Kind
	Precision uint8 // decimal; time: fraction digits
	Scale     uint8 // decimal
	From, To  uint8 // interval fields
	Char      uint8 // StringKind: 0 STRING, 1 CHAR(Length), 2 VARCHAR(Length)
	Length    int32
	Collation string // StringKind: "" is UTF8_BINARY
	nested    *nested
}

type nested struct {
	key, elem Type // map key; array element or map value
	hasNull   bool // array: containsNull; map: valueContainsNull
	fields    []Field
}

// Field is a struct field or a column of a schema.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Metadata string // JSON object text; "" is {}
}

// Schema is the list of columns of a table, a batch or a result.
type Schema struct{ Fields []Field }

// The atomic types.
var (
	Null         = Type{Kind: NullKind}
	Boolean      = Type{Kind: BooleanKind}
	Byte         = Type{Kind: ByteKind}
	Short        = Type{Kind: ShortKind}
	Int          = Type{Kind: IntKind}
	Long         = Type{Kind: LongKind}
	Float        = Type{Kind: FloatKind}
	Double       = Type{Kind: DoubleKind}
	String       = Type{Kind: StringKind}
	Binary       = Type{Kind: BinaryKind}
	Date         = Type{Kind: DateKind}
	Timestamp    = Type{Kind: TimestampKind}
	TimestampNTZ = Type{Kind: TimestampNTZKind}
	Time         = Type{Kind: TimeKind, Precision: 6}
	YearMonth    = Type{Kind: YearMonthKind, From: Year, To: Month}
	DayTime      = Type{Kind: DayTimeKind, From: Day, To: Second}
	Calendar     = Type{Kind: CalendarKind}
	Variant      = Type{Kind: VariantKind}
)

// MaxPrecision is the largest decimal precision; up to MaxLongDigits digits an unscaled value is kept in an int64.
const (
	MaxPrecision  = 38
	MaxLongDigits = 18
)

// Decimal is DECIMAL(precision, scale).
func Decimal(precision, scale int) Type {
	return Type{Kind: DecimalKind, Precision: uint8(precision), Scale: uint8(scale)}
}

// Char is CHAR(n) and Varchar VARCHAR(n).
func Char(n int) Type    { return Type{Kind: StringKind, Char: 1, Length: int32(n)} }
func Varchar(n int) Type { return Type{Kind: StringKind, Char: 2, Length: int32(n)} }

// Array is ARRAY<elem>.
func Array(elem Type, containsNull bool) Type {
	return Type{Kind: ArrayKind, nested: &nested{elem: elem, hasNull: containsNull}}
}

// Map is MAP<key, value>.
func Map(key, value Type, valueContainsNull bool) Type {
	return Type{Kind: MapKind, nested: &nested{key: key, elem: value, hasNull: valueContainsNull}}
}

// Struct is STRUCT<fields>.
func Struct(fields ...Field) Type {
	return Type{Kind: StructKind, nested: &nested{fields: fields}}
}

// Elem is the element type of an array or the value type of a map.
func (t Type) Elem() Type { return t.nested.elem }

// Key is the key type of a map.
func (t Type) Key() Type { return t.nested.key }

// ContainsNull says whether an array's elements or a map's values may be null.
func (t Type) ContainsNull() bool { return t.nested.hasNull }

// Fields are the fields of a struct; do not change them.
func (t Type) Fields() []Field { return t.nested.fields }

// IsNested is true for arrays, maps and structs.
func (t Type) IsNested() bool {
	return t.Kind == ArrayKind || t.Kind == MapKind || t.Kind == StructKind
}

// IsIntegral is true for the four integer types, IsNumeric also for float, double and decimal.
func (t Type) IsIntegral() bool { return t.Kind >= ByteKind && t.Kind <= LongKind }
func (t Type) IsNumeric() bool  { return t.Kind >= ByteKind && t.Kind <= DecimalKind }

// IsFractional is true for float and double.
func (t Type) IsFractional() bool { return t.Kind == FloatKind || t.Kind == DoubleKind }

// IsDatetime is true for dates and both timestamps; IsInterval for the ANSI intervals.
func (t Type) IsDatetime() bool {
	return t.Kind == DateKind || t.Kind == TimestampKind || t.Kind == TimestampNTZKind
}
func (t Type) IsInterval() bool { return t.Kind == YearMonthKind || t.Kind == DayTimeKind }

// Equal compares structurally, nullability included.
func (t Type) Equal(o Type) bool { return t.equal(o, false) }

// SameType compares structurally without nullability (Spark's equalsIgnoreNullability); field names count.
func (t Type) SameType(o Type) bool { return t.equal(o, true) }

func (t Type) equal(o Type, ignoreNull bool) bool {
	if !t.IsNested() || t.Kind != o.Kind {
		return t == o
	}
	a, b := t.nested, o.nested
	if a == b {
		return true
	}
	if !ignoreNull && a.hasNull != b.hasNull || len(a.fields) != len(b.fields) {
		return false
	}
	if t.Kind != StructKind {
		return a.elem.equal(b.elem, ignoreNull) && a.key.equal(b.key, ignoreNull)
	}
	for i, f := range a.fields {
		g := b.fields[i]
		if f.Name != g.Name || !f.Type.equal(g.Type, ignoreNull) || !ignoreNull && f.Nullable != g.Nullable {
			return false
		}
	}
	return true
}

var kindNames = [...]string{
	NullKind: "void", BooleanKind: "boolean", ByteKind: "tinyint", ShortKind: "smallint", IntKind: "int", LongKind: "bigint",
	FloatKind: "float", DoubleKind: "double", DecimalKind: "decimal", StringKind: "string", BinaryKind: "binary", DateKind: "date",
	TimestampKind: "timestamp", TimestampNTZKind: "timestamp_ntz", TimeKind: "time", YearMonthKind: "interval", DayTimeKind: "interval",
	CalendarKind: "interval", ArrayKind: "array", MapKind: "map", StructKind: "struct", VariantKind: "variant",
}

// String is the catalog string, e.g. "array<struct<a:int,b:decimal(10,2)>>".
func (t Type) String() string { return t.render(false) }

// SQL is the DDL text in capitals, e.g. "ARRAY<STRUCT<a: INT NOT NULL>>".
func (t Type) SQL() string { return t.render(true) }

func (t Type) render(sql bool) string {
	name := kindNames[t.Kind]
	switch t.Kind {
	case DecimalKind:
		name += fmt.Sprintf("(%d,%d)", t.Precision, t.Scale)
	case TimeKind:
		name += fmt.Sprintf("(%d)", t.Precision)
	case StringKind:
		name = t.stringName()
	case YearMonthKind, DayTimeKind:
		name = t.intervalName()
	case ArrayKind:
		return cased("array", sql) + "<" + t.Elem().render(sql) + ">"
	case MapKind:
		sep := ","
		if sql {
			sep = ", "
		}
		return cased("map", sql) + "<" + t.Key().render(sql) + sep + t.Elem().render(sql) + ">"
	case StructKind:
		return t.structName(sql)
	}
	return cased(name, sql)
}

func cased(s string, upper bool) string {
	if upper {
		return strings.ToUpper(s)
	}
	return s
}

func (t Type) stringName() string {
	switch {
	case t.Char == 1:
		return "char(" + strconv.Itoa(int(t.Length)) + ")"
	case t.Char == 2:
		return "varchar(" + strconv.Itoa(int(t.Length)) + ")"
	case t.Collation != "":
		return "string collate " + t.Collation
	}
	return "string"
}

func (t Type) intervalName() string {
	names := []string{"day", "hour", "minute", "second"}
	if t.Kind == YearMonthKind {
		names = []string{"year", "month"}
	}
	if t.From == t.To {
		return "interval " + names[t.From]
	}
	return "interval " + names[t.From] + " to " + names[t.To]
}

func (t Type) structName(sql bool) string {
	parts := make([]string, len(t.Fields()))
	for i, f := range t.Fields() {
		if !sql {
			parts[i] = f.Name + ":" + f.Type.render(false)
			continue
		}
		parts[i] = QuoteIfNeeded(f.Name) + ": " + f.Type.render(true)
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	if sql {
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return "struct<" + strings.Join(parts, ",") + ">"
}

// QuoteIfNeeded puts an identifier in back-ticks unless it is a plain word.
func QuoteIfNeeded(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
			return Quote(name)
		}
	}
	if name == "" {
		return "``"
	}
	return name
}

// Quote puts an identifier in back-ticks.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// NewSchema makes a schema.
func NewSchema(fields ...Field) *Schema { return &Schema{Fields: fields} }

// Type is the struct type of the schema's columns.
func (s *Schema) Type() Type { return Struct(s.Fields...) }

// Names are the column names in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}
