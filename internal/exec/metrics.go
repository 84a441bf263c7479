package exec

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// Metrics is what one task measured: the task's totals and the figures of each plan node.
type Metrics struct {
	Task  event.TaskMetrics
	mu    sync.Mutex
	nodes map[physical.Plan]*NodeMetrics
}

// NodeMetrics are the figures of one operator in one task. Time includes the children's.
type NodeMetrics struct {
	Rows, Batches int64
	Time          time.Duration
	PeakMemory    int64
	SpilledBytes  int64
	SpilledRows   int64
}

func (m *Metrics) of(p physical.Plan) *NodeMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nodes == nil {
		m.nodes = map[physical.Plan]*NodeMetrics{}
	}
	n := m.nodes[p]
	if n == nil {
		n = &NodeMetrics{}
		m.nodes[p] = n
	}
	return n
}

// The metrics that listeners know a stage by: those of each operator in pre-order, and those of its map output. Their ids
// follow each other.
var (
	nodeMetrics   = [...]event.MetricInfo{{Name: "number of output rows", Kind: "sum"}, {Name: "time in this operator and below", Kind: "nsTiming"}, {Name: "spill size", Kind: "size"}}
	outputMetrics = [...]event.MetricInfo{{Name: "shuffle bytes written", Kind: "size"}, {Name: "shuffle records written", Kind: "sum"}}
)

// MetricsOf is how many metrics a stage with this plan has.
func MetricsOf(root physical.Plan) int { return stageNodes(root)*len(nodeMetrics) + len(outputMetrics) }

// NodeMetricInfos are the metrics of the node at a place of the pre-order, of a stage whose first metric is given.
func NodeMetricInfos(first event.AccumulatorID, place int) []event.MetricInfo {
	return infosFrom(first+event.AccumulatorID(place*len(nodeMetrics)), nodeMetrics[:])
}

// OutputMetricInfos are the metrics of the map output of a stage.
func OutputMetricInfos(first event.AccumulatorID, root physical.Plan) []event.MetricInfo {
	return infosFrom(first+event.AccumulatorID(stageNodes(root)*len(nodeMetrics)), outputMetrics[:])
}

func infosFrom(id event.AccumulatorID, list []event.MetricInfo) []event.MetricInfo {
	out := slices.Clone(list)
	for i := range out {
		out[i].ID = id + event.AccumulatorID(i)
	}
	return out
}

// walkStage visits the nodes of a stage's plan in pre-order. What lies below a StageInput is another stage's.
func walkStage(root physical.Plan, visit func(physical.Plan)) {
	physical.Walk(root, func(p physical.Plan) bool {
		visit(p)
		_, input := p.(*physical.StageInput)
		return !input
	})
}

func stageNodes(root physical.Plan) (n int) {
	walkStage(root, func(physical.Plan) { n++ })
	return n
}

// Counted is what a task of a stage counted for listeners, the first metric's id being given; 0: nobody asks.
func (m *Metrics) Counted(root physical.Plan, first event.AccumulatorID) []event.Accumulable {
	if first == 0 {
		return nil
	}
	var out []event.Accumulable
	id := first
	add := func(list []event.MetricInfo, values ...int64) {
		for i, v := range values {
			if v != 0 {
				out = append(out, event.Accumulable{ID: id, Name: list[i].Name, Update: v, Internal: true, CountFailed: true, Metadata: "sql"})
			}
			id++
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	walkStage(root, func(p physical.Plan) {
		var n NodeMetrics
		if known := m.nodes[p]; known != nil {
			n = *known
		}
		add(nodeMetrics[:], n.Rows, n.Time.Nanoseconds(), n.SpilledBytes)
	})
	add(outputMetrics[:], m.Task.ShuffleWrite.BytesWritten, m.Task.ShuffleWrite.RecordsWritten)
	return out
}

// spilled notes rows and bytes that a node moved to disk; m may be nil.
func (m *Metrics) spilled(p physical.Plan, rows, bytes int64) {
	if m == nil {
		return
	}
	n := m.of(p)
	n.SpilledRows += rows
	n.SpilledBytes += bytes
	m.Task.DiskBytesSpilled += bytes
}

// measured counts what passes through an operator, and passes nothing more to a task that was cancelled: operators that read all of
// their input need not look.
type measured struct {
	op Operator
	m  *NodeMetrics
}

func measure(op Operator, m *NodeMetrics) Operator { return &measured{op, m} }

func (o *measured) Schema() *types.Schema { return o.op.Schema() }

func (o *measured) Open(ctx context.Context, t *Task) error {
	start := time.Now()
	err := o.op.Open(ctx, t)
	o.m.Time += time.Since(start)
	return err
}

func (o *measured) Next(ctx context.Context) (*columnar.Batch, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	start := time.Now()
	b, err := o.op.Next(ctx)
	o.m.Time += time.Since(start)
	if err == nil {
		o.m.Rows += int64(b.N)
		o.m.Batches++
	}
	return b, err
}

func (o *measured) Close() error { return o.op.Close() }
