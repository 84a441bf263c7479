package analyzer

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// limit resolves LIMIT, OFFSET and tail.
func (r *resolver) limit(p logical.Plan) (rel, error) {
	x, err := r.closed(p.Children()[0])
	if err != nil {
		return rel{}, err
	}
	name, n := "limit", p.Exprs()[0]
	switch p.(type) {
	case *logical.Offset:
		name = "offset"
	case *logical.Tail:
		name = "tail"
	}
	e, err := r.limitExpr(name, n, r.scopeOf(x))
	if err != nil {
		return rel{}, err
	}
	q := p.WithChildren([]logical.Plan{x.p}).WithExprs([]expr.Expr{e})
	return rel{p: q, out: x.out, hint: x.hint}, nil
}

// limitExpr makes the number of rows a literal INT.
func (r *resolver) limitExpr(name string, n expr.Expr, s *scope) (expr.Expr, error) {
	e, err := r.expr(n, s)
	if err != nil {
		return nil, err
	}
	e = unalias(e)
	bad := func(kind string, kv ...string) error {
		kv = append([]string{"name", name, "expr", r.sqlExpr(e)}, kv...)
		return fail(originOf(n), "INVALID_LIMIT_LIKE_EXPRESSION."+kind, kv...)
	}
	if !foldable(e) {
		return nil, bad("IS_UNFOLDABLE")
	}
	if e.Type().Kind != types.IntKind && !(e.Type().IsIntegral() && e.Type().Kind < types.IntKind) {
		return nil, bad("DATA_TYPE", "dataType", sqlType(e.Type()))
	}
	v, err := r.fold(e)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, bad("IS_NULL")
	}
	k, ok := toInt(v)
	if !ok {
		return nil, bad("DATA_TYPE", "dataType", sqlType(e.Type()))
	}
	if k < 0 {
		return nil, bad("IS_NEGATIVE", "v", fmt.Sprint(k))
	}
	return &expr.Literal{Value: int32(k), T: types.Int, At: originOf(n)}, nil
}

// toInt is an integer value of any width.
func toInt(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

func (r *resolver) distinct(p *logical.Distinct) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	if err := r.comparable(x.out, originOfPlan(p.Child)); err != nil {
		return rel{}, err
	}
	return rel{p: &logical.Distinct{Child: x.p}, out: x.out, hint: x.hint}, nil
}

// comparable: rows with maps or variants cannot be compared.
func (r *resolver) comparable(cols []*expr.Column, at *expr.Origin) error {
	for _, c := range cols {
		switch {
		case c.T.HasMap():
			return fail(at, "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "colName", sqlID(c.Name), "dataType", sqlType(c.T))
		case hasVariant(c.T):
			return fail(at, "UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE", "colName", sqlID(c.Name), "dataType", sqlType(c.T))
		}
	}
	return nil
}

func hasVariant(t types.Type) bool {
	switch t.Kind {
	case types.VariantKind:
		return true
	case types.ArrayKind:
		return hasVariant(t.Elem())
	case types.StructKind:
		for _, f := range t.Fields() {
			if hasVariant(f.Type) {
				return true
			}
		}
	}
	return false
}

func (r *resolver) deduplicate(p *logical.Deduplicate) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	q := *p
	q.Child = x.p
	s := r.scopeOf(x)
	if p.AllColumns {
		q.AllColumns, q.Keys = false, columnExprs(x.out)
		return rel{p: &q, out: x.out}, nil
	}
	q.Keys = nil
	for _, k := range p.Keys {
		// every column of the name counts
		if a, ok := k.(*expr.Attribute); ok && a.PlanID == 0 {
			name := joinName(a.Name)
			found := false
			for _, c := range x.out {
				if r.same(c.Name, name) {
					q.Keys, found = append(q.Keys, c), true
				}
			}
			if found {
				continue
			}
		}
		e, err := r.expr(k, s)
		if err != nil {
			return rel{}, err
		}
		q.Keys = append(q.Keys, unalias(e))
	}
	return rel{p: &q, out: x.out}, nil
}

func joinName(parts []string) string {
	s := parts[0]
	for _, p := range parts[1:] {
		s += "." + p
	}
	return s
}

func (r *resolver) sample(p *logical.Sample) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	q := *p
	q.Child = x.p
	if p.Rows != nil {
		n, err := r.limitExpr("limit", p.Rows, r.scopeOf(x))
		if err != nil {
			return rel{}, err
		}
		return rel{p: &logical.Limit{N: n, Child: x.p}, out: x.out, hint: x.hint}, nil
	}
	if !q.HasSeed && r.ctx.Session != nil {
		q.Seed = r.ctx.Session.Seed
	}
	return rel{p: &q, out: x.out, hint: x.hint}, nil
}

func (r *resolver) repartition(p *logical.Repartition) (rel, error) {
	if p.N < 0 {
		return rel{}, notPositive(p.N)
	}
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	q := *p
	s := r.scopeOf(x)
	y, err := r.pulling(x, s, func() ([]expr.Expr, error) {
		q.By = make([]expr.Expr, 0, len(p.By))
		for _, e := range p.By {
			v, err := r.expr(e, s)
			if err != nil {
				return nil, err
			}
			q.By = append(q.By, unalias(v))
		}
		return q.By, nil
	})
	if err != nil {
		return rel{}, err
	}
	q.Child = y.p
	return rel{p: finishPulled(&q, x, y), out: x.out, hint: x.hint}, nil
}

// notPositive is Spark's refusal of a number of partitions.
func notPositive(n int) error {
	return sparkerr.IllegalArgument(fmt.Sprintf("requirement failed: Number of partitions (%d) must be positive.", n))
}

// withWindows brings the names of a WINDOW clause into scope.
func (r *resolver) withWindows(p *logical.WithWindows) (rel, error) {
	old := r.windows
	r.windows = p.Defs
	x, err := r.plan(p.Child)
	r.windows = old
	return x, err
}

// alias qualifies a relation's columns with a name, and renames them.
func (r *resolver) alias(p *logical.SubqueryAlias) (rel, error) {
	hinted := r.hintFor(p.Name)
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	if hinted != "" {
		x.hint = hinted
	}
	return r.aliased(x, p.Name, p.Columns)
}

func (r *resolver) aliased(x rel, name, columns []string) (rel, error) {
	if len(columns) > 0 && len(columns) != len(x.out) {
		return rel{}, fail(nil, "ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(columns)), "numTarget", itoa(len(x.out)))
	}
	qualifier := name
	if len(name) == 1 && name[0] == "__auto_generated_subquery_name" {
		qualifier = nil
	}
	out := make([]*expr.Column, len(x.out))
	for i, c := range x.out {
		q := *c
		q.Qualifier = qualifier
		if i < len(columns) {
			q.Name = columns[i]
		}
		out[i] = &q
	}
	return rel{p: &logical.SubqueryAlias{Name: name, Columns: columns, Child: x.p}, out: out, hint: x.hint}, nil
}
