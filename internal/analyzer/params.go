package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

func lower(s string) string { return strings.ToLower(s) }

// params are the values of parameter markers.
type params struct {
	named map[string]expr.Expr
	list  []expr.Expr
}

func (r *resolver) withParams(p *logical.WithParams) (rel, error) {
	old := r.params
	q := &params{named: make(map[string]expr.Expr, len(p.Named))}
	s := &scope{strict: true}
	for k, e := range p.Named {
		v, err := r.paramValue(k, e, s)
		if err != nil {
			return rel{}, err
		}
		q.named[k] = v
	}
	for i, e := range p.Positional {
		v, err := r.paramValue("_"+itoa(i+1), e, s)
		if err != nil {
			return rel{}, err
		}
		q.list = append(q.list, v)
	}
	r.params = q
	x, err := r.plan(p.Child)
	if err == nil {
		x, err = r.close(x)
	}
	r.params = old
	return x, err
}

// paramValue resolves an argument: a constant, or a call of a function that makes a collection of constants.
func (r *resolver) paramValue(name string, e expr.Expr, s *scope) (expr.Expr, error) {
	v, err := r.expr(e, s)
	if err != nil {
		return nil, err
	}
	v = unalias(v)
	if !foldable(v) {
		return nil, fail(originOf(e), "INVALID_SQL_ARG", "name", name)
	}
	return v, nil
}

// param replaces a marker by its value.
func (r *resolver) param(x *expr.Param) (expr.Expr, error) {
	if r.params != nil {
		switch {
		case x.Name != "":
			if v, ok := r.params.named[x.Name]; ok {
				return v, nil
			}
			for k, v := range r.params.named {
				if strings.EqualFold(k, x.Name) {
					return v, nil
				}
			}
		case x.Index < len(r.params.list):
			return r.params.list[x.Index], nil
		}
	}
	name := x.Name
	if name == "" {
		name = "_" + itoa(x.Index)
		if x.At != nil {
			name = "_" + itoa(x.At.Start)
		}
	}
	return nil, fail(x.At, "UNBOUND_SQL_PARAMETER", "name", name)
}

// nameOf evaluates the text of IDENTIFIER(…) and splits it into the parts of a name.
func (r *resolver) nameOf(e expr.Expr) ([]string, error) {
	if id, ok := e.(*expr.Identifier); ok && id.Call == nil {
		e = id.Child
	}
	v, err := r.expr(e, &scope{strict: true})
	if err != nil {
		return nil, err
	}
	v = unalias(v)
	switch {
	case !foldable(v):
		return nil, fail(originOf(e), "NOT_A_CONSTANT_STRING.NOT_CONSTANT", "name", "IDENTIFIER", "expr", r.sqlExpr(v))
	case v.Type().Kind != types.StringKind:
		return nil, fail(originOf(e), "NOT_A_CONSTANT_STRING.WRONG_TYPE", "name", "IDENTIFIER", "expr", r.sqlExpr(v), "dataType", sqlType(v.Type()))
	}
	text, err := r.fold(v)
	if err != nil {
		return nil, err
	}
	s, ok := text.(string)
	if !ok {
		return nil, fail(originOf(e), "NOT_A_CONSTANT_STRING.NULL", "name", "IDENTIFIER", "expr", r.sqlExpr(v))
	}
	return splitName(s, originOf(e))
}

// splitName takes a dotted name apart; parts may be in back-ticks.
func splitName(s string, at *expr.Origin) ([]string, error) {
	var parts []string
	for {
		s = strings.TrimSpace(s)
		if s == "" {
			return nil, fail(at, "PARSE_SYNTAX_ERROR", "error", "end of input", "hint", "")
		}
		if s[0] == '`' {
			var b strings.Builder
			i := 1
			for ; i < len(s); i++ {
				if s[i] == '`' {
					if i+1 < len(s) && s[i+1] == '`' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(s[i])
			}
			parts = append(parts, b.String())
			s = strings.TrimSpace(s[min(i+1, len(s)):])
		} else {
			i := strings.IndexByte(s, '.')
			if i < 0 {
				i = len(s)
			}
			parts = append(parts, strings.TrimSpace(s[:i]))
			s = s[i:]
		}
		if s == "" {
			return parts, nil
		}
		if s[0] != '.' {
			return nil, fail(at, "PARSE_SYNTAX_ERROR", "error", "'"+s[:1]+"'", "hint", "")
		}
		s = s[1:]
	}
}

// identifier resolves IDENTIFIER(…) as a column or, with arguments, as a function.
func (r *resolver) identifier(x *expr.Identifier, s *scope) (expr.Expr, error) {
	name, err := r.nameOf(x.Child)
	if err != nil {
		return nil, err
	}
	if x.Call == nil {
		return r.attribute(&expr.Attribute{Name: name, At: x.At}, s)
	}
	f := *x.Call
	f.Name = name
	if f.At == nil {
		f.At = x.At
	}
	return r.call(&f, s)
}

// Name evaluates the text of IDENTIFIER(…) outside of a query and splits it into the parts of a name.
func Name(ctx *Context, e expr.Expr) ([]string, error) {
	if a, ok := e.(*expr.Attribute); ok {
		return a.Name, nil
	}
	return newResolver(ctx).nameOf(e)
}

// Constant resolves an expression without columns, casts it to a type (void leaves it as it is) and evaluates it.
func Constant(ctx *Context, e expr.Expr, t types.Type) (any, types.Type, error) {
	r := newResolver(ctx)
	v, err := r.expr(e, &scope{strict: true})
	if err != nil {
		return nil, t, err
	}
	v = unalias(v)
	if t.Kind != types.NullKind {
		v = r.to(v, t)
	}
	out, err := r.fold(v)
	return out, v.Type(), err
}

// Expression resolves an expression without columns.
func Expression(ctx *Context, e expr.Expr) (expr.Expr, error) {
	v, err := newResolver(ctx).expr(e, &scope{strict: true})
	if err != nil {
		return nil, err
	}
	return unalias(v), nil
}
