package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// keptColumn collects a column. Texts may be kept as codes while they come as rows of dictionaries.
type keptColumn struct {
	t     types.Type
	try   bool // may be kept as codes
	flat  *columnar.Appender
	coder *columnar.Coder // nil: rows are kept flat
	codes *columnar.Appender
	room  []uint32
}

// newKeptColumn makes an empty column; with code set the first rows tell how it is kept.
func newKeptColumn(t types.Type, code bool) *keptColumn {
	k := &keptColumn{t: t, try: code && columnar.LayoutOf(t) == columnar.View16}
	k.restart()
	return k
}

// restart begins the next vector.
func (k *keptColumn) restart() {
	if k.flat, k.codes = nil, nil; k.coder != nil {
		k.codes = columnar.NewAppender(types.Int)
	} else {
		k.flat = columnar.NewAppender(k.t)
	}
}

func (k *keptColumn) len() int {
	if k.coder != nil {
		return k.codes.Len()
	}
	return k.flat.Len()
}

// bytes is the memory held.
func (k *keptColumn) bytes() int64 {
	if k.coder != nil {
		return k.codes.Bytes() + k.coder.Bytes()
	}
	return k.flat.Bytes()
}

// add appends the rows of v that sel names, all for nil.
func (k *keptColumn) add(v *columnar.Vector, sel []uint32) {
	k.shape(v)
	switch {
	case k.coder == nil && sel == nil:
		k.flat.AppendVector(v)
		return
	case k.coder == nil:
		k.flat.AppendRows(v, sel)
		return
	case sel != nil:
		g := columnar.Gather(v, sel)
		v = &g
	}
	k.room = sized(k.room, v.N)
	k.coder.Codes(k.room, v)
	k.codes.AppendVector(&columnar.Vector{Type: types.Int, N: v.N, Valid: v.Valid, Data: columnar.Bytes(k.room)})
}

// shape decides on the form for v: codes if all so far came so too.
func (k *keptColumn) shape(v *columnar.Vector) {
	codable := k.try && columnar.Codable(v)
	switch {
	case codable && k.coder == nil && k.flat.Len() == 0:
		k.coder = columnar.NewCoder(k.t)
		k.restart()
	case !codable && k.coder != nil:
		k.coder.Seal()
		sofar := k.cut()
		k.coder = nil
		k.restart()
		k.flat.AppendVector(&sofar)
	}
	k.try = codable
}

// cut hands out what was collected since the last cut. The dictionary of codes is complete when the coder is sealed.
func (k *keptColumn) cut() columnar.Vector {
	defer k.restart()
	if k.coder == nil {
		return k.flat.Finish()
	}
	c := k.codes.Finish()
	v := columnar.NewDict(k.coder.Dict(), columnar.Of[uint32](c.Data)[:c.N], c.Valid)
	v.Type = k.t
	return v
}

// keptRows collects the rows of a relation in batches. The vectors of a column that are codes share one dictionary.
type keptRows struct {
	schema *types.Schema
	cols   []*keptColumn
	coders map[*columnar.Coder]int64 // with their bytes
}

func newKeptRows(schema *types.Schema) *keptRows {
	k := &keptRows{schema: schema, coders: map[*columnar.Coder]int64{}}
	for _, f := range schema.Fields {
		k.cols = append(k.cols, newKeptColumn(f.Type, true))
	}
	return k
}

func (k *keptRows) add(b *columnar.Batch) {
	for i, c := range k.cols {
		c.add(&b.Cols[i], nil)
	}
}

// rows is the number of rows since the last cut; 0 if there are no columns.
func (k *keptRows) rows() int {
	if len(k.cols) == 0 {
		return 0
	}
	return k.cols[0].len()
}

// cut makes a batch of the rows since the last cut and tells the memory that came with it.
func (k *keptRows) cut() (b *columnar.Batch, bytes int64) {
	b = &columnar.Batch{Schema: k.schema, Cols: make([]columnar.Vector, len(k.cols)), N: k.rows()}
	for i, c := range k.cols {
		b.Cols[i] = c.cut()
		v := b.Cols[i]
		v.Dict = nil
		bytes += v.Bytes()
		if c.coder != nil {
			now := c.coder.Bytes()
			bytes += now - k.coders[c.coder]
			k.coders[c.coder] = now
		}
	}
	return b, bytes
}

// seal completes the dictionaries.
func (k *keptRows) seal() {
	for c := range k.coders {
		c.Seal()
	}
}
