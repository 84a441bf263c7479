package mesos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/submission"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/secure"
)

// DispatcherOptions say what a dispatcher is.
type DispatcherOptions struct {
	Master    string // of the cluster: what comes after mesos://
	Host      string // to listen on
	Port      int    // 0: any
	AllowOpen bool   // listen on addresses of the network, where nobody is asked who he is
	Recovery  string // folder of what outlives the dispatcher; "": nothing does
	Binary    string // the program of drivers, where nothing else is set: a file on the agents
	Name      string
	User      string
	Conf      map[string]string
	Audit     *audit.Log // nil: off
}

// Dispatcher runs drivers as tasks of a Mesos cluster: applications in cluster mode. It is a framework of its own, that
// outlives the connection to the master, and serves the submission protocol.
type Dispatcher struct {
	o DispatcherOptions
	v *conf.Values
	host
	server  *http.Server
	address string
}

var (
	_ submission.Server = (*Dispatcher)(nil)
	_ submission.Logger = (*Dispatcher)(nil)
)

// record is what a dispatcher writes to its recovery folder.
type record struct {
	Framework string
	Last      int
	Drivers   []*entry
}

const recordFile = "dispatcher.json"

// failover is for how long the cluster keeps drivers of a dispatcher that is away, in seconds: as Spark's, longer than anybody waits.
const failover = float64(1<<31 - 1)

// StartDispatcher subscribes at the master and listens.
func StartDispatcher(ctx context.Context, o DispatcherOptions) (*Dispatcher, error) {
	if err := mayListen(o.Host, o.AllowOpen); err != nil {
		return nil, err
	}
	d := &Dispatcher{o: o, v: conf.NewValues(o.Conf), host: newHost()}
	master, err := parseTarget(o.Master)
	if err != nil {
		return nil, err
	}
	who, err := readLogin(d.v)
	if err != nil {
		return nil, err
	}
	r, err := recall(o.Recovery)
	if err != nil {
		return nil, err
	}
	f, err := framework(d.v, &cluster.App{Name: o.Name, User: o.User}, who.principal)
	if err != nil {
		return nil, err
	}
	if f.FailoverTimeout, f.Checkpoint = failover, true; r.Framework != "" {
		f.ID = &ident{r.Framework}
	}
	d.client, d.perform = newClient(master, who), d.carryOut
	d.decide = &desk{deskLimits: deskLimits{queued: int(d.v.Int("spark.mesos.maxDrivers")), retained: int(d.v.Int("spark.mesos.retainedDrivers")),
		retryMost: time.Duration(d.v.Int("spark.mesos.cluster.retry.wait.max")) * time.Second}, task: d.task, drivers: r.Drivers, last: r.Last}
	l, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("the dispatcher cannot listen: %w", err)
	}
	if err := d.host.start(ctx, f); err != nil {
		return nil, errors.Join(err, l.Close(), d.Close())
	}
	d.address = l.Addr().String()
	d.server = secure.Pages(submission.Handler(d, d.o.Audit))
	go func() { _ = d.server.Serve(l) }() // it ends with Close
	return d, nil
}

// mayListen refuses addresses of the network: the submission protocol does not ask who is there.
func mayListen(host string, open bool) error {
	if ip := net.ParseIP(host); open || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("the dispatcher does not listen on %s: whoever reaches it may run programs on the cluster (--allow-unauthenticated)", host)
}

// Addr is host:port of the submission server, and what comes after mesos:// in clients' master URLs.
func (d *Dispatcher) Addr() string { return d.address }

// Close ends the dispatcher. Drivers go on.
func (d *Dispatcher) Close() error {
	var err error
	if d.server != nil {
		err = d.server.Close()
	}
	if d.end() {
		d.leave()
	}
	return err
}

// Done is closed when the dispatcher has been closed or cannot go on.
func (d *Dispatcher) Done() <-chan struct{} { return d.ctx.Done() }

func (d *Dispatcher) carryOut(action any) {
	switch a := action.(type) {
	case reply:
		a.to <- a.Reply
	case tell:
		a.to <- a.State
	case tellPlace:
		a.to <- a.place
	case note:
		slog.Info("mesos: " + a.text)
	case save:
		if err := d.write(a.drivers); err != nil {
			slog.Error("mesos: the recovery folder cannot be written", "error", err)
		}
	}
}

func recall(dir string) (r record, err error) {
	if dir == "" {
		return r, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s cannot be read: %w", filepath.Join(dir, recordFile), err)
	}
	for _, e := range r.Drivers {
		if e.constraints, err = parseConstraints(e.Driver.Conf["spark.mesos.driver.constraints"]); err != nil {
			return r, fmt.Errorf("driver %s: %w", e.ID, err)
		}
	}
	return r, nil
}

// write keeps the drivers, by a new file that takes the place of the old one.
func (d *Dispatcher) write(drivers []*entry) error {
	if d.o.Recovery == "" {
		return nil
	}
	b, err := json.Marshal(&record{d.client.framework(), d.decide.(*desk).last, drivers})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.o.Recovery, 0o700); err != nil {
		return err
	}
	at := filepath.Join(d.o.Recovery, recordFile)
	if err := os.WriteFile(at+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(at+".new", at)
}

// put asks the desk and waits for the answer.
func put[T any](ctx context.Context, d *Dispatcher, to chan T, wish any) (answer T, err error) {
	if err := d.ask(wish); err != nil {
		return answer, err
	}
	select {
	case answer = <-to:
		return answer, nil
	case <-ctx.Done():
		return answer, context.Cause(ctx)
	case <-d.ctx.Done():
		return answer, context.Cause(d.ctx)
	}
}

// Create queues a driver.
func (d *Dispatcher) Create(ctx context.Context, q submission.Driver) (submission.Reply, error) {
	settings := family(d.o.Conf, "spark.mesos.dispatcher.driverDefault.")
	maps.Copy(settings, q.Conf)
	q.Conf = settings
	to := make(chan submission.Reply, 1)
	return put(ctx, d, to, newDriver{q, to})
}

// Kill ends a driver.
func (d *Dispatcher) Kill(ctx context.Context, id string) (submission.Reply, error) {
	to := make(chan submission.Reply, 1)
	return put(ctx, d, to, killDriver{id, to})
}

// KillAll ends all drivers.
func (d *Dispatcher) KillAll(ctx context.Context) (submission.Reply, error) { return d.Kill(ctx, "") }

// Clear forgets drivers that have ended.
func (d *Dispatcher) Clear(ctx context.Context) (submission.Reply, error) {
	to := make(chan submission.Reply, 1)
	return put(ctx, d, to, clearDrivers{to})
}

// Status finds a driver.
func (d *Dispatcher) Status(ctx context.Context, id string) (submission.State, error) {
	to := make(chan submission.State, 1)
	return put(ctx, d, to, askDriver{id, to})
}

// Ready says whether the dispatcher has a master.
func (d *Dispatcher) Ready(context.Context) error {
	if d.client.connectedTo() == "" {
		return errNoStream
	}
	return nil
}

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

const (
	propertiesFile = "spark.properties"
	// propertiesVar carries the settings of a driver into its folder. A command line can be read by everybody.
	propertiesVar = "_FIRESTEEL_PROPERTIES"
)

// minOverhead is what a driver gets above its memory at least, in MiB.
const minOverhead = 384

// task is the next attempt of a driver on an agent, and its memory in MiB: the submit command in client mode.
func (d *Dispatcher) task(e *entry, o *offer) (taskInfo, float64, error) {
	v := conf.NewValues(e.Driver.Conf)
	memory := float64(e.Driver.Memory >> 20)
	overhead := max(minOverhead, 0.1*memory)
	if _, ok := v.Given("spark.mesos.driver.memoryOverhead"); ok {
		overhead = float64(v.Bytes("spark.mesos.driver.memoryOverhead") >> 20)
	}
	marks, err := parseLabels("spark.mesos.driver.labels", v.String("spark.mesos.driver.labels"))
	if err != nil {
		return taskInfo{}, 0, err
	}
	fetch, start := program(v, &cluster.App{Executor: cluster.Executor{Binary: d.o.Binary}})
	settings := maps.Clone(e.Driver.Conf)
	settings["spark.master"], settings["spark.mesos.driver.frameworkId"] = "mesos://"+d.o.Master, d.client.framework()+"-"+e.taskID()
	settings["spark.driver.host"] = cmp.Or(settings["spark.driver.host"], o.Hostname)
	delete(settings, "spark.submit.deployMode")
	sandbox := func(file string, more uri) string {
		more.Value = file
		fetch = append(fetch, more)
		return `"$MESOS_SANDBOX"/` + quote(path.Base(file))
	}
	resource := e.Driver.Resource
	switch local, ok := strings.CutPrefix(resource, "local:"); {
	case ok:
		resource = quote(path.Clean("/" + strings.TrimLeft(local, "/")))
	default:
		resource = sandbox(resource, uri{Executable: !strings.HasSuffix(resource, ".py")})
	}
	for _, key := range files.Keys {
		settings[key], _ = files.Rewrite(settings[key], func(file string) (string, error) {
			sandbox(file, uri{})
			return path.Base(file), nil // the driver runs in the folder that they are fetched to
		})
		if settings[key] == "" {
			delete(settings, key)
		}
	}
	text, err := conf.FormatProperties(settings)
	if err != nil {
		return taskInfo{}, 0, err
	}
	t := taskInfo{Name: "Driver for " + e.name(), TaskID: ident{e.taskID()}, Labels: marks, KillPolicy: grace(killGrace),
		Command: command{Shell: true, URIs: fetch, Environment: driverEnv(&e.Driver, text)}}
	words := []string{`umask 077; printf %s "$` + propertiesVar + `" >` + propertiesFile + `; unset ` + propertiesVar + `; ` + start, "submit",
		"--properties-file", `"$MESOS_SANDBOX"/` + propertiesFile, resource}
	for _, a := range e.Driver.Args {
		words = append(words, quote(a))
	}
	t.Command.Value = strings.Join(words, " ")
	return t, memory + overhead, nil
}

func driverEnv(q *submission.Driver, properties string) environment {
	vars := map[string]string{}
	maps.Copy(vars, q.Env)
	maps.Copy(vars, family(q.Conf, "spark.mesos.driverEnv."))
	vars[propertiesVar] = properties
	env := environment{Variables: []variable{}}
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		env.Variables = append(env.Variables, variable{k, vars[k]})
	}
	return env
}
