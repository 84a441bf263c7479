package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// funcArgs are the parameters of the SQL function whose body is being resolved.
type funcArgs struct {
	name   string
	names  []string
	values []expr.Expr
}

// argument resolves a name to a parameter of the SQL function around, qualified by the function's name or not.
func (r *resolver) argument(a *expr.Attribute) (expr.Expr, error) {
	if r.args == nil {
		return nil, nil
	}
	name := a.Name
	if len(name) > 1 && r.same(name[0], r.args.name) {
		name = name[1:]
	}
	for i, n := range r.args.names {
		if !r.same(n, name[0]) {
			continue
		}
		e := r.args.values[i]
		for _, f := range name[1:] {
			var err error
			if e, err = r.extract(e, expr.NewLiteral(f, types.String), a.At); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
	return nil, nil
}

// userCall resolves a call of a user-defined function: a SQL body is put in place of the call.
func (r *resolver) userCall(fn *catalog.Function, f *expr.Func, s *scope) (expr.Expr, error) {
	if fn.Impl != nil {
		if r.ctx.UserFunction == nil {
			return nil, sparkerr.Unsupported("user-defined function " + strings.Join(fn.Name, "."))
		}
		e, err := r.ctx.UserFunction(fn, f)
		if err != nil {
			return nil, located(err, f.At)
		}
		switch x := e.(type) {
		case *expr.Agg:
			r.flags |= hasAgg
		case *expr.Call:
			if row, ok := function.Lookup(x.Name); ok && row.Kind == function.Generator {
				r.flags |= hasGenerator
			}
		}
		return e, nil
	}
	if fn.Table != nil {
		return nil, fail(f.At, "NOT_A_SCALAR_FUNCTION", "functionName", sqlID(fn.Name...))
	}
	if fn.Body == "" {
		return nil, fail(f.At, "CANNOT_LOAD_FUNCTION_CLASS", "className", fn.Class, "functionName", sqlID(fn.Name...))
	}
	values, err := r.bindParams(fn, f)
	if err != nil {
		return nil, err
	}
	e, err := r.sqlBody(fn, values, s, f.At)
	if err != nil {
		return nil, err
	}
	out := expr.Expr(&expr.Cast{Child: e, To: plainString(fn.Returns), Mode: r.castMode(), Implicit: true})
	if e.Type().SameType(fn.Returns) {
		// a copy, so that it can be printed by the function's name
		out = &expr.Cast{Child: e, To: e.Type(), Mode: r.castMode(), Implicit: true}
	}
	if r.printed == nil {
		r.printed = map[expr.Expr]printed{}
	}
	r.printed[out] = printed{strings.Join(fn.Name, "."), f.Args}
	return out, nil
}

// bindParams brings the arguments into the order of the parameters, with defaults for what is missing, cast to their types.
func (r *resolver) bindParams(fn *catalog.Function, f *expr.Func) ([]expr.Expr, error) {
	values := make([]expr.Expr, len(fn.Params))
	name := sqlID(fn.Name...)
	if len(f.Args) > len(fn.Params) {
		return nil, r.wrongCount(fn, f)
	}
	for i, a := range f.Args {
		n, ok := a.(*expr.NamedArg)
		if !ok {
			values[i] = unalias(a)
			continue
		}
		at := -1
		for k, p := range fn.Params {
			if r.same(p.Name, n.Name) {
				at = k
			}
		}
		if at < 0 {
			return nil, fail(f.At, "UNRECOGNIZED_PARAMETER_NAME", "routineName", name, "argumentName", sqlID(n.Name), "proposal", paramNames(fn))
		}
		if values[at] != nil {
			return nil, fail(f.At, "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "routineName", name, "parameterName", sqlID(n.Name))
		}
		values[at] = unalias(n.Value)
	}
	for i, p := range fn.Params {
		if values[i] == nil {
			if p.Default == "" || r.ctx.Expr == nil {
				return nil, r.wrongCount(fn, f)
			}
			d, err := r.ctx.Expr(p.Default)
			if err != nil {
				return nil, err
			}
			if values[i], err = r.expr(d, &scope{strict: true}); err != nil {
				return nil, err
			}
		}
		values[i] = r.to(values[i], plainString(p.Type))
	}
	return values, nil
}

func paramNames(fn *catalog.Function) string {
	names := make([]string, len(fn.Params))
	for i, p := range fn.Params {
		names[i] = sqlID(p.Name)
	}
	return strings.Join(names, " ")
}

func (r *resolver) wrongCount(fn *catalog.Function, f *expr.Func) error {
	need := 0
	for _, p := range fn.Params {
		if p.Default == "" {
			need++
		}
	}
	want := itoa(need)
	if need < len(fn.Params) {
		want = "[" + itoa(need) + ", " + itoa(len(fn.Params)) + "]"
	}
	return fail(f.At, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", sqlID(fn.Name...), "expectedNum", want, "actualNum", itoa(len(f.Args)),
		"docroot", "https://spark.apache.org/docs/latest")
}

// sqlBody resolves the body of a scalar SQL function with its parameters bound. A body that is a query becomes a subquery.
func (r *resolver) sqlBody(fn *catalog.Function, values []expr.Expr, s *scope, at *expr.Origin) (expr.Expr, error) {
	if r.depth >= maxViewDepth {
		return nil, fail(at, "RECURSION_LEVEL_LIMIT_EXCEEDED", "levelLimit", itoa(maxViewDepth))
	}
	old := *r
	r.args = &funcArgs{name: fn.Name[len(fn.Name)-1], names: make([]string, len(fn.Params)), values: values}
	for i, p := range fn.Params {
		r.args.names[i] = p.Name
	}
	r.path, r.lambda, r.ctes, r.params, r.views, r.windows = fn.Path, nil, nil, nil, nil, nil
	r.depth++
	defer func() {
		flags := r.flags
		*r = old
		r.flags = flags
	}()
	if fn.Query {
		if r.ctx.Query == nil {
			return nil, sparkerr.Internal("analyzer: no parser for functions")
		}
		q, err := r.ctx.Query(fn.Body)
		if err != nil {
			return nil, err
		}
		return r.queryBody(q, values, s, at)
	}
	if r.ctx.Expr == nil {
		return nil, sparkerr.Internal("analyzer: no parser for functions")
	}
	e, err := r.ctx.Expr(fn.Body)
	if err != nil {
		return nil, err
	}
	v, err := r.expr(e, &scope{strict: true})
	if err != nil {
		return nil, err
	}
	return unalias(v), nil
}

// queryBody resolves a body that is a query. Arguments with columns become outer references of the subquery.
func (r *resolver) queryBody(q logical.Plan, values []expr.Expr, s *scope, at *expr.Origin) (expr.Expr, error) {
	f := &frame{scope: s, parent: r.frame}
	for i, v := range values {
		r.args.values[i] = expr.Up(v, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Column)
			if !ok {
				return x
			}
			if !contains(f.used, c.ID) {
				f.used = append(f.used, c)
			}
			return &expr.OuterRef{Col: c}
		})
	}
	r.frame, r.frames = &frame{scope: &scope{}, parent: nil}, nil
	x, err := r.query(q)
	if err != nil {
		return nil, err
	}
	if len(x.out) != 1 {
		return nil, fail(at, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(x.out)))
	}
	r.flags |= hasSubquery
	r.subqueries++
	return &expr.Subquery{Kind: expr.ScalarSubquery, Plan: x.p, Outer: outerRefs(f.used, s), ID: expr.NextID(), T: x.out[0].T, Null: true, At: at}, nil
}

// userTable resolves a call of a SQL function that returns a table.
func (r *resolver) userTable(p *logical.TableFunction, s *scope) (rel, error) {
	var fn *catalog.Function
	var err error
	if r.ctx.Catalog != nil {
		if fn, err = r.ctx.Catalog.Function(p.Func.Name, r.path); err != nil {
			return rel{}, located(err, p.Func.At)
		}
	}
	switch {
	case fn == nil:
		return rel{}, fail(p.Func.At, "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "name", sqlID(p.Func.Name...))
	case fn.Impl != nil:
		return rel{}, sparkerr.Unsupported("user-defined table function " + strings.Join(fn.Name, "."))
	case fn.Table == nil:
		return rel{}, fail(p.Func.At, "NOT_A_TABLE_FUNCTION", "functionName", sqlID(fn.Name...))
	case r.ctx.Query == nil:
		return rel{}, sparkerr.Internal("analyzer: no parser for functions")
	}
	f, err := r.arguments(p.Func, s)
	if err != nil {
		return rel{}, err
	}
	values, err := r.bindParams(fn, f)
	if err != nil {
		return rel{}, err
	}
	q, err := r.ctx.Query(fn.Body)
	if err != nil {
		return rel{}, err
	}
	old := *r
	r.args = &funcArgs{name: fn.Name[len(fn.Name)-1], values: values}
	for _, prm := range fn.Params {
		r.args.names = append(r.args.names, prm.Name)
	}
	r.path, r.lambda, r.ctes, r.params, r.views, r.windows, r.frames = fn.Path, nil, nil, nil, nil, nil, nil
	r.depth++
	x, err := r.query(q)
	*r = old
	if err != nil {
		return rel{}, err
	}
	if x, err = r.viewColumns(x, fn.Table, nil, fn.Name, p.Func.At, r.implicitly); err != nil {
		return rel{}, err
	}
	return r.aliased(x, fn.Name[len(fn.Name)-1:], nil)
}

// FunctionBody resolves the body of a scalar SQL function that is being created and gives its type.
func FunctionBody(ctx *Context, body expr.Expr, query logical.Plan, f *catalog.Function) (types.Type, error) {
	r := newResolver(ctx)
	r.declare(f)
	if query == nil {
		e, err := r.expr(body, &scope{strict: true})
		if err != nil {
			return types.Null, err
		}
		if r.flags&(hasAgg|hasWindow|hasGenerator) != 0 {
			return types.Null, fail(nil, "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS", "queryText", f.Body)
		}
		return e.Type(), nil
	}
	x, err := r.query(query)
	if err != nil {
		return types.Null, err
	}
	if len(x.out) != 1 {
		return types.Null, fail(nil, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(x.out)))
	}
	return x.out[0].T, nil
}

// FunctionQuery resolves the query of a SQL table function that is being created and gives its columns.
func FunctionQuery(ctx *Context, query logical.Plan, f *catalog.Function) ([]*expr.Column, error) {
	r := newResolver(ctx)
	r.declare(f)
	x, err := r.query(query)
	if err != nil {
		return nil, err
	}
	if f.Table != nil && len(f.Table.Fields) != len(x.out) {
		return nil, fail(nil, "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH", "outputSize", itoa(len(x.out)), "returnParamSize", itoa(len(f.Table.Fields)), "name", f.Body)
	}
	return x.out, nil
}

// declare binds a function's parameters to nulls of their types.
func (r *resolver) declare(f *catalog.Function) {
	r.args = &funcArgs{}
	if len(f.Name) > 0 {
		r.args.name = f.Name[len(f.Name)-1]
	}
	for _, p := range f.Params {
		r.args.names = append(r.args.names, p.Name)
		r.args.values = append(r.args.values, &expr.Cast{Child: &expr.Literal{T: types.Null}, To: plainString(p.Type), Mode: r.castMode(), Implicit: true})
	}
}
