package rdd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Broadcast variables and accumulators. Both travel by number, as fields of what functions get as arguments.

// Broadcast is a value that every process gets once. In the driver's process it is the value itself; elsewhere it is read
// when it is first asked for.
type Broadcast[T any] struct{ s *shared[T] }

// shared is a broadcast value of one process.
type shared[T any] struct {
	id   event.BroadcastID
	once sync.Mutex
	v    *T
	gone bool
}

// values are the broadcasts of this process, by number, as long as somebody holds them.
var values struct {
	sync.Mutex
	by map[int64]any // weak.Pointer[shared[T]]
}

// keepValue makes a broadcast known in this process until nobody holds it any more; drop, if not nil, is told then. The lock is held.
func keepValue[T any](s *shared[T], drop func(id event.BroadcastID)) {
	if values.by == nil {
		values.by = map[int64]any{}
	}
	w := weak.Make(s)
	values.by[int64(s.id)] = w
	runtime.AddCleanup(s, func(id event.BroadcastID) {
		values.Lock()
		if values.by[int64(id)] == any(w) { // and not one that came after it
			delete(values.by, int64(id))
		}
		values.Unlock()
		if drop != nil {
			drop(id)
		}
	}, s.id)
}

var nextLocal atomic.Int64

// NewBroadcast puts up a value.
func NewBroadcast[T any](e *Engine, v T) (*Broadcast[T], error) {
	s := &shared[T]{v: &v}
	if !e.Remote() {
		s.id = event.BroadcastID(-nextLocal.Add(1))
	} else {
		c, err := CodecOf[T]()
		if err != nil {
			return nil, err
		}
		data, err := c.Append(nil, &v)
		if err != nil {
			return nil, err
		}
		if s.id, err = e.host.Executors.Broadcast(data); err != nil {
			return nil, err
		}
	}
	var drop func(event.BroadcastID)
	if e.Remote() {
		drop = e.host.Executors.DropBroadcast
	}
	values.Lock()
	defer values.Unlock()
	keepValue(s, drop)
	return &Broadcast[T]{s}, nil
}

// Get is the value. In an executor the first call reads it from the driver and other executors.
func (b *Broadcast[T]) Get(ctx context.Context) (T, error) {
	var zero T
	if b == nil || b.s == nil {
		return zero, errors.New("spark: the broadcast has no value")
	}
	s := b.s
	s.once.Lock()
	defer s.once.Unlock()
	switch {
	case s.gone:
		return zero, fmt.Errorf("spark: broadcast %d was destroyed", s.id)
	case s.v != nil:
		return *s.v, nil
	}
	v, err := fetch[T](ctx, s.id)
	if err != nil {
		return zero, err
	}
	s.v = &v
	return v, nil
}

func fetch[T any](ctx context.Context, id event.BroadcastID) (v T, err error) {
	env := anyProcess()
	if env == nil {
		return v, sparkerr.Internal("broadcast %d is read outside of executors", id)
	}
	in, err := env.Broadcast(ctx, id)
	if err != nil {
		return v, err
	}
	data, err := io.ReadAll(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return v, err
	}
	c, err := CodecOf[T]()
	if err != nil {
		return v, err
	}
	_, err = c.Read(data, &v)
	return v, err
}

func anyProcess() *Env {
	processes.Lock()
	defer processes.Unlock()
	for _, p := range processes.all {
		return p.env
	}
	return nil
}

// Destroy forgets the value everywhere; it cannot be used any more.
func (b *Broadcast[T]) Destroy(e *Engine) {
	b.s.once.Lock()
	gone := b.s.gone
	b.s.v, b.s.gone = nil, true
	b.s.once.Unlock()
	values.Lock()
	delete(values.by, int64(b.s.id))
	values.Unlock()
	if e.Remote() && !gone {
		e.host.Executors.DropBroadcast(b.s.id)
	}
}

// MarshalBinary writes the number.
func (b *Broadcast[T]) MarshalBinary() ([]byte, error) {
	if b.s == nil {
		return nil, nil
	}
	return binary.AppendVarint(nil, int64(b.s.id)), nil
}

// UnmarshalBinary finds the process's value of a number.
func (b *Broadcast[T]) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	id, k := binary.Varint(data)
	if k <= 0 {
		return ErrDamaged
	}
	values.Lock()
	defer values.Unlock()
	if have, ok := values.by[id]; ok {
		w, ok := have.(weak.Pointer[shared[T]])
		if !ok {
			return ErrDamaged
		}
		if b.s = w.Value(); b.s != nil {
			return nil
		}
	}
	b.s = &shared[T]{id: event.BroadcastID(id)}
	keepValue(b.s, nil)
	return nil
}

// Accumulator is what tasks add to and the driver reads. It travels as a field of what functions get as arguments.
type Accumulator[T any] struct {
	id    int64
	name  string
	merge func(a, b T) T
	state *accumulated[T] `rdd:"-"` // of the driver
}

type accumulated[T any] struct {
	mu    sync.Mutex
	value T
}

// NewAccumulator makes an accumulator that starts at a value; tasks start at the zero value of T. merge joins two values,
// in any order; it must capture nothing where tasks run in other processes.
func NewAccumulator[T any](e *Engine, name string, start T, merge func(a, b T) T) (*Accumulator[T], error) {
	codec, err := CodecOf[T]()
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.nextAcc++
	a := &Accumulator[T]{id: firstAccumulator + e.nextAcc, name: name, merge: merge, state: &accumulated[T]{value: start}}
	e.accums[event.AccumulatorID(a.id)] = func(u event.Accumulable) error {
		var v T
		text, _ := u.Update.(string)
		if _, err := codec.Read([]byte(text), &v); err != nil {
			return err
		}
		a.state.mu.Lock()
		defer a.state.mu.Unlock()
		a.state.value = merge(a.state.value, v)
		return nil
	}
	return a, nil
}

// firstAccumulator keeps the numbers of programs' accumulators apart from those of the engine.
const firstAccumulator = 1 << 32

// Value is what the tasks that counted have added so far. It is the driver's: in a task it is the zero value.
func (a *Accumulator[T]) Value() (v T) {
	if a.state == nil {
		return v
	}
	a.state.mu.Lock()
	defer a.state.mu.Unlock()
	return a.state.value
}

// Set changes the value on the driver.
func (a *Accumulator[T]) Set(v T) {
	if a.state != nil {
		a.state.mu.Lock()
		defer a.state.mu.Unlock()
		a.state.value = v
	}
}

// Name is the accumulator's name.
func (a *Accumulator[T]) Name() string { return a.name }

// Add adds a value in a task. It counts once, when the task counts.
func (a *Accumulator[T]) Add(t *Task, v T) {
	id := event.AccumulatorID(a.id)
	have, ok := t.accums[id].(*added[T])
	if !ok {
		codec, err := CodecOf[T]()
		if err != nil {
			t.Fail(err)
			return
		}
		have = &added[T]{id: id, name: a.name, codec: codec}
		t.accums[id] = have
	}
	have.v = a.merge(have.v, v)
}

// added is what one task has added.
type added[T any] struct {
	id    event.AccumulatorID
	name  string
	v     T
	codec Codec[T]
}

func (x *added[T]) report() event.Accumulable {
	b, err := x.codec.Append(nil, &x.v)
	if err != nil {
		b = nil // a value that cannot be encoded is not counted
	}
	return event.Accumulable{ID: x.id, Name: x.name, Update: string(b), Text: fmt.Sprint(x.v)}
}
