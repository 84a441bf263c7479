// Package mesos is the cluster manager that runs executors as tasks of a Mesos cluster, coarse-grained: an executor is one
// command task, and lives as long as the application wants it.
//
// # Contract
//
// What to accept, decline, launch and kill is decided by scheduler, which is pure: events of the master and wishes of the
// driver with the time in, calls and notices out. The Manager hosts it on one goroutine, keeps the stream of events from
// the leading master (v1 scheduler API over HTTP, RecordIO with JSON) and sends the calls in the order in which they were
// made.
//
// Every offer is answered at once, so an offer that is rescinded later costs at most a task that the master drops. A
// task that ended is never started again: its successor is a new task with a new executor id. When the stream breaks,
// the Manager subscribes again with its framework id and asks for the state of all its tasks; what it does not know any
// more is killed. Stop tears the framework down: nothing of it stays on the cluster.
//
// The executor's program is spark.executor.uri (an archive with bin/firesteel, or the program itself), else
// spark.mesos.executor.home/bin/firesteel, else a file on the agents at the same path as on the driver's machine.
package mesos
