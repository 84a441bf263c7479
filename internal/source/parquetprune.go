package source

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// narrow cuts a split's rows down by page indexes and Bloom filters. nothing: no row can match.
func (ff *fileFields) narrow(h vfs.File, group int, ranges []parquet.Range, conds []expr.Expr) (out []parquet.Range, nothing bool) {
	rows := ff.f.RowGroups[group].Rows
	out = ranges
	for id, cs := range byColumn(conds) {
		fld := ff.field(id.Name)
		if fld == nil || fld.Missing() {
			continue
		}
		if !bloomMayMatch(ff.f.Bloom(h, group, fld), id, cs) {
			return nil, true
		}
		pages := ff.f.Pages(h, group, fld)
		if pages == nil {
			continue
		}
		keep := matchingPages(pages, cs)
		if len(keep) == 1 && keep[0].From == 0 && keep[0].To == rows {
			continue
		}
		if out == nil {
			out = []parquet.Range{{From: 0, To: rows}}
		}
		if out = parquet.Intersect(out, keep); len(out) == 0 {
			return nil, true
		}
	}
	return out, false
}

// keysMatch says whether a row group's bounds leave room for the keys of runtime filters.
func (ff *fileFields) keysMatch(group int, filters []*RuntimeFilter) bool {
	for _, k := range filters {
		fld := ff.field(k.Column.Name)
		if !k.Ready || fld == nil || fld.Missing() {
			continue
		}
		b := ff.f.Bounds(group, fld)
		lo, ok1 := integral(b.Min)
		hi, ok2 := integral(b.Max)
		if allNull(b) || ok1 && ok2 && (hi < k.Min || lo > k.Max) {
			return false
		}
	}
	return true
}

// integral is an integer-like value as runtime filters see it.
func integral(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case types.Int128:
		return x.Int64(), x.Fits64()
	}
	return 0, false
}

// byColumn groups the conditions on a single column.
func byColumn(conds []expr.Expr) map[*expr.Column][]expr.Expr {
	cols := map[expr.ID]*expr.Column{}
	out := map[*expr.Column][]expr.Expr{}
	for _, c := range conds {
		used := map[expr.ID]*expr.Column{}
		expr.Columns(c, used)
		if len(used) != 1 {
			continue
		}
		for id, col := range used {
			if cols[id] == nil {
				cols[id] = col
			}
			out[cols[id]] = append(out[cols[id]], c)
		}
	}
	return out
}

// matchingPages are the rows of the pages that may satisfy all conditions, neighbours joined.
func matchingPages(pages []parquet.PageBounds, conds []expr.Expr) []parquet.Range {
	var out []parquet.Range
	for i := range pages {
		get := func(*expr.Column) (parquet.Bounds, bool) {
			return pages[i].Bounds, pages[i].Min != nil || pages[i].Nulls >= 0
		}
		match := true
		for _, c := range conds {
			match = match && mayMatch(c, get)
		}
		if !match {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == pages[i].From {
			out[n-1].To = pages[i].To
		} else {
			out = append(out, pages[i].Range)
		}
	}
	return out
}

// bloomMayMatch asks a Bloom filter about equality with constants.
func bloomMayMatch(b *parquet.Bloom, col *expr.Column, conds []expr.Expr) bool {
	if b == nil {
		return true
	}
	for _, c := range conds {
		call, ok := c.(*expr.Call)
		if !ok {
			continue
		}
		var values []expr.Expr
		switch call.Name {
		case "=", "==":
			if _, lit, _ := operand(call); lit != nil {
				values = []expr.Expr{lit}
			}
		case "in":
			if _, ok := call.Args[0].(*expr.Column); ok {
				values = call.Args[1:]
			}
		}
		if len(values) > 0 && !anyMayBe(b, col, values) {
			return false
		}
	}
	return true
}

func anyMayBe(b *parquet.Bloom, col *expr.Column, values []expr.Expr) bool {
	for _, v := range values {
		lit, ok := v.(*expr.Literal)
		if !ok || !lit.T.SameType(col.T) || lit.Value != nil && b.MayContain(lit.Value) {
			return true
		}
	}
	return false
}
