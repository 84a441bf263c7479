// Package memory is the one place where memory is granted and where spill files live.
//
// A process has one Pool. A task opens an Account on it; whoever keeps rows (join build, aggregation, sort, exchange,
// cache, result) reserves on its task's account before it grows. When a reservation is refused the operator spills
// ITSELF at a batch boundary and asks again; nobody spills anybody else. An account must be zero when its task ends.
package memory
