package command

import (
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// show executes the SHOW statements.
func (r *runner) show(c logical.Command) (*Result, bool, error) {
	var out *Result
	var err error
	switch x := c.(type) {
	case *logical.ShowNamespaces:
		out, err = r.showNamespaces(x)
	case *logical.ShowTables:
		out, err = r.showTables(x)
	case *logical.ShowViews:
		out, err = r.showViews(x)
	case *logical.ShowColumns:
		out, err = r.showColumns(x)
	case *logical.ShowPartitions:
		out, err = r.showPartitions(x)
	case *logical.ShowFunctions:
		out, err = r.showFunctions(x)
	case *logical.ShowCreateTable:
		out, err = r.showCreateTable(x)
	case *logical.ShowProperties:
		out, err = r.showProperties(x)
	case *logical.ShowCurrentNamespace:
		cat, db := r.cat.Current()
		out = &Result{Schema: text("catalog", "namespace"), Rows: [][]any{{cat, types.QuoteIfNeeded(db)}}}
	case *logical.ShowCatalogs:
		out = r.showCatalogs(x)
	case *logical.ShowProcedures:
		out = &Result{Schema: text("catalog", "namespace", "schema?", "procedure_name")}
	default:
		return nil, false, nil
	}
	return out, true, err
}

// matches says whether a name fits a pattern; no pattern fits all.
func matches(pattern *string, name string) bool {
	return pattern == nil || catalog.MatchPattern(*pattern, name)
}

func (r *runner) showNamespaces(x *logical.ShowNamespaces) (*Result, error) {
	cat, _ := r.cat.Current()
	if len(x.In) > 0 {
		cat = x.In[0]
	}
	names, err := r.cat.Databases(cat)
	if err != nil {
		return nil, err
	}
	out := &Result{Schema: text("namespace")}
	for _, n := range names {
		if matches(x.Pattern, n) {
			out.Rows = append(out.Rows, []any{types.QuoteIfNeeded(n)})
		}
	}
	return out, nil
}

func (r *runner) showCatalogs(x *logical.ShowCatalogs) *Result {
	out := &Result{Schema: text("catalog")}
	for _, n := range r.cat.Catalogs() {
		if matches(x.Pattern, n) {
			out.Rows = append(out.Rows, []any{n})
		}
	}
	return out
}

// listed is a table or view in a listing.
type listed struct {
	db    string
	name  string
	temp  bool
	table *catalog.Table
	view  *catalog.TempView
}

// list are the relations of a database that fit the pattern, sorted by name, then the temporary views.
func (r *runner) list(t logical.Target, pattern *string) ([]listed, error) {
	name, err := r.name(t)
	if err != nil {
		return nil, err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return nil, err
	}
	var out []listed
	if db == catalog.GlobalTemp {
		for _, v := range r.cat.TempViews(true) {
			if n := v.Name[1]; matches(pattern, n) {
				out = append(out, listed{db, n, true, nil, v})
			}
		}
	} else {
		names, err := r.cat.Tables(cat, db)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if !matches(pattern, n) {
				continue
			}
			table, err := r.cat.Table(catalog.Place{Catalog: cat, Database: db, Name: n})
			if err != nil {
				return nil, err
			}
			if table != nil {
				out = append(out, listed{db, n, false, table, nil})
			}
		}
	}
	for _, v := range r.cat.TempViews(false) {
		if n := v.Name[0]; matches(pattern, n) {
			out = append(out, listed{"", n, true, nil, v})
		}
	}
	return out, nil
}

func (r *runner) showTables(x *logical.ShowTables) (*Result, error) {
	if x.Extended && len(x.Partition) > 0 {
		return r.showTablePartition(x)
	}
	list, err := r.list(x.Target, x.Pattern)
	if err != nil {
		return nil, err
	}
	s := text("namespace", "tableName")
	s.Fields = append(s.Fields, types.Field{Name: "isTemporary", Type: types.Boolean})
	if x.Extended {
		s.Fields = append(s.Fields, types.Field{Name: "information", Type: types.String})
	}
	out := &Result{Schema: s}
	for _, l := range list {
		row := []any{l.db, l.name, l.temp}
		if x.Extended {
			row = append(row, r.information(l))
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// information is the last column of SHOW TABLE EXTENDED: the detailed description, one entry a line.
func (r *runner) information(l listed) string {
	var b strings.Builder
	details, schema := r.viewDetails(l.view), (*types.Schema)(nil)
	if l.table != nil {
		details, schema = r.details(l.table), l.table.Schema
	} else if l.view != nil {
		schema = l.view.Schema
	}
	for _, d := range details {
		b.WriteString(d[0] + ": " + d[1] + "\n")
	}
	if schema != nil {
		b.WriteString("Schema: root\n" + Tree(schema))
	}
	return b.String() + "\n"
}

// Tree prints a schema as printSchema does, without the root line.
func Tree(s *types.Schema) string {
	var b strings.Builder
	for _, f := range s.Fields {
		treeField(&b, " |", f.Name, f.Type, f.Nullable)
	}
	return b.String()
}

func treeField(b *strings.Builder, prefix, name string, t types.Type, null bool) {
	kind := t.String()
	if t.IsNested() {
		kind = map[types.Kind]string{types.ArrayKind: "array", types.MapKind: "map", types.StructKind: "struct"}[t.Kind]
	}
	b.WriteString(prefix + "-- " + name + ": " + typeName(t, kind) + " (nullable = " + boolText(null) + ")\n")
	treeType(b, prefix+"    |", t)
}

func treeType(b *strings.Builder, prefix string, t types.Type) {
	element := func(what, flag string, e types.Type, null bool) {
		kind := typeName(e, e.String())
		if e.IsNested() {
			kind = map[types.Kind]string{types.ArrayKind: "array", types.MapKind: "map", types.StructKind: "struct"}[e.Kind]
		}
		b.WriteString(prefix + "-- " + what + ": " + kind)
		if flag != "" {
			b.WriteString(" (" + flag + " = " + boolText(null) + ")")
		}
		b.WriteString("\n")
		treeType(b, prefix+"    |", e)
	}
	switch t.Kind {
	case types.ArrayKind:
		element("element", "containsNull", t.Elem(), t.ContainsNull())
	case types.MapKind:
		element("key", "", t.Key(), false)
		element("value", "valueContainsNull", t.Elem(), t.ContainsNull())
	case types.StructKind:
		for _, f := range t.Fields() {
			treeField(b, prefix, f.Name, f.Type, f.Nullable)
		}
	}
}

// typeName is how printSchema names atomic types.
func typeName(t types.Type, kind string) string {
	switch t.Kind {
	case types.IntKind:
		return "integer"
	case types.LongKind:
		return "long"
	case types.ShortKind:
		return "short"
	case types.ByteKind:
		return "byte"
	}
	return kind
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func (r *runner) showTablePartition(x *logical.ShowTables) (*Result, error) {
	name, err := r.name(x.Target)
	if err != nil {
		return nil, err
	}
	pattern := ""
	if x.Pattern != nil {
		pattern = *x.Pattern
	}
	p, t, err := r.realTable(logical.Target{Name: append(name, pattern), At: x.At}, "SHOW TABLE EXTENDED")
	if err != nil {
		return nil, err
	}
	part, err := r.onePartition(p, t, x.Partition)
	if err != nil {
		return nil, err
	}
	s := text("namespace", "tableName")
	s.Fields = append(s.Fields, types.Field{Name: "isTemporary", Type: types.Boolean}, types.Field{Name: "information", Type: types.String})
	info := ""
	for _, d := range r.partitionDetails(t, part) {
		info += d[0] + ": " + d[1] + "\n"
	}
	return &Result{Schema: s, Rows: [][]any{{p.Database, p.Name, false, info + "\n"}}}, nil
}

func (r *runner) showViews(x *logical.ShowViews) (*Result, error) {
	list, err := r.list(x.Target, x.Pattern)
	if err != nil {
		return nil, err
	}
	s := text("namespace", "viewName")
	s.Fields = append(s.Fields, types.Field{Name: "isTemporary", Type: types.Boolean})
	out := &Result{Schema: s}
	for _, l := range list {
		if l.temp || l.table.Kind == "VIEW" {
			out.Rows = append(out.Rows, []any{l.db, l.name, l.temp})
		}
	}
	return out, nil
}

func (r *runner) showColumns(x *logical.ShowColumns) (*Result, error) {
	name, err := r.name(x.Target)
	if err != nil {
		return nil, err
	}
	if len(x.In) > 0 {
		if len(name) > 1 && r.cat.Key(name[len(name)-2]) != r.cat.Key(x.In[len(x.In)-1]) {
			return nil, sparkerr.New("SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "namespaceA", quoteAll(x.In), "namespaceB", quoteAll(name[:len(name)-1]))
		}
		if len(name) == 1 {
			name = append(append([]string{}, x.In...), name...)
		}
	}
	_, t, v, err := r.byName(name, x.At)
	if err != nil {
		return nil, err
	}
	schema, err := r.schemaOf(t, v)
	if err != nil {
		return nil, err
	}
	out := &Result{Schema: text("col_name")}
	for _, f := range schema.Fields {
		out.Rows = append(out.Rows, []any{f.Name})
	}
	return out, nil
}

func (r *runner) showPartitions(x *logical.ShowPartitions) (*Result, error) {
	p, t, err := r.realTable(x.Target, "SHOW PARTITIONS")
	if err != nil {
		return nil, err
	}
	if len(t.Partition) == 0 {
		return nil, sparkerr.New("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "name", p.String())
	}
	list, err := r.matching(p, t, x.Partition)
	if err != nil {
		return nil, err
	}
	out := &Result{Schema: text("partition")}
	for _, q := range list {
		out.Rows = append(out.Rows, []any{partitionPath(t, q)})
	}
	return out, nil
}

func (r *runner) showFunctions(x *logical.ShowFunctions) (*Result, error) {
	name, err := r.name(x.Target)
	if err != nil {
		return nil, err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return nil, err
	}
	pattern := x.Pattern
	if pattern == nil && len(x.Function) > 0 {
		pattern = &x.Function[len(x.Function)-1]
	}
	seen := map[string]bool{}
	if x.System || !x.User {
		for _, row := range function.Rows() {
			for _, n := range append([]string{row.Name}, row.Aliases...) {
				if !row.Internal && matches(pattern, n) {
					seen[n] = true
				}
			}
		}
	}
	if x.User || !x.System {
		list, err := r.cat.Functions(cat, db)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if n := f.Name[len(f.Name)-1]; matches(pattern, n) {
				seen[strings.Join(f.Name, ".")] = true
			}
		}
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	out := &Result{Schema: text("function")}
	for _, n := range names {
		out.Rows = append(out.Rows, []any{n})
	}
	return out, nil
}

func (r *runner) showProperties(x *logical.ShowProperties) (*Result, error) {
	p, t, v, err := r.table(x.Target)
	if err != nil {
		return nil, err
	}
	var props map[string]string
	if t != nil {
		props = t.Properties
	} else if v != nil {
		return &Result{Schema: text("key", "value")}, nil
	}
	out := &Result{Schema: text("key", "value")}
	if x.Key != nil {
		value, ok := props[*x.Key]
		if !ok {
			value = "Table " + strings.Join(p.Parts(), ".") + " does not have property: " + *x.Key
		}
		out.Rows = [][]any{{*x.Key, value}}
		return out, nil
	}
	for _, k := range sortedKeys(props) {
		out.Rows = append(out.Rows, []any{k, props[k]})
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
