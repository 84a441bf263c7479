package analyzer

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// place turns an origin into the context of an error.
func place(o *expr.Origin) *sparkerr.QueryContext {
	if o == nil {
		return nil
	}
	q := &sparkerr.QueryContext{ObjectType: o.ObjectType, ObjectName: o.ObjectName, Start: o.Start, Stop: o.Stop,
		Line: o.Line, Pos: o.Pos, Text: o.Text, Fragment: o.Fragment, CallSite: o.CallSite}
	q.DataFrame = o.Text == "" && o.CallSite != ""
	if q.Fragment == "" && o.Text != "" {
		text := []rune(o.Text)
		if o.Start >= 0 && o.Stop < len(text) && o.Start <= o.Stop {
			q.Fragment = string(text[o.Start : o.Stop+1])
		}
	}
	return q
}

// fail makes an error of a condition at a place.
func fail(at *expr.Origin, condition string, kv ...string) error {
	e := sparkerr.New(condition, kv...)
	if q := place(at); q != nil {
		e.Context = q
	}
	return e
}

// located puts a place on an error that has none.
func located(err error, at *expr.Origin) error {
	if e, ok := sparkerr.As(err); ok && e.Context == nil {
		if q := place(at); q != nil {
			e.Context = q
		}
	}
	return err
}

// sqlID quotes a name as messages show it: `a`.`b`.
func sqlID(parts ...string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.Quote(p)
	}
	return strings.Join(q, ".")
}

// sqlExpr and sqlType quote an expression or a type as messages show them.
func (r *resolver) sqlExpr(e expr.Expr) string { return `"` + r.sql(e) + `"` }
func sqlType(t types.Type) string              { return `"` + t.SQL() + `"` }

// originOf finds the place of an expression, or of the first part of it that has one.
func originOf(e expr.Expr) *expr.Origin {
	switch x := e.(type) {
	case nil:
		return nil
	case *expr.Literal:
		return x.At
	case *expr.Attribute:
		return x.At
	case *expr.Func:
		return x.At
	case *expr.Call:
		return x.At
	case *expr.Agg:
		return x.At
	case *expr.Cast:
		if x.At != nil {
			return x.At
		}
	case *expr.Star:
		return x.At
	case *expr.Extract:
		return x.At
	case *expr.Window:
		return x.At
	case *expr.Subquery:
		return x.At
	case *expr.Param:
		return x.At
	case *expr.Identifier:
		return x.At
	}
	for _, c := range e.Children() {
		if o := originOf(c); o != nil {
			return o
		}
	}
	return nil
}

// at is originOf for the first expression of a node that has a place.
func originOfPlan(p logical.Plan) *expr.Origin {
	for _, e := range p.Exprs() {
		if o := originOf(e); o != nil {
			return o
		}
	}
	return nil
}

func unresolvedColumn(at *expr.Origin, name []string, sc *scope) error {
	proposals := sc.suggestions(name)
	if len(proposals) == 0 {
		return fail(at, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", sqlID(name...))
	}
	return fail(at, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", sqlID(name...), "proposal", strings.Join(proposals, ", "))
}

func itoa(n int) string { return strconv.Itoa(n) }

// ordinal prints 1 as "first" … as Spark's messages about set operations do.
func ordinal(n int) string {
	names := [...]string{"zero", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n < len(names) {
		return names[n]
	}
	return itoa(n) + "th"
}

// Place turns an origin into the context of an error; nil for nil.
func Place(o *expr.Origin) *sparkerr.QueryContext { return place(o) }
