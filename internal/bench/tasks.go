package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/session"
)

// Tasks runs a stage of n tasks that read a row each and keep none, as often as told, and prints how many of them end in a
// second and what each costs this process. In Spark the same is spark.range(0, n, 1, n).where("id < 0").collect().
func Tasks(ctx context.Context, app *session.App, n, runs int, out io.Writer) error {
	s := app.NewSession()
	defer s.Close()
	var ended atomic.Int64
	listen := app.Bus().Subscribe(func(e event.Event) {
		if _, ok := e.(event.TaskEnd); ok {
			ended.Add(1)
		}
	})
	defer listen.Close()
	m := &meter{session: s, app: app}
	q := Query{"tasks", "SELECT id FROM range(0, " + strconv.Itoa(n) + ", 1, " + strconv.Itoa(n) + ") WHERE id < 0"}
	for range runs {
		resetPeak()
		ended.Store(0)
		cpu, start := processorTime(), time.Now()
		if err := m.run(ctx, q, &counted{}); err != nil {
			return err
		}
		wall, used := time.Since(start), processorTime()-cpu
		app.Bus().Drain()
		done := ended.Load()
		fmt.Fprintf(out, "%d tasks on %d slots: %.2f s, %.0f tasks/s, %.1f µs of processor time each, peak %.0f MB\n", done, app.Slots(), wall.Seconds(),
			float64(done)/wall.Seconds(), used.Seconds()*1e6/float64(max(done, 1)), mb(peakMemory()))
	}
	return nil
}

// Simulate feeds the scheduler alone with the events of one stage of n tasks on executors of 4 cores, each task's end as soon
// as it is launched, and prints processor time and memory a task.
func Simulate(executors, n int, out io.Writer) error {
	s := scheduler.New(scheduler.DefaultConfig())
	now := time.Unix(0, 0)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := processorTime()
	for e := range executors {
		s.Step(now, scheduler.ExecutorAdded{ID: event.ExecutorID("e" + strconv.Itoa(e)), Host: "h" + strconv.Itoa(e/2), Cores: 4})
	}
	var queue []event.TaskID
	over := false
	take := func(actions []scheduler.Action) {
		for _, a := range actions {
			switch a := a.(type) {
			case scheduler.LaunchTask:
				queue = append(queue, a.Task)
			case scheduler.JobEnded:
				over = true
			}
		}
	}
	take(s.Step(now, scheduler.JobSubmitted{Stages: []*scheduler.StageSpec{{Shuffle: event.NoShuffle, Tasks: n}}}))
	done := 0
	for ; len(queue) > 0; done++ {
		id := queue[0]
		queue = queue[1:]
		now = now.Add(time.Microsecond)
		take(s.Step(now, scheduler.TaskEnded{Task: id, Reason: event.Success{}}))
		if done == n/2 {
			runtime.ReadMemStats(&after)
		}
	}
	used := processorTime() - cpu
	if !over || done != n {
		return fmt.Errorf("the simulated job did not end: %d of %d tasks", done, n)
	}
	fmt.Fprintf(out, "scheduler alone, %d tasks on %d executors of 4 cores: %.2f µs of processor time each, %.0f bytes allocated each, heap %.0f MB half-way\n",
		n, executors, used.Seconds()*1e6/float64(n), float64(after.TotalAlloc-before.TotalAlloc)/float64(n/2+1), mb(int64(after.HeapAlloc)))
	return nil
}
