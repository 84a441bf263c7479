package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/firesteel/firesteel/internal/cluster/managers"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/session"
)

// SubmitSettings is the variable by which firesteel submit hands its settings to the program: a JSON object of spark.*
// keys.
const SubmitSettings = "FIRESTEEL_SUBMIT_SETTINGS"

// SessionBuilder collects the settings of a session. What is set here wins over what the program was submitted with, that
// over spark-defaults.conf in $SPARK_CONF_DIR or $SPARK_HOME/conf, and that over the environment (MASTER).
type SessionBuilder struct {
	given map[string]string
	hive  bool
}

// Builder begins a session.
func Builder() *SessionBuilder { return &SessionBuilder{given: map[string]string{}} }

// Master says where to run: local, local[N], local[*], local-cluster[N,CORES,MEMORY],
// spark://HOST:PORT, yarn, k8s://https://HOST:PORT, mesos://HOST:PORT.
func (b *SessionBuilder) Master(url string) *SessionBuilder { return b.Config("spark.master", url) }

// AppName is the application's name.
func (b *SessionBuilder) AppName(name string) *SessionBuilder {
	return b.Config("spark.app.name", name)
}

// Config sets a spark.* key; values are printed as Go prints them.
func (b *SessionBuilder) Config(key string, value any) *SessionBuilder {
	b.given[key] = fmt.Sprint(value)
	return b
}

// ConfigAll sets all keys of a SparkConf.
func (b *SessionBuilder) ConfigAll(c *SparkConf) *SessionBuilder {
	for k, v := range c.given {
		b.given[k] = v
	}
	return b
}

// EnableHiveSupport keeps tables in a persistent catalog, which is the case anyway.
func (b *SessionBuilder) EnableHiveSupport() *SessionBuilder { b.hive = true; return b }

// current is the session that GetOrCreate gives again, until it is stopped.
var current struct {
	sync.Mutex
	s *Session
}

// GetOrCreate gives the running session of this process, with the builder's session settings applied, or starts an
// application. Whoever starts one stops it with Session.Stop.
func (b *SessionBuilder) GetOrCreate(ctx context.Context) (*Session, error) {
	current.Lock()
	defer current.Unlock()
	if current.s != nil {
		return current.s, current.s.apply(b.given)
	}
	s, err := b.start(ctx)
	if err == nil {
		current.s = s
	}
	return s, err
}

// Create starts an application of its own, even if the process has a session; GetOrCreate does not give it again. It is
// for tests.
func (b *SessionBuilder) Create(ctx context.Context) (*Session, error) { return b.start(ctx) }

func (b *SessionBuilder) start(ctx context.Context) (*Session, error) {
	settings, err := b.settings()
	if err != nil {
		return nil, err
	}
	if settings["spark.app.name"] == "" {
		settings["spark.app.name"] = filepath.Base(os.Args[0])
	}
	if err := mayStart(settings["spark.master"]); err != nil {
		return nil, err
	}
	app, err := session.Start(ctx, session.Options{Master: settings["spark.master"], Name: settings["spark.app.name"], Conf: settings,
		Managers: managers.New, Log: session.LogTo(settings, false)})
	if err != nil {
		return nil, err
	}
	return newSession(app), nil
}

// settings merges what the environment, the properties file, the submission and the builder say.
func (b *SessionBuilder) settings() (map[string]string, error) {
	out := map[string]string{}
	if m := os.Getenv("MASTER"); m != "" {
		out["spark.master"] = m
	}
	if err := readDefaults(out); err != nil {
		return nil, err
	}
	if text := os.Getenv(SubmitSettings); text != "" {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			return nil, fmt.Errorf("spark: %s does not hold the settings that firesteel submit writes: %w", SubmitSettings, err)
		}
	}
	for k, v := range b.given {
		out[k] = v
	}
	return out, nil
}

func readDefaults(into map[string]string) error {
	dir := os.Getenv("SPARK_CONF_DIR")
	if home := os.Getenv("SPARK_HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, "conf")
	}
	if dir == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, "spark-defaults.conf"))
	if os.IsNotExist(err) {
		return nil
	}
	for k, v := range conf.ParseProperties(string(text)) {
		into[k] = v
	}
	return err
}
