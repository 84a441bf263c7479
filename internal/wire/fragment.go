package wire

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Fragment is the work of one stage of a plan: the data of a Work of kind PlanWork. It is the same for all attempts of the
// stage: where map outputs lie is asked for by each task.
type Fragment struct {
	Session Session
	Plan    physical.Plan
	// Tasks are the partitions that the stage's tasks compute, by task; nil: task i computes partition i.
	Tasks   []int
	Inputs  []Input
	Scans   []Scan // of the plan's Scan nodes, in the order of ScansOf
	Filters []Filter
	Cached  []Cached // what the plan's CachedScan nodes read
	Output  Output
	Metrics event.AccumulatorID // the first of those that the tasks count; 0: none
}

// Cached is a cached plan on executors: partition i is block Name_i, wherever that lies. One that lies nowhere is computed by
// the task that reads it, and kept where the task runs.
type Cached struct {
	Key          string // as CachedScan.Key
	Name         string // rdd_<id>
	Memory, Disk bool   // where the blocks may lie
	Copies       int    // how many executors should have each
	Schema       types.Schema
	Data         []byte // of the Fragment that computes the rows; its Output says nothing
}

// Session is a kernel.Session as data.
type Session struct {
	ZoneName                string
	Ansi                    bool
	Now                     int64
	User, Catalog, Database string
	Seed                    int64
	CaseSensitive           bool
	Settings                map[string]string // that were given; others have their defaults
}

// NewSession makes data of a session with these settings.
func NewSession(k *kernel.Session, settings map[string]string) Session {
	return Session{ZoneName: k.ZoneName, Ansi: k.Ansi, Now: k.Now, User: k.User, Catalog: k.Catalog, Database: k.Database,
		Seed: k.Seed, CaseSensitive: k.CaseSensitive, Settings: settings}
}

// Open makes a session of the data.
func (s *Session) Open() (*kernel.Session, error) {
	zone, ok := types.Zone(s.ZoneName)
	if !ok {
		return nil, sparkerr.New("INVALID_TIMEZONE", "timeZone", s.ZoneName)
	}
	return &kernel.Session{Zone: zone, ZoneName: s.ZoneName, Ansi: s.Ansi, Now: s.Now, User: s.User, Catalog: s.Catalog,
		Database: s.Database, Seed: s.Seed, CaseSensitive: s.CaseSensitive, Conf: conf.NewValues(s.Settings).String}, nil
}

// Input is the output of a stage below: partitions of a shuffle, or a broadcast.
type Input struct {
	Stage      int // as StageInput.Stage
	Schema     types.Schema
	Shuffle    event.ShuffleID // event.NoShuffle: a broadcast
	Partitions int
	Broadcast  event.BroadcastID // of a stream of frames
	Bytes      int64             // of the broadcast
}

// Scan is what a Scan node reads: task i gets splits [Ends[i-1], Ends[i]).
type Scan struct {
	Portion *source.Portion
	Ends    []int
}

// Filter is a runtime filter: the keys of a finished build side. Bits that are large travel as a broadcast of their own.
type Filter struct {
	ID       int
	Min, Max int64
	Bits     columnar.Bitmap // exact membership of value-Min; nil: only the bounds hold
	Empty    bool
	At       event.BroadcastID // of the bits, 8 little-endian bytes a word; 0: they are in Bits
}

// OutputKind says what becomes of a stage's rows.
type OutputKind uint8

// The kinds of output.
const (
	RowOutput    OutputKind = iota // frames: the task's result
	MapOutput                      // the map output of a shuffle
	SampleOutput                   // a Sample of the rows' sort keys: the task's result
)

// Output is where a stage's rows go.
type Output struct {
	Kind     OutputKind
	Name     string // RowOutput: a stored result is block Name_<task>
	Compress bool   // RowOutput: texts
	Shuffle  event.ShuffleID
	Part     physical.Partitioning
	Bounds   []*columnar.Batch // MapOutput by range: one batch, the bounds
	// Publish are the runtime filters that a map stage's rows fill in: the task's result is a []FilterKeys then.
	Publish []physical.RuntimePub
	Order   []expr.SortOrder // SampleOutput
	Limit   int              // SampleOutput: rows to draw
}

// Sample are the sort keys that a task drew, and the number of rows that they stand for.
type Sample struct {
	Keys []*columnar.Batch
	Rows int64
}

// FilterKeys are the keys of a runtime filter that a task saw: all of them in order, or their bounds if they are too many.
type FilterKeys struct {
	ID       int
	Min, Max int64
	Many     bool
	Values   []int64
}

// ScansOf lists the scans of a stage's plan, each once, in pre-order. What lies below a StageInput is another stage's.
func ScansOf(p physical.Plan) []*physical.Scan {
	var out []*physical.Scan
	seen := map[physical.Plan]bool{}
	physical.Walk(p, func(n physical.Plan) bool {
		if n == nil || seen[n] {
			return false
		}
		seen[n] = true
		if s, ok := n.(*physical.Scan); ok {
			out = append(out, s)
		}
		_, input := n.(*physical.StageInput)
		return !input
	})
	return out
}

// CachedOf lists the cached plans that a stage's plan reads, as ScansOf.
func CachedOf(p physical.Plan) []*physical.CachedScan {
	var out []*physical.CachedScan
	physical.Walk(p, func(n physical.Plan) bool {
		if c, ok := n.(*physical.CachedScan); ok {
			out = append(out, c)
		}
		_, input := n.(*physical.StageInput)
		return n != nil && !input
	})
	return out
}

// Encode gives the fragment as the data of a Work.
func (f *Fragment) Encode() ([]byte, error) { return Marshal(f) }

// DecodeFragment reads a fragment. Whatever the bytes, it gives a fragment or an error.
func DecodeFragment(data []byte) (*Fragment, error) {
	f := &Fragment{}
	if err := Unmarshal(data, f); err != nil {
		return nil, err
	}
	if f.Plan == nil {
		return nil, sparkerr.Internal("a fragment came without a plan")
	}
	return f, nil
}
