package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"weak"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

func rowsOf(values ...int64) *columnar.Batch {
	return &columnar.Batch{N: len(values), Cols: []columnar.Vector{columnar.NewFlat(types.Long, values)}}
}

// TestWindowKeepsPartitionOrder lets many tasks deliver in whatever order they run in.
func TestWindowKeepsPartitionOrder(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tasks := 1 + rng.IntN(8)
		var got, want []int64
		w := newWindow(tasks, func(b *columnar.Batch) error {
			got = append(got, columnar.Values[int64](&b.Cols[0])...)
			return nil
		})
		var wg sync.WaitGroup
		for p := range tasks {
			count := rng.IntN(20)
			for i := range count {
				want = append(want, int64(p*1000+i))
			}
			wg.Go(func() {
				buf := []int64{0}
				for i := range count {
					buf[0] = int64(p*1000 + i) // the batch is borrowed: its buffer is reused
					if err := w.put(context.Background(), p, rowsOf(buf...)); err != nil {
						t.Error(err)
					}
				}
				if err := w.end(context.Background(), p); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
	}
}

func TestWindowErrorReachesAll(t *testing.T) {
	broken := errors.New("the client is gone")
	w := newWindow(2, func(*columnar.Batch) error { return broken })
	if err := w.put(context.Background(), 0, rowsOf(1)); !errors.Is(err, broken) {
		t.Fatalf("the sink's error became %v", err)
	}
	if err := w.put(context.Background(), 1, rowsOf(1)); !errors.Is(err, broken) {
		t.Fatalf("another task got %v", err)
	}
}

// What was delivered is not kept, though results of many partitions wait in turn.
func TestWindowForgets(t *testing.T) {
	var delivered []weak.Pointer[columnar.Batch]
	w := newWindow(3, func(b *columnar.Batch) error {
		delivered = append(delivered, weak.Make(b))
		return nil
	})
	for part := range 2 {
		for range 5 {
			if err := w.put(t.Context(), part+1, rowsOf(7)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for part := range 2 {
		if err := w.end(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	for i, p := range delivered {
		if p.Value() != nil {
			t.Errorf("batch %d of %d is still there", i, len(delivered))
		}
	}
	runtime.KeepAlive(w)
}
