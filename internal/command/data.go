package command

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// data executes the commands that move data or look at it.
func (r *runner) data(c logical.Command) (*Result, bool, error) {
	var out *Result
	var err error
	switch x := c.(type) {
	case *logical.InsertInto:
		out, err = r.insert(x)
	case *logical.MultiInsert:
		for _, i := range x.Inserts {
			if _, err = r.Do(r.ctx, i); err != nil {
				break
			}
		}
	case *logical.WriteFiles:
		err = r.writeFiles(x)
	case *logical.TruncateTable:
		err = r.truncate(x)
	case *logical.AnalyzeTable:
		err = r.analyzeTable(x)
	case *logical.AnalyzeTables:
		err = r.analyzeTables(x)
	case *logical.Explain:
		out, err = r.explain(x)
	case *logical.CacheTable:
		err = r.cacheTable(x)
	case *logical.UncacheTable:
		err = r.uncacheTable(x)
	case *logical.ClearCache:
		err = r.ClearCache()
	case *logical.RefreshTable:
		err = r.refresh(x)
	case *logical.RefreshPath:
		r.Changed(x.Path)
	case *logical.RefreshFunction:
		err = r.refreshFunction(x)
	case *logical.CatalogCall:
		out, err = r.catalogCall(x)
	case *logical.LoadData:
		err = r.noRows(x.Target, "LOAD DATA")
	case *logical.DeleteFrom:
		err = r.noRows(x.Target, "DELETE")
	case *logical.UpdateTable:
		err = r.noRows(x.Target, "UPDATE TABLE")
	case *logical.MergeInto:
		err = r.noRows(x.Target, "MERGE INTO TABLE")
	default:
		return nil, false, nil
	}
	return out, true, err
}

// noRows refuses changes of single rows: the table's format has none.
func (r *runner) noRows(t logical.Target, what string) error {
	p, _, err := r.realTable(t, what)
	if err != nil {
		return err
	}
	return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", what)
}

func (r *runner) writeFiles(x *logical.WriteFiles) error {
	if len(x.BucketBy) > 0 || x.Buckets > 0 {
		return sparkerr.New("_LEGACY_ERROR_TEMP_1312", "operation", "save")
	}
	schema := schemaOfColumns(x.Query.Output())
	seen := map[string]bool{}
	for _, f := range schema.Fields {
		k := r.cat.Key(f.Name)
		if seen[k] {
			return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(f.Name)))
		}
		seen[k] = true
	}
	t := &catalog.Table{Schema: schema, Partition: append([]string{}, x.PartitionBy...)}
	if err := r.partitionsLast(t); err != nil {
		if sparkerr.Is(err, "COLUMN_NOT_DEFINED_IN_TABLE") {
			return sparkerr.New("_LEGACY_ERROR_TEMP_1321", "columnName", strings.Join(x.PartitionBy, ", "), "schema", schema.Type().String()).WithCause(err)
		}
		return err
	}
	format := x.Format
	if format == "" {
		format = r.Conf().Values().String("spark.sql.sources.default")
	}
	w := &Write{Plan: r.reorder(x.Query, t.Schema), Format: strings.ToLower(format), Path: x.Path, Mode: x.Mode, Partition: t.Partition, Options: lowered(x.Options)}
	mode := r.Conf().Values().String("spark.sql.sources.partitionOverwriteMode")
	if o, ok := w.Options["partitionoverwritemode"]; ok {
		mode = o
	}
	w.Dynamic = x.Mode == logical.Overwrite && len(t.Partition) > 0 && strings.EqualFold(mode, "dynamic")
	if _, err := r.Write(r.ctx, w); err != nil {
		return err
	}
	r.Changed(x.Path)
	return nil
}

func (r *runner) truncate(x *logical.TruncateTable) error {
	p, t, err := r.realTable(x.Target, "TRUNCATE TABLE")
	if err != nil {
		return err
	}
	if t.Kind == "EXTERNAL" {
		return sparkerr.New("CANNOT_TRUNCATE_EXTERNAL_TABLE", "tableName", p.String())
	}
	if len(x.Partition) > 0 && len(t.Partition) == 0 {
		return sparkerr.New("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "name", p.String())
	}
	dirs := []string{t.Location}
	if len(t.Partition) > 0 {
		list, err := r.matching(p, t, x.Partition)
		if err != nil {
			return err
		}
		if len(x.Partition) > 0 {
			dirs = nil
		}
		for _, q := range list {
			dirs = append(dirs, partitionLocation(t, q))
		}
	}
	for _, d := range dirs {
		if err := r.removeAll(d); err != nil {
			return err
		}
		if err := r.makeDir(d); err != nil {
			return err
		}
	}
	r.Changed(t.Location)
	if t.Stats == nil {
		return nil
	}
	q := *t
	q.Stats = nil
	return r.cat.AlterTable(p, &q)
}

func (r *runner) explain(x *logical.Explain) (*Result, error) {
	s, err := r.Explain(r.ctx, x.Mode, x.Query)
	if err != nil {
		return nil, err
	}
	return &Result{Schema: text("plan?"), Rows: [][]any{{s}}}, nil
}

// relation resolves a relation by name, past the cache.
func (r *runner) relation(name []string, at *expr.Origin) (logical.Plan, error) {
	return analyzer.Analyze(r.uncached(), &logical.UnresolvedRelation{Name: name, At: at})
}

func (r *runner) cacheTable(x *logical.CacheTable) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	if x.Query != nil {
		v := &logical.CreateView{Name: name, Temp: true, Text: x.Text, Query: x.Query, At: x.At}
		if err := r.createView(v); err != nil {
			return err
		}
	}
	p, err := r.relation(name, x.At)
	if err != nil {
		return err
	}
	return r.Cache(r.ctx, joinQuoted(name), p, x.Lazy, x.Options)
}

func (r *runner) uncacheTable(x *logical.UncacheTable) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	p, err := r.relation(name, x.At)
	if err != nil {
		if x.IfExists && sparkerr.Is(err, "TABLE_OR_VIEW_NOT_FOUND") {
			return nil
		}
		return err
	}
	_, err = r.Uncache(p)
	return err
}

func (r *runner) refresh(x *logical.RefreshTable) error {
	_, t, v, err := r.table(x.Target)
	if err != nil {
		return err
	}
	if v != nil || t.Kind == "VIEW" {
		p, err := r.relation(x.Name, x.At)
		if err != nil {
			return err
		}
		logical.Walk(p, func(n logical.Plan) bool {
			if s, ok := n.(*logical.Relation); ok {
				for _, d := range append([]string{s.Table.Location}, s.Table.Paths...) {
					if d != "" {
						r.Changed(d)
					}
				}
			}
			return true
		})
		return nil
	}
	r.Changed(t.Location)
	return nil
}

func (r *runner) refreshFunction(x *logical.RefreshFunction) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	f, err := r.cat.Function(name, nil)
	if err == nil && f == nil {
		err = sparkerr.New("ROUTINE_NOT_FOUND", "routineName", quoteAll(name))
	}
	return err
}

// analyzeTable counts a table's bytes, rows and column figures and keeps them in the catalog.
func (r *runner) analyzeTable(x *logical.AnalyzeTable) error {
	p, t, err := r.realTable(x.Target, "ANALYZE TABLE")
	if err != nil {
		return err
	}
	if len(x.Partition) > 0 {
		if _, err := r.matching(p, t, x.Partition); err != nil {
			return err
		}
	}
	q := *t
	if q.Stats, err = r.stats(p, t, x.NoScan); err != nil {
		return err
	}
	names := x.Columns
	if x.AllColumns {
		for _, f := range t.Schema.Fields {
			names = append(names, f.Name)
		}
	}
	if len(names) > 0 {
		if err := r.columnStats(p, t, q.Stats, names); err != nil {
			return err
		}
	}
	if err := r.cat.AlterTable(p, &q); err != nil {
		return err
	}
	r.Changed(t.Location)
	return nil
}

func (r *runner) stats(p catalog.Place, t *catalog.Table, noScan bool) (*catalog.Stats, error) {
	s := &catalog.Stats{Rows: -1}
	plan, err := r.relation(p.Parts(), nil)
	if err != nil {
		return nil, err
	}
	logical.Walk(plan, func(n logical.Plan) bool {
		if x, ok := n.(*logical.Relation); ok && x.Table.Relation != nil {
			s.Bytes = x.Table.Relation.Stats().Bytes
		}
		return true
	})
	if t.Stats != nil && noScan {
		s.Rows, s.Columns = t.Stats.Rows, t.Stats.Columns
		return s, nil
	}
	if noScan {
		return s, nil
	}
	rows, err := r.query(&logical.Aggregate{List: []expr.Expr{expr.NewFunc("count", expr.NewLiteral(int32(1), types.Int))},
		Child: &logical.UnresolvedRelation{Name: p.Parts()}})
	if err != nil {
		return nil, err
	}
	s.Rows = rows[0][0].(int64)
	if t.Stats != nil {
		s.Columns = t.Stats.Columns
	}
	return s, nil
}

// query resolves and runs a plan.
func (r *runner) query(p logical.Plan) ([][]any, error) {
	q, err := analyzer.Analyze(r.Analysis(r.ctx), p)
	if err != nil {
		return nil, err
	}
	return r.Rows(r.ctx, q)
}

// columnStats computes the figures of columns in one pass.
func (r *runner) columnStats(p catalog.Place, t *catalog.Table, s *catalog.Stats, names []string) error {
	var list []expr.Expr
	var fields []types.Field
	for _, n := range names {
		at := r.column(t.Schema, n)
		if at < 0 {
			return sparkerr.New("COLUMN_NOT_FOUND", "colName", types.Quote(n), "caseSensitiveConfig", `"spark.sql.caseSensitive"`)
		}
		f := t.Schema.Fields[at]
		if f.Type.IsNested() {
			return sparkerr.New("UNSUPPORTED_FEATURE.ANALYZE_UNSUPPORTED_COLUMN_TYPE", "columnType", `"`+f.Type.SQL()+`"`, "columnName", types.Quote(f.Name), "tableName", p.String())
		}
		fields = append(fields, f)
		list = append(list, statExprs(f)...)
	}
	rows, err := r.query(&logical.Aggregate{List: list, Child: &logical.UnresolvedRelation{Name: p.Parts()}})
	if err != nil {
		return err
	}
	cols := map[string]catalog.ColumnStats{}
	for k, v := range s.Columns {
		cols[k] = v
	}
	for i, f := range fields {
		v := rows[0][i*5 : i*5+5]
		c := catalog.ColumnStats{Min: v[0], Max: v[1], Nulls: v[2].(int64), Distinct: v[3].(int64)}
		if n, ok := v[4].(float64); ok {
			c.AvgLen = n
		}
		if f.Type.Kind == types.StringKind || f.Type.Kind == types.BinaryKind {
			c.Min, c.Max = nil, nil
		}
		cols[f.Name] = c
	}
	s.Columns = cols
	return nil
}

// statExprs are min, max, nulls, distinct values and average length of a column.
func statExprs(f types.Field) []expr.Expr {
	c := func() expr.Expr { return &expr.Attribute{Name: []string{f.Name}} }
	isNull := expr.NewFunc("count_if", expr.NewFunc("isnull", c()))
	var length expr.Expr = &expr.Literal{T: types.Double}
	if f.Type.Kind == types.StringKind || f.Type.Kind == types.BinaryKind {
		length = expr.NewFunc("octet_length", c())
	}
	list := []expr.Expr{expr.NewFunc("min", c()), expr.NewFunc("max", c()), isNull, expr.NewFunc("approx_count_distinct", c()), expr.NewFunc("avg", length)}
	for i, e := range list {
		list[i] = &expr.Alias{Child: e, Name: fmt.Sprintf("%s_%d", f.Name, i)}
	}
	return list
}

func (r *runner) analyzeTables(x *logical.AnalyzeTables) error {
	list, err := r.list(x.Target, nil)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.table == nil || l.table.Kind == "VIEW" {
			continue
		}
		if err := r.analyzeTable(&logical.AnalyzeTable{Target: logical.Target{Name: l.table.Name}, NoScan: x.NoScan}); err != nil {
			return err
		}
	}
	return nil
}
