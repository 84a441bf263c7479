package spark

import (
	"context"
	"fmt"
	"iter"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/rdd"
)

// RDD is a collection of T in partitions, by the recipe to compute it. Operations that change the type are functions of
// this package, because methods of Go cannot have type parameters:
//
//	words := spark.FlatMap(sc.TextFile("README.md"), strings.Fields)
//	counts := spark.ReduceByKey(spark.Map(words, one), add)
//
// See the package comment for errors, and for which functions may run on executors.
type RDD[T any] struct {
	sc  *SparkContext
	n   *rdd.Node
	err error
}

// Err is the first error that the RDD carries.
func (r *RDD[T]) Err() error { return r.err }

// SparkContext is where the RDD was made.
func (r *RDD[T]) SparkContext() *SparkContext { return r.sc }

// ID is the RDD's number.
func (r *RDD[T]) ID() int { return int(r.n.ID) }

// SetName names the RDD in listings.
func (r *RDD[T]) SetName(name string) *RDD[T] {
	if r.n != nil {
		r.n.Name = name
	}
	return r
}

// made makes an RDD of a node that is not numbered yet.
func made[T any](sc *SparkContext, n *rdd.Node, errs ...error) *RDD[T] {
	if err := firstError(errs...); err != nil {
		return &RDD[T]{sc: sc, err: err}
	}
	n.ID, n.Elem, n.Site = sc.engine.NewRDD(), rdd.Elements[T]{}, callSite()
	return &RDD[T]{sc: sc, n: n}
}

// derived makes an RDD with the partitions of one other.
func derived[T, U any](r *RDD[T], name string, op rdd.Op, keepsSpread bool) *RDD[U] {
	if r.err != nil {
		return &RDD[U]{sc: r.sc, err: r.err}
	}
	return made[U](r.sc, &rdd.Node{Name: name, Op: op, Deps: []rdd.Dep{rdd.Narrow(r.n)}, Plan: func(_ context.Context, n *rdd.Node) error {
		p := n.Deps[0].Node
		n.Parts, n.Order, n.Prefs = p.Parts, p.Order, p.Prefs
		if keepsSpread {
			n.Spread = p.Spread
		}
		return nil
	}})
}

// callSite is the line of the program that called into this package.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "github.com/firesteel/firesteel/spark.") {
			return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// input is partition part of a node's first dependency.
func input[T any](t *rdd.Task, n *rdd.Node, part int) iter.Seq[T] {
	return t.Input(n, 0, part).(iter.Seq[T])
}

// Parallelize makes an RDD of a slice. Without a number of partitions there are as many as DefaultParallelism.
func Parallelize[T any](sc *SparkContext, data []T, partitions ...int) *RDD[T] {
	n := sc.DefaultParallelism()
	if len(partitions) > 0 {
		n = partitions[0]
	}
	if n < 1 {
		return &RDD[T]{sc: sc, err: fmt.Errorf("spark: Positive number of partitions required")}
	}
	op := &parallelizeOp[T]{Data: make([][]T, n)}
	for i := range n {
		op.Data[i] = data[len(data)*i/n : len(data)*(i+1)/n]
	}
	return made[T](sc, &rdd.Node{Name: "parallelize", Op: op, Parts: n})
}

type parallelizeOp[T any] struct{ Data [][]T }

func (o *parallelizeOp[T]) Compute(_ *rdd.Task, _ *rdd.Node, part int) any {
	return slices.Values(o.Data[part])
}

// EmptyRDD has no partitions.
func EmptyRDD[T any](sc *SparkContext) *RDD[T] {
	return made[T](sc, &rdd.Node{Name: "emptyRDD", Op: &parallelizeOp[T]{}})
}

// Range is an RDD of the numbers from start to end, without end, in steps.
func (c *SparkContext) Range(start, end, step int64, partitions ...int) *RDD[int64] {
	n := c.DefaultParallelism()
	if len(partitions) > 0 {
		n = partitions[0]
	}
	if step == 0 || n < 1 {
		return &RDD[int64]{sc: c, err: fmt.Errorf("spark: a range needs a step that is not 0, and partitions")}
	}
	count := int64(0)
	if step > 0 && end > start {
		count = (end-start-1)/step + 1
	} else if step < 0 && end < start {
		count = (start-end-1)/-step + 1
	}
	return made[int64](c, &rdd.Node{Name: "range", Op: &rangeOp{start, step, count, int64(n)}, Parts: n})
}

type rangeOp struct{ Start, Step, Count, Parts int64 }

func (o *rangeOp) Compute(_ *rdd.Task, _ *rdd.Node, part int) any {
	from, to := o.Count*int64(part)/o.Parts, o.Count*int64(part+1)/o.Parts
	return iter.Seq[int64](func(yield func(int64) bool) {
		for i := from; i < to; i++ {
			if !yield(o.Start + i*o.Step) {
				return
			}
		}
	})
}

// Map applies a function to every record.
func Map[T, U any](r *RDD[T], f func(T) U) *RDD[U] {
	return derived[T, U](r, "map", &mapOp[T, U]{f}, false)
}

type mapOp[T, U any] struct{ F func(T) U }

func (o *mapOp[T, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, f := input[T](t, n, part), o.F
	return iter.Seq[U](func(yield func(U) bool) {
		in(func(v T) bool { return yield(f(v)) })
	})
}

// MapWith is Map with an argument for the function: values, a Broadcast, an Accumulator, or a struct of them.
func MapWith[T, A, U any](r *RDD[T], arg A, f func(t *TaskContext, v T, arg A) U) *RDD[U] {
	return derived[T, U](r, "map", &mapWithOp[T, A, U]{arg, f}, false)
}

type mapWithOp[T, A, U any] struct {
	Arg A
	F   func(*TaskContext, T, A) U
}

func (o *mapWithOp[T, A, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, tc := input[T](t, n, part), &TaskContext{t}
	return iter.Seq[U](func(yield func(U) bool) {
		in(func(v T) bool { return yield(o.F(tc, v, o.Arg)) })
	})
}

// FlatMap applies a function that gives any number of records for each.
func FlatMap[T, U any](r *RDD[T], f func(T) []U) *RDD[U] {
	return derived[T, U](r, "flatMap", &flatMapOp[T, U]{f}, false)
}

type flatMapOp[T, U any] struct{ F func(T) []U }

func (o *flatMapOp[T, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, f := input[T](t, n, part), o.F
	return iter.Seq[U](func(yield func(U) bool) {
		in(func(v T) bool {
			for _, u := range f(v) {
				if !yield(u) {
					return false
				}
			}
			return true
		})
	})
}

// FlatMapWith is FlatMap with an argument for the function.
func FlatMapWith[T, A, U any](r *RDD[T], arg A, f func(t *TaskContext, v T, arg A) []U) *RDD[U] {
	return derived[T, U](r, "flatMap", &flatMapWithOp[T, A, U]{arg, f}, false)
}

type flatMapWithOp[T, A, U any] struct {
	Arg A
	F   func(*TaskContext, T, A) []U
}

func (o *flatMapWithOp[T, A, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, tc := input[T](t, n, part), &TaskContext{t}
	return iter.Seq[U](func(yield func(U) bool) {
		in(func(v T) bool {
			for _, u := range o.F(tc, v, o.Arg) {
				if !yield(u) {
					return false
				}
			}
			return true
		})
	})
}

// Filter keeps the records for which a function says true.
func (r *RDD[T]) Filter(f func(T) bool) *RDD[T] {
	return derived[T, T](r, "filter", &filterOp[T]{f}, true)
}

type filterOp[T any] struct{ F func(T) bool }

func (o *filterOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, f := input[T](t, n, part), o.F
	return iter.Seq[T](func(yield func(T) bool) {
		in(func(v T) bool { return !f(v) || yield(v) })
	})
}

// FilterWith is Filter with an argument for the function.
func FilterWith[T, A any](r *RDD[T], arg A, f func(t *TaskContext, v T, arg A) bool) *RDD[T] {
	return derived[T, T](r, "filter", &filterWithOp[T, A]{arg, f}, true)
}

type filterWithOp[T, A any] struct {
	Arg A
	F   func(*TaskContext, T, A) bool
}

func (o *filterWithOp[T, A]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in, tc := input[T](t, n, part), &TaskContext{t}
	return iter.Seq[T](func(yield func(T) bool) {
		in(func(v T) bool { return !o.F(tc, v, o.Arg) || yield(v) })
	})
}

// MapPartitions applies a function to whole partitions.
func MapPartitions[T, U any](r *RDD[T], f func(t *TaskContext, records iter.Seq[T]) iter.Seq[U]) *RDD[U] {
	return derived[T, U](r, "mapPartitions", &partitionsOp[T, U]{f}, false)
}

type partitionsOp[T, U any] struct {
	F func(*TaskContext, iter.Seq[T]) iter.Seq[U]
}

func (o *partitionsOp[T, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return o.F(&TaskContext{t}, input[T](t, n, part))
}

// MapPartitionsWith is MapPartitions with an argument for the function.
func MapPartitionsWith[T, A, U any](r *RDD[T], arg A, f func(t *TaskContext, records iter.Seq[T], arg A) iter.Seq[U]) *RDD[U] {
	return derived[T, U](r, "mapPartitions", &partitionsWithOp[T, A, U]{arg, f}, false)
}

type partitionsWithOp[T, A, U any] struct {
	Arg A
	F   func(*TaskContext, iter.Seq[T], A) iter.Seq[U]
}

func (o *partitionsWithOp[T, A, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return o.F(&TaskContext{t}, input[T](t, n, part), o.Arg)
}

// Glom makes a slice of each partition.
func Glom[T any](r *RDD[T]) *RDD[[]T] {
	return derived[T, []T](r, "glom", &glomOp[T]{}, false)
}

type glomOp[T any] struct{ _ [0]T }

func (o *glomOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[T](t, n, part)
	return iter.Seq[[]T](func(yield func([]T) bool) { yield(slices.Collect(in)) })
}

// Union is all records of RDDs, partition after partition.
func Union[T any](rs ...*RDD[T]) *RDD[T] {
	if len(rs) == 0 {
		return &RDD[T]{err: fmt.Errorf("spark: Union needs an RDD")}
	}
	n := &rdd.Node{Name: "union"}
	var errs []error
	for _, r := range rs {
		errs = append(errs, r.err)
		n.Deps = append(n.Deps, rdd.Narrow(r.n))
	}
	op := &unionOp[T]{}
	n.Op = op
	n.Plan = func(_ context.Context, n *rdd.Node) error {
		op.Ends = nil
		for _, d := range n.Deps {
			n.Parts += d.Node.Parts
			n.Order = max(n.Order, d.Node.Order)
			op.Ends = append(op.Ends, n.Parts)
		}
		return nil
	}
	return made[T](rs[0].sc, n, errs...)
}

// Union adds the records of another RDD.
func (r *RDD[T]) Union(o *RDD[T]) *RDD[T] { return Union(r, o) }

type unionOp[T any] struct {
	Ends []int
	_    [0]T
}

func (o *unionOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	i, start := 0, 0
	for part >= o.Ends[i] {
		start = o.Ends[i]
		i++
	}
	return t.Input(n, i, part-start)
}

// Coalesce joins partitions until there are at most n, without a shuffle.
func (r *RDD[T]) Coalesce(n int) *RDD[T] {
	if n < 1 && r.err == nil {
		return &RDD[T]{sc: r.sc, err: fmt.Errorf("spark: Number of partitions (%d) must be positive.", n)}
	}
	op := &coalesceOp[T]{}
	out := derived[T, T](r, "coalesce", op, false)
	if out.err == nil {
		out.n.Plan = func(_ context.Context, x *rdd.Node) error {
			op.From = x.Deps[0].Node.Parts
			x.Parts, x.Order = min(n, op.From), x.Deps[0].Node.Order
			op.To = x.Parts
			return nil
		}
	}
	return out
}

type coalesceOp[T any] struct {
	From, To int
	_        [0]T
}

func (o *coalesceOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return iter.Seq[T](func(yield func(T) bool) {
		for p := o.From * part / o.To; p < o.From*(part+1)/o.To; p++ {
			more := true
			input[T](t, n, p)(func(v T) bool { more = yield(v); return more })
			if !more {
				return
			}
		}
	})
}

// Cache keeps the partitions in memory when they are first computed.
func (r *RDD[T]) Cache() *RDD[T] { return r.Persist(MemoryOnly) }

// Persist keeps the partitions at a storage level when they are first computed.
func (r *RDD[T]) Persist(level StorageLevel) *RDD[T] {
	if r.err != nil {
		return r
	}
	if err := r.sc.engine.Persist(r.n, string(level)); err != nil {
		return &RDD[T]{sc: r.sc, err: err}
	}
	return r
}

// Unpersist forgets what is kept.
func (r *RDD[T]) Unpersist() error {
	if r.err != nil {
		return r.err
	}
	return r.sc.engine.Unpersist(r.n)
}

// StorageLevel is the level at which partitions are kept.
func (r *RDD[T]) StorageLevel() StorageLevel {
	if r.err != nil || r.n.StorageLevel() == "" {
		return None
	}
	return StorageLevel(r.n.StorageLevel())
}

// Checkpoint computes the RDD, writes it below the folder of SetCheckpointDir, and reads it from there ever after.
func (r *RDD[T]) Checkpoint(ctx context.Context) error {
	if r.err != nil {
		return r.err
	}
	r.sc.mu.Lock()
	dir := r.sc.checkpointDir
	r.sc.mu.Unlock()
	if dir == "" {
		return fmt.Errorf("spark: Checkpoint directory has not been set in the SparkContext")
	}
	return r.sc.engine.Checkpoint(ctx, r.n, dir, r.sc.props())
}

// LocalCheckpoint keeps the partitions on executors, in memory while there is room, then on disk, when they are first computed. It
// is fast and less reliable than Checkpoint: what is lost with an executor is computed again.
func (r *RDD[T]) LocalCheckpoint() *RDD[T] { return r.Persist(MemoryAndDisk) }

// IsCheckpointed says whether a checkpoint was made.
func (r *RDD[T]) IsCheckpointed() bool { return r.err == nil && r.n.IsCheckpointed() }

// NumPartitions is the number of partitions. To know it may take a look at files, or a job for sorted RDDs.
func (r *RDD[T]) NumPartitions(ctx context.Context) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	return r.n.Partitions(ctx)
}

// ToDebugString prints the lineage.
func (r *RDD[T]) ToDebugString(ctx context.Context) (string, error) {
	if r.err != nil {
		return "", r.err
	}
	return r.n.Lineage(ctx)
}
