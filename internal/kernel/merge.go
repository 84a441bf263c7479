package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Part is the contribution of one branch to a merged column: Rows are the rows it fills (nil: all that no other part fills, which
// then comes first). Dense: Vec has a value for every row; else position i of Vec belongs to Rows[i].
type Part struct {
	Vec   *columnar.Vector
	Rows  []uint32
	Dense bool
}

// Merge puts branches together to a column of type t with n rows. Rows that no part fills are null. Parts may be of any form.
func Merge(c *Ctx, t types.Type, parts []Part, n int) columnar.Vector {
	if len(parts) == 1 && len(parts[0].Rows) == n {
		return *parts[0].Vec // the rows of a part are in order, so all rows are themselves
	}
	l := columnar.LayoutOf(t)
	switch {
	case l == columnar.NoData:
		return columnar.Vector{Type: t, N: n}
	case l >= columnar.List:
		return mergeNested(t, parts, n)
	case l == columnar.View16 && allConst(parts):
		return mergeConsts(c, t, parts, n)
	}
	out := columnar.Vector{Type: t, N: n, Data: c.Scratch.Bytes(l, n)}
	covered := 0
	nulls := false
	for i := range parts {
		covered += len(parts[i].Rows)
		nulls = nulls || parts[i].Vec.MayHaveNulls()
	}
	if covered < n {
		clear(out.Data)
	}
	if covered < n || nulls {
		out.Valid = c.Scratch.Bits(n)
	}
	refs := c.Scratch.Refs(0)
	for i := range parts {
		p := &parts[i]
		if out.Valid != nil {
			p.mergeValid(out.Valid)
		}
		if p.Vec.Type.Kind == types.NullKind {
			clearRows(out.Data, l.Width(), p.Rows)
			continue
		}
		switch l.Width() {
		case 1:
			scatter(out.Data, p, p.values().Data)
		case 2:
			scatter(columnar.Of[int16](out.Data), p, columnar.Of[int16](p.values().Data))
		case 4:
			scatter(columnar.Of[uint32](out.Data), p, columnar.Of[uint32](p.values().Data))
		case 8:
			scatter(columnar.Of[uint64](out.Data), p, columnar.Of[uint64](p.values().Data))
		case 16:
			views := columnar.Of[columnar.View](out.Data)
			scatter(views, p, columnar.Of[columnar.View](p.values().Data))
			if l == columnar.View16 {
				refs = p.mergeBufs(views, refs)
			}
		}
	}
	c.Scratch.KeepRefs(refs)
	out.Bufs = refs
	return out
}

// values is where the part's values lie: the dictionary of a Dict.
func (p *Part) values() *columnar.Vector {
	if p.Vec.Form == columnar.Dict {
		return p.Vec.Dict
	}
	return p.Vec
}

func clearRows(data []byte, width int, rows []uint32) {
	for _, r := range rows {
		clear(data[int(r)*width : int(r+1)*width])
	}
}

func scatter[T any](dst []T, p *Part, src []T) {
	switch {
	case p.Vec.Form == columnar.Const:
		v := src[0]
		for _, r := range p.Rows {
			dst[r] = v
		}
	case p.Vec.Form == columnar.Dict && p.Dense:
		for _, r := range p.Rows {
			dst[r] = src[p.Vec.Codes[r]]
		}
	case p.Vec.Form == columnar.Dict:
		codes := p.Vec.Codes[:len(p.Rows)]
		for i, r := range p.Rows {
			dst[r] = src[codes[i]]
		}
	case p.Dense:
		for _, r := range p.Rows {
			dst[r] = src[r]
		}
	default:
		src = src[:len(p.Rows)]
		for i, r := range p.Rows {
			dst[r] = src[i]
		}
	}
}

func (p *Part) mergeValid(valid columnar.Bitmap) {
	v := p.Vec
	switch {
	case v.Form == columnar.Const || !v.MayHaveNulls() || v.Type.Kind == types.NullKind:
		if len(p.Rows) > 0 && !v.Null(0) {
			for _, r := range p.Rows {
				valid.Set(int(r))
			}
		}
	case p.Dense:
		for _, r := range p.Rows {
			valid[r>>6] |= v.Valid[r>>6] & (1 << (r & 63))
		}
	default:
		for i, r := range p.Rows {
			valid[r>>6] |= (v.Valid[i>>6] >> (uint(i) & 63) & 1) << (r & 63)
		}
	}
}

// mergeBufs adds the part's buffers and points its long views there.
func (p *Part) mergeBufs(views []columnar.View, refs [][]byte) [][]byte {
	base := uint32(len(refs))
	refs = append(refs, p.values().Bufs...)
	if base == 0 {
		return refs
	}
	for _, r := range p.Rows {
		if views[r].Len > columnar.InlineMax {
			views[r].Buf += base
		}
	}
	return refs
}

func allConst(parts []Part) bool {
	for i := range parts {
		if parts[i].Vec.Form != columnar.Const {
			return false
		}
	}
	return true
}

// mergeConsts makes a dictionary vector: text constants of branches become its entries.
func mergeConsts(c *Ctx, t types.Type, parts []Part, n int) columnar.Vector {
	dict := c.Scratch.dictVector()
	*dict = columnar.Vector{Type: t, N: len(parts), Data: c.Scratch.Bytes(columnar.View16, len(parts)+1), Bufs: dict.Bufs[:0]}
	views := columnar.Of[columnar.View](dict.Data)
	clear(views)
	codes := c.Scratch.IDs(n)
	clear(codes)
	valid := c.Scratch.Bits(n)
	full := 0
	for i := range parts {
		p := &parts[i]
		if p.Vec.Null(0) {
			continue
		}
		views[i] = columnar.Of[columnar.View](p.Vec.Data)[0]
		if views[i].Len > columnar.InlineMax {
			views[i].Buf += uint32(len(dict.Bufs))
			dict.Bufs = append(dict.Bufs, p.Vec.Bufs...)
		}
		full += len(p.Rows)
		for _, r := range p.Rows {
			codes[r] = uint32(i)
			valid.Set(int(r))
		}
	}
	if full == n {
		valid = nil
	}
	return columnar.NewDict(dict, codes, valid)
}

// mergeNested goes through one copy of all parts and a gather.
func mergeNested(t types.Type, parts []Part, n int) columnar.Vector {
	a := columnar.NewAppender(t)
	at := make([]uint32, n)
	a.AppendNulls(1)
	for i := range parts {
		p := &parts[i]
		base := uint32(a.Len())
		if p.Dense {
			a.AppendRows(p.Vec, p.Rows)
		} else {
			a.AppendVector(p.Vec)
		}
		for k, r := range p.Rows {
			at[r] = base + uint32(k)
		}
	}
	all := a.Finish()
	return columnar.Gather(&all, at)
}
