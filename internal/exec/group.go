package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// grouper gives rows dense group numbers by their keys. Null keys are equal to each other, and so are zeros and NaNs.
type grouper interface {
	// assign sets ids[i] to the group of row i. New keys get the next numbers, in the order of the rows. Keys are Flat.
	assign(keys []columnar.Vector, n int, ids []uint32)
	// len is the number of groups.
	len() int
	// keys makes flat vectors of the keys of groups [from, to). They hold until the next call of any method.
	keys(out []columnar.Vector, from, to int)
	// bytes is the memory held, and ahead how much more there would be with so many more groups.
	bytes() int64
	ahead(groups int) int64
	// reset forgets all groups and keeps the memory.
	reset()
	// free gives the table's slab back; the grouper is empty afterwards or not used any more.
	free()
}

// newGrouper picks the cheapest way for keys of the given types.
func newGrouper(ts []types.Type) grouper {
	if len(ts) == 1 {
		switch l := columnar.LayoutOf(ts[0]); {
		case l == columnar.View16:
			return newTextGrouper(ts[0])
		case wordLayout(l):
			return newWordGrouper(ts[0])
		}
	}
	if g := newPairGrouper(ts); g != nil {
		return g
	}
	if g := newWideGrouper(ts); g != nil {
		return g
	}
	return newRowGrouper(ts)
}

// wordLayout says whether values fit 64 bits.
func wordLayout(l columnar.Layout) bool {
	return l >= columnar.Bool8 && l <= columnar.Int64x || l == columnar.Float32x || l == columnar.Float64x
}

// front assigns groups to batches in any form: keys that are dictionaries or constants with few combinations are looked
// up once per combination. Of other keys texts are grouped by numbers (textNumbers) if the first batch has them as rows of
// dictionaries, and all else is made flat.
type front struct {
	ts      []types.Type
	in      grouper        // nil before the first rows
	texts   []*textNumbers // by key; nil: the key itself is grouped by
	flat    []kernel.Scratch
	keys    []columnar.Vector
	table   []uint32 // by combination: group + 1
	domains []int
	dictIDs []uint64
	combos  []uint32
	miss    []uint32
	missIDs []uint32
}

// maxCombos is the largest number of key combinations that are looked up by a table: 256 KB.
const maxCombos = 1 << 16

func newFront(ts []types.Type) *front {
	n := len(ts)
	return &front{ts: ts, texts: make([]*textNumbers, n), flat: make([]kernel.Scratch, n), keys: make([]columnar.Vector, n),
		domains: make([]int, n), dictIDs: make([]uint64, n)}
}

// start picks the grouper by the form in which the first keys come: texts that are rows of dictionaries, or constants beside
// such, are grouped by numbers.
func (f *front) start(keys []columnar.Vector) {
	ts := append([]types.Type(nil), f.ts...)
	dicts := false
	for i := range keys {
		dicts = dicts || f.isText(i) && columnar.Codable(&keys[i])
	}
	for i := range keys {
		k := &keys[i]
		if dicts && len(ts) > 1 && f.isText(i) && (k.Form == columnar.Const || columnar.Codable(k)) {
			f.texts[i] = newTextNumbers(ts[i])
			ts[i] = types.Int
		}
	}
	f.in = newGrouper(ts)
}

func (f *front) isText(i int) bool { return columnar.LayoutOf(f.ts[i]) == columnar.View16 }

func (f *front) len() int {
	if f.in == nil {
		return 0
	}
	return f.in.len()
}

func (f *front) bytes() int64 {
	n := int64(cap(f.table)) * 4
	if f.in != nil {
		n += f.in.bytes()
	}
	for _, t := range f.texts {
		if t != nil {
			n += t.bytes()
		}
	}
	return n
}

// ahead is how much more there would be with so many more groups.
func (f *front) ahead(groups int) int64 {
	if f.in == nil {
		return 0
	}
	return f.in.ahead(groups)
}

// reset forgets all groups.
func (f *front) reset() {
	if f.in != nil {
		f.in.reset()
	}
	for _, t := range f.texts {
		if t != nil {
			t.reset()
		}
	}
	f.forget()
}

func (f *front) free() {
	if f.in != nil {
		f.in.free()
	}
	for _, t := range f.texts {
		if t != nil {
			t.texts.free()
		}
	}
}

// forget drops the table of combinations.
func (f *front) forget() { clear(f.dictIDs) }

// assign is grouper.assign for keys in any form.
func (f *front) assign(keys []columnar.Vector, n int, ids []uint32) {
	if f.in == nil {
		f.start(keys)
	}
	if total := f.combinations(keys, n); total > 0 {
		f.byCombo(keys, n, total, ids)
		return
	}
	f.forget()
	f.number(keys)
	f.in.assign(f.keys, n, ids)
}

// number sets f.keys to what the grouper takes.
func (f *front) number(keys []columnar.Vector) {
	for i := range keys {
		f.flat[i].Reset()
		if t := f.texts[i]; t != nil {
			f.keys[i] = t.number(&keys[i], &f.flat[i])
		} else {
			f.keys[i] = f.flat[i].Flatten(&keys[i])
		}
	}
}

// groups is grouper.keys. Texts that are grouped by numbers come as rows of a dictionary.
func (f *front) groups(out []columnar.Vector, from, to int) {
	if f.in == nil {
		return
	}
	f.in.keys(out, from, to)
	for i, t := range f.texts {
		if t != nil {
			out[i] = t.of(&out[i])
		}
	}
}

// combinations is the size of the keys' domain if all are dictionaries or constants and it is small; else 0.
func (f *front) combinations(keys []columnar.Vector, n int) int {
	total := 1
	for i := range keys {
		k := &keys[i]
		switch {
		case k.Form == columnar.Const:
			f.domains[i] = 1
			f.dictIDs[i] = 0
			continue
		case k.Form != columnar.Dict:
			return 0
		}
		d := k.Dict.N + 1 // one more for null
		total *= d
		if total > maxCombos || total > 4*n && k.Dict.DictID == 0 {
			return 0
		}
		if d != f.domains[i] {
			f.domains[i] = d
			f.dictIDs[i] = 0
		}
	}
	return total
}

func (f *front) byCombo(keys []columnar.Vector, n, total int, ids []uint32) {
	f.prepare(keys, total)
	combos := f.combine(keys, n)
	table := f.table[:total]
	f.miss = f.miss[:0]
	const pending = ^uint32(0)
	for i, c := range combos {
		if table[c] == 0 {
			table[c] = pending
			f.miss = append(f.miss, uint32(i))
		}
	}
	if len(f.miss) > 0 {
		f.resolve(keys, combos, table)
	}
	ids = ids[:len(combos)]
	for i, c := range combos {
		ids[i] = table[c] - 1
	}
}

// prepare keeps the table if the dictionaries are those of the batch before, and clears it otherwise.
func (f *front) prepare(keys []columnar.Vector, total int) {
	same := len(f.table) >= total
	for i := range keys {
		id := uint64(0)
		if keys[i].Form == columnar.Dict {
			id = keys[i].Dict.DictID
		}
		same = same && id != 0 && id == f.dictIDs[i]
		f.dictIDs[i] = id
	}
	if same {
		return
	}
	if cap(f.table) < total {
		f.table = make([]uint32, total+total/4)
	}
	f.table = f.table[:cap(f.table)]
	clear(f.table[:total])
}

// combine computes the combination of each row.
func (f *front) combine(keys []columnar.Vector, n int) []uint32 {
	if len(keys) == 1 && keys[0].Form == columnar.Dict && keys[0].Valid == nil {
		return keys[0].Codes[:n]
	}
	if cap(f.combos) < n {
		f.combos = make([]uint32, n+n/4)
	}
	combos := f.combos[:n]
	clear(combos)
	for i := range keys {
		k := &keys[i]
		if k.Form == columnar.Const {
			continue
		}
		d := uint32(f.domains[i])
		codes := k.Codes[:n]
		if k.Valid == nil {
			for r, c := range codes {
				combos[r] = combos[r]*d + c
			}
			continue
		}
		for r, c := range codes {
			if !k.Valid.Get(r) {
				c = d - 1
			}
			combos[r] = combos[r]*d + c
		}
	}
	return combos
}

// resolve asks the grouper for the combinations seen for the first time.
func (f *front) resolve(keys []columnar.Vector, combos, table []uint32) {
	missed := make([]columnar.Vector, len(keys))
	for i := range keys {
		missed[i] = columnar.Gather(&keys[i], f.miss)
	}
	f.number(missed)
	if cap(f.missIDs) < len(f.miss) {
		f.missIDs = make([]uint32, len(f.miss)*2)
	}
	got := f.missIDs[:len(f.miss)]
	f.in.assign(f.keys, len(f.miss), got)
	for i, r := range f.miss {
		table[combos[r]] = got[i] + 1
	}
}

// keyBuffers are the vectors that a grouper makes of its keys.
type keyBuffers struct {
	data  []byte
	valid columnar.Bitmap
}

func (b *keyBuffers) flat(t types.Type, n int) columnar.Vector {
	l := columnar.LayoutOf(t)
	if cap(b.data) < n*l.Width() {
		b.data = columnar.Make(l, n)
	}
	return columnar.Vector{Type: t, N: n, Data: b.data[:n*l.Width()]}
}

// bits is a bitmap of n bits, all set.
func (b *keyBuffers) bits(n int) columnar.Bitmap {
	words := (n + 63) / 64
	if cap(b.valid) < words {
		b.valid = make(columnar.Bitmap, words)
	}
	b.valid = b.valid[:words]
	for i := range b.valid {
		b.valid[i] = ^uint64(0)
	}
	if r := n % 64; r != 0 {
		b.valid[words-1] = 1<<r - 1
	}
	return b.valid
}

// slotsFor is the size of a table of so many slots once it holds n groups: at most half of it is taken.
func slotsFor(slots, n int) int {
	if 2*n <= slots {
		return slots
	}
	size := firstSlots
	for size < 4*n {
		size *= 2
	}
	return size
}

// tooLarge says that a table of so many slots that held n groups is better dropped than cleared: clearing a large table
// again and again for a few groups costs more than making a small one.
func tooLarge(slots, n int) bool { return slots > firstSlots && slots >= 16*n }
