package spark

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/types"
)

// Row is one row of a frame: values by position, and by name as far as its schema has names.
type Row struct {
	schema *types.Schema
	values []any
}

// NewRow makes a row of values; columns are named _1, _2, ….
func NewRow(values ...any) Row {
	s := &types.Schema{}
	for i := range values {
		s.Fields = append(s.Fields, types.Field{Name: fmt.Sprintf("_%d", i+1), Nullable: true})
	}
	return Row{schema: s, values: values}
}

// Len is the number of columns.
func (r Row) Len() int { return len(r.values) }

// Schema are the columns.
func (r Row) Schema() *StructType { return r.schema }

// Get is the value of a column, nil for null; see the table of Go values at Lit.
func (r Row) Get(i int) any { return r.values[i] }

// Values are all values; do not change them.
func (r Row) Values() []any { return r.values }

// IsNull says whether a column is null.
func (r Row) IsNull(i int) bool { return r.values[i] == nil }

// Lookup is the value of the column of a name; ok is false where there is none.
func (r Row) Lookup(name string) (v any, ok bool) {
	for i, f := range r.schema.Fields {
		if strings.EqualFold(f.Name, name) {
			return r.values[i], true
		}
	}
	return nil, false
}

// Get is the value of the column of a name as a T. It is an error when there is no such column, or it is null or of
// another type.
func Get[T any](r Row, name string) (T, error) {
	v, ok := r.Lookup(name)
	if !ok {
		var zero T
		return zero, fmt.Errorf("spark: the row has no column %q, but %s", name, strings.Join(r.schema.Names(), ", "))
	}
	t, ok := v.(T)
	if !ok {
		return t, fmt.Errorf("spark: column %q holds a %T, not a %T", name, v, t)
	}
	return t, nil
}

// String is the row as [a,b,c].
func (r Row) String() string {
	parts := make([]string, len(r.values))
	for i, v := range r.values {
		parts[i] = text(v)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func text(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case float64, float32:
		return (&show.Format{}).Value(x, types.Null)
	}
	return fmt.Sprint(v)
}
