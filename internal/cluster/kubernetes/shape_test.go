package kubernetes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

func mustConnect(t *testing.T, r *rig) *rest.Config {
	t.Helper()
	cfg, err := connection(conf.NewValues(r.app.Conf), r.URL, authClient)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const template = `apiVersion: v1
kind: Pod
metadata:
  labels: {team: a}
spec:
  tolerations: [{key: spot, operator: Exists}]
  containers:
  - name: sidecar
    image: side:1
  - name: main
    image: other:1
    env: [{name: A, value: of the template}, {name: B, value: b}]
    volumeMounts: [{name: spark-local-dir-x, mountPath: /fast}]
  volumes: [{name: spark-local-dir-x, emptyDir: {}}]
`

func TestShape(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pod.yaml")
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	at := "spark.kubernetes.executor."
	s, err := readShape(conf.NewValues(map[string]string{
		"spark.kubernetes.container.image": "img:{{SPARK_VERSION}}", "spark.kubernetes.namespace": "n", "spark.kubernetes.container.image.pullPolicy": "Never",
		"spark.kubernetes.container.image.pullSecrets": "p, q", "spark.kubernetes.authenticate.driver.serviceAccountName": "sa",
		at + "podTemplateFile": file, at + "podTemplateContainerName": "main", at + "label.l": "{{APP_ID}}-{{EXECUTOR_ID}}", at + "annotation.a/b": "x",
		"spark.kubernetes.node.selector.zone": "z", at + "node.selector.disk": "ssd", at + "secrets.keys": "/etc/keys", at + "secretKeyRef.TOKEN": "keys:t",
		at + "request.cores": "500m", at + "limit.cores": "1", "spark.executor.resource.gpu.amount": "2", "spark.executor.resource.gpu.vendor": "nvidia.com",
		at + "volumes.hostPath.h.mount.path": "/h", at + "volumes.hostPath.h.options.path": "/host", at + "volumes.hostPath.h.mount.readOnly": "true",
		at + "volumes.nfs.n.mount.path": "/n", at + "volumes.nfs.n.options.server": "s", at + "volumes.nfs.n.options.path": "/e",
		at + "volumes.persistentVolumeClaim.c.mount.path": "/c", at + "volumes.persistentVolumeClaim.c.options.claimName": "claim-SPARK_EXECUTOR_ID",
		at + "volumes.emptyDir.e.mount.path": "/e", at + "volumes.emptyDir.e.options.sizeLimit": "1Gi", at + "volumes.emptyDir.e.options.medium": "Memory",
	}), "executor")
	if err != nil {
		t.Fatal(err)
	}
	p := s.pod(identity{name: "p", app: "app", exec: "7"}, 1, 1<<30, map[string]string{"A": "ours"}, map[string]string{"c": replaceExecutor("claim-SPARK_EXECUTOR_ID", event.ExecutorID("7"))})
	c := p.Spec.Containers[0]
	env := map[string]string{}
	for _, v := range c.Env {
		env[v.Name] = v.Value
	}
	for what, ok := range map[string]bool{
		"container":   c.Name == executorContainer && c.Image == "img:4.2.0" && c.ImagePullPolicy == "Never" && p.Spec.Containers[1].Name == "sidecar",
		"labels":      p.Labels["team"] == "a" && p.Labels["l"] == "app-7" && p.Annotations["a/b"] == "x",
		"environment": env["A"] == "ours" && env["B"] == "b" && env["SPARK_LOCAL_DIRS"] == "/fast",
		"placement":   p.Spec.NodeSelector["zone"] == "z" && p.Spec.NodeSelector["disk"] == "ssd" && p.Spec.Tolerations[0].Key == "spot",
		"accounts":    p.Spec.ServiceAccountName == "sa" && len(p.Spec.ImagePullSecrets) == 2 && p.Spec.ImagePullSecrets[1].Name == "q",
		"resources": c.Resources.Requests.Cpu().String() == "500m" && c.Resources.Limits.Cpu().String() == "1" &&
			func() bool { q := c.Resources.Limits["nvidia.com/gpu"]; return q.String() == "2" }(),
		"volumes": volumeOf(p, "h").HostPath.Path == "/host" && volumeOf(p, "n").NFS.Server == "s" && volumeOf(p, "e").EmptyDir.SizeLimit.String() == "1Gi" &&
			volumeOf(p, "c").PersistentVolumeClaim.ClaimName == "claim-7" && volumeOf(p, "keys-volume").Secret.SecretName == "keys",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

func volumeOf(p *corev1.Pod, name string) corev1.VolumeSource {
	for _, v := range p.Spec.Volumes {
		if v.Name == name {
			return v.VolumeSource
		}
	}
	return corev1.VolumeSource{}
}

func TestSettingsThatCannotBeUsed(t *testing.T) {
	at := "spark.kubernetes.executor."
	for key, value := range map[string]string{
		"spark.kubernetes.container.image":            "",
		"spark.kubernetes.container.image.pullPolicy": "sometimes",
		at + "secretKeyRef.A":                         "no colon",
		at + "request.cores":                          "many",
		at + "volumes.floppy.f.mount.path":            "/f",
		at + "volumes.hostPath.h.mount.path":          "/h",
		at + "volumes.emptyDir.e.mount.colour":        "red",
		"spark.executor.resource.gpu.amount":          "1",
	} {
		settings := map[string]string{"spark.kubernetes.container.image": "i"}
		settings[key] = value
		var e *SettingError
		if _, err := readShape(conf.NewValues(settings), "executor"); !errors.As(err, &e) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	for _, text := range []string{"kind: Deployment", "spec: {containers: [{nam: x}]}", "spec: ["} {
		file := filepath.Join(t.TempDir(), "t.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readShape(conf.NewValues(map[string]string{"spark.kubernetes.container.image": "i", at + "podTemplateFile": file}), "executor")
		if err == nil {
			t.Errorf("the template %q was taken", text)
		}
	}
}

func TestResourcePrefix(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"", "A Test", "1st", "---", "Ünï code!", strings.Repeat("long", 30), "a_b.c"} {
		p := resourcePrefix(name, "app")
		if err := checkPrefix(p); err != nil || seen[p] && name != "---" {
			t.Errorf("%q: %q, %v", name, p, err)
		}
		seen[p] = true
	}
	if resourcePrefix("a", "1") == resourcePrefix("a", "2") {
		t.Error("two applications have the same prefix")
	}
}
