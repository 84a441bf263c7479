package source

import (
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// mergeSchemas unites two schemas: columns of the second that the first lacks are added behind.
func mergeSchemas(a, b *types.Schema, caseSensitive bool) (*types.Schema, error) {
	fields, err := mergeFields(a.Fields, b.Fields, caseSensitive)
	if err != nil {
		return nil, sparkerr.New("CANNOT_MERGE_SCHEMAS", "left", `"`+a.Type().SQL()+`"`, "right", `"`+b.Type().SQL()+`"`).WithCause(err)
	}
	return types.NewSchema(fields...), nil
}

func mergeFields(a, b []types.Field, caseSensitive bool) ([]types.Field, error) {
	out := append([]types.Field(nil), a...)
	for _, g := range b {
		f := findField(types.NewSchema(out[:len(a)]...), g.Name, caseSensitive)
		if f == nil {
			g.Nullable = true
			out = append(out, g)
			continue
		}
		t, err := mergeTypes(f.Type, g.Type, caseSensitive)
		if err != nil {
			return nil, err
		}
		f.Type, f.Nullable = t, f.Nullable || g.Nullable
	}
	return out, nil
}

// mergeTypes: only nested types merge; decimals of one scale take the wider precision.
func mergeTypes(a, b types.Type, cs bool) (types.Type, error) {
	switch {
	case a.SameType(b):
		return a, nil
	case a.Kind == types.ArrayKind && b.Kind == a.Kind:
		e, err := mergeTypes(a.Elem(), b.Elem(), cs)
		return types.Array(e, a.ContainsNull() || b.ContainsNull()), err
	case a.Kind == types.MapKind && b.Kind == a.Kind:
		k, err := mergeTypes(a.Key(), b.Key(), cs)
		if err != nil {
			return a, err
		}
		v, err := mergeTypes(a.Elem(), b.Elem(), cs)
		return types.Map(k, v, a.ContainsNull() || b.ContainsNull()), err
	case a.Kind == types.StructKind && b.Kind == a.Kind:
		fields, err := mergeFields(a.Fields(), b.Fields(), cs)
		return types.Struct(fields...), err
	case a.Kind == types.DecimalKind && b.Kind == a.Kind && a.Scale == b.Scale:
		return types.Decimal(int(max(a.Precision, b.Precision)), int(a.Scale)), nil
	case a.Kind == types.NullKind:
		return b, nil
	case b.Kind == types.NullKind:
		return a, nil
	}
	return a, sparkerr.New("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "left", `"`+a.SQL()+`"`, "right", `"`+b.SQL()+`"`)
}
