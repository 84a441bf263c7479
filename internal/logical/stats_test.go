package logical

import (
	"math"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

func estimated(rows float64, distinct map[expr.ID]float64) Estimate {
	e := Estimate{Rows: rows, Cols: map[expr.ID]ColumnEstimate{}}
	for id, d := range distinct {
		e.Cols[id] = ColumnEstimate{Distinct: d}
	}
	return e
}

// TestJoinOfSeveralKeys has a fact table joined by both keys of a table that relates two others: nearly each row finds its match,
// however many pairs of keys there could be.
func TestJoinOfSeveralKeys(t *testing.T) {
	col := func(id expr.ID) *expr.Column { return &expr.Column{ID: id, T: types.Long} }
	lines := estimated(60e6, map[expr.ID]float64{1: 2e6, 2: 1e5})
	supplies := estimated(8e6, map[expr.ID]float64{3: 2e6, 4: 1e5})
	keys := []KeyPair{{Left: col(2), Right: col(4)}, {Left: col(1), Right: col(3)}}
	if rows := JoinRows(lines, supplies, keys); rows < 8e6 || rows > 60e6 {
		t.Errorf("%g rows, want between those of both sides", rows)
	}
	if rows := JoinRows(lines, supplies, keys[1:]); rows != 60e6*8e6/2e6 {
		t.Errorf("%g rows by one key", rows)
	}
}

// TestLikeIsNoRange has conditions of two arguments that are no comparisons.
func TestLikeIsNoRange(t *testing.T) {
	e := estimated(1000, map[expr.ID]float64{1: 1000})
	text := &expr.Column{ID: 1, T: types.String}
	green := &expr.Literal{Value: "%green%", T: types.String}
	for name, want := range map[string]float64{"like": 60, "contains": 29, "rlike": 100, "startswith": 50, "<": 1000.0 / 3} {
		if rows := e.filtered([]expr.Expr{expr.NewCall(name, types.Boolean, text, green)}).Rows; math.Abs(rows-want) > 1 {
			t.Errorf("%s: %g rows, want %g", name, rows, want)
		}
	}
}
