// Package managers knows all cluster managers that give executors in other processes, by kind.
package managers

import (
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/kubernetes"
	"github.com/firesteel/firesteel/internal/cluster/localcluster"
	"github.com/firesteel/firesteel/internal/cluster/mesos"
	"github.com/firesteel/firesteel/internal/cluster/standalone"
	"github.com/firesteel/firesteel/internal/cluster/yarn"
	"github.com/firesteel/firesteel/internal/conf"
)

// New makes the manager of a master, not started. A kind that is not there is an error that names it.
func New(m cluster.Master, v *conf.Values) (cluster.Manager, error) {
	switch m.Kind {
	case cluster.LocalCluster:
		return localcluster.New(m), nil
	case cluster.Standalone:
		return standalone.NewManager(m, v), nil
	case cluster.Kubernetes:
		return kubernetes.New(m.Target), nil
	case cluster.YARN:
		return yarn.New(v), nil
	case cluster.Mesos:
		return mesos.New(m.Target), nil
	}
	return nil, m.Unsupported()
}
