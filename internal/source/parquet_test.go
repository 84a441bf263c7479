package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// testEnv is an environment with a memory file system under mem: and the settings given as key and value in turn.
func testEnv(kv ...string) *Env {
	conf := map[string]string{}
	for i := 0; i+1 < len(kv); i += 2 {
		conf[kv[i]] = kv[i+1]
	}
	fs := vfs.NewRegistry()
	fs.Register("mem", vfs.NewMemory("mem"))
	return &Env{FS: fs, Session: &kernel.Session{Zone: time.UTC, ZoneName: "UTC", Ansi: true, Conf: func(k string) string { return conf[k] }}}
}

// columnsOf are expr columns for all fields of a schema.
func columnsOf(s *types.Schema) []*expr.Column {
	var out []*expr.Column
	for _, f := range s.Fields {
		out = append(out, &expr.Column{ID: expr.NextID(), Name: f.Name, T: f.Type, Null: f.Nullable})
	}
	return out
}

// readAll runs a scan and returns its rows.
func readAll(t testing.TB, r Relation, s Scan, env *Env) [][]any {
	t.Helper()
	rows, err := tryReadAll(r, s, env)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func tryReadAll(r Relation, s Scan, env *Env) ([][]any, error) {
	splits, err := r.Plan(s)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, sp := range splits {
		rd, err := sp.Open(context.Background(), s, env)
		if err != nil {
			return nil, err
		}
		for {
			b, err := rd.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, errors.Join(err, rd.Close())
			}
			for i := range b.N {
				row := make([]any, len(b.Cols))
				for k := range b.Cols {
					row[k] = b.Cols[k].ValueAt(i)
				}
				rows = append(rows, row)
			}
		}
		if err := rd.Close(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// q6 is TPC-H query 6 by hand over a scan with its filters, as far as the scan goes.
func BenchmarkQ6Scan(b *testing.B) {
	path := os.Getenv("FIRESTEEL_LINEITEM")
	if path == "" {
		b.Skip("FIRESTEEL_LINEITEM names no file")
	}
	env := testEnv()
	r, err := Open(context.Background(), &catalog.Table{Provider: "parquet", Paths: []string{path}}, env)
	if err != nil {
		b.Fatal(err)
	}
	byName := map[string]*expr.Column{}
	for _, c := range columnsOf(r.Schema()) {
		byName[c.Name] = c
	}
	ship, disc, qty, price := byName["l_shipdate"], byName["l_discount"], byName["l_quantity"], byName["l_extendedprice"]
	dec := func(v int64) expr.Expr { return expr.NewLiteral(types.I128(v), disc.T) }
	cmp := func(op string, a, b expr.Expr) expr.Expr { return expr.NewCall(op, types.Boolean, a, b) }
	date := func(y, m, d int) expr.Expr { return expr.NewLiteral(types.DaysFromCivil(y, m, d), types.Date) }
	scan := Scan{Output: []*expr.Column{ship, disc, qty, price}, Limit: -1, Filters: []expr.Expr{
		cmp(">=", ship, date(1994, 1, 1)), cmp("<", ship, date(1995, 1, 1)),
		cmp(">=", disc, dec(5)), cmp("<=", disc, dec(7)), cmp("<", qty, dec(2400)),
	}}
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		splits, err := r.Plan(scan)
		if err != nil {
			b.Fatal(err)
		}
		rows = 0
		for _, sp := range splits {
			rd, err := sp.Open(context.Background(), scan, env)
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := rd.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				rows += batch.N
			}
			rd.Close()
		}
	}
	if rows != 114160 {
		b.Fatalf("%d rows, want 114160", rows)
	}
}

// Splits of one relation are read by several goroutines at once.
func TestParallelSplits(t *testing.T) {
	env := testEnv()
	var rows [][]any
	for i := range 130000 {
		rows = append(rows, []any{int64(i), fmt.Sprintf("name %d", i%1000), int32(i % 50)})
	}
	if err := writeRows(t, WriteSpec{Format: "parquet", Path: "mem:/par", Schema: idName}, env, rows[:100000], rows[100000:]); err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), &catalog.Table{Provider: "parquet", Paths: []string{"mem:/par"}}, env)
	if err != nil {
		t.Fatal(err)
	}
	out := columnsOf(r.Schema())
	scan := Scan{Output: out, Limit: -1, Filters: []expr.Expr{expr.NewCall("<", types.Boolean, out[2], expr.NewLiteral(int32(10), types.Date))}}
	splits, err := r.Plan(scan)
	if err != nil || len(splits) < 3 {
		t.Fatalf("%d splits %v", len(splits), err)
	}
	var found atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, sp := range splits {
				rd, err := sp.Open(context.Background(), scan, env)
				if err != nil {
					t.Error(err)
					return
				}
				for b, err := rd.Next(); err != io.EOF; b, err = rd.Next() {
					if err != nil {
						t.Error(err)
						return
					}
					for i := range b.N {
						found.Add(b.Cols[0].ValueAt(i).(int64))
					}
				}
				if err := rd.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want := int64(0)
	for i := range 130000 {
		if i%50 < 10 {
			want += int64(i)
		}
	}
	if found.Load() != 4*want {
		t.Errorf("sum %d, want %d", found.Load(), 4*want)
	}
}

// Pages whose bounds cannot match are left out, and what is left is filtered exactly.
func TestPageIndex(t *testing.T) {
	env := testEnv("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
	s := types.NewSchema(types.Field{Name: "id", Type: types.Long}, types.Field{Name: "s", Type: types.String, Nullable: true}, types.Field{Name: "t", Type: types.Timestamp})
	var rows [][]any
	for i := range 210000 {
		var text any = fmt.Sprintf("row number %07d", i)
		if i/20000 == 3 {
			text = nil
		}
		rows = append(rows, []any{int64(i), text, int64(i) * 1e6})
	}
	if err := writeRows(t, WriteSpec{Format: "parquet", Path: "mem:/i", Schema: s}, env, rows); err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), &catalog.Table{Provider: "parquet", Paths: []string{"mem:/i"}}, env)
	if err != nil {
		t.Fatal(err)
	}
	out := columnsOf(r.Schema())
	cmp := func(op string, c *expr.Column, v any) expr.Expr {
		return expr.NewCall(op, types.Boolean, c, expr.NewLiteral(v, c.T))
	}
	for name, c := range map[string]struct {
		filters []expr.Expr
		from, n int
	}{
		"range":       {[]expr.Expr{cmp(">=", out[0], int64(150010)), cmp("<", out[0], int64(150013))}, 150010, 3},
		"text":        {[]expr.Expr{expr.Eq(out[1], expr.NewLiteral("row number 0199999", types.String))}, 199999, 1},
		"two columns": {[]expr.Expr{cmp(">", out[0], int64(39990)), cmp("<", out[2], int64(40010e6)), cmp("<=", out[0], int64(50000))}, 39991, 19},
		"nulls":       {[]expr.Expr{expr.NewCall("isnull", types.Boolean, out[1]), cmp("<", out[0], int64(60005))}, 60000, 5},
		"none":        {[]expr.Expr{cmp(">", out[0], int64(5)), cmp("<", out[2], int64(2e6))}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := readAll(t, r, Scan{Output: out, Filters: c.filters, Limit: -1}, env)
			if want := rows[c.from : c.from+c.n]; len(got) != len(want) || c.n > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("%d rows, want %d from %d", len(got), c.n, c.from)
			}
		})
	}
}
