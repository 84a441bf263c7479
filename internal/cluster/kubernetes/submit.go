package kubernetes

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Submission is an application that is to run in cluster mode.
type Submission struct {
	Target   string            // of the master URL
	Conf     map[string]string // the spark.* settings
	Resource string            // the program: a file of this machine, or local:///FILE in the image
	Args     []string
	User     string
}

// The places in the driver's pod.
const (
	confDir     = "/opt/spark/conf" // properties, executor template, and the files that were sent
	hadoopDir   = "/opt/hadoop/conf"
	krb5Dir     = "/opt/hadoop/krb5"
	krb5File    = "krb5.conf"
	tokensDir   = "/mnt/secrets/hadoop-credentials"
	keytabFile  = "kerberos.keytab"
	credentials = "/mnt/secrets/spark-kubernetes-credentials"
)

const (
	propertiesFile = "spark.properties"
	templateKey    = "executor-pod-template.yaml"
)

// The ports of a driver in a pod, unless they are set.
const (
	driverPort = "7078"
	blockPort  = "7079"
	uiPort     = "4040"
)

// plan are the objects of a submission. Everything but the pod goes with the pod.
type plan struct {
	app     event.AppID
	pod     *corev1.Pod
	service *corev1.Service
	config  *corev1.ConfigMap
	hadoop  *corev1.ConfigMap // nil: there is no configuration of Hadoop, or it is in the cluster already
	secret  *corev1.Secret
	keys    *corev1.Secret // credentials for the API server; nil: none
	claims  []*corev1.PersistentVolumeClaim
}

// Submit starts a driver pod and, unless spark.kubernetes.submission.waitAppCompletion is off, follows it to its end. What it
// learns it writes to out. A driver that failed is an *ExitError. When ctx ends the driver goes on.
func Submit(ctx context.Context, s Submission, out io.Writer) error {
	v := conf.NewValues(s.Conf)
	c, err := submissionClient(v, s.Target)
	if err != nil {
		return err
	}
	defer c.close()
	p, err := s.plan(ctx, v, newSecret(v))
	if err != nil {
		return err
	}
	if err := p.create(ctx, c); err != nil {
		return err
	}
	id := p.pod.Namespace + ":" + p.pod.Name
	fmt.Fprintf(out, "Submitted application %s with application ID %s and submission ID %s\n", v.String("spark.app.name"), p.app, id)
	if !v.Bool("spark.kubernetes.submission.waitAppCompletion") {
		return nil
	}
	return follow(ctx, c, p.pod.Name, v.Duration("spark.kubernetes.report.interval"), out)
}

func submissionClient(v *conf.Values, target string) (*client, error) {
	cfg, err := connection(v, target, authSubmission)
	if err != nil {
		return nil, err
	}
	limit := time.Duration(v.Int("spark.kubernetes.submission.requestTimeout")) * time.Millisecond
	return newClient(cfg, v.String("spark.kubernetes.namespace"), limit)
}

func newSecret(v *conf.Values) string {
	if s := v.String("spark.authenticate.secret"); s != "" {
		return s
	}
	return token(32)
}

func token(bytes int) string {
	b := make([]byte, bytes)
	if _, err := rand.Read(b); err != nil {
		panic(err) // never happens: see crypto/rand
	}
	return hex.EncodeToString(b)
}

// plan makes the objects.
func (s *Submission) plan(ctx context.Context, v *conf.Values, secret string) (*plan, error) {
	shape, err := readShape(v, "driver")
	if err != nil {
		return nil, err
	}
	if _, err := readShape(v, "executor"); err != nil {
		return nil, err // better here than in the driver
	}
	app := event.AppID(cmp.Or(v.String("spark.app.id"), "spark-"+token(16)))
	prefix := cmp.Or(v.String("spark.kubernetes.driver.resourceNamePrefix"), resourcePrefix(v.String("spark.app.name"), app))
	d := &driverSetup{s: s, v: v, app: app, prefix: prefix, pod: cmp.Or(v.String("spark.kubernetes.driver.pod.name"), prefix+"-driver"),
		namespace: shape.namespace, files: map[string][]byte{}, keys: map[string][]byte{}}
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	p := &plan{app: app, service: d.service(), secret: authSecret(prefix+"-auth", shape.namespace, secret, d.labels(), nil),
		config: &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, BinaryData: d.files,
			ObjectMeta: metav1.ObjectMeta{Name: prefix + "-conf", Namespace: shape.namespace, Labels: d.labels()}}}
	if len(d.keys) > 0 {
		p.keys = &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Data: d.keys,
			ObjectMeta: metav1.ObjectMeta{Name: prefix + "-credentials", Namespace: shape.namespace, Labels: d.labels()}}
	}
	if p.hadoop, err = d.hadoopMap(); err != nil {
		return nil, err
	}
	names, fresh := d.claims(shape)
	p.claims, p.pod = fresh, d.driverPod(shape, p, names)
	return p, nil
}

// driverSetup collects what a driver gets.
type driverSetup struct {
	s                      *Submission
	v                      *conf.Values
	app                    event.AppID
	prefix, pod, namespace string
	resource               string            // the program as the driver sees it
	files                  map[string][]byte // of the config map
	keys                   map[string][]byte // of the credentials
	krb5                   string            // where the driver finds the configuration of Kerberos; "": where it is usually
}

func (d *driverSetup) labels() map[string]string {
	return map[string]string{labelApp: labelValue(string(d.app))}
}

// serviceName is at most as long as a label.
func (d *driverSetup) serviceName() string {
	const suffix = "-driver-svc"
	if len(d.prefix)+len(suffix) <= maxLabel {
		return d.prefix + suffix
	}
	return resourcePrefix("spark", d.app) + suffix
}

// prepare rewrites the settings for the driver and collects the files that go with it.
func (d *driverSetup) prepare(ctx context.Context) (err error) {
	given := d.v.All()
	set := maps.Clone(given)
	for k := range given {
		if strings.HasPrefix(k, authSubmission) || k == "spark.authenticate.secret" || k == "spark.submit.deployMode" {
			delete(set, k)
		}
	}
	if err := errors.Join(d.sendCredentials(set), d.sendKerberos(set)); err != nil {
		return err
	}
	if file := d.v.String("spark.kubernetes.executor.podTemplateFile"); file != "" && !strings.HasPrefix(file, "local:") {
		if set["spark.kubernetes.executor.podTemplateFile"], err = d.send(file, templateKey); err != nil {
			return err
		}
	}
	for _, key := range files.Keys {
		if set[key] == "" {
			continue
		}
		if set[key], err = files.Rewrite(set[key], func(f string) (string, error) { return d.pass(ctx, f) }); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if d.resource, err = d.pass(ctx, d.s.Resource); err != nil {
		return err
	}
	if address := d.serviceName() + "." + d.namespace + ".svc"; !d.v.Bool("spark.kubernetes.executor.useDriverPodIP") {
		set["spark.driver.host"] = address
	}
	maps.Copy(set, map[string]string{
		"spark.master": "k8s://" + d.v.String("spark.kubernetes.driver.master"), "spark.app.id": string(d.app),
		"spark.driver.port": cmp.Or(given["spark.driver.port"], driverPort), "spark.authenticate": "true",
		"spark.driver.blockManager.port":   cmp.Or(given["spark.driver.blockManager.port"], blockPort),
		"spark.kubernetes.driver.pod.name": d.pod,
		"spark.kubernetes.submitInDriver":  "true",
		"spark.kubernetes.secretName":      d.prefix + "-auth",
		"spark.kubernetes.memoryOverheadFactor": cmp.Or(given["spark.kubernetes.memoryOverheadFactor"],
			fmt.Sprint(d.factor())),
	})
	text, err := conf.FormatProperties(set)
	if err != nil {
		return err
	}
	d.files[propertiesFile] = []byte(text)
	return d.checkSize()
}

// factor is the share of the memory that is added: more for programs that have an interpreter beside them.
func (d *driverSetup) factor() float64 {
	if f, ok := d.v.Given("spark.kubernetes.memoryOverheadFactor"); ok && f != "" {
		return d.v.Double("spark.kubernetes.memoryOverheadFactor")
	}
	if strings.HasSuffix(d.s.Resource, ".py") {
		return 0.4
	}
	return 0.1
}

// pass makes a file reach the driver, which can fetch it: from where a setting has it uploaded, else it is sent.
func (d *driverSetup) pass(ctx context.Context, file string) (string, error) {
	to := d.v.String("spark.kubernetes.file.upload.path")
	scheme, rest, ok := strings.Cut(file, ":")
	if ok = ok && len(scheme) > 1; to == "" || ok && scheme != "file" {
		return d.send(file, "")
	}
	if ok {
		file = "/" + strings.TrimLeft(rest, "/")
	}
	reg := vfs.NewRegistry()
	h := hdfs.Register(reg, d.v.All())
	defer h.Close()
	at, err := upload(ctx, reg, file, strings.TrimRight(to, "/")+"/spark-upload-"+token(16))
	if err != nil {
		return "", fmt.Errorf("spark.kubernetes.file.upload.path=%s: %w", to, err)
	}
	return at, nil
}

// upload copies a file of this machine into a folder, and gives the copy's address.
func upload(ctx context.Context, reg *vfs.Registry, file, folder string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	f, dir, err := reg.Resolve(folder)
	if err != nil {
		return "", err
	}
	if err := f.MkdirAll(ctx, dir); err != nil {
		return "", err
	}
	to := vfs.Join(dir, filepath.Base(file))
	out, err := f.Create(ctx, to)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(out, in); err != nil {
		return "", errors.Join(err, out.Abort())
	}
	return f.URI(to), out.Close()
}

// send takes a file of this machine along and says where the driver finds it. Files of the image (local:) stay where they are,
// and so do addresses.
func (d *driverSetup) send(file, name string) (string, error) {
	if scheme, rest, ok := strings.Cut(file, ":"); ok && len(scheme) > 1 {
		switch scheme {
		case "local":
			return path.Clean("/" + strings.TrimLeft(rest, "/")), nil
		case "file":
			file = "/" + strings.TrimLeft(rest, "/")
		default:
			return file, nil
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot send the file to the driver (local:///FILE is one of the image): %w", err)
	}
	name = cmp.Or(name, filepath.Base(file))
	if old, ok := d.files[name]; (ok && string(old) != string(data)) || name == propertiesFile {
		return "", fmt.Errorf("two different files %s would be sent to the driver", name)
	}
	d.files[name] = data
	return confDir + "/" + name, nil
}

// sendKerberos takes along what the driver needs to get tokens for its executors: the keytab, among its credentials, and the
// configuration of Kerberos.
func (d *driverSetup) sendKerberos(set map[string]string) error {
	if file := set["spark.kerberos.keytab"]; file != "" && !strings.HasPrefix(file, "local:") {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("spark.kerberos.keytab: %w", err)
		}
		d.keys[keytabFile] = data
		set["spark.kerberos.keytab"] = credentials + "/" + keytabFile
	}
	file := d.v.String("spark.kubernetes.kerberos.krb5.path")
	if file == "" {
		return nil
	}
	at, err := d.send(file, krb5File)
	if err != nil {
		return fmt.Errorf("spark.kubernetes.kerberos.krb5.path: %w", err)
	}
	d.krb5 = at
	return nil
}

// sendCredentials takes the files and tokens along with which the driver talks to the API server.
func (d *driverSetup) sendCredentials(set map[string]string) error {
	for _, what := range []string{"caCertFile", "clientKeyFile", "clientCertFile", "oauthTokenFile", "oauthToken"} {
		key := authDriver + what
		value := set[key]
		mounted := authDriver + "mounted." + what
		if m := set[mounted]; m != "" {
			set[key], value = m, ""
			delete(set, mounted)
		}
		if value == "" {
			continue
		}
		name, data := what, []byte(value)
		if what != "oauthToken" {
			var err error
			if data, err = os.ReadFile(value); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		d.keys[name] = data
		delete(set, key)
		set[authDriver+strings.TrimSuffix(what, "File")+"File"] = credentials + "/" + name
	}
	return nil
}

func (d *driverSetup) checkSize() error {
	limit, total := d.v.Int("spark.kubernetes.configMap.maxSize"), 0
	for name, data := range d.files {
		total += len(name) + len(data)
	}
	if int64(total) > limit {
		return fmt.Errorf("the files to send to the driver have %d bytes, more than spark.kubernetes.configMap.maxSize=%d: "+
			"put them into the image (local:///FILE) or on a volume, or name a folder by spark.kubernetes.file.upload.path", total, limit)
	}
	return nil
}

func (d *driverSetup) service() *corev1.Service {
	family := func(kind string) map[string]string {
		return family(d.v.All(), "spark.kubernetes.driver.service."+kind+".")
	}
	policy := corev1.IPFamilyPolicy(d.v.String("spark.kubernetes.driver.service.ipFamilyPolicy"))
	s := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: d.serviceName(), Namespace: d.namespace, Labels: merge(d.labels(), family("label")), Annotations: family("annotation")},
		Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true, IPFamilyPolicy: &policy,
			Selector: merge(d.labels(), map[string]string{labelRole: "driver"})}}
	for _, f := range list(d.v.String("spark.kubernetes.driver.service.ipFamilies")) {
		s.Spec.IPFamilies = append(s.Spec.IPFamilies, corev1.IPFamily(f))
	}
	for _, port := range d.ports() {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: port.Name, Port: port.ContainerPort, TargetPort: intstr.FromInt32(port.ContainerPort)})
	}
	return s
}

func (d *driverSetup) ports() []corev1.ContainerPort {
	given := func(key, otherwise string) int32 {
		var n int32
		_, _ = fmt.Sscan(cmp.Or(d.v.All()[key], otherwise), &n) // conf has checked it
		return n
	}
	return []corev1.ContainerPort{
		{Name: "driver-rpc-port", ContainerPort: given("spark.driver.port", driverPort), Protocol: corev1.ProtocolTCP},
		{Name: "blockmanager", ContainerPort: given("spark.driver.blockManager.port", blockPort), Protocol: corev1.ProtocolTCP},
		{Name: "spark-ui", ContainerPort: given("spark.ui.port", uiPort), Protocol: corev1.ProtocolTCP},
	}
}

// driverPod is the pod that runs `firesteel submit` in client mode.
func (d *driverSetup) driverPod(shape *shape, pl *plan, claims map[string]string) *corev1.Pod {
	memory := d.v.Bytes("spark.driver.memory")
	if _, ok := d.v.Given("spark.driver.memoryOverheadFactor"); ok {
		memory += overhead(d.v, "driver", memory)
	} else {
		memory += cmp.Or(d.v.Bytes("spark.driver.memoryOverhead"), max(int64(d.factor()*float64(memory)), minOverhead))
	}
	id := identity{name: d.pod, app: d.app, labels: d.labels()}
	id.labels[labelRole], id.labels[labelName], id.labels[labelVersion] = "driver", labelValue(d.v.String("spark.app.name")), sparkVersion
	env := merge(family(d.v.All(), "spark.kubernetes.driverEnv."), map[string]string{
		"SPARK_APPLICATION_ID": string(d.app), "SPARK_USER": d.s.User, "SPARK_CONF_DIR": confDir})
	p := shape.pod(id, int(max(d.v.Int("spark.driver.cores"), 1)), memory, env, claims)
	c := &p.Spec.Containers[0]
	setEnv(c, secretVar(cluster.SecretEnv, keyRef{pl.secret.Name, secretKey}))
	setEnv(c, fieldVar("SPARK_DRIVER_BIND_ADDRESS", "status.podIP"))
	c.Ports = append(c.Ports, d.ports()...)
	c.Args = append([]string{"submit", "--deploy-mode", "client", "--properties-file", confDir + "/" + propertiesFile,
		"--conf", "spark.driver.bindAddress=$(SPARK_DRIVER_BIND_ADDRESS)"}, d.useIP()...)
	c.Args = append(append(c.Args, d.resource), d.s.Args...)
	mount := func(name, at string, source corev1.VolumeSource) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: at, ReadOnly: true})
	}
	mount("spark-conf-volume-driver", confDir, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: pl.config.Name}}})
	if name := d.hadoopMapName(pl); name != "" {
		mount("hadoop-properties", hadoopDir, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
		setEnv(c, corev1.EnvVar{Name: "HADOOP_CONF_DIR", Value: hadoopDir})
	}
	if name := d.v.String("spark.kubernetes.kerberos.krb5.configMapName"); name != "" {
		mount("krb5-file", krb5Dir, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
		d.krb5 = krb5Dir + "/" + krb5File
	}
	if d.krb5 != "" {
		setEnv(c, corev1.EnvVar{Name: "KRB5_CONFIG", Value: d.krb5})
	}
	if name := d.v.String("spark.kubernetes.kerberos.tokenSecret.name"); name != "" {
		mount("hadoop-secret", tokensDir, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}})
		setEnv(c, corev1.EnvVar{Name: hadoop.TokenFile, Value: tokensDir + "/" + d.v.String("spark.kubernetes.kerberos.tokenSecret.itemKey")})
	}
	if pl.keys != nil {
		mount("kubernetes-credentials", credentials, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: pl.keys.Name}})
	}
	return p
}

// hadoopMap is a config map with the configuration of Hadoop of whoever submits; nil where there is none, or a setting names one
// that is there. Executors get it from the driver.
func (d *driverSetup) hadoopMap() (*corev1.ConfigMap, error) {
	if d.hadoopMapName(nil) != "" || len(hadoop.ConfDirs()) == 0 {
		return nil, nil
	}
	c, err := hadoop.LoadConf(nil)
	if err != nil {
		return nil, err
	}
	return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, BinaryData: map[string][]byte{"core-site.xml": c.XML()},
		ObjectMeta: metav1.ObjectMeta{Name: d.prefix + "-hadoop-config", Namespace: d.namespace, Labels: d.labels()}}, nil
}

// hadoopMapName is the config map that a setting names, else that of the plan.
func (d *driverSetup) hadoopMapName(pl *plan) string {
	name := d.v.String("spark.kubernetes.hadoop.configMapName")
	if name == "" && pl != nil && pl.hadoop != nil {
		name = pl.hadoop.Name
	}
	return name
}

func (d *driverSetup) useIP() []string {
	if d.v.Bool("spark.kubernetes.executor.useDriverPodIP") {
		return []string{"--conf", "spark.driver.host=$(SPARK_DRIVER_BIND_ADDRESS)"}
	}
	return nil
}

// claims names the claims of the driver's volumes and says which have to be made: those that are OnDemand.
func (d *driverSetup) claims(shape *shape) (names map[string]string, fresh []*corev1.PersistentVolumeClaim) {
	names = map[string]string{}
	for i := range shape.volumes {
		v := &shape.volumes[i]
		name := v.claim
		if v.claim == onDemand {
			name = fmt.Sprintf("%s-driver-pvc-%d", d.prefix, i)
			fresh = append(fresh, v.newClaim(name, shape.namespace, d.labels(), shape.oncePod))
		}
		names[v.name] = name
	}
	return names, fresh
}

// part is an object of a submission besides the pod.
type part struct {
	kind, name string
	create     func(context.Context) error
	patch      func(context.Context, string, []byte) error
	drop       func(context.Context, string, time.Duration) error
}

func partOf[T, L any, PT object[T], PL object[L]](kind, name string, r *resources[T, L, PT, PL], o *T) part {
	return part{kind, name, func(ctx context.Context) error { _, err := r.create(ctx, o); return err }, r.patch, r.delete}
}

func (p *plan) parts(c *client) []part {
	out := []part{partOf("config map", p.config.Name, c.configMaps, p.config), partOf("secret", p.secret.Name, c.secrets, p.secret)}
	if p.hadoop != nil {
		out = append(out, partOf("config map of Hadoop", p.hadoop.Name, c.configMaps, p.hadoop))
	}
	if p.keys != nil {
		out = append(out, partOf("secret", p.keys.Name, c.secrets, p.keys))
	}
	for _, claim := range p.claims {
		out = append(out, partOf("driver's claim", claim.Name, c.claims, claim))
	}
	return append(out, partOf("driver's service", p.service.Name, c.services, p.service))
}

// create makes the objects, the pod last, and then makes the pod their owner. What was made is deleted if it fails.
func (p *plan) create(ctx context.Context, c *client) (err error) {
	var done []part
	defer func() {
		if err != nil {
			for _, m := range done {
				err = errors.Join(err, m.drop(context.WithoutCancel(ctx), m.name, -1))
			}
		}
	}()
	parts := p.parts(c)
	for _, m := range parts {
		if err = m.create(ctx); err != nil {
			return fmt.Errorf("the %s: %w", m.kind, err)
		}
		done = append(done, m)
	}
	pod, err := c.pods.create(ctx, p.pod)
	if err != nil {
		return fmt.Errorf("the driver's pod: %w", err)
	}
	done = append(done, part{name: pod.Name, drop: c.pods.delete})
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"ownerReferences": ownedBy(pod)}})
	if err != nil {
		return err
	}
	for _, m := range parts {
		if err = m.patch(ctx, m.name, patch); err != nil {
			return fmt.Errorf("the %s: %w", m.kind, err)
		}
	}
	return nil
}

// ExitError says how a driver failed.
type ExitError struct {
	Pod    string
	Code   int
	Reason string
}

func (e *ExitError) Error() string { return fmt.Sprintf("driver pod %s failed: %s", e.Pod, e.Reason) }

// follow looks at a driver's pod until it has ended, and writes when its phase changes.
func follow(ctx context.Context, c *client, name string, interval time.Duration, out io.Writer) error {
	var last string
	failures := 0
	for {
		p, err := c.pods.get(ctx, name)
		if err != nil {
			if failures++; failures > maxLooks || isGone(err) {
				return fmt.Errorf("the driver's pod %s: %w", name, err)
			}
		} else {
			failures = 0
			now := phaseText(p)
			if now != last {
				fmt.Fprintf(out, "Application status for %s (phase: %s)\n", p.Labels[labelApp], now)
				last = now
			}
			if d := describe(p, driverContainer, false); d.phase == ended {
				fmt.Fprintf(out, "Driver %s:%s ended with exit code %d\n", p.Namespace, p.Name, d.end.code)
				return result(p, d.end)
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(interval):
		}
	}
}

// maxLooks is how often in a row a driver's pod may not be readable before the submission gives up waiting.
const maxLooks = 60

func phaseText(p *corev1.Pod) string {
	d := describe(p, driverContainer, false)
	if d.phase == pending && d.stuck != "" {
		return string(p.Status.Phase) + ": " + d.stuck
	}
	return string(cmp.Or(p.Status.Phase, corev1.PodPending))
}

func result(p *corev1.Pod, e ending) error {
	if e.code == 0 || p.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	return &ExitError{Pod: p.Name, Code: e.code, Reason: strings.Replace(e.reason, "The executor", "It", 1)}
}

// submissionID is namespace:driver-pod-name, where the name may have *; the namespace may be left out.
func submissionID(id, namespace string) (string, *regexp.Regexp, error) {
	ns, name, ok := strings.Cut(id, ":")
	if !ok {
		ns, name = namespace, id
	}
	if ns == "" || name == "" || strings.Contains(name, ":") {
		return "", nil, fmt.Errorf("submission ID %q is not NAMESPACE:DRIVER-POD", id)
	}
	return ns, regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*") + "$"), nil
}

// drivers finds the driver pods of a submission ID.
func drivers(ctx context.Context, target string, settings map[string]string, id string) (*client, []corev1.Pod, error) {
	v := conf.NewValues(settings)
	ns, name, err := submissionID(id, v.String("spark.kubernetes.namespace"))
	if err != nil {
		return nil, nil, err
	}
	c, err := submissionClient(conf.NewValues(merge(settings, map[string]string{"spark.kubernetes.namespace": ns})), target)
	if err != nil {
		return nil, nil, err
	}
	l, err := c.pods.list(ctx, metav1.ListOptions{LabelSelector: labelRole + "=driver"})
	if err != nil {
		c.close()
		return nil, nil, err
	}
	pods := slices.DeleteFunc(l.Items, func(p corev1.Pod) bool { return !name.MatchString(p.Name) })
	if len(pods) == 0 {
		return nil, nil, fmt.Errorf("no applications found for the submission ID %s", id)
	}
	return c, pods, nil
}

// Status writes the state of the drivers that a submission ID names.
func Status(ctx context.Context, target string, settings map[string]string, id string, out io.Writer) error {
	c, pods, err := drivers(ctx, target, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	for i := range pods {
		p := &pods[i]
		fmt.Fprintf(out, "Application status (driver):\n\t pod name: %s\n\t namespace: %s\n\t application ID: %s\n\t service account: %s\n"+
			"\t node: %s\n\t created: %s\n\t phase: %s\n", p.Name, p.Namespace, p.Labels[labelApp], p.Spec.ServiceAccountName, cmp.Or(p.Spec.NodeName, "N/A"),
			p.CreationTimestamp.UTC().Format(time.RFC3339), phaseText(p))
		if d := describe(p, driverContainer, false); d.phase == ended {
			fmt.Fprintf(out, "\t exit code: %d\n\t reason: %s\n", d.end.code, strings.Replace(d.end.reason, "The executor", "It", 1))
		}
	}
	return nil
}

// Logs writes what the drivers that a submission ID names have written, until they end.
func Logs(ctx context.Context, target string, settings map[string]string, id string, out io.Writer) error {
	c, pods, err := drivers(ctx, target, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	for i := range pods {
		in, err := c.log(ctx, pods[i].Name, driverContainer)
		if err != nil {
			return fmt.Errorf("the log of the driver's pod %s: %w", pods[i].Name, err)
		}
		_, err = io.Copy(out, in)
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Kill deletes the drivers that a submission ID names, and with them what they own.
func Kill(ctx context.Context, target string, settings map[string]string, id string, out io.Writer) error {
	c, pods, err := drivers(ctx, target, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	grace := time.Duration(-1)
	if v := conf.NewValues(settings); v.String("spark.kubernetes.appKillPodDeletionGracePeriod") != "" {
		grace = v.Duration("spark.kubernetes.appKillPodDeletionGracePeriod")
	}
	for i := range pods {
		if err := c.pods.delete(ctx, pods[i].Name, grace); err != nil && !isGone(err) {
			return err
		}
		fmt.Fprintf(out, "Deleted driver pod %s:%s\n", pods[i].Namespace, pods[i].Name)
	}
	return nil
}
