package function

import (
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/columnar"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, textCodeRows, textCharsetRows, hexRows) }

func textCodeRows() []*Row {
	return group("string_funcs",
		fn("ascii", "1.5.0", "ascii(str): the code point of the first character; 0 for an empty text.", sig(to(types.Int), tStr), f1(func(s string) int32 {
			if s == "" {
				return 0
			}
			r, _ := utf8.DecodeRuneInString(s)
			return r
		}), "ascii('222')", "50").total(),
		fn("chr", "2.3.0", "chr(n): the character with code n modulo 256; empty for negative n.", sig(to(types.String), tLong), b1(func(dst []byte, n int64) []byte {
			if n < 0 {
				return dst
			}
			return utf8.AppendRune(dst, rune(n&0xFF))
		}), "chr(65)", "A").alias("char").own().total(),
		fn("bit_length", "2.3.0", "bit_length(expr): the length in bits.", sig(to(types.Int), tStrBin), f1(func(s string) int32 { return int32(len(s)) * 8 }),
			"bit_length('Fire')", "32").total(),
		fn("octet_length", "2.3.0", "octet_length(expr): the length in bytes.", sig(to(types.Int), tStrBin), f1(func(s string) int32 { return int32(len(s)) }),
			"octet_length('Fire')", "4").total(),
		fn("base64", "1.5.0", "base64(bin): the bytes as base 64 text.", sig(to(types.String), tBin), t1(base64Text), "base64('Firesteel')", "RmlyZXN0ZWVs").total(),
		fn("unbase64", "1.5.0", "unbase64(str): the bytes of a base 64 text.", sig(to(types.Binary), tStr), t1(unbase64), "unbase64('RmlyZQ==')", "Fire"),
		fn("initcap", "1.5.0", "initcap(str): words with a capital first, the rest in small letters; words are separated by spaces.",
			sig(like(0), tStr), b1(text.AppendTitle), "initcap('fIRE steel')", "Fire Steel").total(),
		fn("soundex", "1.5.0", "soundex(str): the Soundex code.", sig(to(types.String), tStr), b1(text.AppendSoundex), "soundex('Miller')", "M460").total(),
		fn("luhn_check", "3.5.0", "luhn_check(str): whether the digits end in a right Luhn check digit.", sig(to(types.Boolean), tStr).nullable(), f1(text.Luhn),
			"luhn_check('8112189876')", "true").total(),
		fn("levenshtein", "1.5.0", "levenshtein(a, b[, limit]): the edit distance; -1 when it exceeds the limit.", sig(to(types.Int), tStr, tStr, tInt.optional()),
			levenshtein, "levenshtein('kitten', 'sitting')", "3", "levenshtein('kitten', 'sitting', 2)", "-1").total(),
		fn("sentences", "2.0.0", "sentences(str[, lang[, country]]): an array of sentences, each an array of words.",
			sig(to(types.Array(types.Array(types.String, false), false)), tStr, tStr.defaultTo(""), tStr.defaultTo("")).nullable(), rowsOf(sentences),
			"sentences('Hi there! Good morning.')", "[[Hi, there], [Good, morning]]").seesNulls().total(),
		&Row{Name: "mask", Since: "3.4.0", Args: []string{"str", "upperChar", "lowerChar", "digitChar", "otherChar"},
			Usage: "mask(str[, upper[, lower[, digit[, other]]]]): str with characters replaced by class; a null leaves its class as it is.",
			Sig: sig(to(types.String), tStr, tStr.constant().defaultTo("X"), tStr.constant().defaultTo("x"), tStr.constant().defaultTo("n"),
				tStr.constant().orElse(&expr.Literal{T: types.String})).nullable(), Bind: bindMask, Kernel: maskKernel, Total: always,
			Examples: exs("mask('abcd-EFGH-8765')", "xxxx-XXXX-nnnn")},
		fn("is_valid_utf8", "4.0.0", "is_valid_utf8(str): whether the bytes are UTF-8.", sigText8(types.Boolean), f1(func(b []byte) bool { return utf8.Valid(b) }),
			"is_valid_utf8('Fire')", "true", "is_valid_utf8(x'80')", "false").total(),
		fn("make_valid_utf8", "4.0.0", "make_valid_utf8(str): str with everything that is not UTF-8 replaced.", sigText8(types.String), b1(func(dst, b []byte) []byte {
			return text.AppendValid(dst, b)
		}), "make_valid_utf8('Fire')", "Fire").total(),
		fn("validate_utf8", "4.0.0", "validate_utf8(str): str; an error when it is not UTF-8.", sigText8(types.String), t1(validateUTF8), "validate_utf8('Fire')", "Fire"),
		fn("try_validate_utf8", "4.0.0", "try_validate_utf8(str): str, or null when it is not UTF-8.", sigText8(types.String), t1(func(_ *kernel.Ctx, dst, b []byte) ([]byte, bool, error) {
			return append(dst, b...), utf8.Valid(b), nil
		}), "try_validate_utf8(x'80')", "NULL").total(),
		fn("quote", "4.1.0", "quote(str): str in single quotes, with a backslash before quotes and backslashes in it.", sig(to(types.String), tStr), b1(func(dst []byte, s string) []byte {
			dst = append(dst, '\'')
			for i := 0; i < len(s); i++ {
				if s[i] == '\'' {
					dst = append(dst, '\\')
				}
				dst = append(dst, s[i])
			}
			return append(dst, '\'')
		}), "quote('Fire')", "'Fire'").total(),
	)
}

func sigText8(out types.Type) *Sig { return sig(to(out), tStr).nullable() }

func base64Text(c *kernel.Ctx, dst, b []byte) ([]byte, bool, error) {
	return text.AppendBase64(dst, b, c.Conf != nil && c.Conf("spark.sql.legacy.chunkBase64String.enabled") == "true"), true, nil
}

func unbase64(_ *kernel.Ctx, dst []byte, s string) ([]byte, bool, error) {
	dst, bad := text.AppendUnbase64(dst, s)
	if bad != "" {
		return nil, false, sparkerr.New("CONVERSION_INVALID_INPUT", "str", "'"+s+"'", "fmt", "'BASE64'", "targetType", `"BINARY"`, "suggestion", "`try_to_binary`")
	}
	return dst, true, nil
}

func validateUTF8(_ *kernel.Ctx, dst, b []byte) ([]byte, bool, error) {
	if utf8.Valid(b) {
		return append(dst, b...), true, nil
	}
	bad := b
	for len(bad) > 0 {
		r, n := utf8.DecodeRune(bad)
		if r == utf8.RuneError && n == 1 {
			break
		}
		bad = bad[n:]
	}
	return nil, false, sparkerr.New("INVALID_UTF8_STRING", "str", `\x`+string(text.AppendHex(nil, bad[:1])))
}

func levenshtein(c *expr.Call) (kernel.Func, error) {
	var d text.Distances
	if len(c.Args) == 2 {
		return kernel.Each2(c.T, func(_ *kernel.Ctx, a, b string) (int32, bool, error) { return d.Of(a, b), true, nil }), nil
	}
	return kernel.Each3(c.T, func(_ *kernel.Ctx, a, b string, limit int32) (int32, bool, error) {
		n := d.Of(a, b)
		if n > limit {
			n = -1
		}
		return n, true, nil
	}), nil
}

func sentences(_ *kernel.Ctx, row []any) (any, error) {
	s, ok := row[0].(string)
	if !ok {
		return nil, nil
	}
	return text.Sentences(s), nil
}

var maskNames = [...]string{"upperChar", "lowerChar", "digitChar", "otherChar"}

// bindMask wants replacements of one character each.
func bindMask(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("mask")
	e, err := row.bindSig(env, call)
	if err != nil {
		return nil, err
	}
	for i, a := range e.(*expr.Call).Args[1:] {
		l, ok := a.(*expr.Literal)
		if s, isText := literalText(l, ok); isText && text.Len(s) != 1 {
			return nil, mismatch("INPUT_SIZE_NOT_ONE", e, "exprName", maskNames[i])
		}
	}
	return e, nil
}

func literalText(l *expr.Literal, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	s, isText := l.Value.(string)
	return s, isText
}

func maskKernel(*expr.Call) (kernel.Func, error) {
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		var rs [4]rune
		for k := range rs {
			if rs[k] = -1; n > 0 && !args[k+1].Null(0) {
				rs[k], _ = utf8.DecodeRune(args[k+1].Text(0))
			}
		}
		m := text.Mask{Upper: rs[0], Lower: rs[1], Digit: rs[2], Other: rs[3]}
		return kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
			if args[0].Null(i) {
				return dst, false
			}
			return m.Append(dst, string(args[0].Text(i))), true
		}), nil
	}, nil
}

func textCharsetRows() []*Row {
	return group("string_funcs",
		fn("encode", "1.5.0", "encode(str, charset): the bytes of str in a character set.", sig(to(types.Binary), tStr, tStr).nullable(), t2(encode),
			"hex(encode('abc', 'utf-16be'))", "006100620063"),
		&Row{Name: "decode", Since: "1.5.0", Usage: "decode(bin, charset): the text of bytes in a character set; decode(expr, search, result, …[, default]): the result beside the first equal search.",
			Kind: Scalar, NullIn: true, Bind: bindDecode, Kernel: t2(decode), Examples: exs("decode(encode('abc', 'utf-8'), 'utf-8')", "abc", "decode(2, 1, 'one', 2, 'two', 'more')", "two")},
	)
}

func charset(c *kernel.Ctx, fn, name string) (text.Charset, error) {
	set := text.CharsetOf(name)
	if set == text.NoCharset {
		return set, sparkerr.New("INVALID_PARAMETER_VALUE.CHARSET", "functionName", types.Quote(fn), "parameter", "`charset`", "charset", name,
			"charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8")
	}
	return set, nil
}

func lenientCoding(c *kernel.Ctx) bool {
	return c.Conf != nil && c.Conf("spark.sql.legacy.codingErrorAction") == "true"
}

func encode(c *kernel.Ctx, dst []byte, s, name string) ([]byte, bool, error) {
	set, err := charset(c, "encode", name)
	if err != nil {
		return nil, false, err
	}
	dst, ok := text.AppendEncoded(dst, s, set, lenientCoding(c))
	if !ok {
		return nil, false, sparkerr.New("MALFORMED_CHARACTER_CODING", "function", "`encode`", "charset", name)
	}
	return dst, true, nil
}

func decode(c *kernel.Ctx, dst, b []byte, name string) ([]byte, bool, error) {
	set, err := charset(c, "decode", name)
	if err != nil {
		return nil, false, err
	}
	dst, ok := text.AppendDecoded(dst, b, set, lenientCoding(c))
	if !ok {
		return nil, false, sparkerr.New("MALFORMED_CHARACTER_CODING", "function", "`decode`", "charset", name)
	}
	return dst, true, nil
}

// bindDecode is the character set function with two arguments, a CASE with more.
func bindDecode(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, -1); err != nil {
		return nil, err
	}
	row, _ := Lookup("decode")
	if len(call.Args) == 2 {
		args, err := (&Row{Name: "decode", Sig: sig(to(types.String), tBin, tStr)}).coerce(env, call, call.Args)
		if err != nil {
			return nil, err
		}
		return row.call(env, call, types.String, true, args...), nil
	}
	var when []expr.Expr
	rest := call.Args[1:]
	for ; len(rest) >= 2; rest = rest[2:] {
		eq, err := bindCall(env, "<=>", call.Args[0], rest[0])
		if err != nil {
			return nil, err
		}
		when = append(when, eq, rest[1])
	}
	return bindCall(env, "when", append(when, rest...)...)
}

func hexRows() []*Row {
	return group("math_funcs",
		fn("hex", "1.5.0", "hex(expr): the number, bytes or text in hexadecimal digits.", sig(to(types.String), oneOf(tLong, tBin, tStr)), hexKernel,
			"hex(17)", "11", "hex('Fire')", "46697265").total(),
		fn("unhex", "1.5.0", "unhex(str): the bytes of hexadecimal digits; null for other characters.", sig(to(types.Binary), tStr).nullable(),
			t1(func(_ *kernel.Ctx, dst []byte, s string) ([]byte, bool, error) {
				dst, ok := text.AppendUnhex(dst, s)
				return dst, ok, nil
			}), "decode(unhex('46697265'), 'UTF-8')", "Fire").total(),
	)
}

func hexKernel(c *expr.Call) (kernel.Func, error) {
	if c.Args[0].Type().Kind == types.LongKind {
		return b1(text.AppendHexNumber)(c)
	}
	return b1(func(dst []byte, s string) []byte { return text.AppendHex(dst, s) })(c)
}
