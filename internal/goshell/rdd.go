package goshell

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/spark"
)

// untyped are the names of package spark that are generic in compiled programs.
var untyped = map[string]reflect.Value{
	"RDD":          reflect.ValueOf((*RDD)(nil)),
	"Pair":         reflect.ValueOf((*Pair)(nil)),
	"PairOf":       reflect.ValueOf(PairOf),
	"Parallelize":  reflect.ValueOf(Parallelize),
	"Map":          reflect.ValueOf(Map),
	"FlatMap":      reflect.ValueOf(FlatMap),
	"Filter":       reflect.ValueOf(Filter),
	"KeyBy":        reflect.ValueOf(KeyBy),
	"Keys":         reflect.ValueOf(Keys),
	"Values":       reflect.ValueOf(Values),
	"MapValues":    reflect.ValueOf(MapValues),
	"ReduceByKey":  reflect.ValueOf(ReduceByKey),
	"GroupByKey":   reflect.ValueOf(GroupByKey),
	"GroupBy":      reflect.ValueOf(GroupBy),
	"Join":         reflect.ValueOf(Join),
	"SortBy":       reflect.ValueOf(SortBy),
	"SortByKey":    reflect.ValueOf(SortByKey),
	"Distinct":     reflect.ValueOf(Distinct),
	"Union":        reflect.ValueOf(Union),
	"CountByKey":   reflect.ValueOf(CountByKey),
	"CountByValue": reflect.ValueOf(CountByValue),
}

// RDD is an RDD of values of any type: what its functions take is checked when they get a record.
type RDD struct{ r *spark.RDD[any] }

// Pair is a record with a key.
type Pair struct{ Key, Value any }

// PairOf makes a pair.
func PairOf(key, value any) Pair { return Pair{key, value} }

func (p Pair) String() string { return fmt.Sprintf("{%v %v}", p.Key, p.Value) }

// LocalOnlyError says that a function that was typed should run on executors.
type LocalOnlyError struct{ Master string }

func (e *LocalOnlyError) Error() string {
	return "functions that are typed in the shell run in its own process, and not on executors of " + e.Master +
		": use DataFrames and SQL there, or compile the program"
}

// of takes an RDD of the shell or of package spark.
func of(r any) *spark.RDD[any] {
	switch r := r.(type) {
	case *RDD:
		return r.r
	case *spark.RDD[string]:
		return spark.Map(r, func(v string) any { return v })
	case *spark.RDD[int64]:
		return spark.Map(r, func(v int64) any { return v })
	case *spark.RDD[spark.Pair[string, string]]:
		return spark.Map(r, func(p spark.Pair[string, string]) any { return Pair{p.Key, p.Value} })
	}
	panic(fmt.Errorf("a %T is no RDD", r))
}

// onlyHere refuses what was typed to executors.
func onlyHere(r *spark.RDD[any]) {
	if m, err := cluster.ParseMaster(r.SparkContext().Master()); err == nil && m.Kind != cluster.Local {
		panic(&LocalOnlyError{m.URL})
	}
}

// function is a typed function of so many arguments and results; results < 0: at least one.
func function(r *spark.RDD[any], f any, name string, in, results int) reflect.Value {
	v := reflect.ValueOf(f)
	onlyHere(r)
	if v.Kind() != reflect.Func || v.Type().NumIn() != in || results >= 0 && v.Type().NumOut() != results || v.Type().NumOut() == 0 {
		panic(fmt.Errorf("spark.%s takes a function of %d arguments with a result, not a %T", name, in, f))
	}
	return v
}

// call calls a function with records and gives its result; two results are a pair.
func call(f reflect.Value, args ...any) any {
	out := apply(f, args...)
	if len(out) == 2 {
		return Pair{out[0].Interface(), out[1].Interface()}
	}
	return out[0].Interface()
}

func apply(f reflect.Value, args ...any) []reflect.Value {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		want := f.Type().In(i)
		v := reflect.ValueOf(a)
		switch {
		case !v.IsValid():
			v = reflect.Zero(want)
		case v.Type().AssignableTo(want):
		case v.CanConvert(want) && v.Kind() != reflect.String && want.Kind() != reflect.String:
			v = v.Convert(want)
		default:
			panic(fmt.Errorf("the function takes a %s, and the record is a %T: %v", want, a, a))
		}
		in[i] = v
	}
	return f.Call(in)
}

// Parallelize makes an RDD of a slice.
func Parallelize(sc *spark.SparkContext, data any, partitions ...int) *RDD {
	v := reflect.ValueOf(data)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		panic(fmt.Errorf("spark.Parallelize takes a slice, not a %T", data))
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return &RDD{spark.Parallelize(sc, list, partitions...)}
}

// Map computes a value of each record. A function with two results makes pairs.
func Map(rdd, f any) *RDD {
	r := of(rdd)
	v := function(r, f, "Map", 1, -1)
	return &RDD{spark.Map(r, func(x any) any { return call(v, x) })}
}

// FlatMap computes a slice of values of each record.
func FlatMap(rdd, f any) *RDD {
	r := of(rdd)
	v := function(r, f, "FlatMap", 1, 1)
	return &RDD{spark.FlatMap(r, func(x any) []any {
		list := reflect.ValueOf(call(v, x))
		out := make([]any, list.Len())
		for i := range out {
			out[i] = list.Index(i).Interface()
		}
		return out
	})}
}

// Filter keeps the records for which a function is true.
func Filter(rdd, f any) *RDD {
	r := of(rdd)
	v := function(r, f, "Filter", 1, 1)
	return &RDD{r.Filter(func(x any) bool { return call(v, x).(bool) })}
}

// KeyBy makes pairs of records with a key that is computed of each.
func KeyBy(rdd, key any) *RDD {
	r := of(rdd)
	v := function(r, key, "KeyBy", 1, 1)
	return &RDD{spark.Map(r, func(x any) any { return Pair{call(v, x), x} })}
}

// pairs is an RDD whose records are pairs, in package spark's form.
func pairs(r *spark.RDD[any]) *spark.RDD[spark.Pair[any, any]] {
	return spark.Map(r, func(x any) spark.Pair[any, any] {
		p, ok := x.(Pair)
		if !ok {
			panic(fmt.Errorf("the record is no pair, but a %T: %v", x, x))
		}
		return spark.PairOf(p.Key, p.Value)
	})
}

// back makes pairs the shell's.
func back[V any](r *spark.RDD[spark.Pair[any, V]]) *RDD {
	return &RDD{spark.Map(r, func(p spark.Pair[any, V]) any { return Pair{p.Key, p.Value} })}
}

// Keys are the keys of pairs.
func Keys(rdd any) *RDD { return &RDD{spark.Keys(pairs(of(rdd)))} }

// Values are the values of pairs.
func Values(rdd any) *RDD { return &RDD{spark.Values(pairs(of(rdd)))} }

// MapValues computes new values of pairs.
func MapValues(rdd, f any) *RDD {
	r := of(rdd)
	v := function(r, f, "MapValues", 1, 1)
	return back(spark.MapValues(pairs(r), func(x any) any { return call(v, x) }))
}

// ReduceByKey joins the values of each key by a function.
func ReduceByKey(rdd, f any, partitions ...int) *RDD {
	r := of(rdd)
	v := function(r, f, "ReduceByKey", 2, 1)
	return back(spark.ReduceByKey(pairs(r), func(a, b any) any { return call(v, a, b) }, partitions...))
}

// GroupByKey collects the values of each key.
func GroupByKey(rdd any, partitions ...int) *RDD {
	return back(spark.GroupByKey(pairs(of(rdd)), partitions...))
}

// GroupBy collects the records by a key that is computed of each.
func GroupBy(rdd, key any, partitions ...int) *RDD {
	return GroupByKey(KeyBy(rdd, key), partitions...)
}

// Join pairs the values of equal keys.
func Join(left, right any, partitions ...int) *RDD {
	j := spark.Join(pairs(of(left)), pairs(of(right)), partitions...)
	return &RDD{spark.Map(j, func(p spark.Pair[any, spark.Two[any, any]]) any {
		return Pair{p.Key, Pair{p.Value.First, p.Value.Second}}
	})}
}

// SortBy sorts records by a key that is computed of each.
func SortBy(rdd, key any, ascending bool, partitions ...int) *RDD {
	r := of(rdd)
	v := function(r, key, "SortBy", 1, 1)
	return &RDD{r.SortFunc(func(a, b any) int { return directed(ascending, compare(call(v, a), call(v, b))) }, partitions...)}
}

// SortByKey sorts pairs by their keys.
func SortByKey(rdd any, ascending bool, partitions ...int) *RDD {
	r := of(rdd)
	return &RDD{r.SortFunc(func(a, b any) int { return directed(ascending, compare(a.(Pair).Key, b.(Pair).Key)) }, partitions...)}
}

func directed(ascending bool, c int) int {
	if ascending {
		return c
	}
	return -c
}

// compare orders numbers, strings and truth values.
func compare(a, b any) int {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case x.CanInt() && y.CanInt():
		return cmp.Compare(x.Int(), y.Int())
	case x.CanUint() && y.CanUint():
		return cmp.Compare(x.Uint(), y.Uint())
	case x.CanFloat() && y.CanFloat():
		return cmp.Compare(x.Float(), y.Float())
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return cmp.Compare(x.String(), y.String())
	}
	panic(fmt.Errorf("a %T and a %T have no order", a, b))
}

// Distinct keeps one of equal records.
func Distinct(rdd any, partitions ...int) *RDD {
	return &RDD{spark.Distinct(of(rdd), partitions...)}
}

// Union has the records of all.
func Union(rdds ...any) *RDD {
	list := make([]*spark.RDD[any], len(rdds))
	for i, r := range rdds {
		list[i] = of(r)
	}
	return &RDD{spark.Union(list...)}
}

// CountByKey counts the pairs of each key.
func CountByKey(ctx context.Context, rdd any) (map[any]int64, error) {
	return spark.CountByKey(ctx, pairs(of(rdd)))
}

// CountByValue counts equal records.
func CountByValue(ctx context.Context, rdd any) (map[any]int64, error) {
	return spark.CountByValue(ctx, of(rdd))
}

// The methods are those of spark.RDD.

func (r *RDD) Filter(f any) *RDD                              { return Filter(r, f) }
func (r *RDD) Union(o any) *RDD                               { return Union(r, o) }
func (r *RDD) Cache() *RDD                                    { r.r.Cache(); return r }
func (r *RDD) Persist(level spark.StorageLevel) *RDD          { r.r.Persist(level); return r }
func (r *RDD) Unpersist() error                               { return r.r.Unpersist() }
func (r *RDD) Coalesce(n int) *RDD                            { return &RDD{r.r.Coalesce(n)} }
func (r *RDD) Repartition(n int) *RDD                         { return &RDD{r.r.Repartition(n)} }
func (r *RDD) SetName(name string) *RDD                       { r.r.SetName(name); return r }
func (r *RDD) Err() error                                     { return r.r.Err() }
func (r *RDD) Count(ctx context.Context) (int64, error)       { return r.r.Count(ctx) }
func (r *RDD) Collect(ctx context.Context) ([]any, error)     { return r.r.Collect(ctx) }
func (r *RDD) First(ctx context.Context) (any, error)         { return r.r.First(ctx) }
func (r *RDD) IsEmpty(ctx context.Context) (bool, error)      { return r.r.IsEmpty(ctx) }
func (r *RDD) NumPartitions(ctx context.Context) (int, error) { return r.r.NumPartitions(ctx) }
func (r *RDD) ToDebugString(ctx context.Context) (string, error) {
	return r.r.ToDebugString(ctx)
}
func (r *RDD) Take(ctx context.Context, n int) ([]any, error) { return r.r.Take(ctx, n) }
func (r *RDD) SaveAsTextFile(ctx context.Context, path string) error {
	return r.r.SaveAsTextFile(ctx, path)
}

// Sample keeps a share of the records.
func (r *RDD) Sample(withReplacement bool, fraction float64, seed int64) *RDD {
	return &RDD{r.r.Sample(withReplacement, fraction, seed)}
}

// Reduce joins all records by a function.
func (r *RDD) Reduce(ctx context.Context, f any) (any, error) {
	v := function(r.r, f, "RDD.Reduce", 2, 1)
	return r.r.Reduce(ctx, func(a, b any) any { return call(v, a, b) })
}

// TakeOrdered gives the first n records in the order of a function.
func (r *RDD) TakeOrdered(ctx context.Context, n int, comparison any) ([]any, error) {
	v := function(r.r, comparison, "RDD.TakeOrdered", 2, 1)
	return r.r.TakeOrdered(ctx, n, func(a, b any) int { return call(v, a, b).(int) })
}

// ForEach calls a function, which may have a result, with each record.
func (r *RDD) ForEach(ctx context.Context, f any) error {
	v := reflect.ValueOf(f)
	onlyHere(r.r)
	if v.Kind() != reflect.Func || v.Type().NumIn() != 1 {
		panic(fmt.Errorf("spark.RDD.ForEach takes a function of one argument, not a %T", f))
	}
	return r.r.ForEach(ctx, func(x any) { apply(v, x) })
}

func (r *RDD) String() string {
	if err := r.r.Err(); err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("RDD[%d]", r.r.ID())
}
