package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/types"
)

// fitting brings a column of a view's query to the type that the view has.
type fitting func(c *expr.Column, t types.Type) (expr.Expr, error)

func (r *resolver) implicitly(c *expr.Column, t types.Type) (expr.Expr, error) {
	return r.to(c, t), nil
}

// boundView gives a view's query the view's columns, as the view's mode says: BINDING takes wider types only, COMPENSATION
// casts, TYPE EVOLUTION takes the query's types and EVOLUTION its columns too. Views that evolve are kept as they are now.
func (r *resolver) boundView(x rel, t *catalog.Table, at *expr.Origin) (rel, error) {
	mode := t.ViewMode
	if r.conf("spark.sql.legacy.viewSchemaBindingMode") == "false" {
		mode = "BINDING"
	}
	switch mode {
	case "EVOLUTION":
		return x, r.evolve(x, t)
	case "TYPE EVOLUTION":
		keep := func(c *expr.Column, _ types.Type) (expr.Expr, error) { return c, nil }
		y, err := r.viewColumns(x, t.Schema, t.ViewCols, t.Name, at, keep)
		if err != nil {
			return rel{}, err
		}
		return y, r.evolve(y, t)
	case "COMPENSATION":
		return r.viewColumns(x, t.Schema, t.ViewCols, t.Name, at, func(c *expr.Column, to types.Type) (expr.Expr, error) {
			if c.T.SameType(to) {
				return c, nil
			}
			q := &expr.Cast{Child: c, To: to, Mode: expr.CastAnsi, Implicit: true, At: at}
			return q, function.Castable(q)
		})
	}
	return r.viewColumns(x, t.Schema, t.ViewCols, t.Name, at, func(c *expr.Column, to types.Type) (expr.Expr, error) {
		if !types.CanUpCast(c.T, to) {
			return nil, fail(at, "CANNOT_UP_CAST_DATATYPE", "expression", qualified(c), "sourceType", sqlType(c.T), "targetType", sqlType(to),
				"details", "The type path of the target object is:\n\nYou can either add an explicit cast to the input data or choose a higher precision type of the field in the target object")
		}
		return r.to(c, to), nil
	})
}

// evolve notes the columns that a view has now in the catalog.
func (r *resolver) evolve(x rel, t *catalog.Table) error {
	store, ok := r.ctx.Catalog.(interface {
		AlterTable(p catalog.Place, t *catalog.Table) error
	})
	if !ok || len(t.Name) != 3 {
		return nil
	}
	fields := make([]types.Field, len(x.out))
	same := len(x.out) == len(t.Schema.Fields)
	for i, c := range x.out {
		fields[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
		if i < len(t.Schema.Fields) && strings.EqualFold(t.Schema.Fields[i].Name, c.Name) {
			fields[i].Metadata = t.Schema.Fields[i].Metadata
		}
		same = same && fields[i].Name == t.Schema.Fields[i].Name && fields[i].Type.SameType(t.Schema.Fields[i].Type)
	}
	if same {
		return nil
	}
	q := *t
	q.Schema = types.NewSchema(fields...)
	if t.ViewMode == "EVOLUTION" {
		q.ViewCols = nil
		for _, c := range x.out {
			q.ViewCols = append(q.ViewCols, c.Name)
		}
	}
	return store.AlterTable(catalog.Place{Catalog: t.Name[0], Database: t.Name[1], Name: t.Name[2]}, &q)
}
