package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

func TestMain(m *testing.M) {
	memory.Buffers.Poison = true
	goleak.VerifyTestMain(m)
}

var schema = types.NewSchema(
	types.Field{Name: "k", Type: types.Long}, types.Field{Name: "s", Type: types.String, Nullable: true})

const parts = 5

// rows of map task m: n rows in batches of 700; row i goes to partition i%parts.
func write(t *testing.T, w Writer, m, n int) MapStatus {
	t.Helper()
	ctx := context.Background()
	for at := 0; at < n; at += 700 {
		k, s := columnar.NewBuilder(types.Long, 0), columnar.NewBuilder(types.String, 0)
		count := min(700, n-at)
		bounds, order := make([]uint32, parts+1), []uint32{}
		for i := range count {
			k.Append(int64(at + i))
			if i%7 == 0 {
				s.Append(nil)
			} else {
				s.Append(fmt.Sprintf("map %d wrote row number %d", m, at+i))
			}
		}
		for p := range parts {
			for i := range count {
				if (at+i)%parts == p {
					order = append(order, uint32(i))
				}
			}
			bounds[p+1] = uint32(len(order))
		}
		b := &columnar.Batch{Schema: schema, N: count, Cols: []columnar.Vector{k.Finish(), s.Finish()}}
		if err := w.Write(ctx, b, order, bounds); err != nil {
			t.Fatal(err)
		}
		clear(b.Cols[0].Data) // the batch was borrowed
	}
	st, err := w.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func read(r Reader) (keys []int64, err error) {
	for {
		b, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return keys, r.Close()
		}
		if err != nil {
			return keys, errors.Join(err, r.Close())
		}
		for i := range b.N {
			keys = append(keys, b.Cols[0].ValueAt(i).(int64))
			if s := b.Cols[1].ValueAt(i); s != nil && len(s.(string)) < 20 {
				return nil, fmt.Errorf("row %d: %v", i, s)
			}
		}
	}
}

func want(p, n int) (keys []int64) {
	for range 2 {
		for i := p; i < n; i += parts {
			keys = append(keys, int64(i))
		}
	}
	return keys
}

func TestManagers(t *testing.T) {
	for _, budget := range []int64{1 << 30, 400 << 10} {
		for _, kind := range []string{"local", "files", "files compressed"} {
			t.Run(fmt.Sprintf("%s with %d bytes", kind, budget), func(t *testing.T) { roundTrip(t, kind, budget) })
		}
	}
}

func roundTrip(t *testing.T, kind string, budget int64) {
	const n = 20000
	pool := memory.NewPool(memory.Config{Budget: budget, Key: "k"})
	dirs := memory.NewDirs(t.TempDir())
	var m Manager = NewLocal(pool, dirs)
	if kind != "local" {
		m = NewFiles(dirs, "1", "host", kind == "files compressed", nil)
	}
	task := pool.Account("task")
	var maps []MapStatus
	for i := range 2 {
		w, err := m.Writer(Output{Shuffle: 3, Map: i, Partitions: parts, Schema: schema, Mem: task})
		if err != nil {
			t.Fatal(err)
		}
		maps = append(maps, write(t, w, i, n))
		w.Abort()
	}
	if err := task.Close(); err != nil {
		t.Error(err)
	}
	for p := range parts {
		r, err := m.Reader(context.Background(), Request{Shuffle: 3, Schema: schema, Maps: maps, From: p, To: p + 1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(r)
		if err != nil || !reflect.DeepEqual(got, want(p, n)) {
			t.Fatalf("partition %d: %d rows, %v", p, len(got), err)
		}
		if maps[0].Rows[p] != n/parts || maps[0].Sizes[p] == 0 {
			t.Errorf("status %+v", maps[0])
		}
	}
	if err := m.Remove(3); err != nil {
		t.Error(err)
	}
	if u := pool.Usage(); u.Execution != 0 {
		t.Errorf("%d bytes are still held", u.Execution)
	}
	for _, dir := range dirs.All() {
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestFetchFailedNamesTheMap(t *testing.T) {
	pool := memory.NewPool(memory.Config{Budget: 1 << 20, Key: "k"})
	dirs := memory.NewDirs(t.TempDir())
	f := NewFiles(dirs, "1", "host", false, nil)
	var maps []MapStatus
	for i := range 2 {
		w, err := f.Writer(Output{Shuffle: 1, Map: i, Partitions: parts, Schema: schema, Mem: pool.Account("t")})
		if err != nil {
			t.Fatal(err)
		}
		maps = append(maps, write(t, w, i, 100))
	}
	path, _ := dirs.Path(FileName(1, 1))
	data, _ := os.ReadFile(path)
	data[100] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(cause error) {
		t.Helper()
		r, err := f.Reader(context.Background(), Request{Shuffle: 1, Schema: schema, Maps: maps, From: 0, To: parts})
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(r)
		var fe *event.FetchError
		if !errors.As(err, &fe) || fe.Map != 1 || fe.From != "1" || !errors.Is(err, cause) {
			t.Errorf("%v", err)
		}
	}
	check(frame.ErrCorrupt)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check(os.ErrNotExist)
	l := NewLocal(pool, dirs)
	if _, err := l.Reader(context.Background(), Request{Shuffle: 9, Maps: maps}); err == nil {
		t.Error("a missing output was found")
	}
}
