package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, arithRows, bitwiseRows) }

func arithRows() []*Row {
	return group("math_funcs",
		operator("+", "1.0.0", "expr1 + expr2: the sum; also of dates and timestamps with days and intervals.", "1 + 2", "3"),
		operator("-", "1.0.0", "expr1 - expr2: the difference; also of dates and timestamps, with each other or with intervals.", "2 - 1", "1"),
		operator("*", "1.0.0", "expr1 * expr2: the product; an interval may be one side.", "2 * 3", "6"),
		operator("/", "1.0.0", "expr1 / expr2: the quotient as a double or decimal; an interval may be divided by a number.", "3 / 2", "1.5", "2L / 2L", "1.0"),
		operator("%", "1.0.0", "expr1 % expr2: the remainder, with the sign of expr1.", "2 % 1.8", "0.2", "MOD(2, 1.8)", "0.2").alias("mod").own(),
		operator("div", "3.0.0", "expr1 div expr2: the quotient without its fraction, as BIGINT.", "3 div 2", "1", "INTERVAL '1-1' YEAR TO MONTH div INTERVAL '-1' MONTH", "-13"),
		operator("pmod", "1.5.0", "pmod(expr1, expr2): the remainder made positive.", "pmod(10, 3)", "1", "pmod(-10, 3)", "2"),
		operator("try_add", "3.2.0", "try_add(expr1, expr2): the sum, or null where it overflows.", "try_add(1, 2)", "3", "try_add(2147483647, 1)", "NULL"),
		operator("try_subtract", "3.3.0", "try_subtract(expr1, expr2): the difference, or null where it overflows.", "try_subtract(2, 1)", "1",
			"try_subtract(-2147483648, 1)", "NULL"),
		operator("try_multiply", "3.3.0", "try_multiply(expr1, expr2): the product, or null where it overflows.", "try_multiply(2, 3)", "6",
			"try_multiply(-2147483648, 10)", "NULL"),
		operator("try_divide", "3.2.0", "try_divide(expr1, expr2): the quotient, or null where expr2 is 0.", "try_divide(3, 2)", "1.5", "try_divide(1, 0)", "NULL"),
		operator("try_mod", "4.0.0", "try_mod(expr1, expr2): the remainder, or null where expr2 is 0.", "try_mod(2, 1.8)", "0.2", "try_mod(3, 0)", "NULL"),
		unary("negative", "1.0.0", "negative(expr): the value with the opposite sign.", "negative(1)", "-1"),
		unary(expr.UnaryMinus, "1.0.0", "- expr: the value with the opposite sign.").internal(),
		unary("positive", "1.5.0", "positive(expr): the value itself.", "positive(1)", "1"),
		unary("abs", "1.2.0", "abs(expr): the absolute value of a number or interval.", "abs(-1)", "1"),
		dateOp("add_interval"), dateOp("sub_interval"), dateOp("sub_dates"), dateOp("sub_timestamps"), intervalOp("mul_interval"), intervalOp("div_interval"),
		intervalOp("div_intervals"), intervalOp("multiply_interval"), intervalOp("divide_interval"), intervalDays(),
	)
}

// symbols maps try functions to the operator they compute.
var symbols = map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%", "mod": "%"}

func symbolOf(name string) string {
	if s, ok := symbols[name]; ok {
		return s
	}
	return name
}

func operator(name, since, usage string, examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true, Bind: bindArith, Kernel: arithKernel, Total: arithTotal}
	return r.examples(examples)
}

// arithTotal: floats and decimals whose types exclude overflow never fail; others may, unless they answer null.
func arithTotal(c *expr.Call) bool {
	if c.Mode != expr.CastAnsi {
		return true
	}
	op := symbolOf(c.Name)
	if op != "+" && op != "-" && op != "*" {
		return nonZero(c.Args[1])
	}
	a, b := c.Args[0].Type(), c.Args[1].Type()
	switch {
	case a.IsFractional():
		return true
	case a.Kind == types.DecimalKind:
		return c.T == exactDecimal(op, a, b)
	}
	return false
}

// nonZero says whether a divisor is a constant other than 0 and -1.
func nonZero(e expr.Expr) bool {
	switch x := e.(type) {
	case *expr.Cast:
		return nonZero(x.Child)
	case *expr.Literal:
		switch v := x.Value.(type) {
		case float64:
			return v != 0
		case types.Int128:
			return false
		default:
			n, ok := integerValue(v)
			return ok && n != 0 && n != -1
		}
	}
	return false
}

// exactDecimal is the result type when no digits have to be given up; VOID when 38 digits do not suffice.
func exactDecimal(op string, a, b types.Type) types.Type {
	p := int(a.Precision) + int(b.Precision) + 1
	if op != "*" {
		p = max(int(a.Precision)-int(a.Scale), int(b.Precision)-int(b.Scale)) + int(max(a.Scale, b.Scale)) + 1
	}
	if p > types.MaxPrecision {
		return types.Null
	}
	return types.DecimalResult(op, a, b, true)
}

// bindArith types an arithmetic operator by Spark's rules.
func bindArith(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup(call.Name[len(call.Name)-1])
	if e, err := bindTemporal(env, r, call); e != nil || err != nil {
		return e, err
	}
	a, b, err := numericSides(env, r, call)
	if err != nil {
		return nil, err
	}
	op := symbolOf(r.Name)
	t := a.Type()
	if t.Kind == types.DecimalKind {
		rule := op
		if op == "pmod" {
			rule = "%"
		}
		t = types.DecimalResult(rule, t, b.Type(), allowLoss(env))
	}
	if op == "div" {
		t = types.Long
	}
	c := r.call(env, call, t, a.Nullable() || b.Nullable(), a, b)
	if strings.HasPrefix(r.Name, "try_") {
		c.Mode = expr.CastTry
	}
	divides := op == "/" || op == "%" || op == "div" || op == "pmod"
	c.Null = c.Null || c.Mode == expr.CastTry || c.Mode == expr.CastLegacy && (divides || t.Kind == types.DecimalKind)
	return c, nil
}

func allowLoss(env *BindEnv) bool {
	return env.Session.Conf == nil || !strings.EqualFold(env.Session.Conf("spark.sql.decimalOperations.allowPrecisionLoss"), "false")
}

// numericSides casts both sides to numbers that the operator takes.
func numericSides(env *BindEnv, r *Row, call *expr.Func) (a, b expr.Expr, err error) {
	a, b = call.Args[0], call.Args[1]
	op := symbolOf(r.Name)
	ta, tb := a.Type(), b.Type()
	if t, ok := types.PromoteString(ta, tb); ok && (ta.Kind == types.StringKind) != (tb.Kind == types.StringKind) && ta.Kind != types.NullKind && tb.Kind != types.NullKind {
		if op == "/" && t.IsIntegral() {
			t = types.Double
		}
		if ta.Kind == types.StringKind {
			a, ta = castTo(env, a, t), t
			if tb.Kind != types.DecimalKind {
				b, tb = castTo(env, b, t), t
			}
		} else {
			b, tb = castTo(env, b, t), t
			if ta.Kind != types.DecimalKind {
				a, ta = castTo(env, a, t), t
			}
		}
	}
	if ta.Kind == types.NullKind && tb.Kind == types.NullKind {
		ta, tb = types.Double, types.Double
		a, b = castTo(env, a, ta), castTo(env, b, tb)
	}
	if ta.Kind == types.DecimalKind && tb.IsIntegral() || tb.Kind == types.DecimalKind && ta.IsIntegral() {
		if ta.Kind != types.DecimalKind {
			a = castTo(env, a, integralDecimal(a))
		} else {
			b = castTo(env, b, integralDecimal(b))
		}
		return a, b, nil
	}
	if ta.Kind == types.DecimalKind && tb.Kind == types.DecimalKind {
		return a, b, nil
	}
	t, ok := types.Wider(ta, tb)
	switch {
	case !ok || !t.IsNumeric() || op == "div" && t.IsFractional():
		return nil, nil, wrongOperands(call, operandClass(op), ta, tb)
	case op == "/" && t.Kind != types.DecimalKind:
		t = types.Double
	case op == "div" && t.IsIntegral():
		t = types.Long
	}
	return castTo(env, a, t), castTo(env, b, t), nil
}

// wrongOperands: two operands of one wrong type, or of types that differ.
func wrongOperands(call *expr.Func, class string, ta, tb types.Type) error {
	if ta.SameType(tb) {
		return mismatch("BINARY_OP_WRONG_TYPE", call, "inputType", class, "actualDataType", quoted(ta.SQL()))
	}
	return mismatch("BINARY_OP_DIFF_TYPES", call, "left", quoted(ta.SQL()), "right", quoted(tb.SQL()))
}

// operandClass is what an operator takes, as messages print it.
func operandClass(op string) string {
	switch op {
	case "+", "-":
		return `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`
	case "/":
		return `("DOUBLE" or "DECIMAL")`
	case "div":
		return `("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`
	}
	return `"NUMERIC"`
}

func arithKernel(c *expr.Call) (kernel.Func, error) {
	if name := temporalName(symbolOf(c.Name), c); name != "" {
		q := *c
		q.Name = name
		r, _ := Lookup(name)
		return r.Kernel(&q)
	}
	if k := c.T.Kind; k == types.YearMonthKind || k == types.DayTimeKind || k == types.CalendarKind {
		return kernel.AddIntervals(c.T, symbolOf(c.Name) == "-", Mode(c.Mode)), nil
	}
	return kernel.Arith(symbolOf(c.Name), c.Args[0].Type(), c.Args[1].Type(), c.T, Mode(c.Mode)), nil
}

func unary(name, since, usage string, examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true, Bind: bindUnary,
		Kernel: func(c *expr.Call) (kernel.Func, error) { return kernel.Sign(name, c.T, Mode(c.Mode)), nil },
		Total: func(c *expr.Call) bool {
			return name == "positive" || c.Mode != expr.CastAnsi || c.T.IsFractional() || c.T.Kind == types.DecimalKind
		}}
	return r.examples(examples)
}

// bindUnary binds sign operators: text is taken as double.
func bindUnary(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 1); err != nil {
		return nil, err
	}
	r, _ := Lookup(call.Name[len(call.Name)-1])
	a := call.Args[0]
	c := tNumCal
	if r.Name == "abs" {
		c = tNumInt
	}
	switch k := a.Type().Kind; {
	case k == types.StringKind || k == types.NullKind:
		a = castTo(env, a, types.Double)
	case !c.accepts(a.Type()):
		return nil, wrongType(call, 0, c, a)
	}
	return r.call(env, call, a.Type(), a.Nullable(), a), nil
}

func bitwiseRows() []*Row {
	return group("bitwise_funcs",
		bitwise("&", "expr1 & expr2: the bits set in both.", "3 & 5", "1"),
		bitwise("|", "expr1 | expr2: the bits set in one of them.", "3 | 5", "7"),
		bitwise("^", "expr1 ^ expr2: the bits set in exactly one of them.", "3 ^ 5", "6"),
		&Row{Name: "~", Since: "1.4.0", Usage: "~ expr: all bits turned.", NullIn: true, Total: always, Sig: sig(like(0), tIntegral),
			Kernel: func(c *expr.Call) (kernel.Func, error) { return kernel.Bits("~", c.T), nil }, Examples: exs("~ 0", "-1")},
		shift("shiftleft", "<<", "shiftleft(base, n): the bits moved n places to the left.", "shiftleft(2, 1)", "4", "2 << 1", "4"),
		shift("shiftright", ">>", "shiftright(base, n): the bits moved n places to the right, keeping the sign.", "shiftright(4, 1)", "2", "4 >> 1", "2"),
		shift("shiftrightunsigned", ">>>", "shiftrightunsigned(base, n): the bits moved n places to the right, zeros coming in.",
			"shiftrightunsigned(4, 1)", "2", "4 >>> 1", "2"),
		fn("bit_count", "3.0.0", "bit_count(expr): the number of bits that are set.", sig(to(types.Int), oneOf(tIntegral, tBool)), is(kernel.BitCount),
			"bit_count(0)", "0", "bit_count(-1)", "64").total(),
		fn("getbit", "3.2.0", "getbit(expr, pos): the bit at a position, from the right, 0 first.", sig(to(types.Byte), tIntegral, tInt), is(kernel.GetBit),
			"getbit(11, 0)", "1", "getbit(11, 2)", "0").alias("bit_get").own(),
	)
}

func bitwise(op, usage string, examples ...string) *Row {
	r := &Row{Name: op, Since: "1.4.0", Usage: usage, NullIn: true, Total: always, Sig: sig(like(0), tIntegral, tIntegral).common(),
		Kernel: func(c *expr.Call) (kernel.Func, error) { return kernel.Bits(op, c.T), nil }}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 2); err != nil {
			return nil, err
		}
		t, err := commonBinary(env, call, call.Args[0], call.Args[1])
		if err != nil {
			return nil, err
		}
		if t.Kind == types.NullKind {
			t = types.Int
		}
		if !t.IsIntegral() {
			return nil, wrongOperands(call, `"INTEGRAL"`, call.Args[0].Type(), call.Args[1].Type())
		}
		a, b := castTo(env, call.Args[0], t), castTo(env, call.Args[1], t)
		return r.call(env, call, t, a.Nullable() || b.Nullable(), a, b), nil
	}
	return r.examples(examples)
}

func shift(name, op, usage string, examples ...string) *Row {
	r := &Row{Name: name, Aliases: []string{op}, OwnNames: true, Since: "1.5.0", Usage: usage, NullIn: true, Total: always,
		Sig:    sig(like(0), oneOf(tInt, tLong), tInt),
		Kernel: func(c *expr.Call) (kernel.Func, error) { return kernel.Shift(op, c.T), nil }}
	return r.examples(examples)
}
