// Package eventlog writes what happened in an application into files, a JSON object a line, in the form and under the names
// of Spark's event logs, so that Spark's history server and the tools that read such logs show applications of this engine.
//
// A Log is a listener of the application's bus. It writes on the bus's goroutine and never holds up the application: what it
// cannot write in time the bus drops, and what cannot be written at all is told once. Files grow under a name that says that
// they are in progress, every line of them whole, until Close gives them their final name.
package eventlog
