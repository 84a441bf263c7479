package tpch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"testing"
)

// hashRows adds the rows of a range of units, a line each, and counts them.
func hashRows(t *testing.T, h hash.Hash, table *Table, sf float64, first, count int64) int {
	t.Helper()
	r, err := table.NewReader(sf, first, count)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	var text []byte
	rows := 0
	for r.Next(&b) {
		text = text[:0]
		for i := range b.Rows {
			text = append(table.AppendRow(text, &b, i), '\n')
		}
		h.Write(text)
		rows += b.Rows
	}
	return rows
}

// The hashes are those of an independent generator's rows.
func TestRowsEqualReference(t *testing.T) {
	const all = 1 << 40
	tests := []struct {
		table        string
		sf           float64
		first, count int64
		rows         int
		hash         string
	}{
		{"region", 0.01, 0, all, 5, "6022658d673924389b54dcb70fa8c3d6da1b0d7afa3c1c017bab62a019df404f"},
		{"nation", 0.01, 0, all, 25, "66f96949939fa8fdf1c4ffed1e5f6c2842fe11a14b51fdc6ed1e17460031e8c5"},
		{"supplier", 0.01, 0, all, 100, "9dc1002ee774699a092ed83ba278caf466d62a15d7e35bb6ed9293475528734b"},
		{"customer", 0.01, 0, all, 1500, "6b690cce995cb715861ebf2c77aa02c61406e3a0ddcd3326d1ecfa969b9163f8"},
		{"part", 0.01, 0, all, 2000, "896e14465325110dd9cf05a16972028a58be0010959262176ecd97f4db1702f8"},
		{"partsupp", 0.01, 0, all, 8000, "5947b5ebab042b49148f82c1324ad122f7e0d98cfadcbef12da0a5e239e09e79"},
		{"orders", 0.01, 0, all, 15000, "07cc8b362fda6d0b503c4d6c5d228817548e0688a3b21b590c52bb47b7b79c0f"},
		{"lineitem", 0.01, 0, all, 60175, "7f53688873d230ee8a31c825401c721c5cfdb88b960a273f7cc9485485d62239"},
		{"orders", wideScale, 9000, 4500, 4500, "a4ac1051f41b286bdbfb2e84f601df79587df4f2e561a54612c7ab328532ab57"},
		{"lineitem", wideScale, 9000, 4500, 17991, "7d0d30994bc2da98f04c408b30102379ebd93dbe72424bb9ab4b2f3e2da7153e"},
	}
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			table, err := Lookup(tt.table)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			if rows := hashRows(t, h, table, tt.sf, tt.first, tt.count); rows != tt.rows {
				t.Errorf("%d rows, want %d", rows, tt.rows)
			}
			if got := hex.EncodeToString(h.Sum(nil)); got != tt.hash {
				t.Errorf("hash %s, want %s", got, tt.hash)
			}
		})
	}
}

// Ranges read on their own make the same rows as one read of the whole.
func TestRangesMakeWhole(t *testing.T) {
	const sf = 0.002
	for _, table := range Tables() {
		t.Run(table.Name, func(t *testing.T) {
			whole, pieces := sha256.New(), sha256.New()
			units := table.Units(sf)
			rows := hashRows(t, whole, table, sf, 0, units)
			got := 0
			for first, size := int64(0), int64(1); first < units; first, size = first+size, size*2+1 {
				got += hashRows(t, pieces, table, sf, first, size)
			}
			if got != rows {
				t.Errorf("%d rows in pieces, %d in whole", got, rows)
			}
			if !bytes.Equal(whole.Sum(nil), pieces.Sum(nil)) {
				t.Error("pieces differ from the whole")
			}
		})
	}
}

func TestJumpEqualsDraws(t *testing.T) {
	for _, first := range []seed{1, 933588178, modulus - 1} {
		s := first
		for n := range int64(2000) {
			if got := first.jump(draws(n)); got != s {
				t.Fatalf("seed %d after %d draws: jump %d, draws %d", first, n, got, s)
			}
			s = s.next()
		}
	}
}

// Any cut of the text is the text between the cuts around it.
func TestCutsJoin(t *testing.T) {
	p := pool()
	text := func(begin, size int32) string {
		v := Vector{Ends: make([]int32, 1)}
		p.fill(&v, []cut{{begin, size}})
		return string(v.String(0))
	}
	for _, begin := range []int32{0, 1, 63, 64, 65, 1 << 20, poolBytes - 2000} {
		long := text(begin, 1000)
		joined := ""
		for size := int32(1); len(joined) < len(long); size++ {
			at := int32(len(joined))
			joined += text(begin+at, min(size, 1000-at))
		}
		if joined != long {
			t.Errorf("pieces from %d differ:\n%q\n%q", begin, joined, long)
		}
	}
}

func TestCheckpoints(t *testing.T) {
	p := &textPool{words: make([]uint8, poolWords), marks: make([]uint32, len(pool().marks))}
	w := newWriter(p, newGrammar(&p.vocabulary), checkpoints[0])
	for i, want := range checkpoints[1 : len(checkpoints)-1] {
		w.writeUntil(want.size)
		if got := (checkpoint{w.seed, w.size, w.words}); got != want {
			t.Errorf("checkpoint %d: %v, want %v", i+1, got, want)
		}
	}
	w.writeUntil(poolBytes + 1)
	if w.words != poolWords {
		t.Errorf("%d words, want %d", w.words, poolWords)
	}
	if !slices.Equal(p.words, pool().words) || !slices.Equal(p.marks, pool().marks) {
		t.Error("text in one go differs from text in segments")
	}
}

func TestUnits(t *testing.T) {
	tests := []struct {
		table string
		sf    float64
		want  int64
	}{
		{"region", 100, 5}, {"nation", 0.01, 25},
		{"supplier", 0.0001, 1}, {"supplier", 0.01, 100}, {"customer", 0.1, 15000},
		{"part", 0.29, 58000}, {"part", 1000, 200000000},
		{"orders", 1, 1500000}, {"lineitem", 0.001, 1500},
	}
	for _, tt := range tests {
		table, err := Lookup(tt.table)
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Units(tt.sf); got != tt.want {
			t.Errorf("%s at %v: %d units, want %d", tt.table, tt.sf, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := Lookup("no_table"); !errors.Is(err, ErrUnknownTable) {
		t.Errorf("unknown table: %v", err)
	}
	for _, sf := range []float64{0, -1, 0.00001, 1e9} {
		if _, err := tables[0].NewReader(sf, 0, 1); !errors.Is(err, ErrScaleFactor) {
			t.Errorf("scale factor %v: %v", sf, err)
		}
	}
}

// A reader allocates nothing per batch once its buffers have grown.
func TestNextAllocates(t *testing.T) {
	for _, table := range Tables() {
		if table.fixed {
			continue
		}
		r, err := table.NewReader(10, 0, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		for range 3 {
			r.Next(&b)
		}
		if n := testing.AllocsPerRun(3, func() { r.Next(&b) }); n > 2 {
			t.Errorf("%s: %v allocations per batch", table.Name, n)
		}
	}
}
