package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/local"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start gives a driver on local[slots,failures] that is closed at the end of the test.
func start(t testing.TB, slots, failures int) *Driver {
	t.Helper()
	cfg := LocalConfig(scheduler.DefaultConfig(), cluster.Master{Failures: failures})
	d, err := New(context.Background(), Config{Scheduler: cfg}, NewLocal(local.New(slots)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

func result(tasks int, run RunFunc, parents ...event.ShuffleID) *Stage {
	return &Stage{StageSpec: scheduler.StageSpec{Name: "result", Shuffle: event.NoShuffle, Tasks: tasks, Parents: parents}, Run: run}
}

func mapStage(id event.ShuffleID, tasks int, run RunFunc, parents ...event.ShuffleID) *Stage {
	return &Stage{StageSpec: scheduler.StageSpec{Name: "map", Shuffle: id, Tasks: tasks, Parents: parents}, Run: run}
}

// Two map tasks count words, two result tasks read what they wrote.
func TestShuffleJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 2, 1)
		id := d.NewShuffle()
		var mu sync.Mutex
		written := map[int]int{}
		maps := mapStage(id, 3, func(_ context.Context, tc *TaskContext) (TaskOutcome, error) {
			mu.Lock()
			defer mu.Unlock()
			written[tc.Partition]++
			return TaskOutcome{Sizes: []int64{1, int64(tc.Partition)}}, nil
		})
		got := map[int]any{}
		job := &Job{
			Stages: []*Stage{maps, result(2, func(_ context.Context, tc *TaskContext) (TaskOutcome, error) {
				return TaskOutcome{Result: fmt.Sprint(tc.Partition, len(written))}, nil
			}, id)},
			OnResult: func(p int, r any) error { got[p] = r; return nil },
		}
		if _, err := d.RunJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != "map[0:0 3 1:1 3]" {
			t.Errorf("results %v", got)
		}
		// The exchange alone is complete now, and costs nothing more.
		r, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{maps}})
		if err != nil || !slices.Equal(r.Bytes, []int64{3, 3}) {
			t.Errorf("bytes %v, %v", r, err)
		}
		if fmt.Sprint(written) != "map[0:1 1:1 2:1]" {
			t.Errorf("written %v", written)
		}
		st, err := d.MapStatuses(t.Context(), id)
		if err != nil || len(st) != 3 || st[2].At != event.DriverExecutor {
			t.Errorf("statuses %v, %v", st, err)
		}
		d.ReleaseShuffle(id)
		if st, err := d.MapStatuses(t.Context(), id); err != nil || st != nil {
			t.Errorf("after release: %v, %v", st, err)
		}
	})
}

// The type of a task's error must arrive at the caller, below the text of the aborted job.
func TestTaskErrorKeepsType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 2, 3)
		var tries atomic.Int32
		_, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(2, func(_ context.Context, tc *TaskContext) (TaskOutcome, error) {
			if tc.Partition == 0 {
				return TaskOutcome{}, nil
			}
			tries.Add(1)
			return TaskOutcome{}, fmt.Errorf("row 7: %w", sparkerr.New("DIVIDE_BY_ZERO"))
		})}})
		var aborted *scheduler.JobAborted
		if !errors.As(err, &aborted) || !sparkerr.Is(err, "DIVIDE_BY_ZERO") {
			t.Fatalf("error %v", err)
		}
		if want := "Job aborted due to stage failure: Task 1 in stage 0.0 failed 3 times, most recent failure: Lost task 1.2"; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v", err)
		}
		if tries.Load() != 3 {
			t.Errorf("%d attempts", tries.Load())
		}
	})
}

func TestPanicIsTheTasksError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 1, 1)
		_, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(1, func(context.Context, *TaskContext) (TaskOutcome, error) {
			panic("broken")
		})}})
		e, ok := sparkerr.As(err)
		if !ok || e.Condition != "INTERNAL_ERROR" || !strings.Contains(e.Stack, "driver_test.go") {
			t.Fatalf("error %v", err)
		}
		if _, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(1, nothing)}}); err != nil {
			t.Errorf("the slot did not survive: %v", err)
		}
	})
}

func nothing(context.Context, *TaskContext) (TaskOutcome, error) { return TaskOutcome{}, nil }

// Cancelling the caller's context ends all attempts; with Settle before RunJob returns.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 4, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		var running, ended atomic.Int32
		block := func(ctx context.Context, _ *TaskContext) (TaskOutcome, error) {
			if running.Add(1) == 4 {
				cancel(errors.New("Ctrl-C"))
			}
			<-ctx.Done()
			time.Sleep(time.Second) // a slow end; the clock is fake
			ended.Add(1)
			return TaskOutcome{}, context.Cause(ctx)
		}
		_, err := d.RunJob(ctx, &Job{Stages: []*Stage{result(100, block)}, Settle: true})
		if !sparkerr.Is(err, "SPARK_JOB_CANCELLED") || !strings.Contains(err.Error(), "Ctrl-C") {
			t.Errorf("error %v", err)
		}
		if running.Load() != 4 || ended.Load() != 4 {
			t.Errorf("%d attempts started, %d ended", running.Load(), ended.Load())
		}
		if !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("the cause is lost: %v", err)
		}
	})
}

func TestResultRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 1, 1)
		full := errors.New("client went away")
		n := 0
		_, err := d.RunJob(t.Context(), &Job{
			Stages: []*Stage{result(50, func(context.Context, *TaskContext) (TaskOutcome, error) {
				time.Sleep(time.Second)
				return TaskOutcome{}, nil
			})},
			OnResult: func(int, any) error { n++; return full },
		})
		if !errors.Is(err, full) || n != 1 {
			t.Errorf("error %v after %d results", err, n)
		}
	})
}

// A reader reports lost map outputs; they are computed again, and the job ends well.
func TestFetchFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 2, 1)
		id := d.NewShuffle()
		var maps atomic.Int32
		failed := false
		_, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{
			mapStage(id, 2, func(context.Context, *TaskContext) (TaskOutcome, error) { maps.Add(1); return TaskOutcome{}, nil }),
			result(1, func(context.Context, *TaskContext) (TaskOutcome, error) {
				if failed {
					return TaskOutcome{}, nil
				}
				failed = true
				return TaskOutcome{}, fmt.Errorf("scan: %w", &event.FetchError{FetchFailed: event.FetchFailed{
					Shuffle: id, Map: 1, From: event.DriverExecutor, Host: local.Host, Cause: errors.New("checksum"),
				}})
			}, id),
		}})
		if err != nil || maps.Load() != 4 {
			t.Errorf("%v after %d map tasks", err, maps.Load())
		}
	})
}

func TestCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 2, 2)
		var commits atomic.Int32
		_, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(3, func(ctx context.Context, tc *TaskContext) (TaskOutcome, error) {
			if err := tc.Commit(ctx); err != nil {
				return TaskOutcome{}, err
			}
			if tc.Partition == 1 && tc.Attempt == 0 {
				return TaskOutcome{}, errors.New("rename failed") // the right must pass on
			}
			commits.Add(1)
			return TaskOutcome{}, nil
		})}})
		if err != nil || commits.Load() != 3 {
			t.Errorf("%v, %d commits", err, commits.Load())
		}
	})
}

// Close must end jobs and stuck callers, and refuse new ones.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 1, 1)
		h, err := d.Submit(&Job{Stages: []*Stage{result(1, func(ctx context.Context, _ *TaskContext) (TaskOutcome, error) {
			<-ctx.Done()
			return TaskOutcome{}, ctx.Err()
		})}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := d.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Wait(t.Context()); !sparkerr.Is(err, "SPARK_JOB_CANCELLED") {
			t.Errorf("error %v", err)
		}
		if _, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(1, nothing)}}); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed driver ran a job: %v", err)
		}
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, 1, 1)
		var names []string
		d.Bus().Subscribe(func(e event.Event) { names = append(names, strings.TrimPrefix(e.EventName(), "SparkListener")) })
		if _, err := d.RunJob(t.Context(), &Job{Stages: []*Stage{result(1, nothing)}}); err != nil {
			t.Fatal(err)
		}
		d.Bus().Drain()
		got := strings.Join(names[len(names)-6:], " ")
		if want := "JobStart StageSubmitted TaskStart TaskEnd StageCompleted JobEnd"; got != want {
			t.Errorf("events %s", got)
		}
	})
}

// Many callers at once: every job ends, with its own results.
func TestManyJobs(t *testing.T) {
	d := start(t, 4, 1)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			sum := 0
			_, err := d.RunJob(context.Background(), &Job{
				Stages: []*Stage{result(5, func(_ context.Context, tc *TaskContext) (TaskOutcome, error) {
					return TaskOutcome{Result: i*10 + tc.Partition}, nil
				})},
				OnResult: func(_ int, r any) error { sum += r.(int); return nil },
			})
			if err != nil || sum != i*50+10 {
				t.Errorf("job %d: sum %d, %v", i, sum, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkOneTaskJob(b *testing.B) {
	d := start(b, 2, 1)
	job := &Job{Stages: []*Stage{result(1, nothing)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.RunJob(context.Background(), job); err != nil {
			b.Fatal(err)
		}
	}
}

// One stage of 100,000 empty tasks.
func BenchmarkManyTasks(b *testing.B) {
	const tasks = 100_000
	d := start(b, 2, 1)
	job := &Job{Stages: []*Stage{result(tasks, nothing)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.RunJob(context.Background(), job); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*tasks/b.Elapsed().Seconds(), "tasks/s")
}
