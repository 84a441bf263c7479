package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/firesteel/firesteel/internal/cluster"
)

func program(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.py")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (r *rig) submission(resource string) Submission {
	r.app.Conf["spark.app.name"], r.app.Conf["spark.kubernetes.report.interval"] = "My App", "10ms"
	return Submission{Target: r.URL, Conf: r.app.Conf, Resource: resource, Args: []string{"a", "b c"}, User: "me"}
}

func driverOf(r *rig) *corev1.Pod {
	r.t.Helper()
	var name string
	eventually(r.t, "the driver's pod", func() bool {
		for _, n := range r.names("pods") {
			if strings.HasSuffix(n, "-driver") {
				name = n
			}
		}
		return name != ""
	})
	return find[corev1.Pod](r.server, "pods", name)
}

func TestSubmit(t *testing.T) {
	r := newRig(t, map[string]string{"spark.authenticate.secret": "hush", "spark.kubernetes.authenticate.submission.oauthToken": "mine",
		"spark.kubernetes.authenticate.driver.oauthToken": "its", "spark.kubernetes.driverEnv.X": "y"})
	var out strings.Builder
	done := make(chan error)
	go func() { done <- Submit(t.Context(), r.submission(program(t, "print(1)")), &out) }()
	p := driverOf(r)
	prefix := strings.TrimSuffix(p.Name, "-driver")
	eventually(t, "owners", func() bool {
		for _, plural := range []string{"services", "configmaps", "secrets"} {
			for _, n := range r.names(plural) {
				if o := find[corev1.Service](r.server, plural, n).OwnerReferences; len(o) != 1 || o[0].UID != p.UID {
					return false
				}
			}
		}
		return true
	})
	text := string(find[corev1.ConfigMap](r.server, "configmaps", prefix+"-conf").BinaryData[propertiesFile])
	for _, line := range []string{"spark.driver.host=" + prefix + "-driver-svc.default.svc", "spark.master=k8s://https://kubernetes.default.svc",
		"spark.driver.port=7078", "spark.kubernetes.driver.pod.name=" + p.Name, "spark.kubernetes.secretName=" + prefix + "-auth",
		"spark.app.id=" + p.Labels[labelApp], "spark.kubernetes.authenticate.driver.oauthTokenFile=" + credentials + "/oauthToken"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	if strings.Contains(text, "hush") || strings.Contains(text, "mine") || strings.Contains(text, "its\n") {
		t.Errorf("secrets in\n%s", text)
	}
	s := find[corev1.Service](r.server, "services", prefix+"-driver-svc")
	if s.Spec.ClusterIP != "None" || s.Spec.Selector[labelRole] != "driver" || s.Spec.Ports[0].Port != 7078 {
		t.Errorf("service %+v", s.Spec)
	}
	c := p.Spec.Containers[0]
	if want := []string{confDir + "/app.py", "a", "b c"}; c.Args[0] != "submit" || !slices.Equal(c.Args[len(c.Args)-3:], want) {
		t.Errorf("arguments %q", c.Args)
	}
	if c.Resources.Limits.Memory().String() != "1434Mi" { // 1 GiB and 40 % for Python
		t.Errorf("memory %s", c.Resources.Limits.Memory())
	}
	if !slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool {
		return e.Name == cluster.SecretEnv && e.ValueFrom.SecretKeyRef.Name == prefix+"-auth"
	}) {
		t.Errorf("environment %+v", c.Env)
	}
	r.status(p.Name, func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning })
	r.status(p.Name, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "submission ID default:"+p.Name) || !strings.Contains(out.String(), "phase: Succeeded") {
		t.Error(out.String())
	}
}

// TestSubmitClaims: a claim that is OnDemand is made for the driver and belongs to its pod.
func TestSubmitClaims(t *testing.T) {
	const at = "spark.kubernetes.driver.volumes.persistentVolumeClaim."
	r := newRig(t, map[string]string{"spark.kubernetes.submission.waitAppCompletion": "false",
		at + "mine.mount.path": "/mine", at + "mine.options.claimName": "OnDemand", at + "mine.options.sizeLimit": "2Gi", at + "mine.options.storageClass": "fast",
		at + "given.mount.path": "/given", at + "given.options.claimName": "there"})
	if err := Submit(t.Context(), r.submission("local:///a.py"), new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	p := driverOf(r)
	made := r.names("persistentvolumeclaims")
	var used []string
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			used = append(used, v.PersistentVolumeClaim.ClaimName)
		}
	}
	if want := strings.TrimSuffix(p.Name, "-driver") + "-driver-pvc-1"; !slices.Equal(made, []string{want}) || !slices.Equal(used, []string{"there", want}) {
		t.Fatalf("made %q, used %q", made, used)
	}
	c := find[corev1.PersistentVolumeClaim](r.server, "persistentvolumeclaims", made[0])
	if q := c.Spec.Resources.Requests[corev1.ResourceStorage]; q.String() != "2Gi" || *c.Spec.StorageClassName != "fast" ||
		len(c.OwnerReferences) != 1 || c.OwnerReferences[0].UID != p.UID {
		t.Errorf("claim %+v", c)
	}
}

// TestSubmitHadoop: the configuration of Hadoop travels, unless it is there already.
func TestSubmitHadoop(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hdfs-site.xml"), []byte("<configuration><property><name>dfs.nameservices</name><value>ns1</value></property></configuration>"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HADOOP_CONF_DIR", dir)
	t.Setenv("YARN_CONF_DIR", "")
	for given, made := range map[string]bool{"": true, "there": false} {
		r := newRig(t, map[string]string{"spark.kubernetes.submission.waitAppCompletion": "false", "spark.kubernetes.hadoop.configMapName": given})
		if given == "" {
			delete(r.app.Conf, "spark.kubernetes.hadoop.configMapName")
		}
		if err := Submit(t.Context(), r.submission("local:///a.py"), new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
		p := driverOf(r)
		name := cmp.Or(given, strings.TrimSuffix(p.Name, "-driver")+"-hadoop-config")
		if slices.Contains(r.names("configmaps"), name) != made {
			t.Errorf("config maps %q", r.names("configmaps"))
		}
		if made && !strings.Contains(string(find[corev1.ConfigMap](r.server, "configmaps", name).BinaryData["core-site.xml"]), "dfs.nameservices") {
			t.Error("the setting is not in the config map")
		}
		at, env := "", ""
		for _, v := range p.Spec.Volumes {
			if v.ConfigMap != nil && v.ConfigMap.Name == name {
				for _, m := range p.Spec.Containers[0].VolumeMounts {
					if m.Name == v.Name {
						at = m.MountPath
					}
				}
			}
		}
		for _, e := range p.Spec.Containers[0].Env {
			if e.Name == "HADOOP_CONF_DIR" {
				env = e.Value
			}
		}
		if at == "" || at != env {
			t.Errorf("the configuration is at %q and the driver looks at %q", at, env)
		}
	}
}

// TestSubmitUpload: an application that is too large for a config map goes to where a setting says.
func TestSubmitUpload(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("x", 2<<20)
	r := newRig(t, map[string]string{"spark.kubernetes.submission.waitAppCompletion": "false", "spark.kubernetes.file.upload.path": "file:" + dir,
		"spark.submit.pyFiles": program(t, text) + ",hdfs://there/lib.zip", "spark.files": program(t, "small") + "#data,local:///opt/all.txt"})
	if err := Submit(t.Context(), r.submission(program(t, text)), new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	p := driverOf(r)
	args := p.Spec.Containers[0].Args
	properties := string(find[corev1.ConfigMap](r.server, "configmaps", strings.TrimSuffix(p.Name, "-driver")+"-conf").BinaryData[propertiesFile])
	_, rest, _ := strings.Cut(properties, "spark.submit.pyFiles=")
	python, _, _ := strings.Cut(rest, "\n")
	names := strings.Split(args[len(args)-3]+","+python, ",")
	if len(names) != 3 || names[2] != "hdfs://there/lib.zip" || names[0] == names[1] {
		t.Fatalf("files %q", names)
	}
	for _, name := range names[:2] {
		path, ok := strings.CutPrefix(name, "file:")
		if b, err := os.ReadFile(path); !ok || !strings.HasPrefix(path, dir+"/spark-upload-") || string(b) != text {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	_, rest, _ = strings.Cut(properties, "spark.files=")
	sent, _, _ := strings.Cut(rest, "\n")
	small, ok := strings.CutSuffix(sent, "#data,local:///opt/all.txt")
	if b, err := os.ReadFile(strings.TrimPrefix(small, "file:")); !ok || string(b) != "small" {
		t.Errorf("files %s: %q, %v", sent, b, err)
	}
}

// TestSubmitKerberos: the keytab goes to the driver as a secret, and nowhere else; the configuration of Kerberos as a file; tokens that
// somebody has put into a secret are mounted.
func TestSubmitKerberos(t *testing.T) {
	keytab, krb5 := program(t, "the keys"), program(t, "[libdefaults]")
	const at = "spark.kubernetes.kerberos."
	for what, given := range map[string]map[string]string{
		"files":     {"spark.kerberos.keytab": keytab, "spark.kerberos.principal": "ann@R", at + "krb5.path": krb5},
		"there":     {"spark.kerberos.keytab": "local:///etc/ann.keytab", at + "krb5.configMapName": "realm"},
		"as tokens": {at + "tokenSecret.name": "tokens", at + "tokenSecret.itemKey": "item"},
	} {
		settings := maps.Clone(given)
		settings["spark.kubernetes.submission.waitAppCompletion"] = "false"
		r := newRig(t, settings)
		if err := Submit(t.Context(), r.submission("local:///a.py"), new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
		p := driverOf(r)
		config := find[corev1.ConfigMap](r.server, "configmaps", strings.TrimSuffix(p.Name, "-driver")+"-conf").BinaryData
		env := map[string]string{}
		for _, e := range p.Spec.Containers[0].Env {
			env[e.Name] = e.Value
		}
		sources := map[string]corev1.VolumeSource{}
		for _, m := range p.Spec.Containers[0].VolumeMounts {
			sources[m.MountPath] = volumeOf(p, m.Name)
		}
		properties := string(config[propertiesFile])
		switch what {
		case "files":
			keys := find[corev1.Secret](r.server, "secrets", sources[credentials].Secret.SecretName)
			if string(keys.Data[keytabFile]) != "the keys" || !strings.Contains(properties, "spark.kerberos.keytab="+credentials+"/"+keytabFile+"\n") {
				t.Errorf("keys %v, properties %s", keys.Data, properties)
			}
			if string(config[krb5File]) != "[libdefaults]" || env["KRB5_CONFIG"] != confDir+"/"+krb5File {
				t.Errorf("Kerberos is configured by %q, %q", config[krb5File], env["KRB5_CONFIG"])
			}
			for name, data := range config {
				if strings.Contains(string(data), "the keys") {
					t.Errorf("the keytab is in %s", name)
				}
			}
		case "there":
			if !strings.Contains(properties, "spark.kerberos.keytab=local:///etc/ann.keytab\n") || sources[krb5Dir].ConfigMap.Name != "realm" || env["KRB5_CONFIG"] != krb5Dir+"/"+krb5File {
				t.Errorf("%v, %s", env, properties)
			}
		default:
			if sources[tokensDir].Secret.SecretName != "tokens" || env["HADOOP_TOKEN_FILE_LOCATION"] != tokensDir+"/item" {
				t.Errorf("%v, %v", env, sources)
			}
		}
	}
}

func TestSubmitFailure(t *testing.T) {
	r := newRig(t, nil)
	done := make(chan error)
	go func() { done <- Submit(t.Context(), r.submission("local:///opt/app.py"), new(strings.Builder)) }()
	p := driverOf(r)
	if a := p.Spec.Containers[0].Args; a[len(a)-3] != "/opt/app.py" {
		t.Errorf("arguments %q", a)
	}
	r.status(p.Name, func(p *corev1.Pod) {
		terminate(3, "Error")(p)
		p.Status.ContainerStatuses[0].Name = driverContainer
	})
	var e *ExitError
	if err := <-done; !errors.As(err, &e) || e.Code != 3 || e.Error() != "driver pod "+p.Name+" failed: It exited with status 3." {
		t.Error(err)
	}
}

// TestSubmitLeavesNothing: when the pod is refused, what was made before is deleted.
func TestSubmitLeavesNothing(t *testing.T) {
	r := newRig(t, nil)
	r.refuseWith(func(method, plural, name string) *apierrors.StatusError {
		if method == "POST" && plural == "pods" {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, name, errorText("exceeded quota"))
		}
		return nil
	})
	if err := Submit(t.Context(), r.submission("local:///a.py"), new(strings.Builder)); !apierrors.IsForbidden(err) {
		t.Error(err)
	}
	for _, plural := range []string{"services", "configmaps", "secrets"} {
		if left := r.names(plural); len(left) != 0 {
			t.Errorf("left: %s %q", plural, left)
		}
	}
}

func TestSubmitRefusals(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.configMap.maxSize": "2000"})
	for what, s := range map[string]Submission{
		"no such file": r.submission("/nowhere/app.py"),
		"maxSize":      r.submission(program(t, strings.Repeat("x", 2000))),
	} {
		if err := Submit(t.Context(), s, new(strings.Builder)); err == nil || what == "maxSize" && !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := len(r.names("configmaps")); n != 0 {
		t.Errorf("%d config maps", n)
	}
}

// TestSubmitterLeaves: the driver goes on without whoever submitted it.
func TestSubmitterLeaves(t *testing.T) {
	r := newRig(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	told := firstWrite(make(chan struct{}, 100))
	go func() { done <- Submit(ctx, r.submission("local:///a.py"), told) }()
	p := driverOf(r)
	<-told // it was submitted
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if find[corev1.Pod](r.server, "pods", p.Name) == nil {
		t.Error("the driver went with the submission")
	}
}

// firstWrite has a token for each Write.
type firstWrite chan struct{}

func (w firstWrite) Write(p []byte) (int, error) {
	w <- struct{}{}
	return len(p), nil
}

func TestStatusAndKill(t *testing.T) {
	r := newRig(t, map[string]string{"spark.kubernetes.submission.waitAppCompletion": "false"})
	for i := range 2 {
		s := r.submission("local:///a.py")
		s.Conf["spark.kubernetes.driver.pod.name"] = fmt.Sprintf("job-%d", i)
		if err := Submit(t.Context(), s, new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := Status(t.Context(), r.URL, r.app.Conf, "default:job-*", &out); err != nil || strings.Count(out.String(), "phase: Pending") != 2 {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := Logs(t.Context(), r.URL, r.app.Conf, "job-1", &out); err != nil || out.String() != "spark-kubernetes-driver of job-1\n" {
		t.Errorf("%q %v", out.String(), err)
	}
	if err := Kill(t.Context(), r.URL, r.app.Conf, "job-1", &out); err != nil || !slices.Equal(r.names("pods"), []string{"job-0"}) {
		t.Errorf("%v %q", err, r.names("pods"))
	}
	for _, id := range []string{"default:job-7", "a:b:c", ":", "default:"} {
		if err := Kill(t.Context(), r.URL, r.app.Conf, id, &out); err == nil {
			t.Errorf("%q was killed", id)
		}
	}
}
