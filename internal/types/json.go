package types

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// JSON is Spark's JSON form of a type, e.g. {"type":"array","elementType":"integer","containsNull":true}.
func (t Type) JSON() string {
	var b strings.Builder
	t.writeJSON(&b)
	return b.String()
}

func (t Type) writeJSON(b *strings.Builder) {
	switch t.Kind {
	case ArrayKind:
		b.WriteString(`{"type":"array","elementType":`)
		t.Elem().writeJSON(b)
		fmt.Fprintf(b, `,"containsNull":%t}`, t.ContainsNull())
	case MapKind:
		b.WriteString(`{"type":"map","keyType":`)
		t.Key().writeJSON(b)
		b.WriteString(`,"valueType":`)
		t.Elem().writeJSON(b)
		fmt.Fprintf(b, `,"valueContainsNull":%t}`, t.ContainsNull())
	case StructKind:
		b.WriteString(`{"type":"struct","fields":[`)
		for i, f := range t.Fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			f.writeJSON(b)
		}
		b.WriteString(`]}`)
	default:
		b.WriteString(quoteJSON(t.jsonName()))
	}
}

func (f Field) writeJSON(b *strings.Builder) {
	b.WriteString(`{"name":` + quoteJSON(f.Name) + `,"type":`)
	f.Type.writeJSON(b)
	meta := f.Metadata
	if meta == "" {
		meta = "{}"
	}
	fmt.Fprintf(b, `,"nullable":%t,"metadata":%s}`, f.Nullable, meta)
}

// quoteJSON writes a JSON string, leaving <, > and & as they are.
func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

var jsonNames = map[Kind]string{NullKind: "void", ByteKind: "byte", ShortKind: "short", IntKind: "integer", LongKind: "long"}

func (t Type) jsonName() string {
	if n, ok := jsonNames[t.Kind]; ok {
		return n
	}
	return t.String()
}

// ParseJSON reads Spark's JSON form of a type. User-defined types become the type they are stored as.
func ParseJSON(text string) (Type, error) { return parseJSON(json.RawMessage(text)) }

func parseJSON(raw json.RawMessage) (Type, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return parseName(name)
	}
	var o struct {
		Type                                     string
		ElementType, KeyType, ValueType, SQLType json.RawMessage
		ContainsNull, ValueContainsNull          bool
		Fields                                   []struct {
			Name     string
			Type     json.RawMessage
			Nullable bool
			Metadata json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return Type{}, fmt.Errorf("type in JSON: %w", err)
	}
	switch o.Type {
	case "array":
		e, err := parseJSON(o.ElementType)
		return Array(e, o.ContainsNull), err
	case "map":
		k, err := parseJSON(o.KeyType)
		if err != nil {
			return Type{}, err
		}
		v, err := parseJSON(o.ValueType)
		return Map(k, v, o.ValueContainsNull), err
	case "udt":
		return parseJSON(o.SQLType)
	case "struct":
		fields := make([]Field, len(o.Fields))
		for i, f := range o.Fields {
			t, err := parseJSON(f.Type)
			if err != nil {
				return Type{}, err
			}
			fields[i] = Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: string(f.Metadata)}
			if fields[i].Metadata == "{}" || fields[i].Metadata == "null" {
				fields[i].Metadata = ""
			}
		}
		return Struct(fields...), nil
	}
	return Type{}, fmt.Errorf("type in JSON: unknown type %q", o.Type)
}

var simpleNames = map[string]Type{
	"void": Null, "null": Null, "boolean": Boolean, "byte": Byte, "tinyint": Byte, "short": Short, "smallint": Short, "integer": Int, "int": Int,
	"long": Long, "bigint": Long, "float": Float, "double": Double, "decimal": Decimal(10, 0), "string": String, "binary": Binary, "date": Date,
	"timestamp": Timestamp, "timestamp_ltz": Timestamp, "timestamp_ntz": TimestampNTZ, "interval": Calendar, "variant": Variant,
}

var sizedName = regexp.MustCompile(`^(decimal|char|varchar|time)\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)$`)

func parseName(name string) (Type, error) {
	if t, ok := simpleNames[name]; ok {
		return t, nil
	}
	if m := sizedName.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2]) // digits; out of range gives a number that no check below lets pass
		scale, _ := strconv.Atoi(m[3])
		switch {
		case m[1] == "decimal" && n <= MaxPrecision && scale >= 0 && scale <= n:
			return Decimal(n, scale), nil
		case m[1] == "time" && n <= 6:
			return Type{Kind: TimeKind, Precision: uint8(n)}, nil
		case m[1] == "char":
			return Char(n), nil
		case m[1] == "varchar":
			return Varchar(n), nil
		}
	}
	if t, ok := parseInterval(name); ok {
		return t, nil
	}
	if c, ok := strings.CutPrefix(name, "string collate "); ok {
		t := String
		t.Collation = c
		return t, nil
	}
	return Type{}, fmt.Errorf("type in JSON: unknown type %q", name)
}

// parseInterval reads "interval day to second" and the like.
func parseInterval(name string) (Type, bool) {
	rest, ok := strings.CutPrefix(name, "interval ")
	if !ok {
		return Type{}, false
	}
	from, to, two := strings.Cut(rest, " to ")
	if !two {
		to = from
	}
	for _, k := range []struct {
		kind   Kind
		fields []string
	}{{YearMonthKind, []string{"year", "month"}}, {DayTimeKind, []string{"day", "hour", "minute", "second"}}} {
		t := Type{Kind: k.kind, From: 255, To: 255}
		for i, f := range k.fields {
			if f == from {
				t.From = uint8(i)
			}
			if f == to {
				t.To = uint8(i)
			}
		}
		if t.From <= t.To && t.To != 255 {
			return t, true
		}
	}
	return Type{}, false
}
