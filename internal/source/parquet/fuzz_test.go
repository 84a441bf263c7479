package parquet

import (
	"math/rand/v2"
	"testing"

	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// readAnything reads all columns of bytes that may be no Parquet file at all. Errors are fine, panics and endless work are not.
func readAnything(h vfs.File) error {
	f, err := Open(h)
	if err != nil {
		return err
	}
	s, err := f.SparkSchema(SchemaOptions{NanosAsLong: true})
	if err != nil {
		return err
	}
	if f.Rows > 1<<16 {
		return nil // nulls take no bytes: a few bytes may stand for millions of rows
	}
	var names []string
	var ts []types.Type
	for _, c := range s.Fields {
		names, ts = append(names, c.Name), append(ts, c.Type)
	}
	for g := range f.RowGroups {
		for i, n := range names {
			if fld, err := f.Resolve(n, ts[i], true); err == nil {
				f.Bounds(g, fld)
				f.Pages(h, g, fld)
				if b := f.Bloom(h, g, fld); b != nil {
					b.MayContain(int64(5))
				}
			}
		}
		f.Cuts(h, g, 7)
		if _, err := readColumns(h, names, ts, func(s *Scan) { s.Ranges = []Range{{1, 3}, {30, f.RowGroups[s.Group].Rows}} }); err != nil {
			return err
		}
	}
	_, err = readColumns(h, names, ts, nil)
	return err
}

func seeds(f testing.TB) [][]byte {
	var out [][]byte
	t := &testing.T{}
	for i, c := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd} {
		for _, dict := range []bool{true, false} {
			data, _ := arrowFile(t, arrowCases(), 40, 3, uint64(i), pq.WithCompression(c), pq.WithDictionaryDefault(dict), pq.WithDataPageVersion(pq.DataPageVersion(i%2)))
			out = append(out, data)
		}
	}
	_, want := arrowFile(t, arrowCases(), 60, 4, 9)
	s, _, _ := writtenSchema(true)
	return append(out, writeValues(t, s, want, WriterOptions{PageBytes: 100}))
}

func FuzzRead(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readAnything(memFile(t, data)) // any error will do
	})
}

// Damaged copies of good files give errors or other rows, never panics.
func TestReadDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	failed := 0
	for _, s := range seeds(t) {
		for range 400 {
			data := append([]byte(nil), s...)
			switch r.IntN(3) {
			case 0:
				data = data[:r.IntN(len(data))]
			default:
				for range 1 + r.IntN(4) {
					data[r.IntN(len(data))] = byte(r.Uint32())
				}
			}
			if readAnything(memFile(t, data)) != nil {
				failed++
			}
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed")
	}
}
