// Package driver hosts the scheduler. It turns what callers ask and what executors report into
// events, hands each to scheduler.Step on one goroutine, and carries out the actions: tasks go to
// the Backend, listener events to the Bus, results and ends to the jobs' handles.
//
// # Contract
//
// The loop never waits for anybody: every input is an append to a queue, and every output must
// take a short, bounded time. So a Backend's methods return at once, listeners have bounded
// queues of their own (see Bus), and results are handed to callers in the caller's goroutine.
//
// RunJob may be called from any number of goroutines. Cancelling its context cancels the job.
// A map stage is shared by its shuffle id: whoever submits it again while its output exists gets
// it for free, until ReleaseShuffle.
package driver
