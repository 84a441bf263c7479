package function

import (
	"math"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, textFormatRows) }

func textFormatRows() []*Row {
	toBinary := sig(to(types.Binary), tStr, tStr.constant().defaultTo("hex"))
	return group("string_funcs",
		fn("format_string", "1.5.0", "format_string(format, arg, …): the arguments in the format of printf.", sig(to(types.String), tStr, tAny.repeated(0)), formatString,
			"format_string('Fire %d %s', 100, 'days')", "Fire 100 days").alias("printf").own().seesNulls().binds(bindFormatString),
		fn("format_number", "1.5.0", "format_number(number, digits): the number with commas and so many digits after the point; or by a pattern such as '#,###.##'.", nil,
			formatNumber, "format_number(12332.123456, 4)", "12,332.1235").binds(bindFormatNumber).total(),
		fn("to_binary", "3.3.0", "to_binary(str[, format]): the bytes of a text in hex, utf-8 or base64.", toBinary, toBinaryKernel(false), "to_binary('abc', 'utf-8')", "abc").binds(bindToBinary("to_binary")),
		fn("try_to_binary", "3.3.0", "try_to_binary(str[, format]): to_binary, or null where the text is malformed.", sig(to(types.Binary), tStr, tStr.constant().defaultTo("hex")).nullable(),
			toBinaryKernel(true), "try_to_binary('a!', 'base64')", "NULL").binds(bindToBinary("try_to_binary")).total(),
	)
}

func bindFormatString(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("format_string")
	e, err := r.bindSig(env, call)
	c, ok := e.(*expr.Call)
	if !ok {
		return e, err
	}
	c.Null = c.Args[0].Nullable()
	if l, ok := c.Args[0].(*expr.Literal); ok {
		if s, _ := l.Value.(string); strings.Contains(s, "%0$") {
			return nil, sparkerr.New("INVALID_PARAMETER_VALUE.ZERO_INDEX", "parameter", "`strfmt`", "functionName", types.Quote(rowName(call)))
		}
	}
	return c, nil
}

func formatString(*expr.Call) (kernel.Func, error) {
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		var failed error
		list := make([]text.Arg, len(args)-1)
		v := kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
			if failed != nil || args[0].Null(i) {
				return dst, false
			}
			for k := range list {
				list[k] = text.Arg{Value: args[k+1].ValueAt(i), Type: args[k+1].Type}
			}
			dst, err := text.AppendPrintf(dst, string(args[0].Text(i)), list)
			if err != nil {
				failed = illegalArgument(err.Error())
			}
			return dst, true
		})
		return v, failed
	}, nil
}

func bindFormatNumber(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup("format_number")
	args, err := (&Row{Name: "format_number", Sig: &Sig{In: []In{tNum, oneOf(tInt, tStr)}}}).coerce(env, call, call.Args)
	if err != nil {
		return nil, err
	}
	return r.call(env, call, types.String, true, args...), nil
}

func formatNumber(call *expr.Call) (kernel.Func, error) {
	byPattern := call.Args[1].Type().Kind == types.StringKind
	t := call.Args[0].Type()
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		return kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
			if c.Valid != nil && !c.Valid.Get(i) {
				return dst, true
			}
			s, neg := plainNumber(args[0].ValueAt(i), t)
			p := numberPattern{group: true, least: 1}
			if byPattern {
				p = parseNumberPattern(string(args[1].Text(i)))
			} else {
				digits, _ := args[1].ValueAt(i).(int32)
				if digits < 0 {
					return dst, false
				}
				p.minFrac, p.maxFrac = int(digits), int(digits)
			}
			return p.append(dst, s, neg), true
		}), nil
	}, nil
}

// plainNumber is the digits of a number and its sign.
func plainNumber(v any, t types.Type) (string, bool) {
	switch x := v.(type) {
	case types.Int128:
		return types.FormatDecimal(x.Abs(), int(t.Scale)), x.Sign() < 0
	case float32:
		return floatDigits(float64(x), 32), math.Signbit(float64(x))
	case float64:
		return floatDigits(x, 64), math.Signbit(x)
	}
	n, _ := integerValue(v)
	s := strconv.FormatInt(n, 10)
	return strings.TrimPrefix(s, "-"), n < 0
}

func floatDigits(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return "∞"
	}
	return strconv.FormatFloat(math.Abs(f), 'f', -1, bits)
}

// numberPattern is a pattern of java.text.DecimalFormat: what Spark's users write of it.
type numberPattern struct {
	prefix, suffix          string
	group                   bool
	size                    int
	least, minFrac, maxFrac int
}

func parseNumberPattern(s string) numberPattern {
	p := numberPattern{size: 3}
	i := strings.IndexAny(s, "#0,.")
	if i < 0 {
		return numberPattern{prefix: s, maxFrac: 0, least: 0}
	}
	p.prefix, s = s[:i], s[i:]
	if end := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("#0,.", r) }); end >= 0 {
		p.suffix, s = s[end:], s[:end]
	}
	whole, frac, _ := strings.Cut(s, ".")
	if k := strings.LastIndexByte(whole, ','); k >= 0 {
		p.group, p.size = true, len(whole)-k-1
	}
	p.least = strings.Count(whole, "0")
	p.minFrac, p.maxFrac = strings.Count(frac, "0"), len(frac)
	return p
}

func (p *numberPattern) append(dst []byte, digits string, neg bool) []byte {
	if digits == "NaN" {
		return append(dst, digits...)
	}
	s := digits
	if digits != "∞" {
		s = text.RoundDecimal(digits, p.maxFrac, true)
		whole, frac, _ := strings.Cut(s, ".")
		whole = strings.TrimLeft(whole, "0")
		for len(whole) < p.least {
			whole = "0" + whole
		}
		for len(frac) > p.minFrac && frac[len(frac)-1] == '0' {
			frac = frac[:len(frac)-1]
		}
		neg = neg && strings.Trim(whole+frac, "0") != ""
		if whole == "" && frac == "" {
			whole = "0"
		}
		if p.group {
			whole = text.Group(whole)
		}
		s = whole
		if frac != "" {
			s += "." + frac
		}
	}
	if neg {
		dst = append(dst, '-')
	}
	return append(append(append(dst, p.prefix...), s...), p.suffix...)
}

func bindToBinary(name string) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		r, _ := Lookup(name)
		e, err := r.bindSig(env, call)
		c, ok := e.(*expr.Call)
		if !ok {
			return e, err
		}
		v, err := env.Fold(c.Args[1])
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			switch strings.ToLower(s) {
			case "hex", "utf-8", "utf8", "base64":
			default:
				return nil, mismatch("INVALID_ARG_VALUE", call, "inputName", "fmt", "requireType", "case-insensitive \"STRING\"", "validValues", "'hex', 'utf-8', 'utf8', or 'base64'", "inputValue", "'"+s+"'")
			}
		}
		c.Null = c.Null || name == "to_binary" && strings.EqualFold(c.Args[1].SQL(), "hex")
		return c, nil
	}
}

func toBinaryKernel(try bool) func(*expr.Call) (kernel.Func, error) {
	return t2(func(_ *kernel.Ctx, dst []byte, s, format string) ([]byte, bool, error) {
		ok := true
		switch strings.ToLower(format) {
		case "utf-8", "utf8":
			return append(dst, s...), true, nil
		case "base64":
			var bad string
			dst, bad = text.AppendUnbase64(dst, s)
			ok = bad == "" && strictBase64(s)
		default:
			dst, ok = text.AppendUnhex(dst, s)
		}
		if ok || try {
			return dst, ok, nil
		}
		return nil, false, sparkerr.New("CONVERSION_INVALID_INPUT", "str", "'"+s+"'", "fmt", "'"+strings.ToUpper(format)+"'", "targetType", `"BINARY"`, "suggestion", "`try_to_binary`")
	})
}

// strictBase64 says whether a text is base 64 without other characters than white space, in whole groups of four.
func strictBase64(s string) bool {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '+' || c == '/':
			n++
		case c == '=':
			n++
		default:
			return false
		}
	}
	return n%4 == 0 || !strings.Contains(s, "=") && n%4 != 1
}
