package metastore

import (
	"encoding/json"
	"fmt"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/types"
)

// tableFile is a table as it is kept: types as Spark's JSON.
type tableFile struct {
	catalog.Table
	Schema   json.RawMessage
	Stats    *statsFile
	Relation *struct{} `json:",omitempty"`
}

// statsFile keeps the figures of columns; least and greatest values as text that their type reads back.
type statsFile struct {
	Rows, Bytes int64
	Columns     map[string]columnFile
}

type columnFile struct {
	Distinct, Nulls int64
	AvgLen          float64
	Min, Max        json.RawMessage `json:",omitempty"`
}

func schemaJSON(s *types.Schema) json.RawMessage {
	if s == nil {
		return nil
	}
	return json.RawMessage(s.Type().JSON())
}

func readSchema(raw json.RawMessage) (*types.Schema, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	t, err := types.ParseJSON(string(raw))
	if err != nil {
		return nil, err
	}
	if t.Kind != types.StructKind {
		return nil, fmt.Errorf("schema is %s", t)
	}
	return types.NewSchema(t.Fields()...), nil
}

func encodeTable(t *catalog.Table) ([]byte, error) {
	f := tableFile{Table: *t, Schema: schemaJSON(t.Schema)}
	f.Table.Relation, f.Table.Schema, f.Table.Stats = nil, nil, nil
	if t.Stats != nil {
		f.Stats = &statsFile{Rows: t.Stats.Rows, Bytes: t.Stats.Bytes, Columns: map[string]columnFile{}}
		for name, c := range t.Stats.Columns {
			x := columnFile{Distinct: c.Distinct, Nulls: c.Nulls, AvgLen: c.AvgLen}
			var err error
			if x.Min, err = encodeValue(c.Min); err != nil {
				return nil, err
			}
			if x.Max, err = encodeValue(c.Max); err != nil {
				return nil, err
			}
			f.Stats.Columns[name] = x
		}
	}
	return json.Marshal(f)
}

func decodeTable(b []byte) (*catalog.Table, error) {
	var f tableFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	t := f.Table
	var err error
	if t.Schema, err = readSchema(f.Schema); err != nil {
		return nil, err
	}
	if f.Stats == nil {
		return &t, nil
	}
	t.Stats = &catalog.Stats{Rows: f.Stats.Rows, Bytes: f.Stats.Bytes, Columns: map[string]catalog.ColumnStats{}}
	for name, c := range f.Stats.Columns {
		x := catalog.ColumnStats{Distinct: c.Distinct, Nulls: c.Nulls, AvgLen: c.AvgLen}
		for _, field := range t.Schema.Fields {
			if field.Name != name {
				continue
			}
			if x.Min, err = decodeValue(c.Min, field.Type); err != nil {
				return nil, err
			}
			if x.Max, err = decodeValue(c.Max, field.Type); err != nil {
				return nil, err
			}
		}
		t.Stats.Columns[name] = x
	}
	return &t, nil
}

func encodeValue(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// decodeValue reads a value as the Go type that values of t have.
func decodeValue(raw json.RawMessage, t types.Type) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	switch t.Kind {
	case types.BooleanKind:
		return as[bool](raw)
	case types.ByteKind:
		return as[int8](raw)
	case types.ShortKind:
		return as[int16](raw)
	case types.IntKind, types.DateKind, types.YearMonthKind:
		return as[int32](raw)
	case types.LongKind, types.TimestampKind, types.TimestampNTZKind, types.TimeKind, types.DayTimeKind:
		return as[int64](raw)
	case types.FloatKind:
		return as[float32](raw)
	case types.DoubleKind:
		return as[float64](raw)
	case types.DecimalKind:
		return as[types.Int128](raw)
	case types.StringKind:
		return as[string](raw)
	}
	return nil, nil
}

func as[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

// functionFile is a function as it is kept.
type functionFile struct {
	catalog.Function
	Params  []paramFile
	Returns string
	Table   json.RawMessage
}

type paramFile struct{ Name, Type, Default, Comment string }

func encodeFunction(fn *catalog.Function) ([]byte, error) {
	f := functionFile{Function: *fn, Returns: fn.Returns.JSON(), Table: schemaJSON(fn.Table)}
	f.Function.Params, f.Function.Table, f.Function.Impl = nil, nil, nil
	for _, p := range fn.Params {
		f.Params = append(f.Params, paramFile{p.Name, p.Type.JSON(), p.Default, p.Comment})
	}
	return json.Marshal(f)
}

func decodeFunction(b []byte) (*catalog.Function, error) {
	var f functionFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	fn := f.Function
	var err error
	if fn.Returns, err = types.ParseJSON(f.Returns); err != nil {
		return nil, err
	}
	if fn.Table, err = readSchema(f.Table); err != nil {
		return nil, err
	}
	for _, p := range f.Params {
		t, err := types.ParseJSON(p.Type)
		if err != nil {
			return nil, err
		}
		fn.Params = append(fn.Params, catalog.Param{Name: p.Name, Type: t, Default: p.Default, Comment: p.Comment})
	}
	return &fn, nil
}
