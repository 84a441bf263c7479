package executor_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/event"
)

// D04, D06: a map output whose file is damaged or gone is found, called by its name, and computed again, from an executor's block
// server and from a shuffle service.
func TestDamagedOutput(t *testing.T) {
	for name, spoil := range map[string]struct {
		how  func(path string) error
		want string // among the causes, wherever the reader was
	}{
		"damaged": {func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i := 40; i < len(data)-100; i += 1000 {
				data[i] ^= 0x10
			}
			return os.WriteFile(path, data, 0o600)
		}, "is corrupted due to DISK_ISSUE"},
		"deleted": {os.Remove, "no such file or directory|the block is not there"},
		"cut":     {func(path string) error { return os.Truncate(path, 5000) }, "the index of the map output is damaged"},
	} {
		for _, served := range []string{"", " at a service"} {
			t.Run(name+served, func(t *testing.T) {
				settings := map[string]string{"spark.reducer.maxReqsInFlight": "1"}
				if served != "" {
					_, settings = startService(t, "")
				}
				c := start(t, 2, 2, settings)
				c.waitFor(t, 4)
				maps := c.mapRuns()
				var causes []string
				c.Bus().Subscribe(func(e event.Event) {
					if e, ok := e.(event.TaskEnd); ok {
						if f, ok := e.Reason.(event.FetchFailed); ok {
							causes = append(causes, f.Cause.Error())
						}
					}
				})
				if _, err := c.run(t, mapStage("map", 6)); err != nil {
					t.Fatal(err)
				}
				for _, f := range c.procs.outputs() {
					if strings.Contains(f, "executor-0") {
						if err := spoil.how(f); err != nil {
							t.Fatal(err)
						}
					}
				}
				out, err := c.run(t, mapStage("map", 6), reduceStage("reduce"))
				if err != nil {
					t.Fatal(err)
				}
				wantSums(t, out, 6)
				if n := maps(); n <= 6 || n > 12 {
					t.Errorf("%d map tasks ran", n)
				}
				all := strings.Join(causes, "; ")
				if !slices.ContainsFunc(strings.Split(spoil.want, "|"), func(w string) bool { return strings.Contains(all, w) }) {
					t.Errorf("causes: %s", all)
				}
			})
		}
	}
}
