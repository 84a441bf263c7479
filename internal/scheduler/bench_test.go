package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// benchJob runs one result stage to its end on so many executors of 4 cores; each task ends before
// the next event comes. The metric is the scheduler's own time per task.
func benchJob(b *testing.B, executors, tasks int, prefs bool, cfg Config) {
	for b.Loop() {
		s := New(cfg)
		now := scriptStart
		for e := range executors {
			s.Step(now, ExecutorAdded{ID: event.ExecutorID(fmt.Sprintf("e%d", e)), Host: fmt.Sprintf("h%d", e/2), Cores: 4})
		}
		spec := &StageSpec{Shuffle: event.NoShuffle, Tasks: tasks}
		if prefs {
			spec.Prefs = make([][]Location, tasks)
			for i := range spec.Prefs {
				spec.Prefs[i] = []Location{{Host: fmt.Sprintf("h%d", i%(executors/2+1))}}
			}
		}
		queue := make([]event.TaskID, 0, executors*4)
		take := func(actions []Action) {
			for _, a := range actions {
				if l, ok := a.(LaunchTask); ok {
					queue = append(queue, l.Task)
				}
			}
		}
		take(s.Step(now, JobSubmitted{Stages: []*StageSpec{spec}}))
		done := 0
		for len(queue) > 0 || done < tasks {
			if len(queue) == 0 {
				at, _ := s.Deadline()
				now = at
				take(s.Step(now, Tick{}))
				continue
			}
			id := queue[0]
			queue = queue[1:]
			now = now.Add(time.Microsecond)
			take(s.Step(now, TaskEnded{Task: id, Reason: event.Success{}}))
			done++
		}
		if len(s.jobs) > 0 {
			b.Fatal("the job did not end")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
}

func BenchmarkLocal(b *testing.B) { benchJob(b, 1, 100_000, false, DefaultConfig()) }

func BenchmarkCluster(b *testing.B) { benchJob(b, 1000, 1_000_000, false, DefaultConfig()) }

func BenchmarkClusterPrefs(b *testing.B) { benchJob(b, 1000, 1_000_000, true, DefaultConfig()) }

func BenchmarkClusterSpeculation(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Speculation = true
	cfg.Allocation.Dynamic = true
	benchJob(b, 1000, 1_000_000, false, cfg)
}

// BenchmarkManyJobs has 1,000 small jobs in flight, FAIR, and ends one task at a time.
func BenchmarkManyJobs(b *testing.B) {
	for _, fair := range []bool{false, true} {
		b.Run(fmt.Sprintf("fair=%v", fair), func(b *testing.B) {
			cfg := DefaultConfig()
			cfg.Fair = fair
			cfg.Pools = []PoolConfig{{Name: DefaultPool, Fair: true}}
			s := New(cfg)
			s.Step(scriptStart, ExecutorAdded{ID: "e", Host: "h", Cores: 8})
			var running []event.TaskID
			spec := &StageSpec{Shuffle: event.NoShuffle, Tasks: 4}
			id := event.JobID(0)
			submit := func() {
				for _, a := range s.Step(scriptStart, JobSubmitted{ID: id, Stages: []*StageSpec{spec}}) {
					if l, ok := a.(LaunchTask); ok {
						running = append(running, l.Task)
					}
				}
				id++
			}
			for range 1000 {
				submit()
			}
			for b.Loop() {
				t := running[0]
				running = running[1:]
				ended := false
				for _, a := range s.Step(scriptStart, TaskEnded{Task: t, Reason: event.Success{}}) {
					switch a := a.(type) {
					case LaunchTask:
						running = append(running, a.Task)
					case JobEnded:
						ended = true
					}
				}
				if ended {
					submit()
				}
			}
		})
	}
}
