package scheduler

import (
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// Scheduler is the whole state; see the package comment for how to drive it.
type Scheduler struct {
	cfg    Config
	now    time.Time
	rested bool // nothing had happened for a while before now
	out    []Action
	rnd    uint64

	jobs      map[event.JobID]*job
	stages    map[event.StageID]*stage
	byShuffle map[event.ShuffleID]*stage   // map stages that active jobs need
	shuffles  map[event.ShuffleID]*shuffle // outputs; they outlive stages
	failed    []*stage                     // wait for resubmission
	refused   []string                     // job groups cancelled with all their future, the oldest first
	nextStage event.StageID
	nextTask  event.TaskID
	epoch     int64

	execs     map[event.ExecutorID]*executor
	execList  []*executor // in order of arrival
	hosts     map[string]*host
	gone      map[event.ExecutorID]farewell
	lostEpoch map[event.ExecutorID]int64 // outputs reported by attempts this old are not believed
	free      []*executor                // that may take tasks
	attempts  map[event.TaskID]*attempt
	sets      []*taskSet // that are not zombies, in order of submission
	pools     []*pool
	poolByID  map[string]*pool

	readyCount int // task sets in the pools' ready lists
	prefCount  int // of them, with preferred locations
	barriers   int // of them, barrier sets
	pending    int // tasks that wait for a slot
	dirtyAll   bool
	dirty      []*executor
	touched    []*taskSet
	stale      []*taskSet // whose list of slow tasks became empty during a round of offers

	health healthTracker
	alloc  allocation
	timers timerHeap
	armed  [numTimerKinds]time.Time // earliest timer of the kinds that are not per object
}

// New gives a scheduler without executors and jobs.
func New(cfg Config) *Scheduler {
	s := &Scheduler{
		cfg:       cfg,
		rnd:       cfg.Seed,
		jobs:      map[event.JobID]*job{},
		stages:    map[event.StageID]*stage{},
		byShuffle: map[event.ShuffleID]*stage{},
		shuffles:  map[event.ShuffleID]*shuffle{},
		execs:     map[event.ExecutorID]*executor{},
		hosts:     map[string]*host{},
		gone:      map[event.ExecutorID]farewell{},
		lostEpoch: map[event.ExecutorID]int64{},
		attempts:  map[event.TaskID]*attempt{},
		poolByID:  map[string]*pool{},
	}
	s.alloc.wanted = -1
	s.makePools()
	return s
}

// rest is a pause after which the driver may have stood still, with heartbeats that nobody has read yet.
const rest = 2 * time.Second

// Step takes in one event and says what to do. The slice is valid until the next Step.
func (s *Scheduler) Step(now time.Time, ev Event) []Action {
	s.rested = now.Sub(s.now) > rest
	if now.After(s.now) {
		s.now = now
	}
	clear(s.out)
	s.out = s.out[:0]
	s.handle(ev)
	s.fireTimers()
	s.schedule()
	s.allocate()
	return s.out
}

// Deadline is the time at which a Tick is due, if any.
func (s *Scheduler) Deadline() (time.Time, bool) {
	if len(s.timers) == 0 {
		return time.Time{}, false
	}
	return s.timers[0].at, true
}

func (s *Scheduler) handle(ev Event) {
	switch ev := ev.(type) {
	case TaskEnded:
		s.taskEnded(&ev)
	case TaskStarted:
		if a := s.attempts[ev.Task]; a != nil {
			a.started = true
		}
	case JobSubmitted:
		s.submitJob(&ev)
	case JobCancelled:
		s.cancelJobs(&ev)
	case ExecutorAdded:
		s.addExecutor(&ev)
	case ExecutorDisconnected:
		s.suspendExecutor(ev.ID)
	case ExecutorLost:
		s.loseExecutor(ev)
	case ExecutorDecommissioning:
		s.decommission(ev.ID)
	case CommitRequest:
		s.commitRequest(ev.Task)
	case MapOutputMoved:
		s.moveOutput(ev)
	case ShuffleReleased:
		s.releaseShuffle(ev.Shuffle)
	case Heartbeat:
		s.heartbeat(ev)
	case Tick:
	}
}

func (s *Scheduler) emit(a Action) { s.out = append(s.out, a) }

func (s *Scheduler) publish(e event.Event) { s.out = append(s.out, Publish{e}) }

// random gives the next number of the seeded sequence (splitmix64).
func (s *Scheduler) random(n int) int {
	s.rnd += 0x9e3779b97f4a7c15
	z := s.rnd
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	z ^= z >> 31
	return int(z % uint64(n))
}
