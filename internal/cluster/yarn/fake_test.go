package yarn

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hadooptest"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// fake is a small YARN of one node: its ResourceManager grants what is asked for at once, and its NodeManager starts real
// processes, with local resources checked and linked, credentials and scripts as the real one has them.
type fake struct {
	t    *testing.T
	dir  string
	node *yarn.NodeID

	client, scheduler, manager *hadooptest.Server
	amrm, nm                   *hadoop.Token
	work                       sync.WaitGroup

	mu         sync.Mutex
	app        *yarn.Submission
	report     yarn.Report
	attempt    int32
	registered bool
	last       int64 // container
	responses  int32
	wanted     int32
	size       *yarn.Resource
	told       bool // the node's token
	running    map[int64]*process
	granted    []*yarn.Container
	completed  []*yarn.ContainerStatus
	forgetful  int // beats that are answered as by a ResourceManager that was restarted
	log        []string
	launches   []*yarn.Launch
}

// process is a container that runs.
type process struct {
	id     *yarn.ContainerID
	cmd    *exec.Cmd
	master bool
	why    int32 // exit status that the ResourceManager makes up; 0: the process's own
}

const (
	maxMemory = 4096
	appNumber = 7
)

func newFake(t *testing.T) *fake {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash, in which NodeManagers run commands")
	}
	f := &fake{t: t, dir: t.TempDir(), running: map[int64]*process{},
		amrm: &hadoop.Token{Identifier: []byte("attempt"), Password: []byte("p1"), Kind: hadoop.KindAMRM},
		nm:   &hadoop.Token{Identifier: []byte("node"), Password: []byte("p2"), Kind: hadoop.KindNM}}
	f.client = hadooptest.Start(t, nil, f.asOwner)
	f.scheduler = hadooptest.Start(t, []*hadoop.Token{f.amrm}, f.asMaster)
	f.manager = hadooptest.Start(t, []*hadoop.Token{f.nm}, f.asNode)
	f.node = &yarn.NodeID{Host: "127.0.0.1", Port: int32(f.manager.Port())}
	f.nm.Service = f.node.Addr()
	t.Cleanup(func() {
		f.mu.Lock()
		f.end(yarn.StateKilled, yarn.FinalKilled, "the test ends")
		f.mu.Unlock()
		f.work.Wait()
	})
	return f
}

// settings of an application for this cluster.
func (f *fake) settings(more ...string) map[string]string {
	s := map[string]string{"spark.hadoop.yarn.resourcemanager.address": f.client.Addr(), "spark.hadoop.yarn.resourcemanager.scheduler.address": f.scheduler.Addr(),
		"spark.hadoop.fs.defaultFS": "file:///", "spark.yarn.stagingDir": filepath.Join(f.dir, "staging"), "spark.app.name": "fake", "spark.executor.memory": "512m",
		"spark.driver.memory": "512m", "spark.yarn.report.interval": "20ms", "spark.yarn.scheduler.heartbeat.interval-ms": "100",
		"spark.yarn.scheduler.initial-allocation.interval": "20ms", "spark.executorEnv.STAND_IN_DIR": f.dir, "spark.yarn.appMasterEnv.STAND_IN_DIR": f.dir}
	for i := 0; i < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}

type newApplication struct {
	ID      *yarn.ApplicationID `pb:"1"`
	Maximum *yarn.Resource      `pb:"2"`
}
type submit struct {
	Context *yarn.Submission `pb:"1"`
}
type reported struct {
	Report *yarn.Report `pb:"1"`
}
type done struct {
	Done bool `pb:"1"`
}
type finished struct {
	Diagnostics string `pb:"1"`
	URL         string `pb:"2"`
	Final       int32  `pb:"3"`
}
type start struct {
	Launch *yarn.Launch  `pb:"1"`
	Token  *hadoop.Token `pb:"2"`
}
type starts struct {
	Requests []*start `pb:"1"`
}
type nothing struct{}

func (f *fake) id() *yarn.ApplicationID { return &yarn.ApplicationID{ID: appNumber, Timestamp: 1000} }

func (f *fake) asOwner(c hadooptest.Call) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch c.Method {
	case "getNewApplication":
		return &newApplication{f.id(), &yarn.Resource{Memory: maxMemory, Cores: 4}}, nil
	case "submitApplication":
		var m submit
		if err := pb.Unmarshal(c.Body, &m); err != nil {
			return nil, err
		}
		f.app = m.Context
		f.report = yarn.Report{ID: f.id(), User: c.User, Queue: m.Context.Queue, State: yarn.StateAccepted}
		f.next()
		return &nothing{}, nil
	case "getApplicationReport":
		if f.app == nil {
			return nil, &hadooptest.Exception{Class: "org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException", Message: "Application doesn't exist"}
		}
		r := f.report
		if f.app.Unmanaged && f.report.State == yarn.StateAccepted {
			r.AMRMToken = f.amrm
		}
		return &reported{&r}, nil
	case "forceKillApplication":
		f.end(yarn.StateKilled, yarn.FinalKilled, "killed by a user")
		return &done{true}, nil
	}
	return nil, fmt.Errorf("unknown method %s", c.Method)
}

// next starts an attempt.
func (f *fake) next() {
	f.attempt++
	f.registered, f.told, f.granted, f.completed, f.wanted, f.responses = false, false, nil, nil, 0, 0
	f.last = f.last / 1000 * 1000
	if f.app.Unmanaged {
		return
	}
	f.last++
	id := &yarn.ContainerID{Attempt: &yarn.AttemptID{App: f.id(), Attempt: f.attempt}, ID: f.last}
	c, err := hadoop.ParseCredentials(f.app.Launch.Tokens)
	if err != nil {
		f.end(yarn.StateFailed, yarn.FinalFailed, err.Error())
		return
	}
	c.Tokens[""] = f.amrm
	if err := f.run(id, f.app.Launch, c.Bytes(), true); err != nil {
		f.end(yarn.StateFailed, yarn.FinalFailed, err.Error())
	}
}

// end ends the application and all containers.
func (f *fake) end(state, final int32, why string) {
	if f.report.State < yarn.StateFinished {
		f.report.State, f.report.Final, f.report.Diagnostics = state, final, why
	}
	for _, p := range f.running {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	}
}

func (f *fake) asMaster(c hadooptest.Call) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch c.Method {
	case "registerApplicationMaster":
		f.registered, f.told = true, false
		f.report.State = yarn.StateRunning
		f.log = append(f.log, "registered")
		return &yarn.Registered{Maximum: &yarn.Resource{Memory: maxMemory, Cores: 4}}, nil
	case "allocate":
		var r yarn.AllocateRequest
		if err := pb.Unmarshal(c.Body, &r); err != nil {
			return nil, err
		}
		return f.allocate(&r)
	case "finishApplicationMaster":
		if !f.registered {
			return nil, &hadooptest.Exception{Class: "org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException", Message: "not registered"}
		}
		var m finished
		if err := pb.Unmarshal(c.Body, &m); err != nil {
			return nil, err
		}
		if f.report.State < yarn.StateFinished {
			f.report.State, f.report.Final, f.report.Diagnostics = yarn.StateFinished, m.Final, m.Diagnostics
		}
		for _, p := range f.running {
			if !p.master {
				p.why = yarn.ExitAfterApplication
				_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			}
		}
		return &done{true}, nil
	}
	return nil, fmt.Errorf("unknown method %s", c.Method)
}

func (f *fake) allocate(r *yarn.AllocateRequest) (any, error) {
	if f.forgetful > 0 || !f.registered {
		f.forgetful = max(0, f.forgetful-1)
		f.registered, f.wanted, f.responses = false, 0, 0
		return nil, &hadooptest.Exception{Class: "org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException", Message: "register first"}
	}
	if r.ResponseID != f.responses {
		return nil, fmt.Errorf("response %d, not %d", r.ResponseID, f.responses)
	}
	f.responses++
	out := &yarn.AllocateResponse{ResponseID: f.responses, Cluster: 1}
	for _, ask := range r.Ask {
		f.wanted, f.size = ask.Count, ask.Capability
		f.log = append(f.log, fmt.Sprintf("ask %d of %d MB %d cores", ask.Count, ask.Capability.Memory, ask.Capability.Cores))
	}
	for _, id := range r.Release {
		if p := f.running[id.ID]; p != nil {
			p.why = yarn.ExitAborted
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		}
	}
	for ; f.wanted > 0; f.wanted-- {
		f.last++
		id := &yarn.ContainerID{Attempt: &yarn.AttemptID{App: f.id(), Attempt: f.attempt}, ID: f.last}
		out.Allocated = append(out.Allocated, &yarn.Container{ID: id, Node: f.node, HTTP: "node:8042", Resource: f.size,
			Token: &hadoop.Token{Identifier: pb.Marshal(id), Password: []byte("p"), Kind: "ContainerToken"}})
		if !f.told {
			out.Tokens, f.told = []*yarn.NodeToken{{Node: f.node, Token: f.nm}}, true
		}
	}
	out.Completed, f.completed = f.completed, nil
	return out, nil
}

func (f *fake) asNode(c hadooptest.Call) (any, error) {
	var m starts
	if c.Method != "startContainers" {
		return nil, fmt.Errorf("unknown method %s", c.Method)
	}
	if err := pb.Unmarshal(c.Body, &m); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range m.Requests {
		id := new(yarn.ContainerID)
		if err := pb.Unmarshal(s.Token.Identifier, id); err != nil {
			return nil, err
		}
		if err := f.run(id, s.Launch, s.Launch.Tokens, false); err != nil {
			return nil, err
		}
	}
	return &nothing{}, nil
}

// run starts a container.
func (f *fake) run(id *yarn.ContainerID, l *yarn.Launch, tokens []byte, master bool) error {
	f.launches = append(f.launches, l)
	dir := filepath.Join(f.dir, "local", id.String())
	logs := filepath.Join(f.dir, "logs", id.String())
	for _, d := range []string{dir, logs} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	for _, r := range l.Resources {
		if err := localize(dir, r); err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "container_tokens"), tokens, 0o600); err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range l.Environment {
		fmt.Fprintf(&b, "export %s=\"%s\"\n", e.Key, e.Value)
	}
	fmt.Fprintf(&b, "exec /bin/bash -c \"%s\"\n", strings.ReplaceAll(strings.Join(l.Command, " "), "<LOG_DIR>", logs))
	if err := os.WriteFile(filepath.Join(dir, "launch_container.sh"), []byte(b.String()), 0o700); err != nil {
		return err
	}
	cmd := exec.Command("bash", "launch_container.sh")
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "CONTAINER_ID="+id.String(), "NM_HOST=127.0.0.1", "LOCAL_DIRS="+dir, "LOG_DIRS="+logs, "PWD="+dir,
		"HADOOP_TOKEN_FILE_LOCATION="+filepath.Join(dir, "container_tokens"))
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{id: id, cmd: cmd, master: master}
	f.running[id.ID] = p
	f.work.Go(func() {
		err := cmd.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.running, id.ID)
		f.ended(p, err)
	})
	return nil
}

// ended takes the end of a container: the master's ends the attempt.
func (f *fake) ended(p *process, err error) {
	status := int32(0)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = int32(code(exit.ProcessState))
	}
	if p.why != 0 {
		status = p.why
	}
	switch {
	case p.id.Attempt.Attempt != f.attempt:
	case !p.master:
		f.completed = append(f.completed, &yarn.ContainerStatus{ID: p.id, Exit: status, Diagnostics: "of the fake"})
	case f.report.State >= yarn.StateFinished:
	case f.attempt < f.app.MaxAttempts:
		for _, o := range f.running {
			_ = syscall.Kill(-o.cmd.Process.Pid, syscall.SIGKILL)
		}
		f.next()
	default:
		f.end(yarn.StateFailed, yarn.FinalFailed, fmt.Sprintf("AM Container exited with exitCode: %d", status))
	}
}

// localize is strict about what the real one is strict about: size and time.
func localize(dir string, r *yarn.NamedResource) error {
	file := r.Resource.URL.File
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if st.Size() != r.Resource.Size || st.ModTime().UnixMilli() != r.Resource.Timestamp {
		return fmt.Errorf("resource %s changed on src filesystem (expected %d bytes %d, was %d bytes %d)", file, r.Resource.Size, r.Resource.Timestamp,
			st.Size(), st.ModTime().UnixMilli())
	}
	to := filepath.Join(dir, r.Name)
	if r.Resource.Type != yarn.Archive {
		return os.Symlink(file, to)
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer z.Close()
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, e := range z.File {
		in, err := e.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		_ = in.Close()
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(e.Name)), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kill ends a container's processes.
func (f *fake) kill(which func(*process) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.running {
		if which(p) {
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}

func (f *fake) state() (yarn.Report, int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.report, f.attempt
}

// logs are what containers wrote, for failures.
func (f *fake) logs() string {
	var b strings.Builder
	names, _ := filepath.Glob(filepath.Join(f.dir, "logs", "*", "std*"))
	for _, n := range names {
		data, _ := os.ReadFile(n)
		fmt.Fprintf(&b, "%s:\n%s\n", n, data)
	}
	return b.String()
}
