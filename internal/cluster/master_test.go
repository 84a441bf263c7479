package cluster

import (
	"reflect"
	"testing"
)

func TestParseMaster(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Master
	}{
		{"local", Master{Kind: Local, Threads: 1, Failures: 1}},
		{"local[4]", Master{Kind: Local, Threads: 4, Failures: 1}},
		{"local[*]", Master{Kind: Local, Failures: 1}},
		{"local[*,3]", Master{Kind: Local, Failures: 3}},
		{"local[2, 4]", Master{Kind: Local, Threads: 2, Failures: 4}},
		{"local-cluster[2,1,512]", Master{Kind: LocalCluster, Failures: 1, Workers: 2, Cores: 1, MemoryMB: 512}},
		{"local-cluster[2 , 1 , 512]", Master{Kind: LocalCluster, Failures: 1, Workers: 2, Cores: 1, MemoryMB: 512}},
		{"spark://a:7077,b:7078", Master{Kind: Standalone, Failures: 1, Addresses: []string{"a:7077", "b:7078"}}},
		{"spark://[::1]:7077", Master{Kind: Standalone, Failures: 1, Addresses: []string{"[::1]:7077"}}},
		{"yarn", Master{Kind: YARN, Failures: 1}},
		{"mesos://h:5050", Master{Kind: Mesos, Failures: 1, Target: "h:5050"}},
		{"mesos://zk://a:1,b:2/mesos", Master{Kind: Mesos, Failures: 1, Target: "zk://a:1,b:2/mesos"}},
		{"k8s://https://h:6443", Master{Kind: Kubernetes, Failures: 1, Target: "https://h:6443"}},
		{"k8s://h:6443", Master{Kind: Kubernetes, Failures: 1, Target: "https://h:6443"}},
	} {
		c.want.URL = c.url
		if got, err := ParseMaster(c.url); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseMaster(%q) = %+v, %v; want %+v", c.url, got, err, c.want)
		}
	}
	for _, url := range []string{
		"", "locale", "local[", "local[]", "local[0]", "local[-1]", "local[x]", "local[1,0]", "local[1,2,3]", "local[2]x",
		"local-cluster[1,2]", "local-cluster[0,1,1]", "spark://", "spark://a", "spark://a:b", "spark://a:70000", "spark://u@a:1",
		"yarn-client", "k8s://", "k8s://ftp://h", "mesos://",
	} {
		if got, err := ParseMaster(url); err == nil {
			t.Errorf("ParseMaster(%q) = %+v, want an error", url, got)
		}
	}
}
