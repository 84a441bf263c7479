package eval_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/firesteel/firesteel/internal/analyzer" // reads schemas as text
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

func session() *kernel.Session {
	zone, _ := time.LoadLocation("America/Los_Angeles")
	return &kernel.Session{Zone: zone, ZoneName: "America/Los_Angeles", Ansi: true, Now: 1700000000e6, User: "me", Catalog: "spark_catalog", Database: "default"}
}

func bindEnv(s *kernel.Session) *function.BindEnv {
	env := &function.BindEnv{Session: s, Fold: func(e expr.Expr) (any, error) { return eval.Value(e, s) }}
	env.Lambda = func(l *expr.Lambda, params ...types.Field) (*expr.Lambda, error) {
		vars := map[string]*expr.LambdaVar{}
		out := &expr.Lambda{}
		for i, p := range l.Params {
			v := &expr.LambdaVar{Name: p.Name, ID: expr.NextID(), T: params[i].Type, Null: params[i].Nullable}
			vars[strings.ToLower(p.Name)] = v
			out.Params = append(out.Params, v)
		}
		body, err := resolve(env, l.Body, vars)
		out.Body = body
		return out, err
	}
	return env
}

// resolve binds an expression without columns, or with the columns and variables given by name.
func resolve(env *function.BindEnv, e expr.Expr, vars map[string]*expr.LambdaVar) (expr.Expr, error) {
	switch x := e.(type) {
	case *expr.Attribute:
		if v, ok := vars[strings.ToLower(x.Name[0])]; ok && len(x.Name) == 1 {
			return v, nil
		}
		return nil, fmt.Errorf("no column %v", x.Name)
	case *expr.LambdaVar:
		if v, ok := vars[strings.ToLower(x.Name)]; ok {
			return v, nil
		}
		return x, nil
	case *expr.Lambda:
		return x, nil
	case *expr.Alias:
		return resolve(env, x.Child, vars)
	}
	var err error
	out := expr.MapChildren(e, func(c expr.Expr) expr.Expr {
		if _, lambda := c.(*expr.Lambda); lambda || err != nil {
			return c
		}
		r, e := resolve(env, c, vars)
		if e != nil {
			err = e
			return c
		}
		return r
	})
	if err != nil {
		return nil, err
	}
	switch x := out.(type) {
	case *expr.Func:
		if _, isLambda := e.(*expr.Func); isLambda {
			return function.Bind(env, x)
		}
	case *expr.Extract:
		return function.Bind(env, &expr.Func{Name: []string{"get_item"}, Args: []expr.Expr{x.Child, x.Key}, Internal: true})
	case *expr.Cast:
		if x.Mode == expr.CastDefault {
			q := *x
			q.Mode = expr.CastAnsi
			return &q, nil
		}
	}
	return out, nil
}

func bindText(text string) (expr.Expr, error) {
	e, err := sqlparser.ParseExpression(text, sqlparser.Options{Location: session().Zone})
	if err != nil {
		return nil, err
	}
	return resolve(bindEnv(session()), e, nil)
}

// show prints a value as show() does.
func show(v any, t types.Type) string {
	if v == nil {
		return "NULL"
	}
	return string(types.AppendValue(nil, v, t, session().Zone))
}

func answer(text string) (string, error) {
	e, err := bindText(text)
	if err != nil {
		return "", err
	}
	if a, ok := e.(*expr.Agg); ok {
		return aggregate(a)
	}
	v, err := eval.Value(e, session())
	return show(v, e.Type()), err
}

// outcome is the answer, or the condition and message of the error.
func outcome(answer string, err error) string {
	if err == nil {
		return answer
	}
	text, _, _ := strings.Cut(err.Error(), " SQLSTATE")
	return strings.TrimRight(text, " ")
}

// TestExamples runs the examples of every scalar row.
func TestExamples(t *testing.T) {
	for _, r := range function.Rows() {
		if r.Kind != function.Scalar && r.Kind != function.Special || r.Internal {
			continue
		}
		if len(r.Examples) == 0 || r.Usage == "" || r.Since == "" || r.Group == "" {
			t.Errorf("%s: no example, usage, version or group", r.Name)
		}
		for _, x := range r.Examples {
			if got := outcome(answer(x.SQL)); got != x.Result {
				t.Errorf("%s: %s = %s, want %s", r.Name, x.SQL, got, x.Result)
			}
		}
	}
}
