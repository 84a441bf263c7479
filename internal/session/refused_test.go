package session

import (
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/memory"
)

// TestBroadcastTooLarge: a side of a join that turns out too large to be kept whole is shuffled instead, in this process and on
// executors; where there is no other join the refusal stands and says who wanted what.
func TestBroadcastTooLarge(t *testing.T) {
	t.Cleanup(func() { memory.LimitProcess(2 << 30) })
	const wide = "(select id, repeat(sha2(cast(id as string), 512), 4) as pad from range(0, 60000, 1, 4))"
	for name, c := range map[string]*fakeCluster{"process": nil, "executors": newFakeCluster(t, 1, 1)} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, c, map[string]string{"spark.driver.memory": "24m", "spark.broadcast.compress": "false"})
			got := rows(t, s, "select /*+ BROADCAST(b) */ count(*), sum(length(a.pad) + length(b.pad)) from "+wide+" a join "+wide+" b on a.id = b.id")
			if want := "60000|61440000"; strings.Join(got, "") != want {
				t.Errorf("got %q, want %s", got, want)
			}
			_, err := try(t.Context(), s, "select count(*) from range(3) a left join "+wide+" b on a.id < length(b.pad) + b.id and b.pad <> ''")
			if !memory.Refused(err) || !strings.Contains(err.Error(), "BroadcastExchange") || !strings.Contains(err.Error(), "spark.driver.memory") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Numbers of partitions that chance or malice writes are refused by name, before the driver keeps anything of them.
func TestPartitionsRefused(t *testing.T) {
	s := begin(t, nil, nil)
	for text, want := range map[string]string{
		"select /*+ repartition(2147483647, id) */ id from range(10)":        "[TOO_MANY_TASKS] A stage of 2147483647 tasks",
		"select count(*) from range(0, 1000000000, 1, 1000000000)":           "[TOO_MANY_TASKS]",
		"select /*+ repartition(0) */ id from range(10)":                     "Number of partitions (0) must be positive",
		"select /*+ repartition_by_range(9999999999, id) */ * from range(1)": "must be positive",
	} {
		if _, err := try(t.Context(), s, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
