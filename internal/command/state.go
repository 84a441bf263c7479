package command

import (
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// sessionState executes the commands that act on the session alone: USE, SET, variables, resources.
func (r *runner) sessionState(c logical.Command) (*Result, bool, error) {
	var out *Result
	var err error
	switch x := c.(type) {
	case *logical.UseNamespace:
		err = r.use(x)
	case *logical.SetCatalog:
		err = r.setCatalog(x)
	case *logical.SetConf:
		out, err = r.setConf(x)
	case *logical.ResetConf:
		err = r.resetConf(x)
	case *logical.DeclareVariable:
		err = r.declare(x)
	case *logical.SetVariable:
		err = r.setVariable(x)
	case *logical.DropVariable:
		err = r.dropVariable(x)
	case *logical.ExecuteImmediate:
		out, err = r.executeImmediate(x)
	case *logical.ManageResource:
		out, err = r.resource(x)
	default:
		return nil, false, nil
	}
	return out, true, err
}

func (r *runner) use(x *logical.UseNamespace) error {
	name, err := r.name(x.Target)
	if err != nil {
		return err
	}
	cat, _ := r.cat.Current()
	if len(name) == 1 && !x.Explicit {
		for _, c := range r.cat.Catalogs() {
			if strings.EqualFold(c, name[0]) {
				return r.cat.Use(c, "")
			}
		}
	}
	c, db, err := r.cat.Namespace(name)
	if err != nil {
		return sparkerr.New("SCHEMA_NOT_FOUND", "schemaName", quoteAll(append([]string{cat}, name...)))
	}
	return r.cat.Use(c, db)
}

func (r *runner) setCatalog(x *logical.SetCatalog) error {
	name, err := analyzer.Name(r.Analysis(r.ctx), x.Catalog)
	if err != nil {
		return err
	}
	return r.cat.Use(name[len(name)-1], "")
}

func (r *runner) setConf(x *logical.SetConf) (*Result, error) {
	out := &Result{Schema: text("key", "value")}
	if x.TimeZone {
		return r.setZone(x, out)
	}
	v := r.Conf().Values()
	switch {
	case x.Key == "" && x.Verbose:
		out.Schema = text("key", "value", "meaning", "Since version")
		for _, e := range v.Listing() {
			out.Rows = append(out.Rows, []any{e.Key, v.Redacted(e.Key, e.Value), e.Doc, e.Since})
		}
	case x.Key == "":
		for _, e := range v.Sorted() {
			out.Rows = append(out.Rows, []any{e.Key, v.Redacted(e.Key, e.Value)})
		}
	case x.Value == nil:
		s, ok := v.Lookup(x.Key)
		if !ok {
			s = "<undefined>"
		}
		out.Rows = [][]any{{x.Key, v.Redacted(x.Key, s)}}
	default:
		if err := r.Conf().Set(variable(x.Key), *x.Value); err != nil {
			return nil, err
		}
		out.Rows = [][]any{{x.Key, v.Redacted(x.Key, *x.Value)}}
	}
	return out, nil
}

// variable is the key that SET changes: hivevar:x is x, where it is given a value and nowhere else.
func variable(key string) string {
	if name, ok := strings.CutPrefix(key, "hivevar:"); ok && name != "" {
		return name
	}
	return key
}

const zoneKey = "spark.sql.session.timeZone"

func (r *runner) setZone(x *logical.SetConf, out *Result) (*Result, error) {
	if x.Value == nil {
		if err := r.Conf().Unset(zoneKey); err != nil {
			return nil, err
		}
		out.Rows = [][]any{{zoneKey, r.Conf().Values().String(zoneKey)}}
		return out, nil
	}
	if err := r.Conf().Set(zoneKey, *x.Value); err != nil {
		return nil, err
	}
	out.Rows = [][]any{{zoneKey, *x.Value}}
	return out, nil
}

func (r *runner) resetConf(x *logical.ResetConf) error {
	if x.Key != "" {
		if err := conf.Modifiable(x.Key); err != nil {
			return err
		}
		return r.Conf().Unset(x.Key)
	}
	for k := range r.Conf().Values().All() {
		if conf.IsModifiable(k) {
			if err := r.Conf().Unset(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// variableName is the last part of a variable's name; it may be qualified by session or system.session only.
func (r *runner) variableName(t logical.Target) (string, error) {
	name, err := r.name(t)
	if err != nil {
		return "", err
	}
	ok := len(name) == 1 || len(name) == 2 && strings.EqualFold(name[0], "session") ||
		len(name) == 3 && strings.EqualFold(name[0], "system") && strings.EqualFold(name[1], "session")
	if !ok {
		return "", sparkerr.New("UNRESOLVED_VARIABLE", "variableName", quoteAll(name), "searchPath", "`SYSTEM`.`SESSION`")
	}
	return name[len(name)-1], nil
}

func (r *runner) declare(x *logical.DeclareVariable) error {
	for _, t := range x.Names {
		name, err := r.variableName(t)
		if err != nil {
			return err
		}
		if r.cat.Variable([]string{name}) != nil && !x.Replace {
			return sparkerr.New("VARIABLE_ALREADY_EXISTS", "variableName", "`system`.`session`."+types.Quote(name))
		}
		v := &catalog.Variable{Name: name, Default: x.Text}
		want := types.Null
		if x.Type != nil {
			want = *x.Type
		}
		v.Type = want
		if x.Default != nil {
			if v.Value, v.Type, err = analyzer.Constant(r.Analysis(r.ctx), x.Default, want); err != nil {
				return err
			}
		}
		r.cat.SetVariable(name, v)
	}
	return nil
}

func (r *runner) variable(name []string) (*catalog.Variable, error) {
	v := r.cat.Variable(name)
	if v == nil {
		return nil, sparkerr.New("UNRESOLVED_VARIABLE", "variableName", quoteAll(name), "searchPath", "`SYSTEM`.`SESSION`")
	}
	return v, nil
}

func (r *runner) setVariable(x *logical.SetVariable) error {
	vars := make([]*catalog.Variable, len(x.Names))
	for i, n := range x.Names {
		v, err := r.variable(n)
		if err != nil {
			return err
		}
		for _, w := range vars[:i] {
			if w == v {
				return sparkerr.New("DUPLICATE_ASSIGNMENTS", "nameList", types.Quote(v.Name))
			}
		}
		vars[i] = v
	}
	values := make([]any, len(vars))
	if x.Query != nil {
		rows, err := r.oneRow(x, vars)
		if err != nil {
			return err
		}
		values = rows
	} else {
		for i, e := range x.Values {
			v, err := r.variableValue(vars[i], e)
			if err != nil {
				return err
			}
			values[i] = v
		}
	}
	for i, v := range vars {
		q := *v
		q.Value = values[i]
		r.cat.SetVariable(v.Name, &q)
	}
	return nil
}

// variableValue evaluates what is assigned: DEFAULT, a constant, or a scalar subquery.
func (r *runner) variableValue(v *catalog.Variable, e expr.Expr) (any, error) {
	if _, ok := e.(*expr.Default); ok {
		if v.Default == "" {
			return nil, nil
		}
		d, err := r.Analysis(r.ctx).Expr(v.Default)
		if err != nil {
			return nil, err
		}
		e = d
	}
	rows, err := r.query(&logical.Project{List: []expr.Expr{&expr.Alias{Child: &expr.Cast{Child: e, To: v.Type}, Name: v.Name}}, Child: &logical.OneRow{}})
	if err != nil {
		return nil, err
	}
	return rows[0][0], nil
}

// oneRow runs the query of SET VAR (…) = (query): no row gives nulls, more than one is an error.
func (r *runner) oneRow(x *logical.SetVariable, vars []*catalog.Variable) ([]any, error) {
	p, err := analyzer.Analyze(r.Analysis(r.ctx), x.Query)
	if err != nil {
		return nil, err
	}
	out := p.Output()
	if len(out) != len(vars) {
		return nil, sparkerr.New("ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(out)), "numTarget", itoa(len(vars)))
	}
	list := make([]expr.Expr, len(out))
	for i, c := range out {
		list[i] = &expr.Alias{Child: &expr.Cast{Child: c, To: vars[i].Type, Mode: expr.CastAnsi, Implicit: true}, Name: vars[i].Name, ID: expr.NextID()}
	}
	rows, err := r.Rows(r.ctx, &logical.Limit{N: expr.NewLiteral(int32(2), types.Int), Child: &logical.Project{List: list, Child: p}})
	if err != nil {
		return nil, err
	}
	switch len(rows) {
	case 0:
		return make([]any, len(vars)), nil
	case 1:
		return rows[0], nil
	}
	return nil, sparkerr.New("ROW_SUBQUERY_TOO_MANY_ROWS")
}

func (r *runner) dropVariable(x *logical.DropVariable) error {
	name, err := r.variableName(x.Target)
	if err != nil {
		return err
	}
	if r.cat.Variable([]string{name}) == nil {
		if x.IfExists {
			return nil
		}
		return sparkerr.New("VARIABLE_NOT_FOUND", "variableName", "`system`.`session`."+types.Quote(name))
	}
	r.cat.SetVariable(name, nil)
	return nil
}

// executeImmediate runs a statement given as text, with parameters, and keeps its row in variables if INTO asks for it.
func (r *runner) executeImmediate(x *logical.ExecuteImmediate) (*Result, error) {
	v, t, err := analyzer.Constant(r.Analysis(r.ctx), x.Statement, types.Null)
	if err != nil {
		return nil, err
	}
	sql, ok := v.(string)
	switch {
	case t.Kind != types.StringKind:
		return nil, sparkerr.New("INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", "exprType", `"`+t.SQL()+`"`)
	case !ok:
		return nil, sparkerr.New("NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "varName", types.Quote(x.Statement.SQL()))
	}
	p, err := r.Parse(sql)
	if err != nil {
		return nil, err
	}
	if _, nested := p.(*logical.ExecuteImmediate); nested {
		return nil, sparkerr.New("NESTED_EXECUTE_IMMEDIATE", "sqlString", strings.ToUpper(sql))
	}
	if _, isCommand := p.(logical.Command); isCommand && len(x.Into) > 0 {
		return nil, sparkerr.New("INVALID_STATEMENT_FOR_EXECUTE_INTO", "sqlString", strings.ToUpper(sql))
	}
	if len(x.Args) > 0 {
		w := &logical.WithParams{Named: map[string]expr.Expr{}, Child: p}
		for _, a := range x.Args {
			if n, ok := a.(*expr.Alias); ok {
				w.Named[n.Name] = n.Child
			} else {
				w.Positional = append(w.Positional, a)
			}
		}
		if len(w.Named) > 0 && len(w.Positional) > 0 {
			return nil, sparkerr.New("ALL_PARAMETERS_MUST_BE_NAMED", "exprs", `"`+w.Positional[0].SQL()+`"`)
		}
		p = w
	}
	if len(x.Into) > 0 {
		return nil, r.setVariable(&logical.SetVariable{Names: x.Into, Query: p, At: x.At})
	}
	return r.Do(r.ctx, p)
}

func (r *runner) resource(x *logical.ManageResource) (*Result, error) {
	if x.Add {
		return nil, r.AddResource(r.ctx, x.Kind, x.Paths)
	}
	out := &Result{Schema: text("Results")}
	want := map[string]bool{}
	for _, p := range x.Paths {
		want[p] = true
	}
	for _, p := range r.Resources(x.Kind) {
		if len(want) == 0 || want[p] {
			out.Rows = append(out.Rows, []any{p})
		}
	}
	return out, nil
}
