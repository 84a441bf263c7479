// Package event is the vocabulary of everything that people and tools watch: typed ids, task
// metrics, the reasons a task ended, and the listener events of the application (jobs, stages,
// tasks, executors, blocks, SQL executions). The names and fields follow Spark's listener API,
// so that console progress, the web UI, REST, Prometheus, the event log and the history server
// are readers of one stream.
//
// An event is a plain value. Once published it is never changed: whoever publishes hands over
// the slices and maps in it, and whoever listens only reads. The bus that carries events lives
// in package driver; this package is pure.
package event
