// Package scheduler decides which task runs where and when. It is Spark's DAGScheduler,
// TaskSchedulerImpl, TaskSetManager, MapOutputTracker, HealthTracker, OutputCommitCoordinator
// and ExecutorAllocationManager under one owner, as one pure state machine.
//
// # Contract
//
// The host (package driver) owns a Scheduler and calls it from one goroutine:
//
//	s := scheduler.New(cfg)
//	for {
//		actions := s.Step(now, event) // what happened -> what to do
//		... carry out every action, in order ...
//		at, ok := s.Deadline()        // if ok, call Step(now, Tick{}) at that time, unless an event comes first
//	}
//
// Step never blocks, fails or panics on an event, however stale, doubled or out of order it is;
// events about tasks and executors it does not know (any more) are ignored. now must not go
// backwards. The returned slice is valid until the next Step; the actions in it may be kept.
// The host may not change anything it handed in.
//
// Nothing here takes a lock, reads a clock, does IO or draws randomness from outside: the seed
// is part of the state, so the same events give the same actions.
//
// # What the host promises
//
//   - Every LaunchTask is answered by one TaskEnded for its task id, or by ExecutorLost for its
//     executor. A killed attempt answers too; its slot stays taken until it does. With
//     Config.ExecutorTimeout set, an executor that stays silent is declared lost, so an answer
//     that never comes is covered.
//   - An executor id is never given twice.
//   - JobSubmitted carries a new job id, and its stages with parents before children, the last
//     one being what the job waits for: a result stage, or a map stage (adaptive execution
//     submits exchanges so; their sizes come back in JobEnded).
//
// # Rules
//
// They are Spark's. A task may fail Config.MaxTaskFailures times. A fetch failure does not count;
// it takes away the outputs it blames, and after Config.ResubmitDelay the map stage recomputes
// what is missing and the failed stage gets a new attempt, up to Config.MaxStageAttempts
// attempts in a row. Each map status and each loss is ordered by an epoch, so that a late status
// of a lost executor is not believed. A stage whose output would differ when repeated
// (Indeterminate) takes everything computed from it down with it, or the job if results were
// already handed out. One attempt per partition may commit. A map stage belongs to its shuffle
// and is shared by all jobs that read it; if its output is complete it is skipped. The output
// outlives the jobs until ShuffleReleased.
//
// # Cost
//
// A step costs constant time, amortized, for each task that starts or ends: an ended task offers
// only the slots it freed, pending tasks lie in lists that are cleaned as they are read, timers
// in a heap. What scans more is rare (an executor is lost, a job ends, a speculation round looks
// at running attempts) and says so.
package scheduler
