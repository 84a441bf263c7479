package source

import (
	"context"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// fileFormat is what differs from one format of files to the next.
type fileFormat interface {
	// name is the format as messages print it.
	name() string
	// infer finds the schema of the data columns, nil if the files do not tell.
	infer(ctx context.Context, r *fileRelation) (*types.Schema, error)
	// stats says what is known without reading data.
	stats(ctx context.Context, r *fileRelation) *catalog.Stats
	// plan lists the splits of one file; conds are the conjuncts that are not decided by partition values.
	plan(ctx context.Context, r *fileRelation, f *inputFile, conds []expr.Expr) ([]Split, error)
}

// fileRelation is a table of files.
type fileRelation struct {
	env    *Env
	opts   options
	format fileFormat
	files  []inputFile
	data   *types.Schema // columns stored in the files
	part   *types.Schema // partition columns
	schema *types.Schema
	once   sync.Once
	known  *catalog.Stats
	preds  predicateCache
}

// openFiles lists the files of a table and finds its schema.
func openFiles(ctx context.Context, t *catalog.Table, f fileFormat, env *Env) (Relation, error) {
	r := &fileRelation{env: env, opts: lowerKeys(t.Options), format: f}
	l, err := &listing{base: map[string]bool{}}, error(nil)
	if paths := tablePaths(t); len(paths) > 0 || t.Schema == nil { // columns without files are an empty table
		l, err = listFiles(ctx, paths, r.opts, env)
	}
	if err != nil {
		return nil, err
	}
	parts, err := r.findPartitions(l, t)
	if err != nil {
		return nil, err
	}
	for _, info := range l.leafs {
		in := inputFile{fs: l.fs, info: info}
		if parts != nil {
			if in.part, err = parts.values(info, env); err != nil {
				return nil, err
			}
		}
		r.files = append(r.files, in)
	}
	return r, r.setSchema(ctx, t, parts)
}

// findPartitions discovers partition columns, unless the table or the options say otherwise.
func (r *fileRelation) findPartitions(l *listing, t *catalog.Table) (*partitions, error) {
	if r.opts.flag("recursivefilelookup", false) {
		return nil, nil
	}
	parts, err := l.discover(r.env.caseSensitive())
	if err != nil {
		return nil, err
	}
	if parts == nil {
		if len(t.Partition) > 0 {
			return r.emptyPartitions(l, t)
		}
		l.direct()
		return nil, nil
	}
	parts.infer(r.env.flag("spark.sql.sources.partitionColumnTypeInference.enabled", true), r.env)
	parts.adopt(t, r.env.caseSensitive())
	return parts, nil
}

// emptyPartitions serves a partitioned table without files.
func (r *fileRelation) emptyPartitions(l *listing, t *catalog.Table) (*partitions, error) {
	if len(l.leafs) > 0 {
		return nil, sparkerr.Internal("files of the partitioned table %s lie outside of partition directories", strings.Join(t.Name, "."))
	}
	p := &partitions{names: t.Partition, types: make([]types.Type, len(t.Partition))}
	p.adopt(t, r.env.caseSensitive())
	return p, nil
}

// adopt takes names and types of partition columns from a schema that the table brings.
func (p *partitions) adopt(t *catalog.Table, caseSensitive bool) {
	if t.Schema == nil {
		return
	}
	for i, n := range p.names {
		if f := findField(t.Schema, n, caseSensitive); f != nil {
			p.names[i], p.types[i] = f.Name, f.Type
		}
	}
}

func sameName(a, b string, caseSensitive bool) bool {
	return a == b || !caseSensitive && strings.EqualFold(a, b)
}

func findField(s *types.Schema, name string, caseSensitive bool) *types.Field {
	for i := range s.Fields {
		if sameName(s.Fields[i].Name, name, caseSensitive) {
			return &s.Fields[i]
		}
	}
	return nil
}

// setSchema puts data and partition columns together: a partition column that the files store too keeps its place but
// takes the partition's type and values.
func (r *fileRelation) setSchema(ctx context.Context, t *catalog.Table, parts *partitions) error {
	data := t.Schema
	if data == nil {
		var err error
		if data, err = r.format.infer(ctx, r); err != nil {
			return err
		}
		if data == nil {
			return sparkerr.New("UNABLE_TO_INFER_SCHEMA", "format", r.format.name())
		}
	}
	if err := checkDuplicates(data, r.env.caseSensitive()); err != nil {
		return err
	}
	r.part = &types.Schema{}
	if parts != nil {
		for i, n := range parts.names {
			r.part.Fields = append(r.part.Fields, types.Field{Name: n, Type: parts.types[i], Nullable: true})
		}
	}
	r.data, r.schema = &types.Schema{}, &types.Schema{}
	cs := r.env.caseSensitive()
	overlap := map[string]bool{}
	for _, f := range data.Fields {
		f.Nullable, f.Type = true, nullable(f.Type)
		p := findField(r.part, f.Name, cs)
		if p == nil {
			r.data.Fields = append(r.data.Fields, f)
			r.schema.Fields = append(r.schema.Fields, f)
			continue
		}
		if t.Schema == nil {
			overlap[p.Name] = true
			r.schema.Fields = append(r.schema.Fields, *p)
		}
	}
	for _, p := range r.part.Fields {
		if !overlap[p.Name] {
			r.schema.Fields = append(r.schema.Fields, p)
		}
	}
	return nil
}

// checkDuplicates refuses schemas with two columns of one name.
func checkDuplicates(s *types.Schema, caseSensitive bool) error {
	seen := map[string]bool{}
	for _, f := range s.Fields {
		name := f.Name
		if !caseSensitive {
			name = strings.ToLower(name)
		}
		if seen[name] {
			return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
		}
		seen[name] = true
	}
	return nil
}

// nullable is a type with all of its parts nullable: files promise nothing.
func nullable(t types.Type) types.Type {
	switch t.Kind {
	case types.ArrayKind:
		return types.Array(nullable(t.Elem()), true)
	case types.MapKind:
		return types.Map(nullable(t.Key()), nullable(t.Elem()), true)
	case types.StructKind:
		fields := append([]types.Field(nil), t.Fields()...)
		for i := range fields {
			fields[i].Type, fields[i].Nullable = nullable(fields[i].Type), true
		}
		return types.Struct(fields...)
	}
	return t
}

// Schema implements Relation.
func (r *fileRelation) Schema() *types.Schema { return r.schema }

// Files implements Relation.
func (r *fileRelation) Files() []string {
	out := make([]string, len(r.files))
	for i := range r.files {
		out[i] = r.files[i].uri()
	}
	return out
}

// Stats implements Relation.
func (r *fileRelation) Stats() *catalog.Stats {
	r.once.Do(func() { r.known = r.format.stats(context.Background(), r) })
	return r.known
}

// byteStats are the figures of formats that know only their files' sizes.
func (r *fileRelation) byteStats() *catalog.Stats {
	s := &catalog.Stats{Rows: -1}
	for i := range r.files {
		s.Bytes += r.files[i].info.Size
	}
	return s
}

// Plan implements Relation.
func (r *fileRelation) Plan(s Scan) ([]Split, error) {
	keep, conds, err := r.prunePartitions(s)
	if err != nil {
		return nil, err
	}
	rest := s.Limit // rows still wanted, when all rows count
	limited := s.Limit >= 0 && len(conds) == 0 && len(s.Runtime) == 0
	var out []Split
	for _, i := range keep {
		l, err := r.format.plan(context.Background(), r, &r.files[i], conds)
		if err != nil {
			return nil, err
		}
		for _, split := range l {
			if p, ok := split.(*parquetSplit); ok && limited {
				if rest <= 0 {
					return out, nil
				}
				split = p.limit(rest)
				rest -= split.Rows()
			}
			out = append(out, split)
		}
	}
	return out, nil
}

// prunePartitions finds the files whose partition values satisfy the conditions on these alone; conds are the others.
func (r *fileRelation) prunePartitions(s Scan) (keep []uint32, conds []expr.Expr, err error) {
	var parts []expr.Expr
	for _, f := range s.Filters {
		for _, c := range expr.Conjuncts(f) {
			if r.onlyPartitions(c) {
				parts = append(parts, c)
			} else {
				conds = append(conds, c)
			}
		}
	}
	keep = make([]uint32, len(r.files))
	for i := range keep {
		keep[i] = uint32(i)
	}
	if len(parts) == 0 || len(keep) == 0 {
		return keep, conds, nil
	}
	b, cols := r.partitionBatch(s)
	f, err := eval.CompileFilter(parts, cols, r.env.Session, eval.Options{})
	if err != nil {
		return nil, nil, err
	}
	keep, err = f.Select(b, nil)
	return keep, conds, err
}

// onlyPartitions says whether a condition can be decided by a file's partition values.
func (r *fileRelation) onlyPartitions(e expr.Expr) bool {
	cols := map[expr.ID]*expr.Column{}
	expr.Columns(e, cols)
	for _, c := range cols {
		if r.partition(c.Name) < 0 {
			return false
		}
	}
	return len(cols) > 0 && !expr.Any(e, func(x expr.Expr) bool { _, ok := x.(*expr.Subquery); return ok })
}

// partition is the position of a partition column, -1 for other names.
func (r *fileRelation) partition(name string) int {
	for i, f := range r.part.Fields {
		if sameName(f.Name, name, r.env.caseSensitive()) {
			return i
		}
	}
	return -1
}

// partitionBatch has a row a file and a column for each partition column of the output.
func (r *fileRelation) partitionBatch(s Scan) (*columnar.Batch, []*expr.Column) {
	b := &columnar.Batch{N: len(r.files)}
	var cols []*expr.Column
	for _, c := range s.Output {
		p := r.partition(c.Name)
		if p < 0 {
			continue
		}
		v := columnar.NewBuilder(r.part.Fields[p].Type, len(r.files))
		for i := range r.files {
			v.Append(r.files[i].part[p])
		}
		b.Cols, cols = append(b.Cols, v.Finish()), append(cols, c)
	}
	return b, cols
}
