package function

import (
	"strconv"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/regex"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, regexpRows, regexpPredicates) }

var oneInt = tInt.defaultTo(int32(1))

func regexpRows() []*Row {
	strings := types.Array(types.String, true)
	return group("string_funcs",
		fn("regexp_replace", "1.5.0", "regexp_replace(str, regexp, rep[, position]): str with all matches replaced; $1 in rep is a group.",
			sig(to(types.String), tStr, tStr, tStr, oneInt).check(checkPosition), regexpReplace, "regexp_replace('100-200', '(\\\\d+)', 'num')", "num-num").
			named("str", "regexp", "rep", "position"),
		fn("regexp_extract", "1.5.0", "regexp_extract(str, regexp[, idx]): group idx of the first match; empty when there is none.",
			sig(to(types.String), tStr, tStr, oneInt), regexpExtract, "regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", "100").named("str", "regexp", "idx"),
		fn("regexp_extract_all", "3.1.0", "regexp_extract_all(str, regexp[, idx]): group idx of every match.", sig(to(strings), tStr, tStr, oneInt), regexpAll,
			"regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)", "[100, 300]").named("str", "regexp", "idx"),
		fn("regexp_instr", "3.4.0", "regexp_instr(str, regexp): the position of the first match, from 1; 0 when there is none.",
			sig(to(types.Int), tStr, tStr, tInt.defaultTo(int32(0))), regexpInstr, "regexp_instr('user@firesteel.dev', '@[^.]*')", "5"),
		sugar("regexp_count", "3.4.0", "regexp_count(str, regexp): the number of matches.", args(tStr, tStr), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			all, err := bindCall(env, "regexp_extract_all", a[0], a[1], expr.NewLiteral(int32(0), types.Int))
			if err != nil {
				return nil, err
			}
			return bindCall(env, "size", all)
		}, "regexp_count('a1b22', '\\\\d+')", "2"),
		sugar("regexp_substr", "3.4.0", "regexp_substr(str, regexp): the first match, or null.", args(tStr, tStr), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
			first, err := bindCall(env, "regexp_extract", a[0], a[1], expr.NewLiteral(int32(0), types.Int))
			if err != nil {
				return nil, err
			}
			return bindCall(env, "nullif", first, expr.NewLiteral("", types.String))
		}, "regexp_substr('a1b22', '\\\\d+')", "1"),
		fn("split", "1.5.0", "split(str, regexp[, limit]): the parts of str between matches, at most limit of them when it is positive.",
			sig(to(types.Array(types.String, false)), tStr, tStr, tInt.defaultTo(int32(-1))), splitKernel, "split('oneAtwoBthree', '[AB]')", "[one, two, three]").
			named("str", "regex", "limit"),
	)
}

func regexpPredicates() []*Row {
	return group("predicate_funcs",
		fn("rlike", "1.0.0", "str RLIKE regexp: whether the pattern is found in str.", sig(to(types.Boolean), tStr, tStr), rlike,
			"'firesteel' rlike '^fire.*l$'", "true").alias("regexp", "regexp_like").own(),
	)
}

func checkPosition(a []expr.Expr) error {
	l, ok := a[3].(*expr.Literal)
	if !ok {
		return nil
	}
	if v, ok := l.Value.(int32); ok && v <= 0 {
		return sparkerr.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", quoted(expr.NewCall("regexp_replace", types.String, a...).SQL()),
			"exprName", "position", "valueRange", "(0, "+strconv.Itoa(1<<31-1)+"]", "currentValue", strconv.Itoa(int(v)))
	}
	return nil
}

// patterns compiles the pattern of a call, again only when it changes.
type patterns struct {
	fn   string
	src  string
	last *regex.Regex
	by   string
	rep  *regex.Replacement
}

func (p *patterns) of(src string) (*regex.Regex, error) {
	if p.last != nil && p.src == src {
		return p.last, nil
	}
	src = string([]byte(src))
	r, err := regex.Compile(src)
	if err != nil {
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.PATTERN", "parameter", "`regexp`", "functionName", types.Quote(p.fn), "value", "'"+src+"'")
	}
	p.src, p.last, p.rep = src, r, nil
	return r, nil
}

func (p *patterns) replacement(r *regex.Regex, s, by string, pos int32) (*regex.Replacement, error) {
	if p.rep != nil && p.by == by {
		return p.rep, nil
	}
	by = string([]byte(by))
	rep, bad := r.Replacement(by)
	if bad != "" {
		return nil, sparkerr.New("INVALID_REGEXP_REPLACE", "source", s, "pattern", p.src, "replacement", by, "position", strconv.Itoa(int(pos)))
	}
	p.by, p.rep = by, rep
	return rep, nil
}

func (p *patterns) group(r *regex.Regex, idx int32) error {
	if idx >= 0 && int(idx) <= r.Groups() {
		return nil
	}
	return sparkerr.New("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "parameter", "`idx`", "functionName", types.Quote(p.fn), "groupCount", strconv.Itoa(r.Groups()),
		"groupIndex", strconv.Itoa(int(idx)))
}

func rlike(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: c.Name}
	return kernel.Each2(c.T, func(_ *kernel.Ctx, s, pattern string) (bool, bool, error) {
		r, err := p.of(pattern)
		if err != nil {
			return false, false, err
		}
		return r.Match(s), true, nil
	}), nil
}

func regexpReplace(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: "regexp_replace"}
	return kernel.Text4(func(_ *kernel.Ctx, dst []byte, s, pattern, by string, pos int32) ([]byte, bool, error) {
		r, err := p.of(pattern)
		if err != nil {
			return nil, false, err
		}
		from := len(s)
		if pos > 0 && int(pos)-1 < len(s) {
			from = text.Offset(s, int(pos)-1)
		}
		if from >= len(s) && s != "" {
			return append(dst, s...), true, nil
		}
		rep, err := p.replacement(r, s, by, pos)
		if err != nil {
			return nil, false, err
		}
		return r.AppendReplace(append(dst, s[:from]...), s[from:], rep), true, nil
	}), nil
}

func regexpExtract(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: "regexp_extract"}
	return kernel.Text3(func(_ *kernel.Ctx, dst []byte, s, pattern string, idx int32) ([]byte, bool, error) {
		r, err := p.of(pattern)
		if err != nil {
			return nil, false, err
		}
		if m := r.Find(s); m != nil {
			if err := p.group(r, idx); err != nil {
				return nil, false, err
			}
			if m[2*idx] >= 0 {
				dst = append(dst, s[m[2*idx]:m[2*idx+1]]...)
			}
		} else if err := p.group(r, idx); err != nil {
			return nil, false, err
		}
		return dst, true, nil
	}), nil
}

func regexpInstr(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: "regexp_instr"}
	return kernel.Each3(c.T, func(_ *kernel.Ctx, s, pattern string, _ int32) (int32, bool, error) {
		r, err := p.of(pattern)
		if err != nil {
			return 0, false, err
		}
		m := r.Find(s)
		if m == nil {
			return 0, true, nil
		}
		return int32(text.Len(s[:m[0]])) + 1, true, nil
	}), nil
}

func regexpAll(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: "regexp_extract_all"}
	var parts []string
	return kernel.TextLists3(func(s, pattern string, idx int32) ([]string, error) {
		r, err := p.of(pattern)
		if err != nil {
			return nil, err
		}
		if err := p.group(r, idx); err != nil {
			return nil, err
		}
		parts = parts[:0]
		for _, m := range r.All(s, -1) {
			piece := ""
			if m[2*idx] >= 0 {
				piece = s[m[2*idx]:m[2*idx+1]]
			}
			parts = append(parts, piece)
		}
		return parts, nil
	}), nil
}

func splitKernel(c *expr.Call) (kernel.Func, error) {
	p := patterns{fn: "split"}
	var parts []string
	return kernel.TextLists3(func(s, pattern string, limit int32) ([]string, error) {
		parts = parts[:0]
		if pattern == "" && s != "" {
			for s != "" && (limit <= 0 || len(parts) < int(limit)-1) {
				k := text.Offset(s, 1)
				parts, s = append(parts, s[:k]), s[k:]
			}
			if s != "" {
				parts = append(parts, s)
			}
			return parts, nil
		}
		r, err := p.of(pattern)
		if err != nil {
			return nil, err
		}
		parts = r.Split(parts, s, int(limit))
		return parts, nil
	}), nil
}
