package lower

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// jsonType is an object form of a type in Spark's schema JSON.
type jsonType struct {
	Type         string          `json:"type"`
	Fields       []jsonField     `json:"fields"`
	ElementType  json.RawMessage `json:"elementType"`
	ContainsNull bool            `json:"containsNull"`
	KeyType      json.RawMessage `json:"keyType"`
	ValueType    json.RawMessage `json:"valueType"`
	ValueNull    bool            `json:"valueContainsNull"`
	SQLType      json.RawMessage `json:"sqlType"`
}

type jsonField struct {
	Name     string          `json:"name"`
	Type     json.RawMessage `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata"`
}

// TypeFromJSON reads a type in Spark's schema JSON.
func TypeFromJSON(text []byte) (types.Type, error) {
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '"' {
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return types.Null, badJSON(string(text))
		}
		return namedType(name)
	}
	var j jsonType
	if err := json.Unmarshal(text, &j); err != nil {
		return types.Null, badJSON(string(text))
	}
	switch j.Type {
	case "struct":
		return j.structType()
	case "array":
		elem, err := TypeFromJSON(j.ElementType)
		return types.Array(elem, j.ContainsNull), err
	case "map":
		key, err := TypeFromJSON(j.KeyType)
		if err != nil {
			return types.Null, err
		}
		value, err := TypeFromJSON(j.ValueType)
		return types.Map(key, value, j.ValueNull), err
	case "udt":
		return TypeFromJSON(j.SQLType)
	}
	return types.Null, badJSON(string(text))
}

func badJSON(text string) error {
	return sparkerr.New("INVALID_JSON_DATA_TYPE", "invalidType", text)
}

func (j *jsonType) structType() (types.Type, error) {
	fields := make([]types.Field, len(j.Fields))
	for i, f := range j.Fields {
		t, err := TypeFromJSON(f.Type)
		if err != nil {
			return types.Null, err
		}
		fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: metadata(string(f.Metadata))}
	}
	return types.Struct(fields...), nil
}

var simpleTypes = map[string]types.Type{
	"void": types.Null, "null": types.Null, "boolean": types.Boolean, "byte": types.Byte, "short": types.Short, "integer": types.Int,
	"long": types.Long, "float": types.Float, "double": types.Double, "string": types.String, "binary": types.Binary, "date": types.Date,
	"timestamp": types.Timestamp, "timestamp_ltz": types.Timestamp, "timestamp_ntz": types.TimestampNTZ, "decimal": types.Decimal(10, 0),
	"interval": types.Calendar, "variant": types.Variant, "time": types.Time,
}

var (
	decimalName  = regexp.MustCompile(`^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$`)
	lengthName   = regexp.MustCompile(`^(char|varchar|time)\(\s*(\d+)\s*\)$`)
	intervalName = regexp.MustCompile(`^interval (\w+)(?: to (\w+))?$`)
	fieldNumbers = map[string]uint8{"year": types.Year, "month": types.Month, "day": types.Day, "hour": types.Hour, "minute": types.Minute,
		"second": types.Second}
)

// namedType reads the types that are a text in schema JSON.
func namedType(name string) (types.Type, error) {
	if t, ok := simpleTypes[name]; ok {
		return t, nil
	}
	if m := decimalName.FindStringSubmatch(name); m != nil {
		p, _ := strconv.Atoi(m[1])
		s, _ := strconv.Atoi(m[2])
		if p >= 1 && p <= types.MaxPrecision && s >= 0 && s <= p {
			return types.Decimal(p, s), nil
		}
		return types.Null, badJSON(name)
	}
	if m := lengthName.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2])
		switch m[1] {
		case "char":
			return types.Char(n), nil
		case "varchar":
			return types.Varchar(n), nil
		}
		return types.Type{Kind: types.TimeKind, Precision: uint8(n)}, nil
	}
	if m := intervalName.FindStringSubmatch(name); m != nil {
		return namedInterval(m[1], m[2])
	}
	return types.Null, badJSON(name)
}

func namedInterval(from, to string) (types.Type, error) {
	if to == "" {
		to = from
	}
	a, okA := fieldNumbers[from]
	b, okB := fieldNumbers[to]
	kind := types.DayTimeKind
	if from == "year" || from == "month" {
		kind = types.YearMonthKind
	}
	sameKind := (to == "year" || to == "month") == (kind == types.YearMonthKind)
	if !okA || !okB || a > b || !sameKind {
		return types.Null, badJSON("interval " + from + " to " + to)
	}
	return types.Type{Kind: kind, From: a, To: b}, nil
}

// TypeToJSON writes a type as Spark's schema JSON.
func TypeToJSON(t types.Type) string {
	var b strings.Builder
	writeJSON(&b, t)
	return b.String()
}

func writeJSON(b *strings.Builder, t types.Type) {
	switch t.Kind {
	case types.StructKind:
		b.WriteString(`{"type":"struct","fields":[`)
		for i, f := range t.Fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`{"name":` + quoteJSON(f.Name) + `,"type":`)
			writeJSON(b, f.Type)
			b.WriteString(`,"nullable":` + strconv.FormatBool(f.Nullable) + `,"metadata":`)
			if f.Metadata == "" {
				b.WriteString("{}")
			} else {
				b.WriteString(f.Metadata)
			}
			b.WriteByte('}')
		}
		b.WriteString("]}")
	case types.ArrayKind:
		b.WriteString(`{"type":"array","elementType":`)
		writeJSON(b, t.Elem())
		b.WriteString(`,"containsNull":` + strconv.FormatBool(t.ContainsNull()) + "}")
	case types.MapKind:
		b.WriteString(`{"type":"map","keyType":`)
		writeJSON(b, t.Key())
		b.WriteString(`,"valueType":`)
		writeJSON(b, t.Elem())
		b.WriteString(`,"valueContainsNull":` + strconv.FormatBool(t.ContainsNull()) + "}")
	default:
		b.WriteString(quoteJSON(jsonName(t)))
	}
}

// jsonName is the name of a type that is not nested; it differs from the SQL name for the integers.
func jsonName(t types.Type) string {
	switch t.Kind {
	case types.ByteKind:
		return "byte"
	case types.ShortKind:
		return "short"
	case types.IntKind:
		return "integer"
	case types.LongKind:
		return "long"
	}
	return t.String()
}

func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // text cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// Tree is the schema as printSchema shows it; level bounds the depth, 0 is none.
func Tree(s *types.Schema, level int) string { return show.Tree(s, level) }

// DDL is a schema as column definitions.
func DDL(s *types.Schema) string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = types.QuoteIfNeeded(f.Name) + " " + f.Type.SQL()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
		var m struct{ Comment string }
		if json.Unmarshal([]byte(f.Metadata), &m) == nil && m.Comment != "" {
			parts[i] += " COMMENT '" + strings.ReplaceAll(m.Comment, "'", `\'`) + "'"
		}
	}
	return strings.Join(parts, ",")
}
