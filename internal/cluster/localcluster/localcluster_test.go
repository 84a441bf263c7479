package localcluster

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
)

func TestMain(m *testing.M) {
	clustertest.ExecutorMain()
	goleak.VerifyTestMain(m)
}

func manager(t *testing.T, url string) *Manager {
	t.Helper()
	m, err := cluster.ParseMaster(url)
	if err != nil {
		t.Fatal(err)
	}
	return New(m)
}

func TestContract(t *testing.T) {
	clustertest.Run(t, clustertest.Subject{New: func(t *testing.T) cluster.Manager { return manager(t, "local-cluster[3,1,64]") },
		NewBroken: func(t *testing.T) cluster.Manager {
			t.Setenv("TMPDIR", os.DevNull) // no folder can be made
			return manager(t, "local-cluster[1,1,64]")
		}})
}

// The level is bounded by what fits, and the manager gives up on executors that end at once.
func TestLimits(t *testing.T) {
	d := clustertest.NewDriver(t, manager(t, "local-cluster[1,2,64]"))
	if err := d.Launch(1, 64<<20, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(9)
	d.Has("0", "1")
	d.End()
	d = clustertest.NewDriver(t, manager(t, "local-cluster[1,1,64]"))
	if err := d.Launch(1, 64<<20, map[string]string{clustertest.ExitEnv: "9"}); err != nil {
		t.Fatal(err)
	}
	d.MustScale(1)
	if err := d.Failed(); !strings.Contains(err.Error(), "status 9") {
		t.Errorf("it gave up with %v", err)
	}
}
