package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/event"
)

// kubelet runs the pods of a test server as processes of this machine.
type kubelet struct {
	s    *server
	dir  string // of containers
	end  chan struct{}
	work sync.WaitGroup
	runs map[string]*child.Process
}

func startKubelet(t *testing.T, s *server) {
	k := &kubelet{s: s, dir: t.TempDir(), end: make(chan struct{}), runs: map[string]*child.Process{}}
	k.work.Go(func() {
		for {
			k.sync()
			select {
			case <-k.end:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		close(k.end)
		k.work.Wait()
		for _, p := range k.runs {
			p.End(time.Second)
		}
	})
}

// sync starts the processes of new pods, ends those of pods that are gone, and tells how others ended.
func (k *kubelet) sync() {
	for name, p := range k.runs {
		select {
		case <-p.Done():
			code, _ := p.Ended()
			if find[corev1.Pod](k.s, "pods", name) != nil {
				k.s.status(name, ran(int32(code)))
			}
			delete(k.runs, name)
		default:
			if find[corev1.Pod](k.s, "pods", name) == nil {
				p.End(time.Second)
				delete(k.runs, name)
			}
		}
	}
	for _, name := range k.s.names("pods") {
		if p := find[corev1.Pod](k.s, "pods", name); p != nil && k.runs[name] == nil && p.Status.Phase == "" {
			k.start(p)
		}
	}
}

func ran(code int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		terminate(code, "Error")(p)
		if code == 0 {
			p.Status.Phase = corev1.PodSucceeded
		}
	}
}

func (k *kubelet) start(p *corev1.Pod) {
	c, env, variables := p.Spec.Containers[0], map[string]string{}, []string{}
	for _, v := range c.Env {
		value := v.Value
		if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
			value = find[corev1.Secret](k.s, "secrets", v.ValueFrom.SecretKeyRef.Name).StringData[v.ValueFrom.SecretKeyRef.Key]
		} else if v.ValueFrom != nil {
			value = map[string]string{"status.podIP": "127.0.0.1", "metadata.name": p.Name}[v.ValueFrom.FieldRef.FieldPath]
		}
		env[v.Name] = value
		variables = append(variables, "$("+v.Name+")", value)
	}
	var args []string
	for _, a := range c.Args {
		args = append(args, strings.NewReplacer(variables...).Replace(a))
	}
	dir, err := os.MkdirTemp(k.dir, "container-")
	if err != nil {
		k.s.t.Error(err)
		return
	}
	run, err := child.Start(child.Spec{Path: os.Args[0], Args: args, Env: env, Follow: true, Dir: dir})
	if err != nil {
		k.s.t.Errorf("pod %s: %v", p.Name, err)
		return
	}
	k.runs[p.Name] = run
	k.s.status(p.Name, func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning })
}

// TestContract: on a test server whose pods are processes of this machine.
func TestContract(t *testing.T) {
	r := newRig(t, nil)
	startKubelet(t, r.server)
	n := 0
	clustertest.Run(t, clustertest.Subject{
		New:       func(*testing.T) cluster.Manager { return New(r.URL) },
		NewBroken: func(*testing.T) cluster.Manager { return New(r.URL + "/%") },
		First:     1,
		App: func(a *cluster.App) {
			n++
			a.ID, a.Conf = event.AppID(fmt.Sprintf("app-%d", n)), r.app.Conf
		},
	})
}

// TestRealContract: on the real cluster, with the rights of the manifest.
func TestRealContract(t *testing.T) {
	r := newRealRig(t, nil)
	host := os.Getenv("FIRESTEEL_K8S_HOST")
	if host == "" {
		t.Skip("no address at which pods reach this machine: FIRESTEEL_K8S_HOST is not set (scripts/clusters/k8s-up tells it as HOST_IP)")
	}
	r.driverAccount()
	n := 0
	clustertest.Run(t, clustertest.Subject{
		New:       func(*testing.T) cluster.Manager { return New(os.Getenv("FIRESTEEL_K8S_MASTER")) },
		NewBroken: func(*testing.T) cluster.Manager { return New("https://127.0.0.1:1") },
		First:     1, Listen: host + ":0", Contained: true,
		App: func(a *cluster.App) {
			n++
			a.ID, a.Conf = event.AppID(fmt.Sprintf("%s-%d", r.app.ID, n)), r.app.Conf
		},
	})
}

// driverAccount makes the rest of the test act as the service account of the manifest.
func (r *realRig) driverAccount() {
	r.t.Helper()
	role, err := os.ReadFile("../../../deploy/kubernetes/rbac.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	r.kubectl(string(role), "-n", r.namespace, "apply", "-f", "-")
	tokenFile := filepath.Join(r.t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(r.kubectl("", "-n", r.namespace, "create", "token", "firesteel-driver")), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.app.Conf["spark.kubernetes.authenticate.oauthTokenFile"] = tokenFile
	r.app.Conf["spark.kubernetes.authenticate.executor.serviceAccountName"] = "firesteel-executor"
}
