package mesos

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

func invalid(key, value, why string) error {
	return sparkerr.IllegalArgument(fmt.Sprintf("The value '%s' of %s %s.", value, key, why))
}

// unsupportedKeys are settings that ask for what is not built. To ignore them would run something else than was asked for.
var unsupportedKeys = []string{
	"spark.mesos.executor.docker.image", "spark.mesos.network.name", "spark.mesos.executor.gpus",
	"spark.mesos.driver.secret.names", "spark.mesos.driver.secret.values", "spark.mesos.executor.secret.names",
	"spark.mesos.executor.secret.values", "spark.mesos.executor.docker.volumes",
}

func checkSettings(v *conf.Values) error {
	for _, key := range unsupportedKeys {
		if s, ok := v.Given(key); ok && s != "" && s != "0" {
			return sparkerr.Unsupported(key)
		}
	}
	if v.Int("spark.mesos.gpus.max") > 0 {
		return sparkerr.Unsupported("spark.mesos.gpus.max")
	}
	if !v.Bool("spark.mesos.coarse") {
		return sparkerr.Unsupported("spark.mesos.coarse=false (fine-grained mode)")
	}
	return nil
}

func readLimits(v *conf.Values, app *cluster.App) (limits, error) {
	l := limits{cores: app.Executor.Cores, coresMax: int(v.Int("spark.cores.max")), port: uint64(v.Int("spark.blockManager.port")),
		maxFailures: int(v.Int("spark.executor.maxNumFailures")), failureWindow: v.Duration("spark.executor.failuresValidityInterval")}
	overhead := app.Executor.Overhead
	if _, ok := v.Given("spark.mesos.executor.memoryOverhead"); ok {
		overhead = v.Bytes("spark.mesos.executor.memoryOverhead")
	}
	l.memory = float64((app.Executor.Memory + overhead + 1<<20 - 1) >> 20)
	seconds := func(key string) float64 { return v.Duration(key).Seconds() }
	l.refuse = 5
	l.refuseUnmet = seconds("spark.mesos.rejectOfferDurationForUnmetConstraints")
	l.refuseReached = seconds("spark.mesos.rejectOfferDurationForReachedMaxCores")
	if _, ok := v.Given("spark.cores.max"); ok && (l.coresMax <= 0 || l.coresMax < l.cores) {
		return l, invalid("spark.cores.max", v.String("spark.cores.max"), "is less than the cores of one executor")
	}
	var err error
	if l.constraints, err = parseConstraints(v.String("spark.mesos.constraints")); err != nil {
		return l, invalid("spark.mesos.constraints", v.String("spark.mesos.constraints"), "cannot be read: "+err.Error())
	}
	return l, nil
}

// login is a principal and its secret.
type login struct{ principal, secret string }

// credential finds a part of the login: a setting, a variable, a file that a setting or a variable names.
func credential(v *conf.Values, part string) (string, error) {
	key, env := "spark.mesos."+part, "SPARK_MESOS_"+strings.ToUpper(part)
	if s := cmp.Or(v.String(key), os.Getenv(env)); s != "" {
		return s, nil
	}
	file := cmp.Or(v.String(key+".file"), os.Getenv(env+"_FILE"))
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("mesos: the %s cannot be read: %w", part, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func readLogin(v *conf.Values) (l login, err error) {
	if l.principal, err = credential(v, "principal"); err != nil {
		return l, err
	}
	if l.secret, err = credential(v, "secret"); err != nil {
		return l, err
	}
	if l.secret != "" && l.principal == "" {
		return l, sparkerr.IllegalArgument("spark.mesos.principal must be given with spark.mesos.secret.")
	}
	return l, nil
}

// parseLabels reads "key:value,key2:value2". A backslash keeps the character after it.
func parseLabels(key, text string) (*labels, error) {
	if text == "" {
		return nil, nil
	}
	out := &labels{}
	for _, part := range splitEscaped(text, ',') {
		kv := splitEscaped(part, ':')
		if len(kv) > 2 || kv[0] == "" {
			return nil, invalid(key, text, "is not of the form key:value,key:value")
		}
		l := label{Key: unescape(kv[0])}
		if len(kv) == 2 {
			l.Value = unescape(kv[1])
		}
		out.Labels = append(out.Labels, l)
	}
	return out, nil
}

func splitEscaped(s string, sep byte) []string {
	var out []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// framework describes the application to the master.
func framework(v *conf.Values, app *cluster.App, principal string) (frameworkInfo, error) {
	f := frameworkInfo{User: cmp.Or(app.User, "root"), Name: app.Name, Principal: principal, WebUI: v.String("spark.mesos.driver.webui.url"),
		Hostname: cmp.Or(os.Getenv("SPARK_PUBLIC_DNS"), v.String("spark.driver.host")), FailoverTimeout: v.Double("spark.mesos.driver.failoverTimeout")}
	f.Checkpoint = f.FailoverTimeout > 0 // executors outlive the restart of an agent if they outlive a break of this stream
	for _, r := range strings.Split(cmp.Or(v.String("spark.mesos.role"), "*"), ",") {
		f.Roles = append(f.Roles, strings.TrimSpace(r))
	}
	for _, c := range []string{"MULTI_ROLE", "PARTITION_AWARE", "TASK_KILLING_STATE", "RESERVATION_REFINEMENT"} {
		f.Capabilities = append(f.Capabilities, capability{c})
	}
	if id := v.String("spark.mesos.driver.frameworkId"); id != "" {
		f.ID = &ident{id}
	}
	var err error
	f.Labels, err = parseLabels("spark.mesos.driver.labels", v.String("spark.mesos.driver.labels"))
	return f, err
}

// archives are the endings of what the agent unpacks.
var archives = []string{".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip", ".gz"}

func isArchive(name string) bool {
	return slices.ContainsFunc(archives, func(end string) bool { return strings.HasSuffix(name, end) })
}

// sandboxed has a task keep its files in the sandbox, unless its environment says where: the agent removes those of tasks that
// were killed.
const sandboxed = `export SPARK_LOCAL_DIRS="${SPARK_LOCAL_DIRS:-$MESOS_SANDBOX}"; `

// program says how executors get their program: what the agent fetches, and the beginning of the shell command.
func program(v *conf.Values, app *cluster.App) (fetch []uri, shell string) {
	cache := v.Bool("spark.mesos.fetcherCache.enable")
	if u := v.String("spark.executor.uri"); u != "" {
		name := path.Base(u)
		if isArchive(name) {
			stem, _, _ := strings.Cut(name, ".")
			fetch, shell = []uri{{Value: u, Extract: true, Cache: cache}}, "exec "+quote(stem)+"*/bin/firesteel"
		} else {
			fetch, shell = []uri{{Value: u, Executable: true, Cache: cache}}, "exec "+quote("./"+name)
		}
	} else if home := v.String("spark.mesos.executor.home"); home != "" {
		shell = "exec " + quote(home+"/bin/firesteel")
	} else {
		shell = "exec " + quote(app.Executor.Binary)
	}
	shell = sandboxed + shell
	for _, u := range strings.Split(v.String("spark.mesos.uris"), ",") {
		if u = strings.TrimSpace(u); u != "" {
			fetch = append(fetch, uri{Value: u, Extract: isArchive(u), Cache: cache})
		}
	}
	return fetch, shell
}

// quote makes one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// killGrace is how long an executor that is killed may take to leave.
const killGrace = 5 * time.Second

func grace(d time.Duration) *killPolicy {
	p := &killPolicy{}
	p.GracePeriod.Nanoseconds = int64(d)
	return p
}

// template makes the tasks of an application.
func template(v *conf.Values, app cluster.App) (func(event.ExecutorID, *offer, int) taskInfo, error) {
	marks, err := parseLabels("spark.mesos.task.labels", v.String("spark.mesos.task.labels"))
	if err != nil {
		return nil, err
	}
	extra := 0
	if s := v.String("spark.mesos.extra.cores"); s != "" {
		if extra, err = strconv.Atoi(s); err != nil || extra < 0 {
			return nil, invalid("spark.mesos.extra.cores", s, "must be a number that is not negative")
		}
	}
	fetch, start := program(v, &app)
	vars := app.Environment()
	env := environment{Variables: []variable{}}
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		env.Variables = append(env.Variables, variable{k, vars[k]})
	}
	policy := grace(killGrace)
	return func(id event.ExecutorID, o *offer, cores int) taskInfo {
		words := []string{start}
		for _, a := range app.Arguments(id, o.Hostname, cores+extra) {
			words = append(words, quote(a))
		}
		return taskInfo{Name: app.Name + " " + string(id), Labels: marks, KillPolicy: policy,
			Command: command{Value: strings.Join(words, " "), Shell: true, URIs: fetch, Environment: env}}
	}, nil
}
