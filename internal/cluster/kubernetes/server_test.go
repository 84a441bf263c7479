package kubernetes

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// server is an API server with the storage and nothing behind it: tests play the kubelet.
type server struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	version int
	objects map[string]*unstructured.Unstructured // plural/name
	history []change
	oldest  int // watches from before answer 410 Gone
	watches map[chan struct{}]bool
	// refuse says why a request is refused; nil: it is not.
	refuse   func(method, plural, name string) *apierrors.StatusError
	requests []string
	lists    int
}

type change struct {
	version int
	plural  string
	kind    string
	object  *unstructured.Unstructured
}

func newServer(t *testing.T) *server {
	s := &server{t: t, objects: map[string]*unstructured.Unstructured{}, watches: map[chan struct{}]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.closeWatches()
		s.Close()
	})
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/"), "/")
	plural, name := parts[1], ""
	if len(parts) > 2 {
		name = parts[2]
	}
	if len(parts) > 3 && parts[3] == "log" {
		fmt.Fprintf(w, "%s of %s\n", r.URL.Query().Get("container"), name)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.Method == http.MethodGet && r.URL.Query().Get("watch") != "" {
		s.watch(w, r, plural)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &unstructured.Unstructured{}
	if r.Method == http.MethodPost {
		if err := json.Unmarshal(body, &o.Object); err != nil {
			s.t.Errorf("%s %s: %v in %s", r.Method, r.URL, err, body)
		}
		name = o.GetName()
	}
	s.requests = append(s.requests, r.Method+" "+plural+"/"+name)
	if s.refuse != nil {
		if e := s.refuse(r.Method, plural, name); e != nil {
			answer(w, int(e.ErrStatus.Code), e.ErrStatus)
			return
		}
	}
	s.serve(w, r, plural, name, o, body)
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, plural, name string, o *unstructured.Unstructured, body []byte) {
	key, group := plural+"/"+name, schema.GroupResource{Resource: plural}
	old := s.objects[key]
	if old == nil && name != "" && r.Method != http.MethodPost {
		answer(w, 404, apierrors.NewNotFound(group, name).ErrStatus)
		return
	}
	switch r.Method {
	case http.MethodPost:
		if old != nil {
			answer(w, 409, apierrors.NewAlreadyExists(group, name).ErrStatus)
			return
		}
		o.SetUID(types.UID(fmt.Sprint("uid-", s.version)))
		o.SetCreationTimestamp(metav1.NewTime(time.Unix(1, 0)))
		s.put("ADDED", plural, o)
		answer(w, 201, o.Object)
	case http.MethodGet:
		if name != "" {
			answer(w, 200, old.Object)
			return
		}
		s.lists++
		answer(w, 200, s.listing(plural, r.URL.Query().Get("labelSelector")))
	case http.MethodDelete:
		delete(s.objects, key)
		s.put("DELETED", plural, old)
		delete(s.objects, key)
		answer(w, 200, old.Object)
	case http.MethodPatch:
		var patch map[string]any
		if err := json.Unmarshal(body, &patch); err != nil {
			s.t.Errorf("patch %s: %v", body, err)
		}
		o.Object = mergePatch(old.DeepCopy().Object, patch)
		s.put("MODIFIED", plural, o)
		answer(w, 200, o.Object)
	}
}

// mergePatch is RFC 7386.
func mergePatch(into, patch map[string]any) map[string]any {
	for k, v := range patch {
		m, isMap := v.(map[string]any)
		old, wasMap := into[k].(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case isMap && wasMap:
			into[k] = mergePatch(old, m)
		default:
			into[k] = v
		}
	}
	return into
}

func answer(w http.ResponseWriter, code int, o any) {
	if s, ok := o.(metav1.Status); ok {
		s.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		o = s
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o) // the client may have gone
}

// put stores an object and tells the watches. The lock is held.
func (s *server) put(kind, plural string, o *unstructured.Unstructured) {
	s.version++
	o = o.DeepCopy()
	o.SetResourceVersion(strconv.Itoa(s.version))
	s.objects[plural+"/"+o.GetName()] = o
	s.history = append(s.history, change{s.version, plural, kind, o})
	for c := range s.watches {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (s *server) listing(plural, selector string) any {
	items := []any{}
	sel, _ := labels.Parse(selector)
	for key, o := range s.objects {
		if strings.HasPrefix(key, plural+"/") && sel.Matches(labels.Set(o.GetLabels())) {
			items = append(items, o.Object)
		}
	}
	kinds := map[string]string{"pods": "PodList", "secrets": "SecretList", "persistentvolumeclaims": "PersistentVolumeClaimList"}
	return map[string]any{"kind": kinds[plural], "apiVersion": "v1", "items": items, "metadata": map[string]any{"resourceVersion": strconv.Itoa(s.version)}}
}

func (s *server) watch(w http.ResponseWriter, r *http.Request, plural string) {
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	sel, _ := labels.Parse(r.URL.Query().Get("labelSelector"))
	news := make(chan struct{}, 1)
	news <- struct{}{}
	s.mu.Lock()
	if from < s.oldest {
		s.mu.Unlock()
		gone := apierrors.NewResourceExpired("too old resource version").ErrStatus
		gone.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		answer(w, 200, map[string]any{"type": "ERROR", "object": gone})
		return
	}
	s.watches[news] = true
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	for {
		select {
		case <-r.Context().Done():
			return
		case <-news:
		}
		s.mu.Lock()
		open := s.watches[news]
		for _, c := range s.history {
			if c.version > from && c.plural == plural && sel.Matches(labels.Set(c.object.GetLabels())) {
				_ = json.NewEncoder(w).Encode(map[string]any{"type": c.kind, "object": c.object.Object})
			}
		}
		from = s.version
		s.mu.Unlock()
		w.(http.Flusher).Flush()
		if !open {
			return
		}
	}
}

// closeWatches ends all watches, as an API server does now and then.
func (s *server) closeWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.watches {
		delete(s.watches, c)
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// forget makes all versions up to now too old for watches.
func (s *server) forget() {
	s.mu.Lock()
	s.oldest = s.version + 1
	s.history = nil
	s.mu.Unlock()
}

// status plays the kubelet: it changes a pod.
func (s *server) status(name string, change func(*corev1.Pod)) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects["pods/"+name]
	if o == nil {
		s.t.Errorf("there is no pod %s", name)
		return
	}
	p := as[corev1.Pod](s.t, o)
	change(p)
	data, _ := json.Marshal(p)
	n := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &n.Object); err != nil {
		s.t.Error(err)
	}
	s.put("MODIFIED", "pods", n)
}

// vanish takes a pod away; the watches hear of it or not.
func (s *server) vanish(name string, heard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects["pods/"+name]
	if heard {
		s.put("DELETED", "pods", o)
	}
	delete(s.objects, "pods/"+name)
}

func as[T any](t *testing.T, o *unstructured.Unstructured) *T {
	t.Helper()
	out := new(T)
	data, _ := json.Marshal(o.Object)
	if err := json.Unmarshal(data, out); err != nil {
		t.Error(err)
	}
	return out
}

// find gives an object; nil if there is none.
func find[T any](s *server, plural, name string) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[plural+"/"+name]; o != nil {
		return as[T](s.t, o)
	}
	return nil
}

// names are the names of the objects of a kind.
func (s *server) names(plural string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for key := range s.objects {
		if name, ok := strings.CutPrefix(key, plural+"/"); ok {
			out = append(out, name)
		}
	}
	return out
}

func (s *server) refuseWith(f func(method, plural, name string) *apierrors.StatusError) {
	s.mu.Lock()
	s.refuse = f
	s.mu.Unlock()
}

// eventually waits for something that happens soon.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 2000 {
		if f() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("not in 10 s: %s", what)
}

func listOptions(selector string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: selector}
}
