package logical

import (
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

func TestFormat(t *testing.T) {
	a := &expr.Column{ID: 7, Name: "a", T: types.Int}
	one := &expr.Literal{Value: int32(1), T: types.Int}
	p := &Join{
		Kind: LeftJoin,
		Left: &Project{List: []expr.Expr{&expr.Alias{Child: one, Name: "x", ID: 8}}, Child: &OneRow{}},
		Right: &Filter{Cond: expr.NewFunc("=", &expr.Attribute{Name: []string{"a"}}, one),
			Child: &LocalRelation{Out: []*expr.Column{a}}},
	}
	want := `Join LeftOuter
:- Project [1 AS x#8]
:  +- OneRowRelation
+- 'Filter ('a = 1)
   +- LocalRelation [a#7]
`
	if got := Format(p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
