package cluster

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Kind is a kind of cluster manager.
type Kind uint8

// The kinds.
const (
	Local        Kind = iota // this process
	LocalCluster             // a standalone cluster of processes on this machine, for tests
	Standalone
	YARN
	Mesos
	Kubernetes
)

var kindNames = [...]string{"local", "local-cluster", "standalone", "yarn", "mesos", "kubernetes"}

func (k Kind) String() string { return kindNames[k] }

// Master is a parsed master URL.
type Master struct {
	URL  string
	Kind Kind
	// Threads are the slots of a local master; 0 means one per CPU (local[*]).
	Threads int
	// Failures is how often a task may fail on a local master: 1 unless given as local[N,F].
	Failures int
	// Workers, Cores and MemoryMB describe each worker of a local-cluster.
	Workers, Cores, MemoryMB int
	// Addresses are host:port of the masters of a standalone cluster, all of which are tried.
	Addresses []string
	// Target is what comes after mesos:// (host:port or zk://…) or k8s:// (a URL with its scheme).
	Target string
}

// ParseMaster reads a master URL: local, local[N], local[*], local[N,F], local-cluster[n,c,m],
// spark://h1:p,h2:p, yarn, mesos://… and k8s://….
func ParseMaster(url string) (Master, error) {
	m := Master{URL: url, Failures: 1}
	ok := false
	switch {
	case url == "local":
		m.Threads, ok = 1, true
	case strings.HasPrefix(url, "local["):
		ok = m.parseLocal(url)
	case strings.HasPrefix(url, "local-cluster["):
		ok = m.parseLocalCluster(url)
	case strings.HasPrefix(url, "spark://"):
		ok = m.parseStandalone(url)
	case url == "yarn":
		m.Kind, ok = YARN, true
	case strings.HasPrefix(url, "mesos://"), strings.HasPrefix(url, "zk://"):
		m.Kind, m.Target = Mesos, strings.TrimPrefix(url, "mesos://")
		ok = m.Target != ""
	case strings.HasPrefix(url, "k8s://"):
		ok = m.parseKubernetes(url)
	}
	if !ok {
		return Master{}, &MasterError{url}
	}
	return m, nil
}

// MasterError is the error of a master URL that is none.
type MasterError struct{ URL string }

func (e *MasterError) Error() string {
	return "Could not parse Master URL: '" + e.URL + "'. Known forms: local, local[N], local[*], local[N,F], " +
		"local-cluster[workers,cores,MiB], spark://host:port[,host:port…], yarn, mesos://host:port, k8s://https://host:port."
}

// arguments splits "name[a,b]" into its arguments.
func arguments(url, name string) ([]string, bool) {
	rest, ok := strings.CutPrefix(url, name+"[")
	if !ok {
		return nil, false
	}
	rest, ok = strings.CutSuffix(rest, "]")
	args := strings.Split(rest, ",")
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	return args, ok
}

func positive(s string, into *int) bool {
	n, err := strconv.Atoi(s)
	*into = n
	return err == nil && n > 0
}

func (m *Master) parseLocal(url string) bool {
	args, ok := arguments(url, "local")
	if !ok || len(args) > 2 {
		return false
	}
	if args[0] != "*" && !positive(args[0], &m.Threads) {
		return false
	}
	return len(args) == 1 || positive(args[1], &m.Failures)
}

func (m *Master) parseLocalCluster(url string) bool {
	args, ok := arguments(url, "local-cluster")
	m.Kind = LocalCluster
	return ok && len(args) == 3 && positive(args[0], &m.Workers) && positive(args[1], &m.Cores) && positive(args[2], &m.MemoryMB)
}

func (m *Master) parseStandalone(url string) bool {
	m.Kind = Standalone
	m.Addresses = strings.Split(strings.TrimPrefix(url, "spark://"), ",")
	for _, a := range m.Addresses {
		i := strings.LastIndexByte(a, ':')
		var port int
		if i <= 0 || !positive(a[i+1:], &port) || port > 65535 || strings.ContainsAny(a[:i], "/@ ") {
			return false
		}
	}
	return true
}

func (m *Master) parseKubernetes(url string) bool {
	m.Kind = Kubernetes
	m.Target = strings.TrimPrefix(url, "k8s://")
	if m.Target == "" {
		return false
	}
	if !strings.Contains(m.Target, "://") {
		m.Target = "https://" + m.Target
	}
	return strings.HasPrefix(m.Target, "https://") || strings.HasPrefix(m.Target, "http://")
}

// Unsupported is the error for a kind of master that is not there.
func (m Master) Unsupported() error {
	return sparkerr.Unsupported("master " + m.URL + " (cluster manager " + m.Kind.String() + ")")
}
