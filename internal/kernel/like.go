package kernel

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/dlclark/regexp2"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// LikePattern is a compiled LIKE pattern.
type LikePattern struct {
	prefix, suffix []byte
	middle         [][]byte // parts that follow each other, with % around them
	exact          bool     // no %: the text is prefix
	tokens         []rune   // the general form, when _ occurs: runes, anyRune and anyRunes
	min            int
}

const (
	anyRune  = -1 // _
	anyRunes = -2 // %
)

// CompileLike reads a pattern with the given escape character.
func CompileLike(pattern string, escape rune) (*LikePattern, error) {
	var tokens []rune
	underscore := false
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		i += size
		switch {
		case r == escape:
			if i == len(pattern) {
				return nil, sparkerr.New("INVALID_FORMAT.ESC_AT_THE_END", "format", types.LiteralText(pattern, types.String, nil))
			}
			next, size := utf8.DecodeRuneInString(pattern[i:])
			if next != '_' && next != '%' && next != escape {
				return nil, sparkerr.New("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "format", types.LiteralText(pattern, types.String, nil),
					"char", types.LiteralText(string(next), types.String, nil))
			}
			tokens = append(tokens, next)
			i += size
		case r == '_':
			tokens, underscore = append(tokens, anyRune), true
		case r == '%':
			if k := len(tokens); k == 0 || tokens[k-1] != anyRunes {
				tokens = append(tokens, anyRunes)
			}
		default:
			tokens = append(tokens, r)
		}
	}
	if underscore {
		return &LikePattern{tokens: tokens}, nil
	}
	return splitLike(tokens), nil
}

// splitLike cuts a pattern without _ at its %.
func splitLike(tokens []rune) *LikePattern {
	var parts [][]byte
	part := []byte{}
	for _, t := range tokens {
		if t == anyRunes {
			parts = append(parts, part)
			part = []byte{}
			continue
		}
		part = utf8.AppendRune(part, t)
	}
	p := &LikePattern{}
	if parts == nil {
		p.exact, p.prefix, p.min = true, part, len(part)
		return p
	}
	p.prefix, p.suffix, p.middle = parts[0], part, parts[1:]
	p.min = len(p.prefix) + len(p.suffix)
	for _, m := range p.middle {
		p.min += len(m)
	}
	return p
}

// Match says whether the whole text fits the pattern.
func (p *LikePattern) Match(s []byte) bool {
	switch {
	case p.tokens != nil:
		return matchRunes(s, p.tokens)
	case p.exact:
		return bytes.Equal(s, p.prefix)
	case len(s) < p.min || !bytes.HasPrefix(s, p.prefix) || !bytes.HasSuffix(s, p.suffix):
		return false
	}
	s = s[len(p.prefix) : len(s)-len(p.suffix)]
	for _, m := range p.middle {
		i := bytes.Index(s, m)
		if i < 0 {
			return false
		}
		s = s[i+len(m):]
	}
	return true
}

// matchRunes goes back to the last % when a part does not fit.
func matchRunes(s []byte, tokens []rune) bool {
	i, t := 0, 0
	backTo, backFrom := -1, 0
	for i < len(s) {
		if t < len(tokens) && tokens[t] == anyRunes {
			t++
			backTo, backFrom = t, i
			continue
		}
		if t < len(tokens) {
			if r, size := utf8.DecodeRune(s[i:]); tokens[t] == anyRune || tokens[t] == r {
				i, t = i+size, t+1
				continue
			}
		}
		if backTo < 0 {
			return false
		}
		_, size := utf8.DecodeRune(s[backFrom:])
		backFrom += size
		i, t = backFrom, backTo
	}
	for t < len(tokens) && tokens[t] == anyRunes {
		t++
	}
	return t == len(tokens)
}

// Like gives the loop of text LIKE pattern [ESCAPE char]; fold ignores case (ILIKE). Args: text, pattern, and perhaps the escape.
func Like(fold bool) Func {
	var last string
	var compiled *LikePattern
	compile := func(pattern []byte, escape rune) error {
		if compiled != nil && last == string(pattern) {
			return nil
		}
		last = string(pattern)
		text := last
		if fold {
			text = strings.ToLower(text)
		}
		var err error
		compiled, err = CompileLike(text, escape)
		return err
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		escape := '\\'
		if len(args) > 2 {
			if r, size := utf8.DecodeRune(args[2].Text(0)); size > 0 {
				escape = r
			}
		}
		out := c.Scratch.Bytes(columnar.Bool8, n)
		v := columnar.Vector{N: n, Data: out}
		if args[1].Form == columnar.Const || n == 1 {
			if !rowCounts(c.Valid, 0) && n == 1 {
				out[0] = 0
				return v, nil
			}
			if err := compile(args[1].Text(0), escape); err != nil {
				return v, err
			}
			compiled.matchAll(c, &args[0], out, fold)
			return v, nil
		}
		for i := range out {
			out[i] = 0
			if !rowCounts(c.Valid, i) {
				continue
			}
			if err := compile(args[1].Text(i), escape); err != nil {
				return v, err
			}
			out[i] = b2b(compiled.Match(folded(args[0].Text(i), fold)))
		}
		return v, nil
	}
}

func folded(s []byte, fold bool) []byte {
	if fold {
		return bytes.ToLower(s)
	}
	return s
}

// matchAll runs one pattern over a column: prefixes of up to four bytes are compared within the views.
func (p *LikePattern) matchAll(c *Ctx, v *columnar.Vector, out []byte, fold bool) {
	views := columnar.Of[columnar.View](v.Data)
	mask := -1
	if v.Form == columnar.Const {
		mask = 0
	}
	contains := !fold && p.tokens == nil && !p.exact && len(p.prefix) == 0 && len(p.suffix) == 0 && len(p.middle) == 1
	for i := range out {
		w := &views[i&mask]
		out[i] = 0
		if !fold && int(w.Len) < p.min || !rowCounts(c.Valid, i) {
			continue
		}
		s := columnar.ViewBytes(w, v.Bufs)
		if contains {
			out[i] = b2b(bytes.Contains(s, p.middle[0]))
			continue
		}
		out[i] = b2b(p.Match(folded(s, fold)))
	}
}

// Affix tests texts (or bytes) for a constant or varying part: 'p' starts with, 's' ends with, 'c' contains.
func Affix(kind byte) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := &args[0], &args[1]
		a, b := columnar.Of[columnar.View](x.Data), columnar.Of[columnar.View](y.Data)
		ma, mb := -1, -1
		if x.Form == columnar.Const {
			ma = 0
		}
		if y.Form == columnar.Const {
			mb = 0
		}
		out := c.Scratch.Bytes(columnar.Bool8, n)
		for i := range out {
			v, w := &a[i&ma], &b[i&mb]
			out[i] = 0
			if v.Len < w.Len || !rowCounts(c.Valid, i) {
				continue
			}
			s, part := columnar.ViewBytes(v, x.Bufs), columnar.ViewBytes(w, y.Bufs)
			switch kind {
			case 'p':
				out[i] = b2b(bytes.Equal(s[:len(part)], part))
			case 's':
				out[i] = b2b(bytes.Equal(s[len(s)-len(part):], part))
			default:
				out[i] = b2b(bytes.Contains(s, part))
			}
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

// Regex is a compiled regular expression with Java's meaning: Go's engine where it has the syntax, else a backtracking one.
type Regex struct {
	fast *regexp.Regexp
	full *regexp2.Regexp
}

// CompileRegex compiles a pattern; ok is false when it is not valid.
func CompileRegex(pattern string) (*Regex, bool) {
	if fast, err := regexp.Compile(pattern); err == nil && !javaOnly(pattern) {
		return &Regex{fast: fast}, true
	}
	full, err := regexp2.Compile(pattern, regexp2.None)
	return &Regex{full: full}, err == nil
}

// javaOnly says whether Go reads the pattern differently: \h, \Z, possessive quantifiers, \p names and POSIX classes.
func javaOnly(pattern string) bool {
	return strings.Contains(pattern, `\Z`) || strings.Contains(pattern, `\h`) || strings.Contains(pattern, `\v`) || strings.Contains(pattern, "[[:") ||
		strings.Contains(pattern, "&&")
}

// Match says whether the pattern occurs in the text.
func (r *Regex) Match(s []byte) bool {
	if r.fast != nil {
		return r.fast.Match(s)
	}
	ok, err := r.full.MatchString(unsafe.String(unsafe.SliceData(s), len(s)))
	return ok && err == nil
}

// RLike gives the loop of text RLIKE pattern.
func RLike(name string) Func {
	var last string
	var compiled *Regex
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := c.Scratch.Bytes(columnar.Bool8, n)
		v := columnar.Vector{N: n, Data: out}
		for i := range out {
			out[i] = 0
			if !rowCounts(c.Valid, i) {
				continue
			}
			if p := args[1].Text(i); compiled == nil || last != string(p) {
				last = string(p)
				r, ok := CompileRegex(last)
				if !ok {
					return v, sparkerr.New("INVALID_PARAMETER_VALUE.PATTERN", "parameter", "`regexp`", "functionName", types.Quote(name),
						"value", types.LiteralText(last, types.String, nil))
				}
				compiled = r
			}
			out[i] = b2b(compiled.Match(args[0].Text(i)))
		}
		return v, nil
	}
}
