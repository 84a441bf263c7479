package command

import (
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// insert executes INSERT INTO and OVERWRITE, insertInto and appends of saveAsTable. The query is resolved already.
func (r *runner) insert(x *logical.InsertInto) (*Result, error) {
	p, t, err := r.realTable(logical.Target{Name: x.Table, NameExpr: x.TableExpr, At: x.At}, "INSERT")
	if err != nil {
		return nil, err
	}
	if x.ReplaceWhen != nil || len(x.ReplaceBy) > 0 {
		return nil, sparkerr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", p.String(), "operation", "overwrite by filter")
	}
	static, err := r.values(t, x.Partition)
	if err != nil {
		return nil, err
	}
	if x.IfNotExists {
		if found, err := r.matching(p, t, x.Partition); err != nil || len(found) > 0 {
			return nil, err
		}
	}
	list, err := r.insertColumns(x, p, t, static)
	if err != nil {
		return nil, err
	}
	if x.Overwrite && reads(x.Query, t) {
		return nil, sparkerr.New("UNSUPPORTED_OVERWRITE.TABLE", "table", p.String())
	}
	w := &Write{Plan: &logical.Project{List: list, Child: x.Query}, Format: t.Provider, Path: t.Location, Mode: logical.Append,
		Partition: t.Partition, BucketBy: t.BucketBy, SortBy: t.SortBy, Buckets: t.Buckets, Options: t.Options, Table: t}
	if len(x.Options) > 0 {
		w.Options = map[string]string{}
		for k, v := range t.Options {
			w.Options[k] = v
		}
		for k, v := range lowered(x.Options) {
			w.Options[k] = v
		}
	}
	if x.Overwrite {
		w.Mode = logical.Overwrite
		w.Dynamic = len(t.Partition) > 0 && strings.EqualFold(r.Conf().Values().String("spark.sql.sources.partitionOverwriteMode"), "dynamic")
		for i, v := range static {
			if v != nil {
				if w.Static == nil {
					w.Static = map[string]string{}
				}
				w.Static[t.Partition[i]] = *v
			}
		}
	}
	done, err := r.Write(r.ctx, w)
	if err != nil {
		return nil, err
	}
	r.Changed(t.Location)
	var replaced []*string
	if x.Overwrite && !w.Dynamic {
		replaced = static
	}
	return nil, r.noteWritten(p, t, done, replaced)
}

// noteWritten adds the partitions that a write made to the catalog; those that an overwrite replaced and that got no rows go.
// Statistics no longer hold.
func (r *runner) noteWritten(p catalog.Place, t *catalog.Table, done *Written, replaced []*string) error {
	if t.Stats != nil {
		q := *t
		q.Stats = nil
		if err := r.cat.AlterTable(p, &q); err != nil {
			return err
		}
	}
	if len(t.Partition) == 0 || done == nil {
		return nil
	}
	old, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	var list []*catalog.Partition
	for _, q := range old {
		gone := replaced != nil
		for i, v := range replaced {
			gone = gone && (v == nil || q.Values[i] == *v)
		}
		if !gone {
			list = append(list, q)
		}
	}
	for i := range done.Partitions {
		q := done.Partitions[i]
		if !known(list, q.Values) {
			q.Null, q.Created = nulls(q.Values), r.Now()
			list = append(list, &q)
		}
	}
	return r.cat.SetPartitions(p, list)
}

// insertColumns makes the table's columns of the query's: by position, by the column list or by name, with constants for
// static partitions, defaults for what is missing, all cast under the rules of store assignment.
func (r *runner) insertColumns(x *logical.InsertInto, p catalog.Place, t *catalog.Table, static []*string) ([]expr.Expr, error) {
	in := x.Query.Output()
	target := make([]expr.Expr, len(t.Schema.Fields))
	var free []int // columns that the query fills
	for i, f := range t.Schema.Fields {
		v, err := r.staticValue(x, t, f, static)
		if err != nil {
			return nil, err
		}
		if v == nil {
			free = append(free, i)
		}
		target[i] = v
	}
	var err error
	switch {
	case x.ByName:
		err = r.fillByName(p, t, in, free, target)
	case x.Columns != nil:
		err = r.fillByList(x, p, t, in, free, target)
	default:
		err = r.fillByPosition(p, t, in, free, target)
	}
	if err != nil {
		return nil, err
	}
	list := make([]expr.Expr, len(target))
	for i, f := range t.Schema.Fields {
		e := target[i]
		if e == nil {
			if e, err = r.defaultOf(t, f); err != nil {
				return nil, err
			}
		}
		if e, err = r.assign(p, f, e); err != nil {
			return nil, err
		}
		list[i] = &expr.Alias{Child: e, Name: f.Name, ID: expr.NextID()}
	}
	return list, nil
}

// staticValue is the constant that the PARTITION clause gives a column; nil if it gives none.
func (r *runner) staticValue(x *logical.InsertInto, t *catalog.Table, f types.Field, static []*string) (expr.Expr, error) {
	for i, n := range t.Partition {
		if n != f.Name || static[i] == nil {
			continue
		}
		for _, s := range x.Partition {
			if strings.EqualFold(s.Column, n) {
				v, _, err := analyzer.Constant(r.Analysis(r.ctx), s.Value, f.Type)
				return &expr.Literal{Value: v, T: f.Type}, err
			}
		}
	}
	return nil, nil
}

func arity(sub string, p catalog.Place, t *catalog.Table, in []*expr.Column) error {
	data := make([]string, len(in))
	for i, c := range in {
		data[i] = types.Quote(c.Name)
	}
	return sparkerr.New("INSERT_COLUMN_ARITY_MISMATCH."+sub, "tableName", p.String(), "tableColumns", columnList(t.Schema), "dataColumns", strings.Join(data, ", "))
}

func (r *runner) fillByPosition(p catalog.Place, t *catalog.Table, in []*expr.Column, free []int, target []expr.Expr) error {
	switch {
	case len(in) > len(free):
		return arity("TOO_MANY_DATA_COLUMNS", p, t, in)
	case len(in) < len(free):
		return arity("NOT_ENOUGH_DATA_COLUMNS", p, t, in)
	}
	for k, i := range free {
		target[i] = in[k]
	}
	return nil
}

func (r *runner) fillByList(x *logical.InsertInto, p catalog.Place, t *catalog.Table, in []*expr.Column, free []int, target []expr.Expr) error {
	if len(x.Columns) != len(in) {
		sub := "TOO_MANY_DATA_COLUMNS"
		if len(in) < len(x.Columns) {
			sub = "NOT_ENOUGH_DATA_COLUMNS"
		}
		names := make([]string, len(x.Columns))
		for i, c := range x.Columns {
			names[i] = types.Quote(c)
		}
		data := make([]string, len(in))
		for i, c := range in {
			data[i] = types.Quote(c.Name)
		}
		return sparkerr.New("INSERT_COLUMN_ARITY_MISMATCH."+sub, "tableName", p.String(), "tableColumns", strings.Join(names, ", "), "dataColumns", strings.Join(data, ", "))
	}
	for k, name := range x.Columns {
		at := r.column(t.Schema, name)
		switch {
		case at < 0:
			e := sparkerr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(name), "proposal", columnList(t.Schema))
			return e.At(analyzer.Place(x.At))
		case target[at] != nil && !holds(free, at):
			return sparkerr.New("STATIC_PARTITION_COLUMN_IN_INSERT_COLUMN_LIST", "staticName", types.Quote(name))
		case target[at] != nil:
			return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
		}
		target[at] = in[k]
	}
	return nil
}

func holds(list []int, i int) bool {
	for _, k := range list {
		if k == i {
			return true
		}
	}
	return false
}

func (r *runner) fillByName(p catalog.Place, t *catalog.Table, in []*expr.Column, free []int, target []expr.Expr) error {
	var extra []string
	for _, c := range in {
		at := r.column(t.Schema, c.Name)
		switch {
		case at < 0 || !holds(free, at):
			extra = append(extra, types.Quote(c.Name))
		case target[at] != nil:
			return sparkerr.New("INCOMPATIBLE_DATA_FOR_TABLE.AMBIGUOUS_COLUMN_NAME", "tableName", p.String(), "colName", types.Quote(c.Name))
		default:
			target[at] = c
		}
	}
	if len(extra) > 0 {
		if len(in) > len(free) {
			return arity("TOO_MANY_DATA_COLUMNS", p, t, in)
		}
		return sparkerr.New("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "tableName", p.String(), "extraColumns", strings.Join(extra, ", "))
	}
	return nil
}

// defaultOf is the value of a column that an insert leaves out.
func (r *runner) defaultOf(t *catalog.Table, f types.Field) (expr.Expr, error) {
	sql, ok := t.Defaults[f.Name]
	if !ok {
		if !f.Nullable && t.Provider != "parquet" {
			return nil, sparkerr.New("NO_DEFAULT_COLUMN_VALUE_AVAILABLE", "colName", types.Quote(f.Name))
		}
		return &expr.Literal{T: f.Type}, nil
	}
	c := r.Analysis(r.ctx)
	e, err := c.Expr(sql)
	if err != nil {
		return nil, err
	}
	return analyzer.Expression(c, e)
}

// assign casts a value for a column: ANSI store assignment refuses casts that may lose the meaning.
func (r *runner) assign(p catalog.Place, f types.Field, e expr.Expr) (expr.Expr, error) {
	from, want := e.Type(), f.Type
	if want.Kind == types.StringKind && want.Char != 0 {
		return r.fixedText(p, f, e)
	}
	if from.SameType(want) {
		return e, nil
	}
	policy := strings.ToUpper(r.Conf().Values().String("spark.sql.storeAssignmentPolicy"))
	mode := expr.CastAnsi
	switch policy {
	case "LEGACY":
		if mode = expr.CastLegacy; r.Conf().Values().Bool("spark.sql.ansi.enabled") {
			mode = expr.CastAnsi
		}
		if !types.CanCast(from, want, mode == expr.CastAnsi) {
			return nil, unsafe(p, f, from)
		}
	default:
		if !types.CanStoreAssign(from, want) && !structByPosition(from, want) {
			return nil, unsafe(p, f, from)
		}
	}
	if l, ok := e.(*expr.Literal); ok && l.Value == nil {
		return &expr.Literal{T: want}, nil
	}
	return &expr.Cast{Child: e, To: want, Mode: mode, Implicit: true}, nil
}

func unsafe(p catalog.Place, f types.Field, from types.Type) error {
	return sparkerr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", p.String(), "colName", types.Quote(f.Name),
		"srcType", `"`+from.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`)
}

// structByPosition: structs are assigned field by field, names do not count.
func structByPosition(from, to types.Type) bool {
	if from.Kind != types.StructKind || to.Kind != types.StructKind || len(from.Fields()) != len(to.Fields()) {
		return false
	}
	for i, f := range from.Fields() {
		if g := to.Fields()[i]; !types.CanStoreAssign(f.Type, g.Type) && !structByPosition(f.Type, g.Type) {
			return false
		}
	}
	return true
}

// fixedText pads or checks the length of text for CHAR(n) and VARCHAR(n).
func (r *runner) fixedText(p catalog.Place, f types.Field, e expr.Expr) (expr.Expr, error) {
	if !types.CanStoreAssign(e.Type(), types.String) {
		return nil, unsafe(p, f, e.Type())
	}
	if e.Type().Kind != types.StringKind {
		e = &expr.Cast{Child: e, To: types.String, Mode: expr.CastAnsi, Implicit: true}
	}
	name := "varchar_type_write_side_check"
	if f.Type.Char == 1 {
		name = "char_type_write_side_check"
	}
	return analyzer.Expression(r.Analysis(r.ctx), &expr.Func{Name: []string{name}, Args: []expr.Expr{e, expr.NewLiteral(f.Type.Length, types.Int)}, Internal: true})
}
