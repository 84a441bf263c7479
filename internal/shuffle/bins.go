package shuffle

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// binRows is the number of rows from which a bin is cut off as a batch.
const binRows = 4096

// bins collect rows by partition. Full bins go to emit as batches of their own buffers.
type bins struct {
	schema  *types.Schema
	parts   []bin
	emit    func(part int, b *columnar.Batch) error
	flat    []kernel.Scratch
	cols    []columnar.Vector
	pending int64 // bytes in bins that are not full, estimated
}

type bin struct {
	cols  []*columnar.Appender
	n     int
	bytes int64
}

func newBins(schema *types.Schema, parts int, emit func(int, *columnar.Batch) error) *bins {
	return &bins{schema: schema, parts: make([]bin, parts), emit: emit,
		flat: make([]kernel.Scratch, len(schema.Fields)), cols: make([]columnar.Vector, len(schema.Fields))}
}

// size estimates the bytes that the rows of b take once copied.
func size(b *columnar.Batch) int64 {
	var n int64
	for i := range b.Cols {
		n += vectorSize(&b.Cols[i], b.N)
	}
	return n
}

func vectorSize(v *columnar.Vector, rows int) int64 {
	l := columnar.LayoutOf(v.Type)
	n := int64(l.Width()*rows) + int64(rows/8)
	if v.Form == columnar.Dict {
		if v.Dict.N == 0 {
			return n
		}
		whole := vectorSize(v.Dict, v.Dict.N)
		return max(n, whole*int64(rows)/int64(v.Dict.N))
	}
	if l == columnar.View16 {
		for _, w := range columnar.Of[columnar.View](v.Data) {
			if w.Len > columnar.InlineMax {
				n += int64(w.Len)
			}
		}
	}
	for i := range v.Kids {
		n += vectorSize(&v.Kids[i], v.Kids[i].N)
	}
	return n
}

// add copies the rows of b to their bins. bytes is their estimated size.
func (s *bins) add(b *columnar.Batch, order, bounds []uint32, bytes int64) error {
	for i := range b.Cols {
		s.flat[i].Reset()
		s.cols[i] = s.flat[i].Flatten(&b.Cols[i])
	}
	s.pending += bytes
	if order == nil {
		return s.put(0, nil, b.N, bytes)
	}
	for p := range s.parts {
		sel := order[bounds[p]:bounds[p+1]]
		if len(sel) == 0 {
			continue
		}
		if err := s.put(p, sel, len(sel), bytes*int64(len(sel))/int64(b.N)); err != nil {
			return err
		}
	}
	return nil
}

func (s *bins) put(p int, sel []uint32, n int, bytes int64) error {
	k := &s.parts[p]
	if k.cols == nil {
		k.cols = make([]*columnar.Appender, len(s.cols))
		for i, f := range s.schema.Fields {
			k.cols[i] = columnar.NewAppender(f.Type)
		}
	}
	for i := range s.cols {
		if sel == nil {
			k.cols[i].AppendVector(&s.cols[i])
		} else {
			k.cols[i].AppendRows(&s.cols[i], sel)
		}
	}
	k.n += n
	k.bytes += bytes
	if k.n >= binRows {
		return s.cut(p)
	}
	return nil
}

// cut empties a bin into a batch.
func (s *bins) cut(p int) error {
	k := &s.parts[p]
	if k.n == 0 {
		return nil
	}
	b := &columnar.Batch{Schema: s.schema, N: k.n, Cols: make([]columnar.Vector, len(k.cols))}
	for i, a := range k.cols {
		b.Cols[i] = a.Finish()
		b.Cols[i].N = k.n
	}
	s.pending -= k.bytes
	*k = bin{}
	return s.emit(p, b)
}

// flush cuts all bins.
func (s *bins) flush() error {
	for p := range s.parts {
		if err := s.cut(p); err != nil {
			return err
		}
	}
	return nil
}
