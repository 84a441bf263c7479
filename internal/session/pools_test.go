package session

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/scheduler"
)

const twoPools = `<?xml version="1.0"?>
<allocations>
  <pool name="production"><schedulingMode>FAIR</schedulingMode><weight>2</weight><minShare>3</minShare></pool>
  <pool name="test"><schedulingMode>odd</schedulingMode><weight>many</weight></pool>
</allocations>`

func TestReadPools(t *testing.T) {
	got, err := readPools(strings.NewReader(twoPools))
	want := []scheduler.PoolConfig{{Name: "production", Fair: true, Weight: 2, MinShare: 3}, {Name: "test", Weight: 1}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "<pools/>", "<allocations><pool/></allocations>", "<allocations>"} {
		if _, err := readPools(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestPoolsOfAnApplication(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pools.xml")
	if err := os.WriteFile(file, []byte(twoPools), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		settings        map[string]string
		fair, bySession bool
		pools           int
		refused         string
	}{
		{settings: map[string]string{}, fair: true, bySession: true},
		{settings: map[string]string{"spark.scheduler.mode": "fifo"}},
		{settings: map[string]string{"spark.scheduler.mode": "FAIR", "spark.scheduler.allocation.file": "file://" + file}, fair: true, pools: 2},
		{settings: map[string]string{"spark.scheduler.mode": "FAIR", "spark.scheduler.allocation.file": file + "x"}, refused: "cannot be read"},
		{settings: map[string]string{"spark.scheduler.mode": "LIFO"}, refused: "FIFO or FAIR"},
	}
	for _, c := range cases {
		a := &App{Conf: conf.NewValues(c.settings)}
		cfg := scheduler.FromConf(a.Conf)
		err := a.pools(&cfg)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%v: %v", c.settings, err)
			}
			continue
		}
		if err != nil || cfg.Fair != c.fair || a.poolBySession != c.bySession || len(cfg.Pools) != c.pools {
			t.Errorf("%v gives %+v, %v, %v", c.settings, cfg.Pools, cfg.Fair, err)
		}
	}
}
