// Package core decides for the master of a standalone cluster: which worker runs which executor or driver, who is lost,
// what is replaced and what is given up. It is Spark's Master as one pure state machine.
//
// # Contract
//
// The host (package standalone) owns a State and calls it from one goroutine:
//
//	actions := s.Step(now, event) // what happened -> what to do, in order
//	at, ok := s.Deadline()        // if ok, call Step(now, Tick{}) then, unless an event comes first
//
// Step never blocks, fails or panics on an event, however stale, doubled or out of order it is. Nothing here reads a
// clock, does IO or draws randomness: the same events give the same actions.
//
// # Rules
//
// Workers and applications are known by id and reached through a Peer, the number of a connection. A lost connection
// is forgiven for Config.Grace: who comes back within it, with its id, goes on as before, and both sides compare what
// they believe to be running. Silence for Config.WorkerTimeout is the end of a worker.
//
// An application names a level, how many executors should exist, and gets them as cores and memory allow: applications
// in the order of their registration, drivers before applications, spread over the workers or packed. Executors that
// end are replaced as long as the level is not reached; those that end soon after their start are replaced with growing
// delays, and after Config.MaxExecutorRetries of them in a row, with no other running well, the application is removed.
//
// After a start (or an election) there is a window in which what ran before reports back: workers list what they run,
// applications what they have. Nothing of theirs is decided before all have reported or the window has closed; what
// nobody claims then is ended. New applications and drivers need not wait, for only workers that have reported are
// offered to them. An executor that was told lost is never believed in again.
package core
