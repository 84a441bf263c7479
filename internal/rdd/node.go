package rdd

import (
	"context"
	"runtime"
	"strconv"
	"sync"

	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
)

// Op computes the partitions of a node. An op of a node of element type T gives an iter.Seq[T]. It is a struct (by
// pointer) whose fields can be encoded; functions among them must capture nothing, when it travels. Fields with the tag
// rdd:"-" stay at home.
type Op interface {
	Compute(t *Task, n *Node, part int) any
}

// MapSide writes a partition of a node to a shuffle: it says which record belongs to which partition.
type MapSide interface {
	Write(t *Task, seq any, out *ChunkWriter)
}

// Action is what a job does with each partition of its last node. Its result goes to the driver: encoded, if it comes from
// another process.
type Action interface {
	Run(t *Task, seq any) any
	Encode(v any) ([]byte, error)
	Decode(b []byte) (any, error)
}

// Elem keeps partitions of a type: it is Elements[T].
type Elem interface {
	// Seq is the iter.Seq[T] of a []T.
	Seq(list any) any
	// Keep passes an iter.Seq[T] on and keeps its records.
	Keep(t *Task, seq any, k *Keeper) any
	// Spill writes the records of a []T to a file.
	Spill(list any, f *runFile) error
	// Tee passes an iter.Seq[T] on and stores its records.
	Tee(t *Task, seq any, s *storeSink) any
	// Encode gives an iter.Seq[T] as chunks, Decode the iter.Seq[T] of chunks.
	Encode(t *Task, seq any, chunk func([]byte) error)
	Decode(t *Task, next func() ([]byte, error)) any
}

// Order says how much of a node's result is the same when it is computed again.
type Order uint8

// The orders: same records in the same order; the same in any order; perhaps others.
const (
	Determinate Order = iota
	Unordered
	Indeterminate
)

// Node is one RDD of a lineage.
type Node struct {
	ID   event.RDDID
	Name string // of the operator, for listings: map, reduceByKey
	Site string // where the program made it: file.go:12
	Op   Op
	Elem Elem
	Deps []Dep
	// Plan completes the node on the driver, before its first job: it sets Parts, and what the op must know besides. The
	// nodes it reads are complete by then. nil: Parts is set.
	Plan func(ctx context.Context, n *Node) error

	mu      sync.Mutex
	planned bool
	Parts   int
	Order   Order
	// Spread says how the records lie in the partitions, if that is known: nodes of pairs with equal Spread have equal
	// keys in the same partition.
	Spread Spread
	// Prefs are the hosts where a partition is best computed; nil if it does not matter.
	Prefs [][]string

	level      string // of storage; "" is NONE
	watched    bool   // what is kept goes with the node
	checkpoint string // folder; "" is none
}

// Spread is a way to spread keys over partitions.
type Spread struct {
	Kind  string // "", hash, range
	Parts int
	Range event.RDDID // the node whose keys gave the bounds
}

// Dep is one node that a node reads: partition by partition, or through a shuffle.
type Dep struct {
	Node    *Node
	Shuffle *Shuffle // nil: narrow
}

// Narrow reads a node directly.
func Narrow(n *Node) Dep { return Dep{Node: n} }

// Shuffle is the reader's end of a shuffle. When nobody holds it any more, the outputs are dropped.
type Shuffle struct{ *mapStage }

// mapStage is the writer's end.
type mapStage struct {
	id     event.ShuffleID
	parent *Node
	writer MapSide
	parts  int // set by Plan of the reader, before the first job
	body   *driver.Stage
}

// NewShuffle makes a shuffle of a node's records. The number of partitions is set by SetParts when the reader is planned.
func (e *Engine) NewShuffle(parent *Node, w MapSide) *Shuffle {
	s := &Shuffle{&mapStage{id: e.host.Driver.NewShuffle(), parent: parent, writer: w}}
	d := e.host.Driver
	runtime.AddCleanup(s, func(id event.ShuffleID) { d.ReleaseShuffle(id) }, s.id)
	return s
}

// SetParts says how many partitions the shuffle writes, and the map side how to spread.
func (s *Shuffle) SetParts(n int, w MapSide) { s.parts, s.writer = n, w }

// Through reads a node through a shuffle.
func Through(s *Shuffle) Dep { return Dep{Node: s.parent, Shuffle: s} }

// resolve plans a node and all that it reads.
func (n *Node) resolve(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.planned {
		return nil
	}
	for _, d := range n.Deps {
		if err := d.Node.resolve(ctx); err != nil {
			return err
		}
	}
	if n.Plan != nil {
		if err := n.Plan(ctx, n); err != nil {
			return err
		}
	}
	n.planned = true
	return nil
}

// Partitions is the number of partitions.
func (n *Node) Partitions(ctx context.Context) (int, error) {
	err := n.resolve(ctx)
	return n.Parts, err
}

// title names the node in listings: "map at main.go:12".
func (n *Node) title() string {
	if n.Site == "" {
		return n.Name
	}
	return n.Name + " at " + n.Site
}

// Lineage prints the node and what it reads, as RDD.toDebugString does.
func (n *Node) Lineage(ctx context.Context) (string, error) {
	if err := n.resolve(ctx); err != nil {
		return "", err
	}
	var b []byte
	var print func(n *Node, indent string)
	print = func(n *Node, indent string) {
		b = append(b, indent+"("+strconv.Itoa(n.Parts)+") "+n.title()+" ["+strconv.Itoa(int(n.ID))+"]"...)
		if l := n.StorageLevel(); l != "" {
			b = append(b, " "+l...)
		}
		b = append(b, '\n')
		for _, d := range n.Deps {
			next := indent + " |  "
			if d.Shuffle != nil {
				next = indent + " +- "
			}
			print(d.Node, next)
		}
	}
	print(n, "")
	return string(b), nil
}

// StorageLevel is the level at which the partitions are kept, "" if they are not.
func (n *Node) StorageLevel() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.level
}
