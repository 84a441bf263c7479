// Package child starts processes for cluster managers and tells how they end.
package child

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cgroup"
)

// Spec is a process to start. It gets a process group of its own, so that an interrupt of the terminal reaches its parent alone.
type Spec struct {
	Path string
	Args []string          // without the program's name
	Env  map[string]string // besides those of this process
	// Private are variables like Env that others do not see in the list of processes: they go through a pipe, and the program
	// finds them in its environment after FollowParent.
	Private        map[string]string
	Dir            string
	Stdout, Stderr string // files, made with mode 0600; "": nowhere
	Follow         bool   // end with this process (the program calls FollowParent)
}

// Process is a process that was started.
type Process struct {
	cmd   *exec.Cmd
	begun time.Time
	done  chan struct{}
	line  *os.File // whose end tells the child that this process has died; nil: none
	group cgroup.Memory
	code  int
	why   string
	oom   bool
}

// Start starts a process.
func Start(s Spec) (*Process, error) {
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return ours[name]
	})
	for k, v := range s.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := open(s.Stdout)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout = out
	cmd.Stderr = out
	if s.Stderr != s.Stdout {
		e, err := open(s.Stderr)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		cmd.Stderr = e
	}
	p := &Process{cmd: cmd, begun: time.Now(), done: make(chan struct{})}
	if s.Follow {
		theirs, ours, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer theirs.Close()
		p.line = ours
		cmd.ExtraFiles = []*os.File{theirs} // it becomes lifelineFD
		cmd.Env = append(cmd.Env, lifelineEnv+"=1")
	}
	tell := func() error { return nil }
	if len(s.Private) > 0 {
		var done func()
		if tell, done, err = whisper(cmd, s.Private); err != nil {
			p.loose()
			return nil, err
		}
		defer done()
	}
	if err := cmd.Start(); err != nil {
		p.loose()
		return nil, err
	}
	if err := tell(); err != nil { // it has ended, which is told below
		_ = cmd.Process.Kill()
	}
	p.group = cgroup.Of(cmd.Process.Pid)
	joined(p.group)
	go p.wait()
	return p, nil
}

func open(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

func (p *Process) wait() {
	_ = p.cmd.Wait()                                      // the state says more than the error
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what it left of its group goes, too
	p.loose()
	p.code, p.why, p.oom = describe(p.cmd.ProcessState, p.group)
	close(p.done)
}

func (p *Process) loose() {
	if p.line != nil {
		_ = p.line.Close()
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended waits for the end and says how it was: the exit status, or 128 and the number of the signal, and in words.
func (p *Process) Ended() (code int, why string) {
	<-p.done
	return p.code, p.why
}

// OutOfMemory waits for the end and says whether the kernel ended the process for want of memory.
func (p *Process) OutOfMemory() bool {
	<-p.done
	return p.oom
}

// Lived is how long the process has been running.
func (p *Process) Lived() time.Duration { return time.Since(p.begun) }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// End asks the process to leave, kills its group when it does not within the grace, and waits for its end.
func (p *Process) End(grace time.Duration) {
	if grace > 0 {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-p.done:
		case <-time.After(grace):
		}
	}
	select {
	case <-p.done: // its number may be another's by now
		return
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

func describe(s *os.ProcessState, g cgroup.Memory) (code int, why string, oom bool) {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		sig := w.Signal()
		why = fmt.Sprintf("was killed by signal %d (%s)", int(sig), sig)
		if sig == syscall.SIGKILL {
			by := starved(g)
			if oom = by != ""; !oom {
				by = "by somebody or for want of memory"
			}
			why += ", " + by
		}
		return 128 + int(sig), why, oom
	}
	return s.ExitCode(), fmt.Sprintf("exited with status %d", s.ExitCode()), false
}

// Tail is the end of a file that a process wrote.
func Tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(b[max(len(b)-2000, 0):])
}
