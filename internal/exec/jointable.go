package exec

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// joinTable is the finished build side: its rows in columns, and the index of their keys. Tasks may share it.
type joinTable struct {
	cols  []columnar.Vector
	keys  []int // which columns are keys
	n     int
	index *joinIndex
	nulls []uint32 // rows with a null key, if asked for
	mem   *memory.Reservation
}

// maxBuildRows is what row numbers can tell apart, with 0 and noRow kept free.
const maxBuildRows = 1<<32 - 2

func newJoinTable(cols []columnar.Vector, keys []int, n, workers int, wantNulls bool) *joinTable {
	t := &joinTable{cols: cols, keys: keys, n: n}
	if len(keys) == 0 {
		return t
	}
	refs := t.keyColumns()
	t.index = buildIndex(refs, n, workers)
	if !wantNulls {
		return t
	}
	for i := range n {
		for _, c := range refs {
			if c.Null(i) {
				t.nulls = append(t.nulls, uint32(i))
				break
			}
		}
	}
	return t
}

func (t *joinTable) keyColumns() []*columnar.Vector {
	refs := make([]*columnar.Vector, len(t.keys))
	for i, k := range t.keys {
		refs[i] = &t.cols[k]
	}
	return refs
}

// Free gives back what a shared table has reserved.
func (t *joinTable) Free() {
	if t.mem != nil {
		t.mem.Release()
	}
}

// rowStore collects rows in columns of its own.
type rowStore struct {
	cols []*keptColumn
	n    int
}

// newRowStore makes an empty store of flat columns.
func newRowStore(s *types.Schema) *rowStore {
	return newCodedStore(s, func(int) bool { return true })
}

// newCodedStore makes a store that keeps texts as codes if they come as rows of dictionaries, but for columns that flat tells.
func newCodedStore(s *types.Schema, flat func(col int) bool) *rowStore {
	r := &rowStore{cols: make([]*keptColumn, len(s.Fields))}
	for i, f := range s.Fields {
		r.cols[i] = newKeptColumn(f.Type, !flat(i))
	}
	return r
}

func (r *rowStore) add(b *columnar.Batch) {
	for i, c := range r.cols {
		c.add(&b.Cols[i], nil)
	}
	r.n += b.N
}

// addRows adds the rows of a batch that are named.
func (r *rowStore) addRows(b *columnar.Batch, sel []uint32) {
	for i, c := range r.cols {
		c.add(&b.Cols[i], sel)
	}
	r.n += len(sel)
}

func (r *rowStore) bytes() int64 {
	var n int64
	for _, c := range r.cols {
		n += c.bytes()
	}
	return n
}

func (r *rowStore) finish() []columnar.Vector {
	cols := make([]columnar.Vector, len(r.cols))
	for i, c := range r.cols {
		if c.coder != nil {
			c.coder.Seal()
		}
		cols[i] = c.cut()
	}
	return cols
}

// sharedTable is the table over a broadcast relation, built by the first task that asks.
func sharedTable(t *Task, env *Env, key physical.Plan, rel *Relation, side *joinSide, wantNulls bool) (*joinTable, error) {
	v, err := rel.Derived(key, func() (any, error) {
		tab, err := tableOf(t, env, rel, side, wantNulls)
		return tab, err
	})
	if err != nil {
		return nil, err
	}
	return v.(*joinTable), nil
}

func tableOf(t *Task, env *Env, rel *Relation, side *joinSide, wantNulls bool) (*joinTable, error) {
	var mem *memory.Reservation
	if rel.Mem != nil {
		mem = rel.Mem.Reserve("HashJoin")
	}
	rows := 0
	for _, b := range rel.Batches {
		rows += b.N
	}
	if rows > maxBuildRows {
		return nil, sparkerr.Unsupported("a hash join over more than 4294967294 broadcast rows")
	}
	if mem != nil && len(side.keys) > 0 {
		if err := mem.Grow(indexBytes(rows)); err != nil {
			return nil, err
		}
	}
	workers := runtime.GOMAXPROCS(0)
	cols, copied, err := side.relationColumns(t, env, rel.Batches, rows, workers)
	if err == nil && mem != nil {
		err = mem.Grow(copied)
	}
	if err != nil {
		if mem != nil {
			mem.Release()
		}
		return nil, err
	}
	tab := newJoinTable(cols, side.keys, rows, workers, wantNulls)
	tab.mem = mem
	return tab, nil
}

// relationColumns puts the batches of a relation, which stay as they are, behind one another in the side's form. Strings
// are shared with the relation. copied are the bytes of what is not.
func (s *joinSide) relationColumns(t *Task, env *Env, batches []*columnar.Batch, rows, workers int) (cols []columnar.Vector, copied int64, err error) {
	kept := make([][]columnar.Vector, len(s.cols)) // per column, per batch
	full := batches[:0:0]
	for _, b := range batches {
		if b.N > 0 {
			full = append(full, b)
		}
	}
	for i, c := range s.pick {
		for _, b := range full {
			kept[i] = append(kept[i], b.Cols[c])
		}
	}
	if len(s.exprs) > 0 {
		own, err := s.forTask(t, env)
		if err != nil {
			return nil, 0, err
		}
		for _, b := range full {
			if err := own.prog.Run(b, own.vecs); err != nil {
				return nil, 0, err
			}
			for k := range own.vecs {
				i := len(s.pick) + k
				a := columnar.NewAppender(s.cols[i].T)
				a.AppendVector(&own.vecs[k])
				kept[i] = append(kept[i], a.Finish())
			}
		}
	}
	cols = make([]columnar.Vector, len(s.cols))
	if rows < parallelRows {
		workers = 1
	}
	for i := range cols {
		cols[i] = concat(s.cols[i].T, kept[i], rows, workers)
		if len(kept[i]) > 1 {
			copied += int64(cap(cols[i].Data)) + int64(cap(cols[i].Codes))*4 + int64(len(cols[i].Valid))*8
		}
	}
	return cols, copied, nil
}

// concat puts vectors that nobody changes behind one another. One alone is taken as it is.
func concat(t types.Type, parts []columnar.Vector, rows, workers int) columnar.Vector {
	switch l := columnar.LayoutOf(t); {
	case len(parts) == 1 && parts[0].Form != columnar.Const:
		return named(parts[0])
	case len(parts) == 0 || l >= columnar.List || l == columnar.NoData || hasNullType(parts):
		a := columnar.NewAppender(t)
		for i := range parts {
			a.AppendVector(&parts[i])
		}
		return a.Finish()
	case sameDict(parts):
		return named(concatCodes(t, parts, rows))
	case l == columnar.View16:
		if n := entries(parts); n <= rows {
			return named(concatDicts(t, parts, rows, n))
		}
	}
	return concatFlat(t, parts, rows, workers)
}

// named gives the dictionary of a vector an id, so that what is computed of its entries can be kept.
func named(v columnar.Vector) columnar.Vector {
	if v.Form == columnar.Dict && v.Dict.DictID == 0 {
		d := *v.Dict
		d.DictID = columnar.NextDictID()
		v.Dict = &d
	}
	return v
}

// entries is the number of entries of the parts' dictionaries; more than there can be rows if a part has none.
func entries(parts []columnar.Vector) int {
	var last *columnar.Vector
	n := 0
	for i := range parts {
		p := &parts[i]
		if p.Form != columnar.Dict {
			return math.MaxInt
		}
		if p.Dict != last {
			last = p.Dict
			n += last.N
		}
	}
	return n
}

// concatDicts puts codes behind one another, and the dictionaries that they belong to, which have total entries.
func concatDicts(t types.Type, parts []columnar.Vector, rows, total int) columnar.Vector {
	dict := &columnar.Vector{Type: t, N: total, Data: columnar.Make(columnar.View16, total)}
	views := columnar.Of[columnar.View](dict.Data)
	codes := make([]uint32, 0, rows)
	var last *columnar.Vector
	base, next := uint32(0), 0
	for i := range parts {
		p := &parts[i]
		if p.Dict != last {
			last, base = p.Dict, uint32(next)
			next += copy(views[next:], columnar.Of[columnar.View](last.Data)[:last.N])
			moveViews(views[base:next], uint32(len(dict.Bufs)))
			dict.Bufs = append(dict.Bufs, last.Bufs...)
		}
		for _, c := range p.Codes[:p.N] {
			codes = append(codes, c+base)
		}
	}
	out := columnar.NewDict(dict, codes, concatValid(parts, rows))
	out.Type = t
	return out
}

func hasNullType(parts []columnar.Vector) bool {
	for i := range parts {
		if parts[i].Type.Kind == types.NullKind {
			return true
		}
	}
	return false
}

func sameDict(parts []columnar.Vector) bool {
	for i := range parts {
		if parts[i].Form != columnar.Dict || parts[i].Dict != parts[0].Dict {
			return false
		}
	}
	return true
}

func concatCodes(t types.Type, parts []columnar.Vector, rows int) columnar.Vector {
	out := columnar.Vector{Type: t, Form: columnar.Dict, N: rows, Dict: parts[0].Dict, Codes: make([]uint32, rows)}
	at := 0
	for i := range parts {
		copy(out.Codes[at:], parts[i].Codes[:parts[i].N])
		at += parts[i].N
	}
	out.Valid = concatValid(parts, rows)
	return out
}

// concatValid joins the parts' null bits; nil if there are no nulls.
func concatValid(parts []columnar.Vector, rows int) columnar.Bitmap {
	nulls := false
	for i := range parts {
		nulls = nulls || parts[i].Valid != nil
	}
	if !nulls {
		return nil
	}
	out := columnar.NewBitmap(rows)
	at := 0
	for i := range parts {
		p := &parts[i]
		if p.Form == columnar.Const {
			if !p.Null(0) {
				setBits(out, at, p.N)
			}
		} else if p.Valid == nil {
			setBits(out, at, p.N)
		} else {
			copyBits(out, at, p.Valid, p.N)
		}
		at += p.N
	}
	return out
}

func setBits(b columnar.Bitmap, from, n int) {
	for i := from; i < from+n; {
		if i&63 == 0 && from+n-i >= 64 {
			b[i>>6] = ^uint64(0)
			i += 64
			continue
		}
		b.Set(i)
		i++
	}
}

// copyBits ors the first n bits of src into dst from bit at on.
func copyBits(dst columnar.Bitmap, at int, src columnar.Bitmap, n int) {
	shift := uint(at & 63)
	for i := 0; i < n; i += 64 {
		w := src[i>>6]
		if n-i < 64 {
			w &= 1<<uint(n-i) - 1
		}
		d := (at + i) >> 6
		dst[d] |= w << shift
		if hi := w >> (63 - shift) >> 1; hi != 0 {
			dst[d+1] |= hi
		}
	}
}

func concatFlat(t types.Type, parts []columnar.Vector, rows, workers int) columnar.Vector {
	l := columnar.LayoutOf(t)
	out := columnar.Vector{Type: t, N: rows, Data: columnar.Make(l, rows)}
	hugePages(out.Data)
	base := make([]uint32, len(parts)) // of the part's buffers
	start := make([]int, len(parts)+1)
	for i := range parts {
		start[i+1] = start[i] + parts[i].N
		base[i] = uint32(len(out.Bufs))
		out.Bufs = append(out.Bufs, valuesOf(&parts[i]).Bufs...)
	}
	w := l.Width()
	per := (len(parts) + workers - 1) / workers
	each((len(parts)+per-1)/per, func(k int) {
		for i := k * per; i < min(k*per+per, len(parts)); i++ {
			copyValues(out.Data[start[i]*w:start[i+1]*w], &parts[i], l, base[i])
		}
	})
	out.Valid = concatValid(parts, rows)
	return out
}

// valuesOf is the vector that holds the values: the dictionary of a Dict.
func valuesOf(v *columnar.Vector) *columnar.Vector {
	if v.Form == columnar.Dict {
		return v.Dict
	}
	return v
}

// copyValues writes the values of v flat to dst; long strings point to buffers from base on.
func copyValues(dst []byte, v *columnar.Vector, l columnar.Layout, base uint32) {
	switch v.Form {
	case columnar.Flat:
		copy(dst, v.Data[:len(dst)])
	default:
		rows := v.Codes
		if v.Form == columnar.Const {
			rows = make([]uint32, v.N)
		}
		gatherFixed(dst, valuesOf(v).Data, l, rows)
	}
	if l == columnar.View16 {
		moveViews(columnar.Of[columnar.View](dst), base)
	}
}

// moveViews makes long texts point to buffers from base on.
func moveViews(views []columnar.View, base uint32) {
	if base == 0 {
		return
	}
	for i := range views {
		if views[i].Len > columnar.InlineMax {
			views[i].Buf += base
		}
	}
}

func gatherFixed(dst, src []byte, l columnar.Layout, rows []uint32) {
	switch l.Width() {
	case 1:
		columnar.GatherInto(dst, src, rows)
	case 2:
		columnar.GatherInto(columnar.Of[int16](dst), columnar.Of[int16](src), rows)
	case 4:
		columnar.GatherInto(columnar.Of[uint32](dst), columnar.Of[uint32](src), rows)
	case 8:
		columnar.GatherInto(columnar.Of[uint64](dst), columnar.Of[uint64](src), rows)
	case 16:
		columnar.GatherInto(columnar.Of[columnar.View](dst), columnar.Of[columnar.View](src), rows)
	}
}

// drain hands all batches of an open operator, in the side's form, to f.
func (s *joinSide) drain(ctx context.Context, op Operator, f func(*columnar.Batch) error) error {
	for {
		b, err := op.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if b.N == 0 {
			continue
		}
		in, err := s.load(b)
		if err != nil {
			return err
		}
		if err := f(in); err != nil {
			return err
		}
	}
}
