//go:build linux

package parquet

import (
	"context"
	"io"
	"math"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/firesteel/firesteel/internal/vfs"
)

// benchFile is a TPC-H lineitem file; benchmarks that need it are skipped without.
func benchFile(b *testing.B) (*File, vfs.File) {
	path := os.Getenv("FIRESTEEL_LINEITEM")
	if path == "" {
		b.Skip("FIRESTEEL_LINEITEM names no file")
	}
	h, err := vfs.NewLocal().Open(context.Background(), path)
	if err != nil {
		b.Fatal(err)
	}
	f, err := Open(h)
	if err != nil {
		b.Fatal(err)
	}
	return f, h
}

func benchScan(b *testing.B, preds func(s *Scan), names ...string) {
	f, h := benchFile(b)
	defer h.Close()
	s, err := f.SparkSchema(SchemaOptions{})
	if err != nil {
		b.Fatal(err)
	}
	scan := Scan{File: f, Handle: h, Schema: s}
	for _, n := range names {
		for _, c := range s.Fields {
			if c.Name == n {
				fld, err := f.Resolve(n, c.Type, true)
				if err != nil {
					b.Fatal(err)
				}
				scan.Columns = append(scan.Columns, Column{Field: fld})
			}
		}
	}
	if preds != nil {
		preds(&scan)
	}
	b.ReportAllocs()
	rows, best := 0, int64(math.MaxInt64)
	for b.Loop() {
		rows = 0
		start := cpuTime()
		for g := range f.RowGroups {
			scan.Group = g
			r, err := NewScanner(scan)
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				rows += batch.N
			}
			r.Close()
		}
		best = min(best, cpuTime()-start)
	}
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric(float64(best)/1e6, "min-cpu-ms")
}

// cpuTime is the processor time of the process in ns.
func cpuTime() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return t.Nano()
}

func BenchmarkQ6(b *testing.B) {
	benchScan(b, nil, "l_shipdate", "l_discount", "l_quantity", "l_extendedprice")
}
func BenchmarkQ1(b *testing.B) {
	benchScan(b, nil, "l_shipdate", "l_discount", "l_quantity", "l_extendedprice", "l_tax", "l_returnflag", "l_linestatus")
}
func BenchmarkPrice(b *testing.B)    { benchScan(b, nil, "l_extendedprice") }
func BenchmarkShipdate(b *testing.B) { benchScan(b, nil, "l_shipdate") }
func BenchmarkComment(b *testing.B)  { benchScan(b, nil, "l_comment") }

func BenchmarkWrite(b *testing.B) {
	f, h := benchFile(b)
	defer h.Close()
	s, err := f.SparkSchema(SchemaOptions{})
	if err != nil {
		b.Fatal(err)
	}
	scan := Scan{File: f, Handle: h, Schema: s}
	for _, c := range s.Fields {
		fld, err := f.Resolve(c.Name, c.Type, true)
		if err != nil {
			b.Fatal(err)
		}
		scan.Columns = append(scan.Columns, Column{Field: fld})
	}
	best := int64(math.MaxInt64)
	for b.Loop() {
		start := cpuTime()
		w, err := NewWriter(io.Discard, s, WriterOptions{Codec: Snappy})
		if err != nil {
			b.Fatal(err)
		}
		for scan.Group = range 8 {
			r, err := NewScanner(scan)
			if err != nil {
				b.Fatal(err)
			}
			for batch, err := r.Next(); err != io.EOF; batch, err = r.Next() {
				if err != nil {
					b.Fatal(err)
				}
				if err := w.Write(batch); err != nil {
					b.Fatal(err)
				}
			}
			r.Close()
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		best = min(best, cpuTime()-start)
	}
	b.ReportMetric(float64(best)/1e6, "min-cpu-ms")
}
