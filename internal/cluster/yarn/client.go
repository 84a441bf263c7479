package yarn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/delegation"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/secure"
)

// client submits one application.
type client struct {
	v    *conf.Values
	conf hadoop.Conf
	user *hadoop.User
	rm   *yarn.Client
	id   yarn.ApplicationID
	most *yarn.Resource
	// granted are the delegation tokens of the containers. The client itself uses its tickets, which live longer.
	granted *hadoop.Credentials
}

// NoConfError says that the cluster is not known.
type NoConfError struct{}

func (*NoConfError) Error() string {
	return "When running with master 'yarn' either HADOOP_CONF_DIR or YARN_CONF_DIR must be set in the environment."
}

// open reads the configuration and finds out who the user is.
func open(v *conf.Values) (hadoop.Conf, *hadoop.User, error) {
	c, err := hadoop.LoadConf(v.All())
	if err != nil {
		return nil, nil, err
	}
	if len(hadoop.ConfDirs()) == 0 && c["yarn.resourcemanager.address"] == "" && c["yarn.resourcemanager.hostname"] == "" {
		return nil, nil, &NoConfError{}
	}
	u, err := hadoop.UserFor(c, v.All())
	if err != nil {
		return nil, nil, err
	}
	if p := v.String("spark.yarn.proxyUser"); p != "" {
		u = u.Proxy(p)
	}
	return c, u, nil
}

// newClient gets an id for an application.
func newClient(ctx context.Context, v *conf.Values) (*client, error) {
	c, u, err := open(v)
	if err != nil {
		return nil, err
	}
	cl := &client{v: v, conf: c, user: u, rm: yarn.NewClient(c, u)}
	if cl.id, cl.most, err = cl.rm.New(ctx); err != nil {
		cl.close()
		return nil, err
	}
	return cl, nil
}

func (c *client) close() {
	c.rm.Close()
	c.user.Close()
}

// hostFor is the address of this machine from which the ResourceManager is reached: there it, and its nodes, reach this one.
func (c *client) hostFor() string {
	n, err := net.Dial("udp", c.rm.Addr()) // sends nothing
	if err != nil {
		return ""
	}
	defer n.Close()
	return n.LocalAddr().(*net.UDPAddr).IP.String()
}

// tokens gets what containers need where services want Kerberos.
func (c *client) tokens(ctx context.Context, root string) error {
	if !c.conf.Kerberos() || !c.user.HasTickets() {
		return nil
	}
	var err error
	c.granted, err = delegation.Fetch(ctx, c.conf, c.user, yarn.Renewer(c.conf), delegation.URIs(c.conf, c.v.String(hadoopFileSystems), root))
	return err
}

// submission describes the application; launch is nil where there is no container for the master.
func (c *client) submission(clusterMode bool, launch *yarn.Launch) *yarn.Submission {
	size := masterSize(c.v, clusterMode)
	s := &yarn.Submission{
		ID: &c.id, Name: c.v.String("spark.app.name"), Queue: c.v.String("spark.yarn.queue"), Launch: launch, Unmanaged: launch == nil,
		MaxAttempts: int32(attempts(c.v, c.conf)), Resource: size, Type: c.v.String("spark.yarn.applicationType"), Tags: list(c.v.String("spark.yarn.tags")),
		FailuresValidity: -1,
	}
	if s.Name == "" {
		s.Name = "Firesteel"
	}
	if launch == nil {
		s.Launch = &yarn.Launch{}
	}
	if _, ok := c.v.Given("spark.yarn.priority"); ok {
		s.Priority = &yarn.Priority{Priority: int32(c.v.Int("spark.yarn.priority"))}
	}
	if d := c.v.Duration("spark.yarn.am.attemptFailuresValidityInterval"); d > 0 {
		s.FailuresValidity = d.Milliseconds()
	}
	if label := c.v.String("spark.yarn.am.nodeLabelExpression"); label != "" {
		s.Requests = []*yarn.ResourceRequest{{Priority: &yarn.Priority{}, Place: "*", Capability: size, Count: 1, RelaxLocality: true, NodeLabel: label, RequestID: -1}}
	}
	if in, ok := c.v.Given("spark.yarn.rolledLog.includePattern"); ok {
		s.Logs = &yarn.LogAggregation{RolledInclude: in, RolledExclude: c.v.String("spark.yarn.rolledLog.excludePattern")}
	}
	return s
}

// check refuses containers that the cluster never grants.
func (c *client) check(clusterMode bool, e *cluster.Executor) error {
	if err := fits("executor", executorSize(c.v, e), c.most, "spark.executor.memory", "spark.executor.cores"); err != nil {
		return err
	}
	if clusterMode {
		return fits("AM", masterSize(c.v, true), c.most, "spark.driver.memory", "spark.driver.cores")
	}
	return fits("AM", masterSize(c.v, false), c.most, "spark.yarn.am.memory", "spark.yarn.am.cores")
}

// masterLaunch says what the application master's container runs.
func (c *client) masterLaunch(s *staging, sp *spec, secret string) (*yarn.Launch, error) {
	resources, err := launchResources(s.all)
	if err != nil {
		return nil, err
	}
	env := prefixed(c.v, "spark.yarn.appMasterEnv.")
	env["SPARK_USER"] = c.user.Short()
	by, err := secure.FromConf(c.v, secure.RPC)
	if err != nil {
		return nil, err
	}
	if sealed, err := by.Seal(secret); err != nil {
		return nil, err
	} else if sealed != "" {
		env[secure.Env] = sealed
	}
	env[cluster.ExecutorEnv] = "1" // the program of a Go application finds yarn-am among its arguments by it
	if !c.conf.Kerberos() {
		env["HADOOP_USER_NAME"] = c.user.Short()
	}
	return &yarn.Launch{Resources: resources, Tokens: credentials(c.user, c.granted, secret), Environment: pairs(env),
		Command: []string{command([]string{sp.Binary, MasterCommand}, sp.Python)}}, nil
}

// EndedError says that an application is over, and not well.
type EndedError struct {
	ID          string
	State       string
	Diagnostics string
}

func (e *EndedError) Error() string {
	s := fmt.Sprintf("Application %s finished with state %s", e.ID, e.State)
	if d := strings.TrimSpace(e.Diagnostics); d != "" {
		s += ": " + d
	}
	return s
}

// outcome is nil for an application that succeeded.
func outcome(r *yarn.Report) error {
	if r.State == yarn.StateFinished && r.Final == yarn.FinalSucceeded {
		return nil
	}
	state := r.FinalName()
	if r.State != yarn.StateFinished {
		state = r.StateName()
	}
	id := ""
	if r.ID != nil {
		id = r.ID.String()
	}
	return &EndedError{id, state, r.Diagnostics}
}

// follow reports an application's states to out until it has ended.
func (c *client) follow(ctx context.Context, out io.Writer) (*yarn.Report, error) {
	interval := max(c.v.Duration("spark.yarn.report.interval"), 10*time.Millisecond)
	every := max(1, int(c.v.Int("spark.yarn.report.loggingFrequency")))
	last, same, heard := int32(-1), 0, time.Now()
	for {
		r, err := c.rm.Report(ctx, c.id)
		if err != nil {
			if lost := (*hadoop.ConnError)(nil); ctx.Err() == nil && errors.As(err, &lost) && time.Since(heard) < yarn.Patience(c.conf) {
				continue // it took its time already, and may be back soon
			}
			return nil, err
		}
		heard = time.Now()
		if same++; r.State != last || same >= every {
			fmt.Fprintf(out, "Application report for %s (state: %s)\n", c.id, r.StateName())
			if r.State != last {
				detail(out, r)
			}
			last, same = r.State, 0
		}
		if r.Ended() {
			return r, nil
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// detail prints a report as Spark's client does.
func detail(out io.Writer, r *yarn.Report) {
	na := func(s string) string {
		if s == "" {
			return "N/A"
		}
		return s
	}
	port := "N/A"
	if r.RPCPort >= 0 {
		port = fmt.Sprint(r.RPCPort)
	}
	fmt.Fprintf(out, "\t client token: N/A\n\t diagnostics: %s\n\t ApplicationMaster host: %s\n\t ApplicationMaster RPC port: %s\n\t queue: %s\n"+
		"\t start time: %d\n\t final status: %s\n\t tracking URL: %s\n\t user: %s\n",
		na(strings.TrimSpace(r.Diagnostics)), na(r.Host), port, r.Queue, r.Started, r.FinalName(), na(r.TrackingURL), r.User)
}

// errAlready says that there is nothing to kill.
var errAlready = errors.New("the application has ended already")
