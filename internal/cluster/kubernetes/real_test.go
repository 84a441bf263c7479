package kubernetes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/image"
)

// The tests of this file need a real cluster: scripts/clusters/k8s-up starts one and says the variables.

// TestMain makes the test's own binary an executor too: one that waits, or that takes memory until it is killed.
func TestMain(m *testing.M) {
	if os.Getenv(standInEnv) != "" {
		standIn()
		return
	}
	clustertest.ExecutorMain()
	goleak.VerifyTestMain(m)
}

// standInEnv says what the stand-in of an executor does.
const standInEnv = "_FIRESTEEL_STAND_IN"

func standIn() {
	fmt.Println("arguments", os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	switch os.Getenv(standInEnv) {
	case "greedy":
		for kept := [][]byte{}; ; {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = byte(i)
			}
			kept = append(kept, b)
			if len(kept) > 1<<12 {
				return
			}
		}
	case "failing":
		os.Exit(3)
	case "writing": // more than its volume may hold
		for _, dir := range strings.Split(os.Getenv("SPARK_LOCAL_DIRS"), ",") {
			if err := os.WriteFile(filepath.Join(dir, "much"), make([]byte, 32<<20), 0o600); err != nil {
				fmt.Println(err)
				os.Exit(4)
			}
		}
	}
	<-ctx.Done()
	os.Exit(143) // as executors do
}

const standInImage = "localhost/firesteel-stand-in:test"

// load makes the image of the test's binary, once.
var load = sync.OnceValue(func() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "image.tar")
	if err := image.Firesteel(standInImage, runtime.GOARCH, self, "", "", nil, nil).Write(file); err != nil {
		return err
	}
	command := strings.Fields(os.Getenv("FIRESTEEL_K8S_LOAD"))
	if out, err := exec.Command(command[0], append(command[1:], file)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// realRig is a manager on the real cluster, in a namespace of its own.
type realRig struct {
	*rig
	t         *testing.T
	namespace string
	direct    *client // with the rights of the administrator
}

func newRealRig(t *testing.T, settings map[string]string) *realRig {
	master := os.Getenv("FIRESTEEL_K8S_MASTER")
	if master == "" {
		t.Skip("no Kubernetes: FIRESTEEL_K8S_MASTER is not set (scripts/clusters/k8s-up starts one)")
	}
	if err := load(); err != nil {
		t.Fatal(err)
	}
	r := &realRig{t: t, namespace: fmt.Sprintf("fs-%d", time.Now().UnixNano())}
	r.kubectl("", "create", "namespace", r.namespace)
	t.Cleanup(func() { r.kubectl("", "delete", "namespace", r.namespace, "--wait=false") })
	r.rig = &rig{server: &server{t: t}, app: cluster.App{ID: event.AppID("spark-" + r.namespace), Name: "real", User: "me", DriverURL: "nobody:1", Secret: "hush",
		Executor: cluster.Executor{Cores: 1, Memory: 32 << 20, Env: map[string]string{standInEnv: "waiting"}},
		Conf: map[string]string{"spark.kubernetes.container.image": standInImage, "spark.kubernetes.namespace": r.namespace,
			"spark.executor.memoryOverhead": "32m", "spark.kubernetes.executor.request.cores": "50m", "spark.kubernetes.executor.apiPollingInterval": "5s"}}}
	for k, v := range settings {
		r.app.Conf[k] = v
	}
	cfg, err := connection(conf.NewValues(r.app.Conf), master, authClient)
	if err != nil {
		t.Fatal(err)
	}
	if r.direct, err = newClient(cfg, r.namespace, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.direct.close)
	r.kubectlUntil("serviceaccount", "default")
	return r
}

func (r *realRig) kubectl(stdin string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(os.Getenv("FIRESTEEL_KUBECTL"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Errorf("kubectl %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *realRig) kubectlUntil(kind, name string) {
	r.t.Helper()
	eventually(r.t, kind+" "+name, func() bool {
		return exec.Command(os.Getenv("FIRESTEEL_KUBECTL"), "-n", r.namespace, "get", kind, name).Run() == nil
	})
}

func (r *realRig) begin() *realRig {
	r.t.Helper()
	r.m = New(os.Getenv("FIRESTEEL_K8S_MASTER"))
	return r.start()
}

// start starts the manager.
func (r *realRig) start() *realRig {
	r.t.Helper()
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.m.Stop(ctx); err != nil {
			r.t.Error(err)
		}
	})
	if err := r.m.Start(r.t.Context(), r.app, func(n cluster.Notice) {
		r.mu.Lock()
		r.notices = append(r.notices, n)
		r.mu.Unlock()
	}); err != nil {
		r.t.Fatal(err)
	}
	return r
}

// running are the names of the executor pods that run and are not being deleted.
func (r *realRig) running() (names []string) {
	l, err := r.direct.pods.list(r.t.Context(), listOptions(r.m.selector()))
	if err != nil {
		r.t.Error(err)
		return nil
	}
	for _, p := range l.Items {
		if p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
			names = append(names, p.Name)
		}
	}
	return names
}

func (r *realRig) untilRunning(n int) {
	r.t.Helper()
	limit := time.Now().Add(45 * time.Second)
	for len(r.running()) != n {
		if time.Now().After(limit) {
			r.t.Fatalf("%d executors and not %d; %s", len(r.running()), n, r.kubectl("", "-n", r.namespace, "get", "pods,events,pvc"))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// exitWithin waits longer than the unit tests do.
func (r *realRig) exitWithin(id event.ExecutorID, d time.Duration) cluster.Exited {
	r.t.Helper()
	for limit := time.Now().Add(d); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
		r.mu.Lock()
		for _, n := range r.notices {
			if x, ok := n.(cluster.Exited); ok && x.ID == id {
				r.mu.Unlock()
				return x
			}
		}
		r.mu.Unlock()
	}
	r.t.Fatalf("the end of %s was not told; %s", id, r.kubectl("", "-n", r.namespace, "describe", "pods"))
	return cluster.Exited{}
}

// TestRealScaling: 1, 4 and 1 again, by a service account that has the documented rights only; a deleted pod is replaced.
func TestRealScaling(t *testing.T) {
	r := newRealRig(t, nil)
	r.driverAccount()
	r.begin().scale(1)
	start := time.Now()
	r.untilRunning(1)
	t.Logf("1 executor after %v", time.Since(start))
	start = time.Now()
	r.scale(4)
	r.untilRunning(4)
	t.Logf("4 executors after %v", time.Since(start))
	start = time.Now()
	victim := r.running()[0]
	r.kubectl("", "-n", r.namespace, "delete", "pod", victim, "--wait=false")
	if x := r.exitWithin(event.ExecutorID(victim[strings.LastIndexByte(victim, '-')+1:]), 60*time.Second); !x.PlatformFault {
		t.Errorf("%+v", x)
	}
	r.untilRunning(4)
	t.Logf("4 again %v after one was deleted", time.Since(start))
	left := false
	r.mu.Lock()
	for _, n := range r.notices {
		if l, ok := n.(cluster.Leaving); ok && l.Grace == 30*time.Second {
			left = true
		}
	}
	r.mu.Unlock()
	if !left {
		t.Error("that the pod was leaving was not told")
	}
	r.scale(1)
	for _, name := range r.running()[1:] {
		if err := r.m.Kill(t.Context(), []event.ExecutorID{event.ExecutorID(name[strings.LastIndexByte(name, '-')+1:])}); err != nil {
			t.Fatal(err)
		}
	}
	r.untilRunning(1)
	time.Sleep(2 * time.Second)
	r.untilRunning(1)
	if err := r.m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := r.kubectl("", "-n", r.namespace, "get", "secrets", "-o", "name"); s != "" {
		t.Errorf("left: %s", s)
	}
	r.untilRunning(0)
}

func TestRealOOM(t *testing.T) {
	r := newRealRig(t, nil)
	r.app.Executor.Env = map[string]string{standInEnv: "greedy"}
	r.begin().scale(1)
	if x := r.exitWithin("1", 60*time.Second); x.PlatformFault || x.Code != 137 || !strings.Contains(x.Reason, "OOMKilled") || !strings.Contains(x.Reason, "64Mi") {
		t.Errorf("%+v", x)
	} else {
		t.Log(x.Reason)
	}
}

func TestRealExitCode(t *testing.T) {
	r := newRealRig(t, nil)
	r.app.Executor.Env = map[string]string{standInEnv: "failing"}
	r.begin().scale(1)
	if x := r.exitWithin("1", 60*time.Second); x.PlatformFault || x.Code != 3 {
		t.Errorf("%+v", x)
	}
	for limit := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r.mu.Lock()
		f, ok := r.notices[len(r.notices)-1].(cluster.Failed)
		r.mu.Unlock()
		if ok {
			t.Log(f.Err)
			break
		}
		if time.Now().After(limit) {
			t.Fatal("executors that fail again and again do not fail the application")
		}
	}
}

func TestRealQuota(t *testing.T) {
	r := newRealRig(t, nil)
	r.kubectl("", "-n", r.namespace, "create", "quota", "tiny", "--hard=pods=1")
	r.begin().scale(2)
	eventually(t, "the refusal", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, n := range r.notices {
			if x, ok := n.(cluster.Exited); ok && strings.Contains(x.Reason, "exceeded quota: tiny") {
				t.Log(x.Reason)
				return true
			}
		}
		return false
	})
	r.untilRunning(1)
}

func TestRealImagePull(t *testing.T) {
	r := newRealRig(t, map[string]string{"spark.kubernetes.container.image": "localhost/there-is-none:1",
		"spark.kubernetes.allocation.executor.timeout": "3s"})
	r.begin().scale(1)
	if x := r.exitWithin("1", 60*time.Second); !strings.Contains(x.Reason, "ErrImagePull") && !strings.Contains(x.Reason, "ImagePullBackOff") {
		t.Errorf("%+v", x)
	} else {
		t.Log(x.Reason)
	}
}

// until waits for an exit whose reason has a text.
func (r *realRig) until(text string, limit time.Duration) cluster.Exited {
	r.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		r.mu.Lock()
		for _, n := range r.notices {
			if x, ok := n.(cluster.Exited); ok && strings.Contains(x.Reason, text) {
				r.mu.Unlock()
				return x
			}
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Fatalf("no exit tells of %q: %+v; %s", text, r.notices, r.kubectl("", "-n", r.namespace, "get", "pods", "-o", "wide"))
	return cluster.Exited{}
}

// TestRealEviction: an executor that fills its volume is evicted by the kubelet, which is told and is nobody's failure.
func TestRealEviction(t *testing.T) {
	r := newRealRig(t, map[string]string{"spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1.mount.path": "/data",
		"spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1.options.sizeLimit": "8Mi"})
	r.app.Executor.Env, r.app.Executor.Memory = map[string]string{standInEnv: "writing"}, 128<<20
	r.begin().scale(1)
	x := r.until("Evicted", 90*time.Second)
	if t.Log(x.Reason); !x.PlatformFault || !strings.Contains(x.Reason, "spark-local-dir-1") {
		t.Errorf("%+v", x)
	}
}

// TestRealDrain: an eviction through the API, as kubectl drain asks for: the executor hears of it, is told to the driver, and
// has a successor before it has gone.
func TestRealDrain(t *testing.T) {
	r := newRealRig(t, nil)
	r.begin().scale(2)
	r.untilRunning(2)
	victim := r.running()[0]
	id := event.ExecutorID(victim[strings.LastIndexByte(victim, '-')+1:])
	body := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q,"namespace":%q}}`, victim, r.namespace)
	r.kubectl(body, "create", "--raw", "/api/v1/namespaces/"+r.namespace+"/pods/"+victim+"/eviction", "-f", "-")
	x := r.exitWithin(id, 60*time.Second)
	if t.Log(x.Reason); !x.PlatformFault {
		t.Errorf("%+v", x)
	}
	r.untilRunning(2)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.notices {
		if l, ok := n.(cluster.Leaving); ok && l.ID == id && l.Grace == 30*time.Second {
			return
		}
	}
	t.Errorf("that the pod was leaving was not told: %+v", r.notices)
}

// TestRealClaims: executors get claims of their own, and their successors get those that have become free.
func TestRealClaims(t *testing.T) {
	const at = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1."
	r := newRealRig(t, map[string]string{at + "mount.path": "/data", at + "options.claimName": "OnDemand", at + "options.sizeLimit": "16Mi",
		"spark.kubernetes.driver.waitToReusePersistentVolumeClaim": "true"})
	class := r.namespace // of volumes that nobody else takes
	r.app.Conf[at+"options.storageClass"] = class
	for i := range 2 {
		r.kubectl(fmt.Sprintf(`{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"%s-%d"},"spec":{"capacity":{"storage":"16Mi"},
			"accessModes":["ReadWriteOncePod"],"storageClassName":%q,"persistentVolumeReclaimPolicy":"Retain",
			"hostPath":{"path":%q,"type":"DirectoryOrCreate"}}}`, class, i, class, filepath.Join(t.TempDir(), fmt.Sprint(i))), "create", "-f", "-")
		t.Cleanup(func() { r.kubectl("", "delete", "pv", fmt.Sprintf("%s-%d", class, i), "--wait=false") })
	}
	r.driverAccount()
	r.begin().scale(2)
	r.untilRunning(2)
	claims := func() string { return r.kubectl("", "-n", r.namespace, "get", "pvc", "-o", "name") }
	before := claims()
	if len(strings.Fields(before)) != 2 {
		t.Fatalf("claims: %s", before)
	}
	victim := r.running()[0]
	r.kubectl("", "-n", r.namespace, "delete", "pod", victim, "--grace-period=1", "--wait=false")
	r.exitWithin(event.ExecutorID(victim[strings.LastIndexByte(victim, '-')+1:]), 60*time.Second)
	r.untilRunning(2)
	if after := claims(); after != before {
		t.Errorf("claims were %s and are %s", before, after)
	}
	if err := r.m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the claims", func() bool { return claims() == "" })
}

// TestRealTemplate: what the template of pods says holds, and side containers of it run.
func TestRealTemplate(t *testing.T) {
	r := newRealRig(t, nil)
	file := filepath.Join(t.TempDir(), "executor.yaml")
	if err := os.WriteFile(file, []byte(`apiVersion: v1
kind: Pod
metadata: {labels: {team: data}, annotations: {note: hello}}
spec:
  tolerations: [{key: spot, operator: Exists}]
  terminationGracePeriodSeconds: 7
  securityContext: {runAsNonRoot: true, runAsUser: 185}
  containers:
  - name: mine
    env: [{name: FROM_TEMPLATE, value: "1"}]
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  - {name: side, image: `+standInImage+`, imagePullPolicy: Never, env: [{name: `+standInEnv+`, value: waiting}]}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	r.app.Conf["spark.kubernetes.executor.podTemplateFile"] = file
	r.app.Conf["spark.kubernetes.executor.podTemplateContainerName"] = "mine"
	r.begin().scale(1)
	r.untilRunning(1)
	p, err := r.direct.pods.get(t.Context(), r.running()[0])
	if err != nil {
		t.Fatal(err)
	}
	s := p.Status.ContainerStatuses
	if p.Labels["team"] != "data" || p.Annotations["note"] != "hello" || *p.Spec.TerminationGracePeriodSeconds != 7 || len(s) != 2 || s[0].State.Running == nil || s[1].State.Running == nil {
		t.Errorf("labels %v, annotations %v, states %+v", p.Labels, p.Annotations, s)
	}
	if !strings.Contains(fmt.Sprint(p.Spec.Containers[0].Env), "FROM_TEMPLATE") || p.Spec.Containers[0].Name != executorContainer {
		t.Errorf("container %+v", p.Spec.Containers[0])
	}
}

// TestRealTroubledServer: in front of the real API server something answers 429 and 500 and cuts watches. The executors come
// all the same, none of them twice, and what happened is told.
func TestRealTroubledServer(t *testing.T) {
	r := newRealRig(t, map[string]string{"spark.kubernetes.allocation.batch.delay": "200ms"})
	cfg, err := connection(conf.NewValues(r.app.Conf), os.Getenv("FIRESTEEL_K8S_MASTER"), authClient)
	if err != nil {
		t.Fatal(err)
	}
	front := newTroubled(t, cfg)
	r.m = New(front.URL)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none")) // the one in front knows who we are
	t.Setenv("HOME", t.TempDir())
	r.start()
	r.scale(3)
	r.untilRunning(3)
	front.cut()
	victim := r.running()[0]
	if err := r.direct.pods.delete(t.Context(), victim, 0); err != nil {
		t.Fatal(err)
	}
	r.exitWithin(event.ExecutorID(victim[strings.LastIndexByte(victim, '-')+1:]), 30*time.Second)
	r.untilRunning(3)
	r.mu.Lock()
	told := fmt.Sprintf("%+v", r.notices)
	r.mu.Unlock()
	for _, cause := range []string{"slow down", "out of order"} {
		if !strings.Contains(told, cause) {
			t.Errorf("nothing tells of %q: %s", cause, told)
		}
	}
	if n := len(r.running()); n != 3 {
		t.Errorf("%d executors", n)
	}
}
