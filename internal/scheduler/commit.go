package scheduler

import "github.com/firesteel/firesteel/internal/event"

// commitRequest answers whether an attempt may commit its partition: the first one that asks may,
// until it fails. Attempts that are not running, or were told to end, may not.
func (s *Scheduler) commitRequest(id event.TaskID) {
	a := s.attempts[id]
	if a == nil || a.killed || !s.alive(a.set.stage) {
		s.emit(CommitAnswer{Task: id})
		return
	}
	st, p := a.set.stage, a.info.Partition
	holder, taken := st.committer[p]
	allow := (!taken || holder == id) && !s.committed(a)
	if allow {
		if st.committer == nil {
			st.committer = map[int]event.TaskID{}
		}
		st.committer[p] = id
	}
	s.emit(CommitAnswer{Task: id, Allow: allow})
}

// committed says that the partition was finished by another attempt.
func (s *Scheduler) committed(a *attempt) bool {
	return a.set.tasks[a.info.Index].done || a.set.stage.out == nil && a.set.stage.owner.done[a.info.Partition]
}

// releaseCommit lets another attempt commit when the one that was allowed to failed.
func (s *Scheduler) releaseCommit(a *attempt) {
	st, p := a.set.stage, a.info.Partition
	if holder, ok := st.committer[p]; ok && holder == a.info.Task {
		delete(st.committer, p)
	}
}
