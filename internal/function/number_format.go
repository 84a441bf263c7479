package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, numberFormatRows) }

func numberFormatRows() []*Row {
	num := func(name string, try bool, examples ...string) *Row {
		return fn(name, "3.3.0", name+"(str, format): the number of a text in a format of 0, 9, ., D, comma, G, $, S, MI and PR.", nil, toNumber(try), examples...).binds(bindToNumber(name, try))
	}
	char := func(name string, examples ...string) *Row {
		r := sugar(name, "3.4.0", name+"(expr, format): a number by a number format, a date or timestamp by a pattern, bytes in base64, hex or utf-8.", args(tAny, tStr), toChar(name), examples...)
		return r
	}
	return group("string_funcs",
		num("to_number", false, "to_number('12,454.8-', '99,999.9S')", "-12454.8"), num("try_to_number", true, "try_to_number('x', '999')", "NULL"),
		char("to_char", "to_char(454, '999')", "454", "to_char(12454, '99G999')", "12,454", "to_char(DATE'2016-04-08', 'y')", "2016"), char("to_varchar", "to_varchar(78.12, '$99.99')", "$78.12"),
		fn("number_to_char", "3.4.0", "A number by a number format.", sig(to(types.String), tDecimal, tStr), numberToChar).internal(),
	)
}

// numberFormat is a parsed format of to_number and to_char.
type numberFormat struct {
	text        string
	sign        string // "", S, MI or PR
	signFirst   bool
	currency    bool
	whole, frac string // 0, 9 and , of each side
	point       bool
}

// parseNumberFormat reads a format; the error is Spark's.
func parseNumberFormat(s string) (*numberFormat, error) {
	bad := func(sub string, kv ...string) error {
		return sparkerr.New("INVALID_FORMAT."+sub, append([]string{"format", "'" + s + "'"}, kv...)...)
	}
	f := &numberFormat{text: s}
	up := strings.ToUpper(s)
	if up == "" {
		return nil, bad("EMPTY")
	}
	signs := 0
	for i := 0; i < len(up); i++ {
		switch c := up[i]; {
		case c == '0' || c == '9':
			if f.point {
				f.frac += string(c)
			} else {
				f.whole += string(c)
			}
		case c == ',' || c == 'G':
			if f.point {
				return nil, bad("THOUSANDS_SEPS_MUST_BEFORE_DEC")
			}
			f.whole += ","
		case c == '.' || c == 'D':
			if f.point {
				return nil, bad("WRONG_NUM_TOKEN", "token", ". or D")
			}
			f.point = true
		case c == '$':
			if f.currency {
				return nil, bad("WRONG_NUM_TOKEN", "token", "$")
			}
			f.currency = true
		case c == 'S':
			signs++
			f.sign, f.signFirst = "S", f.whole == "" && !f.point
		case strings.HasPrefix(up[i:], "MI"), strings.HasPrefix(up[i:], "PR"):
			signs++
			f.sign, f.signFirst = up[i:i+2], f.whole == "" && !f.point && c == 'M'
			i++
		default:
			return nil, bad("UNEXPECTED_TOKEN", "token", s[i:i+1])
		}
	}
	switch {
	case signs > 1:
		return nil, bad("WRONG_NUM_TOKEN", "token", f.sign)
	case strings.Trim(f.whole, ",") == "" && f.frac == "":
		return nil, bad("WRONG_NUM_DIGIT")
	case strings.Contains(f.whole, ",,"), strings.HasPrefix(f.whole, ","), strings.HasSuffix(f.whole, ","):
		return nil, bad("CONT_THOUSANDS_SEPS")
	}
	return f, nil
}

func (f *numberFormat) decimal() types.Type {
	digits := len(strings.ReplaceAll(f.whole, ",", ""))
	return types.BoundedDecimal(digits+len(f.frac), len(f.frac))
}

// parse reads a number; false when it does not fit.
func (f *numberFormat) parse(s string) (types.Int128, bool) {
	s = strings.ReplaceAll(s, " ", "")
	neg := false
	switch {
	case f.sign == "PR":
		if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
			neg, s = true, s[1:len(s)-1]
		}
	case f.sign != "" && f.signFirst && s != "":
		if s[0] == '-' || s[0] == '+' && f.sign == "S" {
			neg, s = s[0] == '-', s[1:]
		}
	case f.sign != "" && s != "":
		if c := s[len(s)-1]; c == '-' || c == '+' && f.sign == "S" {
			neg, s = c == '-', s[:len(s)-1]
		}
	}
	if f.currency {
		if !strings.HasPrefix(s, "$") {
			return types.Int128{}, false
		}
		s = s[1:]
	}
	whole, frac, point := strings.Cut(s, ".")
	if point && !f.point || len(frac) > len(f.frac) || whole == "" && frac == "" || !fitsDigits(whole, f.whole) {
		return types.Int128{}, false
	}
	for len(frac) < len(f.frac) {
		frac += "0"
	}
	v, _, ok := types.ParseDecimal("0" + strings.ReplaceAll(whole, ",", "") + frac)
	if neg {
		v = v.Neg()
	}
	return v, ok
}

// fitsDigits matches digits and commas against a format from the right; a group that starts with 0 must be full.
func fitsDigits(s, format string) bool {
	if strings.HasPrefix(format, "0") && len(s) != len(format) || len(s) > len(format) {
		return false
	}
	format = format[len(format)-len(s):]
	for i := range len(s) {
		if (s[i] == ',') != (format[i] == ',') || s[i] != ',' && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// append prints a number with the given digits.
func (f *numberFormat) append(dst []byte, v types.Int128, scale int) []byte {
	whole, frac, _ := strings.Cut(types.FormatDecimal(v.Abs(), scale), ".")
	whole = strings.TrimLeft(whole, "0")
	for len(frac) > len(f.frac) && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	for len(frac) < len(f.frac) {
		frac += "0"
	}
	neg := v.Sign() < 0
	if len(whole) > len(strings.ReplaceAll(f.whole, ",", "")) || len(frac) > len(f.frac) {
		hashes := strings.NewReplacer("0", "#", "9", "#")
		whole, frac = hashes.Replace(f.whole), hashes.Replace(f.frac)
	} else {
		whole = f.places(whole)
	}
	sign := ""
	if f.signFirst {
		sign = map[bool]string{true: "-", false: "+"}[neg]
		if f.sign == "MI" && !neg {
			sign = " "
		}
	} else if f.sign == "PR" && neg {
		sign = "<"
	}
	if f.currency {
		whole = "$" + whole
	}
	body := strings.TrimLeft(whole, " ")
	dst = append(dst, whole[:len(whole)-len(body)]...)
	dst = append(append(dst, sign...), body...)
	if f.point {
		dst = append(append(dst, '.'), frac...)
	}
	switch {
	case f.signFirst || f.sign == "":
	case f.sign == "PR" && neg:
		dst = append(dst, '>')
	case f.sign == "PR":
		dst = append(dst, "  "...)
	case neg:
		dst = append(dst, '-')
	case f.sign == "S":
		dst = append(dst, '+')
	default:
		dst = append(dst, ' ')
	}
	return dst
}

// places puts the digits before the point in their places.
func (f *numberFormat) places(digits string) string {
	out := make([]byte, len(f.whole))
	k := len(digits)
	for i := len(f.whole) - 1; i >= 0; i-- {
		switch {
		case f.whole[i] == ',':
			out[i] = ','
			if k == 0 && f.whole[0] != '0' {
				out[i] = ' '
			}
		case k > 0:
			k--
			out[i] = digits[k]
		case f.whole[0] == '0' || i == len(f.whole)-1 && f.point:
			out[i] = '0'
		default:
			out[i] = ' '
		}
	}
	return string(out)
}

// formats parses the format of a call, again only when it changes.
type formats struct {
	src string
	f   *numberFormat
}

func (c *formats) of(src string) (*numberFormat, error) {
	if c.f != nil && c.src == src {
		return c.f, nil
	}
	src = strings.Clone(src)
	f, err := parseNumberFormat(src)
	if err != nil {
		return nil, err
	}
	c.src, c.f = src, f
	return f, nil
}

func bindToNumber(name string, try bool) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 2); err != nil {
			return nil, err
		}
		r, _ := Lookup(name)
		args, err := (&Row{Name: name, Args: []string{"expr", "format"}, Sig: &Sig{In: []In{tStr, tStr.constant()}}}).coerce(env, call, call.Args)
		if err != nil {
			return nil, err
		}
		v, err := env.Fold(args[1])
		if err != nil {
			return nil, err
		}
		format, ok := v.(string)
		if !ok {
			return r.call(env, call, types.Decimal(38, 0), true, args...), nil
		}
		f, err := parseNumberFormat(format)
		if err != nil {
			return nil, err
		}
		return r.call(env, call, f.decimal(), try || args[0].Nullable(), args...), nil
	}
}

func toNumber(try bool) func(*expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		var p formats
		return kernel.Each2(call.T, func(_ *kernel.Ctx, s, format string) (types.Int128, bool, error) {
			f, err := p.of(format)
			if err != nil {
				return types.Int128{}, false, err
			}
			v, ok := f.parse(s)
			if !ok && !try {
				return v, false, sparkerr.New("INVALID_FORMAT.MISMATCH_INPUT", "format", f.text, "inputType", `"STRING"`, "input", strings.Clone(s))
			}
			return v, ok, nil
		}), nil
	}
}

// toChar chooses by the type of the first argument.
func toChar(name string) func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
	return func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
		t := a[0].Type()
		switch {
		case t.IsDatetime():
			return bindCall(env, "date_format", a...)
		case t.Kind != types.BinaryKind:
			if !Foldable(a[1]) {
				return nil, sparkerr.New("NON_FOLDABLE_ARGUMENT", "funcName", types.Quote(name), "paramName", "`format`", "paramType", `"STRING"`)
			}
			return bindCall(env, "number_to_char", a...)
		}
		v, err := env.Fold(a[1])
		if err != nil {
			return nil, err
		}
		format, ok := v.(string)
		if !ok {
			return &expr.Literal{T: types.String}, nil
		}
		switch strings.ToLower(format) {
		case "base64":
			return bindCall(env, "base64", a[0])
		case "hex":
			return bindCall(env, "hex", a[0])
		case "utf-8":
			return bindCall(env, "decode", a[0], expr.NewLiteral("UTF-8", types.String))
		}
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "parameter", "`format`", "functionName", types.Quote(name), "invalidFormat", "'"+format+"'")
	}
}

func numberToChar(call *expr.Call) (kernel.Func, error) {
	var p formats
	scale := int(call.Args[0].Type().Scale)
	return kernel.Text2(func(_ *kernel.Ctx, dst []byte, v types.Int128, format string) ([]byte, bool, error) {
		f, err := p.of(format)
		if err != nil {
			return nil, false, err
		}
		return f.append(dst, v, scale), true, nil
	}), nil
}
