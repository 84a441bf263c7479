package source

import (
	"context"
	"math"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/types"
)

// statSum adds up what footers say of the columns.
type statSum struct {
	schema *types.Schema
	rows   int64
	cols   []colSum
	dicts  int // row groups whose dictionary sizes were looked at
}

type colSum struct {
	min, max            any
	nulls               int64
	unknown             bool // some row group has no bounds
	noNulls             bool // some row group does not count nulls
	bytes               int64
	distinct            int64 // largest dictionary seen; -1: not all pages use one
	share               float64
	entries, entryBytes int64 // of the dictionaries seen
}

// dictGroups is the number of row groups whose dictionary headers are read.
const dictGroups = 4

func newStatSum(s *types.Schema) *statSum {
	return &statSum{schema: s, cols: make([]colSum, len(s.Fields))}
}

func (s *statSum) add(ctx context.Context, r *fileRelation, in *inputFile, f *parquet.File) {
	s.rows += f.Rows
	fields := &fileFields{r: r, in: in, f: f, by: map[string]*parquet.Field{}}
	for i := range s.cols {
		fld := fields.field(s.schema.Fields[i].Name)
		for g := range f.RowGroups {
			s.cols[i].add(f, g, fld)
		}
	}
	if s.dicts < dictGroups {
		s.addDictionaries(ctx, in, f, fields)
	}
}

func (c *colSum) add(f *parquet.File, g int, fld *parquet.Field) {
	if fld == nil || fld.Missing() {
		c.nulls += f.RowGroups[g].Rows
		return
	}
	b := f.Bounds(g, fld)
	if b.Nulls < 0 {
		c.noNulls = true
	}
	c.nulls += max(b.Nulls, 0)
	if n := fld.Flat(); n != nil {
		c.bytes += f.RowGroups[g].Columns[n.Leaf].Uncompressed
	}
	if b.Min == nil {
		c.unknown = c.unknown || !allNull(b)
		return
	}
	if k, ok := compare(b.Min, c.min); c.min == nil || ok && k < 0 {
		c.min = b.Min
	}
	if k, ok := compare(b.Max, c.max); c.max == nil || ok && k > 0 {
		c.max = b.Max
	}
}

// addDictionaries looks at dictionary sizes of the file's first row groups: the number of values they share.
func (s *statSum) addDictionaries(ctx context.Context, in *inputFile, f *parquet.File, fields *fileFields) {
	h, err := in.fs.Open(ctx, in.info.Path)
	if err != nil {
		return // statistics are an aid
	}
	defer h.Close()
	for g := range f.RowGroups {
		if s.dicts == dictGroups {
			return
		}
		s.dicts++
		for i := range s.cols {
			fld := fields.field(s.schema.Fields[i].Name)
			if fld == nil || fld.Missing() {
				continue
			}
			scan := parquet.Scan{File: f, Handle: h, Group: g, Columns: []parquet.Column{{Field: fld}}}
			n, size := scan.DictionarySize(0)
			c := &s.cols[i]
			if n < 0 || c.distinct < 0 {
				c.distinct = -1
				continue
			}
			c.distinct = max(c.distinct, n)
			c.entries, c.entryBytes = c.entries+n, c.entryBytes+size
			c.share = max(c.share, float64(n)/float64(max(f.RowGroups[g].Rows, 1)))
		}
	}
}

// finish writes the columns' figures. Distinct values: the dictionary's size if it is small against its row group, for
// other columns at most the rows and the range of whole numbers.
func (s *statSum) finish(out *catalog.Stats) {
	for i := range s.cols {
		c := &s.cols[i]
		st := catalog.ColumnStats{Distinct: -1, Nulls: c.nulls, Min: c.min, Max: c.max}
		if c.noNulls {
			st.Nulls = -1
		}
		if c.unknown {
			st.Min, st.Max = nil, nil
		}
		st.Distinct = c.estimate(s.rows, st.Min, st.Max)
		st.AvgLen = c.averageLength(s.schema.Fields[i].Type, s.rows)
		out.Columns[s.schema.Fields[i].Name] = st
	}
}

func (c *colSum) estimate(rows int64, lo, hi any) int64 {
	n := max(rows-c.nulls, 0)
	if c.distinct > 0 && c.share < 0.1 {
		return min(n, c.distinct)
	}
	if span := valueRange(lo, hi); span > 0 {
		return min(n, span)
	}
	return n
}

// averageLength is the average number of bytes of a value: the layout's width, of texts without their length prefixes.
func (c *colSum) averageLength(t types.Type, rows int64) float64 {
	l := columnar.LayoutOf(t)
	switch n := rows - c.nulls; {
	case l != columnar.View16 && !t.IsNested():
		return float64(l.Width())
	case c.distinct > 0 && c.entries > 0:
		return max(float64(c.entryBytes)/float64(c.entries)-4, 0)
	case n > 0:
		return max(float64(c.bytes)/float64(n)-4, 0)
	}
	return 0
}

// valueRange is the number of whole numbers from lo to hi; -1 for other types and ranges too large.
func valueRange(lo, hi any) int64 {
	whole := func(v any) (float64, bool) {
		switch x := v.(type) {
		case int8:
			return float64(x), true
		case int16:
			return float64(x), true
		case int32:
			return float64(x), true
		case int64:
			return float64(x), true
		case types.Int128:
			return x.Float64(0), true
		}
		return 0, false
	}
	a, ok1 := whole(lo)
	b, ok2 := whole(hi)
	if !ok1 || !ok2 || b-a >= math.MaxInt64/2 {
		return -1
	}
	return int64(b-a) + 1
}
