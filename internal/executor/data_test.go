package executor_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/wire"
)

var longs = types.NewSchema(types.Field{Name: "k", Type: types.Long})

// numbers is a batch of n numbers from one on.
func numbers(from, n int) *columnar.Batch {
	k := columnar.NewBuilder(types.Long, n)
	for i := range n {
		k.Append(int64(from + i))
	}
	return &columnar.Batch{Schema: longs, N: n, Cols: []columnar.Vector{k.Finish()}}
}

const reducers = 3

// mapTask writes rows numbers, spread over the reducers.
func mapTask(ctx context.Context, env *executor.Env, t *executor.Task, rows int) (out wire.Outcome, err error) {
	mem := env.Pool.Account("map task")
	defer func() { err = errors.Join(err, mem.Close()) }()
	w, err := env.Shuffle.Writer(shuffle.Output{Shuffle: 0, Map: t.Partition, Task: t.ID, Partitions: reducers, Schema: longs, Mem: mem})
	if err != nil {
		return out, err
	}
	defer w.Abort()
	const batch = 9000
	order, bounds := make([]uint32, batch), make([]uint32, reducers+1)
	for i := range order {
		order[i] = uint32(i)
	}
	for i := range bounds {
		bounds[i] = uint32(batch / reducers * i)
	}
	for at := 0; at < rows; at += batch {
		if err := w.Write(ctx, numbers(t.Partition*rows+at, batch), order, bounds); err != nil {
			return out, err
		}
	}
	st, err := w.Commit(ctx)
	return wire.Outcome{Sizes: st.Sizes}, err
}

// reduceTask sums what the map tasks wrote for it.
func reduceTask(ctx context.Context, env *executor.Env, t *executor.Task) (out wire.Outcome, err error) {
	maps, err := env.Statuses(ctx, 0, t.Epoch)
	if err != nil {
		return out, err
	}
	r, err := env.Shuffle.Reader(ctx, shuffle.Request{Shuffle: 0, Schema: longs, Maps: maps, From: t.Partition, To: t.Partition + 1})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var sum, n int64
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return wire.Outcome{Result: fmt.Appendf(nil, "%d %d", n, sum)}, nil
		}
		if err != nil {
			return out, err
		}
		n += int64(b.N)
		for i := range b.N {
			sum += b.Cols[0].ValueAt(i).(int64)
		}
	}
}

const mapRows = 90_000

func init() {
	toys["map"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		return mapTask(ctx, env, t, mapRows)
	}
	toys["reduce"] = reduceTask
	// The first attempt of a stage finds the outputs of one executor gone.
	toys["reduce after loss"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		if t.StageAttempt == 0 {
			if t.Partition == 0 {
				for _, dir := range env.Dirs.All() {
					files, _ := filepath.Glob(filepath.Join(dir, "shuffle_0_*"))
					for _, f := range files {
						_ = os.Remove(f)
					}
				}
			} else {
				time.Sleep(300 * time.Millisecond)
			}
		}
		return reduceTask(ctx, env, t)
	}
	// The first attempt of a stage loses an executor with the outputs there.
	toys["reduce after death"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		if t.StageAttempt == 0 && t.Attempt == 0 {
			if env.ID == "0" {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			time.Sleep(300 * time.Millisecond)
		}
		return reduceTask(ctx, env, t)
	}
	toys["broadcast"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		r, err := env.Broadcast(ctx, 1)
		if err != nil {
			return wire.Outcome{}, err
		}
		h := crc32.NewIEEE()
		n, err := io.Copy(h, r)
		return wire.Outcome{Result: fmt.Appendf(nil, "%d %x", n, h.Sum32())}, errors.Join(err, r.Close())
	}
	toys["big"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		name := fmt.Sprintf("taskresult_%d", t.ID)
		w, err := env.Store(name)
		if err != nil {
			return wire.Outcome{}, err
		}
		piece := make([]byte, 1<<20)
		for i := range bigResult >> 20 {
			for j := 0; j < len(piece); j += 8 {
				binary.LittleEndian.PutUint64(piece[j:], uint64(i<<20+j))
			}
			if _, err := w.Write(piece); err != nil {
				return wire.Outcome{}, err
			}
		}
		return wire.Outcome{Stored: name, ResultSize: bigResult}, w.Close()
	}
	toys["stored"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		u := env.Pool.Usage()
		files := 0
		for _, dir := range env.Dirs.All() {
			f, _ := filepath.Glob(filepath.Join(dir, "block_*"))
			files += len(f)
		}
		return wire.Outcome{Result: fmt.Appendf(nil, "%d %d", u.Storage, files)}, nil
	}
	toys["cache"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		w := env.Blocks.BatchWriter(fmt.Sprintf("rdd_5_%d", t.Partition), block.InMemory|block.OnDisk, longs)
		if err := w.Add(numbers(t.Partition*100, 100)); err != nil {
			return wire.Outcome{}, err
		}
		return wire.Outcome{}, w.Close()
	}
	// Each task reads all cached partitions, wherever they lie.
	toys["cached"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		far := 0
		for p := range 4 {
			name := fmt.Sprintf("rdd_5_%d", p)
			var first int64
			if r, err := env.Blocks.Batches(name, longs); err == nil {
				b, err := r.Next()
				if err != nil {
					return wire.Outcome{}, err
				}
				first = b.Cols[0].ValueAt(0).(int64)
				_ = r.Close()
			} else {
				far++
				in, err := env.Cached(ctx, name)
				if err != nil {
					return wire.Outcome{}, err
				}
				b, err := wire.NewFrameReader(in, longs).Next()
				if err != nil {
					return wire.Outcome{}, err
				}
				first = b.Cols[0].ValueAt(0).(int64)
				_ = in.Close()
			}
			if first != int64(p*100) {
				return wire.Outcome{}, fmt.Errorf("%s starts with %d", name, first)
			}
		}
		return wire.Outcome{Result: fmt.Appendf(nil, "%d", far)}, nil
	}
}

func mapStage(name string, tasks int) *driver.Stage {
	s := stage(name, tasks)
	s.Shuffle = 0
	return s
}

func reduceStage(name string) *driver.Stage {
	s := stage(name, reducers)
	s.Parents = []event.ShuffleID{0}
	return s
}

func wantSums(t *testing.T, out []driver.RemoteResult, maps int) {
	t.Helper()
	var n, sum int64
	for _, r := range out {
		var a, b int64
		if _, err := fmt.Sscan(string(r.Data), &a, &b); err != nil {
			t.Fatal(err)
		}
		n, sum = n+a, sum+b
	}
	all := int64(maps * mapRows)
	if n != all || sum != all*(all-1)/2 {
		t.Errorf("%d rows with sum %d, of %d", n, sum, all)
	}
}

// waitFor waits until so many executors are registered.
func (c *testCluster) waitFor(t testing.TB, slots int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); c.remote.Registered() < slots; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d slots are registered, not %d", c.remote.Registered(), slots)
		}
	}
}

// Two executors read each other's map outputs.
func TestShuffle(t *testing.T) {
	c := start(t, 2, 2, nil)
	c.waitFor(t, 4)
	out, err := c.run(t, mapStage("map", 6), reduceStage("reduce"))
	if err != nil {
		t.Fatal(err)
	}
	wantSums(t, out, 6)
	st, err := c.MapStatuses(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	at := map[event.ExecutorID]bool{}
	for _, s := range st {
		at[s.At] = true
	}
	if len(at) != 2 {
		t.Errorf("the outputs lie at %v", at)
	}
	c.ReleaseShuffle(0)
}

// Outputs that are gone are computed again, and those that are not are not.
func TestLostOutput(t *testing.T) {
	for _, name := range []string{"reduce after loss", "reduce after death"} {
		t.Run(name, func(t *testing.T) {
			c := start(t, 2, 2, nil)
			c.waitFor(t, 4)
			failed := make(chan event.FetchFailed, 100)
			c.Bus().Subscribe(func(e event.Event) {
				if e, ok := e.(event.TaskEnd); ok {
					if f, ok := e.Reason.(event.FetchFailed); ok {
						failed <- f
					}
				}
			})
			out, err := c.run(t, mapStage("map", 6), reduceStage(name))
			if err != nil {
				t.Fatal(err)
			}
			wantSums(t, out, 6)
			c.Bus().Drain()
			if name == "reduce after loss" {
				select {
				case f := <-failed:
					if f.From == "" || f.Host == "" || f.Map < 0 || f.Cause == nil {
						t.Errorf("failure %+v", f)
					}
				default:
					t.Error("no fetch failed")
				}
			}
		})
	}
}

func TestBroadcast(t *testing.T) {
	c := start(t, 2, 2, nil)
	c.waitFor(t, 4)
	data := make([]byte, 100<<20+123)
	for i := 0; i+8 <= len(data); i += 8 {
		binary.LittleEndian.PutUint64(data[i:], uint64(i)*0x9E3779B97F4A7C15)
	}
	want := fmt.Sprintf("%d %x", len(data), crc32.ChecksumIEEE(data))
	id, err := c.remote.Broadcast(data)
	if err != nil || id != 1 {
		t.Fatal(id, err)
	}
	out, err := c.run(t, stage("broadcast", 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		if string(r.Data) != want {
			t.Errorf("%s instead of %s", r.Data, want)
		}
	}
	c.remote.DropBroadcast(id)
	c.wantEmpty(t)
	if _, err := c.run(t, stage("broadcast", 1)); err == nil || !strings.Contains(err.Error(), "the block is not there") {
		t.Errorf("error %v", err)
	}
}

// wantEmpty checks that executors store nothing any more.
func (c *testCluster) wantEmpty(t *testing.T) {
	t.Helper()
	out, err := c.run(t, stage("stored", 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		if string(r.Data) != "0 0" {
			t.Errorf("executor %s stores %s (bytes in memory, files)", r.At, r.Data)
		}
	}
}

const bigResult = 200 << 20

// A result that is bigger than what executor and driver have for it streams through both.
func TestBigResult(t *testing.T) {
	c := start(t, 1, 1, nil)
	out, err := c.run(t, stage("big", 1))
	if err != nil {
		t.Fatal(err)
	}
	if out[0].Stored == "" || out[0].Size != bigResult || out[0].Data != nil {
		t.Fatalf("result %+v", out[0])
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := c.remote.OpenResult(t.Context(), out[0])
	if err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 1<<20)
	for i := range bigResult >> 20 {
		if _, err := io.ReadFull(r, piece); err != nil {
			t.Fatal(err)
		}
		for j := 0; j < len(piece); j += 8 {
			if got := binary.LittleEndian.Uint64(piece[j:]); got != uint64(i<<20+j) {
				t.Fatalf("%d at %d", got, i<<20+j)
			}
		}
	}
	if _, err := r.Read(piece); !errors.Is(err, io.EOF) {
		t.Errorf("error %v at the end", err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 64<<20 {
		t.Errorf("reading took %d MiB of memory", grown>>20)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	c.wantEmpty(t)
	if r, err := c.remote.OpenResult(t.Context(), out[0]); err == nil {
		if _, err := r.Read(piece); !errors.Is(err, block.ErrGone) {
			t.Errorf("error %v", err)
		}
		_ = r.Close()
	}
}

// A result whose executor died is an error soon.
func TestLostResult(t *testing.T) {
	c := start(t, 1, 1, nil)
	out, err := c.run(t, stage("big", 1))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.remote.OpenResult(t.Context(), out[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	c.procs.kill("0", syscall.SIGKILL)
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, block.ErrPeerLost) {
		t.Errorf("error %v", err)
	}
	_ = r.Close() // it cannot remove what is gone
	if _, err := c.remote.OpenResult(t.Context(), out[0]); !errors.Is(err, block.ErrPeerLost) {
		t.Errorf("error %v", err)
	}
}

// The driver knows where cached partitions lie, and executors read each other's.
func TestCachedBlocks(t *testing.T) {
	c := start(t, 2, 2, nil)
	c.waitFor(t, 4)
	if _, err := c.run(t, stage("cache", 4)); err != nil {
		t.Fatal(err)
	}
	st := stage("cached", 4)
	for p := range 4 {
		at := c.remote.Cached(fmt.Sprintf("rdd_5_%d", p))
		if len(at) != 1 {
			t.Fatalf("partition %d lies at %v", p, at)
		}
		st.Prefs = append(st.Prefs, []scheduler.Location{{Executor: at[0].At, Host: at[0].Host}})
	}
	out, err := c.run(t, st)
	if err != nil {
		t.Fatal(err)
	}
	for p, r := range out {
		if r.At != st.Prefs[p][0].Executor {
			t.Errorf("task %d ran at %s, not where its partition lies", p, r.At)
		}
	}
	if !slices.ContainsFunc(out, func(r driver.RemoteResult) bool { return !bytes.Equal(r.Data, []byte("0")) }) {
		t.Error("no partition was read from another executor")
	}
	c.remote.DropBlocks("rdd_5")
	if at := c.remote.Cached("rdd_5_0"); len(at) != 0 {
		t.Errorf("it lies at %v", at)
	}
	c.wantEmpty(t)
}
