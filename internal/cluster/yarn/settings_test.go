package yarn

import (
	"errors"
	"testing"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

func TestSizes(t *testing.T) {
	v := conf.NewValues(map[string]string{"spark.driver.memory": "8g", "spark.driver.cores": "3", "spark.yarn.am.memory": "1g",
		"spark.executor.pyspark.memory": "100m", "spark.yarn.executor.resource.yarn.io/gpu.amount": "2", "spark.yarn.executor.resource.disk.amount": "5G"})
	if r := masterSize(v, true); r.Memory != 8192+819+1 || r.Cores != 3 {
		t.Errorf("driver: %+v", r)
	}
	if r := masterSize(v, false); r.Memory != 1024+384 || r.Cores != 1 {
		t.Errorf("application master: %+v", r)
	}
	e := &cluster.Executor{Memory: 2 << 30, Cores: 4}
	r := executorSize(v, e)
	if r.Memory != 2048+384+100 || r.Cores != 4 || len(r.Others) != 2 {
		t.Fatalf("executor: %+v", r)
	}
	if *r.Others[0] != (yarn.ResourceInfo{Name: "disk", Value: 5, Units: "G"}) || *r.Others[1] != (yarn.ResourceInfo{Name: "yarn.io/gpu", Value: 2}) {
		t.Errorf("%+v %+v", r.Others[0], r.Others[1])
	}
	e.Overhead = 1 << 30
	if r := executorSize(v, e); r.Memory != 2048+1024+100 {
		t.Errorf("executor with overhead: %+v", r)
	}
	var big *TooBigError
	err := fits("executor", &yarn.Resource{Memory: 3000, Cores: 1}, &yarn.Resource{Memory: 2000, Cores: 4}, "m", "c")
	if !errors.As(err, &big) || big.Need != 3000 || big.Key != "m" {
		t.Errorf("%v", err)
	}
	if err := fits("executor", &yarn.Resource{Memory: 1, Cores: 5}, &yarn.Resource{Memory: 2000, Cores: 4}, "m", "c"); !errors.As(err, &big) || big.Key != "c" {
		t.Errorf("%v", err)
	}
}

func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		given, cluster string
		want           int
	}{{"", "", 2}, {"1", "", 1}, {"9", "", 2}, {"9", "4", 4}, {"", "4", 4}} {
		settings, h := map[string]string{}, hadoop.Conf{}
		if c.given != "" {
			settings["spark.yarn.maxAppAttempts"] = c.given
		}
		if c.cluster != "" {
			h["yarn.resourcemanager.am.max-attempts"] = c.cluster
		}
		if got := attempts(conf.NewValues(settings), h); got != c.want {
			t.Errorf("%q of %q: %d, want %d", c.given, c.cluster, got, c.want)
		}
	}
}

func TestPastURL(t *testing.T) {
	h := hadoop.Conf{"yarn.resourcemanager.hostname": "rm.example"}
	for address, want := range map[string]string{"": "", "past:18080": "past:18080/history/application_1_0007/2",
		"http://${hadoopconf-yarn.resourcemanager.hostname}:18080": "http://rm.example:18080/history/application_1_0007/2"} {
		settings := map[string]string{}
		if address != "" {
			settings["spark.yarn.historyServer.address"] = address
		}
		if got := pastURL(conf.NewValues(settings), h, "application_1_0007", 2); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
