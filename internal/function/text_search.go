package function

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// sigBoth takes two texts, or two binaries when both are. Binaries are compared as the texts they would be: bytes alike.
var sigBoth = &Sig{In: []In{tStrBin, tStrBin}, Out: to(types.Boolean)}

func containsText(s, sub string) bool { return strings.Contains(s, sub) }
func startsText(s, sub string) bool   { return strings.HasPrefix(s, sub) }
func endsText(s, sub string) bool     { return strings.HasSuffix(s, sub) }

func locate(name string) *Row {
	r := &Row{Name: name, Since: "1.5.0", Usage: name + "(sub, str[, pos]): the position of the first sub in str at or after pos, from 1; 0 when there is none.",
		Sig: sig(to(types.Int), tStr, tStr, tInt.defaultTo(int32(1))), Total: always, Kernel: locateKernel}
	return r.examples([]string{name + "('b', 'abcb')", "2", name + "('b', 'abcb', 3)", "4"})
}

// locateKernel: a null position counts as 0, where nothing is found.
func locateKernel(*expr.Call) (kernel.Func, error) {
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := kernel.Out[int32](c, n)
		v := kernel.Flat(out)
		pos := columnar.Values[int32](&args[2])
		for i := range out {
			out[i] = 0
			switch {
			case args[2].Null(i):
			case args[0].Null(i) || args[1].Null(i):
				if v.Valid == nil {
					v.Valid = c.Scratch.FullBits(n)
				}
				v.Valid.Clear(i)
			default:
				p := pos[0]
				if args[2].Form != columnar.Const {
					p = pos[i]
				}
				if p > 0 {
					out[i] = text.Index(string(args[1].Text(i)), string(args[0].Text(i)), int(p)-1)
				}
			}
		}
		return v, nil
	}, nil
}

// bindElt casts the values to texts, unless all are binary.
func bindElt(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, -1); err != nil {
		return nil, err
	}
	t := types.Binary
	for _, a := range call.Args[1:] {
		if !isBinary(a) {
			t = types.String
		}
	}
	row, _ := Lookup("elt")
	in := oneOf(tStrBin).repeated(1)
	if t.Kind == types.StringKind {
		in = tStr.repeated(1)
	}
	args, err := (&Row{Name: "elt", Sig: &Sig{In: []In{tInt, in}}}).coerce(env, call, call.Args)
	if err != nil {
		return nil, err
	}
	return row.call(env, call, t, true, args...), nil
}

func elt(_ *kernel.Ctx, row []any) (any, error) {
	n, ok := row[0].(int32)
	if !ok {
		return nil, nil
	}
	if n < 1 || int(n) >= len(row) {
		return nil, indexError("INVALID_ARRAY_INDEX", int(n), len(row)-1)
	}
	return row[n], nil
}

// indexError is INVALID_ARRAY_INDEX or INVALID_ARRAY_INDEX_IN_ELEMENT_AT.
func indexError(condition string, index, size int) error {
	return sparkerr.New(condition, "indexValue", strconv.Itoa(index), "arraySize", strconv.Itoa(size))
}

func bindConcatWS(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, -1); err != nil {
		return nil, err
	}
	row, _ := Lookup("concat_ws")
	args := make([]expr.Expr, len(call.Args))
	for i, a := range call.Args {
		in := tStr
		if i > 0 {
			in = oneOf(arrayOf(tStr), tStr)
		}
		t, ok := in.implicit(a.Type(), env.Session.Ansi)
		if a.Type().Kind == types.NullKind {
			t, ok = types.String, true
		}
		if !ok {
			return nil, wrongType(call, i, in, a)
		}
		args[i] = castTo(env, a, t)
	}
	return row.call(env, call, types.String, args[0].Nullable(), args...), nil
}

// concatWS joins texts and arrays of texts.
func concatWS(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	return kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
		if args[0].Null(i) {
			return dst, false
		}
		sep, first := args[0].Text(i), true
		add := func(s []byte) {
			if !first {
				dst = append(dst, sep...)
			}
			dst, first = append(dst, s...), false
		}
		for k := 1; k < len(args); k++ {
			a := &args[k]
			if a.Null(i) {
				continue
			}
			if a.Type.Kind != types.ArrayKind {
				add(a.Text(i))
				continue
			}
			from, to := kernel.Span(a, i)
			for e := from; e < to; e++ {
				if kid := &a.Kids[0]; !kid.Null(e) {
					add(kid.Text(e))
				}
			}
		}
		return dst, true
	}), nil
}
