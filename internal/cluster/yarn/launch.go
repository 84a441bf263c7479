package yarn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// maker makes the launch contexts of executors.
type maker struct {
	app       cluster.App
	binary    string
	python    []string
	resources []*yarn.NamedResource
	tokens    []byte
}

// credentials are the tokens of containers, the user's and others (nil: there are none), with the application's secret.
func credentials(u *hadoop.User, others *hadoop.Credentials, secret string) []byte {
	c := u.Credentials()
	if others != nil {
		maps.Copy(c.Tokens, others.Tokens)
	}
	if secret != "" {
		c.Secrets[hadoop.AppSecret] = []byte(secret)
	}
	return c.Bytes()
}

// executor says what an executor's container runs.
func (mk *maker) executor(id event.ExecutorID, c *yarn.Container) *yarn.Launch {
	env := mk.app.Environment()
	delete(env, cluster.SecretEnv) // it is among the credentials
	env["SPARK_EXECUTOR_ID"] = string(id)
	if c.HTTP != "" {
		logs := fmt.Sprintf("http://%s/node/containerlogs/%s/%s", c.HTTP, c.ID, mk.app.User)
		env["SPARK_LOG_URL_STDOUT"], env["SPARK_LOG_URL_STDERR"] = logs+"/stdout?start=-4096", logs+"/stderr?start=-4096"
	}
	cores := max(mk.app.Executor.Cores, 1)
	if c.Resource != nil && mk.app.Executor.Cores == 0 {
		cores = max(int(c.Resource.Cores), 1)
	}
	args := append([]string{mk.binary}, mk.app.Arguments(id, c.Node.Host, cores)...)
	return &yarn.Launch{Resources: mk.resources, Tokens: mk.tokens, Environment: pairs(env), Command: []string{command(args, mk.python)}}
}

func pairs(env map[string]string) []*yarn.StringPair {
	var out []*yarn.StringPair
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, &yarn.StringPair{Key: k, Value: env[k]})
	}
	return out
}

// command is a line for the container's shell. NodeManagers put it between double quotes of another shell, so the names of
// their variables are expanded there; what could be taken for a variable in an argument is quoted for both.
func command(args, python []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HADOOP_CONF_DIR=$PWD/%s YARN_CONF_DIR= SPARK_LOCAL_DIRS=$LOCAL_DIRS ", confLink)
	if len(python) > 0 {
		var dirs []string
		for _, p := range append([]string{"."}, python...) {
			dirs = append(dirs, "$PWD/"+p)
		}
		fmt.Fprintf(&b, "PYTHONPATH=%s:$PYTHONPATH ", strings.Join(dirs, ":"))
	}
	b.WriteString("exec")
	for _, a := range args {
		b.WriteString(" " + shellQuote(a))
	}
	b.WriteString(" 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr")
	return b.String()
}

// shellQuote quotes for single quotes within double ones.
func shellQuote(s string) string {
	s = strings.ReplaceAll(s, `'`, `'\''`)
	return "'" + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + "'"
}
