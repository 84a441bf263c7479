// Package kernel holds the typed loops over vectors and the states of aggregate functions.
package kernel

import (
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
)

// Session is what every expression of a query sees of the session: fixed for the query's life.
type Session struct {
	Zone          *time.Location // session time zone
	ZoneName      string
	Ansi          bool
	Now           int64 // µs: the query's current_timestamp
	User          string
	Catalog       string
	Database      string
	Seed          int64 // of random functions without one
	CaseSensitive bool
	Conf          func(key string) string // effective value of a spark.* key, "" if unset
}

// Ctx goes with one expression node of one running task: its session, its task, and the buffers it reuses.
type Ctx struct {
	*Session
	Partition int   // number of the task's partition
	RowBase   int64 // rows of this partition that came before the batch
	Scratch   *Scratch
	// Valid holds, for functions whose row says NullIn, the rows that count: those where no argument is null; nil for all.
	Valid columnar.Bitmap
	// Heap is how many bytes of text the rows of a batch may make before the function answers ErrWide; 0: any number.
	Heap int
}

// Func computes one column from argument columns of n rows. Arguments are Flat or Const; not all are Const (then n is 1 and they
// are Flat). The result may borrow the arguments' buffers and those of c.Scratch, and holds until the node's next call. Its Type
// is set by the caller. Functions whose row says NullIn need not look at rows that are not in c.Valid, but must not fail on
// them, and leave Valid nil unless they make nulls of their own; other functions set Valid themselves.
type Func func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error)

// Agg is the state of all groups of one aggregate function, in columns; group ids are dense from 0.
type Agg interface {
	// Update adds rows: row i belongs to group[i] < groups. A nil group means that all rows belong to group 0.
	Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error
	// Merge adds partial states as State gave them.
	Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error
	// State is the partial result of groups [from, to), one column per type that StateTypes names: shuffle and spill format.
	State(c *Ctx, from, to int) ([]columnar.Vector, error)
	// Result is the final value of groups [from, to).
	Result(c *Ctx, from, to int) (columnar.Vector, error)
	// Bytes is the memory held. Reset empties the state and keeps the buffers.
	Bytes() int64
	Reset()
}
