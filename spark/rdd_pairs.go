package spark

import (
	"context"
	"fmt"
	"iter"

	"github.com/firesteel/firesteel/internal/rdd"
)

// Pair is a record with a key.
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

// PairOf makes a pair.
func PairOf[K comparable, V any](k K, v V) Pair[K, V] { return Pair[K, V]{k, v} }

// Optional is a value that may be missing, as on one side of an outer join.
type Optional[T any] struct {
	Value T
	Valid bool
}

// Two are the values of a key from two sides.
type Two[V, W any] struct {
	First  V
	Second W
}

// KeyBy makes pairs of the records and their keys.
func KeyBy[T any, K comparable](r *RDD[T], key func(T) K) *RDD[Pair[K, T]] {
	return derived[T, Pair[K, T]](r, "keyBy", &keyByOp[T, K]{key}, false)
}

type keyByOp[T any, K comparable] struct{ F func(T) K }

func (o *keyByOp[T, K]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[T](t, n, part)
	return iter.Seq[Pair[K, T]](func(yield func(Pair[K, T]) bool) {
		in(func(v T) bool { return yield(Pair[K, T]{o.F(v), v}) })
	})
}

// Keys are the keys of pairs.
func Keys[K comparable, V any](r *RDD[Pair[K, V]]) *RDD[K] {
	return derived[Pair[K, V], K](r, "keys", &keysOp[K, V]{}, false)
}

type keysOp[K comparable, V any] struct {
	_ [0]K
	_ [0]V
}

func (o *keysOp[K, V]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, V]](t, n, part)
	return iter.Seq[K](func(yield func(K) bool) { in(func(p Pair[K, V]) bool { return yield(p.Key) }) })
}

// Values are the values of pairs.
func Values[K comparable, V any](r *RDD[Pair[K, V]]) *RDD[V] {
	return derived[Pair[K, V], V](r, "values", &valuesOp[K, V]{}, false)
}

type valuesOp[K comparable, V any] struct {
	_ [0]K
	_ [0]V
}

func (o *valuesOp[K, V]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, V]](t, n, part)
	return iter.Seq[V](func(yield func(V) bool) { in(func(p Pair[K, V]) bool { return yield(p.Value) }) })
}

// MapValues applies a function to the values; keys, and how they are spread, stay.
func MapValues[K comparable, V, W any](r *RDD[Pair[K, V]], f func(V) W) *RDD[Pair[K, W]] {
	return derived[Pair[K, V], Pair[K, W]](r, "mapValues", &mapValuesOp[K, V, W]{F: f}, true)
}

type mapValuesOp[K comparable, V, W any] struct {
	F func(V) W
	_ [0]K
}

func (o *mapValuesOp[K, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, V]](t, n, part)
	return iter.Seq[Pair[K, W]](func(yield func(Pair[K, W]) bool) {
		in(func(p Pair[K, V]) bool { return yield(Pair[K, W]{p.Key, o.F(p.Value)}) })
	})
}

// FlatMapValues applies a function that gives any number of values for each.
func FlatMapValues[K comparable, V, W any](r *RDD[Pair[K, V]], f func(V) []W) *RDD[Pair[K, W]] {
	return derived[Pair[K, V], Pair[K, W]](r, "flatMapValues", &flatMapValuesOp[K, V, W]{F: f}, true)
}

type flatMapValuesOp[K comparable, V, W any] struct {
	F func(V) []W
	_ [0]K
}

func (o *flatMapValuesOp[K, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, V]](t, n, part)
	return iter.Seq[Pair[K, W]](func(yield func(Pair[K, W]) bool) {
		in(func(p Pair[K, V]) bool {
			for _, w := range o.F(p.Value) {
				if !yield(Pair[K, W]{p.Key, w}) {
					return false
				}
			}
			return true
		})
	})
}

// aggregator is how the values of a key are brought together.
type aggregator[V, C any] interface {
	create(t *rdd.Task, v V) C
	add(c C, v V) C
	merge(a, b C) C
	// growth is about how many bytes a value adds to its key's state.
	growth(c rdd.Codec[C], v *V) int64
}

type reducing[V any] struct{ F func(a, b V) V }

func (r *reducing[V]) create(_ *rdd.Task, v V) V         { return v }
func (r *reducing[V]) add(c, v V) V                      { return r.F(c, v) }
func (r *reducing[V]) merge(a, b V) V                    { return r.F(a, b) }
func (r *reducing[V]) growth(c rdd.Codec[V], v *V) int64 { return grown(c, v) }

// grown: values of fixed size do not grow; of others nobody knows, so each counts.
func grown[C, V any](c rdd.Codec[C], v *V) int64 {
	if c.Fixed() {
		return 0
	}
	codec, err := rdd.CodecOf[V]()
	if err != nil {
		return 0
	}
	return codec.Weigh(v)
}

type grouping[V any] struct{ _ [0]V }

func (g *grouping[V]) create(_ *rdd.Task, v V) []V         { return []V{v} }
func (g *grouping[V]) add(c []V, v V) []V                  { return append(c, v) }
func (g *grouping[V]) merge(a, b []V) []V                  { return append(a, b...) }
func (g *grouping[V]) growth(c rdd.Codec[[]V], v *V) int64 { return 2 * grown(c, v) }

type folding[V, C any] struct {
	Zero  C
	Add   func(C, V) C
	Merge func(a, b C) C
}

func (f *folding[V, C]) create(t *rdd.Task, v V) C         { return f.Add(clone(t, f.Zero), v) }
func (f *folding[V, C]) add(c C, v V) C                    { return f.Add(c, v) }
func (f *folding[V, C]) merge(a, b C) C                    { return f.Merge(a, b) }
func (f *folding[V, C]) growth(c rdd.Codec[C], v *V) int64 { return grown(c, v) }

type combining[V, C any] struct {
	Create func(V) C
	Add    func(C, V) C
	Merge  func(a, b C) C
}

func (f *combining[V, C]) create(_ *rdd.Task, v V) C         { return f.Create(v) }
func (f *combining[V, C]) add(c C, v V) C                    { return f.Add(c, v) }
func (f *combining[V, C]) merge(a, b C) C                    { return f.Merge(a, b) }
func (f *combining[V, C]) growth(c rdd.Codec[C], v *V) int64 { return grown(c, v) }

// combineSide spreads pairs by the hashes of their keys; with Early the values of each key are brought together first.
type combineSide[K comparable, V, C any] struct {
	Agg   aggregator[V, C]
	Early bool
	_     [0]K
}

func (s *combineSide[K, V, C]) Write(t *rdd.Task, seq any, out *rdd.ChunkWriter) {
	keys, err := rdd.CodecOf[K]()
	if err != nil {
		t.Fail(err)
		return
	}
	in, n := seq.(iter.Seq[Pair[K, V]]), uint64(out.Parts())
	if !s.Early {
		codec, err := rdd.CodecOf[Pair[K, V]]()
		t.Fail(err)
		rdd.Each(t, in, func(p Pair[K, V]) bool { rdd.Put(out, codec, int(keys.Hash(&p.Key)%n), &p); return true })
		return
	}
	states, err := rdd.CodecOf[C]()
	if err != nil {
		t.Fail(err)
		return
	}
	codec, err := rdd.CodecOf[Pair[K, C]]()
	t.Fail(err)
	var c *rdd.Combiner[K, C]
	drain := func() {
		c.Drain(func(k *K, v *C) {
			p := Pair[K, C]{*k, *v}
			rdd.Put(out, codec, int(keys.Hash(k)%n), &p)
		})
	}
	c = rdd.NewCombiner(t, keys, states, s.Agg.merge, drain)
	gather(t, c, s.Agg, states, in)
	drain()
}

// gather brings the values of each key together.
func gather[K comparable, V, C any](t *rdd.Task, c *rdd.Combiner[K, C], agg aggregator[V, C], states rdd.Codec[C], in iter.Seq[Pair[K, V]]) {
	rdd.Each(t, in, func(p Pair[K, V]) bool {
		state, fresh := c.At(p.Key, agg.growth(states, &p.Value))
		if fresh {
			*state = agg.create(t, p.Value)
		} else {
			*state = agg.add(*state, p.Value)
		}
		return true
	})
}

// combineOp brings the values of each key together: of map outputs, or of a partition that has all of its keys' values.
type combineOp[K comparable, V, C any] struct {
	Agg   aggregator[V, C]
	Early bool
	_     [0]K
}

func (o *combineOp[K, V, C]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	return iter.Seq[Pair[K, C]](func(yield func(Pair[K, C]) bool) {
		keys, err := rdd.CodecOf[K]()
		t.Fail(err)
		states, err := rdd.CodecOf[C]()
		t.Fail(err)
		if t.Failed() {
			return
		}
		c := rdd.NewCombiner(t, keys, states, o.Agg.merge, nil)
		switch {
		case n.Deps[0].Shuffle == nil:
			gather(t, c, o.Agg, states, input[Pair[K, V]](t, n, part))
		case !o.Early:
			codec, err := rdd.CodecOf[Pair[K, V]]()
			t.Fail(err)
			gather(t, c, o.Agg, states, rdd.Decoded(t, codec, t.Chunks(n, 0, part)))
		default:
			o.merge(t, c, states, t.Chunks(n, 0, part))
		}
		for k, v := range c.All() {
			if !yield(Pair[K, C]{k, v}) {
				return
			}
		}
	})
}

func (o *combineOp[K, V, C]) merge(t *rdd.Task, c *rdd.Combiner[K, C], states rdd.Codec[C], chunks iter.Seq[[]byte]) {
	codec, err := rdd.CodecOf[Pair[K, C]]()
	t.Fail(err)
	rdd.Each(t, rdd.Decoded(t, codec, chunks), func(p Pair[K, C]) bool {
		more := int64(0)
		if !states.Fixed() {
			more = states.Weigh(&p.Value)
		}
		state, fresh := c.At(p.Key, more)
		if fresh {
			*state = p.Value
		} else {
			*state = o.Agg.merge(*state, p.Value)
		}
		return true
	})
}

// keyed says that K can be a key of shuffles.
func keyed[K comparable]() error {
	c, err := rdd.CodecOf[K]()
	if err == nil {
		err = c.Keys()
	}
	return err
}

// combine makes the RDD of brought-together values.
func combine[K comparable, V, C any](r *RDD[Pair[K, V]], name string, agg aggregator[V, C], early bool, partitions []int) *RDD[Pair[K, C]] {
	_, err := rdd.CodecOf[Pair[K, C]]()
	if err = firstError(r.err, keyed[K](), err); err != nil {
		return &RDD[Pair[K, C]]{sc: r.sc, err: err}
	}
	n := &rdd.Node{Name: name, Op: &combineOp[K, V, C]{Agg: agg, Early: early}, Deps: []rdd.Dep{rdd.Narrow(r.n)}}
	n.Plan = r.sc.spread(partitions, &combineSide[K, V, C]{Agg: agg, Early: early})
	return made[Pair[K, C]](r.sc, n)
}

// spread plans a node whose dependencies are pairs that must lie by the hashes of their keys: those that do already are
// read as they are, the others through shuffles.
func (c *SparkContext) spread(partitions []int, sides ...rdd.MapSide) func(context.Context, *rdd.Node) error {
	return func(_ context.Context, n *rdd.Node) error {
		want, err := c.partitionsFor(partitions, n.Deps)
		if err != nil {
			return err
		}
		n.Parts, n.Spread = want, rdd.Spread{Kind: "hash", Parts: want}
		n.Order = rdd.Determinate
		for i, d := range n.Deps {
			n.Order = max(n.Order, d.Node.Order)
			if d.Node.Spread == n.Spread {
				continue
			}
			n.Order = max(n.Order, rdd.Unordered)
			s := c.engine.NewShuffle(d.Node, sides[i])
			s.SetParts(want, sides[i])
			n.Deps[i] = rdd.Through(s)
		}
		return nil
	}
}

// partitionsFor is the number of partitions of a shuffle: as asked; else that of the widest input that is spread by
// hashes already, unless it is far narrower than another; else spark.default.parallelism; else that of the widest input.
func (c *SparkContext) partitionsFor(asked []int, deps []rdd.Dep) (int, error) {
	if len(asked) > 0 {
		if asked[0] < 1 {
			return 0, fmt.Errorf("spark: Number of partitions (%d) must be positive.", asked[0])
		}
		return asked[0], nil
	}
	widest, spread := 1, 0
	for _, d := range deps {
		widest = max(widest, d.Node.Parts)
		if d.Node.Spread.Kind == "hash" {
			spread = max(spread, d.Node.Parts)
		}
	}
	usual := widest
	if _, ok := c.app.Conf.Given("spark.default.parallelism"); ok {
		usual = c.DefaultParallelism()
	}
	if spread > 0 && (spread*10 >= widest || spread >= usual) {
		return spread, nil
	}
	return usual, nil
}

// ReduceByKey joins the values of each key by a function that must not care about their order.
func ReduceByKey[K comparable, V any](r *RDD[Pair[K, V]], f func(a, b V) V, partitions ...int) *RDD[Pair[K, V]] {
	return combine(r, "reduceByKey", aggregator[V, V](&reducing[V]{f}), true, partitions)
}

// FoldByKey is ReduceByKey that begins with a value in each partition.
func FoldByKey[K comparable, V any](r *RDD[Pair[K, V]], zero V, f func(a, b V) V, partitions ...int) *RDD[Pair[K, V]] {
	return combine(r, "foldByKey", aggregator[V, V](&folding[V, V]{zero, f, f}), true, partitions)
}

// AggregateByKey joins the values of each key to a state that begins as zero, and the states of different partitions.
func AggregateByKey[K comparable, V, C any](r *RDD[Pair[K, V]], zero C, add func(C, V) C, merge func(a, b C) C, partitions ...int) *RDD[Pair[K, C]] {
	return combine(r, "aggregateByKey", aggregator[V, C](&folding[V, C]{zero, add, merge}), true, partitions)
}

// CombineByKey is AggregateByKey whose state is made of the first value.
func CombineByKey[K comparable, V, C any](r *RDD[Pair[K, V]], create func(V) C, add func(C, V) C, merge func(a, b C) C, partitions ...int) *RDD[Pair[K, C]] {
	return combine(r, "combineByKey", aggregator[V, C](&combining[V, C]{create, add, merge}), true, partitions)
}

// GroupByKey gives all values of each key. A key's values must fit in memory; ReduceByKey and its like need less.
func GroupByKey[K comparable, V any](r *RDD[Pair[K, V]], partitions ...int) *RDD[Pair[K, []V]] {
	return combine(r, "groupByKey", aggregator[V, []V](&grouping[V]{}), false, partitions)
}

// GroupBy is GroupByKey by the key that a function gives.
func GroupBy[T any, K comparable](r *RDD[T], key func(T) K, partitions ...int) *RDD[Pair[K, []T]] {
	return GroupByKey(KeyBy(r, key), partitions...)
}

// Distinct keeps one of equal records.
func Distinct[T comparable](r *RDD[T], partitions ...int) *RDD[T] {
	pairs := derived[T, Pair[T, bool]](r, "distinct", &markOp[T]{}, false)
	return Keys(combine(pairs, "distinct", aggregator[bool, bool](&marking{}), true, partitions))
}

type markOp[T comparable] struct{ _ [0]T }

func (o *markOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[T](t, n, part)
	return iter.Seq[Pair[T, bool]](func(yield func(Pair[T, bool]) bool) { in(func(v T) bool { return yield(Pair[T, bool]{v, true}) }) })
}

type marking struct{ On bool }

func (m *marking) create(*rdd.Task, bool) bool         { return true }
func (m *marking) add(bool, bool) bool                 { return true }
func (m *marking) merge(bool, bool) bool               { return true }
func (m *marking) growth(rdd.Codec[bool], *bool) int64 { return 0 }

// PartitionBy spreads pairs over n partitions by the hashes of their keys.
func PartitionBy[K comparable, V any](r *RDD[Pair[K, V]], partitions int) *RDD[Pair[K, V]] {
	_, err := rdd.CodecOf[Pair[K, V]]()
	if err = firstError(r.err, keyed[K](), err); err != nil {
		return &RDD[Pair[K, V]]{sc: r.sc, err: err}
	}
	n := &rdd.Node{Name: "partitionBy", Op: &readOp[Pair[K, V]]{}, Deps: []rdd.Dep{rdd.Narrow(r.n)}}
	n.Plan = r.sc.spread([]int{partitions}, &combineSide[K, V, V]{})
	return made[Pair[K, V]](r.sc, n)
}

// readOp reads records as the shuffle gives them.
type readOp[T any] struct{ _ [0]T }

func (o *readOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any { return read[T](t, n, 0, part) }

// read is a dependency of records, through a shuffle or not.
func read[T any](t *rdd.Task, n *rdd.Node, i, part int) iter.Seq[T] {
	if n.Deps[i].Shuffle == nil {
		return t.Input(n, i, part).(iter.Seq[T])
	}
	codec, err := rdd.CodecOf[T]()
	if err != nil {
		t.Fail(err)
		return func(func(T) bool) {}
	}
	return rdd.Decoded(t, codec, t.Chunks(n, i, part))
}

// CoGroup gives all values of each key on both sides.
func CoGroup[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, Two[[]V, []W]]] {
	_, err := rdd.CodecOf[Pair[K, Two[[]V, []W]]]()
	if err = firstError(l.err, r.err, keyed[K](), err); err != nil {
		return &RDD[Pair[K, Two[[]V, []W]]]{sc: l.sc, err: err}
	}
	n := &rdd.Node{Name: "cogroup", Op: &cogroupOp[K, V, W]{}, Deps: []rdd.Dep{rdd.Narrow(l.n), rdd.Narrow(r.n)}}
	n.Plan = l.sc.spread(partitions, &combineSide[K, V, V]{}, &combineSide[K, W, W]{})
	return made[Pair[K, Two[[]V, []W]]](l.sc, n)
}

type cogroupOp[K comparable, V, W any] struct {
	_ [0]K
	_ [0]V
	_ [0]W
}

func (o *cogroupOp[K, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	type both = Two[[]V, []W]
	return iter.Seq[Pair[K, both]](func(yield func(Pair[K, both]) bool) {
		keys, err := rdd.CodecOf[K]()
		t.Fail(err)
		states, err := rdd.CodecOf[both]()
		t.Fail(err)
		lefts, err := rdd.CodecOf[V]()
		t.Fail(err)
		rights, err := rdd.CodecOf[W]()
		t.Fail(err)
		if t.Failed() {
			return
		}
		c := rdd.NewCombiner(t, keys, states, func(a, b both) both {
			return both{append(a.First, b.First...), append(a.Second, b.Second...)}
		}, nil)
		rdd.Each(t, read[Pair[K, V]](t, n, 0, part), func(p Pair[K, V]) bool {
			s, _ := c.At(p.Key, 2*lefts.Weigh(&p.Value))
			s.First = append(s.First, p.Value)
			return true
		})
		rdd.Each(t, read[Pair[K, W]](t, n, 1, part), func(p Pair[K, W]) bool {
			s, _ := c.At(p.Key, 2*rights.Weigh(&p.Value))
			s.Second = append(s.Second, p.Value)
			return true
		})
		for k, v := range c.All() {
			if !yield(Pair[K, both]{k, v}) {
				return
			}
		}
	})
}

// joinOp pairs the values of both sides.
type joinOp[K comparable, V, W any] struct {
	Left, Right bool // keep what has no partner
	_           [0]K
	_           [0]V
	_           [0]W
}

func (o *joinOp[K, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, Two[[]V, []W]]](t, n, part)
	type out = Pair[K, Two[Optional[V], Optional[W]]]
	return iter.Seq[out](func(yield func(out) bool) {
		in(func(p Pair[K, Two[[]V, []W]]) bool {
			for _, v := range o.side(p.Value.First, p.Value.Second) {
				if !yield(out{p.Key, v}) {
					return false
				}
			}
			return true
		})
	})
}

func (o *joinOp[K, V, W]) side(l []V, r []W) (out []Two[Optional[V], Optional[W]]) {
	for _, v := range l {
		for _, w := range r {
			out = append(out, Two[Optional[V], Optional[W]]{Optional[V]{v, true}, Optional[W]{w, true}})
		}
		if len(r) == 0 && o.Left {
			out = append(out, Two[Optional[V], Optional[W]]{First: Optional[V]{v, true}})
		}
	}
	if len(l) == 0 && o.Right {
		for _, w := range r {
			out = append(out, Two[Optional[V], Optional[W]]{Second: Optional[W]{w, true}})
		}
	}
	return out
}

func join[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], name string, left, right bool, partitions []int) *RDD[Pair[K, Two[Optional[V], Optional[W]]]] {
	type both = Pair[K, Two[[]V, []W]]
	return derived[both, Pair[K, Two[Optional[V], Optional[W]]]](CoGroup(l, r, partitions...), name, &joinOp[K, V, W]{Left: left, Right: right}, true)
}

// Join pairs the values that have the same key.
func Join[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, Two[V, W]]] {
	return derived[Pair[K, Two[Optional[V], Optional[W]]], Pair[K, Two[V, W]]](join(l, r, "join", false, false, partitions), "join",
		&sidesOp[K, Optional[V], Optional[W], V, W]{First: true, Second: true}, true)
}

// LeftOuterJoin is Join that keeps left values without a partner.
func LeftOuterJoin[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, Two[V, Optional[W]]]] {
	return derived[Pair[K, Two[Optional[V], Optional[W]]], Pair[K, Two[V, Optional[W]]]](join(l, r, "leftOuterJoin", true, false, partitions), "leftOuterJoin",
		&sidesOp[K, Optional[V], Optional[W], V, Optional[W]]{First: true}, true)
}

// RightOuterJoin is Join that keeps right values without a partner.
func RightOuterJoin[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, Two[Optional[V], W]]] {
	return derived[Pair[K, Two[Optional[V], Optional[W]]], Pair[K, Two[Optional[V], W]]](join(l, r, "rightOuterJoin", false, true, partitions), "rightOuterJoin",
		&sidesOp[K, Optional[V], Optional[W], Optional[V], W]{Second: true}, true)
}

// FullOuterJoin keeps the values of both sides without a partner.
func FullOuterJoin[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, Two[Optional[V], Optional[W]]]] {
	return join(l, r, "fullOuterJoin", true, true, partitions)
}

// sidesOp takes the values out of the sides that always have one. V is A, or what is in A; W likewise.
type sidesOp[K comparable, A, B, V, W any] struct {
	First, Second bool
	_             [0]K
	_             [0]A
	_             [0]B
	_             [0]V
	_             [0]W
}

func (o *sidesOp[K, A, B, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, Two[A, B]]](t, n, part)
	return iter.Seq[Pair[K, Two[V, W]]](func(yield func(Pair[K, Two[V, W]]) bool) {
		in(func(p Pair[K, Two[A, B]]) bool {
			return yield(Pair[K, Two[V, W]]{p.Key, Two[V, W]{side[A, V](&p.Value.First, o.First), side[B, W](&p.Value.Second, o.Second)}})
		})
	})
}

// side is a value as it is, or the one in an optional.
func side[A, V any](a *A, inner bool) V {
	if inner {
		return any(a).(*Optional[V]).Value
	}
	return *any(a).(*V)
}

// SubtractByKey keeps the pairs whose key the other side has not.
func SubtractByKey[K comparable, V, W any](l *RDD[Pair[K, V]], r *RDD[Pair[K, W]], partitions ...int) *RDD[Pair[K, V]] {
	return derived[Pair[K, Two[[]V, []W]], Pair[K, V]](CoGroup(l, r, partitions...), "subtractByKey", &onlyLeftOp[K, V, W]{}, true)
}

type onlyLeftOp[K comparable, V, W any] struct {
	_ [0]K
	_ [0]V
	_ [0]W
}

func (o *onlyLeftOp[K, V, W]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[K, Two[[]V, []W]]](t, n, part)
	return iter.Seq[Pair[K, V]](func(yield func(Pair[K, V]) bool) {
		in(func(p Pair[K, Two[[]V, []W]]) bool {
			for i := 0; i < len(p.Value.First) && len(p.Value.Second) == 0; i++ {
				if !yield(Pair[K, V]{p.Key, p.Value.First[i]}) {
					return false
				}
			}
			return true
		})
	})
}

// Subtract keeps the records that the other RDD has not.
func Subtract[T comparable](l, r *RDD[T], partitions ...int) *RDD[T] {
	return Keys(SubtractByKey(derived[T, Pair[T, bool]](l, "subtract", &markOp[T]{}, false), derived[T, Pair[T, bool]](r, "subtract", &markOp[T]{}, false), partitions...))
}

// Intersection keeps the distinct records that both RDDs have.
func Intersection[T comparable](l, r *RDD[T], partitions ...int) *RDD[T] {
	both := CoGroup(derived[T, Pair[T, bool]](l, "intersection", &markOp[T]{}, false), derived[T, Pair[T, bool]](r, "intersection", &markOp[T]{}, false), partitions...)
	return derived[Pair[T, Two[[]bool, []bool]], T](both, "intersection", &inBothOp[T]{}, false)
}

type inBothOp[T comparable] struct{ _ [0]T }

func (o *inBothOp[T]) Compute(t *rdd.Task, n *rdd.Node, part int) any {
	in := input[Pair[T, Two[[]bool, []bool]]](t, n, part)
	return iter.Seq[T](func(yield func(T) bool) {
		in(func(p Pair[T, Two[[]bool, []bool]]) bool {
			return len(p.Value.First) == 0 || len(p.Value.Second) == 0 || yield(p.Key)
		})
	})
}

// Lookup gives the values of a key. Where the RDD is spread by hashes it looks at one partition only.
func Lookup[K comparable, V any](ctx context.Context, r *RDD[Pair[K, V]], key K) ([]V, error) {
	n, err := r.NumPartitions(ctx)
	if err != nil {
		return nil, err
	}
	var parts []int
	if c, err := rdd.CodecOf[K](); err == nil && c.Keys() == nil && r.n.Spread.Kind == "hash" {
		parts = []int{int(c.Hash(&key) % uint64(n))}
	}
	lists, err := inOrder[Pair[K, V], []V](ctx, r, &lookupAction[K, V]{Key: key}, parts)
	var out []V
	for _, l := range lists {
		out = append(out, l...)
	}
	return out, err
}

type lookupAction[K comparable, V any] struct {
	result[[]V]
	Key K
}

func (a *lookupAction[K, V]) Run(t *rdd.Task, seq any) any {
	var out []V
	rdd.Each(t, seq.(iter.Seq[Pair[K, V]]), func(p Pair[K, V]) bool {
		if p.Key == a.Key {
			out = append(out, p.Value)
		}
		return true
	})
	return out
}
