package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/standalone"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/session"
)

// daemonFlags are those that master and worker share.
type daemonFlags struct {
	host, propertiesFile string
	port, webUI          int
	open                 bool
	env                  string // what its variables begin with
}

func (d *daemonFlags) register(f flags, port, webUI int, env string) {
	d.env = env
	f.StringVarP(&d.host, "host", "h", envOr(env+"_HOST", ""), "address to listen on and to be called by (default 127.0.0.1)")
	f.IntVarP(&d.port, "port", "p", envInt(env+"_PORT", port), "port to listen on; 0 is any free one")
	f.IntVar(&d.webUI, "webui-port", envInt(env+"_WEBUI_PORT", webUI), "port of the status page; the next free one is taken; -1: none")
	f.StringVar(&d.propertiesFile, "properties-file", "", "file of settings (default $SPARK_CONF_DIR/spark-defaults.conf)")
	f.BoolVar(&d.open, "allow-unauthenticated", false, "listen on addresses of the network without a secret")
}

func envOr(key, otherwise string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return otherwise
}

func envInt(key string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(key)); err == nil {
		return n
	}
	return otherwise
}

// settings are those of the properties file, and over them the -Dspark.…=… of SPARK_DAEMON_JAVA_OPTS and SPARK_MASTER_OPTS or
// SPARK_WORKER_OPTS, where users of Spark set them.
func (d *daemonFlags) settings() (*conf.Values, error) {
	app := appFlags{propertiesFile: d.propertiesFile}
	v, err := app.properties()
	if err != nil {
		return nil, err
	}
	for _, env := range []string{"SPARK_DAEMON_JAVA_OPTS", d.env + "_OPTS"} {
		for word := range strings.FieldsSeq(os.Getenv(env)) {
			if k, value, ok := strings.Cut(strings.TrimPrefix(word, "-D"), "="); ok && strings.HasPrefix(word, "-Dspark.") {
				v[k] = strings.Trim(value, `"'`)
			}
		}
	}
	return conf.NewValues(v), nil
}

// clusterSecret is the shared secret of a cluster: of the settings or the environment, never of the command line.
func clusterSecret(v *conf.Values) (string, error) {
	secret := v.String("spark.authenticate.secret")
	if secret == "" {
		secret = os.Getenv("SPARK_AUTHENTICATE_SECRET")
	}
	if v.Bool("spark.authenticate") && secret == "" {
		return "", errors.New("spark.authenticate is on, and spark.authenticate.secret (or SPARK_AUTHENTICATE_SECRET) is not set")
	}
	return secret, nil
}

// runMaster is the master of a standalone cluster, until it is interrupted.
func runMaster(ctx context.Context, args []string) error {
	f := newFlags("master", "[--host H] [--port P] [--webui-port P] [flags]")
	var d daemonFlags
	d.register(f, 7077, 8080, "SPARK_MASTER")
	rest := f.Int("rest-port", -2, "port of the submission server (default 6066 if spark.master.rest.enabled); -1: none")
	reset := f.Bool("reset-recovery", false, "forget the applications and workers that the recovery folder holds")
	ha := f.String("ha", "", "HOST:PORT,… of all masters, of which this is one: they elect a leader (spark.deploy.recoveryMode RAFT)")
	if err := f.parse(args); err != nil {
		return err
	}
	v, err := d.settings()
	if err != nil {
		return err
	}
	secret, err := clusterSecret(v)
	if err != nil {
		return err
	}
	rules, err := masterConfig(v)
	if err != nil {
		return err
	}
	recovery, masters, err := recoveryOf(v, *ha)
	if err != nil {
		return err
	}
	if *rest == -2 {
		if *rest = -1; v.String("spark.master.rest.enabled") != "false" && secret == "" {
			*rest = 6066
		}
	}
	by, pages, err := daemonTLS(v)
	if err != nil {
		return err
	}
	log, err := audit.Open(v, "")
	if err != nil {
		return err
	}
	defer log.Close()
	m, err := standalone.StartMaster(standalone.MasterOptions{Audit: log, TLS: by, PagesTLS: pages, Host: d.host, Port: d.port, WebUI: d.webUI, REST: *rest, Secret: secret, AllowOpen: d.open,
		Recovery: recovery, Masters: masters, Reset: *reset, Decommission: v.String("spark.master.ui.decommission.allow.mode"), Core: rules, Log: daemonLog()})
	if err != nil {
		return err
	}
	defer m.Close()
	fmt.Fprintf(os.Stderr, "Firesteel %s: master at %s", session.Version, m.URL())
	if len(masters) > 0 {
		fmt.Fprintf(os.Stderr, ", one of spark://%s", strings.Join(masters, ","))
	}
	if m.WebUI() != "" {
		fmt.Fprintf(os.Stderr, ", status page %s%s", scheme(pages), m.WebUI())
	}
	if m.REST() != "" {
		fmt.Fprintf(os.Stderr, ", submissions %s%s", scheme(pages), m.REST())
	}
	fmt.Fprintln(os.Stderr)
	<-ctx.Done()
	return nil
}

// daemonTLS is what secures the connections of a daemon, and its pages.
func daemonTLS(v *conf.Values) (by, pages *secure.TLS, err error) {
	if by, err = secure.FromConf(v, secure.RPC); err == nil {
		pages, err = secure.FromConf(v, secure.Standalone)
	}
	return by, pages, err
}

// scheme begins the address of pages.
func scheme(pages *secure.TLS) string {
	if pages != nil {
		return "https://"
	}
	return "http://"
}

func daemonLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// mastersKey names all masters of recovery mode RAFT.
const mastersKey = "spark.firesteel.deploy.masters"

// recoveryFolder is where a daemon that is alone keeps what outlives it; "": nowhere.
func recoveryFolder(v *conf.Values) (string, error) {
	dir, masters, err := recoveryOf(v, "")
	if err == nil && masters != nil {
		err = errors.New("spark.deploy.recoveryMode RAFT is for masters of a standalone cluster")
	}
	return dir, err
}

// recoveryOf is where a master keeps what outlives it ("": nowhere), and the addresses of all masters if there are several.
func recoveryOf(v *conf.Values, ha string) (dir string, masters []string, err error) {
	mode, _ := v.Given("spark.deploy.recoveryMode")
	if ha != "" {
		mode = "RAFT"
	}
	switch mode = strings.ToUpper(mode); mode {
	case "", "NONE":
		return "", nil, nil
	case "FILESYSTEM", "RAFT":
	default:
		return "", nil, fmt.Errorf("spark.deploy.recoveryMode is NONE, FILESYSTEM or RAFT here, not %q", mode)
	}
	dir, ok := v.Given("spark.deploy.recoveryDirectory")
	if !ok || dir == "" {
		return "", nil, fmt.Errorf("spark.deploy.recoveryMode %s needs spark.deploy.recoveryDirectory", mode)
	}
	if mode == "FILESYSTEM" {
		return dir, nil, nil
	}
	if ha == "" {
		if ha, _ = v.Given(mastersKey); ha == "" {
			return "", nil, fmt.Errorf("spark.deploy.recoveryMode RAFT needs the addresses of all masters: --ha HOST:PORT,… or %s", mastersKey)
		}
	}
	all, err := cluster.ParseMaster("spark://" + strings.TrimPrefix(ha, "spark://"))
	if err != nil {
		return "", nil, fmt.Errorf("the addresses of the masters (--ha, %s) are HOST:PORT,…, not %q", mastersKey, ha)
	}
	return dir, all.Addresses, nil
}

// masterConfig reads the rules' numbers from settings.
func masterConfig(v *conf.Values) (core.Config, error) {
	c := core.DefaultConfig()
	var errs []error
	seconds := func(key string, into *time.Duration) {
		s, ok := v.Given(key)
		if !ok {
			return
		}
		if n, err := strconv.Atoi(s); err == nil {
			*into = time.Duration(n) * time.Second
			return
		}
		d, err := conf.ParseDuration(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is a number of seconds, not %q", key, s))
		}
		*into = d
	}
	number := func(key string, into *int) {
		s, ok := v.Given(key)
		if !ok {
			return
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is a number, not %q", key, s))
		}
		*into = n
	}
	seconds("spark.worker.timeout", &c.WorkerTimeout)
	seconds("spark.deploy.recoveryTimeout", &c.Recovery)
	seconds("spark.starvation.timeout", &c.Starving)
	number("spark.deploy.defaultCores", &c.DefaultCores)
	number("spark.deploy.maxExecutorRetries", &c.MaxExecutorRetries)
	number("spark.deploy.maxDrivers", &c.MaxDrivers)
	number("spark.deploy.retainedApplications", &c.RetainedApps)
	number("spark.deploy.retainedDrivers", &c.RetainedDrivers)
	if s, ok := v.Given("spark.deploy.spreadOutApps"); ok {
		c.SpreadOut = s != "false"
	} else if s, ok := v.Given("spark.deploy.spreadOut"); ok {
		c.SpreadOut = s != "false"
	}
	return c, errors.Join(errs...)
}

// cleanupOf says what becomes of old folders.
func cleanupOf(v *conf.Values) standalone.Cleanup {
	return standalone.Cleanup{Keep: !v.Bool("spark.worker.cleanup.enabled"), Every: time.Duration(v.Int("spark.worker.cleanup.interval")) * time.Second,
		TTL: time.Duration(v.Int("spark.worker.cleanup.appDataTtl")) * time.Second}
}

// runWorker is a worker of a standalone cluster, until it is interrupted or its master is gone for good.
func runWorker(ctx context.Context, args []string) error {
	f := newFlags("worker", "spark://HOST:PORT[,HOST:PORT…] [--cores N] [--memory SIZE] [flags]")
	var d daemonFlags
	d.register(f, 0, 8081, "SPARK_WORKER")
	cores := f.IntP("cores", "c", envInt("SPARK_WORKER_CORES", runtime.NumCPU()), "cores to give to executors")
	mem := f.StringP("memory", "m", os.Getenv("SPARK_WORKER_MEMORY"), "memory to give to executors, e.g. 4g (default: that of the machine less 1 GiB)")
	dir := f.StringP("work-dir", "d", envOr("SPARK_WORKER_DIR", "work"), "folder of what executors and drivers write")
	if err := f.parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError{errors.New("worker needs the URL of its master: spark://HOST:PORT")}
	}
	master, err := cluster.ParseMaster(f.Arg(0))
	if err != nil {
		return usageError{err}
	}
	if master.Kind != cluster.Standalone {
		return usageError{fmt.Errorf("%s is no master of a standalone cluster", f.Arg(0))}
	}
	bytes := max(memory.Available()-(1<<30), 512<<20)
	if *mem != "" {
		if bytes, err = conf.ParseBytes(*mem, 1<<20); err != nil {
			return usageError{fmt.Errorf("--memory: %w", err)}
		}
	}
	v, err := d.settings()
	if err != nil {
		return err
	}
	secret, err := clusterSecret(v)
	if err != nil {
		return err
	}
	rules, err := masterConfig(v)
	if err != nil {
		return err
	}
	outputs, err := d.serveOutputs(v, secret)
	if err != nil {
		return err
	}
	defer outputs.close()
	by, pages, err := daemonTLS(v)
	if err != nil {
		return err
	}
	w, err := standalone.StartWorker(ctx, standalone.WorkerOptions{TLS: by, PagesTLS: pages, Masters: master.Addresses, Host: d.host, WebUI: d.webUI, Cores: max(*cores, 1), Memory: bytes,
		Outputs: outputs, Dir: *dir, Secret: secret, AllowOpen: d.open, Heartbeat: rules.WorkerTimeout / 4, Cleanup: cleanupOf(v), Log: daemonLog()})
	if err != nil {
		return err
	}
	defer w.Close()
	if v.Bool("spark.decommission.enabled") {
		power := make(chan os.Signal, 1)
		notifyPower(power)
		go func() {
			<-power
			w.Decommission()
		}()
	}
	fmt.Fprintf(os.Stderr, "Firesteel %s: %s with %d cores and %d MiB", session.Version, w.ID(), max(*cores, 1), bytes>>20)
	if w.WebUI() != "" {
		fmt.Fprintf(os.Stderr, ", status page %s%s", scheme(pages), w.WebUI())
	}
	fmt.Fprintln(os.Stderr)
	select {
	case <-ctx.Done():
		return nil
	case <-w.Done():
		return w.Err()
	}
}

// maxUpload bounds the files that travel with a submission.
const maxUpload = 32 << 20

// submitStandalone asks the master for a driver in its cluster and tells what became of the request.
func submitStandalone(ctx context.Context, master cluster.Master, o session.Options, argv []string) error {
	d, err := driverOf(o, argv)
	if err != nil {
		return err
	}
	c, err := standaloneClient(ctx, master, o)
	if err != nil {
		return err
	}
	defer c.Close()
	id, err := c.Submit(ctx, d)
	if err != nil {
		return fmt.Errorf("firesteel submit: %w", err)
	}
	fmt.Fprintf(os.Stderr, "Driver successfully submitted as %s\n", id)
	if o.Conf["spark.standalone.submit.waitAppCompletion"] != "true" {
		return printDriver(ctx, c, id)
	}
	for {
		v, ok, err := c.Status(ctx, id)
		switch {
		case err != nil:
			return err
		case !ok || v.State.Over():
			err := printDriver(ctx, c, id)
			if err == nil && v.State != core.Finished {
				err = exitCode(1)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

func standaloneClient(ctx context.Context, master cluster.Master, o session.Options) (*standalone.Client, error) {
	secret, err := clusterSecret(conf.NewValues(o.Conf))
	if err != nil {
		return nil, err
	}
	by, err := secure.FromConf(conf.NewValues(o.Conf), secure.RPC)
	if err != nil {
		return nil, err
	}
	return standalone.NewClient(ctx, master.Addresses, secret, by)
}

// driverOf describes an application with the files that it needs.
func driverOf(o session.Options, argv []string) (core.DriverDesc, error) {
	v := conf.NewValues(o.Conf)
	settings := map[string]string{}
	for k, s := range o.Conf {
		if k != "spark.authenticate.secret" { // its worker knows it
			settings[k] = s
		}
	}
	settings["spark.master"] = o.Master
	d := core.DriverDesc{Resource: filepath.Base(argv[0]), Args: argv[1:], Conf: settings, Memory: v.Bytes("spark.driver.memory"), Cores: 1,
		Supervise: o.Conf["spark.driver.supervise"] == "true", Env: map[string]string{}}
	if n, err := strconv.Atoi(o.Conf["spark.driver.cores"]); err == nil && n > 0 {
		d.Cores = n
	}
	for _, key := range []string{"PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "PATH"} {
		if p := os.Getenv(key); p != "" {
			d.Env[key] = p
		}
	}
	if d.Env["PYSPARK_PYTHON"] == "" {
		d.Env["PYSPARK_PYTHON"] = pythonPath()
	}
	u := &uploads{}
	if _, err := u.add(argv[0]); err != nil {
		return d, fmt.Errorf("firesteel submit: cannot read the application: %w", err)
	}
	for _, key := range files.Keys {
		if settings[key] == "" {
			continue
		}
		var err error
		if settings[key], err = files.Rewrite(settings[key], u.add); err != nil {
			return d, fmt.Errorf("firesteel submit: %s: %w", key, err)
		}
	}
	d.Files = u.files
	return d, nil
}

// uploads are files that travel with a submission.
type uploads struct {
	files []core.File
	total int
}

// add takes a file of this machine along, and gives its name in the driver's folder. What lies elsewhere the driver gets itself.
func (u *uploads) add(name string) (string, error) {
	path, local := localPath(name)
	if !local {
		return name, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	f := core.File{Name: filepath.Base(path), Data: b}
	for _, old := range u.files {
		if old.Name == f.Name && bytes.Equal(old.Data, f.Data) {
			return f.Name, nil
		}
		if old.Name == f.Name {
			return "", fmt.Errorf("two different files are named %s", f.Name)
		}
	}
	if u.total += len(b); u.total > maxUpload {
		return "", fmt.Errorf("the files of the application have more than %d MiB", maxUpload>>20)
	}
	u.files = append(u.files, f)
	return f.Name, nil
}

// tellStandalone shows the state of a driver, or ends it.
func tellStandalone(ctx context.Context, master cluster.Master, o session.Options, status, kill string) error {
	c, err := standaloneClient(ctx, master, o)
	if err != nil {
		return err
	}
	defer c.Close()
	if kill != "" {
		message, err := c.Kill(ctx, kill)
		if err != nil {
			return err
		}
		fmt.Println(message)
		return nil
	}
	return printDriver(ctx, c, status)
}

func printDriver(ctx context.Context, c *standalone.Client, id string) error {
	d, ok, err := c.Status(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the master does not know %s", id)
	}
	fmt.Printf("State of %s is %s\n", id, d.State)
	if d.State == core.Running {
		fmt.Printf("Driver running on %s (%s)\n", d.Host, d.Worker)
	}
	if d.Reason != "" {
		fmt.Println(d.Reason)
	}
	return nil
}
