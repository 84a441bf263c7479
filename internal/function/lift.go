package function

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// t1, t2, t3 and t4 lift builders of texts: they append to dst, and answer false for null.
func t1[A kernel.Value](f func(c *kernel.Ctx, dst []byte, a A) ([]byte, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text1(f))
}
func t2[A, B kernel.Value](f func(c *kernel.Ctx, dst []byte, a A, b B) ([]byte, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text2(f))
}
func t3[A, B, C kernel.Value](f func(c *kernel.Ctx, dst []byte, a A, b B, d C) ([]byte, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text3(f))
}

// b1, b2, b3 and b4 lift builders of texts that neither fail nor make nulls.
func b1[A kernel.Value](f func(dst []byte, a A) []byte) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text1(func(_ *kernel.Ctx, dst []byte, a A) ([]byte, bool, error) { return f(dst, a), true, nil }))
}
func b2[A, B kernel.Value](f func(dst []byte, a A, b B) []byte) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text2(func(_ *kernel.Ctx, dst []byte, a A, b B) ([]byte, bool, error) { return f(dst, a, b), true, nil }))
}
func b3[A, B, C kernel.Value](f func(dst []byte, a A, b B, c C) []byte) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text3(func(_ *kernel.Ctx, dst []byte, a A, b B, c C) ([]byte, bool, error) {
		return f(dst, a, b, c), true, nil
	}))
}
func b4[A, B, C, D kernel.Value](f func(dst []byte, a A, b B, c C, d D) []byte) func(*expr.Call) (kernel.Func, error) {
	return is(kernel.Text4(func(_ *kernel.Ctx, dst []byte, a A, b B, c C, d D) ([]byte, bool, error) {
		return f(dst, a, b, c, d), true, nil
	}))
}

// m4 is m3 for four arguments.
func m4[A, B, C, D, R kernel.Value](f func(*kernel.Ctx, A, B, C, D) (R, bool, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) { return kernel.Each4(c.T, f), nil }
}

// byKind chooses between the loops for texts and for bytes by the type of the first argument.
func byKind(text, bin func(*expr.Call) (kernel.Func, error)) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) {
		if isBinary(c.Args[0]) {
			return bin(c)
		}
		return text(c)
	}
}

func isBinary(e expr.Expr) bool { return e.Type().Kind == types.BinaryKind }
