package columnar

import "github.com/firesteel/firesteel/internal/types"

// Coder lets rows of dictionaries be kept without their texts: it copies each entry in use, once, into a dictionary of its own
// and gives rows codes of that. Entries of different dictionaries may be equal; none is compared.
type Coder struct {
	t     types.Type
	dict  *Appender
	own   *Vector
	of    uint64   // the dictionary that place is for
	place []uint32 // by its code: own code + 1
	miss  []uint32
}

// NewCoder makes a coder of values of the type.
func NewCoder(t types.Type) *Coder {
	return &Coder{t: t, dict: NewAppender(t), own: &Vector{Type: t}}
}

// Codable says whether a vector's rows are codes of a dictionary that a Coder can tell from others, and that is not out of all
// proportion to the rows.
func Codable(v *Vector) bool {
	return v.Form == Dict && v.Dict.DictID != 0 && v.Dict.N <= 16*max(v.N, 4096)
}

// Codes writes the own codes of the rows of a codable vector.
func (c *Coder) Codes(dst []uint32, v *Vector) {
	dst = dst[:v.N]
	if v.Dict.N == 0 { // only nulls
		clear(dst)
		return
	}
	if v.Dict.DictID != c.of {
		c.of = v.Dict.DictID
		if cap(c.place) < v.Dict.N {
			c.place = make([]uint32, v.Dict.N)
		}
		c.place = c.place[:v.Dict.N]
		clear(c.place)
	}
	c.miss = c.miss[:0]
	next := uint32(c.dict.Len()) + 1
	for i, k := range v.Codes[:v.N] {
		p := c.place[k]
		if p == 0 {
			p = next
			next++
			c.place[k] = p
			c.miss = append(c.miss, k)
		}
		dst[i] = p - 1
	}
	c.dict.AppendRows(v.Dict, c.miss)
}

// Dict is the dictionary that the codes belong to. It is complete after Seal.
func (c *Coder) Dict() *Vector { return c.own }

// Seal makes Dict hold all entries so far, under a new DictID if there are new ones. Entries keep their codes.
func (c *Coder) Seal() {
	if c.dict.Len() == 0 {
		c.dict.AppendText(nil) // codes of nulls point to it
	}
	if c.own.N == c.dict.Len() {
		return
	}
	*c.own = Vector{Type: c.t, N: c.dict.Len(), Data: c.dict.data, Bufs: c.dict.bufs, DictID: NextDictID()}
}

// Bytes is the memory held.
func (c *Coder) Bytes() int64 { return c.dict.Bytes() + int64(cap(c.place))*4 }
