package function

import (
	"slices"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, textPadRows, textPartRows) }

var (
	sigPad     = &Sig{In: []In{tStrBin, tInt, tStrBin.optional()}, Out: padType}
	sigOverlay = &Sig{In: []In{tStrBin, tStrBin, tInt, tInt.defaultTo(int32(-1))}, Out: like(0), Check: sameKinds}
)

// padType is BINARY when text and padding are both binary, else STRING.
func padType(a []expr.Expr) types.Type {
	if isBinary(a[0]) && isBinary(a[len(a)-1]) {
		return types.Binary
	}
	return types.String
}

// sameKinds wants the first two arguments both STRING or both BINARY.
func sameKinds(a []expr.Expr) error {
	if isBinary(a[0]) == isBinary(a[1]) {
		return nil
	}
	return sparkerr.New("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", quoted("overlay("+a[0].SQL()+", "+a[1].SQL()+", "+a[2].SQL()+", "+a[3].SQL()+")"),
		"left", quoted(a[0].Type().SQL()), "right", quoted(a[1].Type().SQL()))
}

// bindPad fills in the padding, whose default depends on what is padded, and makes both sides one kind.
func bindPad(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 3); err != nil {
		return nil, err
	}
	r, _ := Lookup(call.Name[len(call.Name)-1])
	args := call.Args
	if len(args) == 2 {
		pad := expr.NewLiteral(" ", types.String)
		if isBinary(args[0]) {
			pad = expr.NewLiteral([]byte{0}, types.Binary)
		}
		args = append(args[:2:2], pad)
	}
	q := *call
	q.Args = args
	args, err := (&Row{Name: r.Name, Sig: sigPad}).coerce(env, &q, args)
	if err != nil {
		return nil, err
	}
	t := padType(args)
	args[0], args[2] = castTo(env, args[0], t), castTo(env, args[2], t)
	return r.call(env, call, t, args[0].Nullable() || args[1].Nullable() || args[2].Nullable(), args...), nil
}

func pad(name, usage string, s func(dst []byte, s string, n int32, pad string) []byte, b func(dst, s []byte, n int32, pad []byte) []byte, examples ...string) *Row {
	r := &Row{Name: name, Since: "1.5.0", Usage: usage, NullIn: true, Total: always, Bind: bindPad, Kernel: byKind(padded(name, s), padded(name, b))}
	return r.examples(examples)
}

// padded lifts a padding function, after a look at the size that is asked for.
func padded[T string | []byte](name string, f func(dst []byte, s T, n int32, pad T) []byte) func(*expr.Call) (kernel.Func, error) {
	return t3(func(_ *kernel.Ctx, dst []byte, s T, n int32, pad T) ([]byte, bool, error) {
		size := int64(max(n, 0))
		if len(pad) == 0 {
			size = int64(len(s))
		}
		if err := kernel.Room(name, size); err != nil {
			return dst, false, err
		}
		return f(grown(dst, size), s, n, pad), true, nil
	})
}

func repeatText(_ *kernel.Ctx, dst []byte, s string, n int32) ([]byte, bool, error) {
	return repeatedText("repeat", dst, s, n)
}

// repeatedText appends s n times, if that is not too much.
func repeatedText(name string, dst []byte, s string, n int32) ([]byte, bool, error) {
	size := int64(max(n, 0)) * int64(len(s))
	if err := kernel.Room(name, size); err != nil {
		return dst, false, err
	}
	return text.AppendRepeat(grown(dst, size), s, n), true, nil
}

// grown makes room for n more bytes, where they are so many that growing step by step would copy much.
func grown(dst []byte, n int64) []byte {
	if n > 1<<20 {
		return slices.Grow(dst, int(n))
	}
	return dst
}

func textPadRows() []*Row {
	return group("string_funcs",
		pad("lpad", "lpad(str, len[, pad]): str with pad repeated before it up to len characters, or cut to len.", text.AppendLeftPad, text.AppendLeftPadBytes,
			"lpad('hi', 5, '?!')", "?!?hi", "lpad('hello', 2)", "he"),
		pad("rpad", "rpad(str, len[, pad]): str with pad repeated after it up to len characters, or cut to len.", text.AppendRightPad, text.AppendRightPadBytes,
			"rpad('hi', 5, '?!')", "hi?!?", "rpad('hello', 2)", "he"),
		fn("repeat", "1.5.0", "repeat(str, n): str n times.", sig(to(types.String), tStr, tInt), t2(repeatText), "repeat('ab', 3)", "ababab").total(),
		fn("space", "1.5.0", "space(n): a text of n spaces.", sig(to(types.String), tInt), t1(func(_ *kernel.Ctx, dst []byte, n int32) ([]byte, bool, error) {
			return repeatedText("space", dst, " ", n)
		}), "concat(space(2), '1')", "  1").total(),
		fn("overlay", "3.0.0", "overlay(input, replace, pos[, len]): input with replace in the place of len characters from pos.", sigOverlay,
			byKind(b4(text.AppendOverlay), b4(text.AppendOverlayBytes)), "overlay('Firestone' placing 'eel' from 6 for 4)", "Fireseel",
			"overlay('abc', 'XY', 2, 0)", "aXYbc").named("input", "replace", "pos", "len").total(),
		fn("translate", "1.5.0", "translate(input, from, to): input with each character of from replaced by the one at its place in to.",
			sig(to(types.String), tStr, tStr, tStr), b3(text.AppendTranslate), "translate('AaBbCc', 'abc', '12')", "A1B2C").total(),
		fn("replace", "2.3.0", "replace(str, search[, replace]): str with all occurrences of search replaced.",
			sig(to(types.String), tStr, tStr, tStr.defaultTo("")), b3(text.AppendReplace), "replace('ABCabc', 'abc', 'DEF')", "ABCDEF").total(),
	)
}

func textPartRows() []*Row {
	return group("string_funcs",
		fn("left", "2.3.0", "left(str, len): the first len characters of str.", sig(like(0), tStrBin, tInt), byKind(
			b2(func(dst []byte, s string, n int32) []byte { return append(dst, text.Prefix(s, max(int(n), 0))...) }),
			b2(func(dst, s []byte, n int32) []byte { return append(dst, s[:min(max(int(n), 0), len(s))]...) })), "left('firesteel', 4)", "fire").total(),
		fn("right", "2.3.0", "right(str, len): the last len characters of str.", sig(to(types.String), tStr, tInt).nullable(),
			b2(func(dst []byte, s string, n int32) []byte {
				return append(dst, s[text.Offset(s, text.Len(s)-max(int(n), 0)):]...)
			}),
			"right('firesteel', 5)", "steel").total(),
		fn("substring_index", "1.5.0", "substring_index(str, delim, count): what stands before the count-th delimiter; after it from the end for negative counts.",
			sig(to(types.String), tStr, tStr, tInt), b3(func(dst []byte, s, d string, n int32) []byte { return append(dst, text.SubstringIndex(s, d, n)...) }),
			"substring_index('a.b.c', '.', 2)", "a.b", "substring_index('a.b.c', '.', -1)", "c").total(),
		fn("split_part", "3.3.0", "split_part(str, delim, n): part n of str between delimiters, from 1; negative n counts from the end.",
			sig(to(types.String), tStr, tStr, tInt).nullable(), t3(splitPart), "split_part('a.b.c', '.', 2)", "b").named("str", "delimiter", "partNum"),
		fn("instr", "1.5.0", "instr(str, sub): the position of the first sub in str, from 1; 0 when there is none.", sig(to(types.Int), tStr, tStr),
			f2(func(s, sub string) int32 { return text.Index(s, sub, 0) }), "instr('firesteel', 'steel')", "5").total(),
		locate("locate"), locate("position"),
		fn("contains", "3.3.0", "contains(left, right): whether right occurs in left.", sigBoth, f2(containsText), "contains('firesteel', 'steel')", "true").total(),
		fn("startswith", "3.3.0", "startswith(left, right): whether left starts with right.", sigBoth, f2(startsText), "startswith('firesteel', 'fire')", "true").total(),
		fn("endswith", "3.3.0", "endswith(left, right): whether left ends with right.", sigBoth, f2(endsText), "endswith('firesteel', 'steel')", "true").total(),
		fn("find_in_set", "1.5.0", "find_in_set(str, list): the position of str in a comma-separated list, from 1; 0 when it is not there.",
			sig(to(types.Int), tStr, tStr), f2(text.FindInSet), "find_in_set('ab', 'abc,b,ab,c')", "3").total(),
		&Row{Name: "elt", Since: "2.0.0", Usage: "elt(n, a, b, …): the n-th of the other arguments.", Bind: bindElt, Kernel: rowsOf(elt), Examples: exs("elt(1, 'a', 'b')", "a")},
		fn("concat_ws", "1.5.0", "concat_ws(sep, a, b, …): the arguments, texts or arrays of texts, joined by sep; nulls are left out.", nil,
			func(*expr.Call) (kernel.Func, error) { return concatWS, nil }, "concat_ws(' ', 'Fire', NULL, 'steel')", "Fire steel").binds(bindConcatWS).seesNulls().total(),
	)
}

// binds gives the row its own binding.
func (r *Row) binds(f func(env *BindEnv, call *expr.Func) (expr.Expr, error)) *Row {
	r.Bind = f
	return r
}

func splitPart(_ *kernel.Ctx, dst []byte, s, d string, n int32) ([]byte, bool, error) {
	if n == 0 {
		return nil, false, sparkerr.New("INVALID_INDEX_OF_ZERO")
	}
	return append(dst, text.SplitPart(s, d, int(n))...), true, nil
}
