package session

import (
	"context"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// A running sum overflows only where a frame ends at the row that makes it too large.
func TestRunningSumOverflowsInFramesOnly(t *testing.T) {
	s := begin(t, nil, nil)
	sum := func(upper string) string {
		return "SELECT id, sum(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND " + upper + ") FROM VALUES (1, 9223372036854775807), (2, 1L) AS t(id, x)"
	}
	same(t, "to the row before", rows(t, s, sum("1 PRECEDING")), rows(t, s, "VALUES (1, CAST(NULL AS BIGINT)), (2, 9223372036854775807)"), true)
	err := s.SQL(context.Background(), sum("CURRENT ROW"), func(*types.Schema) error { return nil }, func(*columnar.Batch) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "ARITHMETIC_OVERFLOW") {
		t.Errorf("to the row itself: %v", err)
	}
}
