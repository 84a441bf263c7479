package memory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func TestFairShare(t *testing.T) {
	p := NewPool(Config{Budget: 1000, Key: "spark.executor.memory"})
	a := p.Account("task a")
	ra := a.Reserve("Sort")
	if !ra.TryGrow(1000) {
		t.Fatal("one task alone may have all")
	}
	b := p.Account("task b")
	rb := b.Reserve("Join")
	if !rb.TryGrow(250) {
		t.Error("the second of two is granted its 1/2N though nothing is free")
	}
	if rb.TryGrow(1) {
		t.Error("more than 1/2N needs free memory")
	}
	if ra.TryGrow(1) {
		t.Error("the first holds more than 1/N by now")
	}
	ra.Shrink(800)
	if !rb.TryGrow(250) || rb.TryGrow(1) {
		t.Error("up to 1/N of free memory, and no more")
	}
	ra.Release()
	rb.Release()
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if u := p.Usage(); u.Execution != 0 || u.Peak != 1250 {
		t.Errorf("usage %+v", u)
	}
}

// Map outputs leave half of the budget to those who cannot give way.
func TestYielding(t *testing.T) {
	p := NewPool(Config{Budget: 100})
	one, two := p.Yielding("shuffle 1"), p.Yielding("shuffle 2")
	a, b := one.Reserve("Exchange"), two.Reserve("Exchange")
	if !a.TryGrow(30) || !b.TryGrow(20) || b.TryGrow(1) {
		t.Errorf("two outputs hold %d and %d of 100", a.Bytes(), b.Bytes())
	}
	shared := p.Shared("hash table")
	table := shared.Reserve("HashJoin")
	if !table.TryGrow(50) || table.TryGrow(1) {
		t.Errorf("a table holds %d beside them", table.Bytes())
	}
	a.Release()
	if !b.TryGrow(30) || b.TryGrow(1) {
		t.Errorf("the second output alone holds %d", b.Bytes())
	}
	b.Release()
	table.Release()
	if err := errors.Join(one.Close(), two.Close(), shared.Close()); err != nil || p.Usage().Execution != 0 {
		t.Errorf("%v, %+v", err, p.Usage())
	}
}

func TestRefusalNamesAll(t *testing.T) {
	p := NewPool(Config{Budget: 100, Key: "spark.driver.memory"})
	a := p.Account("task 7.0 in stage 2.0")
	r := a.Reserve("HashAggregate")
	err := r.Grow(200)
	if !Refused(err) {
		t.Fatal(err)
	}
	for _, want := range []string{"HashAggregate", "task 7.0 in stage 2.0", "spark.driver.memory", "200", "100.0 B"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestGrowOrSpill(t *testing.T) {
	ctx := context.Background()
	p := NewPool(Config{Budget: 100, Key: "k"})
	r := p.Account("t").Reserve("op")
	spills := 0
	spill := func(context.Context) error { spills++; r.Shrink(40); return nil }
	for range 10 {
		if err := r.GrowOrSpill(ctx, 30, spill); err != nil {
			t.Fatal(err)
		}
	}
	if spills == 0 || r.Bytes() > 100 {
		t.Errorf("%d spills, %d bytes", spills, r.Bytes())
	}
	if err := r.GrowOrSpill(ctx, 30, func(context.Context) error { return nil }); !Refused(err) && r.Bytes()+30 > 100 {
		t.Errorf("a spill that frees nothing ends the trying: %v", err)
	}
	if err := r.GrowOrSpill(ctx, 1000, nil); !Refused(err) {
		t.Error(err)
	}
	cut, cancel := context.WithCancelCause(ctx)
	cause := errors.New("cancelled by the user")
	cancel(cause)
	if err := r.GrowOrSpill(cut, 1000, spill); !errors.Is(err, cause) {
		t.Error(err)
	}
}

func TestLeakIsNamed(t *testing.T) {
	p := NewPool(Config{Budget: 100, Key: "k"})
	a := p.Account("task 1.0")
	if err := a.Reserve("Sort").Grow(10); err != nil {
		t.Fatal(err)
	}
	err := a.Close()
	if !sparkerr.Is(err, "INTERNAL_ERROR_MEMORY") || !strings.Contains(err.Error(), "Sort 10.0 B") {
		t.Error(err)
	}
	if p.Usage().Execution != 0 || a.Close() != nil {
		t.Error("the account is closed and empty")
	}
}

func TestStorageGivesWay(t *testing.T) {
	p := NewPool(Config{Budget: 100, Key: "k", StorageFraction: 0.3})
	if !p.GrowStorage(80) || p.GrowStorage(30) {
		t.Fatal("storage may have what is free")
	}
	p.OnEvict(func(n int64) int64 { p.ReleaseStorage(n); return n })
	r := p.Account("t").Reserve("op")
	if !r.TryGrow(60) {
		t.Error("storage above its share gives way")
	}
	if u := p.Usage(); u.Storage != 40 {
		t.Errorf("storage kept %d", u.Storage)
	}
	if r.TryGrow(20) {
		t.Error("storage keeps its protected share")
	}
}

func TestSpillFile(t *testing.T) {
	d := NewDirs(t.TempDir())
	defer func() {
		if err := d.Remove(); err != nil {
			t.Error(err)
		}
	}()
	s, err := d.Spill()
	if err != nil {
		t.Fatal(err)
	}
	schema := types.NewSchema(types.Field{Name: "a", Type: types.Long})
	vals := make([]int64, 1000)
	const frames = 100
	for f := range frames {
		for i := range vals {
			vals[i] = int64(f*1000 + i)
		}
		b := &columnar.Batch{Schema: schema, N: 1000, Cols: []columnar.Vector{columnar.NewFlat(types.Long, vals)}}
		if err := s.Write(b, 0, 1000); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Reader(schema)
	if err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range columnar.Values[int64](&b.Cols[0]) {
			if v != next {
				t.Fatalf("%d after %d", v, next-1)
			}
			next++
		}
	}
	if next != frames*1000 || s.Rows() != next {
		t.Errorf("%d rows", next)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func TestWideRowsMakeSmallFrames(t *testing.T) {
	d := NewDirs(t.TempDir())
	defer d.Remove()
	s, err := d.Spill()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	schema := types.NewSchema(types.Field{Name: "a", Type: types.String})
	build := columnar.NewBuilder(types.String, 64)
	for i := range 64 {
		build.Append(strings.Repeat(string(rune('a'+i%26)), 100<<10))
	}
	v := build.Finish()
	if err := s.Write(&columnar.Batch{Schema: schema, N: 64, Cols: []columnar.Vector{v}}, 0, 64); err != nil {
		t.Fatal(err)
	}
	r, err := s.Reader(schema)
	if err != nil {
		t.Fatal(err)
	}
	frames, rows := 0, 0
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			if got := b.Cols[0].Text(i); len(got) != 100<<10 || got[0] != byte('a'+rows%26) {
				t.Fatalf("row %d is %d bytes of %c", rows, len(got), got[0])
			}
			rows++
		}
		frames++
	}
	if rows != 64 || frames < 16 || s.ReaderBytes() > 2<<20 {
		t.Errorf("%d rows in %d frames, of which a reader takes %d bytes", rows, frames, s.ReaderBytes())
	}
}

// Consumers are told by operator, the largest first.
func TestConsumers(t *testing.T) {
	p := NewPool(Config{Budget: 100 << 20})
	one, two, shared := p.Account("one"), p.Account("two"), p.Shared("shared")
	sorts := []*Reservation{one.Reserve("Sort"), two.Reserve("Sort")}
	table, idle := shared.Reserve("HashJoin"), two.Reserve("HashAggregate")
	if !sorts[0].TryGrow(10<<20) || !sorts[1].TryGrow(20<<20) || !table.TryGrow(25<<20) || !idle.TryGrow(1) || !p.GrowStorage(1<<20) {
		t.Fatal("refused")
	}
	idle.Release()
	if got := fmt.Sprint(p.Consumers(2)); got != "[Sort 30.0 MiB in 2 places HashJoin 25.0 MiB]" {
		t.Errorf("the two largest are %s", got)
	}
	if got := p.Consumers(9); len(got) != 3 || got[2].String() != "cached blocks 1024.0 KiB" {
		t.Errorf("all are %v", got)
	}
	for _, r := range append(sorts, table) {
		r.Release()
	}
	if got := p.Consumers(9); len(got) != 1 || len(p.holders) != 0 {
		t.Errorf("after that there are %v", got)
	}
}
