package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// generate resolves LATERAL VIEW.
func (r *resolver) generate(p *logical.Generate) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	f, ok := p.Gen.(*expr.Func)
	if !ok {
		return rel{}, sparkerr.Internal("analyzer: generator %T", p.Gen)
	}
	c, row, err := r.generator(f, r.scopeOf(x))
	if err != nil {
		return rel{}, err
	}
	var qualifier []string
	if p.Alias != "" {
		qualifier = []string{p.Alias}
	}
	out, err := r.generatorColumns(row, c, p.Names, qualifier, f.At)
	if err != nil {
		return rel{}, err
	}
	q := &logical.Generate{Gen: c, Outer: p.Outer || isOuterGenerator(c), Alias: p.Alias, Names: columnNames(out), Out: out, Child: x.p}
	return rel{p: q, out: q.Output(), hint: x.hint}, nil
}

// generator binds a call that must be a generator.
func (r *resolver) generator(f *expr.Func, s *scope) (*expr.Call, *function.Row, error) {
	before := r.flags
	e, err := r.call(f, s)
	if err != nil {
		return nil, nil, err
	}
	r.flags = before
	if c, ok := unalias(e).(*expr.Call); ok {
		if row, ok := function.Lookup(c.Name); ok && row.Kind == function.Generator {
			return c, row, nil
		}
	}
	return nil, nil, fail(f.At, "UNSUPPORTED_GENERATOR.NOT_GENERATOR", "functionName", sqlID(f.Name...), "classCanonicalName", "org.apache.spark.sql.catalyst.expressions.Generator")
}

// tableFunction resolves a function in FROM: range, a generator, or a SQL function that returns a table.
func (r *resolver) tableFunction(p *logical.TableFunction) (rel, error) {
	name := p.Func.Name
	if len(name) == 1 && strings.EqualFold(name[0], "range") {
		return r.rangeFunction(p.Func)
	}
	s := &scope{}
	row, ok := builtin(p.Func)
	if !ok {
		return r.userTable(p, s)
	}
	if row.Kind != function.Generator && row.Kind != function.TableFunc {
		return rel{}, fail(p.Func.At, "NOT_A_TABLE_FUNCTION", "functionName", sqlID(name...))
	}
	f := *p.Func
	q, err := r.arguments(&f, s)
	if err != nil {
		return rel{}, err
	}
	e, err := r.bindIn(row, q, s)
	if err != nil {
		return rel{}, err
	}
	r.flags &^= hasGenerator
	c, ok := unalias(e).(*expr.Call)
	if !ok {
		return rel{}, fail(p.Func.At, "NOT_A_TABLE_FUNCTION", "functionName", sqlID(name...))
	}
	out, err := r.generatorColumns(row, c, nil, nil, p.Func.At)
	if err != nil {
		return rel{}, err
	}
	g := &logical.Generate{Gen: c, Outer: p.Outer || isOuterGenerator(c), Names: columnNames(out), Out: out, Child: &logical.OneRow{}}
	return rel{p: g, out: g.Output()}, nil
}

// rangeFunction is range([start,] end [, step [, partitions]]).
func (r *resolver) rangeFunction(f *expr.Func) (rel, error) {
	if n := len(f.Args); n < 1 || n > 4 {
		return rel{}, fail(f.At, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`range`", "expectedNum", "[1, 2, 3, 4]", "actualNum", itoa(n),
			"docroot", "https://spark.apache.org/docs/latest")
	}
	vals := make([]int64, len(f.Args))
	for i, a := range f.Args {
		if n, ok := a.(*expr.NamedArg); ok {
			a = n.Value
		}
		e, err := r.expr(a, &scope{strict: true})
		if err != nil {
			return rel{}, err
		}
		want := types.Long
		if i == 3 {
			want = types.Int
		}
		if e = unalias(e); !e.Type().IsNumeric() && e.Type().Kind != types.StringKind || !foldable(e) {
			return rel{}, fail(f.At, "UNEXPECTED_INPUT_TYPE", "functionName", "`range`", "paramIndex", ordinal(i+1), "requiredType", sqlType(want),
				"inputSql", r.sqlExpr(e), "inputType", sqlType(e.Type()))
		}
		v, err := r.fold(r.to(e, want))
		if err != nil {
			return rel{}, err
		}
		k, ok := toInt(v)
		if !ok {
			return rel{}, fail(f.At, "UNEXPECTED_INPUT_TYPE", "functionName", "`range`", "paramIndex", ordinal(i+1), "requiredType", sqlType(want),
				"inputSql", r.sqlExpr(e), "inputType", sqlType(e.Type()))
		}
		vals[i] = k
	}
	p := &logical.Range{Step: 1}
	switch len(vals) {
	case 1:
		p.End = vals[0]
	default:
		p.Start, p.End = vals[0], vals[1]
	}
	if len(vals) > 2 {
		p.Step = vals[2]
	}
	if len(vals) > 3 {
		p.Partitions = int(vals[3])
	}
	return r.rangeLeaf(p)
}

// lateralGenerator turns a lateral join with a table function into a Generate over the left side; nil if it is none.
func lateralGenerator(k logical.JoinKind, cond expr.Expr, left, right rel) logical.Plan {
	if cond != nil || k != logical.InnerJoin && k != logical.CrossJoin && k != logical.LeftJoin {
		return nil
	}
	p := right.p
	for {
		a, ok := p.(*logical.SubqueryAlias)
		if !ok {
			break
		}
		p = a.Child
	}
	g, ok := p.(*logical.Generate)
	if !ok {
		return nil
	}
	if _, ok := g.Child.(*logical.OneRow); !ok {
		return nil
	}
	gen := expr.Up(g.Gen, func(e expr.Expr) expr.Expr {
		if o, ok := e.(*expr.OuterRef); ok && contains(left.out, o.Col.ID) {
			return o.Col
		}
		return e
	})
	out := make([]*expr.Column, len(right.out))
	copy(out, right.out)
	return &logical.Generate{Gen: gen, Outer: g.Outer || k == logical.LeftJoin, Alias: g.Alias, Names: columnNames(out), Out: out, Child: left.p}
}
