package kubernetes

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

// rig is a manager on a test server.
type rig struct {
	*server
	m   *Manager
	app cluster.App

	mu      sync.Mutex
	notices []cluster.Notice
}

func newRig(t *testing.T, settings map[string]string) *rig {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	r := &rig{server: newServer(t), app: cluster.App{ID: "spark-1", Name: "A Test", User: "me", DriverURL: "d:7078", Secret: "hush",
		Executor: cluster.Executor{Cores: 2, Memory: 1 << 30, Binary: "/opt/firesteel/bin/firesteel", Env: map[string]string{"A": "b"}},
		Conf:     map[string]string{"spark.kubernetes.container.image": "img:1", "spark.kubernetes.allocation.batch.delay": "20ms"}}}
	for k, v := range settings {
		r.app.Conf[k] = v
	}
	return r
}

func (r *rig) start() *rig {
	r.t.Helper()
	r.m = New(r.URL)
	if err := r.m.Start(r.t.Context(), r.app, func(n cluster.Notice) {
		r.mu.Lock()
		r.notices = append(r.notices, n)
		r.mu.Unlock()
	}); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := r.m.Stop(context.Background()); err != nil {
			r.t.Error(err)
		}
	})
	return r
}

func (r *rig) scale(n int) {
	r.t.Helper()
	if err := r.m.Scale(r.t.Context(), n); err != nil {
		r.t.Fatal(err)
	}
}

// exit waits for the end of an executor to be told.
func (r *rig) exit(id event.ExecutorID) cluster.Exited {
	r.t.Helper()
	var out cluster.Exited
	eventually(r.t, "the exit of "+string(id), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, n := range r.notices {
			if x, ok := n.(cluster.Exited); ok && x.ID == id {
				out = x
				return true
			}
		}
		return false
	})
	return out
}

func (r *rig) pod(id string) string {
	r.t.Helper()
	name := resourcePrefix(r.app.Name, r.app.ID) + "-exec-" + id
	eventually(r.t, "pod "+name, func() bool { return slices.Contains(r.names("pods"), name) })
	return name
}

func (r *rig) run(id string) string {
	name := r.pod(id)
	r.status(name, func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning })
	return name
}

func terminate(code int32, reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodFailed
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: executorContainer,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}}}
	}
}

func TestExecutorPod(t *testing.T) {
	r := newRig(t, nil).start()
	r.scale(1)
	p := find[corev1.Pod](r.server, "pods", r.pod("1"))
	c := p.Spec.Containers[0]
	if want := []string{"executor", "--driver-url", "d:7078", "--app-id", "spark-1", "--executor-id", "1", "--host", "$(SPARK_EXECUTOR_POD_IP)",
		"--cores", "2", "--memory", "1073741824"}; !slices.Equal(c.Args, want) {
		t.Errorf("arguments %q", c.Args)
	}
	if m := c.Resources.Limits.Memory().String(); m != "1408Mi" || c.Resources.Requests.Memory().String() != m || c.Resources.Requests.Cpu().String() != "2" {
		t.Errorf("resources %+v", c.Resources)
	}
	if c.Command != nil || c.Image != "img:1" || p.Spec.RestartPolicy != corev1.RestartPolicyNever || p.Labels[labelRole] != "executor" {
		t.Errorf("pod %+v", p)
	}
	var secret string
	for _, v := range c.Env {
		if v.Value == "hush" {
			t.Error("the secret is in the pod")
		}
		if v.Name == cluster.SecretEnv {
			secret = v.ValueFrom.SecretKeyRef.Name
		}
	}
	if s := find[corev1.Secret](r.server, "secrets", secret); s == nil || s.StringData[secretKey] != "hush" {
		t.Errorf("secret %q: %+v", secret, s)
	}
}

func TestOwner(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.driver.pod.name": "driver"})
	if err := New(r.URL).Start(t.Context(), r.app, nil); err == nil || !strings.Contains(err.Error(), "spark.kubernetes.driver.pod.name=driver") {
		t.Errorf("without the pod: %v", err)
	}
	c, err := newClient(mustConnect(t, r), "default", 1e9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.pods.create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "driver", Namespace: "default"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "img:1"}}}}); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.scale(1)
	p := find[corev1.Pod](r.server, "pods", r.pod("1"))
	if len(p.OwnerReferences) != 1 || p.OwnerReferences[0].Name != "driver" || p.OwnerReferences[0].UID == "" {
		t.Errorf("owner %+v", p.OwnerReferences)
	}
	if !slices.Equal(p.Spec.Containers[0].Command, []string{"/opt/firesteel/bin/firesteel"}) {
		t.Errorf("command %q", p.Spec.Containers[0].Command)
	}
}

func TestReplacements(t *testing.T) {
	r := newRig(t, nil).start()
	r.scale(1)
	r.status(r.run("1"), terminate(137, "OOMKilled"))
	if x := r.exit("1"); x.PlatformFault || x.Code != 137 || !strings.Contains(x.Reason, "OOMKilled: the container went over its memory limit of 1408Mi") {
		t.Errorf("%+v", x)
	}
	r.status(r.run("2"), func(p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: memory."
	})
	if x := r.exit("2"); !x.PlatformFault || x.Reason != "Evicted: The node was low on resource: memory." {
		t.Errorf("%+v", x)
	}
	r.vanish(r.run("3"), true)
	if x := r.exit("3"); !x.PlatformFault || !strings.Contains(x.Reason, "deleted") {
		t.Errorf("%+v", x)
	}
	r.status(r.run("4"), func(p *corev1.Pod) { // it is deleted, and ends in good order
		terminate(0, "Completed")(p)
		now := metav1.Now()
		p.DeletionTimestamp = &now
	})
	if x := r.exit("4"); !x.PlatformFault || !strings.Contains(x.Reason, "deleted") {
		t.Errorf("%+v", x)
	}
	r.run("5")
	if got := r.names("pods"); len(got) != 1 {
		t.Errorf("pods %q", got)
	}
}

// TestWatchesEnd: watches are closed and versions forgotten, and what happened meanwhile is still found.
func TestWatchesEnd(t *testing.T) {
	r := newRig(t, nil).start()
	r.scale(1)
	name := r.run("1")
	for range 3 {
		r.closeWatches()
	}
	r.forget()
	r.vanish(name, false)
	if x := r.exit("1"); !x.PlatformFault {
		t.Errorf("%+v", x)
	}
	r.status(r.run("2"), terminate(1, "Error"))
	r.exit("2")
}

// TestPolling: without watches, lists find what happened.
func TestPolling(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.executor.enableApiWatcher": "false", "spark.kubernetes.executor.apiPollingInterval": "20ms"}).start()
	r.scale(1)
	r.vanish(r.run("1"), true)
	r.exit("1")
}

func TestQuota(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.allocation.batch.size": "1"})
	const cause = "exceeded quota: tiny, requested: pods=1, used: pods=0, limited: pods=0"
	r.refuseWith(func(method, plural, name string) *apierrors.StatusError {
		if method == "POST" && plural == "pods" {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, name, errorText(cause))
		}
		return nil
	})
	r.start().scale(1)
	if x := r.exit("1"); !strings.Contains(x.Reason, cause) {
		t.Errorf("%+v", x)
	}
	eventually(t, "the failure", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		f, ok := r.notices[len(r.notices)-1].(cluster.Failed)
		return ok && apierrors.IsForbidden(f.Err) && strings.Contains(f.Err.Error(), cause)
	})
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestStopDeletesEverything(t *testing.T) {
	r := newRig(t, map[string]string{
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.claimName": "OnDemand",
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.sizeLimit": "1Gi",
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path":        "/data",
	}).start()
	r.scale(3)
	r.pod("3")
	eventually(t, "three claims", func() bool { return len(r.names("persistentvolumeclaims")) == 3 }) // they follow their pods
	for range 2 {
		if err := r.m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, plural := range []string{"pods", "secrets", "persistentvolumeclaims"} {
		if left := r.names(plural); len(left) != 0 {
			t.Errorf("left: %s %q", plural, left)
		}
	}
}

// TestClaimsAreReused: the claim of an executor that is gone goes to the next one.
func TestClaimsAreReused(t *testing.T) {
	r := newRig(t, map[string]string{
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.claimName":    "OnDemand",
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.sizeLimit":    "1Gi",
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.storageClass": "fast",
		"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path":           "/data",
	}).start()
	r.scale(1)
	first := r.run("1")
	r.scale(0)
	if err := r.m.Kill(t.Context(), []event.ExecutorID{"1"}); err != nil {
		t.Fatal(err)
	}
	r.exit("1")
	eventually(t, "the claim is free", func() bool { return freeClaims(r.m.launcher) == 1 })
	r.scale(1)
	p := find[corev1.Pod](r.server, "pods", r.pod("2"))
	if got := p.Spec.Volumes[0].PersistentVolumeClaim.ClaimName; got != first+"-pvc-0" {
		t.Errorf("claim %q", got)
	}
	c := find[corev1.PersistentVolumeClaim](r.server, "persistentvolumeclaims", first+"-pvc-0")
	if *c.Spec.StorageClassName != "fast" || c.Spec.AccessModes[0] != corev1.ReadWriteOncePod {
		t.Errorf("claim %+v", c.Spec)
	}
	for _, v := range p.Spec.Containers[0].Env {
		if v.Name == "SPARK_LOCAL_DIRS" && v.Value != "/data" {
			t.Errorf("local directories %q", v.Value)
		}
	}
}

func freeClaims(l *launcher) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.claims {
		if c.holder == "" {
			n++
		}
	}
	return n
}

// TestKeptPods: with deleteOnTermination=false a pod that ended stays and is no executor any more.
func TestKeptPods(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.executor.deleteOnTermination": "false"}).start()
	r.scale(1)
	name := r.run("1")
	r.status(name, terminate(3, "Error"))
	if x := r.exit("1"); x.Reason != "The executor exited with status 3." {
		t.Errorf("%+v", x)
	}
	eventually(t, "the label", func() bool { return find[corev1.Pod](r.server, "pods", name).Labels[labelInactive] == "true" })
	r.pod("2")
}
