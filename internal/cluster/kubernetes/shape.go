package kubernetes

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// SettingError is the error of a setting that cannot be used.
type SettingError struct{ Key, Value, Problem string }

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s=%q: the value %s", e.Key, e.Value, e.Problem)
}

func invalid(key, value, problem string) error { return &SettingError{key, value, problem} }

// shape is what the settings say about the pods of one role. The role's names are "driver" and "executor".
type shape struct {
	role, container                                   string
	namespace, image, pullPolicy, account, scheduler  string
	pullSecrets                                       []string
	labels, annotations, nodeSelector, secrets, owned map[string]string
	secretEnv                                         map[string]keyRef
	volumes                                           []volume
	requestCores, limitCores                          string
	devices                                           map[string]string // resource name: number
	tmpfs, oncePod                                    bool
	localDirs                                         []string
	template                                          *corev1.Pod
}

// keyRef names a value in a Secret.
type keyRef struct{ secret, key string }

// family are the settings under a prefix, without it.
func family(settings map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for k, v := range settings {
		if name, ok := strings.CutPrefix(k, prefix); ok && name != "" {
			out[name] = v
		}
	}
	return out
}

func readShape(v *conf.Values, role string) (*shape, error) {
	all, at := v.All(), "spark.kubernetes."+role+"."
	s := &shape{
		role: role, container: driverContainer,
		namespace: v.String("spark.kubernetes.namespace"), image: v.String(at + "container.image"),
		pullPolicy: v.String("spark.kubernetes.container.image.pullPolicy"), pullSecrets: list(v.String("spark.kubernetes.container.image.pullSecrets")),
		account: v.String("spark.kubernetes.authenticate." + role + ".serviceAccountName"), scheduler: v.String(at + "scheduler.name"),
		labels: family(all, at+"label."), annotations: family(all, at+"annotation."), secrets: family(all, at+"secrets."),
		nodeSelector: family(all, "spark.kubernetes.node.selector."), secretEnv: map[string]keyRef{}, devices: map[string]string{},
		requestCores: v.String(at + "request.cores"), limitCores: v.String(at + "limit.cores"),
		tmpfs: v.Bool("spark.kubernetes.local.dirs.tmpfs"), oncePod: !v.Bool("spark.kubernetes.legacy.useReadWriteOnceAccessMode"),
	}
	if role == "executor" {
		s.container = executorContainer
	}
	maps.Copy(s.nodeSelector, family(all, at+"node.selector."))
	s.image = strings.ReplaceAll(s.image, "{{SPARK_VERSION}}", sparkVersion)
	if s.image == "" {
		return nil, invalid("spark.kubernetes.container.image", "", "must be set (or that of "+at+"container.image)")
	}
	if dir, ok := v.Given("spark.local.dir"); ok {
		s.localDirs = list(dir)
	}
	return s, s.finish(v, all)
}

// finish reads the settings that can be wrong.
func (s *shape) finish(v *conf.Values, all map[string]string) (err error) {
	at := "spark.kubernetes." + s.role + "."
	for name, ref := range family(all, at+"secretKeyRef.") {
		secret, key, ok := strings.Cut(ref, ":")
		if !ok {
			return invalid(at+"secretKeyRef."+name, ref, "must be SECRET:KEY")
		}
		s.secretEnv[name] = keyRef{secret, key}
	}
	if !slices.Contains([]string{"Always", "Never", "IfNotPresent"}, s.pullPolicy) {
		return invalid("spark.kubernetes.container.image.pullPolicy", s.pullPolicy, "must be Always, Never or IfNotPresent")
	}
	for _, q := range []string{"request.cores", "limit.cores"} {
		if text := v.String(at + q); text != "" {
			if _, err := resource.ParseQuantity(text); err != nil {
				return invalid(at+q, text, "is not a quantity")
			}
		}
	}
	if err := s.readDevices(all); err != nil {
		return err
	}
	if s.volumes, err = readVolumes(all, at+"volumes."); err != nil {
		return err
	}
	s.template, err = readTemplate(v, s.role, s.container)
	return err
}

// readDevices reads spark.ROLE.resource.NAME.amount and .vendor.
func (s *shape) readDevices(all map[string]string) error {
	for key, amount := range family(all, "spark."+s.role+".resource.") {
		name, ok := strings.CutSuffix(key, ".amount")
		if !ok {
			continue
		}
		vendor := all["spark."+s.role+".resource."+name+".vendor"]
		if vendor == "" {
			return invalid("spark."+s.role+".resource."+name+".vendor", "", "must be set on Kubernetes")
		}
		if _, err := resource.ParseQuantity(amount); err != nil {
			return invalid("spark."+s.role+".resource."+key, amount, "is not a quantity")
		}
		s.devices[vendor+"/"+name] = amount
	}
	return nil
}

func list(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// readTemplate reads the role's pod template; an empty pod if there is none. The container that becomes the role's is the
// first one of the result and has the role's name.
func readTemplate(v *conf.Values, role, container string) (*corev1.Pod, error) {
	p := &corev1.Pod{}
	at := "spark.kubernetes." + role + "."
	if file := v.String(at + "podTemplateFile"); file != "" {
		data, err := os.ReadFile(strings.TrimPrefix(strings.TrimPrefix(file, "local://"), "file://"))
		if err != nil {
			return nil, fmt.Errorf("%spodTemplateFile: %w", at, err)
		}
		if err := yaml.UnmarshalStrict(data, p); err != nil {
			return nil, fmt.Errorf("%spodTemplateFile %s is not a pod: %w", at, file, err)
		}
		if p.Kind != "" && p.Kind != "Pod" {
			return nil, invalid(at+"podTemplateFile", file, "is a "+p.Kind+" and not a Pod")
		}
	}
	i := 0
	if want := v.String(at + "podTemplateContainerName"); want != "" && len(p.Spec.Containers) > 0 {
		// As in Spark, the first one is taken if none has the name.
		i = max(0, slices.IndexFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == want }))
	}
	if len(p.Spec.Containers) == 0 {
		p.Spec.Containers = []corev1.Container{{}}
	}
	p.Spec.Containers[0], p.Spec.Containers[i] = p.Spec.Containers[i], p.Spec.Containers[0]
	p.Spec.Containers[0].Name = container
	return p, nil
}

// identity is what is the pod's own.
type identity struct {
	name   string
	app    event.AppID
	exec   event.ExecutorID
	labels map[string]string
	owner  []metav1.OwnerReference
}

// fill replaces the built-in variables.
func (id *identity) fill(m map[string]string) map[string]string {
	r := strings.NewReplacer("{{APP_ID}}", string(id.app), "{{EXECUTOR_ID}}", string(id.exec), "{{SPARK_VERSION}}", sparkVersion)
	out := map[string]string{}
	for k, v := range m {
		out[k] = r.Replace(v)
	}
	return out
}

// pod makes a pod of the shape. claims gives the name of the claim for each volume that is one.
func (s *shape) pod(id identity, cores int, memory int64, env map[string]string, claims map[string]string) *corev1.Pod {
	p := s.template.DeepCopy()
	p.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	p.Name, p.GenerateName, p.Namespace = id.name, "", s.namespace
	p.Labels = merge(p.Labels, id.fill(s.labels), id.labels)
	p.Annotations = merge(p.Annotations, id.fill(s.annotations))
	p.OwnerReferences = append(p.OwnerReferences, id.owner...)
	spec := &p.Spec
	spec.RestartPolicy = corev1.RestartPolicyNever
	spec.NodeSelector = merge(spec.NodeSelector, s.nodeSelector)
	spec.ServiceAccountName = cmp.Or(s.account, spec.ServiceAccountName)
	spec.SchedulerName = cmp.Or(s.scheduler, spec.SchedulerName)
	if spec.EnableServiceLinks == nil {
		off := false
		spec.EnableServiceLinks = &off
	}
	for _, name := range s.pullSecrets {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	c := &spec.Containers[0]
	c.Image, c.ImagePullPolicy = s.image, corev1.PullPolicy(s.pullPolicy)
	s.demand(c, cores, memory)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		setEnv(c, corev1.EnvVar{Name: name, Value: env[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(s.secretEnv)) {
		setEnv(c, secretVar(name, s.secretEnv[name]))
	}
	s.attach(spec, c, claims)
	return p
}

func merge(into map[string]string, more ...map[string]string) map[string]string {
	out := maps.Clone(into)
	if out == nil {
		out = map[string]string{}
	}
	for _, m := range more {
		maps.Copy(out, m)
	}
	return out
}

// demand sets requests and limits. Memory is both, since a process that takes more than it asked for is the first to go.
func (s *shape) demand(c *corev1.Container, cores int, memory int64) {
	r := &c.Resources
	if r.Requests == nil {
		r.Requests = corev1.ResourceList{}
	}
	if r.Limits == nil {
		r.Limits = corev1.ResourceList{}
	}
	r.Requests[corev1.ResourceCPU] = *resource.NewQuantity(int64(cores), resource.DecimalSI)
	if s.requestCores != "" {
		r.Requests[corev1.ResourceCPU] = resource.MustParse(s.requestCores)
	}
	if s.limitCores != "" {
		r.Limits[corev1.ResourceCPU] = resource.MustParse(s.limitCores)
	}
	const mib = 1 << 20
	q := *resource.NewQuantity((memory+mib-1)/mib*mib, resource.BinarySI)
	r.Requests[corev1.ResourceMemory], r.Limits[corev1.ResourceMemory] = q, q
	for name, amount := range s.devices {
		r.Limits[corev1.ResourceName(name)] = resource.MustParse(amount)
	}
}

func secretVar(name string, ref keyRef) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: ref.secret}, Key: ref.key}}}
}

func fieldVar(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

// setEnv sets a variable, also over one of the template.
func setEnv(c *corev1.Container, v corev1.EnvVar) {
	if i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == v.Name }); i >= 0 {
		c.Env[i] = v
		return
	}
	c.Env = append(c.Env, v)
}

// defaultLocalDir is where an emptyDir is mounted if no local directories were set.
const defaultLocalDir = "/var/data/spark-local"

// attach adds volumes, secrets and local directories.
func (s *shape) attach(spec *corev1.PodSpec, c *corev1.Container, claims map[string]string) {
	var local []string
	for i := range s.volumes {
		v := &s.volumes[i]
		spec.Volumes = append(spec.Volumes, v.volume(claims[v.name]))
		c.VolumeMounts = append(c.VolumeMounts, v.mount())
		if v.isLocalDir() {
			local = append(local, v.path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		volume := name + "-volume"
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: name}}})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: s.secrets[name]})
	}
	for _, v := range c.VolumeMounts {
		if strings.HasPrefix(v.Name, localDirVolume) && !slices.Contains(local, v.MountPath) {
			local = append(local, v.MountPath) // of the template
		}
	}
	if len(local) == 0 {
		local = s.emptyLocalDirs(spec, c)
	}
	setEnv(c, corev1.EnvVar{Name: "SPARK_LOCAL_DIRS", Value: strings.Join(local, ",")})
}

func (s *shape) emptyLocalDirs(spec *corev1.PodSpec, c *corev1.Container) []string {
	dirs := s.localDirs
	if len(dirs) == 0 {
		dirs = []string{defaultLocalDir}
	}
	for i, dir := range dirs {
		v := volume{kind: "emptyDir", name: fmt.Sprintf("%s%d", localDirVolume, i+1), path: dir}
		if s.tmpfs {
			v.medium = string(corev1.StorageMediumMemory)
		}
		spec.Volumes = append(spec.Volumes, v.volume(""))
		c.VolumeMounts = append(c.VolumeMounts, v.mount())
	}
	return dirs
}
