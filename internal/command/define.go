package command

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// define executes CREATE and DROP.
func (r *runner) define(c logical.Command) (*Result, bool, error) {
	var err error
	switch x := c.(type) {
	case *logical.CreateNamespace:
		err = r.createNamespace(x)
	case *logical.DropNamespace:
		err = r.dropNamespace(x)
	case *logical.CreateTable:
		err = r.createTable(x)
	case *logical.DropTable:
		err = r.dropTable(x)
	case *logical.CreateView:
		err = r.createView(x)
	case *logical.CreateFunction:
		err = r.createFunction(x)
	case *logical.DropFunction:
		err = r.dropFunction(x)
	default:
		return nil, false, nil
	}
	return nil, true, err
}

func (r *runner) createNamespace(x *logical.CreateNamespace) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return err
	}
	d := &catalog.Database{Name: db, Comment: x.Comment, Location: x.Location, Collation: x.Collation, Properties: x.Properties, Owner: r.User()}
	if d.Location == "" {
		d.Location = vfs.Join(r.cat.Warehouse(), db+".db")
	}
	f, path, err := r.FS().Resolve(d.Location)
	if err != nil {
		return err
	}
	d.Location = f.URI(path)
	if err := r.cat.CreateDatabase(cat, d, x.IfNotExists); err != nil {
		return err
	}
	return f.MkdirAll(r.ctx, path)
}

func (r *runner) makeDir(uri string) error {
	f, path, err := r.FS().Resolve(uri)
	if err != nil {
		return err
	}
	return f.MkdirAll(r.ctx, path)
}

func (r *runner) removeAll(uri string) error {
	f, path, err := r.FS().Resolve(uri)
	if err != nil {
		return err
	}
	return f.Remove(r.ctx, path)
}

func (r *runner) dropNamespace(x *logical.DropNamespace) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return err
	}
	d, gone, err := r.cat.DropDatabase(cat, db, x.IfExists, x.Cascade)
	if d == nil || err != nil {
		return err
	}
	for _, t := range gone {
		if t.Kind == "MANAGED" {
			if err := r.removeAll(t.Location); err != nil {
				return err
			}
		}
	}
	return r.removeAll(d.Location)
}

// createTable executes CREATE TABLE, with or without a query, and saveAsTable.
func (r *runner) createTable(x *logical.CreateTable) error {
	name, err := r.name(logical.Target{Name: x.Name, NameExpr: x.NameExpr, At: x.At})
	if err != nil {
		return err
	}
	p, err := r.cat.Place(name)
	if err != nil {
		return err
	}
	old, err := r.cat.Table(p)
	if err != nil {
		return err
	}
	if done, err := r.existing(x, p, old); done || err != nil {
		return err
	}
	t, err := r.newTable(x, p)
	if err != nil {
		return err
	}
	if err := r.prepareLocation(t, p, x.Query != nil); err != nil {
		return err
	}
	if x.Query != nil {
		return r.createAsSelect(x, p, t)
	}
	made, err := r.cat.CreateTable(p, t, x.IfNotExists)
	if made && len(t.Partition) > 0 {
		return r.recover(p, t)
	}
	return err
}

// existing decides what happens when the name is taken.
func (r *runner) existing(x *logical.CreateTable, p catalog.Place, old *catalog.Table) (done bool, err error) {
	switch {
	case old == nil && x.Replace && !x.OrCreate:
		return true, r.notFound(p.Parts(), x.At)
	case old == nil:
		return false, nil
	case x.IfNotExists || x.Mode == logical.Ignore:
		return true, nil
	case x.Mode == logical.Append && x.Query != nil:
		_, err := r.insert(&logical.InsertInto{Table: p.Parts(), Query: x.Query, At: x.At})
		return true, err
	case x.Replace || x.Mode == logical.Overwrite:
		if old.Kind == "VIEW" {
			return true, sparkerr.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", p.String(), "operation", "CREATE OR REPLACE TABLE")
		}
		if x.Query != nil && reads(x.Query, old) {
			return true, sparkerr.New("UNSUPPORTED_OVERWRITE.TABLE", "table", p.String())
		}
		return false, r.dropFiles(p, old)
	}
	return true, sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", p.String())
}

// reads says whether a resolved plan scans a table.
func reads(p logical.Plan, t *catalog.Table) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if x, ok := n.(*logical.Relation); ok && x.Table.Location != "" && x.Table.Location == t.Location {
			found = true
		}
		return !found
	})
	return found
}

// newTable describes the table that the statement makes.
func (r *runner) newTable(x *logical.CreateTable, p catalog.Place) (*catalog.Table, error) {
	if e := x.Extra; e != nil {
		switch {
		case len(e.Constraints) > 0:
			return nil, sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "CONSTRAINT")
		case len(e.Generated) > 0:
			return nil, sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "generated columns")
		case len(e.Identity) > 0:
			return nil, sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "identity columns")
		case len(e.Transforms) > 0:
			return nil, sparkerr.New("UNSUPPORTED_FEATURE.PARTITION_BY_VARIANT").WithCause(sparkerr.Unsupported("partition transforms"))
		case e.StoredBy != "":
			return nil, sparkerr.Unsupported("STORED BY")
		}
	}
	t := &catalog.Table{Name: p.Parts(), Kind: "MANAGED", Provider: strings.ToLower(x.Provider), Schema: x.Schema, Location: x.Location,
		Options: lowered(x.Options), Properties: x.Properties, Partition: x.Partition, BucketBy: x.BucketBy, SortBy: x.SortBy, Buckets: x.Buckets,
		Comment: x.Comment, Created: r.Now(), Defaults: x.Defaults}
	if len(x.Like) > 0 {
		return t, r.copyOf(t, x)
	}
	if t.Provider == "" && x.Extra != nil && x.Extra.StoredAs != "" {
		t.Provider = strings.ToLower(x.Extra.StoredAs)
	}
	if t.Provider == "" {
		t.Provider = strings.ToLower(r.Conf().Values().String("spark.sql.sources.default"))
	}
	if path, ok := t.Options["path"]; ok && t.Location == "" {
		t.Location = path
		delete(t.Options, "path")
	}
	if t.Location != "" || x.External {
		t.Kind = "EXTERNAL"
	}
	if c := r.Analysis(r.ctx); c.Format != nil && t.Provider != "hive" {
		if err := c.Format(t.Provider); err != nil {
			return nil, err
		}
	}
	if err := r.tableSchema(x, t); err != nil {
		return nil, err
	}
	return t, r.checkTable(t, p)
}

func lowered(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

// copyOf makes t like another table.
func (r *runner) copyOf(t *catalog.Table, x *logical.CreateTable) error {
	_, like, view, err := r.byName(x.Like, x.At)
	if err != nil {
		return err
	}
	schema, err := r.schemaOf(like, view)
	if err != nil {
		return err
	}
	t.Schema = schema
	if like != nil && like.Kind != "VIEW" {
		t.Partition, t.BucketBy, t.SortBy, t.Buckets, t.Defaults, t.Comment = like.Partition, like.BucketBy, like.SortBy, like.Buckets, like.Defaults, like.Comment
		if t.Provider == "" {
			t.Provider, t.Options = like.Provider, like.Options
		}
	}
	if t.Provider == "" {
		t.Provider = strings.ToLower(r.Conf().Values().String("spark.sql.sources.default"))
	}
	if t.Location != "" {
		t.Kind = "EXTERNAL"
	}
	return nil
}

// tableSchema completes the schema: from the query, from the files, with Hive's typed partition columns, partitions last.
func (r *runner) tableSchema(x *logical.CreateTable, t *catalog.Table) error {
	switch {
	case x.Query != nil:
		t.Schema = nullableSchema(schemaOfColumns(x.Query.Output()))
	case t.Schema == nil && t.Location == "" && len(x.PartitionTyped) == 0:
		t.Schema = &types.Schema{}
		if t.Provider != "text" {
			return nil
		}
	case t.Schema == nil && t.Location != "":
		q := *t
		q.Name = nil
		q.Paths = []string{t.Location}
		schema, rel, err := r.Analysis(r.ctx).Open(&q)
		if err != nil {
			return err
		}
		_ = rel
		t.Schema = schema
		if len(t.Partition) == 0 {
			t.Partition = q.Partition
		}
	}
	for _, f := range x.PartitionTyped {
		t.Schema = &types.Schema{Fields: append(t.Schema.Fields[:len(t.Schema.Fields):len(t.Schema.Fields)], f)}
		t.Partition = append(t.Partition, f.Name)
	}
	return r.partitionsLast(t)
}

func nullableSchema(s *types.Schema) *types.Schema {
	out := &types.Schema{Fields: append([]types.Field{}, s.Fields...)}
	for i := range out.Fields {
		out.Fields[i].Nullable = true
	}
	return out
}

// partitionsLast moves the partition columns to the end of the schema, in their order.
func (r *runner) partitionsLast(t *catalog.Table) error {
	if len(t.Partition) == 0 {
		return nil
	}
	var last []types.Field
	taken := map[int]bool{}
	for i, name := range t.Partition {
		at := r.column(t.Schema, name)
		if at < 0 {
			return sparkerr.New("COLUMN_NOT_DEFINED_IN_TABLE", "colType", "partition", "colName", types.Quote(name), "tableName", quoteAll(t.Name),
				"tableCols", columnList(t.Schema))
		}
		taken[at] = true
		t.Partition[i] = t.Schema.Fields[at].Name
		last = append(last, t.Schema.Fields[at])
	}
	var first []types.Field
	for i, f := range t.Schema.Fields {
		if !taken[i] {
			first = append(first, f)
		}
	}
	if len(first) == 0 {
		return sparkerr.New("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	t.Schema = &types.Schema{Fields: append(first, last...)}
	return nil
}

func columnList(s *types.Schema) string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = types.Quote(f.Name)
	}
	return strings.Join(names, ", ")
}

// column is the index of a column by name; -1 if there is none.
func (r *runner) column(s *types.Schema, name string) int {
	for i, f := range s.Fields {
		if f.Name == name || strings.EqualFold(f.Name, name) && !r.Conf().Values().Bool("spark.sql.caseSensitive") {
			return i
		}
	}
	return -1
}

// checkTable refuses double columns, unknown bucket columns and types that cannot partition.
func (r *runner) checkTable(t *catalog.Table, p catalog.Place) error {
	for i, f := range t.Schema.Fields {
		if at := r.column(&types.Schema{Fields: t.Schema.Fields[:i]}, f.Name); at >= 0 {
			return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(f.Name)))
		}
	}
	for kind, names := range map[string][]string{"bucket": t.BucketBy, "sort": t.SortBy} {
		for _, n := range names {
			if r.column(t.Schema, n) < 0 {
				return sparkerr.New("COLUMN_NOT_DEFINED_IN_TABLE", "colType", kind, "colName", types.Quote(n), "tableName", p.String(), "tableCols", columnList(t.Schema))
			}
		}
	}
	for _, n := range t.Partition {
		if f := t.Schema.Fields[r.column(t.Schema, n)]; f.Type.IsNested() || f.Type.Kind == types.VariantKind {
			return sparkerr.New("INVALID_PARTITION_COLUMN_DATA_TYPE", "type", `"`+f.Type.SQL()+`"`)
		}
	}
	for name, d := range t.Defaults {
		if err := r.checkDefault(t, name, d); err != nil {
			return err
		}
	}
	return nil
}

// checkDefault: a column default is a constant that fits the column.
func (r *runner) checkDefault(t *catalog.Table, name, sql string) error {
	at := r.column(t.Schema, name)
	if at < 0 {
		return nil
	}
	c := r.Analysis(r.ctx)
	e, err := c.Expr(sql)
	if err != nil {
		return sparkerr.New("INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION", "statement", "CREATE TABLE", "colName", types.Quote(name), "defaultValue", sql).WithCause(err)
	}
	v, err := analyzer.Expression(c, e)
	if err != nil {
		return sparkerr.New("INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION", "statement", "CREATE TABLE", "colName", types.Quote(name), "defaultValue", sql).WithCause(err)
	}
	if want := t.Schema.Fields[at].Type; !types.CanStoreAssign(v.Type(), want) && v.Type().Kind != types.StringKind {
		return sparkerr.New("INVALID_DEFAULT_VALUE.DATA_TYPE", "statement", "CREATE TABLE", "colName", types.Quote(name), "defaultValue", sql,
			"expectedType", `"`+want.SQL()+`"`, "actualType", `"`+v.Type().SQL()+`"`)
	}
	return nil
}

// prepareLocation finds the place of the files: a managed table's must be free.
func (r *runner) prepareLocation(t *catalog.Table, p catalog.Place, query bool) error {
	if t.Location == "" {
		loc, err := r.cat.DefaultLocation(p)
		if err != nil {
			return err
		}
		t.Location = loc
	}
	f, path, err := r.FS().Resolve(t.Location)
	if err != nil {
		return err
	}
	t.Location = f.URI(path)
	if t.Kind == "MANAGED" || query {
		list, err := f.List(r.ctx, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(list) > 0 && t.Kind == "MANAGED" {
			return sparkerr.New("LOCATION_ALREADY_EXISTS", "location", "'"+t.Location+"'", "identifier", p.String())
		}
	}
	return f.MkdirAll(r.ctx, path)
}

// createAsSelect writes the query's rows, then makes the table.
func (r *runner) createAsSelect(x *logical.CreateTable, p catalog.Place, t *catalog.Table) error {
	plan := r.reorder(x.Query, t.Schema)
	mode := logical.Append // a managed table's place is made and known to be empty
	if t.Kind == "EXTERNAL" {
		mode = logical.Overwrite
	}
	done, err := r.Write(r.ctx, &Write{Plan: plan, Format: t.Provider, Path: t.Location, Mode: mode, Partition: t.Partition, BucketBy: t.BucketBy,
		SortBy: t.SortBy, Buckets: t.Buckets, Options: t.Options, Table: t})
	if err != nil {
		if t.Kind == "MANAGED" {
			err = errors.Join(err, r.removeAll(t.Location))
		}
		return err
	}
	if _, err := r.cat.CreateTable(p, t, x.IfNotExists); err != nil {
		return err
	}
	r.Changed(t.Location)
	return r.noteWritten(p, t, done, nil)
}

// reorder puts a query's columns into the order of a schema that has the same names.
func (r *runner) reorder(q logical.Plan, s *types.Schema) logical.Plan {
	out := q.Output()
	same := len(out) == len(s.Fields)
	for i := 0; same && i < len(out); i++ {
		same = out[i].Name == s.Fields[i].Name
	}
	if same {
		return q
	}
	list := make([]expr.Expr, 0, len(s.Fields))
	for _, f := range s.Fields {
		for _, c := range out {
			if strings.EqualFold(c.Name, f.Name) {
				list = append(list, c)
				break
			}
		}
	}
	return &logical.Project{List: list, Child: q}
}

func (r *runner) dropTable(x *logical.DropTable) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	if v := r.cat.TempView(name); v != nil {
		r.uncacheName(name)
		r.cat.DropTempView(name)
		return nil
	}
	p, err := r.cat.Complete(name, nil)
	if err != nil {
		return err
	}
	t, err := r.cat.Table(p)
	if err != nil {
		return err
	}
	switch {
	case t == nil && x.IfExists:
		return nil
	case t == nil:
		return r.notFound(p.Parts(), x.At)
	case x.View && t.Kind != "VIEW":
		return sparkerr.New("WRONG_COMMAND_FOR_OBJECT_TYPE", "operation", "DROP VIEW", "requiredType", "VIEW or METRIC_VIEW", "objectName", strings.Join(p.Parts(), "."),
			"foundType", t.Kind, "alternative", "DROP TABLE")
	}
	r.uncacheName(p.Parts())
	return r.dropFiles(p, t)
}

// dropFiles removes a table and, if it is managed, its files.
func (r *runner) dropFiles(p catalog.Place, t *catalog.Table) error {
	if err := r.cat.DropTable(p); err != nil {
		return err
	}
	if t.Kind == "VIEW" {
		return nil
	}
	r.Changed(t.Location)
	if t.Kind != "MANAGED" {
		return nil
	}
	return r.removeAll(t.Location)
}

// uncacheName forgets what is cached of a relation that goes away; a relation that no longer resolves is not cached either.
func (r *runner) uncacheName(name []string) {
	if p, err := analyzer.Analyze(r.uncached(), &logical.UnresolvedRelation{Name: name}); err == nil {
		if _, err := r.Uncache(p); err != nil {
			r.Changed("")
		}
	}
}

// uncached is the analysis context that does not replace plans by cached ones.
func (r *runner) uncached() *analyzer.Context {
	c := *r.Analysis(r.ctx)
	c.Cached = nil
	return &c
}

func (r *runner) createFunction(x *logical.CreateFunction) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	if x.Class != "" || x.Body == nil && x.Query == nil {
		return sparkerr.New("CANNOT_LOAD_FUNCTION_CLASS", "className", x.Class, "functionName", quoteAll(name))
	}
	if _, isBuiltin := function.Lookup(name[len(name)-1]); isBuiltin && x.Temp && !x.Replace {
		return sparkerr.New("ROUTINE_ALREADY_EXISTS", "routineName", quoteAll(name), "newRoutineType", "routine", "existingRoutineType", "routine")
	}
	cat, db := r.cat.Current()
	f := &catalog.Function{Body: x.Text, Query: x.Query != nil, Deterministic: true, Comment: x.Comment, Path: []string{cat, db}, Created: r.Now(), Owner: r.User()}
	if x.Deterministic != nil {
		f.Deterministic = *x.Deterministic
	}
	seen := map[string]bool{}
	for _, p := range x.Params {
		if seen[strings.ToLower(p.Name)] {
			return sparkerr.New("DUPLICATE_ROUTINE_PARAMETER_NAMES", "routineName", quoteAll(name), "names", types.Quote(p.Name))
		}
		seen[strings.ToLower(p.Name)] = true
		q := catalog.Param{Name: p.Name, Type: p.Type}
		if p.Default != nil {
			q.Default = *p.Default
		}
		if s, ok := metadataText(p.Metadata, "comment"); ok {
			q.Comment = s
		}
		f.Params = append(f.Params, q)
	}
	if err := r.functionResult(x, f); err != nil {
		return err
	}
	return r.cat.CreateFunction(name, f, x.Temp, x.Replace, x.IfNotExists)
}

// functionResult resolves the body once: to find the type that is not given, and faults.
func (r *runner) functionResult(x *logical.CreateFunction, f *catalog.Function) error {
	args := make([]expr.Expr, len(f.Params))
	for i, p := range f.Params {
		args[i] = &expr.Alias{Child: &expr.Literal{T: p.Type}, Name: p.Name}
	}
	if x.IsTable || len(x.ReturnsTable) > 0 {
		if len(x.ReturnsTable) > 0 {
			f.Table = &types.Schema{Fields: append([]types.Field{}, x.ReturnsTable...)}
			for i := range f.Table.Fields {
				f.Table.Fields[i].Nullable = true
			}
		}
		cols, err := analyzer.FunctionQuery(r.Analysis(r.ctx), x.Query, f)
		if err != nil {
			return err
		}
		if f.Table == nil {
			f.Table = nullableSchema(schemaOfColumns(cols))
		}
		return nil
	}
	t, err := analyzer.FunctionBody(r.Analysis(r.ctx), x.Body, x.Query, f)
	if err != nil {
		return err
	}
	f.Returns = t
	if x.Returns != nil {
		f.Returns = *x.Returns
		if !types.CanStoreAssign(t, f.Returns) && !types.CanCast(t, f.Returns, true) {
			return sparkerr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"`+x.Text+`"`, "srcType", `"`+t.SQL()+`"`, "targetType", `"`+f.Returns.SQL()+`"`)
		}
	}
	return nil
}

func (r *runner) dropFunction(x *logical.DropFunction) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	if !x.Temp {
		f, err := r.cat.Function(name, nil)
		if err != nil {
			return err
		}
		if f != nil && f.Temporary() {
			return sparkerr.New("EXPECT_PERSISTENT_FUNCTION_NOT_TEMP", "functionName", quoteAll(name), "operation", "DROP FUNCTION", "alternative", "")
		}
		if _, ok := function.Lookup(name[len(name)-1]); ok && f == nil && len(name) == 1 {
			return sparkerr.New("FORBIDDEN_OPERATION", "statement", "DROP", "objectType", "FUNCTION", "objectName", quoteAll(name))
		}
	}
	done, err := r.cat.DropFunction(name, x.Temp)
	if err != nil || done || x.IfExists {
		return err
	}
	return sparkerr.New("ROUTINE_NOT_FOUND", "routineName", quoteAll(name))
}

// exists says whether there is a file or directory.
func (r *runner) exists(uri string) (bool, error) {
	f, path, err := r.FS().Resolve(uri)
	if err != nil {
		return false, err
	}
	return vfs.Exists(r.ctx, f, path)
}
