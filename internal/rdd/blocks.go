package rdd

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
)

// Blocks keeps computed partitions of nodes in one process: as Go values in storage memory, or encoded on disk.
type Blocks struct {
	pool *memory.Pool
	mu   sync.Mutex
	all  map[blockKey]*keptPart
	tick int64
}

type blockKey struct {
	rdd  event.RDDID
	part int
}

type keptPart struct {
	key   blockKey
	elem  Elem
	level string
	list  any // []T, nil when it is on disk
	bytes int64
	file  *runFile
	size  int64 // of the file
	used  int64
	dirs  *memory.Dirs // where it goes when it has to leave memory
}

// NewBlocks makes an empty store.
func NewBlocks(p *memory.Pool) *Blocks { return &Blocks{pool: p, all: map[blockKey]*keptPart{}} }

// CheckLevel refuses storage levels that do not exist.
func CheckLevel(level string) error {
	bare := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(level, "_2"), "_3"), "_SER"), "_DESER")
	switch bare {
	case "MEMORY_ONLY", "MEMORY_AND_DISK", "DISK_ONLY":
		return nil
	case "OFF_HEAP": // all memory is the process's own here
		if level == bare {
			return nil
		}
	}
	return fmt.Errorf("there is no storage level %s", level)
}

func inMemory(level string) bool { return !strings.HasPrefix(level, "DISK_ONLY") }
func onDisk(level string) bool   { return !strings.HasPrefix(level, "MEMORY_ONLY") }

// copiesOf is how many executors should have each partition.
func copiesOf(level string) int {
	switch {
	case strings.HasSuffix(level, "_2"):
		return 2
	case strings.HasSuffix(level, "_3"):
		return 3
	}
	return 1
}

// sequence is a kept partition, or one that is computed and kept while it is read.
func (b *Blocks) sequence(t *Task, n *Node, part int, level string) any {
	key := blockKey{n.ID, part}
	b.mu.Lock()
	have := b.all[key]
	var list any
	if have != nil {
		b.tick++
		have.used = b.tick
		list = have.list
	}
	b.mu.Unlock()
	switch {
	case have == nil:
		return n.Elem.Keep(t, n.Op.Compute(t, n, part), &Keeper{b: b, t: t, block: &keptPart{key: key, elem: n.Elem, level: level, dirs: t.Env.Dirs}})
	case list != nil:
		return n.Elem.Seq(list)
	}
	next := have.file.chunks(0, have.size)
	return n.Elem.Decode(t, func() ([]byte, error) {
		chunk, err := next()
		if err != nil && !errors.Is(err, io.EOF) {
			b.lose(have)
			err = &lostPart{key, err}
		}
		return chunk, err
	})
}

// lostPart is the error of a kept partition that cannot be read any more. It is computed by who asks again.
type lostPart struct {
	key   blockKey
	cause error
}

func (l *lostPart) Error() string {
	return fmt.Sprintf("partition %d of RDD %d was kept, and cannot be read: %v", l.key.part, l.key.rdd, l.cause)
}

// Unwrap returns the cause.
func (l *lostPart) Unwrap() error { return l.cause }

// lose forgets a partition that cannot be read.
func (b *Blocks) lose(x *keptPart) {
	b.mu.Lock()
	ours := b.all[x.key] == x
	if ours {
		delete(b.all, x.key)
	}
	b.mu.Unlock()
	if ours {
		_ = b.free(x) // it is damaged
	}
}

// Keeper takes the records of one partition on their way.
type Keeper struct {
	b     *Blocks
	t     *Task
	block *keptPart
	off   bool // not to be kept
}

// grow asks for storage memory; false says that the records must go elsewhere.
func (k *Keeper) grow(n int64) bool {
	if !inMemory(k.block.level) || !k.b.pool.GrowStorage(n) {
		return false
	}
	k.block.bytes += n
	return true
}

// refuse ends keeping in memory: on disk is the next place, if the level allows it.
func (k *Keeper) refuse() {
	k.b.pool.ReleaseStorage(k.block.bytes)
	k.block.bytes = 0
	if !onDisk(k.block.level) {
		k.off = true
		return
	}
	f, err := k.t.Env.Dirs.Spill()
	if err != nil {
		k.t.Fail(err)
		k.off = true
		return
	}
	k.block.file = &runFile{f: f}
}

// done stores what is complete.
func (k *Keeper) done(list any) {
	if k.block.file != nil {
		size, err := k.block.file.end()
		if err == nil {
			err = k.block.file.f.Done()
		}
		k.block.size = size
		k.t.Fail(err)
	} else {
		k.block.list = list
	}
	if k.off || k.t.Err() != nil || !k.b.add(k.block) {
		k.drop()
	}
}

func (k *Keeper) drop() { k.t.Fail(k.b.free(k.block)) }

func (b *Blocks) add(x *keptPart) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[x.key] != nil {
		return false
	}
	b.tick++
	x.used = b.tick
	b.all[x.key] = x
	return true
}

func (b *Blocks) free(x *keptPart) error {
	b.pool.ReleaseStorage(x.bytes)
	x.bytes = 0
	if x.file == nil {
		return nil
	}
	return x.file.f.Close()
}

// Drop forgets all partitions of a node.
func (b *Blocks) Drop(id event.RDDID) error {
	b.mu.Lock()
	var gone []*keptPart
	for k, x := range b.all {
		if k.rdd == id {
			gone = append(gone, x)
			delete(b.all, k)
		}
	}
	b.mu.Unlock()
	var errs []error
	for _, x := range gone {
		errs = append(errs, b.free(x))
	}
	return errors.Join(errs...)
}

// Clear forgets everything.
func (b *Blocks) Clear() error {
	b.mu.Lock()
	all := b.all
	b.all = map[blockKey]*keptPart{}
	b.mu.Unlock()
	var errs []error
	for _, x := range all {
		errs = append(errs, b.free(x))
	}
	return errors.Join(errs...)
}

// Kept says how many partitions of a node are kept, and their bytes in memory and on disk.
func (b *Blocks) Kept(id event.RDDID) (parts int, memory, disk int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, x := range b.all {
		if k.rdd == id {
			parts, memory, disk = parts+1, memory+x.bytes, disk+x.size
		}
	}
	return parts, memory, disk
}

// Evict gives n bytes of storage back: the partitions in memory that were used least recently go, to disk if their level says
// so. The others are computed again when they are needed; it implements what memory.Pool.OnEvict asks for.
func (b *Blocks) Evict(n int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var freed int64
	for freed < n {
		var oldest *keptPart
		for _, x := range b.all {
			if x.list != nil && (oldest == nil || x.used < oldest.used) {
				oldest = x
			}
		}
		if oldest == nil {
			break
		}
		if !onDisk(oldest.level) || oldest.moveOut() != nil { // what cannot be written is lost, as a kept partition may be
			delete(b.all, oldest.key)
		}
		oldest.list = nil
		freed += oldest.bytes
		b.pool.ReleaseStorage(oldest.bytes)
		oldest.bytes = 0
	}
	return freed
}

// moveOut writes a partition in memory to disk.
func (x *keptPart) moveOut() error {
	f, err := x.dirs.Spill()
	if err != nil {
		return err
	}
	out := &runFile{f: f}
	err = x.elem.Spill(x.list, out)
	if err == nil {
		x.size, err = out.end()
	}
	if err == nil {
		err = f.Done()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	x.file = out
	return nil
}

// Elements is the Elem of type T.
type Elements[T any] struct{ _ [0]T }

func (Elements[T]) Seq(list any) any {
	return iter.Seq[T](func(yield func(T) bool) {
		for _, v := range list.([]T) {
			if !yield(v) {
				return
			}
		}
	})
}

// Spill writes the records of a list to a file.
func (Elements[T]) Spill(list any, f *runFile) error {
	codec, err := CodecOf[T]()
	if err != nil {
		return err
	}
	values := list.([]T)
	for i := range values {
		if err := f.add(func(b []byte) ([]byte, error) { return codec.Append(b, &values[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// Keep passes a sequence on and keeps it, all of it, even if the reader has enough.
func (Elements[T]) Keep(t *Task, seq any, k *Keeper) any {
	return iter.Seq[T](func(yield func(T) bool) {
		codec, err := CodecOf[T]()
		if err != nil {
			k.off = true // what cannot be encoded is computed again each time
		}
		var list []T
		weight, wanted := int64(0), true
		if !k.off && !inMemory(k.block.level) {
			k.refuse()
		}
		Each(t, seq.(iter.Seq[T]), func(v T) bool {
			if !k.off && k.block.file == nil {
				list = append(list, v)
				if weight += codec.Weigh(&v); weight >= combinerStep {
					if !k.grow(weight) {
						k.refuse()
						keepAll(k, codec, list)
						list = nil
					}
					weight = 0
				}
			} else if !k.off {
				keepAll(k, codec, []T{v})
			}
			wanted = wanted && yield(v)
			return wanted || !k.off
		})
		if !k.off && k.block.file == nil && !k.grow(weight) {
			k.refuse()
			keepAll(k, codec, list)
		}
		if k.off || t.Err() != nil {
			k.drop()
			return
		}
		k.done(list)
	})
}

// keepAll moves records to the keeper's file.
func keepAll[T any](k *Keeper, codec Codec[T], list []T) {
	for i := range list {
		if k.off {
			return
		}
		if err := k.block.file.add(func(b []byte) ([]byte, error) { return codec.Append(b, &list[i]) }); err != nil {
			k.t.Fail(err)
			k.off = true
		}
	}
}

// Decode reads what was kept on disk.
func (Elements[T]) Decode(t *Task, next func() ([]byte, error)) any {
	return iter.Seq[T](func(yield func(T) bool) {
		codec, err := CodecOf[T]()
		if err != nil {
			t.Fail(err)
			return
		}
		read := records(t, codec, next)
		for {
			v, ok := read()
			if !ok || !yield(v) {
				return
			}
		}
	})
}

// Encode gives a partition as chunks, for checkpoints.
func (Elements[T]) Encode(t *Task, seq any, chunk func([]byte) error) {
	codec, err := CodecOf[T]()
	if err != nil {
		t.Fail(err)
		return
	}
	var b []byte
	Each(t, seq.(iter.Seq[T]), func(v T) bool {
		b, err = codec.Append(b, &v)
		if err == nil && len(b) >= chunkSize {
			err = chunk(b)
			b = b[:0]
		}
		t.Fail(err)
		return err == nil
	})
	if len(b) > 0 && t.err == nil {
		t.Fail(chunk(b))
	}
}

var errCut = fmt.Errorf("%w: a checkpoint file ends too early", ErrDamaged)

// frames reads chunks of a checkpoint file.
func frames(in io.Reader) func() ([]byte, error) {
	var buf []byte
	return func() ([]byte, error) {
		var n [8]byte
		if _, err := io.ReadFull(in, n[:]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = errCut
			}
			return nil, err
		}
		size, sum := le32(n[:4]), le32(n[4:])
		if size > 1<<30 {
			return nil, ErrDamaged
		}
		if cap(buf) < int(size) {
			buf = make([]byte, size)
		}
		if _, err := io.ReadFull(in, buf[:size]); err != nil {
			return nil, errCut
		}
		if checksum(buf[:size]) != sum {
			return nil, ErrDamaged
		}
		return buf[:size], nil
	}
}
