package bitpack

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func pack(v []uint32, w uint) []byte {
	out := make([]byte, (len(v)*int(w)+7)/8+Slack)
	for i, x := range v {
		for b := range w {
			bit := uint(i)*w + b
			out[bit/8] |= byte(x>>b&1) << (bit % 8)
		}
	}
	return out
}

func TestUnpack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for w := range uint(33) {
		want := make([]uint32, 64)
		for i := range want {
			want[i] = uint32(r.Uint64() & (1<<w - 1))
		}
		got := make([]uint32, 64)
		Unpack(got, pack(want, w), w)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("width %d, value %d: %d, want %d", w, i, got[i], want[i])
			}
		}
	}
}

// All lengths of both ways, with nothing written behind and no more read than Slack allows.
func TestUnpackMax(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for w := range uint(33) {
		for n := 0; n <= 64; n += 8 {
			want := make([]uint32, n)
			top := uint32(0)
			for i := range want {
				want[i] = uint32(r.Uint64() & (1<<w - 1))
				top = max(top, want[i])
			}
			room := make([]uint32, n+8)
			for i := range room {
				room[i] = 0xA5A5A5A5
			}
			packed := pack(want, w)
			if got := UnpackMax(room[:n], packed[:len(packed):len(packed)], w); got != top {
				t.Fatalf("width %d, %d values: the largest is %d, not %d", w, n, top, got)
			}
			for i, x := range room {
				if i < n && x != want[i] || i >= n && x != 0xA5A5A5A5 {
					t.Fatalf("width %d, %d values: value %d is %d", w, n, i, x)
				}
			}
		}
	}
}

func TestAnyAbove(t *testing.T) {
	for n := range 40 {
		v := make([]uint32, n)
		for i := range v {
			v[i] = uint32(i % 5)
		}
		if AnyAbove(v, 4) {
			t.Fatalf("length %d: nothing is above 4", n)
		}
		for i := range v {
			for _, x := range []uint32{5, 1 << 31, 1<<32 - 1} {
				v[i] = x
				if !AnyAbove(v, 4) {
					t.Fatalf("length %d: %d at %d not seen", n, x, i)
				}
			}
			v[i] = 0
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, w := range []uint{1, 3, 4, 7, 12, 16, 20} {
		dst, src := make([]uint32, 8192), make([]byte, 8192*int(w)/8+Slack)
		b.Run(fmt.Sprint(w), func(b *testing.B) {
			b.SetBytes(8192)
			for b.Loop() {
				Unpack(dst, src, w)
			}
		})
		b.Run(fmt.Sprint(w, "/max"), func(b *testing.B) {
			b.SetBytes(8192)
			for b.Loop() {
				UnpackMax(dst, src, w)
			}
		})
	}
	v := make([]uint32, 8192)
	b.Run("AnyAbove", func(b *testing.B) {
		b.SetBytes(8192)
		for b.Loop() {
			AnyAbove(v, 10)
		}
	})
}
