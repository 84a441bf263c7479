// Package rdd is the engine below the typed RDDs of package spark: lineages of nodes, cut into stages at shuffles and run by
// the application's driver.
//
// # Contract
//
// A Node is a partitioned collection by its recipe: an Op and the nodes it reads. The op of a node of element type T gives
// for each partition an iter.Seq[T], as an any: types meet once a partition, not once a record. Nodes never change once
// they are planned (Node.resolve), which happens on the driver, before the first job that needs them.
//
// Records are encoded when they leave a task: to a shuffle, to disk, to the driver. A Codec is made once a type by
// reflection. A shuffle moves chunks of encoded records as batches of one BINARY column, through the shuffle room like the
// rows of queries: in memory within a process, checksummed files across processes.
//
// A sequence cannot return an error. What feeds one (a file, a shuffle, the memory budget) tells the Task by Fail and ends
// the sequence early; whoever publishes something asks Task.Err first. The task then fails as a whole.
//
// # What travels
//
// A stage goes to executors as data: ops are structs, written field by field, functions and types by their place in the
// program's image (see image.go). Both sides are the same program; the handshake of executors checks the build.
package rdd
