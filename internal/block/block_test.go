package block

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/types"
)

func TestMain(m *testing.M) {
	memory.Buffers.Poison = true
	goleak.VerifyTestMain(m)
}

func pattern(n int, seed uint64) []byte {
	out := make([]byte, n)
	r := rand.NewPCG(seed, 1)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(out[i:], r.Uint64())
	}
	return out
}

// told collects what a store reports.
type told struct {
	mu  sync.Mutex
	all []event.BlockStatus
}

func (t *told) add(s event.BlockStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, s)
}

func newStore(t testing.TB, budget int64) (*Store, *memory.Pool, *memory.Dirs, *told) {
	pool := memory.NewPool(memory.Config{Budget: budget, StorageFraction: 0.5})
	dirs := memory.NewDirs(t.TempDir())
	log := &told{}
	s := NewStore(pool, dirs, log.add)
	t.Cleanup(func() {
		s.Close()
		if u := pool.Usage(); u.Storage != 0 {
			t.Errorf("%d bytes of storage are not given back", u.Storage)
		}
		if files := filesIn(dirs); len(files) > 0 {
			t.Errorf("files are left: %v", files)
		}
	})
	return s, pool, dirs, log
}

func filesIn(dirs *memory.Dirs) (files []string) {
	for _, d := range dirs.All() {
		found, _ := filepath.Glob(filepath.Join(d, "*"))
		files = append(files, found...)
	}
	return files
}

func readAll(t testing.TB, s *Store, name string) []byte {
	t.Helper()
	r, err := s.Stream(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Blocks that were not used for longest go to disk, or away, and say the same wherever they lie.
func TestStoreEvicts(t *testing.T) {
	s, pool, dirs, log := newStore(t, 10<<20)
	sizes := []int{0, 1, 3 << 20, Chunk, Chunk + 1, 5 << 20, 4 << 20}
	for i, n := range sizes {
		if err := s.Put(fmt.Sprintf("rdd_1_%d", i), InMemory|OnDisk, pattern(n, uint64(i))); err != nil {
			t.Fatal(err)
		}
		if u := pool.Usage(); u.Storage > u.Budget {
			t.Fatalf("%d bytes of %d", u.Storage, u.Budget)
		}
	}
	if len(filesIn(dirs)) == 0 || s.Count() != len(sizes) {
		t.Errorf("%d files, %d blocks", len(filesIn(dirs)), s.Count())
	}
	for i, n := range sizes {
		if !bytes.Equal(readAll(t, s, fmt.Sprintf("rdd_1_%d", i)), pattern(n, uint64(i))) {
			t.Errorf("block %d of %d bytes changed", i, n)
		}
	}
	if err := s.Put("rdd_2_0", InMemory, pattern(6<<20, 9)); err != nil {
		t.Fatal(err)
	}
	// A task that needs memory gets it down to what is protected.
	mem := pool.Account("task").Reserve("sort")
	if !mem.TryGrow(5 << 20) {
		t.Errorf("a task got nothing of %+v", pool.Usage())
	}
	mem.Release()
	if _, ok := s.Status("rdd_2_0"); ok {
		t.Error("a block in memory only did not give way")
	}
	if err := s.Put("x", InMemory, pattern(11<<20, 1)); !errors.Is(err, ErrNoRoom) {
		t.Errorf("error %v", err)
	}
	s.RemoveAll("rdd_1")
	if _, err := s.Open("rdd_1_3"); !errors.Is(err, fs.ErrNotExist) || s.Count() != 0 {
		t.Errorf("error %v, %d blocks", err, s.Count())
	}
	last := map[string]event.BlockStatus{}
	for _, st := range log.all {
		last[st.Block] = st
	}
	for name, st := range last {
		if st.Level != "" {
			t.Errorf("%s is told to be at %s", name, st.Level)
		}
	}
	if len(last) != len(sizes)+1 {
		t.Errorf("told of %d blocks", len(last))
	}
}

// A block that is removed while it is read stays until the reader is closed.
func TestRemoveWhileReading(t *testing.T) {
	s, _, dirs, _ := newStore(t, 10<<20)
	for _, level := range []Level{InMemory, OnDisk} {
		data := pattern(3<<20, 1)
		if err := s.Put("a", level, data); err != nil {
			t.Fatal(err)
		}
		r, err := s.Stream("a")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remove("a"); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, pattern(3<<20, 1)) {
			t.Errorf("%s: %d bytes, %v", level, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if files := filesIn(dirs); len(files) > 0 {
			t.Errorf("files %v", files)
		}
	}
}

// Where local files are encrypted a block's file shows nothing of it, and reads as without.
func TestSealedFile(t *testing.T) {
	s, _, dirs, _ := newStore(t, 10<<20)
	key, err := memory.NewKey(256)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := memory.Cipher(key)
	if err != nil {
		t.Fatal(err)
	}
	dirs.Encrypt(seal)
	for _, n := range []int{0, 100, Chunk, 3*Chunk + 17} {
		data := bytes.Repeat([]byte("a marker that nobody may see; "), n/30+1)[:n]
		if err := s.Put("a", OnDisk, bytes.Clone(data)); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filesIn(dirs)[0])
		if err != nil || bytes.Contains(raw, []byte("marker")) {
			t.Errorf("%d bytes can be seen on disk, %v", len(raw), err)
		}
		if got := readAll(t, s, "a"); !bytes.Equal(got, data) {
			t.Errorf("%d bytes became %d", len(data), len(got))
		}
		r, err := s.Open("a")
		if err != nil {
			t.Fatal(err)
		}
		if at := int64(n / 2); n > 10 {
			p := make([]byte, 5)
			if _, err := r.ReadAt(p, at); err != nil || !bytes.Equal(p, data[at:at+5]) {
				t.Errorf("%q at %d, %v", p, at, err)
			}
		}
		_ = r.Close()
		if err := s.Remove("a"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	s, _, dirs, _ := newStore(t, 10<<20)
	if err := s.Put("a", OnDisk, pattern(3<<20, 1)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filesIn(dirs)[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{1, 2, 3}, 2<<20); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	r, err := s.Stream("a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); !errors.Is(err, ErrChecksum) || n > 2<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

var schema = types.NewSchema(types.Field{Name: "k", Type: types.Long}, types.Field{Name: "s", Type: types.String, Nullable: true})

func batch(from, n int) *columnar.Batch {
	k, s := columnar.NewBuilder(types.Long, n), columnar.NewBuilder(types.String, n)
	for i := range n {
		k.Append(int64(from + i))
		s.Append(fmt.Sprintf("row %d", from+i))
	}
	return &columnar.Batch{Schema: schema, N: n, Cols: []columnar.Vector{k.Finish(), s.Finish()}}
}

// next is what both readers of batches have.
type next interface {
	Next() (*columnar.Batch, error)
}

func wantRows(t *testing.T, r next, n int) {
	t.Helper()
	at := 0
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			if b.Cols[0].ValueAt(i) != int64(at) || b.Cols[1].ValueAt(i) != fmt.Sprintf("row %d", at) {
				t.Fatalf("row %d is %v, %v", at, b.Cols[0].ValueAt(i), b.Cols[1].ValueAt(i))
			}
			at++
		}
	}
	if at != n {
		t.Errorf("%d rows of %d", at, n)
	}
}

// Batches are the same from memory, from disk, and as the bytes that others get.
func TestBatches(t *testing.T) {
	const rows = 100_000
	for _, c := range []struct {
		level  Level
		budget int64
	}{{InMemory, 64 << 20}, {InMemory | OnDisk, 64 << 20}, {InMemory | OnDisk, 1 << 20}, {OnDisk, 64 << 20}} {
		t.Run(fmt.Sprint(c.level, c.budget), func(t *testing.T) {
			s, _, _, _ := newStore(t, c.budget)
			w := s.BatchWriter("rdd_0_0", c.level, schema)
			for at := 0; at < rows; at += 5000 {
				if err := w.Add(batch(at, 5000)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Batches("rdd_0_0", schema); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is there before it is complete: %v", err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				r, err := s.Batches("rdd_0_0", schema)
				if err != nil {
					t.Fatal(err)
				}
				wantRows(t, r, rows)
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				wantRows(t, memory.NewFrameReader(bytes.NewReader(readAll(t, s, "rdd_0_0")), schema), rows)
			}
		})
	}
	s, pool, _, _ := newStore(t, 1<<20)
	w := s.BatchWriter("rdd_0_0", InMemory, schema)
	var err error
	for at := 0; at < rows && err == nil; at += 5000 {
		err = w.Add(batch(at, 5000))
	}
	had := 0
	for _, b := range w.Added() {
		had += b.N
	}
	if err := errors.Join(err, w.Close()); !errors.Is(err, ErrNoRoom) || had == 0 || pool.Usage().Storage != 0 {
		t.Errorf("error %v, %d rows were added, %d bytes kept", err, had, pool.Usage().Storage)
	}
	if _, ok := s.Status("rdd_0_0"); ok {
		t.Error("a block that found no room is there")
	}
}

// Many readers, writers and removers at once: whoever reads a block gets all of it.
func TestStoreConcurrently(t *testing.T) {
	s, _, _, _ := newStore(t, 2<<20)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 2))
			for range 60 {
				i := r.IntN(6)
				name := fmt.Sprintf("rdd_3_%d", i)
				switch r.IntN(4) {
				case 0:
					_ = s.Remove(name)
				case 1:
					if err := s.Put(name, InMemory|OnDisk, pattern(i<<17, uint64(i))); err != nil {
						t.Error(err)
					}
				default:
					in, err := s.Stream(name)
					if errors.Is(err, fs.ErrNotExist) {
						continue
					}
					if err != nil {
						t.Error(err)
						continue
					}
					got, err := io.ReadAll(in)
					if err != nil || !bytes.Equal(got, pattern(i<<17, uint64(i))) {
						t.Errorf("block %d: %d bytes, %v", i, len(got), err)
					}
					_ = in.Close()
				}
			}
		})
	}
	wg.Wait()
}

func serve(t testing.TB, from Source, c rpc.Config) *rpc.Server {
	srv, err := rpc.Listen("127.0.0.1:0", c, func(*rpc.Conn) rpc.Handler { return Handler{from} }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	return srv
}

func client(t testing.TB, o Options) *Client {
	c := NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func TestFetch(t *testing.T) {
	s, _, _, _ := newStore(t, 64<<20)
	srv := serve(t, s, rpc.Config{Secret: "s"})
	c := client(t, Options{RPC: rpc.Config{Secret: "s"}, Window: 3 << 20})
	for i, n := range []int{0, 1, Chunk - 1, Chunk, Chunk + 1, 5<<20 + 7} {
		data := pattern(n, uint64(i))
		if err := s.Put("b", Level(1+i%2), bytes.Clone(data)); err != nil {
			t.Fatal(err)
		}
		for _, hint := range []int64{0, int64(n), int64(n) + 100, int64(n) / 2} {
			r := c.Open(t.Context(), srv.Addr(), "b", hint)
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d of %d bytes with hint %d: %v", len(got), n, hint, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := c.Remove(t.Context(), srv.Addr(), "b"); err != nil {
			t.Fatal(err)
		}
	}
	r := c.Open(t.Context(), srv.Addr(), "none", 100)
	if _, err := io.ReadAll(r); !errors.Is(err, ErrGone) {
		t.Errorf("error %v", err)
	}
	_ = r.Close()
	stranger := client(t, Options{RPC: rpc.Config{Secret: "x"}, Retries: 3, Wait: time.Hour})
	r = stranger.Open(t.Context(), srv.Addr(), "none", 100)
	var refused *rpc.RefusedError
	if _, err := io.ReadAll(r); !errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
	_ = r.Close()
}

// breaking is a listener in between that ends the first connections after so many bytes.
func breaking(t *testing.T, to string, after int64, times int) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		l.Close()
		cancel()
		wg.Wait()
	})
	wg.Go(func() {
		for n := 0; ; n++ {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				t.Error(err)
				return
			}
			end := func() { in.Close(); out.Close() }
			context.AfterFunc(ctx, end)
			wg.Go(func() { io.Copy(out, in) })
			wg.Go(func() {
				if n < times {
					io.CopyN(in, out, after)
				} else {
					io.Copy(in, out)
				}
				end()
			})
		}
	})
	return l.Addr().String()
}

// A stream goes on where a broken connection left it, so often as is allowed in a row.
func TestResume(t *testing.T) {
	s, _, _, _ := newStore(t, 64<<20)
	srv := serve(t, s, rpc.Config{})
	data := pattern(12<<20, 1)
	if err := s.Put("b", InMemory, bytes.Clone(data)); err != nil {
		t.Fatal(err)
	}
	c := client(t, Options{Retries: 1, Wait: time.Millisecond})
	r := c.Open(t.Context(), breaking(t, srv.Addr(), 3<<20, 5), "b", int64(len(data)))
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = r.Close()
	r = c.Open(t.Context(), breaking(t, srv.Addr(), 10_000, 1000), "b", int64(len(data)))
	var lost *rpc.ConnError
	if got, err := io.ReadAll(r); !errors.As(err, &lost) || len(got) > 0 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = r.Close()
}

// A server that is known to be gone is not waited for.
func TestLost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	c := client(t, Options{Retries: 1000, Wait: time.Hour})
	r := c.Open(t.Context(), addr, "b", 1)
	failed := make(chan error)
	go func() {
		_, err := io.ReadAll(r)
		failed <- err
	}()
	c.Lose(addr)
	if err := <-failed; !errors.Is(err, ErrPeerLost) {
		t.Errorf("error %v", err)
	}
	_ = r.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("Ctrl-C"))
	r = c.Open(ctx, "127.0.0.1:1", "b", 1)
	if _, err := io.ReadAll(r); err == nil || !errors.Is(err, context.Cause(ctx)) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkFetch(b *testing.B) {
	for _, size := range []int{64 << 10, 64 << 20} {
		for _, level := range []Level{InMemory, OnDisk} {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, level), func(b *testing.B) {
				memory.Buffers.Poison = false
				defer func() { memory.Buffers.Poison = true }()
				s, _, _, _ := newStore(b, 256<<20)
				srv := serve(b, s, rpc.Config{})
				if err := s.Put("b", level, pattern(size, 1)); err != nil {
					b.Fatal(err)
				}
				c := client(b, Options{})
				b.SetBytes(int64(size))
				buf := make([]byte, 1<<20)
				for b.Loop() {
					r := c.Open(b.Context(), srv.Addr(), "b", int64(size))
					for {
						if _, err := r.Read(buf); err != nil {
							if !errors.Is(err, io.EOF) {
								b.Fatal(err)
							}
							break
						}
					}
					_ = r.Close()
				}
			})
		}
	}
}
