package command

import (
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// alter executes ALTER and COMMENT ON.
func (r *runner) alter(c logical.Command) (*Result, bool, error) {
	var err error
	switch x := c.(type) {
	case *logical.AlterNamespace:
		err = r.alterNamespace(x)
	case *logical.RenameTable:
		err = r.renameTable(x)
	case *logical.SetTableProperties:
		err = r.setProperties(x.Target, x.View, x.Properties, nil)
	case *logical.UnsetTableProperties:
		err = r.setProperties(x.Target, x.View, nil, x.Keys)
	case *logical.AddColumns:
		err = r.addColumns(x)
	case *logical.ReplaceColumns:
		err = r.unsupported(x.Target, "REPLACE COLUMNS")
	case *logical.RenameColumn:
		err = r.unsupported(x.Target, "RENAME COLUMN")
	case *logical.RemoveColumns:
		err = r.unsupported(x.Target, "DROP COLUMN")
	case *logical.AlterColumns:
		err = r.alterColumns(x.Target, x.Columns)
	case *logical.ChangeColumn:
		y := x.Column
		y.Name = x.From
		err = r.alterColumns(x.Target, []logical.ColumnChange{y})
	case *logical.CommentOn:
		err = r.commentOn(x)
	case *logical.AddConstraint:
		err = r.unsupported(x.Target, "ADD CONSTRAINT")
	case *logical.DropConstraint:
		err = r.unsupported(x.Target, "DROP CONSTRAINT")
	case *logical.AlterClusterBy:
		err = r.unsupported(x.Target, "ALTER TABLE ... CLUSTER BY")
	case *logical.AlterCollation:
		err = r.unsupported(x.Target, "DEFAULT COLLATION")
	case *logical.SetSerde:
		err = r.setSerde(x)
	case *logical.AlterViewSchema:
		err = r.alterViewSchema(x)
	default:
		return r.alterPartitions(c)
	}
	return nil, true, err
}

func (r *runner) alterNamespace(x *logical.AlterNamespace) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	cat, db, err := r.cat.Namespace(name)
	if err != nil {
		return err
	}
	old, err := r.cat.Database(cat, db)
	if err != nil {
		return err
	}
	d := *old
	d.Properties = map[string]string{}
	for k, v := range old.Properties {
		d.Properties[k] = v
	}
	for k, v := range x.Properties {
		d.Properties[k] = v
	}
	for _, k := range x.Unset {
		delete(d.Properties, k)
	}
	if x.Location != "" {
		d.Location = x.Location
	}
	if x.Collation != "" {
		d.Collation = x.Collation
	}
	return r.cat.AlterDatabase(cat, &d)
}

func (r *runner) commentOn(x *logical.CommentOn) error {
	text := ""
	if x.Comment != nil {
		text = *x.Comment
	}
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	if x.Namespace {
		cat, db, err := r.cat.Namespace(name)
		if err != nil {
			return err
		}
		old, err := r.cat.Database(cat, db)
		if err != nil {
			return err
		}
		d := *old
		d.Comment = text
		return r.cat.AlterDatabase(cat, &d)
	}
	return r.change(x.Target, "COMMENT ON TABLE", false, func(p catalog.Place, t *catalog.Table) error {
		t.Comment = text
		return nil
	})
}

// change replaces the description of a table (or of a view too) by a changed copy.
func (r *runner) change(target logical.Target, what string, tablesOnly bool, f func(p catalog.Place, t *catalog.Table) error) error {
	p, t, v, err := r.table(target)
	if err != nil {
		return err
	}
	if v != nil || tablesOnly && t.Kind == "VIEW" {
		name := p.Parts()
		if v != nil {
			name = v.Name
		}
		return sparkerr.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", quoteAll(name), "operation", what)
	}
	q := *t
	if err := f(p, &q); err != nil {
		return err
	}
	if err := r.cat.AlterTable(p, &q); err != nil {
		return err
	}
	r.Changed(t.Location)
	return nil
}

func (r *runner) unsupported(target logical.Target, operation string) error {
	p, _, err := r.realTable(target, "ALTER TABLE ... "+operation)
	if err != nil {
		return err
	}
	return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", operation)
}

func (r *runner) renameTable(x *logical.RenameTable) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	to := x.To[len(x.To)-1]
	if v := r.cat.TempView(name); v != nil {
		if r.cat.TempView(append(name[:len(name)-1:len(name)-1], to)) != nil {
			return sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.Quote(to))
		}
		q := *v
		q.Name = []string{to}
		r.cat.DropTempView(name)
		return r.cat.CreateTempView(&q, len(name) == 2, false)
	}
	p, t, _, err := r.byName(name, x.At)
	if err != nil {
		return err
	}
	switch {
	case x.View && t.Kind != "VIEW":
		return sparkerr.New("EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE", "tableName", p.String(), "operation", "ALTER VIEW ... RENAME TO")
	case !x.View && t.Kind == "VIEW":
		return sparkerr.New("EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "viewName", p.String(), "operation", "ALTER TABLE ... RENAME TO")
	case len(x.To) > 1 && r.cat.Key(x.To[len(x.To)-2]) != p.Database:
		return sparkerr.New("CANNOT_RENAME_ACROSS_SCHEMA", "type", strings.ToLower(map[bool]string{true: "VIEW", false: "TABLE"}[x.View]))
	}
	r.uncacheName(name)
	location := ""
	if t.Kind == "MANAGED" {
		if location, err = r.moveFiles(p, t, to); err != nil {
			return err
		}
	}
	return r.cat.RenameTable(p, to, location)
}

// moveFiles renames a managed table's directory.
func (r *runner) moveFiles(p catalog.Place, t *catalog.Table, to string) (string, error) {
	q := p
	q.Name = r.cat.Key(to)
	if other, err := r.cat.Table(q); err != nil {
		return "", err
	} else if other != nil {
		return "", sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", q.String())
	}
	location, err := r.cat.DefaultLocation(q)
	if err != nil {
		return "", err
	}
	f, from, err := r.FS().Resolve(t.Location)
	if err != nil {
		return "", err
	}
	_, path, err := r.FS().Resolve(location)
	if err != nil {
		return "", err
	}
	if ok, err := r.exists(t.Location); err != nil || !ok {
		return f.URI(path), err
	}
	r.Changed(t.Location)
	return f.URI(path), f.Rename(r.ctx, from, path)
}

func (r *runner) setProperties(target logical.Target, view bool, set map[string]string, unset []string) error {
	p, t, _, err := r.table(target)
	if err != nil {
		return err
	}
	switch {
	case t == nil:
		return sparkerr.New("EXPECT_PERMANENT_VIEW_NOT_TEMP", "viewName", quoteAll(target.Name), "operation", "ALTER VIEW ... SET TBLPROPERTIES")
	case view && t.Kind != "VIEW":
		return sparkerr.New("EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE", "tableName", p.String(), "operation", "ALTER VIEW ... SET TBLPROPERTIES")
	case !view && t.Kind == "VIEW":
		return sparkerr.New("EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "viewName", p.String(), "operation", "ALTER TABLE ... SET TBLPROPERTIES")
	}
	q := *t
	q.Properties = map[string]string{}
	for k, v := range t.Properties {
		q.Properties[k] = v
	}
	for k, v := range set {
		if k == "comment" {
			q.Comment = v
			continue
		}
		q.Properties[k] = v
	}
	for _, k := range unset {
		if k == "comment" {
			q.Comment = ""
		}
		delete(q.Properties, k)
	}
	return r.cat.AlterTable(p, &q)
}

func (r *runner) setSerde(x *logical.SetSerde) error {
	if x.Serde != "" {
		return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", quoteAll(x.Name), "operation", "SET SERDE")
	}
	return r.change(x.Target, "ALTER TABLE ... SET SERDEPROPERTIES", true, func(_ catalog.Place, t *catalog.Table) error {
		options := map[string]string{}
		for k, v := range t.Options {
			options[k] = v
		}
		for k, v := range x.Properties {
			options[strings.ToLower(k)] = v
		}
		t.Options = options
		return nil
	})
}

func (r *runner) addColumns(x *logical.AddColumns) error {
	return r.change(x.Target, "ALTER TABLE ... ADD COLUMNS", true, func(p catalog.Place, t *catalog.Table) error {
		data := len(t.Schema.Fields) - len(t.Partition)
		fields := append([]types.Field{}, t.Schema.Fields[:data]...)
		for _, c := range x.Columns {
			if len(c.Name) != 1 {
				return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "ADD COLUMN with nested columns")
			}
			if c.First || c.After != "" {
				return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "ADD COLUMN with position")
			}
			f := types.Field{Name: c.Name[0], Type: *c.Type, Nullable: c.Nullable == nil || *c.Nullable}
			var err error
			if f.Metadata, err = withMetadata("", "comment", c.Comment); err != nil {
				return err
			}
			if r.column(&types.Schema{Fields: append(fields, t.Schema.Fields[data:]...)}, f.Name) >= 0 {
				return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(f.Name)))
			}
			if c.Default != nil {
				t.Defaults = withDefault(t.Defaults, f.Name, *c.Default)
			}
			fields = append(fields, f)
		}
		t.Schema = &types.Schema{Fields: append(fields, t.Schema.Fields[data:]...)}
		for name, d := range t.Defaults {
			if err := r.checkDefault(t, name, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func withDefault(m map[string]string, name, sql string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	if sql == "" {
		delete(out, name)
	} else {
		out[name] = sql
	}
	return out
}

// alterColumns changes comments, defaults and widths of columns; other changes need a table format that can do them.
func (r *runner) alterColumns(target logical.Target, changes []logical.ColumnChange) error {
	return r.change(target, "ALTER TABLE ... ALTER COLUMN", true, func(p catalog.Place, t *catalog.Table) error {
		t.Schema = &types.Schema{Fields: append([]types.Field{}, t.Schema.Fields...)}
		for _, c := range changes {
			if err := r.alterColumn(p, t, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *runner) alterColumn(p catalog.Place, t *catalog.Table, c logical.ColumnChange) error {
	no := func(what string) error {
		return sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", what)
	}
	if len(c.Name) != 1 {
		return no("ALTER COLUMN with qualified column")
	}
	at := r.column(t.Schema, c.Name[0])
	if at < 0 {
		return sparkerr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", quoteAll(c.Name), "proposal", columnList(t.Schema))
	}
	f := &t.Schema.Fields[at]
	switch {
	case c.Nullable != nil:
		return no("ALTER COLUMN ... SET NOT NULL")
	case c.First || c.After != "":
		return no("ALTER COLUMN ... FIRST | AFTER")
	case c.Type != nil && !c.Type.SameType(f.Type) && !wider(f.Type, *c.Type):
		return sparkerr.New("NOT_SUPPORTED_CHANGE_COLUMN", "table", p.String(), "originName", types.Quote(f.Name), "originType", `"`+f.Type.SQL()+`"`,
			"newName", types.Quote(f.Name), "newType", `"`+c.Type.SQL()+`"`)
	case c.Type != nil:
		f.Type = *c.Type
	}
	if c.Comment != nil {
		m, err := withMetadata(f.Metadata, "comment", c.Comment)
		if err != nil {
			return err
		}
		f.Metadata = m
	}
	if c.DropDefault {
		t.Defaults = withDefault(t.Defaults, f.Name, "")
	}
	if c.Default != nil {
		t.Defaults = withDefault(t.Defaults, f.Name, *c.Default)
		return r.checkDefault(t, f.Name, *c.Default)
	}
	return nil
}

// wider says whether text of one length type may become another.
func wider(from, to types.Type) bool {
	return from.Kind == types.StringKind && to.Kind == types.StringKind && from.Collation == to.Collation && (to.Char == 0 || from.Char == 2 && to.Char == 2 && to.Length >= from.Length)
}
