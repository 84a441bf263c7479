package analyzer

import (
	"regexp"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// expand gives the columns that a star or a column regex stands for.
func (r *resolver) expand(e expr.Expr, s *scope) ([]expr.Expr, error) {
	switch x := e.(type) {
	case *expr.Star:
		return r.star(x, s)
	case *expr.Regex:
		return r.regex(x, s)
	}
	return nil, nil
}

func (r *resolver) star(x *expr.Star, s *scope) ([]expr.Expr, error) {
	cols, err := r.starColumns(x, s)
	if err != nil || len(x.Except) == 0 {
		return cols, err
	}
	return r.except(x, cols, s)
}

func (r *resolver) starColumns(x *expr.Star, s *scope) ([]expr.Expr, error) {
	in := s.cols
	if x.PlanID != 0 {
		var err error
		if in, err = r.dataFrameColumns(x.PlanID, s); err != nil {
			return nil, err
		}
	}
	if len(x.Target) == 0 {
		out := make([]expr.Expr, 0, len(in))
		for _, c := range in {
			if !c.Hidden {
				out = append(out, c)
			}
		}
		return out, nil
	}
	return r.targetColumns(x, in, s)
}

// targetColumns expands t.* to the columns of t, hidden join columns first, or s.* to the fields of a struct.
func (r *resolver) targetColumns(x *expr.Star, in []*expr.Column, s *scope) ([]expr.Expr, error) {
	var out []expr.Expr
	for _, hidden := range []bool{true, false} {
		for _, c := range in {
			if c.Hidden == hidden && r.endsWith(c.Qualifier, x.Target) {
				q := *c
				q.Hidden = false
				out = append(out, &q)
			}
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	e, err := r.lookup(s, x.Target, x.At)
	if err != nil {
		return nil, err
	}
	if e == nil {
		for f := r.frame; f != nil && e == nil; f = f.parent {
			if e, err = r.outer(&expr.Attribute{Name: x.Target, At: x.At}); err != nil {
				return nil, err
			}
		}
	}
	if e == nil {
		return nil, fail(x.At, "CANNOT_RESOLVE_STAR_EXPAND", "targetString", sqlID(x.Target...), "columns", strings.Join(suggestAll(s), ", "))
	}
	if e.Type().Kind != types.StructKind {
		return nil, fail(x.At, "_LEGACY_ERROR_TEMP_1050", "attributes", "List("+strings.Join(x.Target, ", ")+")")
	}
	for _, f := range e.Type().Fields() {
		out = append(out, &expr.Alias{Child: r.getField(e, f), Name: f.Name, ID: expr.NextID(), Metadata: f.Metadata})
	}
	return out, nil
}

func suggestAll(s *scope) []string {
	out := make([]string, 0, len(s.cols))
	for _, c := range s.cols {
		if !c.Hidden {
			out = append(out, sqlID(c.Name))
		}
	}
	return out
}

func (r *resolver) getField(e expr.Expr, f types.Field) expr.Expr {
	return &expr.Call{Name: "get_field", Args: []expr.Expr{e, expr.NewLiteral(f.Name, types.String)}, T: f.Type, Null: e.Nullable() || f.Nullable}
}

// except drops the columns (or fields of struct columns) that EXCEPT names.
func (r *resolver) except(x *expr.Star, cols []expr.Expr, s *scope) ([]expr.Expr, error) {
	drops := map[expr.ID][][]string{}
	byName := map[string]bool{}
	for _, name := range x.Except {
		c, taken := r.match(s, name)
		if len(c) == 0 && len(x.Target) > 0 {
			c, taken = r.exceptField(cols, name)
			if c != nil {
				byName[strings.ToLower(name[0])] = true
				continue
			}
		}
		switch {
		case len(c) == 0:
			return nil, unresolvedColumn(x.At, name, s)
		case len(c) > 1 && len(x.Target) == 0:
			return nil, ambiguous(x.At, name, c)
		}
		for _, d := range drops[c[0].ID] {
			if overlap(d, name[taken:]) {
				return nil, fail(x.At, "EXCEPT_OVERLAPPING_COLUMNS", "columns", exceptList(x.Except))
			}
		}
		drops[c[0].ID] = append(drops[c[0].ID], name[taken:])
	}
	return r.dropColumns(cols, drops, byName)
}

func exceptList(names [][]string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = strings.Join(n, ".")
	}
	return strings.Join(parts, ", ")
}

func overlap(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if !strings.EqualFold(a[i], b[i]) {
			return false
		}
	}
	return true
}

// exceptField matches a name against the fields of an expanded struct.
func (r *resolver) exceptField(cols []expr.Expr, name []string) ([]*expr.Column, int) {
	for _, c := range cols {
		if a, ok := c.(*expr.Alias); ok && r.same(a.Name, name[0]) {
			return []*expr.Column{a.Column()}, 1
		}
	}
	return nil, 0
}

func (r *resolver) dropColumns(cols []expr.Expr, drops map[expr.ID][][]string, byName map[string]bool) ([]expr.Expr, error) {
	out := make([]expr.Expr, 0, len(cols))
	for _, e := range cols {
		c, ok := e.(*expr.Column)
		if !ok {
			if a := e.(*expr.Alias); !byName[strings.ToLower(a.Name)] {
				out = append(out, a)
			}
			continue
		}
		paths, hit := drops[c.ID]
		if !hit {
			out = append(out, c)
			continue
		}
		if len(paths[0]) == 0 {
			continue
		}
		st, err := r.dropFields(c, paths)
		if err != nil {
			return nil, err
		}
		out = append(out, &expr.Alias{Child: st, Name: c.Name, ID: expr.NextID()})
	}
	return out, nil
}

// dropFields rebuilds a struct without the fields at the given paths.
func (r *resolver) dropFields(e expr.Expr, paths [][]string) (expr.Expr, error) {
	if e.Type().Kind != types.StructKind {
		return nil, fail(nil, "INVALID_EXTRACT_BASE_FIELD_TYPE", "base", r.sqlExpr(e), "other", sqlType(e.Type()))
	}
	for _, p := range paths {
		if _, err := r.field(e.Type(), p[0], nil); err != nil {
			return nil, err
		}
	}
	var args []expr.Expr
	for _, f := range e.Type().Fields() {
		var below [][]string
		whole := false
		for _, p := range paths {
			if r.same(p[0], f.Name) {
				whole = whole || len(p) == 1
				below = append(below, p[1:])
			}
		}
		if whole {
			continue
		}
		v := r.getField(e, f)
		if len(below) > 0 {
			var err error
			if v, err = r.dropFields(v, below); err != nil {
				return nil, err
			}
		}
		args = append(args, expr.NewLiteral(f.Name, types.String), v)
	}
	return namedStruct(args), nil
}

// regex gives the columns whose whole names match, in any case unless names are case-sensitive.
func (r *resolver) regex(x *expr.Regex, s *scope) ([]expr.Expr, error) {
	pattern := "^(?:" + x.Pattern + ")$"
	if !r.exact {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fail(nil, "INVALID_PARAMETER_VALUE.PATTERN", "parameter", "`regexp`", "functionName", "`colRegex`", "value", "'"+x.Pattern+"'")
	}
	in := s.cols
	if x.PlanID != 0 {
		if in, err = r.dataFrameColumns(x.PlanID, s); err != nil {
			return nil, err
		}
	}
	var out []expr.Expr
	for _, c := range in {
		if !c.Hidden && re.MatchString(c.Name) && (len(x.Target) == 0 || r.endsWith(c.Qualifier, x.Target)) {
			out = append(out, c)
		}
	}
	return out, nil
}
