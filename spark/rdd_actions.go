package spark

import (
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/firesteel/firesteel/internal/rdd"
)

// result is how the result of type R of a task comes to the driver.
type result[R any] struct{ _ [0]R }

func (result[R]) Encode(v any) ([]byte, error) {
	c, err := rdd.CodecOf[R]()
	if err != nil {
		return nil, err
	}
	r := v.(R)
	return c.Append(nil, &r)
}

func (result[R]) Decode(b []byte) (any, error) {
	c, err := rdd.CodecOf[R]()
	if err != nil {
		return nil, err
	}
	var r R
	_, err = c.Read(b, &r)
	return r, err
}

// run runs an action on all partitions; each gets the results as they come.
func run[T, R any](ctx context.Context, r *RDD[T], a rdd.Action, parts []int, each func(i int, v R) error) error {
	if r.err != nil {
		return r.err
	}
	j := rdd.Job{Node: r.n, Parts: parts, Action: a, Props: r.sc.props()}
	j.Each = func(i int, v any) error { return each(i, v.(R)) }
	return r.sc.engine.Run(ctx, j)
}

// inOrder collects the results of all partitions.
func inOrder[T, R any](ctx context.Context, r *RDD[T], a rdd.Action, parts []int) ([]R, error) {
	byPart := map[int]R{}
	if err := run(ctx, r, a, parts, func(i int, v R) error { byPart[i] = v; return nil }); err != nil {
		return nil, err
	}
	out := make([]R, len(byPart))
	for i, v := range byPart {
		out[i] = v
	}
	return out, nil
}

type collectAction[T any] struct {
	result[[]T]
	Most int // 0: all
}

func (a *collectAction[T]) Run(t *rdd.Task, seq any) any {
	out := []T{}
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		out = append(out, v)
		return a.Most == 0 || len(out) < a.Most
	})
	return out
}

// Collect gives all records.
func (r *RDD[T]) Collect(ctx context.Context) ([]T, error) {
	parts, err := inOrder[T, []T](ctx, r, &collectAction[T]{}, nil)
	return slices.Concat(parts...), err
}

// All gives the records one after the other, a partition at a time; it ends with an error if a job fails.
func (r *RDD[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		n, err := r.NumPartitions(ctx)
		for p := 0; p < n && err == nil; p++ {
			var list []T
			if err = run(ctx, r, &collectAction[T]{}, []int{p}, func(_ int, v []T) error { list = v; return nil }); err != nil {
				break
			}
			for _, v := range list {
				if !yield(v, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(zero, err)
		}
	}
}

// Take gives the first n records. It looks at one partition first, and at more and more of them as long as that is not
// enough.
func (r *RDD[T]) Take(ctx context.Context, n int) ([]T, error) {
	all, err := r.NumPartitions(ctx)
	if err != nil {
		return nil, err
	}
	var out []T
	for next, step := 0, 1; next < all && len(out) < n; step *= 4 {
		var parts []int
		for ; next < all && len(parts) < step; next++ {
			parts = append(parts, next)
		}
		lists, err := inOrder[T, []T](ctx, r, &collectAction[T]{Most: n - len(out)}, parts)
		if err != nil {
			return nil, err
		}
		for _, l := range lists {
			out = append(out, l[:min(len(l), n-len(out))]...)
		}
	}
	return out, nil
}

// First is the first record; ErrEmpty if there is none.
func (r *RDD[T]) First(ctx context.Context) (T, error) {
	list, err := r.Take(ctx, 1)
	var zero T
	switch {
	case err != nil:
		return zero, err
	case len(list) == 0:
		return zero, ErrEmpty
	}
	return list[0], nil
}

// IsEmpty says whether there is no record.
func (r *RDD[T]) IsEmpty(ctx context.Context) (bool, error) {
	list, err := r.Take(ctx, 1)
	return len(list) == 0, err
}

type countAction[T any] struct{ result[int64] }

func (a *countAction[T]) Run(t *rdd.Task, seq any) any {
	n := int64(0)
	rdd.Each(t, seq.(iter.Seq[T]), func(T) bool { n++; return true })
	return n
}

// Count is the number of records.
func (r *RDD[T]) Count(ctx context.Context) (int64, error) {
	total := int64(0)
	err := run(ctx, r, &countAction[T]{}, nil, func(_ int, n int64) error { total += n; return nil })
	return total, err
}

type reduceAction[T any] struct {
	result[[]T]
	F func(a, b T) T
}

func (a *reduceAction[T]) Run(t *rdd.Task, seq any) any {
	var out []T
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		if len(out) == 0 {
			out = append(out, v)
		} else {
			out[0] = a.F(out[0], v)
		}
		return true
	})
	return out
}

// Reduce joins all records by a function that must not care about their order; ErrEmpty if there are none.
func (r *RDD[T]) Reduce(ctx context.Context, f func(a, b T) T) (T, error) {
	var zero T
	parts, err := inOrder[T, []T](ctx, r, &reduceAction[T]{F: f}, nil)
	if err != nil {
		return zero, err
	}
	list := slices.Concat(parts...)
	if len(list) == 0 {
		return zero, ErrEmpty
	}
	for _, v := range list[1:] {
		list[0] = f(list[0], v)
	}
	return list[0], nil
}

// Fold is Reduce that begins with a value in each partition, and once more when partitions are joined.
func (r *RDD[T]) Fold(ctx context.Context, zero T, f func(a, b T) T) (T, error) {
	return Aggregate(ctx, r, zero, f, f)
}

type aggregateAction[T, U any] struct {
	result[U]
	Zero U
	F    func(U, T) U
}

func (a *aggregateAction[T, U]) Run(t *rdd.Task, seq any) any {
	out := clone(t, a.Zero)
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool { out = a.F(out, v); return true })
	return out
}

// clone copies a start value, so that tasks and keys do not share what it points to.
func clone[U any](t *rdd.Task, v U) U {
	c, err := rdd.CodecOf[U]()
	if err != nil {
		return v // a value that cannot be copied is the program's own business in local mode; it does not travel
	}
	if c.Fixed() {
		return v
	}
	b, err := c.Append(nil, &v)
	var out U
	if err == nil {
		_, err = c.Read(b, &out)
	}
	t.Fail(err)
	return out
}

// Aggregate joins records of each partition to a value that begins as zero, and then the values of the partitions.
func Aggregate[T, U any](ctx context.Context, r *RDD[T], zero U, f func(U, T) U, merge func(a, b U) U) (U, error) {
	parts, err := inOrder[T, U](ctx, r, &aggregateAction[T, U]{Zero: zero, F: f}, nil)
	out := zero
	for _, p := range parts {
		out = merge(out, p)
	}
	return out, err
}

type foreachAction[T, A any] struct {
	result[bool]
	Arg A
	F   func(*TaskContext, T, A)
}

func (a *foreachAction[T, A]) Run(t *rdd.Task, seq any) any {
	tc := &TaskContext{t}
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool { a.F(tc, v, a.Arg); return true })
	return true
}

// ForEachWith calls a function for each record, with an argument: for accumulators, or to write somewhere.
func ForEachWith[T, A any](ctx context.Context, r *RDD[T], arg A, f func(t *TaskContext, v T, arg A)) error {
	return run(ctx, r, &foreachAction[T, A]{Arg: arg, F: f}, nil, func(int, bool) error { return nil })
}

type foreachPlain[T any] struct {
	result[bool]
	F func(T)
}

func (a *foreachPlain[T]) Run(t *rdd.Task, seq any) any {
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool { a.F(v); return true })
	return true
}

// ForEach calls a function for each record.
func (r *RDD[T]) ForEach(ctx context.Context, f func(T)) error {
	return run(ctx, r, &foreachPlain[T]{F: f}, nil, func(int, bool) error { return nil })
}

type foreachPartition[T any] struct {
	result[bool]
	F func(*TaskContext, iter.Seq[T])
}

func (a *foreachPartition[T]) Run(t *rdd.Task, seq any) any {
	a.F(&TaskContext{t}, seq.(iter.Seq[T]))
	return true
}

// ForEachPartition calls a function for each partition.
func (r *RDD[T]) ForEachPartition(ctx context.Context, f func(t *TaskContext, records iter.Seq[T])) error {
	return run(ctx, r, &foreachPartition[T]{F: f}, nil, func(int, bool) error { return nil })
}

type orderedAction[T any] struct {
	result[[]T]
	N       int
	Compare func(a, b T) int
}

func (a *orderedAction[T]) Run(t *rdd.Task, seq any) any {
	h := &bounded[T]{compare: a.Compare}
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		if len(h.list) < a.N {
			heap.Push(h, v)
		} else if a.N > 0 && a.Compare(v, h.list[0]) < 0 {
			h.list[0] = v
			heap.Fix(h, 0)
		}
		return true
	})
	slices.SortFunc(h.list, a.Compare)
	return h.list
}

// bounded is a heap whose top is the greatest.
type bounded[T any] struct {
	list    []T
	compare func(a, b T) int
}

func (h *bounded[T]) Len() int           { return len(h.list) }
func (h *bounded[T]) Less(i, j int) bool { return h.compare(h.list[i], h.list[j]) > 0 }
func (h *bounded[T]) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *bounded[T]) Push(x any)         { h.list = append(h.list, x.(T)) }
func (h *bounded[T]) Pop() any {
	v := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return v
}

// TakeOrdered gives the n least records by an order.
func (r *RDD[T]) TakeOrdered(ctx context.Context, n int, compare func(a, b T) int) ([]T, error) {
	parts, err := inOrder[T, []T](ctx, r, &orderedAction[T]{N: n, Compare: compare}, nil)
	list := slices.Concat(parts...)
	slices.SortStableFunc(list, compare)
	return list[:min(n, len(list))], err
}

// CountByKey counts the records of each key, on the driver.
func CountByKey[K comparable, V any](ctx context.Context, r *RDD[Pair[K, V]]) (map[K]int64, error) {
	return CountByValue(ctx, Keys(r))
}

type tallyAction[T comparable] struct{ result[[]Pair[T, int64]] }

func (a *tallyAction[T]) Run(t *rdd.Task, seq any) any {
	m := map[T]int64{}
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool { m[v]++; return true })
	out := make([]Pair[T, int64], 0, len(m))
	for k, n := range m {
		out = append(out, Pair[T, int64]{k, n})
	}
	return out
}

// CountByValue counts equal records, on the driver.
func CountByValue[T comparable](ctx context.Context, r *RDD[T]) (map[T]int64, error) {
	out := map[T]int64{}
	err := run(ctx, r, &tallyAction[T]{}, nil, func(_ int, list []Pair[T, int64]) error {
		for _, p := range list {
			out[p.Key] += p.Value
		}
		return nil
	})
	return out, err
}

// CollectAsMap gives pairs as a map; of equal keys one value stays.
func CollectAsMap[K comparable, V any](ctx context.Context, r *RDD[Pair[K, V]]) (map[K]V, error) {
	list, err := r.Collect(ctx)
	out := make(map[K]V, len(list))
	for _, p := range list {
		out[p.Key] = p.Value
	}
	return out, err
}

// Number is a type that can be added up.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Sum adds up numbers.
func Sum[T Number](ctx context.Context, r *RDD[T]) (T, error) {
	var mu sync.Mutex
	var total T
	err := run(ctx, r, &sumAction[T]{}, nil, func(_ int, v T) error {
		mu.Lock()
		defer mu.Unlock()
		total += v
		return nil
	})
	return total, err
}

type sumAction[T Number] struct{ result[T] }

func (a *sumAction[T]) Run(t *rdd.Task, seq any) any {
	var sum T
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool { sum += v; return true })
	return sum
}

func negative(n int, what string) error {
	if n < 0 {
		return fmt.Errorf("spark: %s cannot be negative", what)
	}
	return nil
}
