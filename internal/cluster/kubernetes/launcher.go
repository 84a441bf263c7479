package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// launcher makes and deletes the objects of one application.
type launcher struct {
	client *client
	app    cluster.App
	shape  *shape
	prefix string
	owner  []metav1.OwnerReference
	binary []string // the command of executors; nil: the image's entry point
	secret string   // name of the Secret with the application's secret
	ours   bool     // it was made here
	grace  time.Duration
	all    bool // see describe
	keep   bool
	driver bool // on-demand claims belong to the driver
	reuse  bool

	mu     sync.Mutex
	claims map[string]*claim // on-demand claims, by name
}

// claim is an on-demand claim and who has it.
type claim struct {
	volume string
	holder event.ExecutorID // "": free
}

// secretKey is the key in the Secret.
const secretKey = "secret"

func newLauncher(ctx context.Context, c *client, v *conf.Values, app cluster.App) (*launcher, error) {
	s, err := readShape(v, "executor")
	if err != nil {
		return nil, err
	}
	l := &launcher{client: c, app: app, shape: s, prefix: v.String("spark.kubernetes.executor.podNamePrefix"), claims: map[string]*claim{},
		secret: v.String("spark.kubernetes.secretName"), grace: v.Duration("spark.kubernetes.dynamicAllocation.deleteGracePeriod"),
		all: v.Bool("spark.kubernetes.executor.checkAllContainers"), keep: !v.Bool("spark.kubernetes.executor.deleteOnTermination"),
		driver: v.Bool("spark.kubernetes.driver.ownPersistentVolumeClaim"), reuse: v.Bool("spark.kubernetes.driver.reusePersistentVolumeClaim")}
	if l.prefix == "" {
		l.prefix = resourcePrefix(app.Name, app.ID)
	} else if err := checkPrefix(l.prefix); err != nil {
		return nil, err
	}
	if s.template.Spec.TerminationGracePeriodSeconds == nil {
		seconds := int64(v.Duration("spark.kubernetes.executor.terminationGracePeriodSeconds") / time.Second)
		s.template.Spec.TerminationGracePeriodSeconds = &seconds
	}
	l.app.Executor.Overhead = overhead(v, "executor", app.Executor.Memory)
	if err := l.findOwner(ctx, v.String("spark.kubernetes.driver.pod.name")); err != nil {
		return nil, err
	}
	if err := l.keepSecret(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// minOverhead is what a pod gets above its memory at least.
const minOverhead = 384 << 20

// overhead is spark.ROLE.memoryOverhead, or its share of the memory.
func overhead(v *conf.Values, role string, memory int64) int64 {
	at := "spark." + role + ".memoryOverhead"
	if _, ok := v.Given(at); ok {
		return v.Bytes(at)
	}
	factor := v.Double("spark.kubernetes.memoryOverheadFactor") // which is why the session's overhead is not taken
	if _, ok := v.Given(at + "Factor"); ok {
		factor = v.Double(at + "Factor")
	}
	return max(int64(factor*float64(memory)), minOverhead)
}

// findOwner looks up the driver's pod.
func (l *launcher) findOwner(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	p, err := l.client.pods.get(ctx, name)
	if err != nil {
		return fmt.Errorf("spark.kubernetes.driver.pod.name=%s: %w", name, err)
	}
	l.owner = ownedBy(p)
	if driverImage(p) == l.shape.image && l.app.Executor.Binary != "" {
		l.binary = []string{l.app.Executor.Binary} // the same image has the same program
	}
	return nil
}

func ownedBy(p *corev1.Pod) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: p.Name, UID: p.UID, Controller: &yes}}
}

func driverImage(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		if c.Name == driverContainer || len(p.Spec.Containers) == 1 {
			return c.Image
		}
	}
	return ""
}

func (l *launcher) keepSecret(ctx context.Context) error {
	if l.app.Secret == "" || l.secret != "" {
		return nil
	}
	l.secret, l.ours = l.prefix+"-auth", true
	_, err := l.client.secrets.create(ctx, authSecret(l.secret, l.shape.namespace, l.app.Secret, l.labels(), l.owner))
	if err != nil {
		var status apierrors.APIStatus
		if !errors.As(err, &status) { // it may have been made all the same
			_ = l.client.secrets.delete(context.WithoutCancel(ctx), l.secret, -1)
		}
		return fmt.Errorf("the Secret for the application's secret: %w", err)
	}
	return nil
}

func authSecret(name, namespace, secret string, labels map[string]string, owner []metav1.OwnerReference) *corev1.Secret {
	fixed := true
	return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Immutable: &fixed,
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels, OwnerReferences: owner},
		StringData: map[string]string{secretKey: secret}}
}

// labels are those of everything that belongs to the application.
func (l *launcher) labels() map[string]string {
	return map[string]string{labelApp: labelValue(string(l.app.ID))}
}

// selector selects the executor pods that have not been retired.
func (l *launcher) selector() string {
	return labelApp + "=" + labelValue(string(l.app.ID)) + "," + labelRole + "=executor," + labelInactive + "!=true"
}

func (l *launcher) describe(p *corev1.Pod) pod { return describe(p, executorContainer, l.all) }

func (l *launcher) podName(id event.ExecutorID) string { return l.prefix + "-exec-" + string(id) }

// launch creates the pod of an executor, and its claims.
func (l *launcher) launch(ctx context.Context, id event.ExecutorID) error {
	claims, fresh := l.claimsFor(id)
	if l.driver {
		if err := l.makeClaims(ctx, fresh, l.owner); err != nil {
			return err
		}
	}
	p, err := l.client.pods.create(ctx, l.executorPod(id, claims))
	if apierrors.IsAlreadyExists(err) {
		p, err = l.client.pods.get(ctx, l.podName(id)) // an answer was lost
	}
	if err != nil {
		l.free(id)
		return err
	}
	if !l.driver {
		return l.makeClaims(ctx, fresh, ownedBy(p))
	}
	return nil
}

func (l *launcher) executorPod(id event.ExecutorID, claims map[string]string) *corev1.Pod {
	e := &l.app.Executor
	cores := max(e.Cores, 1)
	ident := identity{name: l.podName(id), app: l.app.ID, exec: id, owner: l.owner, labels: l.labels()}
	ident.labels[labelRole], ident.labels[labelExecutor], ident.labels[labelProfile] = "executor", string(id), "0"
	ident.labels[labelName], ident.labels[labelVersion] = labelValue(l.app.Name), sparkVersion
	env := l.app.Environment()
	delete(env, cluster.SecretEnv)
	env["SPARK_EXECUTOR_ID"], env["SPARK_APPLICATION_ID"] = string(id), string(l.app.ID)
	env["SPARK_EXECUTOR_CORES"] = strconv.Itoa(cores)
	p := l.shape.pod(ident, cores, e.Memory+e.Overhead, env, claims)
	c := &p.Spec.Containers[0]
	if l.secret != "" {
		setEnv(c, secretVar(cluster.SecretEnv, keyRef{l.secret, secretKey}))
	}
	setEnv(c, fieldVar("SPARK_EXECUTOR_POD_IP", "status.podIP"))
	setEnv(c, fieldVar("SPARK_EXECUTOR_POD_NAME", "metadata.name"))
	if len(c.Command) == 0 {
		c.Command = l.binary
	}
	c.Args = l.app.Arguments(id, "$(SPARK_EXECUTOR_POD_IP)", cores)
	return p
}

// claimsFor names the claims of an executor's volumes and says which have to be made.
func (l *launcher) claimsFor(id event.ExecutorID) (names map[string]string, fresh []*corev1.PersistentVolumeClaim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names = map[string]string{}
	for i := range l.shape.volumes {
		v := &l.shape.volumes[i]
		switch {
		case v.kind != "persistentVolumeClaim":
		case v.claim != onDemand:
			names[v.name] = replaceExecutor(v.claim, id)
		default:
			name := l.freeClaim(v.name)
			if name == "" {
				name = l.podName(id) + "-pvc-" + strconv.Itoa(i)
				fresh = append(fresh, v.newClaim(name, l.shape.namespace, l.labels(), l.shape.oncePod))
				l.claims[name] = &claim{volume: v.name}
			}
			l.claims[name].holder = id
			names[v.name] = name
		}
	}
	return names, fresh
}

func (l *launcher) freeClaim(volume string) string {
	if l.reuse && l.driver {
		for name, c := range l.claims {
			if c.holder == "" && c.volume == volume {
				return name
			}
		}
	}
	return ""
}

// free gives back the claims of an executor that is gone.
func (l *launcher) free(id event.ExecutorID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, c := range l.claims {
		if c.holder == id {
			c.holder = ""
			if !l.reuse || !l.driver {
				delete(l.claims, name)
			}
		}
	}
}

func (l *launcher) makeClaims(ctx context.Context, claims []*corev1.PersistentVolumeClaim, owner []metav1.OwnerReference) error {
	for _, c := range claims {
		c.OwnerReferences = owner
		if _, err := l.client.claims.create(ctx, c); err != nil && !apierrors.IsAlreadyExists(err) {
			l.mu.Lock()
			delete(l.claims, c.Name)
			l.mu.Unlock()
			return err
		}
	}
	return nil
}

// remove deletes an executor's pod; that it is gone already is no error.
func (l *launcher) remove(ctx context.Context, id event.ExecutorID) error {
	err := l.client.pods.delete(ctx, l.podName(id), l.grace)
	if err == nil || isGone(err) {
		l.free(id)
		return nil
	}
	return err
}

// retire takes a pod that ended and is kept off the selector.
func (l *launcher) retire(ctx context.Context, id event.ExecutorID) error {
	l.free(id)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{labelInactive: "true"}}})
	if err != nil {
		return err
	}
	return l.client.pods.patch(ctx, l.podName(id), patch)
}

// clear deletes what the application created. Pods are kept with spark.kubernetes.executor.deleteOnTermination=false.
func (l *launcher) clear(ctx context.Context) error {
	var errs []error
	gone := func(err error) {
		if err != nil && !isGone(err) {
			errs = append(errs, err)
		}
	}
	if !l.keep {
		pods, err := l.client.pods.list(ctx, metav1.ListOptions{LabelSelector: l.selector()})
		gone(err)
		for i := range pods.Items {
			gone(l.client.pods.delete(ctx, pods.Items[i].Name, l.grace))
		}
	}
	if l.ours {
		gone(l.client.secrets.delete(ctx, l.secret, -1))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.claims {
		gone(l.client.claims.delete(ctx, name, -1))
	}
	return errors.Join(errs...)
}
