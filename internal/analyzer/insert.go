package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// withDefaults replaces DEFAULT in the VALUES or select list of an INSERT by the defaults of the table's columns.
func (r *resolver) withDefaults(in *logical.InsertInto, q logical.Plan) (logical.Plan, error) {
	if !hasDefault(q) || r.ctx.Catalog == nil {
		return q, nil
	}
	name := in.Table
	if in.TableExpr != nil {
		var err error
		if name, err = r.nameOf(in.TableExpr); err != nil {
			return nil, err
		}
	}
	_, t, err := r.ctx.Catalog.Relation(name, nil)
	if err != nil || t == nil {
		return q, err
	}
	d := defaults{r, t, r.targets(in, t)}
	return d.plan(q)
}

// targets are the columns that the query's columns go to, in order.
func (r *resolver) targets(in *logical.InsertInto, t *catalog.Table) []string {
	if in.Columns != nil {
		return in.Columns
	}
	var out []string
	for _, f := range t.Schema.Fields {
		static := false
		for _, p := range in.Partition {
			static = static || p.Value != nil && strings.EqualFold(p.Column, f.Name)
		}
		if !static {
			out = append(out, f.Name)
		}
	}
	return out
}

func hasDefault(p logical.Plan) bool {
	switch x := p.(type) {
	case *logical.Values:
		for _, row := range x.Rows {
			for _, e := range row {
				if isDefault(e) {
					return true
				}
			}
		}
	case *logical.Project:
		for _, e := range x.List {
			if isDefault(e) {
				return true
			}
		}
	case *logical.SetOp:
		for _, c := range x.Inputs {
			if hasDefault(c) {
				return true
			}
		}
	case *logical.SubqueryAlias:
		return hasDefault(x.Child)
	}
	return false
}

func isDefault(e expr.Expr) bool {
	_, ok := unalias(e).(*expr.Default)
	return ok
}

type defaults struct {
	r       *resolver
	t       *catalog.Table
	columns []string
}

func (d *defaults) plan(p logical.Plan) (logical.Plan, error) {
	switch x := p.(type) {
	case *logical.Values:
		q := *x
		q.Rows = make([][]expr.Expr, len(x.Rows))
		for i, row := range x.Rows {
			list, err := d.list(row)
			if err != nil {
				return nil, err
			}
			q.Rows[i] = list
		}
		return &q, nil
	case *logical.Project:
		list, err := d.list(x.List)
		if err != nil {
			return nil, err
		}
		return &logical.Project{List: list, Child: x.Child}, nil
	case *logical.SetOp, *logical.SubqueryAlias:
		kids := p.Children()
		out := make([]logical.Plan, len(kids))
		for i, k := range kids {
			q, err := d.plan(k)
			if err != nil {
				return nil, err
			}
			out[i] = q
		}
		return p.WithChildren(out), nil
	}
	return p, nil
}

func (d *defaults) list(row []expr.Expr) ([]expr.Expr, error) {
	out := append([]expr.Expr{}, row...)
	for i, e := range row {
		if !isDefault(e) {
			continue
		}
		v, err := d.value(i)
		if err != nil {
			return nil, err
		}
		out[i] = v
		if a, ok := e.(*expr.Alias); ok {
			q := *a
			q.Child = v
			out[i] = &q
		}
	}
	return out, nil
}

// value is the default of the i-th target column: its expression, or null, cast to the column's type.
func (d *defaults) value(i int) (expr.Expr, error) {
	if i >= len(d.columns) {
		return &expr.Literal{}, nil
	}
	for _, f := range d.t.Schema.Fields {
		if !d.r.same(f.Name, d.columns[i]) {
			continue
		}
		sql, ok := d.t.Defaults[f.Name]
		if !ok || d.r.ctx.Expr == nil {
			return &expr.Literal{T: plainString(f.Type)}, nil
		}
		e, err := d.r.ctx.Expr(sql)
		if err != nil {
			return nil, err
		}
		return &expr.Cast{Child: e, To: f.Type, Implicit: true}, nil
	}
	return &expr.Literal{}, nil
}
