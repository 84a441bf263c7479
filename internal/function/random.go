package function

import (
	"fmt"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, randomTextRows) }

// twister is the Mersenne twister, seeded as the JVM's mathematics library does: the same seed gives the same order.
type twister struct {
	mt [624]uint32
	i  int
}

func newTwister(seed int64) *twister {
	m := &twister{i: 624}
	key := [2]uint32{uint32(uint64(seed) >> 32), uint32(seed)}
	m.mt[0] = 19650218
	for i := 1; i < 624; i++ {
		m.mt[i] = 1812433253*(m.mt[i-1]^m.mt[i-1]>>30) + uint32(i)
	}
	i, j := 1, 0
	step := func() {
		if i++; i >= 624 {
			m.mt[0], i = m.mt[623], 1
		}
	}
	for range 624 {
		m.mt[i] = (m.mt[i] ^ (m.mt[i-1]^m.mt[i-1]>>30)*1664525) + key[j] + uint32(j)
		step()
		j = 1 - j
	}
	for range 623 {
		m.mt[i] = (m.mt[i] ^ (m.mt[i-1]^m.mt[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	m.mt[0] = 0x80000000
	return m
}

func (m *twister) next(bits uint) uint32 {
	if m.i == 624 {
		for k := range m.mt {
			y := m.mt[k]&0x80000000 | m.mt[(k+1)%624]&0x7fffffff
			v := m.mt[(k+397)%624] ^ y>>1
			if y&1 != 0 {
				v ^= 0x9908b0df
			}
			m.mt[k] = v
		}
		m.i = 0
	}
	y := m.mt[m.i]
	m.i++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	y ^= y >> 18
	return y >> (32 - bits)
}

func (m *twister) below(n int32) int32 {
	if n&-n == n {
		return int32(int64(n) * int64(m.next(31)) >> 31)
	}
	for {
		bits := int32(m.next(31))
		v := bits % n
		if bits-v+(n-1) >= 0 {
			return v
		}
	}
}

func (m *twister) long() uint64 { return uint64(m.next(32))<<32 | uint64(m.next(32)) }

// seeded gives a call the seed that its argument says, or the session's.
func seeded(env *BindEnv, call *expr.Func, c *expr.Call, arg int) error {
	c.Seed = env.Session.Seed
	if arg >= len(call.Args) {
		return nil
	}
	if !Foldable(call.Args[arg]) {
		return notConstant(call, "seed", types.Long, call.Args[arg])
	}
	v, err := env.Fold(castTo(env, call.Args[arg], types.Long))
	c.Seed, _ = v.(int64)
	return err
}

// seededRow wraps a signature whose argument seed, when given, is taken out of the call.
func seededRow(name, since, usage string, s *Sig, seed int, k func(*expr.Call) (kernel.Func, error), examples ...string) *Row {
	r := fn(name, since, usage, s, k, examples...).volatile()
	return r.binds(func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		e, err := r.bindSig(env, call)
		c, ok := e.(*expr.Call)
		if !ok {
			return e, err
		}
		c.Args = c.Args[:min(seed, len(c.Args))]
		return c, seeded(env, call, c, seed)
	})
}

func randomTextRows() []*Row {
	misc := group("misc_funcs",
		seededRow("uuid", "2.3.0", "uuid([seed]): a random UUID.", sig(to(types.String), tLong.optional()).never(), 0, func(call *expr.Call) (kernel.Func, error) {
			var m *twister
			return kernel.Each0(call.T, func(c *kernel.Ctx) (string, bool, error) {
				if m == nil {
					m = newTwister(call.Seed + int64(c.Partition))
				}
				hi := m.long()&0xFFFFFFFFFFFF0FFF | 0x4000
				lo := (m.long() | 1<<63) & 0xBFFFFFFFFFFFFFFF
				return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xFFFF, hi&0xFFFF, lo>>48, lo&0xFFFFFFFFFFFF), true, nil
			}), nil
		}, "length(uuid())", "36"))
	text := group("string_funcs",
		seededRow("randstr", "4.0.0", "randstr(length[, seed]): a random text of letters and digits.", sig(to(types.String), tInt.constant(), tLong.optional()).never(), 1, randstr,
			"randstr(3, 0)", "ceV").binds(bindRandstr))
	math := group("math_funcs", (&Row{Name: "uniform", Kind: Special, Since: "4.0.0", Usage: "uniform(min, max[, seed]): random numbers from min up to max.", NonDeterministic: true, Replace: uniform,
		Sig: args(tNum, tNum, tLong.optional())}).examples([]string{"uniform(10, 20, 0)", "17"}))
	return append(append(misc, text...), math...)
}

func bindRandstr(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("randstr")
	if err := needArgs(call, 1, 2); err != nil {
		return nil, err
	}
	e, err := r.bindSig(env, call)
	c, ok := e.(*expr.Call)
	if !ok {
		return e, err
	}
	n, err := env.Fold(c.Args[0])
	if err != nil {
		return nil, err
	}
	if v, _ := n.(int32); v < 0 {
		return nil, mismatch("VALUE_OUT_OF_RANGE", call, "exprName", "`length`", "valueRange", "[0, 2147483647]", "currentValue", strconv.Itoa(int(v)))
	}
	return c, seeded(env, call, c, 1)
}

func randstr(call *expr.Call) (kernel.Func, error) {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var x *xorShift
	build := func(c *kernel.Ctx, dst []byte, n int32) ([]byte, bool, error) {
		if x == nil {
			x = newXorShift(call.Seed + int64(c.Partition))
		}
		for range n {
			v := int32(uint32(x.next(32))) % 62
			if v < 0 {
				v = -v
			}
			dst = append(dst, letters[v])
		}
		return dst, true, nil
	}
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		return kernel.Text1(build)(c, args[:1], n)
	}, nil
}

// uniform is min + (max - min) * rand(seed), as an integer when both are.
func uniform(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
	for i, x := range a[:2] {
		if t := x.Type(); !t.IsNumeric() && t.Kind != types.NullKind {
			return nil, wrongType(expr.NewFunc("uniform", a...), i, tNum, x)
		}
		if !Foldable(x) {
			return nil, sparkerr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", quoted(expr.NewFunc("uniform", a...).SQL()), "inputName", []string{"min", "max"}[i],
				"inputType", "integer or floating-point", "inputExpr", quoted(x.SQL()))
		}
	}
	t, ok := types.Wider(a[0].Type(), a[1].Type())
	if !ok {
		t = types.Double
	}
	if t.Kind == types.NullKind {
		return expr.NewLiteral(nil, types.Double), nil
	}
	r, err := bindCall(env, "rand", a[2:]...)
	if err != nil {
		return nil, err
	}
	lo, hi := castTo(env, a[0], types.Double), castTo(env, a[1], types.Double)
	width, err := bindCall(env, "-", hi, lo)
	if err != nil {
		return nil, err
	}
	if width, err = bindCall(env, "*", r, width); err != nil {
		return nil, err
	}
	sum, err := bindCall(env, "+", lo, width)
	if err != nil {
		return nil, err
	}
	return castTo(env, sum, t), nil
}

func bindShuffle(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("shuffle")
	e, err := r.bindSig(env, call)
	c, ok := e.(*expr.Call)
	if !ok {
		return e, err
	}
	c.Args = c.Args[:1]
	return c, seeded(env, call, c, 1)
}

func shuffle(call *expr.Call) (kernel.Func, error) {
	var m *twister
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
		if m == nil {
			m = newTwister(call.Seed + int64(c.Partition))
		}
		list := row[0].([]any)
		at := make([]int, len(list))
		for i := range at {
			j := int(m.below(int32(i + 1)))
			at[i] = at[j]
			at[j] = i
		}
		out := make([]any, len(list))
		for i, k := range at {
			out[i] = list[k]
		}
		return out, nil
	}), nil
}
