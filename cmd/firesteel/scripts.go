package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
)

// script is a link to this binary by the name of one of Spark's scripts that start and stop daemons.
type script struct {
	link string
	run  func(ctx context.Context, args []string) error
}

// scripts are in the order in which --help lists them.
func scripts() []script {
	return []script{
		{"start-master.sh", starts("master")},
		{"stop-master.sh", stops("master")},
		{"start-worker.sh", startWorkers},
		{"stop-worker.sh", stopWorkers},
		{"decommission-worker.sh", decommissionWorkers},
		{"start-workers.sh", func(ctx context.Context, _ []string) error { return everywhere(ctx, "start-worker.sh", masterURL()) }},
		{"stop-workers.sh", func(ctx context.Context, _ []string) error { return everywhere(ctx, "stop-worker.sh") }},
		{"start-shuffle-service.sh", starts("shuffle")},
		{"stop-shuffle-service.sh", stops("shuffle")},
		{"start-connect-server.sh", starts("connect")},
		{"stop-connect-server.sh", stops("connect")},
		{"start-all.sh", func(ctx context.Context, args []string) error {
			if err := starts("master")(ctx, args); err != nil {
				return err
			}
			return everywhere(ctx, "start-worker.sh", masterURL())
		}},
		{"stop-all.sh", func(ctx context.Context, args []string) error {
			return errors.Join(everywhere(ctx, "stop-worker.sh"), stops("master")(ctx, args))
		}},
	}
}

// adoptHome sets SPARK_HOME, where it is not set, to the folder whose sbin has the link.
func adoptHome(link string) {
	path, err := exec.LookPath(link)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if dir := filepath.Dir(path); err == nil && os.Getenv("SPARK_HOME") == "" && filepath.Base(dir) == "sbin" {
		_ = os.Setenv("SPARK_HOME", filepath.Dir(dir))
	}
}

// daemon is a command that runs in the background: its name, and which one of several on this machine.
type daemon struct {
	name     string
	instance int
}

func (d daemon) file(dir, suffix string) string {
	user := os.Getenv("SPARK_IDENT_STRING")
	if user == "" {
		user = cluster.UserName()
	}
	return filepath.Join(dir, fmt.Sprintf("firesteel-%s-%s-%d%s", filepath.Base(user), d.name, d.instance, suffix))
}

func (d daemon) pidFile() string { return d.file(envOr("SPARK_PID_DIR", os.TempDir()), ".pid") }

// logDir is SPARK_LOG_DIR, or logs in SPARK_HOME or here.
func logDir() string { return envOr("SPARK_LOG_DIR", filepath.Join(os.Getenv("SPARK_HOME"), "logs")) }

// running is the process of the daemon; 0 if there is none. A process that got the number of one that ended is not taken for it.
func (d daemon) running() int {
	b, err := os.ReadFile(d.pidFile())
	if err != nil {
		return 0
	}
	pid, started, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 1 || syscall.Kill(n, 0) != nil || started != "" && started != startTime(n) {
		return 0
	}
	return n
}

// startTime tells a process from others that had or will have its number; "" where the system does not say.
func startTime(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	rest := string(b)[strings.LastIndexByte(string(b), ')')+1:]
	if f := strings.Fields(rest); len(f) > 19 && f[0] != "Z" {
		return f[19]
	}
	return "ended"
}

func starts(name string) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error { return daemon{name, 1}.start(ctx, args) }
}

func stops(name string) func(context.Context, []string) error {
	return func(context.Context, []string) error { return daemon{name, 1}.stop() }
}

// startPatience is how long a daemon may take until it says that it is there: a worker looks for its master for 20 s.
const startPatience = 30 * time.Second

// start runs the command in the background, until it says on its log that it is there. With SPARK_NO_DAEMONIZE it is run here.
func (d daemon) start(ctx context.Context, args []string) error {
	if slices.Contains(args, "--help") || os.Getenv("SPARK_NO_DAEMONIZE") != "" {
		return choose(ctx, append([]string{"firesteel", d.name}, args...))
	}
	if pid := d.running(); pid != 0 {
		return fmt.Errorf("%s running as process %d.  Stop it first.", d.name, pid)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := d.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	if err := os.MkdirAll(filepath.Dir(d.pidFile()), 0o700); err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{d.name}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	fmt.Printf("starting %s, logging to %s\n", d.name, log.Name())
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := fmt.Sprintf("%d %s\n", cmd.Process.Pid, startTime(cmd.Process.Pid))
	if err := os.WriteFile(d.pidFile(), []byte(pid), 0o600); err != nil {
		_ = cmd.Process.Kill() // nobody could stop it
		return errors.Join(err, cmd.Wait())
	}
	return d.await(ctx, cmd, log.Name())
}

// keptLogs is how many logs of earlier runs are kept.
const keptLogs = 5

func (d daemon) openLog() (*os.File, error) {
	dir := logDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	name := d.file(dir, "-"+host+".out")
	for i := keptLogs - 1; i >= 0; i-- {
		old := name
		if i > 0 {
			old = fmt.Sprintf("%s.%d", name, i)
		}
		if err := os.Rename(old, fmt.Sprintf("%s.%d", name, i+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// isThere is the line with which a daemon says that it can be used.
var isThere = regexp.MustCompile(`(?m)^Firesteel .*\n`)

func (d daemon) await(ctx context.Context, cmd *exec.Cmd, log string) error {
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the log says why
		close(ended)
	}()
	limit := time.After(startPatience)
	for {
		b, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		if line := isThere.Find(b); line != nil {
			fmt.Print(string(line))
			return nil
		}
		select {
		case <-ended:
			b, _ := os.ReadFile(log)
			return errors.Join(fmt.Errorf("failed to launch %s: %s", d.name, strings.TrimSpace(string(b[max(len(b)-2000, 0):]))), os.Remove(d.pidFile()))
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), d.stop())
		case <-limit:
			return fmt.Errorf("%s has not said within %s that it is there; its log is %s", d.name, startPatience, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the daemon and waits for its end.
func (d daemon) stop() error {
	pid := d.running()
	if pid == 0 {
		fmt.Printf("no %s to stop\n", d.name)
		if err := os.Remove(d.pidFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	fmt.Printf("stopping %s\n", d.name)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	for end := time.Now().Add(patience + 5*time.Second); d.running() == pid; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			fmt.Printf("%s did not stop gracefully: killing with signal 9\n", d.name)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return err
			}
			break
		}
	}
	return os.Remove(d.pidFile())
}

// instances is how many workers this machine has (SPARK_WORKER_INSTANCES).
func instances() int { return max(envInt("SPARK_WORKER_INSTANCES", 1), 1) }

func startWorkers(ctx context.Context, args []string) error {
	page := envInt("SPARK_WORKER_WEBUI_PORT", 8081)
	for i := range instances() {
		own := args
		if page > 0 && i > 0 {
			own = append(slices.Clone(args), "--webui-port", strconv.Itoa(page+i))
		}
		if err := (daemon{"worker", i + 1}).start(ctx, own); err != nil {
			return err
		}
	}
	return nil
}

func stopWorkers(context.Context, []string) error {
	var errs []error
	for i := range instances() {
		errs = append(errs, daemon{"worker", i + 1}.stop())
	}
	return errors.Join(errs...)
}

// decommissionWorkers asks the workers of this machine to leave when what they run has ended; with --block-until-exit it waits for
// that. They must have spark.decommission.enabled.
func decommissionWorkers(ctx context.Context, args []string) error {
	f := newFlags("decommission-worker.sh", "[--block-until-exit]")
	block := f.Bool("block-until-exit", false, "wait until the workers have ended")
	if err := f.parse(args); err != nil {
		return err
	}
	if powerSignal == 0 {
		return errors.New("this system has no signal that asks a worker to leave (SIGPWR)")
	}
	var errs []error
	pids := map[daemon]int{}
	for i := range instances() {
		d := daemon{"worker", i + 1}
		pid := d.running()
		if pid == 0 {
			fmt.Printf("no %s to decommission\n", d.name)
			continue
		}
		fmt.Printf("decommissioning %s\n", d.name)
		errs = append(errs, syscall.Kill(pid, powerSignal))
		pids[d] = pid
	}
	for d, pid := range pids {
		for *block && d.running() == pid {
			select {
			case <-ctx.Done():
				return errors.Join(append(errs, context.Cause(ctx))...)
			case <-time.After(100 * time.Millisecond):
			}
		}
		if *block {
			errs = append(errs, os.Remove(d.pidFile()))
		}
	}
	return errors.Join(errs...)
}

// confDir is the folder of settings; "": there is none.
func confDir() string {
	if dir := os.Getenv("SPARK_CONF_DIR"); dir != "" || os.Getenv("SPARK_HOME") == "" {
		return dir
	}
	return filepath.Join(os.Getenv("SPARK_HOME"), "conf")
}

// loadEnvironment takes over what conf/spark-env.sh sets, as Spark's scripts do.
func loadEnvironment(ctx context.Context) error {
	file := filepath.Join(confDir(), "spark-env.sh")
	if confDir() == "" || os.Getenv("SPARK_ENV_LOADED") != "" {
		return nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		shell = "sh"
	}
	cmd := exec.CommandContext(ctx, shell, "-c", `set -a; . "$0" >&2; exec env -0`, file)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for kv := range strings.SplitSeq(string(out), "\x00") {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "_" && k != "SHLVL" {
			if err := os.Setenv(k, v); err != nil {
				return err
			}
		}
	}
	return os.Setenv("SPARK_ENV_LOADED", "1")
}

// masterURL is where start-all.sh starts the master.
func masterURL() string {
	return fmt.Sprintf("spark://%s:%d", envOr("SPARK_MASTER_HOST", "127.0.0.1"), envInt("SPARK_MASTER_PORT", 7077))
}

// everywhere runs a script on the machines that conf/workers lists: on this one itself, on others by ssh.
func everywhere(ctx context.Context, link string, args ...string) error {
	hosts, err := workerHosts()
	if err != nil {
		return err
	}
	var errs []error
	for _, host := range hosts {
		if host == "localhost" || host == "127.0.0.1" {
			i := slices.IndexFunc(scripts(), func(s script) bool { return s.link == link })
			errs = append(errs, scripts()[i].run(ctx, args))
			continue
		}
		home := os.Getenv("SPARK_HOME")
		if home == "" {
			errs = append(errs, fmt.Errorf("%s is another machine: SPARK_HOME must say where Firesteel is there", host))
			continue
		}
		words := append(strings.Fields(envOr("SPARK_SSH_OPTS", "-o StrictHostKeyChecking=no")), host, filepath.Join(home, "sbin", link))
		cmd := exec.CommandContext(ctx, "ssh", append(words, args...)...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			errs = append(errs, fmt.Errorf("%s on %s: %w", link, host, err))
		}
	}
	return errors.Join(errs...)
}

// workerHosts reads conf/workers: a machine a line; without the file it is this one.
func workerHosts() ([]string, error) {
	file := os.Getenv("SPARK_WORKERS")
	if file == "" && confDir() == "" {
		return []string{"localhost"}, nil
	}
	if file == "" {
		file = filepath.Join(confDir(), "workers")
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("SPARK_WORKERS") == "" {
		return []string{"localhost"}, nil
	}
	if err != nil {
		return nil, err
	}
	var hosts []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			hosts = append(hosts, line)
		}
	}
	return hosts, nil
}

// runHome makes a folder that serves as SPARK_HOME: bin and sbin with links to this binary, and conf.
func runHome(_ context.Context, args []string) error {
	f := newFlags("home", "DIR")
	if err := f.parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError{errors.New("home needs the folder to make")}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(f.Arg(0))
	if err != nil {
		return err
	}
	links := []string{"bin/firesteel"}
	for _, c := range commands() {
		for _, l := range c.links {
			links = append(links, "bin/"+l)
		}
	}
	for _, s := range scripts() {
		links = append(links, "sbin/"+s.link)
	}
	for _, sub := range []string{"bin", "sbin", "conf"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for _, l := range links {
		name := filepath.Join(dir, l)
		if old, err := os.Lstat(name); err == nil && old.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("%s is there and no link: a folder of another program is not changed", name)
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Symlink(self, name); err != nil {
			return err
		}
	}
	fmt.Printf("export SPARK_HOME=%s\n", dir)
	return nil
}
