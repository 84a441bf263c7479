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
}

// Func computes one column from argument columns of n rows. The result may borrow the arguments' buffers and those of
// c.Scratch, and holds until the node's next call. Null handling is the function's own unless its row says otherwise.
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

// Scratch owns the buffers of one expression node, reused batch after batch.
type Scratch struct {
	bufs [][]byte
	next int
}

// Bytes returns a reusable, not cleared, padded buffer of n values of the layout. Reset makes all of them free again.
func (s *Scratch) Bytes(l columnar.Layout, n int) []byte {
	size := n * l.Width()
	if s.next == len(s.bufs) {
		s.bufs = append(s.bufs, nil)
	}
	b := s.bufs[s.next]
	if cap(b) < size {
		b = columnar.Make(l, n+n/4)
		s.bufs[s.next] = b
	}
	s.next++
	return b[:size]
}

// Reset makes the buffers free for the next batch.
func (s *Scratch) Reset() { s.next = 0 }
