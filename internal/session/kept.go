package session

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/wire"
)

// kept is a cached plan on executors: blocks rdd_<id>_<partition>, where the tasks ran that needed them first. What computes it
// stays as well: the map outputs of the stages below its last one, and the splits that its tasks own. So a partition that is
// nowhere, not yet or not any more, is computed alone by the task that reads it, as often as it takes.
type kept struct {
	e    *cached
	rdd  event.RDDID
	x    *execution
	root *stage
	data wire.Cached

	mu    sync.Mutex
	users int // queries that read it, and the cache while it is not dropped
}

func (k *kept) block(partition int) string { return fmt.Sprintf("%s_%d", k.data.Name, partition) }

// release ends a use. After the last, the blocks and what computes them go.
func (k *kept) release() {
	k.mu.Lock()
	k.users--
	last := k.users == 0
	k.mu.Unlock()
	if !last {
		return
	}
	k.x.app.executors.DropBlocks(k.data.Name)
	k.x.free()
	k.x.letGo()
}

// storageLevels are the names that Spark has for where blocks lie, and how often.
var storageLevels = []string{"NONE", "DISK_ONLY", "DISK_ONLY_2", "DISK_ONLY_3", "MEMORY_ONLY", "MEMORY_ONLY_2", "MEMORY_ONLY_SER",
	"MEMORY_ONLY_SER_2", "MEMORY_AND_DISK", "MEMORY_AND_DISK_2", "MEMORY_AND_DISK_SER", "MEMORY_AND_DISK_SER_2", "OFF_HEAP"}

// levels says where the blocks of a storage level may lie: the levels that Spark has come down to memory, disk and both.
func levels(level string) (memory, disk bool) {
	switch {
	case strings.HasPrefix(level, "DISK_ONLY"):
		return false, true
	case strings.HasPrefix(level, "MEMORY_ONLY"):
		return true, false
	}
	return true, true
}

// copies is how many executors should have each block.
func copies(level string) int {
	switch {
	case strings.HasSuffix(level, "_2"):
		return 2
	case strings.HasSuffix(level, "_3"):
		return 3
	}
	return 1
}

// use gives the kept rows of a cached plan and counts a use of them. The stages that the rows are made of run at the first use.
func (c *cacheManager) use(ctx context.Context, q *query, e *cached) (*kept, error) {
	e.fill.Lock()
	defer e.fill.Unlock()
	if e.kept == nil {
		k, err := c.keepOnExecutors(ctx, q, e)
		if err != nil {
			return nil, err
		}
		e.kept = k
	}
	e.kept.mu.Lock()
	e.kept.users++
	e.kept.mu.Unlock()
	return e.kept, nil
}

func (c *cacheManager) keepOnExecutors(ctx context.Context, q *query, e *cached) (*kept, error) {
	x, root, err := q.prepare(ctx, e.plan)
	if err != nil {
		return nil, err
	}
	k := &kept{e: e, rdd: c.app.newRDD(), x: x, root: root, users: 1}
	place := x.place.(*onExecutors)
	var w *wire.Work
	if err = x.prepare(root); err == nil {
		w, err = place.fragment(root, wire.Output{}, nil)
	}
	if err != nil {
		x.free()
		x.letGo()
		return nil, err
	}
	mem, disk := levels(e.level)
	k.data = wire.Cached{Key: e.key, Name: fmt.Sprintf("rdd_%d", k.rdd), Memory: mem, Disk: disk, Copies: copies(e.level), Schema: *schemaOf(e.plan.Output()), Data: w.Data}
	return k, nil
}

// prepare runs the stages of a plan up to its last one, and gives that.
func (q *query) prepare(ctx context.Context, plan logical.Plan) (*execution, *stage, error) {
	plans, err := q.plan(plan)
	if err != nil {
		return nil, nil, err
	}
	values, err := q.subqueries(ctx, plans)
	if err != nil {
		return nil, nil, err
	}
	x, p, err := q.newExecution(ctx, withValues(plans.Physical, values))
	if err != nil {
		return nil, nil, err
	}
	root, err := x.runBelow(ctx, p)
	if err != nil {
		x.free()
		x.letGo()
		return nil, nil, err
	}
	return x, root, nil
}

// fillAll computes all partitions that are nowhere. No row comes here.
func (c *cacheManager) fillAll(ctx context.Context, q *query, e *cached) error {
	p := &physical.Filter{Cond: expr.NewLiteral(false, types.Boolean), Child: &physical.CachedScan{Key: e.key, Name: e.name, Out: e.plan.Output()}}
	return q.runPlan(ctx, p, func(*columnar.Batch) error { return nil })
}

// stats are the sizes of a plan that is kept as a whole; nil while it is not.
func (k *kept) stats() *catalog.Stats {
	out := &catalog.Stats{}
	for i := range k.root.tasks {
		at := k.x.app.executors.Cached(k.block(i))
		if len(at) == 0 {
			return nil
		}
		out.Rows += at[0].Rows
		out.Bytes += max(at[0].MemSize, at[0].DiskSize)
	}
	return out
}

// info describes it as an RDD, for listeners.
func (k *kept) info() event.RDDInfo {
	i := event.RDDInfo{ID: k.rdd, Name: k.e.name, StorageLevel: k.e.level, Partitions: k.root.tasks}
	for n := range k.root.tasks {
		if at := k.x.app.executors.Cached(k.block(n)); len(at) > 0 {
			i.CachedPartitions++
			i.MemSize += at[0].MemSize
			i.DiskSize += at[0].DiskSize
		}
	}
	return i
}

// reads lists the kept plans that a stage reads, each once.
func (x *execution) reads(p physical.Plan) []*kept {
	var out []*kept
	seen := map[string]bool{}
	for _, s := range wire.CachedOf(p) {
		if k := x.kept[s.Key]; k != nil && !seen[s.Key] {
			seen[s.Key] = true
			out = append(out, k)
		}
	}
	return out
}

// below visits the map stages whose outputs a stage reads, also those that computing what it reads of the cache needs.
func (x *execution) below(s *stage, visit func(x *execution, s *stage)) {
	for _, id := range s.Inputs {
		if in := x.stages[id]; in.shuffle != event.NoShuffle {
			visit(x, in)
		}
	}
	for _, k := range x.reads(s.Plan) {
		k.x.below(k.root, visit)
	}
}

// prefer makes tasks run where the cached partitions lie that they read.
func (x *execution) prefer(s *stage, spec *scheduler.StageSpec) {
	for _, k := range x.reads(s.Plan) {
		spec.RDDs = append(spec.RDDs, k.info())
	}
	if len(spec.RDDs) == 0 {
		return
	}
	prefs, any := make([][]scheduler.Location, spec.Tasks), false
	for _, k := range x.reads(aligned(s.Plan)) {
		for i := range min(spec.Tasks, k.root.tasks) {
			for _, b := range x.app.executors.Cached(k.block(i)) {
				prefs[i], any = append(prefs[i], scheduler.Location{Executor: b.At, Host: b.Host}), true
			}
		}
	}
	if any {
		spec.Prefs = prefs
	}
}

// aligned is a plan without what has other partitions than its tasks.
func aligned(p physical.Plan) physical.Plan {
	return physical.Up(p, func(n physical.Plan) physical.Plan {
		switch n.(type) {
		case *physical.Union, *physical.Coalesce:
			return &physical.OneRow{}
		}
		return n
	})
}

// letGo ends the uses of what the execution read of the cache.
func (x *execution) letGo() {
	for _, k := range x.kept {
		k.release()
	}
	x.kept = nil
}
