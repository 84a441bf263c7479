package spark

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rdd"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/shuffle"
)

// SparkContext is the door to RDDs: it makes them, broadcast variables and accumulators, and says which group of jobs an
// action belongs to. An application has one.
type SparkContext struct {
	session *Session
	app     *session.App
	engine  *rdd.Engine

	mu            sync.Mutex
	local         map[string]string
	tags          map[string]bool
	checkpointDir string
}

func newContext(s *Session) *SparkContext {
	r := s.app.Rooms()
	env := &rdd.Env{Executor: event.DriverExecutor, Pool: r.Pool, Dirs: r.Dirs, FS: r.FS, Shuffle: r.Shuffle, File: r.File, Blocks: rdd.NewBlocks(r.Pool)}
	env.Statuses = func(_ context.Context, id event.ShuffleID, _ int64) ([]shuffle.MapStatus, error) {
		return r.Shuffle.Statuses(id), nil
	}
	r.Pool.OnEvict(env.Blocks.Evict)
	e := rdd.NewEngine(rdd.Host{Driver: r.Driver, Env: env, Executors: r.Executors, Failures: r.Failures, NextRDD: r.NextRDD, Audit: r.Audit})
	return &SparkContext{session: s, app: s.app, engine: e, local: map[string]string{}, tags: map[string]bool{}}
}

// NewSparkContext starts an application by its settings; programs that use frames begin with Builder instead.
func NewSparkContext(ctx context.Context, c *SparkConf) (*SparkContext, error) {
	s, err := Builder().ConfigAll(c).GetOrCreate(ctx)
	if err != nil {
		return nil, err
	}
	return s.sc, nil
}

func (c *SparkContext) stop() error { return c.engine.Env().Blocks.Clear() }

// Stop ends the application.
func (c *SparkContext) Stop(ctx context.Context) error { return c.session.Stop(ctx) }

// Session is the session of the context.
func (c *SparkContext) Session() *Session { return c.session }

// ApplicationID is the application's id, as cluster managers and logs have it.
func (c *SparkContext) ApplicationID() string { return c.app.ID }

// AppName is the application's name.
func (c *SparkContext) AppName() string { return c.app.Name }

// Master is where the application runs.
func (c *SparkContext) Master() string { return c.app.Conf.String("spark.master") }

// Version is the release of Spark whose semantics the context has.
func (c *SparkContext) Version() string { return SparkVersion }

// Conf are the settings that the application was started with; changing the copy has no effect.
func (c *SparkContext) Conf() *SparkConf { return &SparkConf{c.app.Conf.All()} }

// DefaultParallelism is the number of partitions of what nothing else is said about: spark.default.parallelism, or the
// number of task slots.
func (c *SparkContext) DefaultParallelism() int {
	if v, ok := c.app.Conf.Given("spark.default.parallelism"); ok {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return n
		}
	}
	return c.app.Slots()
}

// SetLocalProperty sets a property of the jobs that are started from now on; tasks can read it. "" removes it.
func (c *SparkContext) SetLocalProperty(key, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value == "" {
		delete(c.local, key)
	} else {
		c.local[key] = value
	}
}

// LocalProperty is a property that was set, or "".
func (c *SparkContext) LocalProperty(key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local[key]
}

// AddFile brings a file to the tasks of the jobs that are started later: each process that runs tasks gets it once, into its working
// folder. path is one of this machine, or an hdfs:, http: or https: address, and #NAME after it gives the file another name. Files of
// the setting spark.files are there from the start. See TaskContext.File.
func (c *SparkContext) AddFile(ctx context.Context, path string) error {
	return c.app.AddFile(ctx, path, false)
}

// AddArchive is AddFile for an archive (.zip, .jar, .tar, .tar.gz, .tgz), which is unpacked into a folder of its name, or of that after #.
func (c *SparkContext) AddArchive(ctx context.Context, path string) error {
	return c.app.AddFile(ctx, path, true)
}

// ListFiles are the files that were added, as they were given.
func (c *SparkContext) ListFiles() []string { return c.app.Files() }

// ListArchives are the archives that were added.
func (c *SparkContext) ListArchives() []string { return c.app.Archives() }

// File is where a file that was added is on the driver, or the folder of an archive. Tasks ask TaskContext.File.
func (c *SparkContext) File(name string) string { return c.app.File(name) }

// The properties that Spark's job groups, descriptions and pools are.
const (
	groupKey       = "spark.jobGroup.id"
	descriptionKey = "spark.job.description"
	poolKey        = "spark.scheduler.pool"
)

// SetJobGroup names a group for the jobs that are started from now on, to cancel them together.
func (c *SparkContext) SetJobGroup(id, description string) {
	c.SetLocalProperty(groupKey, id)
	c.SetLocalProperty(descriptionKey, description)
}

// ClearJobGroup ends SetJobGroup.
func (c *SparkContext) ClearJobGroup() { c.SetJobGroup("", "") }

// SetJobDescription describes the jobs that are started from now on.
func (c *SparkContext) SetJobDescription(text string) { c.SetLocalProperty(descriptionKey, text) }

// AddJobTag adds a tag to the jobs that are started from now on, RemoveJobTag takes it away.
func (c *SparkContext) AddJobTag(tag string) { c.mu.Lock(); c.tags[tag] = true; c.mu.Unlock() }

// RemoveJobTag ends AddJobTag.
func (c *SparkContext) RemoveJobTag(tag string) { c.mu.Lock(); delete(c.tags, tag); c.mu.Unlock() }

// CancelJobGroup ends the running jobs of a group.
func (c *SparkContext) CancelJobGroup(id string) {
	c.engine.Cancel(scheduler.JobCancelled{By: scheduler.CancelGroup, Group: id, Reason: "part of cancelled job group " + id})
}

// CancelJobsWithTag ends the running jobs with a tag.
func (c *SparkContext) CancelJobsWithTag(tag string) {
	c.engine.Cancel(scheduler.JobCancelled{By: scheduler.CancelTag, Tag: tag, Reason: "part of cancelled job tag " + tag})
}

// CancelAllJobs ends all running jobs.
func (c *SparkContext) CancelAllJobs() {
	c.engine.Cancel(scheduler.JobCancelled{By: scheduler.CancelAll, Reason: "as part of cancellation of all jobs"})
}

func (c *SparkContext) props() rdd.Props {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := rdd.Props{Group: c.local[groupKey], Description: c.local[descriptionKey], Pool: c.local[poolKey], Properties: maps.Clone(c.local)}
	for t := range c.tags {
		p.Tags = append(p.Tags, t)
	}
	return p
}

// SetCheckpointDir says below which folder RDD.Checkpoint writes; all executors must see it.
func (c *SparkContext) SetCheckpointDir(dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checkpointDir = fmt.Sprintf("%s/%s", dir, c.app.ID)
}

// TaskContext tells a function which task it runs in. It is the task's: it must not be kept.
type TaskContext struct{ t *rdd.Task }

// Context ends when the task must end.
func (t *TaskContext) Context() context.Context { return t.t.Context() }

// PartitionID is the number of the partition that the task computes.
func (t *TaskContext) PartitionID() int { return t.t.Partition }

// AttemptNumber counts the attempts at the partition, from 0.
func (t *TaskContext) AttemptNumber() int { return t.t.Attempt }

// StageID is the number of the task's stage.
func (t *TaskContext) StageID() int { return int(t.t.Stage) }

// ExecutorID is the executor that the task runs on: driver, in local mode.
func (t *TaskContext) ExecutorID() string { return string(t.t.Env.Executor) }

// File is where a file that was added to the application is for this task, or the folder of an archive: Spark's SparkFiles.get. On
// executors it is in the folder that they run in.
func (t *TaskContext) File(name string) string { return t.t.Env.File(name) }

// LocalProperty is a property that was set on the driver (SetLocalProperty).
func (t *TaskContext) LocalProperty(key string) string { return t.t.Properties[key] }

// Fail makes the task fail with an error. The function goes on until it returns; a panic with an error ends it at once.
func (t *TaskContext) Fail(err error) { t.t.Fail(err) }

// Broadcast is a read-only value that each process gets once. Functions get it as an argument (MapWith and its like).
type Broadcast[T any] struct{ b rdd.Broadcast[T] }

// NewBroadcast puts up a value for all tasks.
func NewBroadcast[T any](c *SparkContext, v T) (*Broadcast[T], error) {
	b, err := rdd.NewBroadcast(c.engine, v)
	if err != nil {
		return nil, err
	}
	return &Broadcast[T]{*b}, nil
}

// Value is the value, on the driver or in a task. That it cannot be had makes the caller panic: a task fails then.
func (b *Broadcast[T]) Value() T {
	v, err := b.b.Get(context.Background())
	if err != nil {
		panic(err)
	}
	return v
}

// Destroy forgets the value everywhere.
func (b *Broadcast[T]) Destroy(c *SparkContext) { b.b.Destroy(c.engine) }

// Accumulator is a value that tasks add to and the driver reads. Functions get it as an argument (MapWith and its like).
// What a task adds counts once, when the task counts: in actions exactly once, in transformations once for each time that
// the partition is computed for a job.
type Accumulator[T any] struct{ a *rdd.Accumulator[T] }

// LongAccumulator counts.
func (c *SparkContext) LongAccumulator(name string) *Accumulator[int64] {
	a, err := rdd.NewAccumulator(c.engine, name, 0, addInts)
	if err != nil {
		panic(err) // integers can be encoded
	}
	return &Accumulator[int64]{a}
}

// DoubleAccumulator adds up.
func (c *SparkContext) DoubleAccumulator(name string) *Accumulator[float64] {
	a, err := rdd.NewAccumulator(c.engine, name, 0, addFloats)
	if err != nil {
		panic(err) // floats can be encoded
	}
	return &Accumulator[float64]{a}
}

func addInts(a, b int64) int64       { return a + b }
func addFloats(a, b float64) float64 { return a + b }

// NewAccumulator makes an accumulator with a start value on the driver and a function that joins two values; tasks begin
// with the zero value of T. The function must capture nothing where tasks run on executors.
func NewAccumulator[T any](c *SparkContext, name string, start T, merge func(a, b T) T) (*Accumulator[T], error) {
	a, err := rdd.NewAccumulator(c.engine, name, start, merge)
	return &Accumulator[T]{a}, err
}

// Add adds a value in a task.
func (a *Accumulator[T]) Add(t *TaskContext, v T) { a.a.Add(t.t, v) }

// Value is what tasks that counted have added. It is asked on the driver.
func (a *Accumulator[T]) Value() T { return a.a.Value() }

// Reset sets the value on the driver.
func (a *Accumulator[T]) Reset(v T) { a.a.Set(v) }

// Name is the accumulator's name.
func (a *Accumulator[T]) Name() string { return a.a.Name() }

// ClosureError says that a function that captures variables was to run on executors. See the package comment.
type ClosureError = rdd.ClosureError

// FunctionError says that a function of the program panicked in a task. It wraps the value of the panic, if that is an error.
type FunctionError = rdd.FunctionError
