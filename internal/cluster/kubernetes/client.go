package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/firesteel/firesteel/internal/conf"
)

// The scheme has the core group only: the binary stays small without the other fifty.
var (
	scheme = runtime.NewScheme()
	codecs = serializer.NewCodecFactory(scheme)
	params = runtime.NewParameterCodec(scheme)
)

func init() {
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
}

// object is a pointer to an API object.
type object[T any] interface {
	*T
	runtime.Object
}

// resource are the objects of one kind in a namespace: T one, L a list of them. Every request but a watch ends after the
// client's time.
type resources[T, L any, PT object[T], PL object[L]] struct {
	rest      rest.Interface
	namespace string
	plural    string
	limit     time.Duration
}

func (r *resources[T, L, PT, PL]) do(ctx context.Context, req *rest.Request, into runtime.Object) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("the API server did not answer within %v", r.limit))
	defer cancel()
	err := req.Namespace(r.namespace).Resource(r.plural).Do(ctx).Into(into)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

func (r *resources[T, L, PT, PL]) create(ctx context.Context, o *T) (*T, error) {
	out := new(T)
	return out, r.do(ctx, r.rest.Post().Body(PT(o)), PT(out))
}

func (r *resources[T, L, PT, PL]) get(ctx context.Context, name string) (*T, error) {
	out := new(T)
	return out, r.do(ctx, r.rest.Get().Name(name), PT(out))
}

func (r *resources[T, L, PT, PL]) list(ctx context.Context, o metav1.ListOptions) (*L, error) {
	out := new(L)
	return out, r.do(ctx, r.rest.Get().VersionedParams(&o, params), PL(out))
}

func (r *resources[T, L, PT, PL]) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	o.Watch = true
	return r.rest.Get().Namespace(r.namespace).Resource(r.plural).VersionedParams(&o, params).Watch(ctx)
}

func (r *resources[T, L, PT, PL]) patch(ctx context.Context, name string, merge []byte) error {
	return r.do(ctx, r.rest.Patch(types.MergePatchType).Name(name).Body(merge), PT(new(T)))
}

// log opens what a pod's container has written; following it as long as it writes.
func (c *client) log(ctx context.Context, pod, container string) (io.ReadCloser, error) {
	return c.pods.rest.Get().Namespace(c.pods.namespace).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(&corev1.PodLogOptions{Container: container, Follow: true}, params).Stream(ctx)
}

// delete deletes an object; a negative grace leaves it to the object.
func (r *resources[T, L, PT, PL]) delete(ctx context.Context, name string, grace time.Duration) error {
	o := &metav1.DeleteOptions{}
	if grace >= 0 {
		s := int64(grace / time.Second)
		o.GracePeriodSeconds = &s
	}
	// The answer is the object or a Status, whichever the server likes.
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("the API server did not answer within %v", r.limit))
	defer cancel()
	return r.rest.Delete().Namespace(r.namespace).Resource(r.plural).Name(name).Body(o).Do(ctx).Error()
}

// client are the resources that the manager and the submission use.
type client struct {
	pods       *resources[corev1.Pod, corev1.PodList, *corev1.Pod, *corev1.PodList]
	configMaps *resources[corev1.ConfigMap, corev1.ConfigMapList, *corev1.ConfigMap, *corev1.ConfigMapList]
	secrets    *resources[corev1.Secret, corev1.SecretList, *corev1.Secret, *corev1.SecretList]
	services   *resources[corev1.Service, corev1.ServiceList, *corev1.Service, *corev1.ServiceList]
	claims     *resources[corev1.PersistentVolumeClaim, corev1.PersistentVolumeClaimList, *corev1.PersistentVolumeClaim, *corev1.PersistentVolumeClaimList]
	http       *http.Client
}

func of[T, L any, PT object[T], PL object[L]](c rest.Interface, namespace, plural string, limit time.Duration) *resources[T, L, PT, PL] {
	return &resources[T, L, PT, PL]{c, namespace, plural, limit}
}

func newClient(cfg *rest.Config, namespace string, limit time.Duration) (*client, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.APIPath, cfg.GroupVersion, cfg.NegotiatedSerializer = "/api", &corev1.SchemeGroupVersion, codecs.WithoutConversion()
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "firesteel")
	// The manager has its own rhythm; these only stop a runaway.
	cfg.QPS, cfg.Burst = 100, 200
	h, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	c, err := rest.RESTClientForConfigAndClient(cfg, h)
	if err != nil {
		return nil, err
	}
	return &client{
		pods:       of[corev1.Pod, corev1.PodList](c, namespace, "pods", limit),
		configMaps: of[corev1.ConfigMap, corev1.ConfigMapList](c, namespace, "configmaps", limit),
		secrets:    of[corev1.Secret, corev1.SecretList](c, namespace, "secrets", limit),
		services:   of[corev1.Service, corev1.ServiceList](c, namespace, "services", limit),
		claims:     of[corev1.PersistentVolumeClaim, corev1.PersistentVolumeClaimList](c, namespace, "persistentvolumeclaims", limit),
		http:       h,
	}, nil
}

// close gives back connections that nobody uses.
func (c *client) close() { utilnet.CloseIdleConnectionsFor(c.http.Transport) }

// The prefixes of the keys that say how to authenticate: in client mode, and for the submission in cluster mode.
const (
	authClient     = "spark.kubernetes.authenticate."
	authSubmission = "spark.kubernetes.authenticate.submission."
	authDriver     = "spark.kubernetes.authenticate.driver."
)

// connection finds out how to reach the API server at a URL: the user's kubeconfig, or the service account of the pod that
// this process runs in, with the settings under a prefix on top.
func connection(v *conf.Values, target, prefix string) (*rest.Config, error) {
	cfg, err := ambient(v.String("spark.kubernetes.context"))
	if err != nil {
		return nil, err
	}
	cfg.Host = target
	given := func(key string) string { s, _ := v.Given(prefix + key); return s }
	if file := given("caCertFile"); file != "" {
		cfg.TLSClientConfig.CAFile, cfg.TLSClientConfig.CAData = file, nil
	}
	if token, file := given("oauthToken"), given("oauthTokenFile"); token != "" || file != "" {
		if token != "" && file != "" {
			return nil, invalid(prefix+"oauthToken", "…", "excludes oauthTokenFile")
		}
		forget(cfg)
		cfg.BearerToken, cfg.BearerTokenFile = token, file
	}
	if cert, key := given("clientCertFile"), given("clientKeyFile"); cert != "" || key != "" {
		if cert == "" || key == "" {
			return nil, invalid(prefix+"clientCertFile", cert, "needs clientKeyFile, and the other way round")
		}
		cfg.TLSClientConfig.CertFile, cfg.TLSClientConfig.KeyFile = cert, key
		cfg.TLSClientConfig.CertData, cfg.TLSClientConfig.KeyData = nil, nil
	}
	if v.Bool("spark.kubernetes.trust.certificates") {
		cfg.TLSClientConfig = rest.TLSClientConfig{Insecure: true, CertFile: cfg.CertFile, CertData: cfg.CertData, KeyFile: cfg.KeyFile, KeyData: cfg.KeyData}
	}
	return cfg, nil
}

// forget takes the identity out of a configuration that gets another one.
func forget(cfg *rest.Config) {
	cfg.BearerToken, cfg.BearerTokenFile, cfg.Username, cfg.Password = "", "", "", ""
	cfg.AuthProvider, cfg.ExecProvider = nil, nil
	cfg.TLSClientConfig.CertFile, cfg.TLSClientConfig.KeyFile = "", ""
	cfg.TLSClientConfig.CertData, cfg.TLSClientConfig.KeyData = nil, nil
}

// ambient is the configuration that the surroundings give: $KUBECONFIG or ~/.kube/config, else the pod's service account,
// else nothing.
func ambient(context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	loaded, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if len(loaded.Clusters) > 0 {
		cfg, err := clientcmd.NewDefaultClientConfig(*loaded, &clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("kubeconfig %s: %w", strings.Join(rules.Precedence, ":"), err)
		}
		return cfg, nil
	}
	if context != "" {
		return nil, invalid("spark.kubernetes.context", context, "is not in a kubeconfig: there is none")
	}
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return rest.InClusterConfig()
	}
	return &rest.Config{}, nil
}

func isGone(err error) bool { return apierrors.IsNotFound(err) }
