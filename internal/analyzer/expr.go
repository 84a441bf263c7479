package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// expr resolves an expression against a scope.
func (r *resolver) expr(e expr.Expr, s *scope) (expr.Expr, error) {
	switch x := e.(type) {
	case *expr.Attribute:
		return r.attribute(x, s)
	case *expr.Literal:
		return x, nil
	case *expr.Func:
		return r.call(x, s)
	case *expr.Alias:
		return r.aliasExpr(x, s)
	case *expr.Cast:
		return r.cast(x, s)
	case *expr.Subquery:
		return r.subquery(x, s)
	case *expr.Window:
		return r.window(x, s)
	case *expr.Extract:
		return r.extractExpr(x, s)
	case *expr.SortOrder:
		c, err := r.expr(x.Child, s)
		if err != nil {
			return nil, err
		}
		return x.WithChildren([]expr.Expr{c}), nil
	}
	return r.rareExpr(e, s)
}

func (r *resolver) rareExpr(e expr.Expr, s *scope) (expr.Expr, error) {
	switch x := e.(type) {
	case *expr.LambdaVar:
		return r.attribute(&expr.Attribute{Name: []string{x.Name}}, s)
	case *expr.UpdateFields:
		return r.updateFields(x, s)
	case *expr.Param:
		return r.param(x)
	case *expr.Identifier:
		return r.identifier(x, s)
	case *expr.Star:
		return nil, starUsage(x.At, "*")
	case *expr.Regex:
		return nil, starUsage(nil, "regular expression "+x.Pattern)
	case *expr.NamedArg:
		return nil, fail(nil, "NAMED_PARAMETERS_NOT_SUPPORTED", "functionName", "expression")
	case *expr.MultiAlias:
		return r.expr(x.Child, s)
	case *expr.Default:
		return nil, fail(nil, "DEFAULT_PLACEMENT_INVALID")
	case *expr.Lambda:
		return nil, fail(nil, "UNRESOLVED_ROUTINE", "routineName", "lambda", "searchPath", "")
	case *expr.GroupingSets:
		return nil, fail(originOf(x), "UNSUPPORTED_GROUPING_EXPRESSION")
	case *expr.Column, *expr.Call, *expr.Agg, *expr.OuterRef:
		return r.resolved(e)
	}
	return r.extraExpr(e, s)
}

// resolved takes an expression that a front end made resolved, and notes what is in it.
func (r *resolver) resolved(e expr.Expr) (expr.Expr, error) {
	expr.Walk(e, func(x expr.Expr) bool {
		switch x.(type) {
		case *expr.Agg:
			r.flags |= hasAgg
		case *expr.Window:
			r.flags |= hasWindow
			return false
		}
		return true
	})
	return e, nil
}

func starUsage(at *expr.Origin, elem string) error {
	if elem == "*" {
		elem = "'*'"
	}
	return fail(at, "INVALID_USAGE_OF_STAR_OR_REGEX", "elem", elem, "prettyName", "expression")
}

func (r *resolver) exprs(in []expr.Expr, s *scope) ([]expr.Expr, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]expr.Expr, len(in))
	for i, e := range in {
		x, err := r.expr(e, s)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func (r *resolver) orders(in []expr.SortOrder, s *scope) ([]expr.SortOrder, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]expr.SortOrder, len(in))
	for i, o := range in {
		x, err := r.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		out[i] = expr.SortOrder{Child: x, Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	return out, nil
}

func (r *resolver) aliasExpr(x *expr.Alias, s *scope) (expr.Expr, error) {
	c, err := r.expr(x.Child, s)
	if err != nil {
		return nil, err
	}
	q := *x
	q.Child, q.ID = c, expr.NextID()
	if q.Metadata == "" {
		q.Metadata = metadataOf(c)
	}
	return &q, nil
}

// metadataOf is the metadata that a column keeps when it is renamed.
func metadataOf(e expr.Expr) string {
	switch x := e.(type) {
	case *expr.Column:
		return x.Metadata
	case *expr.Alias:
		return x.Metadata
	}
	return ""
}

func (r *resolver) cast(x *expr.Cast, s *scope) (expr.Expr, error) {
	c, err := r.expr(x.Child, s)
	if err != nil {
		return nil, err
	}
	q := *x
	q.Child, q.To = unalias(c), plainString(x.To)
	if q.Mode == expr.CastDefault {
		q.Mode = r.castMode()
	}
	if err := r.checkCast(&q); err != nil {
		return nil, located(err, x.At)
	}
	return &q, nil
}

func (r *resolver) castMode() expr.CastMode {
	if r.ansi {
		return expr.CastAnsi
	}
	return expr.CastLegacy
}

// plainString replaces CHAR(n) and VARCHAR(n) by STRING: they are types of columns only.
func plainString(t types.Type) types.Type {
	switch t.Kind {
	case types.StringKind:
		t.Char, t.Length = 0, 0
	case types.ArrayKind:
		return types.Array(plainString(t.Elem()), t.ContainsNull())
	case types.MapKind:
		return types.Map(plainString(t.Key()), plainString(t.Elem()), t.ContainsNull())
	case types.StructKind:
		fields := make([]types.Field, len(t.Fields()))
		for i, f := range t.Fields() {
			f.Type = plainString(f.Type)
			fields[i] = f
		}
		return types.Struct(fields...)
	}
	return t
}

// unalias drops an alias: inside of expressions names do not count.
func unalias(e expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Alias); ok {
		return a.Child
	}
	return e
}

// to casts an expression to a type unless it has it; the user did not write the cast.
func (r *resolver) to(e expr.Expr, t types.Type) expr.Expr {
	if e.Type().SameType(t) {
		return e
	}
	if l, ok := e.(*expr.Literal); ok && l.Value == nil {
		return &expr.Literal{T: t, At: l.At}
	}
	return &expr.Cast{Child: e, To: t, Mode: r.castMode(), Implicit: true}
}

// bareFunctions may be called without parentheses.
var bareFunctions = map[string]bool{"current_date": true, "current_timestamp": true, "current_time": true,
	"current_user": true, "user": true, "session_user": true, "grouping__id": true}

func (r *resolver) bareFunction(a *expr.Attribute) (expr.Expr, error) {
	if len(a.Name) != 1 {
		return nil, nil
	}
	if n := len(a.Name[0]); n < 4 || n > 17 {
		return nil, nil
	}
	name := strings.ToLower(a.Name[0])
	if !bareFunctions[name] {
		return nil, nil
	}
	if name == "grouping__id" {
		return r.grouping(&expr.Func{Name: []string{"grouping_id"}, At: a.At}, nil)
	}
	row, ok := function.Lookup(name)
	if !ok {
		return nil, nil
	}
	return r.bind(row, &expr.Func{Name: []string{name}, At: a.At}, nil)
}

// condition resolves a predicate of a WHERE, ON, HAVING: it must be boolean (VOID will do).
func (r *resolver) condition(e expr.Expr, s *scope) (expr.Expr, error) {
	c, err := r.expr(e, s)
	if err != nil {
		return nil, err
	}
	return unalias(c), nil
}

// fold evaluates an expression without columns.
func (r *resolver) fold(e expr.Expr) (any, error) {
	e = unalias(e)
	if l, ok := e.(*expr.Literal); ok {
		return l.Value, nil
	}
	if r.ctx.Fold == nil {
		return nil, sparkerr.Internal("analyzer: no evaluation of constants")
	}
	return r.ctx.Fold(e)
}

// foldable says whether an expression has no columns and the like, and is deterministic.
func foldable(e expr.Expr) bool {
	return !expr.Any(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Column, *expr.OuterRef, *expr.Subquery, *expr.Agg, *expr.Window:
			return true
		case *expr.Call:
			return nonDeterministic(x)
		}
		return false
	})
}

func nonDeterministic(c *expr.Call) bool {
	row, ok := function.Lookup(c.Name)
	return ok && (row.NonDeterministic || row.Kind == function.Generator)
}
