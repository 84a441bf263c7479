package spark

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/firesteel/firesteel/internal/rdd"
)

// comparer orders keys.
type comparer[K any] interface{ compare(a, b K) int }

type natural[K cmp.Ordered] struct{ _ [0]K }

func (natural[K]) compare(a, b K) int { return cmp.Compare(a, b) }

type byFunc[K any] struct{ F func(a, b K) int }

func (f *byFunc[K]) compare(a, b K) int { return f.F(a, b) }

// SortBy sorts all records by the key that a function gives: partitions are ranges of keys, each sorted. Equal keys keep
// their order. Where the ranges lie is found out by a job that samples the keys.
func SortBy[T any, K cmp.Ordered](r *RDD[T], key func(T) K, ascending bool, partitions ...int) *RDD[T] {
	return sortBy(r, "sortBy", &sorting[T, K]{Key: key, Order: natural[K]{}, Down: !ascending}, partitions)
}

// SortByKey sorts pairs by their keys.
func SortByKey[K cmp.Ordered, V any](r *RDD[Pair[K, V]], ascending bool, partitions ...int) *RDD[Pair[K, V]] {
	return sortBy(r, "sortByKey", &sorting[Pair[K, V], K]{Key: keyOf[K, V], Order: natural[K]{}, Down: !ascending, Pairs: true}, partitions)
}

// SortFunc sorts records by an order.
func (r *RDD[T]) SortFunc(compare func(a, b T) int, partitions ...int) *RDD[T] {
	return sortBy(r, "sortBy", &sorting[T, T]{Order: &byFunc[T]{compare}}, partitions)
}

func keyOf[K comparable, V any](p Pair[K, V]) K { return p.Key }

// sorting is an order of records by keys.
type sorting[T, K any] struct {
	Key   func(T) K // nil: the record is the key, or the pair has it
	Order comparer[K]
	Down  bool
	Pairs bool
	_     [0]T
}

func (s *sorting[T, K]) key(v T) K {
	if s.Key != nil {
		return s.Key(v)
	}
	return any(v).(K)
}

func (s *sorting[T, K]) compareKeys(a, b K) int {
	if s.Down {
		return s.Order.compare(b, a)
	}
	return s.Order.compare(a, b)
}

func (s *sorting[T, K]) compare(a, b T) int { return s.compareKeys(s.key(a), s.key(b)) }

func sortBy[T, K any](r *RDD[T], name string, s *sorting[T, K], partitions []int) *RDD[T] {
	_, err := rdd.CodecOf[T]()
	_, kerr := rdd.CodecOf[K]()
	if err = firstError(r.err, err, kerr); err != nil {
		return &RDD[T]{sc: r.sc, err: err}
	}
	sc := r.sc
	n := &rdd.Node{Name: name, Op: &sortOp[T, K]{By: s}, Deps: []rdd.Dep{rdd.Narrow(r.n)}}
	n.Plan = func(ctx context.Context, n *rdd.Node) error {
		parent := n.Deps[0].Node
		want, err := sc.partitionsFor(partitions, n.Deps)
		if err != nil {
			return err
		}
		bounds, err := sampleBounds(ctx, sc, parent, s, want)
		if err != nil {
			return err
		}
		side := &rangeSide[T, K]{By: s, Bounds: bounds}
		n.Parts, n.Order = len(bounds)+1, max(parent.Order, rdd.Unordered)
		if s.Pairs {
			n.Spread = rdd.Spread{Kind: "range", Parts: n.Parts, Range: n.ID}
		}
		sh := sc.engine.NewShuffle(parent, side)
		sh.SetParts(n.Parts, side)
		n.Deps[0] = rdd.Through(sh)
		return nil
	}
	return made[T](sc, n)
}

// sample is what a task has seen of a partition.
type sample[K any] struct {
	Keys []K
	Seen int64
}

type sampleAction[T, K any] struct {
	result[sample[K]]
	By   *sorting[T, K]
	N    int
	Seed uint64
}

// Run keeps N keys, each record having the same chance.
func (a *sampleAction[T, K]) Run(t *rdd.Task, seq any) any {
	rng := rand.New(rand.NewPCG(a.Seed, uint64(t.Partition)))
	var out sample[K]
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		out.Seen++
		if len(out.Keys) < a.N {
			out.Keys = append(out.Keys, a.By.key(v))
		} else if i := rng.Int64N(out.Seen); i < int64(a.N) {
			out.Keys[i] = a.By.key(v)
		}
		return true
	})
	return out
}

// samplePerPartition is how many keys are looked at for each partition that is wanted.
const samplePerPartition = 60

// sampleBounds are keys that divide the records into so many parts of about equal size; fewer, if there are few keys.
func sampleBounds[T, K any](ctx context.Context, sc *SparkContext, parent *rdd.Node, s *sorting[T, K], want int) ([]K, error) {
	if want == 1 || parent.Parts == 0 {
		return nil, nil
	}
	a := &sampleAction[T, K]{By: s, N: max(samplePerPartition*want/parent.Parts, 16), Seed: 42}
	type weighed struct {
		key    K
		weight float64
	}
	parts := make([]sample[K], parent.Parts)
	err := sc.engine.Run(ctx, rdd.Job{Node: parent, Action: a, Props: sc.props(), Each: func(i int, v any) error { parts[i] = v.(sample[K]); return nil }})
	if err != nil {
		return nil, err
	}
	var list []weighed
	total := 0.0
	for _, p := range parts {
		for _, k := range p.Keys {
			list = append(list, weighed{k, float64(p.Seen) / float64(len(p.Keys))})
		}
		total += float64(p.Seen)
	}
	slices.SortStableFunc(list, func(a, b weighed) int { return s.compareKeys(a.key, b.key) })
	var bounds []K
	step, sum := total/float64(want), 0.0
	for _, w := range list {
		sum += w.weight
		if sum >= step*float64(len(bounds)+1) && len(bounds) < want-1 && (len(bounds) == 0 || s.compareKeys(bounds[len(bounds)-1], w.key) < 0) {
			bounds = append(bounds, w.key)
		}
	}
	return bounds, nil
}

// rangeSide spreads records over ranges of keys: part i has the keys up to bound i.
type rangeSide[T, K any] struct {
	By     *sorting[T, K]
	Bounds []K
}

func (s *rangeSide[T, K]) Write(t *rdd.Task, seq any, out *rdd.ChunkWriter) {
	codec, err := rdd.CodecOf[T]()
	t.Fail(err)
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		part, _ := slices.BinarySearchFunc(s.Bounds, s.By.key(v), s.By.compareKeys)
		rdd.Put(out, codec, part, &v)
		return true
	})
}

type sortOp[T, K any] struct{ By *sorting[T, K] }

func (o *sortOp[T, K]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return iter.Seq[T](func(yield func(T) bool) {
		codec, err := rdd.CodecOf[T]()
		if err != nil {
			t.Fail(err)
			return
		}
		s := rdd.NewSorter(t, codec, o.By.compare)
		rdd.Each(t, read[T](t, n, 0, part), func(v T) bool { s.Add(v); return true })
		s.All()(yield)
	})
}

// Repartition spreads the records evenly over n partitions.
func (r *RDD[T]) Repartition(n int) *RDD[T] {
	_, err := rdd.CodecOf[T]()
	if n < 1 {
		err = firstError(err, fmt.Errorf("spark: Number of partitions (%d) must be positive.", n))
	}
	if err = firstError(r.err, err); err != nil {
		return &RDD[T]{sc: r.sc, err: err}
	}
	sc := r.sc
	node := &rdd.Node{Name: "repartition", Op: &readOp[T]{}, Deps: []rdd.Dep{rdd.Narrow(r.n)}}
	node.Plan = func(_ context.Context, x *rdd.Node) error {
		parent := x.Deps[0].Node
		x.Parts, x.Order = n, max(parent.Order, rdd.Unordered)
		if parent.Order != rdd.Determinate {
			x.Order = rdd.Indeterminate // where a record goes depends on its place
		}
		sh := sc.engine.NewShuffle(parent, &roundRobin[T]{})
		sh.SetParts(n, &roundRobin[T]{})
		x.Deps[0] = rdd.Through(sh)
		return nil
	}
	return made[T](sc, node)
}

type roundRobin[T any] struct{ _ [0]T }

func (s *roundRobin[T]) Write(t *rdd.Task, seq any, out *rdd.ChunkWriter) {
	codec, err := rdd.CodecOf[T]()
	t.Fail(err)
	next := int(rand.New(rand.NewPCG(uint64(t.Partition), 1)).Uint32N(uint32(out.Parts())))
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		next = (next + 1) % out.Parts()
		rdd.Put(out, codec, next, &v)
		return true
	})
}

// Sample keeps a share of the records, chosen by a seed; with replacement, fraction is how often each is expected.
func (r *RDD[T]) Sample(withReplacement bool, fraction float64, seed int64) *RDD[T] {
	if fraction < 0 || !withReplacement && fraction > 1 || math.IsNaN(fraction) {
		return &RDD[T]{sc: r.sc, err: firstError(r.err, fmt.Errorf("spark: a fraction of %v cannot be sampled", fraction))}
	}
	return derived[T, T](r, "sample", &sampleOp[T]{withReplacement, fraction, uint64(seed), [0]T{}}, true)
}

type sampleOp[T any] struct {
	Replace  bool
	Fraction float64
	Seed     uint64
	_        [0]T
}

func (o *sampleOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[T](t, n, part)
	return iter.Seq[T](func(yield func(T) bool) {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(part)))
		in(func(v T) bool {
			times := 0
			if o.Replace {
				times = poisson(rng, o.Fraction)
			} else if rng.Float64() < o.Fraction {
				times = 1
			}
			for range times {
				if !yield(v) {
					return false
				}
			}
			return true
		})
	})
}

// poisson draws how often something happens that is expected mean times.
func poisson(rng *rand.Rand, mean float64) int {
	n, p := 0, math.Exp(-mean)
	for x := rng.Float64(); x > p && mean < 700; n++ {
		x *= rng.Float64()
	}
	if mean >= 700 {
		n = int(math.Round(mean + math.Sqrt(mean)*rng.NormFloat64()))
	}
	return n
}

// ZipWithIndex pairs the records with their numbers, from 0. With more than one partition it takes a job to count them.
func ZipWithIndex[T comparable](r *RDD[T]) *RDD[Pair[T, int64]] {
	op := &indexOp[T]{}
	out := derived[T, Pair[T, int64]](r, "zipWithIndex", op, false)
	if out.err != nil {
		return out
	}
	sc := r.sc
	out.n.Plan = func(ctx context.Context, n *rdd.Node) error {
		p := n.Deps[0].Node
		n.Parts, n.Order = p.Parts, p.Order
		if p.Order == rdd.Unordered {
			n.Order = rdd.Indeterminate
		}
		op.Starts = make([]int64, max(p.Parts, 1))
		if p.Parts < 2 {
			return nil
		}
		counts := make([]int64, p.Parts)
		parts := make([]int, p.Parts-1)
		for i := range parts {
			parts[i] = i
		}
		err := sc.engine.Run(ctx, rdd.Job{Node: p, Parts: parts, Action: &countAction[T]{}, Props: sc.props(),
			Each: func(i int, v any) error { counts[i] = v.(int64); return nil }})
		for i := 1; i < p.Parts; i++ {
			op.Starts[i] = op.Starts[i-1] + counts[i-1]
		}
		return err
	}
	return out
}

type indexOp[T comparable] struct {
	Starts []int64
	_      [0]T
}

func (o *indexOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[T](t, n, part)
	return iter.Seq[Pair[T, int64]](func(yield func(Pair[T, int64]) bool) {
		i := o.Starts[part]
		in(func(v T) bool { i++; return yield(Pair[T, int64]{v, i - 1}) })
	})
}

// Zip pairs the records of two RDDs that have the same number of partitions and of records in each.
func Zip[T comparable, U any](l *RDD[T], r *RDD[U]) *RDD[Pair[T, U]] {
	if err := firstError(l.err, r.err); err != nil {
		return &RDD[Pair[T, U]]{sc: l.sc, err: err}
	}
	n := &rdd.Node{Name: "zip", Op: &zipOp[T, U]{}, Deps: []rdd.Dep{rdd.Narrow(l.n), rdd.Narrow(r.n)}}
	n.Plan = func(_ context.Context, n *rdd.Node) error {
		a, b := n.Deps[0].Node, n.Deps[1].Node
		if a.Parts != b.Parts {
			return fmt.Errorf("spark: Can't zip RDDs with unequal numbers of partitions: %d, %d", a.Parts, b.Parts)
		}
		n.Parts = a.Parts
		if n.Order = max(a.Order, b.Order); n.Order == rdd.Unordered {
			n.Order = rdd.Indeterminate
		}
		return nil
	}
	return made[Pair[T, U]](l.sc, n)
}

type zipOp[T comparable, U any] struct {
	_ [0]T
	_ [0]U
}

func (o *zipOp[T, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return iter.Seq[Pair[T, U]](func(yield func(Pair[T, U]) bool) {
		next, stop := iter.Pull(t.Input(n, 1, part).(iter.Seq[U]))
		defer stop()
		ended := false
		input[T](t, n, part)(func(v T) bool {
			u, ok := next()
			if !ok {
				t.Fail(errUneven)
				return false
			}
			ended = !yield(Pair[T, U]{v, u})
			return !ended
		})
		if _, more := next(); more && !ended {
			t.Fail(errUneven)
		}
	})
}

var errUneven = fmt.Errorf("spark: Can only zip RDDs with same number of elements in each partition")

// Cartesian pairs every record of one RDD with every record of another.
func Cartesian[T comparable, U any](l *RDD[T], r *RDD[U]) *RDD[Pair[T, U]] {
	if err := firstError(l.err, r.err); err != nil {
		return &RDD[Pair[T, U]]{sc: l.sc, err: err}
	}
	op := &cartesianOp[T, U]{}
	n := &rdd.Node{Name: "cartesian", Op: op, Deps: []rdd.Dep{rdd.Narrow(l.n), rdd.Narrow(r.n)}}
	n.Plan = func(_ context.Context, n *rdd.Node) error {
		a, b := n.Deps[0].Node, n.Deps[1].Node
		op.Right = b.Parts
		n.Parts, n.Order = a.Parts*b.Parts, max(a.Order, b.Order)
		return nil
	}
	return made[Pair[T, U]](l.sc, n)
}

type cartesianOp[T comparable, U any] struct {
	Right int
	_     [0]T
	_     [0]U
}

func (o *cartesianOp[T, U]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return iter.Seq[Pair[T, U]](func(yield func(Pair[T, U]) bool) {
		t.Input(n, 0, part/o.Right).(iter.Seq[T])(func(v T) bool {
			more := true
			t.Input(n, 1, part%o.Right).(iter.Seq[U])(func(u U) bool { more = yield(Pair[T, U]{v, u}); return more })
			return more
		})
	})
}
