package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// textNumbers gives the texts of a key numbers, so that rows can be grouped by those: an entry of a dictionary is hashed and
// compared once, however many rows have it.
type textNumbers struct {
	texts   *textGrouper
	dict    uint64   // the dictionary that place is for
	place   []uint32 // by its code: number + 1
	miss    []uint32
	missIDs []uint32
	out     columnar.Vector // the dictionary of the numbers
	ids     []uint32
}

func newTextNumbers(t types.Type) *textNumbers { return &textNumbers{texts: newTextGrouper(t)} }

func (t *textNumbers) bytes() int64 { return t.texts.bytes() + int64(cap(t.place))*4 }

// keepTexts is how many bytes of texts stay when groups are forgotten: the next rows are likely to have the same.
const keepTexts = 1 << 20

func (t *textNumbers) reset() {
	if t.texts.bytes() > keepTexts {
		t.texts.reset()
		t.dict, t.out = 0, columnar.Vector{}
	}
}

// number is the key as INT: a number of its text for each row that is not null. It holds until the next call.
func (t *textNumbers) number(v *columnar.Vector, s *kernel.Scratch) columnar.Vector {
	t.ids = sized(t.ids, v.N)
	out := columnar.Vector{Type: types.Int, N: v.N, Valid: v.Valid, Data: columnar.Bytes(t.ids)}
	switch {
	case v.Form == columnar.Dict && v.Dict.DictID != 0:
		t.byDict(v)
	case v.Form == columnar.Const && !v.Null(0):
		one := *v
		one.Form, one.N = columnar.Flat, 1
		t.texts.assign([]columnar.Vector{one}, 1, t.ids[:1])
		for i := range t.ids {
			t.ids[i] = t.ids[0]
		}
		out.Valid = nil
	default:
		f := s.Flatten(v)
		t.texts.assign([]columnar.Vector{f}, v.N, t.ids)
		out.Valid = f.Valid
	}
	return out
}

func (t *textNumbers) byDict(v *columnar.Vector) {
	if v.Dict.N == 0 { // only nulls
		clear(t.ids)
		return
	}
	if t.dict != v.Dict.DictID {
		t.dict = v.Dict.DictID
		t.place = sized(t.place, v.Dict.N)
		clear(t.place)
	}
	const pending = ^uint32(0)
	codes := v.Codes[:v.N]
	t.miss = t.miss[:0]
	for _, c := range codes {
		if t.place[c] == 0 {
			t.place[c] = pending
			t.miss = append(t.miss, c)
		}
	}
	if len(t.miss) > 0 {
		t.missIDs = sized(t.missIDs, len(t.miss))
		t.texts.assign([]columnar.Vector{columnar.Gather(v.Dict, t.miss)}, len(t.miss), t.missIDs)
		for i, c := range t.miss {
			t.place[c] = t.missIDs[i] + 1
		}
	}
	for i, c := range codes {
		t.ids[i] = t.place[c] - 1
	}
}

// of is the texts that have the numbers.
func (t *textNumbers) of(numbers *columnar.Vector) columnar.Vector {
	if n := t.texts.len(); n == 0 {
		return columnar.Nulls(t.texts.t, numbers.N)
	} else if t.out.N != n {
		t.out = columnar.Vector{Type: t.texts.t, N: n, Data: columnar.Bytes(t.texts.views), Bufs: t.texts.bufs, DictID: columnar.NextDictID()}
	}
	out := columnar.NewDict(&t.out, columnar.Of[uint32](numbers.Data)[:numbers.N], numbers.Valid)
	out.Type = t.texts.t
	return out
}
