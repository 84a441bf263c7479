package command

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// describe executes the DESCRIBE statements.
func (r *runner) describe(c logical.Command) (*Result, bool, error) {
	var out *Result
	var err error
	switch x := c.(type) {
	case *logical.DescribeTable:
		out, err = r.describeTable(x)
	case *logical.DescribeQuery:
		out, err = r.describeQuery(x)
	case *logical.DescribeNamespace:
		out, err = r.describeNamespace(x)
	case *logical.DescribeFunction:
		out, err = r.describeFunction(x)
	default:
		return nil, false, nil
	}
	return out, true, err
}

var columnsOfTable = text("col_name", "data_type", "comment?")

// schemaOf is the schema of a table, or of a temporary view as it resolves now.
func (r *runner) schemaOf(t *catalog.Table, v *catalog.TempView) (*types.Schema, error) {
	if t != nil && t.Schema != nil {
		return t.Schema, nil
	}
	name := []string{}
	if t != nil {
		name = t.Name
	} else {
		name = v.Name
	}
	p, err := analyzer.Analyze(r.Analysis(r.ctx), &logical.UnresolvedRelation{Name: name})
	if err != nil {
		return nil, err
	}
	return schemaOfColumns(p.Output()), nil
}

func schemaOfColumns(cols []*expr.Column) *types.Schema {
	s := &types.Schema{Fields: make([]types.Field, len(cols))}
	for i, c := range cols {
		s.Fields[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
	}
	return s
}

// comment reads the comment of a column from its metadata.
func comment(f types.Field) any {
	if s, ok := metadataText(f.Metadata, "comment"); ok {
		return s
	}
	return nil
}

func columnRows(s *types.Schema) [][]any {
	rows := make([][]any, len(s.Fields))
	for i, f := range s.Fields {
		rows[i] = []any{f.Name, f.Type.String(), comment(f)}
	}
	return rows
}

func (r *runner) describeQuery(x *logical.DescribeQuery) (*Result, error) {
	p, err := analyzer.Analyze(r.Analysis(r.ctx), x.Query)
	if err != nil {
		return nil, err
	}
	return &Result{Schema: columnsOfTable, Rows: columnRows(schemaOfColumns(p.Output()))}, nil
}

func (r *runner) describeTable(x *logical.DescribeTable) (*Result, error) {
	p, t, v, err := r.table(x.Target)
	if err != nil {
		return nil, err
	}
	if x.JSON {
		return nil, sparkerr.Unsupported("DESCRIBE … AS JSON")
	}
	schema, err := r.schemaOf(t, v)
	if err != nil {
		return nil, err
	}
	if len(x.Column) > 0 {
		return r.describeColumn(x, t, v, schema)
	}
	out := &Result{Schema: columnsOfTable, Rows: columnRows(schema)}
	if t == nil {
		return out, nil
	}
	out.Rows = append(out.Rows, partitionRows(t)...)
	switch {
	case len(x.Partition) > 0:
		if t.Kind == "VIEW" {
			return nil, sparkerr.New("FORBIDDEN_OPERATION", "statement", "DESC PARTITION", "objectType", "VIEW", "objectName", quoteAll(t.Name))
		}
		part, err := r.onePartition(p, t, x.Partition)
		if err != nil {
			return nil, err
		}
		if x.Extended {
			out.Rows = append(out.Rows, []any{"", "", ""}, []any{"# Detailed Partition Information", "", ""})
			out.add([][2]string{{"Database", p.Database}, {"Table", p.Name}})
			out.add(r.partitionDetails(t, part))
			out.Rows = append(out.Rows, []any{"", "", ""}, []any{"# Storage Information", "", ""})
			if t.Buckets > 0 {
				out.add([][2]string{{"Num Buckets", strconv.Itoa(t.Buckets)}, {"Bucket Columns", idList(t.BucketBy)}, {"Sort Columns", idList(t.SortBy)}})
			}
			out.add([][2]string{{"Location", t.Location}})
			if len(t.Options) > 0 {
				out.add([][2]string{{"Storage Properties", pairs(t.Options)}})
			}
		}
	case x.Extended:
		out.Rows = append(out.Rows, []any{"", "", ""}, []any{"# Detailed Table Information", "", ""})
		out.add(r.details(t))
	}
	if len(t.Defaults) > 0 {
		out.Rows = append(out.Rows, []any{"", "", ""}, []any{"# Column Default Values", "", ""})
		for _, f := range schema.Fields {
			if d, ok := t.Defaults[f.Name]; ok {
				out.Rows = append(out.Rows, []any{f.Name, f.Type.String(), d})
			}
		}
	}
	return out, nil
}

// add appends name and value rows.
func (r *Result) add(rows [][2]string) {
	for _, x := range rows {
		r.Rows = append(r.Rows, []any{x[0], x[1], ""})
	}
}

func partitionRows(t *catalog.Table) [][]any {
	if len(t.Partition) == 0 {
		return nil
	}
	rows := [][]any{{"# Partition Information", "", ""}, {"# col_name", "data_type", "comment"}}
	for _, name := range t.Partition {
		for _, f := range t.Schema.Fields {
			if strings.EqualFold(f.Name, name) {
				rows = append(rows, []any{f.Name, f.Type.String(), comment(f)})
			}
		}
	}
	return rows
}

// moment prints a time as the JVM's Date does.
func (r *runner) moment(ms int64) string {
	zone := time.UTC
	if s := r.Analysis(r.ctx).Session; s != nil && s.Zone != nil {
		zone = s.Zone
	}
	return time.UnixMilli(ms).In(zone).Format("Mon Jan 02 15:04:05 MST 2006")
}

// details are the rows of "Detailed Table Information".
func (r *runner) details(t *catalog.Table) [][2]string {
	d := [][2]string{{"Catalog", t.Name[0]}, {"Database", t.Name[1]}, {"Table", t.Name[2]}}
	if t.Owner != "" {
		d = append(d, [2]string{"Owner", t.Owner})
	}
	d = append(d, [][2]string{{"Created Time", r.moment(t.Created)}, {"Last Access", "UNKNOWN"}, {"Created By", "Spark " + version}, {"Type", t.Kind}}...)
	add := func(k, v string) {
		if v != "" {
			d = append(d, [2]string{k, v})
		}
	}
	if t.Kind != "VIEW" {
		add("Provider", t.Provider)
	}
	if t.Buckets > 0 {
		add("Num Buckets", strconv.Itoa(t.Buckets))
		add("Bucket Columns", idList(t.BucketBy))
		add("Sort Columns", idList(t.SortBy))
	}
	add("Comment", t.Comment)
	if t.Kind == "VIEW" {
		add("View Text", t.ViewText)
		add("View Original Text", t.ViewText)
		add("View Schema Mode", r.shownMode(t))
		add("View Catalog and Namespace", joinQuoted(t.ViewPath))
		add("View Query Output Columns", idList(t.ViewCols))
	}
	add("Table Properties", pairs(t.Properties))
	if s := t.Stats; s != nil && s.Bytes >= 0 {
		v := fmt.Sprintf("%d bytes", s.Bytes)
		if s.Rows >= 0 {
			v += fmt.Sprintf(", %d rows", s.Rows)
		}
		add("Statistics", v)
	}
	add("Location", t.Location)
	if t.Kind != "VIEW" {
		add("Storage Properties", pairs(t.Options))
		if len(t.Partition) > 0 {
			add("Partition Provider", "Catalog")
		}
	}
	return d
}

// version is the Spark version whose behaviour the results follow.
const version = "4.2.0"

func joinQuoted(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.QuoteIfNeeded(p)
	}
	return strings.Join(q, ".")
}

func idList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = types.Quote(n)
	}
	return "[" + strings.Join(q, ", ") + "]"
}

// pairs prints properties sorted by key; secrets are hidden.
func pairs(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	var parts []string
	for _, k := range sortedKeys(m) {
		parts = append(parts, k+"="+redact(k, m[k]))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// redact hides values whose keys look like secrets.
func redact(key, value string) string {
	k := strings.ToLower(key)
	for _, s := range []string{"secret", "password", "token", "access.key", "accesskey"} {
		if strings.Contains(k, s) {
			return "*********(redacted)"
		}
	}
	return value
}

func (r *runner) viewDetails(v *catalog.TempView) [][2]string {
	if v == nil {
		return nil
	}
	d := [][2]string{{"Table", v.Name[len(v.Name)-1]}, {"Created Time", r.moment(0)}, {"Last Access", "UNKNOWN"}, {"Created By", "Spark " + version}, {"Type", "VIEW"}}
	if v.Text != "" {
		d = append(d, [2]string{"View Text", v.Text})
	}
	return d
}

// describeColumn is DESCRIBE table column.
func (r *runner) describeColumn(x *logical.DescribeTable, t *catalog.Table, v *catalog.TempView, s *types.Schema) (*Result, error) {
	if len(x.Partition) > 0 {
		return nil, sparkerr.New("UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_PARTITION")
	}
	var f *types.Field
	for i := range s.Fields {
		if strings.EqualFold(s.Fields[i].Name, x.Column[0]) {
			f = &s.Fields[i]
		}
	}
	if f == nil {
		names := make([]string, len(s.Fields))
		for i, g := range s.Fields {
			names[i] = types.Quote(g.Name)
		}
		return nil, sparkerr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", quoteAll(x.Column), "proposal", strings.Join(names, ", "))
	}
	if len(x.Column) > 1 {
		return nil, sparkerr.New("_LEGACY_ERROR_TEMP_1060", "command", "DESC TABLE COLUMN", "column", joinQuoted(x.Column))
	}
	out := &Result{Schema: text("info_name", "info_value?")}
	row := func(k string, v any) { out.Rows = append(out.Rows, []any{k, v}) }
	row("col_name", f.Name)
	row("data_type", f.Type.String())
	row("comment", comment(*f))
	if x.Extended {
		var c *catalog.ColumnStats
		if t != nil && t.Stats != nil {
			if cs, ok := t.Stats.Columns[f.Name]; ok {
				c = &cs
			}
		}
		for _, kv := range statRows(c, f.Type) {
			row(kv.key, kv.value)
		}
	}
	return out, nil
}

type statRow struct {
	key   string
	value any
}

func statRows(c *catalog.ColumnStats, t types.Type) []statRow {
	var lo, hi, nulls, distinct, avg, most any
	if c != nil {
		if c.Min != nil {
			lo = expr.ValueSQL(c.Min, t)
		}
		if c.Max != nil {
			hi = expr.ValueSQL(c.Max, t)
		}
		if c.Nulls >= 0 {
			nulls = strconv.FormatInt(c.Nulls, 10)
		}
		if c.Distinct >= 0 {
			distinct = strconv.FormatInt(c.Distinct, 10)
		}
		if c.AvgLen > 0 {
			avg = strconv.FormatInt(int64(c.AvgLen+0.999999), 10)
			most = avg
		}
	}
	return []statRow{{"min", lo}, {"max", hi}, {"num_nulls", nulls}, {"distinct_count", distinct}, {"avg_col_len", avg}, {"max_col_len", most}, {"histogram", nil}}
}

func (r *runner) describeNamespace(x *logical.DescribeNamespace) (*Result, error) {
	name, err := r.name(x.Target)
	if err != nil {
		return nil, err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return nil, err
	}
	d, err := r.cat.Database(cat, db)
	if err != nil {
		return nil, err
	}
	out := &Result{Schema: text("info_name", "info_value"), Rows: [][]any{{"Catalog Name", cat}, {"Namespace Name", d.Name}}}
	for _, kv := range [][2]string{{"Comment", d.Comment}, {"Location", d.Location}, {"Owner", d.Owner}, {"Collation", d.Collation}} {
		if kv[1] != "" {
			out.Rows = append(out.Rows, []any{kv[0], kv[1]})
		}
	}
	if x.Extended {
		var parts []string
		for _, k := range sortedKeys(d.Properties) {
			parts = append(parts, "("+k+","+redact(k, d.Properties[k])+")")
		}
		v := ""
		if len(parts) > 0 {
			v = "(" + strings.Join(parts, ", ") + ")"
		}
		out.Rows = append(out.Rows, []any{"Properties", v})
	}
	return out, nil
}

func (r *runner) describeFunction(x *logical.DescribeFunction) (*Result, error) {
	name, err := r.name(x.Target)
	if err != nil {
		return nil, err
	}
	out := &Result{Schema: text("function_desc")}
	say := func(s string) { out.Rows = append(out.Rows, []any{s}) }
	if f, err := r.cat.Function(name, nil); err != nil {
		return nil, err
	} else if f != nil {
		for _, l := range r.userFunction(f, x.Extended) {
			say(l)
		}
		return out, nil
	}
	row, ok := function.Lookup(name[len(name)-1])
	if !ok || row.Internal {
		e := sparkerr.New("UNRESOLVED_ROUTINE", "routineName", quoteAll(name), "searchPath", r.searchPath())
		return nil, e.At(analyzer.Place(x.At))
	}
	say("Function: " + strings.ToLower(name[len(name)-1]))
	say("Class: org.apache.spark.sql.catalyst.expressions." + className(row))
	say("Usage: " + row.Usage)
	if x.Extended {
		say("Extended Usage:" + extendedUsage(row))
	}
	return out, nil
}

// className is the name of a function in camel case, as the class that implements it elsewhere is mostly called.
func className(row *function.Row) string {
	var b strings.Builder
	for _, w := range strings.Split(row.Name, "_") {
		if w != "" {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

func extendedUsage(row *function.Row) string {
	var b strings.Builder
	if len(row.Examples) > 0 {
		b.WriteString("\n    Examples:\n")
		for _, e := range row.Examples {
			sql := e.SQL
			if !strings.HasPrefix(strings.ToUpper(sql), "SELECT ") {
				sql = "SELECT " + sql
			}
			b.WriteString("      > " + sql + ";\n       " + e.Result + "\n")
		}
		b.WriteString("  \n")
	}
	if row.Since != "" {
		b.WriteString("    Since: " + row.Since + "\n")
	}
	return b.String()
}

// userFunction describes a function of the user, a line each.
func (r *runner) userFunction(f *catalog.Function, extended bool) []string {
	width := 10
	if extended {
		width = 15
	}
	line := func(k, v string) string { return fmt.Sprintf("%-*s%s", width, k, v) }
	kind := "SCALAR"
	if f.Table != nil {
		kind = "TABLE"
	}
	out := []string{line("Function:", strings.Join(f.Name, ".")), line("Type:", kind)}
	for i, p := range f.Params {
		head := ""
		if i == 0 {
			head = "Input:"
		}
		s := p.Name + " " + p.Type.SQL()
		if extended && p.Default != "" {
			s += " DEFAULT " + p.Default
		}
		if p.Comment != "" {
			s += " '" + p.Comment + "'"
		}
		out = append(out, line(head, s))
	}
	if len(f.Params) == 0 {
		out = append(out, line("Input:", "()"))
	}
	if f.Table != nil {
		for i, c := range f.Table.Fields {
			head := ""
			if i == 0 {
				head = "Returns:"
			}
			out = append(out, line(head, c.Name+" "+c.Type.SQL()))
		}
	} else {
		out = append(out, line("Returns:", f.Returns.SQL()))
	}
	if !extended {
		return out
	}
	if f.Comment != "" {
		out = append(out, line("Comment:", f.Comment))
	}
	access := "CONTAINS SQL"
	if f.Query || f.Table != nil {
		access = "READS SQL DATA"
	}
	out = append(out, line("Deterministic:", boolText(f.Deterministic)), line("Data Access:", access))
	if f.Owner != "" {
		out = append(out, line("Owner:", f.Owner))
	}
	return append(out, line("Create Time:", r.moment(f.Created)), line("Body:", f.Body))
}
