package kernel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// TestSlotsKeepTexts: texts that change again and again are right, cost no more than a few times what they hold, and a
// state that is used anew starts small.
func TestSlotsKeepTexts(t *testing.T) {
	const groups, rounds = 300, 400
	s := newSlots(types.String)
	s.room(groups)
	text := func(round, g int) string { return strings.Repeat(fmt.Sprint(round%10), 13+(round*7+g)%200) }
	for round := range rounds {
		vals := make([]any, groups)
		for g := range vals {
			vals[g] = text(round, g)
		}
		b := columnar.NewBuilder(types.String, groups)
		for _, v := range vals {
			b.Append(v)
		}
		v := b.Finish()
		for g := range groups {
			s.set(uint32(g), &v, g)
		}
	}
	out := s.vector(0, groups)
	live := 0
	for g := range groups {
		want := text(rounds-1, g)
		live += len(want)
		if got := string(out.Text(g)); got != want {
			t.Fatalf("group %d has %q, want %q", g, got, want)
		}
	}
	if s.live != live || s.held > 6*live+1<<16 {
		t.Errorf("%d bytes live and %d held, of %d", s.live, s.held, live)
	}
	if s.reset(); s.held > firstTexts*2 || s.live != 0 {
		t.Errorf("after a reset %d bytes are held", s.held)
	}
}
