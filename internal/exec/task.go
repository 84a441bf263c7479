package exec

import (
	"context"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/types"
)

// Task is what one task attempt is given: who it is, its memory and files, and where its input lies.
// Operators get it in Open and may keep it.
type Task struct {
	ID        event.TaskID
	Stage     event.StageID
	Partition int
	Attempt   int
	// Whole says that the task runs its plan alone: leaves yield all their partitions, and an Exchange or Broadcast
	// that was not cut off hands its input through.
	Whole bool

	Session *kernel.Session
	Mem     *memory.Account
	Dirs    *memory.Dirs // spill files
	Source  *source.Env
	Splits  Splits   // nil: the tasks of the stage share one queue per scan
	Inputs  Inputs   // what the stages below wrote; nil if the plan has no StageInput
	Cache   Cache    // cached plans; nil if the plan has no CachedScan
	Filters *Filters // runtime filters of the query; nil: none
	Shared  *Shared  // what the tasks of this stage share in this process
	Metrics *Metrics
	// Parts is the number of tasks of the stage that run a node of its plan in this process; nil: one.
	Parts func(p physical.Plan) int
	// MayCommit asks the driver whether this attempt may commit what it wrote; nil: it may. A denial is an
	// *event.CommitDeniedError.
	MayCommit func(ctx context.Context) error
}

// at is the task as a child sees it that is another partition of its own: below Union and Coalesce.
func (t *Task) at(partition int) *Task {
	if t.Whole || partition == t.Partition {
		return t
	}
	u := *t
	u.Partition = partition
	return &u
}

// ctx is the evaluation context of the task's expressions.
func (t *Task) ctx() *kernel.Ctx { return &kernel.Ctx{Session: t.Session, Partition: t.Partition} }

// reserve opens the reservation of an operator.
func (t *Task) reserve(operator string) *memory.Reservation { return t.Mem.Reserve(operator) }

// BatchReader yields borrowed batches until io.EOF.
type BatchReader interface {
	Next(ctx context.Context) (*columnar.Batch, error)
	Close() error
}

// Inputs gives tasks what the stages below wrote.
type Inputs interface {
	// Shuffle reads partitions [From, To) of the stage's map outputs in map order (of maps [MapFrom, MapTo) if MapTo > 0).
	Shuffle(ctx context.Context, t *Task, stage int, spec physical.PartitionSpec) (BatchReader, error)
	// Partitions is the number of partitions the stage wrote; 0 if it is a broadcast.
	Partitions(stage int) int
	// Broadcast is the whole output of a broadcast stage.
	Broadcast(ctx context.Context, t *Task, stage int) (*Relation, error)
}

// Cache reads cached plans.
type Cache interface {
	Read(ctx context.Context, t *Task, key string, partition int) (BatchReader, error)
}

// Relation is a broadcast input: rows in memory that all tasks of a process share and none changes.
type Relation struct {
	Schema  *types.Schema
	Batches []*columnar.Batch
	Rows    int64
	Bytes   int64
	Mem     *memory.Account // shared account that pays for what is derived from the relation; may be nil
	mu      sync.Mutex
	derived map[any]*once
}

// Derived returns what make builds of the relation, once per key in this process: a join's hash table. Tasks that ask
// meanwhile wait for it. Free, if set on the result (interface{ Free() }), is called by Relation.Free.
func (r *Relation) Derived(key any, make func() (any, error)) (any, error) {
	r.mu.Lock()
	if r.derived == nil {
		r.derived = map[any]*once{}
	}
	o := r.derived[key]
	if o == nil {
		o = &once{}
		r.derived[key] = o
	}
	r.mu.Unlock()
	return o.get(make)
}

// Free releases what was derived. The relation must not be used afterwards.
func (r *Relation) Free() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.derived {
		if f, ok := o.value.(interface{ Free() }); ok {
			f.Free()
		}
	}
	r.derived, r.Batches = nil, nil
}

type once struct {
	mu    sync.Mutex
	done  bool
	value any
}

// get makes the value unless it is there. A failed make is tried again by the next caller.
func (o *once) get(make func() (any, error)) (any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return o.value, nil
	}
	v, err := make()
	if err == nil {
		o.value, o.done = v, true
	}
	return v, err
}

// Shared holds what the tasks of one stage share in one process, by plan node: split queues, limit counters.
// All tasks that share must be built from the same plan value.
type Shared struct {
	mu sync.Mutex
	m  map[any]*once
}

// Of returns the value for a key, made by the first caller.
func (s *Shared) Of(key any, make func() (any, error)) (any, error) {
	s.mu.Lock()
	if s.m == nil {
		s.m = map[any]*once{}
	}
	o := s.m[key]
	if o == nil {
		o = &once{}
		s.m[key] = o
	}
	s.mu.Unlock()
	return o.get(make)
}

// Filters are the runtime filters of one query in one process, by id.
type Filters struct {
	mu sync.RWMutex
	m  map[int]KeySet
}

// KeySet is what a finished join build knows of one key column: bounds, and exact membership of value-Min if Bits is set.
// Empty: the build has no keys at all.
type KeySet struct {
	Min, Max int64
	Bits     columnar.Bitmap
	Empty    bool
}

// Publish sets the keys of filter id. It is called once per id, before the probe side is opened.
func (f *Filters) Publish(id int, k KeySet) {
	f.mu.Lock()
	if f.m == nil {
		f.m = map[int]KeySet{}
	}
	f.m[id] = k
	f.mu.Unlock()
}

// Lookup finds the keys of filter id if they are known yet.
func (f *Filters) Lookup(id int) (KeySet, bool) {
	if f == nil {
		return KeySet{}, false
	}
	f.mu.RLock()
	k, ok := f.m[id]
	f.mu.RUnlock()
	return k, ok
}
