package exec

import (
	"context"
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

// Nodes are the figures of a plan's nodes in pre-order; nodes that were not built have zeros.
func (m *Metrics) Nodes(root physical.Plan) []NodeMetrics {
	var out []NodeMetrics
	m.mu.Lock()
	defer m.mu.Unlock()
	physical.Walk(root, func(p physical.Plan) bool {
		if n := m.nodes[p]; n != nil {
			out = append(out, *n)
		} else {
			out = append(out, NodeMetrics{})
		}
		return true
	})
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

// measured counts what passes through an operator.
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
