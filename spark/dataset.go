package spark

import (
	"context"
	"iter"
	"reflect"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Dataset is a frame whose rows are values of T: a struct whose fields are the columns (see As), or a value with a Spark
// type, which is the column value. What it computes, it computes as a DataFrame does; Go functions of records are for RDDs.
type Dataset[T any] struct {
	d *DataFrame
}

// CreateDataset makes a dataset of Go values.
func CreateDataset[T any](s *Session, data []T) *Dataset[T] {
	return &Dataset[T]{s.CreateDataFrame(data)}
}

// As reads the rows of a frame as values of T. Each exported field of a struct takes the column of its name: the one in the
// tag spark:"name", else the field's with a small first letter; spark:"-" leaves a field out, other columns of the frame are
// not read. A column's type must be the field's or one that fits without loss, and columns with nulls need pointers.
func As[T any](d *DataFrame) *Dataset[T] {
	if d.err != nil {
		return &Dataset[T]{d}
	}
	enc, err := encoderFor(reflect.TypeFor[T]())
	if err != nil {
		return &Dataset[T]{d.s.failed(err)}
	}
	have, err := d.Schema()
	if err != nil {
		return &Dataset[T]{d.s.failed(err)}
	}
	if enc.t.Kind != types.StructKind && len(have.Fields) == 1 {
		d, have = d.ToDF("value"), types.NewSchema(types.Field{Name: "value", Type: have.Fields[0].Type})
	}
	want := enc.schema()
	cols := make([]Column, len(want.Fields))
	for i, f := range want.Fields {
		if cols[i], err = fieldColumn(d, have, f); err != nil {
			return &Dataset[T]{d.s.failed(err)}
		}
	}
	return &Dataset[T]{d.Select(cols...)}
}

// fieldColumn is the column of a frame that a field takes, in the field's type.
func fieldColumn(d *DataFrame, have *types.Schema, f types.Field) (Column, error) {
	c := d.Col("`" + strings.ReplaceAll(f.Name, "`", "``") + "`")
	for _, h := range have.Fields {
		if !strings.EqualFold(h.Name, f.Name) || h.Type.SameType(f.Type) {
			continue
		}
		if !types.CanUpCast(h.Type, f.Type) {
			return c, sparkerr.New("CANNOT_UP_CAST_DATATYPE", "expression", h.Name, "sourceType", `"`+h.Type.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`,
				"details", "A field of a Go type takes the column. Cast the column, or choose a wider type for the field.")
		}
		c = c.Cast(f.Type)
	}
	return c.As(f.Name), nil
}

// DataFrame is the dataset without its type.
func (s *Dataset[T]) DataFrame() *DataFrame { return s.d }

// ToDF is DataFrame.
func (s *Dataset[T]) ToDF() *DataFrame { return s.d }

// Err is the first error that the dataset carries.
func (s *Dataset[T]) Err() error { return s.d.err }

// Col is a column of the dataset.
func (s *Dataset[T]) Col(name string) Column { return s.d.Col(name) }

// Schema are the columns.
func (s *Dataset[T]) Schema() (*StructType, error) { return s.d.Schema() }

// Filter keeps the rows for which a condition holds.
func (s *Dataset[T]) Filter(cond Column) *Dataset[T] { return &Dataset[T]{s.d.Filter(cond)} }

// Where is Filter with a condition in SQL.
func (s *Dataset[T]) Where(cond string) *Dataset[T] { return &Dataset[T]{s.d.Where(cond)} }

// OrderBy sorts all rows.
func (s *Dataset[T]) OrderBy(cols ...Column) *Dataset[T] { return &Dataset[T]{s.d.OrderBy(cols...)} }

// Limit keeps at most n rows.
func (s *Dataset[T]) Limit(n int) *Dataset[T] { return &Dataset[T]{s.d.Limit(n)} }

// Distinct keeps one of equal rows.
func (s *Dataset[T]) Distinct() *Dataset[T] { return &Dataset[T]{s.d.Distinct()} }

// Union adds the rows of another dataset.
func (s *Dataset[T]) Union(o *Dataset[T]) *Dataset[T] { return &Dataset[T]{s.d.Union(o.d)} }

// Intersect keeps the distinct rows that both have.
func (s *Dataset[T]) Intersect(o *Dataset[T]) *Dataset[T] { return &Dataset[T]{s.d.Intersect(o.d)} }

// Except keeps the distinct rows that the other has not.
func (s *Dataset[T]) Except(o *Dataset[T]) *Dataset[T] { return &Dataset[T]{s.d.Except(o.d)} }

// Repartition spreads the rows over n partitions, by columns if some are given.
func (s *Dataset[T]) Repartition(n int, by ...Column) *Dataset[T] {
	return &Dataset[T]{s.d.Repartition(n, by...)}
}

// Sample keeps a fraction of the rows, by chance.
func (s *Dataset[T]) Sample(withReplacement bool, fraction float64, seed int64) *Dataset[T] {
	return &Dataset[T]{s.d.Sample(withReplacement, fraction, seed)}
}

// Cache keeps the rows when they are first computed.
func (s *Dataset[T]) Cache() *Dataset[T] { return &Dataset[T]{s.d.Cache()} }

// Persist is Cache at a storage level.
func (s *Dataset[T]) Persist(level StorageLevel) *Dataset[T] { return &Dataset[T]{s.d.Persist(level)} }

// Unpersist forgets the kept rows.
func (s *Dataset[T]) Unpersist() error { return s.d.Unpersist() }

// GroupBy begins an aggregation, whose result is a frame; As gives it a type.
func (s *Dataset[T]) GroupBy(cols ...Column) *GroupedData { return s.d.GroupBy(cols...) }

// Select computes columns, which are a frame; As gives it a type.
func (s *Dataset[T]) Select(cols ...Column) *DataFrame { return s.d.Select(cols...) }

// Write begins to write the rows.
func (s *Dataset[T]) Write() *DataFrameWriter { return s.d.Write() }

// Count is the number of rows.
func (s *Dataset[T]) Count(ctx context.Context) (int64, error) { return s.d.Count(ctx) }

// Show prints the first n rows as a table.
func (s *Dataset[T]) Show(ctx context.Context, n int) error { return s.d.Show(ctx, n) }

// All gives the values one after the other while the query runs; it ends with an error if the query does.
func (s *Dataset[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		enough := false
		err := s.each(ctx, func(v T) error {
			if !yield(v, nil) {
				enough = true
				return errEnough
			}
			return nil
		})
		if err != nil && !enough {
			yield(zero, err)
		}
	}
}

// each decodes the rows.
func (s *Dataset[T]) each(ctx context.Context, f func(v T) error) error {
	enc, err := encoderFor(reflect.TypeFor[T]())
	if err = firstError(s.d.err, err); err != nil {
		return err
	}
	return s.d.run(ctx, func(_ *types.Schema, b *columnar.Batch) error {
		row := make([]any, len(b.Cols))
		for i := range b.N {
			for c := range b.Cols {
				row[c] = b.Cols[c].ValueAt(i)
			}
			var v T
			var from any = row
			if enc.t.Kind != types.StructKind {
				from = row[0]
			}
			if err := enc.fromGo(reflect.ValueOf(&v).Elem(), from); err != nil {
				return err
			}
			if err := f(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// Collect gives all values.
func (s *Dataset[T]) Collect(ctx context.Context) ([]T, error) {
	var out []T
	err := s.each(ctx, func(v T) error { out = append(out, v); return nil })
	return out, err
}

// Take gives the first n values.
func (s *Dataset[T]) Take(ctx context.Context, n int) ([]T, error) { return s.Limit(n).Collect(ctx) }

// First is the first value; ErrEmpty if there is none.
func (s *Dataset[T]) First(ctx context.Context) (T, error) {
	var zero T
	list, err := s.Take(ctx, 1)
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, ErrEmpty
	}
	return list[0], nil
}
