package driver

import (
	"testing"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/wire"
)

// Executors get what they need besides the application's settings, which come first; the secret they have already.
func TestSettingsOfExecutors(t *testing.T) {
	r := NewRemote(RemoteOptions{App: cluster.App{ID: "app"}, Conf: conf.NewValues(map[string]string{"spark.hadoop.a": "1", "spark.authenticate.secret": "hush"}),
		Besides: map[string]string{"spark.hadoop.a": "2", "spark.hadoop.b": "3"}})
	r.app = r.o.App
	s, err := r.settings(&wire.Application{App: "app", Executor: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Conf["spark.hadoop.a"] != "1" || s.Conf["spark.hadoop.b"] != "3" {
		t.Errorf("settings %v", s.Conf)
	}
	if _, there := s.Conf["spark.authenticate.secret"]; there {
		t.Error("the secret is among the settings")
	}
	if _, err := r.settings(&wire.Application{App: "another", Executor: "1"}); err == nil {
		t.Error("an executor of another application got settings")
	}
}
