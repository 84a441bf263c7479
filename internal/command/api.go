package command

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
)

func itoa(n int) string { return strconv.Itoa(n) }

// catalogCall answers the Catalog API.
func (r *runner) catalogCall(x *logical.CatalogCall) (*Result, error) {
	rows, err := r.callRows(x)
	if err != nil {
		return nil, err
	}
	return &Result{Schema: x.ResultSchema(), Rows: rows}, nil
}

func (r *runner) callRows(x *logical.CatalogCall) ([][]any, error) {
	cat, db := r.cat.Current()
	one := func(v any) [][]any { return [][]any{{v}} }
	name, err := callName(x)
	if err != nil {
		return nil, err
	}
	switch x.Op {
	case logical.OpCurrentDatabase:
		return one(db), nil
	case logical.OpCurrentCatalog:
		return one(cat), nil
	case logical.OpListCatalogs:
		var rows [][]any
		for _, c := range r.cat.Catalogs() {
			if fits(x.Pattern, c) {
				rows = append(rows, []any{c, nil})
			}
		}
		return rows, nil
	case logical.OpListDatabases, logical.OpGetDatabase, logical.OpDatabaseExists:
		return r.callDatabases(x, name)
	case logical.OpListTables, logical.OpListViews:
		return r.callTables(x)
	case logical.OpGetTable:
		row, err := r.tableRow(name)
		return [][]any{row}, err
	case logical.OpTableExists:
		v, t, err := r.cat.Relation(name, nil)
		return one(v != nil || t != nil), err
	case logical.OpListColumns:
		return r.callColumns(name)
	case logical.OpListFunctions, logical.OpGetFunction, logical.OpFunctionExists:
		return r.callFunctions(x, name)
	case logical.OpDropTempView:
		r.uncacheView(name)
		return one(r.cat.DropTempView(name[len(name)-1:])), nil
	case logical.OpDropGlobalTempView:
		full := []string{catalog.GlobalTemp, name[len(name)-1]}
		r.uncacheView(full)
		return one(r.cat.DropTempView(full)), nil
	case logical.OpIsCached:
		p, err := r.relation(name, nil)
		if err != nil {
			return nil, err
		}
		return one(r.IsCached(p)), nil
	}
	return r.callStatement(x, name)
}

// callStatement answers the operations that are SQL statements in other words.
func (r *runner) callStatement(x *logical.CatalogCall, name []string) ([][]any, error) {
	var c logical.Command
	switch x.Op {
	case logical.OpListPartitions:
		c = &logical.ShowPartitions{Target: logical.Target{Name: name}}
	case logical.OpGetTableProperties:
		c = &logical.ShowProperties{Target: logical.Target{Name: name}}
	case logical.OpGetCreateTableString:
		c = &logical.ShowCreateTable{Target: logical.Target{Name: name}, AsSerde: x.AsSerde}
	default:
		return nil, sparkerr.Unsupported("catalog operation " + string(x.Op))
	}
	out, err := Run(r.ctx, r.Env, c)
	if err != nil {
		return nil, err
	}
	return out.Rows, nil
}

func (r *runner) uncacheView(name []string) {
	if r.cat.TempView(name) != nil {
		r.uncacheName(name)
	}
}

// callName splits the name that an operation is given.
func callName(x *logical.CatalogCall) ([]string, error) {
	if x.Name == "" {
		return nil, nil
	}
	if x.DB != "" {
		return []string{x.DB, x.Name}, nil
	}
	return sqlparser.ParseIdentifier(x.Name)
}

func fits(pattern, name string) bool { return pattern == "" || catalog.MatchPattern(pattern, name) }

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (r *runner) callDatabases(x *logical.CatalogCall, name []string) ([][]any, error) {
	cat, _ := r.cat.Current()
	row := func(d *catalog.Database) []any { return []any{d.Name, cat, orNil(d.Comment), orNil(d.Location)} }
	if x.Op == logical.OpListDatabases {
		names, err := r.cat.Databases(cat)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, n := range names {
			if !fits(x.Pattern, n) {
				continue
			}
			d, err := r.cat.Database(cat, n)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row(d))
		}
		return rows, nil
	}
	c, db, err := r.cat.Namespace(name)
	var d *catalog.Database
	if err == nil {
		d, err = r.cat.Database(c, db)
	}
	if x.Op == logical.OpDatabaseExists {
		if sparkerr.Is(err, "SCHEMA_NOT_FOUND") {
			return [][]any{{false}}, nil
		}
		return [][]any{{d != nil}}, err
	}
	if err != nil {
		return nil, err
	}
	cat = c
	return [][]any{row(d)}, nil
}

func (r *runner) callTables(x *logical.CatalogCall) ([][]any, error) {
	var in []string
	if x.Name != "" {
		parts, err := sqlparser.ParseIdentifier(x.Name)
		if err != nil {
			return nil, err
		}
		in = parts
	} else if x.DB != "" {
		in = []string{x.DB}
	}
	var pattern *string
	if x.Pattern != "" {
		pattern = &x.Pattern
	}
	list, err := r.list(logical.Target{Name: in}, pattern)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, l := range list {
		if x.Op == logical.OpListViews && l.table != nil && l.table.Kind != "VIEW" {
			continue
		}
		rows = append(rows, r.listedRow(l))
	}
	return rows, nil
}

func (r *runner) listedRow(l listed) []any {
	if l.view != nil {
		var ns any
		if l.db != "" {
			ns = []any{l.db}
		} else {
			ns = []any{}
		}
		return []any{l.name, nil, ns, orNil(l.view.Comment), "TEMPORARY", true}
	}
	return []any{l.name, l.table.Name[0], []any{l.table.Name[1]}, orNil(l.table.Comment), l.table.Kind, false}
}

func (r *runner) tableRow(name []string) ([]any, error) {
	_, t, v, err := r.byName(name, nil)
	if err != nil {
		return nil, err
	}
	l := listed{table: t, view: v}
	if v != nil {
		l.name = v.Name[len(v.Name)-1]
		if len(v.Name) == 2 {
			l.db = v.Name[0]
		}
	} else {
		l.name = t.Name[2]
	}
	return r.listedRow(l), nil
}

func (r *runner) callColumns(name []string) ([][]any, error) {
	_, t, v, err := r.byName(name, nil)
	if err != nil {
		return nil, err
	}
	s, err := r.schemaOf(t, v)
	if err != nil {
		return nil, err
	}
	in := func(list []string, n string) bool {
		for _, x := range list {
			if strings.EqualFold(x, n) {
				return true
			}
		}
		return false
	}
	var partition, bucket []string
	if t != nil {
		partition, bucket = t.Partition, t.BucketBy
	}
	var rows [][]any
	for _, f := range s.Fields {
		rows = append(rows, []any{f.Name, comment(f), f.Type.String(), f.Nullable, in(partition, f.Name), in(bucket, f.Name), false})
	}
	return rows, nil
}

func (r *runner) callFunctions(x *logical.CatalogCall, name []string) ([][]any, error) {
	userRow := func(f *catalog.Function) []any {
		var cat any
		ns := any([]any{})
		if len(f.Name) == 3 {
			cat, ns = f.Name[0], []any{f.Name[1]}
		}
		return []any{f.Name[len(f.Name)-1], cat, ns, orNil(f.Comment), orNil(f.Class), f.Temporary()}
	}
	if x.Op != logical.OpListFunctions {
		f, err := r.cat.Function(name, nil)
		if err != nil {
			return nil, err
		}
		row, ok := function.Lookup(name[len(name)-1])
		ok = ok && !row.Internal && len(name) == 1
		switch {
		case x.Op == logical.OpFunctionExists:
			return [][]any{{f != nil || ok}}, nil
		case f != nil:
			return [][]any{userRow(f)}, nil
		case ok:
			return [][]any{builtinRow(row, name[0])}, nil
		}
		return nil, sparkerr.New("UNRESOLVED_ROUTINE", "routineName", quoteAll(name), "searchPath", r.searchPath())
	}
	cat, db, err := r.cat.Namespace(nil)
	if err == nil && x.Name != "" {
		cat, db, err = r.cat.Namespace(name)
	}
	if err != nil {
		return nil, err
	}
	list, err := r.cat.Functions(cat, db)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, row := range function.Rows() {
		for _, n := range append([]string{row.Name}, row.Aliases...) {
			if !row.Internal && fits(x.Pattern, n) {
				rows = append(rows, builtinRow(row, n))
			}
		}
	}
	for _, f := range list {
		if fits(x.Pattern, f.Name[len(f.Name)-1]) {
			rows = append(rows, userRow(f))
		}
	}
	return rows, nil
}

func builtinRow(row *function.Row, name string) []any {
	return []any{strings.ToLower(name), nil, []any{}, orNil(row.Usage), "org.apache.spark.sql.catalyst.expressions." + className(row), true}
}
