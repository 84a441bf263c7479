package kernel

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// viewOf is the view of a piece of the text of v that starts at byte from: short pieces are copied in, long ones refer to the buffer.
func viewOf(v *columnar.View, piece []byte, from int) columnar.View {
	if len(piece) <= columnar.InlineMax {
		return columnar.MakeView(piece, 0, 0)
	}
	return columnar.MakeView(piece, v.Buf, v.Off+uint32(from))
}

// pieces gives the loop of a function whose result is a part of its first argument: cut answers the byte range for row i.
func pieces(c *Ctx, v *columnar.Vector, n int, cut func(s []byte, i int) (from, to int)) columnar.Vector {
	views, out := columnar.Of[columnar.View](v.Data), Out[columnar.View](c, n)
	mask := -1
	if v.Form == columnar.Const {
		mask = 0
	}
	for i := range out {
		out[i] = columnar.View{}
		if !rowCounts(c.Valid, i) {
			continue
		}
		w := &views[i&mask]
		s := columnar.ViewBytes(w, v.Bufs)
		from, to := cut(s, i)
		out[i] = viewOf(w, s[from:to], from)
	}
	return columnar.Vector{N: n, Data: columnar.Bytes(out), Bufs: v.Bufs}
}

// Substring gives substring(text, pos[, len]) by characters, or by bytes for binary. pos counts from 1, negative from the end.
func Substring(t types.Type) Func {
	byChar := t.Kind == types.StringKind
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		pos, size := newSource[int32](&args[1]), newSource[int32](&args[1])
		if len(args) > 2 {
			size = newSource[int32](&args[2])
		}
		return pieces(c, &args[0], n, func(s []byte, i int) (int, int) {
			k := math.MaxInt32
			if len(args) > 2 {
				k = int(size.at(i))
			}
			if byChar && !ascii(s) {
				return charRange(s, int(pos.at(i)), k)
			}
			return clipRange(len(s), int(pos.at(i)), k)
		}), nil
	}
}

// clipRange is the part of n units that starts at pos (from 1, negative from the end, 0 as 1) and has size units.
func clipRange(n, pos, size int) (from, to int) {
	switch {
	case pos > 0:
		from = pos - 1
	case pos < 0:
		from = n + pos
	}
	to = from + max(size, 0)
	from, to = max(from, 0), min(to, n)
	if from >= to {
		return 0, 0
	}
	return from, to
}

func charRange(s []byte, pos, size int) (from, to int) {
	a, b := clipRange(utf8.RuneCount(s), pos, size)
	if a == b {
		return 0, 0
	}
	from = charOffset(s, a)
	return from, from + charOffset(s[from:], b-a)
}

// charOffset is the byte offset of the n-th character.
func charOffset(s []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRune(s[at:])
		at += size
	}
	return at
}

// ascii says whether all bytes are below 0x80.
func ascii(s []byte) bool {
	for len(s) >= 8 {
		if (uint64(s[0])|uint64(s[1])|uint64(s[2])|uint64(s[3])|uint64(s[4])|uint64(s[5])|uint64(s[6])|uint64(s[7]))&0x80 != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// Length counts characters of texts or bytes of binaries.
func Length(t types.Type) Func {
	byChar := t.Kind == types.StringKind
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		v := &args[0]
		views, out := columnar.Of[columnar.View](v.Data)[:n], Out[int32](c, n)
		for i := range out {
			out[i] = int32(views[i].Len)
			if byChar && rowCounts(c.Valid, i) {
				if s := columnar.ViewBytes(&views[i], v.Bufs); !ascii(s) {
					out[i] = int32(utf8.RuneCount(s))
				}
			}
		}
		return Flat(out), nil
	}
}

// Upper and Lower change the case of letters.
func Upper() Func {
	return AppendText(func(_ *Ctx, dst []byte, a []byte) ([]byte, bool, error) {
		return changeCase(dst, a, 'a', 'z', unicode.ToUpper, bytes.ToUpper), true, nil
	})
}

// Lower is Upper's counterpart.
func Lower() Func {
	return AppendText(func(_ *Ctx, dst []byte, a []byte) ([]byte, bool, error) {
		return changeCase(dst, a, 'A', 'Z', unicode.ToLower, bytes.ToLower), true, nil
	})
}

func changeCase(dst, a []byte, lo, hi byte, one func(rune) rune, all func([]byte) []byte) []byte {
	if ascii(a) {
		for _, c := range a {
			if c >= lo && c <= hi {
				c ^= 0x20
			}
			dst = append(dst, c)
		}
		return dst
	}
	for len(a) > 0 {
		r, size := utf8.DecodeRune(a)
		if r == 'ß' && lo == 'a' {
			dst = append(dst, "SS"...)
		} else if r == utf8.RuneError && size == 1 {
			dst = append(dst, a[0])
		} else {
			dst = utf8.AppendRune(dst, one(r))
		}
		a = a[size:]
	}
	return dst
}

// Trim drops characters at the ends: side 'b' both, 'l' left, 'r' right. Args: text and, optionally, the set of characters to drop;
// spaces without it.
func Trim(side byte) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		return pieces(c, &args[0], n, func(s []byte, i int) (int, int) {
			set := []byte(" ")
			if len(args) > 1 {
				set = args[1].Text(i)
			}
			from, to := 0, len(s)
			if side != 'r' {
				for from < to {
					_, size := utf8.DecodeRune(s[from:to])
					if !bytes.Contains(set, s[from:from+size]) {
						break
					}
					from += size
				}
			}
			if side != 'l' {
				for to > from {
					_, size := utf8.DecodeLastRune(s[from:to])
					if !bytes.Contains(set, s[to-size:to]) {
						break
					}
					to -= size
				}
			}
			return from, to
		}), nil
	}
}

// Concat joins any number of texts or binaries.
func Concat(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	out := newTextOut(c, n)
	for i := range n {
		if !rowCounts(c.Valid, i) {
			out.skip(i)
			continue
		}
		heap := out.text
		for k := range args {
			heap = append(heap, args[k].Text(i)...)
		}
		out.put(i, heap)
	}
	return out.finish(), nil
}
