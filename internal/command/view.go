package command

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// createView executes CREATE VIEW, ALTER VIEW … AS, createTempView and CREATE TEMPORARY VIEW … USING.
func (r *runner) createView(x *logical.CreateView) error {
	name, err := r.name(logical.Target{Name: x.Name, NameExpr: x.NameExpr, At: x.At})
	if err != nil {
		return err
	}
	if x.Alter && r.cat.TempView(name) != nil {
		y := *x
		y.Temp, y.Global, y.Replace = len(name) == 1, len(name) == 2, true
		x = &y
	}
	if x.Temp || x.Global {
		return r.createTempView(x, name)
	}
	return r.createStoredView(x, name)
}

func (r *runner) createTempView(x *logical.CreateView, name []string) error {
	if len(name) > 1 && !x.Alter {
		if !(x.Global && strings.EqualFold(name[0], catalog.GlobalTemp) && len(name) == 2) {
			return sparkerr.New("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", quoteAll(name))
		}
	}
	cat, db := r.cat.Current()
	v := &catalog.TempView{Name: name[len(name)-1:], Text: x.Text, Path: []string{cat, db}, Comment: x.Comment, Props: x.Properties}
	if x.Using != "" {
		v.Plan = &logical.DataSource{Format: x.Using, Options: x.Options, Schema: x.Schema, Paths: paths(x.Options)}
	} else {
		v.Plan = x.Query
	}
	if x.IfNotExists && r.cat.TempView(name) != nil {
		return nil
	}
	p, err := analyzer.Analyze(r.uncached(), v.Plan.(logical.Plan))
	if err != nil {
		return err
	}
	out := p.Output()
	if err := viewArity(x, name, out); err != nil {
		return err
	}
	if x.Using == "" && (x.Text == "" || hasParams(x.Query)) {
		v.Plan, v.Resolved, v.Columns = p, true, viewColumns(x)
	} else {
		v.Schema = viewSchema(x, out)
	}
	if old := r.cat.TempView(name); old != nil && (x.Replace || x.Alter) {
		if recursive(x.Query, name) && old.Text != "" && x.Text != "" {
			return recursiveView(name)
		}
		r.uncacheName(old.Name)
	}
	return r.cat.CreateTempView(v, x.Global, x.Replace || x.Alter)
}

func paths(options map[string]string) []string {
	for k, v := range options {
		if strings.EqualFold(k, "path") {
			return []string{v}
		}
	}
	return nil
}

// hasParams says whether a parsed query has values bound to it that its text has not.
func hasParams(p logical.Plan) bool {
	found := false
	if p == nil {
		return false
	}
	logical.Walk(p, func(n logical.Plan) bool {
		switch n.(type) {
		case *logical.WithParams, *logical.WithRelations:
			found = true
		}
		return !found
	})
	return found
}

func viewColumns(x *logical.CreateView) []catalog.ViewColumn {
	var out []catalog.ViewColumn
	for _, c := range x.Columns {
		out = append(out, catalog.ViewColumn{Name: c.Name, Comment: c.Comment})
	}
	return out
}

// viewSchema are the view's columns: those of the query, with the names and comments of the column list.
func viewSchema(x *logical.CreateView, out []*expr.Column) *types.Schema {
	s := schemaOfColumns(out)
	for i := range s.Fields {
		if i < len(x.Columns) {
			s.Fields[i].Name = x.Columns[i].Name
			if c := x.Columns[i].Comment; c != "" {
				if m, err := withMetadata(s.Fields[i].Metadata, "comment", &c); err == nil {
					s.Fields[i].Metadata = m
				}
			}
		}
	}
	return s
}

func viewArity(x *logical.CreateView, name []string, out []*expr.Column) error {
	if len(x.Columns) == 0 || len(x.Columns) == len(out) {
		return nil
	}
	sub := "TOO_MANY_DATA_COLUMNS"
	if len(x.Columns) > len(out) {
		sub = "NOT_ENOUGH_DATA_COLUMNS"
	}
	var view, data []string
	for _, c := range x.Columns {
		view = append(view, types.Quote(c.Name))
	}
	for _, c := range out {
		data = append(data, types.Quote(c.Name))
	}
	return sparkerr.New("CREATE_VIEW_COLUMN_ARITY_MISMATCH."+sub, "viewName", quoteAll(name), "viewColumns", strings.Join(view, ", "), "dataColumns", strings.Join(data, ", "))
}

// recursive says whether a parsed query names a relation.
func recursive(p logical.Plan, name []string) bool {
	found := false
	analyzer.EachRelation(p, func(n []string) {
		if len(n) <= len(name) && strings.EqualFold(strings.Join(n, "."), strings.Join(name[len(name)-len(n):], ".")) {
			found = true
		}
	})
	return found
}

func recursiveView(name []string) error {
	q := quoteAll(name)
	return sparkerr.New("RECURSIVE_VIEW", "viewIdent", q, "newPath", q+" -> "+q)
}

// createStoredView makes a view of the catalog.
func (r *runner) createStoredView(x *logical.CreateView, name []string) error {
	p, err := r.cat.Place(name)
	if err != nil {
		return err
	}
	old, err := r.cat.Table(p)
	if err != nil {
		return err
	}
	switch {
	case old == nil && x.Alter:
		return r.notFound(name, x.At)
	case old != nil && x.IfNotExists:
		return nil
	case old != nil && old.Kind != "VIEW":
		if x.Alter {
			return sparkerr.New("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "tableName", p.String(), "operation", "ALTER VIEW ... AS")
		}
		if x.Replace {
			return sparkerr.New("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "tableName", p.String(), "operation", "CREATE OR REPLACE VIEW")
		}
		return sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", p.String())
	case old != nil && !x.Replace && !x.Alter:
		return sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", p.String())
	}
	if err := r.noTemporary(x.Query, p); err != nil {
		return err
	}
	plan, err := analyzer.Analyze(r.uncached(), x.Query)
	if err != nil {
		return err
	}
	out := plan.Output()
	if err := viewArity(x, p.Parts(), out); err != nil {
		return err
	}
	if old != nil && recursive(x.Query, p.Parts()) {
		return recursiveView(p.Parts())
	}
	t, err := r.storedView(x, p, out)
	if err != nil {
		return err
	}
	if old == nil {
		_, err = r.cat.CreateTable(p, t, false)
		return err
	}
	if x.Alter {
		t.Comment, t.Properties, t.Created = old.Comment, old.Properties, old.Created
	}
	r.uncacheName(p.Parts())
	return r.cat.AlterTable(p, t)
}

func (r *runner) storedView(x *logical.CreateView, p catalog.Place, out []*expr.Column) (*catalog.Table, error) {
	var err error
	cat, db := r.cat.Current()
	t := &catalog.Table{Name: p.Parts(), Kind: "VIEW", ViewText: x.Text, ViewPath: []string{cat, db}, Comment: x.Comment, Properties: x.Properties,
		Created: r.Now(), Schema: viewSchema(x, out), ViewConf: map[string]string{}}
	if t.ViewMode, err = r.viewMode(x.Binding, len(x.Columns) > 0); err != nil {
		return nil, err
	}
	for _, c := range out {
		t.ViewCols = append(t.ViewCols, c.Name)
	}
	for i, f := range t.Schema.Fields {
		for _, g := range t.Schema.Fields[:i] {
			if strings.EqualFold(f.Name, g.Name) {
				return nil, sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(f.Name)))
			}
		}
	}
	v := r.Conf().Values()
	for _, k := range []string{"spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.caseSensitive"} {
		t.ViewConf[k] = v.String(k)
	}
	return t, nil
}

const bindingMode = "spark.sql.legacy.viewSchemaBindingMode"

// viewMode is how a view follows changes below it: as the statement says, or the session's default.
func (r *runner) viewMode(asked string, named bool) (string, error) {
	v := r.Conf().Values()
	switch {
	case asked != "" && !v.Bool(bindingMode):
		return "", sparkerr.New("FEATURE_NOT_ENABLED", "featureName", "VIEW ... WITH SCHEMA ...", "configKey", bindingMode, "configValue", "true")
	case asked == "EVOLUTION" && named: // names that the user gave stay
		return "TYPE EVOLUTION", nil
	case asked != "":
		return asked, nil
	case v.Bool("spark.sql.legacy.viewSchemaCompensation"):
		return "COMPENSATION", nil
	}
	return "BINDING", nil
}

// shownMode is a view's mode as DESCRIBE and SHOW print it; empty where the session does not know modes.
func (r *runner) shownMode(t *catalog.Table) string {
	switch {
	case !r.Conf().Values().Bool(bindingMode):
		return ""
	case t.ViewMode == "":
		return "BINDING"
	}
	return t.ViewMode
}

// alterViewSchema executes ALTER VIEW … WITH SCHEMA.
func (r *runner) alterViewSchema(x *logical.AlterViewSchema) error {
	p, t, v, err := r.table(x.Target)
	if err != nil {
		return err
	}
	if v != nil || t.Kind != "VIEW" {
		return sparkerr.New("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "tableName", p.String(), "operation", "ALTER VIEW ... WITH SCHEMA")
	}
	q := *t
	named := false
	for i, f := range t.Schema.Fields {
		named = named || i < len(t.ViewCols) && f.Name != t.ViewCols[i]
	}
	if q.ViewMode, err = r.viewMode(x.Mode, named); err != nil {
		return err
	}
	return r.cat.AlterTable(p, &q)
}

// noTemporary: what is stored may not refer to what ends with the session.
func (r *runner) noTemporary(q logical.Plan, p catalog.Place) error {
	var bad error
	analyzer.EachRelation(q, func(n []string) {
		if bad == nil && r.cat.TempView(n) != nil {
			bad = sparkerr.New("INVALID_TEMP_OBJ_REFERENCE", "obj", "VIEW", "objName", p.String(), "tempObj", "VIEW", "tempObjName", quoteAll(n))
		}
	})
	return bad
}

// showCreateTable prints the statement that makes a table or view.
func (r *runner) showCreateTable(x *logical.ShowCreateTable) (*Result, error) {
	p, t, v, err := r.table(x.Target)
	if err != nil {
		return nil, err
	}
	if v != nil {
		e := sparkerr.New("EXPECT_PERMANENT_VIEW_NOT_TEMP", "viewName", quoteAll(v.Name), "operation", "SHOW CREATE TABLE")
		return nil, e.At(analyzer.Place(x.At))
	}
	if x.AsSerde && t.Kind != "VIEW" {
		return nil, sparkerr.New("UNSUPPORTED_SHOW_CREATE_TABLE.ON_DATA_SOURCE_TABLE_WITH_AS_SERDE", "tableName", p.String())
	}
	stmt := ""
	if t.Kind == "VIEW" {
		stmt = viewStatement(p, t, r.shownMode(t))
	} else {
		stmt = tableStatement(p, t)
	}
	return &Result{Schema: text("createtab_stmt"), Rows: [][]any{{stmt}}}, nil
}

func plainName(parts []string) string { return joinQuoted(parts) }

func viewStatement(p catalog.Place, t *catalog.Table, mode string) string {
	var b strings.Builder
	b.WriteString("CREATE VIEW " + plainName([]string{p.Database, p.Name}) + " (\n")
	for i, f := range t.Schema.Fields {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  " + types.QuoteIfNeeded(f.Name))
		if c := comment(f); c != nil {
			b.WriteString(" COMMENT '" + escape(c.(string)) + "'")
		}
	}
	b.WriteString(")\n")
	if t.Comment != "" {
		b.WriteString("COMMENT '" + escape(t.Comment) + "'\n")
	}
	properties(&b, "TBLPROPERTIES", t.Properties)
	if mode != "" {
		b.WriteString("WITH SCHEMA " + mode + "\n")
	}
	b.WriteString("AS " + t.ViewText + "\n")
	return b.String()
}

func escape(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) }

func properties(b *strings.Builder, word string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	var parts []string
	for _, k := range sortedKeys(m) {
		parts = append(parts, "  '"+escape(k)+"' = '"+escape(redact(k, m[k]))+"'")
	}
	b.WriteString(word + " (\n" + strings.Join(parts, ",\n") + ")\n")
}

func tableStatement(p catalog.Place, t *catalog.Table) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + plainName(p.Parts()) + " (\n")
	for i, f := range t.Schema.Fields {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  " + types.QuoteIfNeeded(f.Name) + " " + f.Type.SQL())
		if f.Type.Kind == types.StringKind && f.Type.Char == 0 && f.Type.Collation == "" {
			b.WriteString(" COLLATE UTF8_BINARY")
		}
		if d, ok := t.Defaults[f.Name]; ok {
			b.WriteString(" DEFAULT " + d)
		}
		if c := comment(f); c != nil {
			b.WriteString(" COMMENT '" + escape(c.(string)) + "'")
		}
	}
	b.WriteString(")\nUSING " + t.Provider + "\n")
	properties(&b, "OPTIONS", t.Options)
	if len(t.Partition) > 0 {
		b.WriteString("PARTITIONED BY (" + nameList(t.Partition) + ")\n")
	}
	if t.Buckets > 0 {
		b.WriteString("CLUSTERED BY (" + nameList(t.BucketBy) + ")\n")
		if len(t.SortBy) > 0 {
			b.WriteString("SORTED BY (" + nameList(t.SortBy) + ")\n")
		}
		b.WriteString("INTO " + strconv.Itoa(t.Buckets) + " BUCKETS\n")
	}
	if t.Comment != "" {
		b.WriteString("COMMENT '" + escape(t.Comment) + "'\n")
	}
	if t.Kind == "EXTERNAL" {
		b.WriteString("LOCATION '" + t.Location + "'\n")
	}
	properties(&b, "TBLPROPERTIES", t.Properties)
	return b.String()
}

func nameList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = types.QuoteIfNeeded(n)
	}
	return strings.Join(q, ", ")
}
