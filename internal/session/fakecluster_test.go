package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/vfs"
	"github.com/firesteel/firesteel/internal/wire"
)

// fakeCluster are executors in this process that share nothing: work, tasks and outcomes travel as bytes.
type fakeCluster struct {
	t     *testing.T
	d     *driver.Driver
	cores int
	busy  sync.WaitGroup
	// on is told of each task before it runs, and of each stored result before it is read.
	on       func(c *fakeCluster, e *fakeExecutor, t *wire.Task)
	onStored func(c *fakeCluster, r driver.RemoteResult)

	mu         sync.Mutex
	execs      map[event.ExecutorID]*fakeExecutor
	next       int
	broadcasts map[event.BroadcastID][]byte
	lastBlob   event.BroadcastID
	commits    map[event.TaskID]chan bool
	cached     map[string]map[event.ExecutorID]event.BlockStatus
	stopped    bool
}

type fakeExecutor struct {
	id      event.ExecutorID
	env     *executor.Env
	dirs    *memory.Dirs
	works   map[event.StageID]*fakeWork
	running map[event.TaskID]context.CancelCauseFunc
	stored  map[string][]byte
	dead    bool
}

type fakeWork struct {
	once sync.Once
	w    executor.Work
	err  error
}

func newFakeCluster(t *testing.T, executors, cores int) *fakeCluster {
	c := &fakeCluster{t: t, cores: cores, execs: map[event.ExecutorID]*fakeExecutor{}, broadcasts: map[event.BroadcastID][]byte{},
		commits: map[event.TaskID]chan bool{}, cached: map[string]map[event.ExecutorID]event.BlockStatus{}}
	for range executors {
		c.add()
	}
	return c
}

// add makes another executor.
func (c *fakeCluster) add() *fakeExecutor {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &fakeExecutor{id: event.ExecutorID(fmt.Sprint(c.next)), works: map[event.StageID]*fakeWork{}, running: map[event.TaskID]context.CancelCauseFunc{},
		stored: map[string][]byte{}, dirs: memory.NewDirs(c.t.TempDir())}
	c.next++
	e.env = &executor.Env{ID: e.id, Host: "localhost", Cores: c.cores, Conf: map[string]string{}, Dirs: e.dirs, FS: vfs.NewRegistry(),
		Pool:    memory.NewPool(memory.Config{Budget: 1 << 30, Key: "spark.executor.memory", StorageFraction: 0.5}),
		Shuffle: shuffle.NewFiles(e.dirs, e.id, "localhost", true, c), Statuses: c.statuses, Broadcast: c.read,
		Store: func(name string) (io.WriteCloser, error) { return &fakeBlock{c: c, e: e, name: name}, nil }}
	e.env.Blocks = block.NewStore(e.env.Pool, e.dirs, func(st event.BlockStatus) { c.changed(e, st) })
	e.env.Cached = func(_ context.Context, name string) (io.ReadCloser, error) { return c.pull(e, name) }
	c.execs[e.id] = e
	return e
}

func (c *fakeCluster) changed(e *fakeExecutor, st event.BlockStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cached[st.Block] == nil {
		c.cached[st.Block] = map[event.ExecutorID]event.BlockStatus{}
	}
	if st.Level != "" && !e.dead {
		c.cached[st.Block][e.id] = st
	} else {
		delete(c.cached[st.Block], e.id)
	}
}

func (c *fakeCluster) KeepBlocks(string) {}

func (c *fakeCluster) SendFiles() {}

func (c *fakeCluster) SendCredentials([]byte) {}

func (c *fakeCluster) Cached(name string) (out []driver.CachedBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, st := range c.cached[name] {
		out = append(out, driver.CachedBlock{BlockStatus: st, At: id, Host: "localhost"})
	}
	return out
}

// pull reads a cached block of another executor.
func (c *fakeCluster) pull(self *fakeExecutor, name string) (io.ReadCloser, error) {
	for _, b := range c.Cached(name) {
		if b.At != self.id {
			c.mu.Lock()
			from := c.execs[b.At]
			c.mu.Unlock()
			return from.env.Blocks.Stream(name)
		}
	}
	return nil, fs.ErrNotExist
}

// Start implements driver.Executors; so do the other methods.
func (c *fakeCluster) Start(_ context.Context, d *driver.Driver) error {
	c.d = d
	for _, e := range c.execs {
		d.Post(scheduler.ExecutorAdded{ID: e.id, Host: "localhost", Cores: c.cores})
	}
	return nil
}

func (c *fakeCluster) Ready(context.Context) error { return nil }

func (c *fakeCluster) Slots() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, e := range c.execs {
		if !e.dead {
			n += c.cores
		}
	}
	return n
}

func (c *fakeCluster) Launch(t scheduler.LaunchTask) {
	st := t.Spec.Body.(*driver.Stage)
	task := wire.Task{ID: t.Task, Job: t.Job.ID, Stage: t.Stage, StageAttempt: t.StageAttempt, Partition: t.Partition, Attempt: t.Attempt,
		Tasks: t.Spec.Tasks, Executor: t.Executor, Epoch: t.Epoch}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.execs[t.Executor]
	if e.dead {
		return
	}
	w := e.works[t.Stage]
	if w == nil {
		w = &fakeWork{}
		e.works[t.Stage] = w
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	e.running[t.Task] = cancel
	c.busy.Go(func() { c.run(ctx, e, w, &task, st.Work) })
}

func (c *fakeCluster) run(ctx context.Context, e *fakeExecutor, w *fakeWork, t *wire.Task, work *wire.Work) {
	c.d.Post(scheduler.TaskStarted{Task: t.ID})
	if c.on != nil {
		c.on(c, e, t)
	}
	w.once.Do(func() { w.w, w.err = executor.PlanKind(ctx, e.env, work.Data) })
	var out wire.Outcome
	err := w.err
	if err == nil {
		out, err = w.w.Run(ctx, &executor.Task{Task: *t, Commit: func(ctx context.Context) error { return c.commit(ctx, t) }})
	}
	c.mu.Lock()
	delete(e.running, t.ID)
	dead := e.dead
	c.mu.Unlock()
	if dead {
		return
	}
	var arrived wire.Outcome
	data, merr := wire.Marshal(&out)
	if merr = errors.Join(merr, wire.Unmarshal(data, &arrived)); merr != nil {
		c.t.Errorf("an outcome does not travel: %v", merr)
	}
	end := scheduler.TaskEnded{Task: t.ID, Reason: event.ReasonOf(err), Metrics: arrived.Metrics}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		end.Reason = event.ReasonOf(cause)
	}
	if err == nil {
		end.Sizes, end.ResultSize, end.Accums = arrived.Sizes, arrived.ResultSize, arrived.Accums
		end.Result = driver.RemoteResult{Data: arrived.Result, Stored: arrived.Stored, At: e.id, Size: arrived.ResultSize}
	}
	c.d.Post(end)
}

func (c *fakeCluster) commit(ctx context.Context, t *wire.Task) error {
	answer := make(chan bool, 1)
	c.mu.Lock()
	c.commits[t.ID] = answer
	c.mu.Unlock()
	c.d.Post(scheduler.CommitRequest{Task: t.ID})
	select {
	case ok := <-answer:
		if ok {
			return nil
		}
		return &event.CommitDeniedError{}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *fakeCluster) CommitAnswer(task event.TaskID, allow bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits[task] <- allow
}

func (c *fakeCluster) Kill(task event.TaskID, id event.ExecutorID, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.execs[id].running[task]; cancel != nil {
		cancel(&event.KilledError{TaskKilled: event.TaskKilled{Cause: reason}})
	}
}

// kill ends an executor, and another one comes.
func (c *fakeCluster) kill(e *fakeExecutor) {
	c.mu.Lock()
	e.dead = true
	for _, cancel := range e.running {
		cancel(errors.New("the executor was killed"))
	}
	e.stored = nil
	for _, at := range c.cached {
		delete(at, e.id)
	}
	c.mu.Unlock()
	c.d.Post(scheduler.ExecutorLost{ID: e.id, Reason: "killed by the test"})
	n := c.add()
	c.d.Post(scheduler.ExecutorAdded{ID: n.id, Host: "localhost", Cores: c.cores})
}

func (c *fakeCluster) statuses(ctx context.Context, id event.ShuffleID, _ int64) ([]shuffle.MapStatus, error) {
	known, err := c.d.MapStatuses(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]shuffle.MapStatus, len(known))
	for i, m := range known {
		if m.At == "" {
			return nil, &event.FetchError{FetchFailed: event.FetchFailed{Shuffle: id, Map: -1, Cause: errors.New("no location")}}
		}
		out[i] = shuffle.MapStatus{Map: m.Map, Epoch: m.Epoch, At: m.At, Host: m.Host, Sizes: m.Sizes}
	}
	return out, nil
}

// Fetch implements shuffle.Fetcher.
func (c *fakeCluster) Fetch(_ context.Context, id event.ShuffleID, m shuffle.MapStatus, from, to int) (io.ReadCloser, error) {
	c.mu.Lock()
	e := c.execs[m.At]
	c.mu.Unlock()
	if e == nil || e.dead {
		return nil, errors.New("connection refused")
	}
	r, err := e.env.Shuffle.Open(id, m.Map, from, to)
	if err != nil { // a *Section that is nil is no reader that is nil
		return nil, err
	}
	return r, nil
}

func (c *fakeCluster) Broadcast(data []byte) (event.BroadcastID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastBlob++
	c.broadcasts[c.lastBlob] = bytes.Clone(data)
	return c.lastBlob, nil
}

func (c *fakeCluster) DropBroadcast(id event.BroadcastID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.broadcasts, id)
}

func (c *fakeCluster) read(_ context.Context, id event.BroadcastID) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.broadcasts[id]
	if !ok {
		return nil, fmt.Errorf("broadcast %d is gone", id)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (c *fakeCluster) DropBlocks(name string) {
	c.mu.Lock()
	execs := maps.Clone(c.execs)
	c.mu.Unlock()
	for _, e := range execs {
		e.env.Blocks.RemoveAll(name) // which tells, and so takes the lock
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.execs {
		maps.DeleteFunc(e.stored, func(k string, _ []byte) bool { return k == name || strings.HasPrefix(k, name+"_") })
	}
}

type fakeBlock struct {
	bytes.Buffer
	c    *fakeCluster
	e    *fakeExecutor
	name string
}

func (b *fakeBlock) Close() error {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	if b.e.stored != nil {
		b.e.stored[b.name] = b.Bytes()
	}
	return nil
}

func (b *fakeBlock) Abort() error { return nil }

func (c *fakeCluster) OpenResult(_ context.Context, r driver.RemoteResult) (io.ReadCloser, error) {
	if c.onStored != nil {
		c.onStored(c, r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.execs[r.At]
	data, ok := e.stored[r.Stored]
	if !ok {
		return nil, fmt.Errorf("block %s is gone", r.Stored)
	}
	if int64(len(data)) != r.Size {
		c.t.Errorf("%d bytes of a result are stored, %d were told", len(data), r.Size)
	}
	return &fakeStream{c: c, e: e, name: r.Stored, Reader: bytes.NewReader(data)}, nil
}

type fakeStream struct {
	io.Reader
	c    *fakeCluster
	e    *fakeExecutor
	name string
}

// Read fails when the executor has died meanwhile.
func (s *fakeStream) Read(p []byte) (int, error) {
	s.c.mu.Lock()
	dead := s.e.dead
	s.c.mu.Unlock()
	if dead {
		return 0, errors.New("connection reset")
	}
	return s.Reader.Read(p[:min(len(p), 64<<10)])
}

func (s *fakeStream) Close() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	delete(s.e.stored, s.name)
	return nil
}

func (c *fakeCluster) ForgetShuffle(id event.ShuffleID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.execs {
		_ = e.env.Shuffle.Remove(id)
	}
}

func (c *fakeCluster) Scale(int)                                {}
func (c *fakeCluster) KillExecutors([]event.ExecutorID, string) {}
func (c *fakeCluster) Reregister(event.ExecutorID)              {}

// Stop ends the tasks and sees that nothing is left of them.
func (c *fakeCluster) Stop(context.Context) error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	for _, e := range c.execs {
		for _, cancel := range e.running {
			cancel(errors.New("the cluster stops"))
		}
	}
	c.mu.Unlock()
	c.busy.Wait()
	for _, e := range c.execs {
		for _, w := range e.works {
			if w.w != nil {
				if err := w.w.Close(); err != nil {
					c.t.Error(err)
				}
			}
		}
		if u := e.env.Pool.Usage(); u.Execution != 0 && !e.dead {
			c.t.Errorf("executor %s holds %d bytes at the end", e.id, u.Execution)
		}
		if u := e.env.Pool.Usage(); u.Storage != 0 && !e.dead {
			c.t.Errorf("executor %s keeps %d bytes of cached blocks at the end", e.id, u.Storage)
		}
		if len(e.stored) > 0 {
			c.t.Errorf("executor %s keeps %d results at the end", e.id, len(e.stored))
		}
	}
	if len(c.broadcasts) > 0 {
		c.t.Errorf("%d broadcasts are left at the end", len(c.broadcasts))
	}
	return nil
}

func fakeID(n int) event.ExecutorID { return event.ExecutorID(fmt.Sprint(n)) }
