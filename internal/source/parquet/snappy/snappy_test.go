package snappy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
)

// samples are blocks' contents of all sorts: numbers, words, runs, noise.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	ints := func(n int, next func() uint64) []byte {
		var b []byte
		for range n {
			b = binary.LittleEndian.AppendUint64(b, next())
		}
		return b
	}
	words := strings.Fields("carefully final deposits haggle blithely above the ironic furiously regular accounts")
	var text []byte
	for range 20000 {
		text = append(append(text, words[r.IntN(len(words))]...), ' ')
	}
	noise := make([]byte, 100000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	next := uint64(0)
	out := map[string][]byte{
		"prices": ints(100000, func() uint64 { return 90000 + r.Uint64N(10000000) }),
		"keys":   ints(100000, func() uint64 { next += r.Uint64N(3); return next }),
		"small":  ints(50000, func() uint64 { return r.Uint64N(10000) }),
		"zeros":  make([]byte, 300000),
		"period": bytes.Repeat([]byte("abcdefghijklmnopqrstuvw"), 5000),
		"text":   text,
		"noise":  noise,
		"mixed":  append(append(append([]byte{}, noise[:777]...), text[:5000]...), noise[:50000]...),
	}
	for _, n := range []int{1, 2, 15, 16, 17, 60, 61, 62, 79, 80, 81, 82, 160, 161, 256, 257} {
		out[fmt.Sprint("short", n)] = text[:n]
	}
	return out
}

func TestDecode(t *testing.T) {
	for name, want := range samples() {
		for kind, block := range map[string][]byte{"fast": s2.EncodeSnappy(nil, want), "better": s2.EncodeSnappyBetter(nil, want), "best": s2.EncodeSnappyBest(nil, want)} {
			got := make([]byte, len(want))
			if err := Decode(got, block); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s, %s: the content differs", name, kind)
			}
			if err := Decode(make([]byte, len(want)+1), block); err == nil {
				t.Errorf("%s, %s: a wrong length was accepted", name, kind)
			}
			for _, cut := range []int{1, 2, len(block) / 2, len(block) - 1} {
				if cut < len(block) && Decode(got, block[:cut]) == nil {
					t.Errorf("%s, %s: a block of %d bytes, cut to %d, was accepted", name, kind, len(block), cut)
				}
			}
		}
	}
}

// Every element alone, at all distances to the ends.
func TestElements(t *testing.T) {
	body := make([]byte, 300)
	for i := range body {
		body[i] = byte(i)
	}
	start := append([]byte{61 << 2, 199, 0}, body[:200]...) // literal of 200 bytes
	for _, pad := range []int{0, 1, 50, 100, 200} {
		for tag := range 256 {
			for _, off := range []int{0, 1, 3, 4, 8, 15, 16, 17, 63, 64, 199, 200, 201} {
				elems := append(append([]byte{}, start...), byte(tag))
				elems = append(elems, byte(off), 0, 0, 0)
				elems = append(elems, body[:pad]...)
				for n := 200; n < 300; n += 7 {
					block := append(binary.AppendUvarint(nil, uint64(n)), elems...)
					compare(t, block)
				}
			}
		}
	}
}

// compare checks a block of any bytes against the stock decoder.
func compare(t *testing.T, block []byte) {
	n, err := s2.DecodedLen(block)
	if err != nil || n == 0 || n > 1<<20 {
		return
	}
	room := make([]byte, n+32)
	for i := range room {
		room[i] = 0xA5
	}
	dst := room[:n:n]
	err = Decode(dst, block)
	for _, b := range room[n:] {
		if b != 0xA5 {
			t.Fatalf("% x: the decoder wrote behind its output", block)
		}
	}
	want, wantErr := stock(block)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("% x: %v, but %v", block, err, wantErr)
	}
	if err == nil && !bytes.Equal(dst, want) {
		t.Fatalf("% x: the content differs", block)
	}
}

// stock decodes with s2, which takes repeated offsets (copies of offset 0) that Snappy does not have.
func stock(block []byte) ([]byte, error) {
	n, k := binary.Uvarint(block)
	dst := make([]byte, n)
	d, s, ok := 0, k, true
	for d < len(dst) {
		if d, s, ok = element(dst, block, d, s); !ok {
			return nil, ErrCorrupt
		}
	}
	if s != len(block) {
		return nil, ErrCorrupt
	}
	got, err := s2.Decode(nil, block)
	if err != nil || !bytes.Equal(got, dst) {
		return nil, fmt.Errorf("the stock decoder does not agree: %v", err)
	}
	return dst, nil
}

func FuzzDecode(f *testing.F) {
	for _, b := range samples() {
		f.Add(s2.EncodeSnappy(nil, b[:min(len(b), 2000)]))
	}
	f.Fuzz(func(t *testing.T, block []byte) { compare(t, block) })
}

func BenchmarkDecode(b *testing.B) {
	for name, want := range samples() {
		if len(want) < 1000 {
			continue
		}
		block, dst := s2.EncodeSnappy(nil, want), make([]byte, len(want))
		b.Run(name+"/own", func(b *testing.B) {
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				if err := Decode(dst, block); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/s2", func(b *testing.B) {
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				if _, err := s2.Decode(dst, block); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
