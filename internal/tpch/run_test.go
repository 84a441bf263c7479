package tpch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// readFile gives all rows of a Parquet file as text, and the sizes of its row
// groups.
func readFile(t *testing.T, table *Table, path string) (rows []string, groups []int64) {
	t.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range f.NumRowGroups() {
		n := f.RowGroup(i).NumRows()
		groups = append(groups, n)
		b := Batch{}
		b.reset(table, int(n))
		for c := range table.Columns {
			column, err := f.RowGroup(i).Column(c)
			if err != nil {
				t.Fatal(err)
			}
			readColumn(t, &table.Columns[c], &b.Columns[c], column, int(n))
		}
		for row := range b.Rows {
			rows = append(rows, string(table.AppendRow(nil, &b, row)))
		}
	}
	return rows, groups
}

func readColumn(t *testing.T, c *Column, v *Vector, from file.ColumnChunkReader, n int) {
	t.Helper()
	var got int64
	var err error
	switch r := from.(type) {
	case *file.Int64ColumnChunkReader:
		got, _, err = r.ReadBatch(int64(n), v.Int64, nil, nil)
	case *file.Int32ColumnChunkReader:
		got, _, err = r.ReadBatch(int64(n), v.Int32, nil, nil)
	case *file.ByteArrayColumnChunkReader:
		values := make([]parquet.ByteArray, n)
		got, _, err = r.ReadBatch(int64(n), values, nil, nil)
		for i, value := range values {
			if c.Kind == Text {
				v.Text = append(v.Text, value...)
				v.Ends[i] = int32(len(v.Text))
				continue
			}
			v.Int32[i] = -1
			for code, name := range c.Values {
				if name == string(value) {
					v.Int32[i] = int32(code)
				}
			}
		}
	}
	if err != nil || got != int64(n) {
		t.Fatalf("column %s: %d of %d values, %v", c.Name, got, n, err)
	}
}

func TestRunWritesRows(t *testing.T) {
	const sf = 0.02
	dir := filepath.Join(t.TempDir(), "new")
	var lines bytes.Buffer
	if err := Run(context.Background(), Options{ScaleFactor: sf, OutputDir: dir, Parallel: 3, Progress: &lines}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(lines.String(), "\n"); n != len(Tables()) {
		t.Errorf("%d lines of progress:\n%s", n, &lines)
	}
	for _, table := range Tables() {
		t.Run(table.Name, func(t *testing.T) {
			rows, groups := readFile(t, table, filepath.Join(dir, table.Name+".parquet"))
			for i, n := range groups[:len(groups)-1] {
				if n < 90000 || n > 130000 {
					t.Errorf("row group %d has %d rows", i, n)
				}
			}
			r, err := table.NewReader(sf, 0, 1<<40)
			if err != nil {
				t.Fatal(err)
			}
			var b Batch
			at := 0
			for r.Next(&b) {
				for i := range b.Rows {
					want := string(table.AppendRow(nil, &b, i))
					if at >= len(rows) || rows[at] != want {
						t.Fatalf("row %d of %d differs from %q", at, len(rows), want)
					}
					at++
				}
			}
			if at != len(rows) {
				t.Errorf("%d rows in the file, want %d", len(rows), at)
			}
		})
	}
}

// The bytes of a file do not depend on how many row groups are made at a time.
func TestRunIsDeterministic(t *testing.T) {
	var files [2][]byte
	for i, parallel := range []int{1, 4} {
		dir := t.TempDir()
		o := Options{ScaleFactor: 0.1, OutputDir: dir, Tables: []string{"Orders", "orders"}, Parallel: parallel}
		if err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "orders.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Errorf("files of %d and %d bytes differ", len(files[0]), len(files[1]))
	}
}

// cancelAtFirst ends a context at the first report of progress.
type cancelAtFirst struct{ cancel context.CancelFunc }

func (c cancelAtFirst) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}

func TestRunCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := t.TempDir()
	old := filepath.Join(dir, "lineitem.parquet")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{ScaleFactor: 10, OutputDir: dir, Tables: []string{"region", "lineitem"}, Parallel: 2, Progress: cancelAtFirst{cancel}}
	if err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "region.parquet" && e.Name() != "lineitem.parquet" {
			t.Errorf("%s is left over", e.Name())
		}
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "old" {
		t.Errorf("the old file holds %d bytes, %v", len(data), err)
	}
}

func TestRunRejects(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    Options
		want error
	}{
		{"scale factor", Options{OutputDir: dir}, ErrScaleFactor},
		{"table", Options{ScaleFactor: 1, OutputDir: dir, Tables: []string{"lineitems"}}, ErrUnknownTable},
	}
	for _, tt := range tests {
		if err := Run(context.Background(), tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := Run(context.Background(), Options{ScaleFactor: 0.01, OutputDir: blocked}); err == nil {
		t.Error("a file as output directory gives no error")
	}
}

func TestQueries(t *testing.T) {
	for n := 1; n <= Queries; n++ {
		if q := Query(n); !strings.Contains(q, "SELECT") || strings.Contains(q, ";") {
			t.Errorf("query %d: %q", n, q)
		}
	}
	if Query(0) != "" || Query(Queries+1) != "" {
		t.Error("queries beyond 1 to 22 are not empty")
	}
}
