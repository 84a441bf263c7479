// Package service is the external shuffle service: one process of a machine that serves the map outputs of executors there
// as long as their application lasts, also when the executors themselves have gone.
//
// # Contract
//
// An executor tells the service its folders (Link.Register) and marks them, so that whoever removes the files of an executor
// that ended leaves map outputs alone: see cluster.RemoveFolders. Whoever reads asks a block server for the name that
// shuffle.Part.Outside makes. The driver tells which shuffles are not needed any more, and when the application ends. An
// application whose last connection broke is forgotten after a grace time, with its files: its driver died.
//
// The service believes who knows its secret; without one it listens on the loopback address only. It serves and removes
// nothing but map outputs below folders that are named after the application and the executor.
package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle"
)

// Options say where a service listens.
type Options struct {
	Address string // host:port
	RPC     rpc.Config
	// Open allows addresses of the network without a secret.
	Open bool
	Log  *slog.Logger // nil: nobody
}

// Server is a running shuffle service. It implements block.Source and block.Checker.
type Server struct {
	log  *slog.Logger
	rpc  *rpc.Server
	base context.Context
	stop context.CancelFunc
	busy sync.WaitGroup

	mu   sync.Mutex
	apps map[event.AppID]*app
}

// app is an application with executors on this machine; its fields are guarded by Server.mu.
type app struct {
	execs map[event.ExecutorID][]string // folders with map outputs
	conns map[*rpc.Conn]bool
	grace time.Duration
	dying *time.Timer // runs while there is no connection
}

// Start starts a service. The caller must Close it.
func Start(o Options) (*Server, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); o.RPC.Secret == "" && !o.Open && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("the shuffle service does not listen on %s without a secret (spark.authenticate, spark.authenticate.secret)", host)
	}
	s := &Server{log: o.Log, apps: map[event.AppID]*app{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.base, s.stop = context.WithCancel(context.Background())
	refused := func(peer string, err error) {
		s.log.Warn("a connection to the shuffle service was refused", "peer", peer, "reason", err)
	}
	s.rpc, err = rpc.Listen(o.Address, o.RPC, func(*rpc.Conn) rpc.Handler { return handler{s} }, refused)
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the shuffle service cannot listen (spark.shuffle.service.port): %w", err)
	}
	return s, nil
}

// Address is host:port.
func (s *Server) Address() string { return s.rpc.Addr() }

// Port is the port.
func (s *Server) Port() int { return s.rpc.Port() }

// Close ends the service. The files of all applications that it knows go.
func (s *Server) Close() error {
	s.stop()
	s.rpc.Close()
	s.busy.Wait()
	s.mu.Lock()
	var ids []event.AppID
	for id := range s.apps {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	var errs []error
	for _, id := range ids {
		errs = append(errs, s.forget(id))
	}
	return errors.Join(errs...)
}

// AppEnded forgets an application and removes its files. One that is not known is none of its errors.
func (s *Server) AppEnded(id event.AppID) {
	if err := s.forget(id); err != nil {
		s.log.Warn("map outputs of an application cannot be removed", "application", id, "error", err)
	}
}

func (s *Server) forget(id event.AppID) error {
	s.mu.Lock()
	a := s.apps[id]
	delete(s.apps, id)
	var folders []string
	if a != nil {
		if a.dying != nil {
			a.dying.Stop()
		}
		for _, f := range a.execs {
			folders = append(folders, f...)
		}
	}
	s.mu.Unlock()
	if a == nil {
		return nil
	}
	s.log.Info("application is over", "application", id)
	var errs []error
	for _, dir := range folders {
		executor := filepath.Dir(dir)
		errs = append(errs, os.RemoveAll(executor))
		_ = os.Remove(filepath.Dir(executor)) // others may have files there
	}
	return errors.Join(errs...)
}

// register notes the folders of an executor. It takes none but those of its name.
func (s *Server) register(c *rpc.Conn, r *Registration) error {
	for _, dir := range r.Folders {
		if err := r.owns(dir); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.hold(c, r.App, r.Grace)
	a.execs[r.Executor] = r.Folders
	s.log.Info("executor registered", "application", r.App, "executor", r.Executor, "folders", r.Folders)
	return nil
}

// owns says whether a folder is one of the executor's: <root>/firesteel-<app>/executor-<id>/<folder>, and no link.
func (r *Registration) owns(dir string) error {
	executor := filepath.Dir(dir)
	ok := filepath.IsAbs(dir) && filepath.Clean(dir) == dir && r.App != "" && r.Executor != "" &&
		filepath.Base(executor) == "executor-"+filepath.Base(string(r.Executor)) &&
		filepath.Base(filepath.Dir(executor)) == "firesteel-"+filepath.Base(string(r.App))
	for _, d := range []string{dir, executor} {
		info, err := os.Lstat(d)
		ok = ok && err == nil && info.IsDir()
	}
	if !ok {
		return fmt.Errorf("%s is no folder of executor %s of %s", dir, r.Executor, r.App)
	}
	return nil
}

// hold notes that a connection needs an application; the lock is held.
func (s *Server) hold(c *rpc.Conn, id event.AppID, grace time.Duration) *app {
	a := s.apps[id]
	if a == nil {
		a = &app{execs: map[event.ExecutorID][]string{}, conns: map[*rpc.Conn]bool{}}
		s.apps[id] = a
	}
	a.grace = grace
	if a.dying != nil {
		a.dying.Stop()
		a.dying = nil
	}
	if !a.conns[c] {
		a.conns[c] = true
		s.busy.Go(func() {
			select {
			case <-c.Done():
			case <-s.base.Done():
			}
			s.disconnected(c, id, a)
		})
	}
	return a
}

// disconnected starts the last hours of an application that nobody holds any more.
func (s *Server) disconnected(c *rpc.Conn, id event.AppID, a *app) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(a.conns, c)
	if len(a.conns) > 0 || s.apps[id] != a || s.base.Err() != nil {
		return
	}
	s.log.Info("nobody of an application is connected", "application", id, "grace", a.grace)
	a.dying = time.AfterFunc(a.grace, func() {
		s.mu.Lock()
		alone := s.apps[id] == a && len(a.conns) == 0 && s.base.Err() == nil
		s.mu.Unlock()
		if alone {
			s.AppEnded(id)
		}
	})
}

// dropShuffle removes the outputs of a shuffle, by all executors of an application.
func (s *Server) dropShuffle(d *drop) {
	for _, dir := range s.folders(d.App, "") {
		files, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("shuffle_%d_*_0.data", d.Shuffle))) // the pattern is sound
		for _, f := range files {
			if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.log.Warn("a map output cannot be removed", "file", f, "error", err)
			}
		}
	}
}

// folders are those of an executor, or of all of an application.
func (s *Server) folders(id event.AppID, by event.ExecutorID) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[id]
	if a == nil {
		return nil
	}
	if by != "" {
		return a.execs[by]
	}
	for _, f := range a.execs {
		out = append(out, f...)
	}
	return out
}

// find gives the part of a map output that a name stands for, and the file that it lies in.
func (s *Server) find(name string) (shuffle.Part, string, error) {
	id, by, p, err := shuffle.ParseOutside(name)
	if err != nil {
		return p, "", err
	}
	for _, dir := range s.folders(id, by) {
		path := filepath.Join(dir, shuffle.FileName(p.Shuffle, p.Map))
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			return p, path, nil
		}
	}
	return p, "", fmt.Errorf("map output %s: %w", strings.TrimPrefix(name, "app/"), fs.ErrNotExist)
}

// Open implements block.Source.
func (s *Server) Open(name string) (block.Reader, error) {
	p, path, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return p.OpenAt(path)
}

// Check implements block.Checker.
func (s *Server) Check(name string) error {
	p, path, err := s.find(name)
	if err != nil {
		return err
	}
	return shuffle.CheckFile(path, p.From, p.To)
}

// Remove implements block.Source: map outputs go with their shuffle only.
func (s *Server) Remove(name string) error {
	return fmt.Errorf("%s is a map output and cannot be removed alone", name)
}

// handler serves connections.
type handler struct{ s *Server }

// Receive takes messages: what nobody waits for.
func (h handler) Receive(_ *rpc.Conn, method string, body []byte) {
	var d drop
	if method == methodDrop && rpc.Unmarshal(body, &d) == nil {
		h.s.dropShuffle(&d)
	}
}

// Call answers requests.
func (h handler) Call(ctx context.Context, c *rpc.Conn, method string, body []byte) ([]byte, error) {
	out, _, err := h.Lend(ctx, c, method, body)
	return out, err
}

// Lend implements rpc.Lender.
func (h handler) Lend(ctx context.Context, c *rpc.Conn, method string, body []byte) ([]byte, func(), error) {
	if block.IsMethod(method) {
		return block.Handler{From: h.s}.Lend(ctx, c, method, body)
	}
	switch method {
	case methodRegister:
		var r Registration
		if err := rpc.Unmarshal(body, &r); err != nil {
			return nil, nil, err
		}
		return nil, nil, h.s.register(c, &r)
	case methodHold:
		var r Registration
		if err := rpc.Unmarshal(body, &r); err != nil {
			return nil, nil, err
		}
		h.s.mu.Lock()
		h.s.hold(c, r.App, r.Grace)
		h.s.mu.Unlock()
		return nil, nil, nil
	case methodEnd:
		var r Registration
		if err := rpc.Unmarshal(body, &r); err != nil {
			return nil, nil, err
		}
		return nil, nil, h.s.forget(r.App)
	}
	return nil, nil, fmt.Errorf("a shuffle service knows no request %q", method)
}

var (
	_ block.Source  = (*Server)(nil)
	_ block.Checker = (*Server)(nil)
)
