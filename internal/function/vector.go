package function

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, vectorRows) }

// constantText is a kernel that gives one text.
func constantText(s string) kernel.Func {
	return func(_ *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
		return columnar.NewConst(types.String, s, n), nil
	}
}

var tVector = class("ARRAY<FLOAT>", types.Array(types.Float, true), func(t types.Type) bool {
	return t.Kind == types.ArrayKind && t.Elem().Kind == types.FloatKind
})

func vectorRows() []*Row {
	pair := func(name, what string, f func(a, b []float32) (float32, bool), examples ...string) *Row {
		return fn(name, "4.2.0", name+"(a, b): the "+what+" of two vectors.", sig(to(types.Float), tVector, tVector).nullable(), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			a, okA := floats(row[0])
			b, okB := floats(row[1])
			if !okA || !okB {
				return nil, nil
			}
			if len(a) != len(b) {
				return nil, sparkerr.New("VECTOR_DIMENSION_MISMATCH", "functionName", types.Quote(name), "leftDim", itoa(int64(len(a))), "rightDim", itoa(int64(len(b))))
			}
			v, ok := f(a, b)
			if !ok {
				return nil, nil
			}
			return v, nil
		}), examples...)
	}
	norm := tFloat.defaultTo(float32(2))
	return group("vector_funcs",
		pair("vector_inner_product", "inner product", func(a, b []float32) (float32, bool) { return dot(a, b), true }, "vector_inner_product(array(1.0F, 2.0F), array(3.0F, 4.0F))", "11.0"),
		pair("vector_l2_distance", "Euclidean distance", func(a, b []float32) (float32, bool) {
			s := 0.0
			for i := range a {
				d := float64(a[i]) - float64(b[i])
				s += d * d
			}
			return float32(math.Sqrt(s)), true
		}, "vector_l2_distance(array(1.0F, 2.0F), array(4.0F, 6.0F))", "5.0"),
		pair("vector_cosine_similarity", "cosine of the angle", func(a, b []float32) (float32, bool) {
			n := float32(math.Sqrt(float64(dot(a, a) * dot(b, b))))
			return dot(a, b) / n, n != 0
		}, "vector_cosine_similarity(array(1.0F, 0.0F), array(2.0F, 0.0F))", "1.0"),
		fn("vector_norm", "4.2.0", "vector_norm(a[, p]): the p-norm of a vector, 2 by default.", sig(to(types.Float), tVector, norm).nullable(), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			a, ok := floats(row[0])
			if !ok {
				return nil, nil
			}
			v, err := vectorNorm(a, row[1].(float32))
			return v, err
		}), "vector_norm(array(3.0F, 4.0F))", "5.0"),
		fn("vector_normalize", "4.2.0", "vector_normalize(a[, p]): the vector divided by its norm.", sig(to(types.Array(types.Float, false)), tVector, norm).nullable(), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			a, ok := floats(row[0])
			if !ok {
				return nil, nil
			}
			n, err := vectorNorm(a, row[1].(float32))
			if err != nil || n == 0 {
				return nil, err
			}
			out := make([]any, len(a))
			for i, x := range a {
				out[i] = float32(float64(x) / float64(n))
			}
			return out, nil
		}), "vector_normalize(array(3.0F, 4.0F))", "[0.6, 0.8]"),
	)
}

func floats(v any) ([]float32, bool) {
	list, ok := v.([]any)
	out := make([]float32, len(list))
	for i, x := range list {
		f, isFloat := x.(float32)
		if !isFloat {
			return nil, false
		}
		out[i] = f
	}
	return out, ok
}

func dot(a, b []float32) float32 {
	s := 0.0
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return float32(s)
}

func vectorNorm(a []float32, p float32) (float32, error) {
	s := 0.0
	switch {
	case p == 1:
		for _, x := range a {
			s += math.Abs(float64(x))
		}
		return float32(s), nil
	case p == 2:
		return float32(math.Sqrt(float64(dot(a, a)))), nil
	case math.IsInf(float64(p), 1):
		for _, x := range a {
			s = max(s, math.Abs(float64(x)))
		}
		return float32(s), nil
	}
	return 0, sparkerr.New("INVALID_VECTOR_NORM_DEGREE", "functionName", "`vector_norm`", "degree", strings.TrimSpace(types.FormatFloat(float64(p), 32)))
}
