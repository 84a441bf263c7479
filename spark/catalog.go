package spark

import (
	"context"

	"github.com/firesteel/firesteel/internal/logical"
)

// Catalog asks and changes what the session knows by name.
type Catalog struct{ s *Session }

// Catalog is the session's catalog.
func (s *Session) Catalog() Catalog { return Catalog{s} }

func (c Catalog) call(ctx context.Context, p *logical.CatalogCall) ([]Row, error) {
	d, err := c.s.do(ctx, p)
	if err != nil {
		return nil, err
	}
	return d.Collect(ctx)
}

func one[T any](rows []Row, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(rows) == 0 {
		return zero, ErrEmpty
	}
	v, _ := rows[0].Get(0).(T)
	return v, nil
}

// CurrentDatabase is the database in which names without one are looked up.
func (c Catalog) CurrentDatabase(ctx context.Context) (string, error) {
	return one[string](c.call(ctx, &logical.CatalogCall{Op: logical.OpCurrentDatabase}))
}

// SetCurrentDatabase changes it.
func (c Catalog) SetCurrentDatabase(ctx context.Context, name string) error {
	_, err := c.s.SQL(ctx, "USE "+name)
	return err
}

// ListDatabases, ListTables, ListColumns and ListFunctions give a row for each, as Spark's Catalog does.
func (c Catalog) ListDatabases(ctx context.Context) ([]Row, error) {
	return c.call(ctx, &logical.CatalogCall{Op: logical.OpListDatabases})
}

// ListTables lists the tables and views of a database ("": the current one) and the temporary views.
func (c Catalog) ListTables(ctx context.Context, database string) ([]Row, error) {
	return c.call(ctx, &logical.CatalogCall{Op: logical.OpListTables, Name: database})
}

// ListColumns lists the columns of a table or view.
func (c Catalog) ListColumns(ctx context.Context, table string) ([]Row, error) {
	return c.call(ctx, &logical.CatalogCall{Op: logical.OpListColumns, Name: table})
}

// ListFunctions lists the functions.
func (c Catalog) ListFunctions(ctx context.Context) ([]Row, error) {
	return c.call(ctx, &logical.CatalogCall{Op: logical.OpListFunctions})
}

// TableExists says whether there is a table or view of a name.
func (c Catalog) TableExists(ctx context.Context, name string) (bool, error) {
	return one[bool](c.call(ctx, &logical.CatalogCall{Op: logical.OpTableExists, Name: name}))
}

// DatabaseExists says whether there is a database of a name.
func (c Catalog) DatabaseExists(ctx context.Context, name string) (bool, error) {
	return one[bool](c.call(ctx, &logical.CatalogCall{Op: logical.OpDatabaseExists, Name: name}))
}

// FunctionExists says whether there is a function of a name.
func (c Catalog) FunctionExists(ctx context.Context, name string) (bool, error) {
	return one[bool](c.call(ctx, &logical.CatalogCall{Op: logical.OpFunctionExists, Name: name}))
}

// DropTempView forgets a temporary view and says whether there was one.
func (c Catalog) DropTempView(ctx context.Context, name string) (bool, error) {
	return one[bool](c.call(ctx, &logical.CatalogCall{Op: logical.OpDropTempView, Name: name}))
}

// CacheTable keeps a table's rows; UncacheTable forgets them, ClearCache all.
func (c Catalog) CacheTable(ctx context.Context, name string) error {
	_, err := c.s.SQL(ctx, "CACHE LAZY TABLE "+name)
	return err
}

// UncacheTable forgets the kept rows of a table.
func (c Catalog) UncacheTable(ctx context.Context, name string) error {
	_, err := c.s.SQL(ctx, "UNCACHE TABLE "+name)
	return err
}

// ClearCache forgets all kept rows.
func (c Catalog) ClearCache(ctx context.Context) error {
	_, err := c.s.SQL(ctx, "CLEAR CACHE")
	return err
}

// IsCached says whether a table's rows are kept.
func (c Catalog) IsCached(ctx context.Context, name string) (bool, error) {
	return one[bool](c.call(ctx, &logical.CatalogCall{Op: logical.OpIsCached, Name: name}))
}

// RefreshTable forgets what is known of a table's files.
func (c Catalog) RefreshTable(ctx context.Context, name string) error {
	_, err := c.s.SQL(ctx, "REFRESH TABLE "+name)
	return err
}
