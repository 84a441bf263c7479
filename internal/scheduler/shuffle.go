package scheduler

import (
	"github.com/firesteel/firesteel/internal/event"
)

// shuffle is the map output tracker's entry of one shuffle: where each map output lies.
type shuffle struct {
	id        event.ShuffleID
	maps      []output
	available int
	bytes     []int64 // per reduce partition, over all available outputs
	released  bool    // to be forgotten when no active job needs it
}

// output is one map output; at is empty when it is missing.
type output struct {
	at    event.ExecutorID
	task  event.TaskID
	host  string
	epoch int64
	sizes []int64
}

func (sh *shuffle) complete() bool { return sh.available == len(sh.maps) }

// register notes an output, in place of an older one.
func (s *Scheduler) register(sh *shuffle, m int, o output) {
	s.unregister(sh, m)
	sh.maps[m] = o
	sh.available++
	sh.count(o.sizes, 1)
	s.outputsOn(o.at, 1)
}

// unregister takes an output away.
func (s *Scheduler) unregister(sh *shuffle, m int) {
	o := &sh.maps[m]
	if o.at == "" {
		return
	}
	sh.available--
	sh.count(o.sizes, -1)
	s.outputsOn(o.at, -1)
	*o = output{}
}

// outputsOn keeps the number of outputs that an executor holds.
func (s *Scheduler) outputsOn(id event.ExecutorID, n int) {
	e := s.execs[id]
	if e == nil {
		return
	}
	e.outputs += n
	if e.outputs == 0 {
		s.armIdle(e)
	}
}

func (sh *shuffle) count(sizes []int64, sign int64) {
	for len(sh.bytes) < len(sizes) {
		sh.bytes = append(sh.bytes, 0)
	}
	for i, n := range sizes {
		sh.bytes[i] += sign * n
	}
}

func (s *Scheduler) unregisterAll(sh *shuffle) {
	if sh.available == 0 {
		return
	}
	for m := range sh.maps {
		s.unregister(sh, m)
	}
	s.epoch++
}

// loseOutputs takes away the outputs that lie where lost says. It scans all outputs.
func (s *Scheduler) loseOutputs(lost func(*output) bool) {
	for _, id := range sortedKeys(s.shuffles) {
		sh := s.shuffles[id]
		if sh.available == 0 {
			continue
		}
		st := s.byShuffle[id]
		for m := range sh.maps {
			if o := &sh.maps[m]; o.at != "" && lost(o) {
				at := o.at
				s.unregister(sh, m)
				s.rerun(st, m, at)
			}
		}
	}
	s.epoch++
}

// rerun puts a finished map task back into the running attempt of its stage, for its output was
// lost. A barrier stage cannot repeat one task: when the attempt ends it is found incomplete and runs again.
func (s *Scheduler) rerun(st *stage, m int, at event.ExecutorID) {
	if st == nil || st.state != stageRunning || st.active == nil || st.active.zombie || st.spec.Barrier {
		return
	}
	ts := st.active
	i := ts.indexOf(m)
	if i < 0 || !ts.tasks[i].done {
		return
	}
	t := &ts.tasks[i]
	s.publish(event.TaskEnd{ // it ran before, and takes no time now
		Stage: st.id, StageAttempt: ts.attempt, TaskType: st.taskType(), Reason: event.Resubmitted{},
		Info: event.TaskInfo{Task: t.winner, Index: i, Partition: m, Executor: at, Launch: s.now, Finish: s.now, Failed: true},
	})
	t.done = false
	ts.succeeded--
	st.expect(m)
	if t.head == nil {
		s.requeue(ts, int32(i))
	}
}

// moveOutput notes where an output was migrated to.
func (s *Scheduler) moveOutput(ev MapOutputMoved) {
	sh, to, host := s.shuffles[ev.Shuffle], s.execs[ev.To], ""
	if to != nil {
		host = to.host.name
	}
	if sh == nil || to == nil && ev.To != event.FallbackStorage || ev.Map < 0 || ev.Map >= len(sh.maps) || sh.maps[ev.Map].at == "" {
		return
	}
	o := sh.maps[ev.Map]
	o.at, o.host, o.epoch = ev.To, host, s.epoch
	s.register(sh, ev.Map, o)
	s.epoch++
}

// releaseShuffle forgets the outputs as soon as no active job needs them.
func (s *Scheduler) releaseShuffle(id event.ShuffleID) {
	sh := s.shuffles[id]
	if sh == nil {
		return
	}
	sh.released = true
	if s.byShuffle[id] == nil {
		s.forget(sh)
	}
}

func (s *Scheduler) forget(sh *shuffle) {
	for m := range sh.maps {
		s.unregister(sh, m)
	}
	delete(s.shuffles, sh.id)
	s.emit(ForgetShuffle{sh.id})
}

// Epoch is the current epoch of the map outputs.
func (s *Scheduler) Epoch() int64 { return s.epoch }

// MapStatuses lists where the outputs of a shuffle lie, by map; nil if the shuffle is not known.
// The sizes are shared with the scheduler and must not be changed.
func (s *Scheduler) MapStatuses(id event.ShuffleID) []MapStatus {
	sh := s.shuffles[id]
	if sh == nil {
		return nil
	}
	all := make([]MapStatus, len(sh.maps))
	for m, o := range sh.maps {
		all[m] = MapStatus{Map: m, Task: o.task, Epoch: o.epoch, At: o.at, Host: o.host, Sizes: o.sizes}
	}
	return all
}

// OutputAt is a map output of an executor.
type OutputAt struct {
	Shuffle event.ShuffleID
	Map     int
	Bytes   int64
}

// OutputsAt lists the map outputs that lie at an executor, by shuffle and map. It scans all outputs.
func (s *Scheduler) OutputsAt(id event.ExecutorID) (out []OutputAt) {
	for _, sh := range sortedKeys(s.shuffles) {
		for m, o := range s.shuffles[sh].maps {
			if o.at == id {
				out = append(out, OutputAt{sh, m, sum(o.sizes)})
			}
		}
	}
	return out
}

// RunningAt is the number of attempts that run on an executor.
func (s *Scheduler) RunningAt(id event.ExecutorID) int {
	if e := s.execs[id]; e != nil {
		return len(e.running)
	}
	return 0
}

func sum(sizes []int64) (n int64) {
	for _, b := range sizes {
		n += b
	}
	return n
}

// Shuffles is the number of shuffles that are not forgotten.
func (s *Scheduler) Shuffles() int { return len(s.shuffles) }
