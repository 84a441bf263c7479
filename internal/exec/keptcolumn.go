package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// keptColumn collects a column of a relation. Texts that come as rows of dictionaries are kept so, until some come otherwise.
type keptColumn struct {
	t     types.Type
	flat  *columnar.Appender
	coder *columnar.Coder // nil: rows are kept flat
	codes *columnar.Appender
	room  []uint32
}

func newKeptColumn(t types.Type, coder *columnar.Coder) *keptColumn {
	k := &keptColumn{t: t, coder: coder}
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

// takes says whether the column can be kept on in the form that it has.
func (k *keptColumn) takes(v *columnar.Vector) bool { return k.coder == nil || columnar.Codable(v) }

func (k *keptColumn) add(v *columnar.Vector) {
	if k.coder == nil {
		k.flat.AppendVector(v)
		return
	}
	k.room = sized(k.room, v.N)
	k.coder.Codes(k.room, v)
	k.codes.AppendVector(&columnar.Vector{Type: types.Int, N: v.N, Valid: v.Valid, Data: columnar.Bytes(k.room)})
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

// keptRows collects the rows of a relation in batches. All vectors of a column that are codes share one dictionary.
type keptRows struct {
	schema *types.Schema
	cols   []*keptColumn
	coders []*columnar.Coder // by column; nil for those that never were codes
	dicts  int64             // bytes of dictionaries
}

func newKeptRows(schema *types.Schema) *keptRows { return &keptRows{schema: schema} }

// start decides by the first batch which columns are kept as codes.
func (k *keptRows) start(b *columnar.Batch) {
	k.coders = make([]*columnar.Coder, len(k.schema.Fields))
	for i, f := range k.schema.Fields {
		if columnar.LayoutOf(f.Type) == columnar.View16 && columnar.Codable(&b.Cols[i]) {
			k.coders[i] = columnar.NewCoder(f.Type)
		}
		k.cols = append(k.cols, newKeptColumn(f.Type, k.coders[i]))
	}
}

// fits says whether b can be added to the batch being collected; if not, that one is to be cut first.
func (k *keptRows) fits(b *columnar.Batch) bool {
	for i, c := range k.cols {
		if !c.takes(&b.Cols[i]) {
			return false
		}
	}
	return true
}

func (k *keptRows) add(b *columnar.Batch) {
	if k.coders == nil {
		k.start(b)
	}
	for i, c := range k.cols {
		if !c.takes(&b.Cols[i]) {
			c.coder = nil
			c.restart()
		}
		c.add(&b.Cols[i])
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
	}
	before := k.dicts
	k.dicts = 0
	for _, c := range k.coders {
		if c != nil {
			k.dicts += c.Bytes()
		}
	}
	return b, bytes + k.dicts - before
}

// seal completes the dictionaries.
func (k *keptRows) seal() {
	for _, c := range k.coders {
		if c != nil {
			c.Seal()
		}
	}
}
