package connect

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/lower"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// results turns what a query yields into responses of an operation. It is the Sink of the query.
type results struct {
	ctx      context.Context
	op       *operation
	chunking bool
	chunk    int64 // bytes of one piece when chunking
	encoder  *arrowipc.Encoder
	offset   int64 // rows sent
	batches  int
	pending  []*columnar.Appender // columns of the gathered rows
	waiting  int                  // gathered rows
	since    time.Time            // when gathering began
	observed []*connectpb.ExecutePlanResponse_ObservedMetrics
	metrics  []metricsQuery // found in the plan

	mu      sync.Mutex
	started time.Time
	last    time.Time // of the last progress message
}

// maxMessage is the most bytes of Arrow data in one response; clients take 128 MiB.
const maxMessage = 96 << 20

func newResults(ctx context.Context, op *operation, r *connectpb.ExecutePlanRequest) *results {
	out := &results{ctx: ctx, op: op, started: time.Now()}
	limit := op.session.engine.Conf().Values().Bytes("spark.connect.session.resultChunking.maxChunkSize")
	for _, o := range r.GetRequestOptions() {
		if c := o.GetResultChunkingOptions(); c.GetAllowArrowBatchChunking() {
			out.chunking, out.chunk = true, limit
			if p := c.GetPreferredArrowChunkSize(); p >= 1024 && p < limit {
				out.chunk = p
			}
		}
	}
	return out
}

// options are the session's choices for Arrow streams.
func (s *session) options() arrowipc.Options {
	v := s.engine.Conf().Values()
	return arrowipc.Options{TimeZone: v.String("spark.sql.session.timeZone"), Large: v.Bool("spark.sql.execution.arrow.useLargeVarTypes")}
}

// relation runs a relation. Tables for people are formatted here.
func (o *results) relation(r *connectpb.Relation) error {
	switch k := r.GetRelType().(type) {
	case *connectpb.Relation_ShowString:
		opts := show.Options{Rows: int(k.ShowString.GetNumRows()), Truncate: int(k.ShowString.GetTruncate()), Vertical: k.ShowString.GetVertical()}
		return o.table(k.ShowString.GetInput(), opts, "show_string", (*show.Format).Text)
	case *connectpb.Relation_HtmlString:
		opts := show.Options{Rows: int(k.HtmlString.GetNumRows()), Truncate: int(k.HtmlString.GetTruncate())}
		return o.table(k.HtmlString.GetInput(), opts, "html_string", (*show.Format).HTML)
	}
	p, err := o.lowerer().Relation(r)
	if err != nil {
		return err
	}
	if isCommand(p) {
		return o.done(bare(p))
	}
	return o.run(p)
}

// done does a command and sends its rows, whose schema is known when it was done.
func (o *results) done(p logical.Plan) error {
	s, rows, err := o.collect(p)
	if err != nil {
		return err
	}
	if err := o.begin(s); err != nil {
		return err
	}
	for _, b := range rows {
		if err := o.Batch(b); err != nil {
			return err
		}
	}
	return o.end(s)
}

// run analyzes and runs a plan and sends its rows: the schema first, and at least one batch.
func (o *results) run(p logical.Plan) error {
	q, err := o.op.session.engine.Analyze(o.ctx, p)
	if err != nil {
		return err
	}
	if err := o.begin(q.Schema()); err != nil {
		return err
	}
	if err := q.Run(o.ctx, o); err != nil {
		return err
	}
	return o.end(q.Schema())
}

// begin sends the schema.
func (o *results) begin(s *types.Schema) (err error) {
	if o.encoder, err = arrowipc.NewEncoder(s, o.op.session.options()); err != nil {
		return err
	}
	return o.push(&connectpb.ExecutePlanResponse{Schema: lower.SchemaToProto(s.Fields)})
}

// end sends an empty batch if there was none, and the observed metrics.
func (o *results) end(s *types.Schema) error {
	if err := o.flush(); err != nil {
		return err
	}
	if o.batches == 0 {
		if err := o.rows(emptyBatch(s), 0, 0); err != nil {
			return err
		}
	}
	return o.sendObserved()
}

// lowerer makes a Lowerer that notes the metrics which the plan observes.
func (o *results) lowerer() *lower.Lowerer {
	l := o.op.session.lowerer(o.ctx)
	l.Observe = func(name string, planID int64, p logical.Plan) {
		o.metrics = append(o.metrics, metricsQuery{name, planID, p})
	}
	return l
}

// metricsQuery computes the observed metrics of a name.
type metricsQuery struct {
	name   string
	planID int64
	plan   logical.Plan
}

// sendObserved computes and sends the observed metrics.
func (o *results) sendObserved() error {
	for _, m := range o.metrics {
		s, rows, err := o.op.session.collect(o.ctx, m.plan)
		if err != nil {
			return err
		}
		values := make([]any, len(s.Fields))
		for _, b := range rows {
			for i := range b.Cols {
				values[i] = b.Cols[i].ValueAt(0)
			}
		}
		o.Observed(Observation{Name: m.name, PlanID: m.planID, Fields: s.Fields, Values: values})
	}
	o.mu.Lock()
	observed := o.observed
	o.mu.Unlock()
	if len(observed) == 0 {
		return nil
	}
	return o.push(&connectpb.ExecutePlanResponse{ObservedMetrics: observed})
}

func emptyBatch(s *types.Schema) *columnar.Batch {
	b := &columnar.Batch{Schema: s}
	for _, f := range s.Fields {
		b.Cols = append(b.Cols, columnar.NewBuilder(f.Type, 0).Finish())
	}
	return b
}

func (o *results) push(m *connectpb.ExecutePlanResponse) error { return o.op.push(o.ctx, m) }

// Batches are gathered, because every response costs the client a call to release it: up to so many rows or bytes, as long
// as they come quickly.
const (
	gatherRows  = 1 << 15
	gatherBytes = 4 << 20
	gatherPause = 100 * time.Millisecond
)

// Batch implements Sink.
func (o *results) Batch(b *columnar.Batch) error {
	if b.N >= gatherRows {
		if err := o.flush(); err != nil {
			return err
		}
		return o.rows(b, 0, b.N)
	}
	if b.N == 0 {
		return o.ctx.Err()
	}
	if o.pending == nil {
		o.since = time.Now()
		for i := range b.Cols {
			o.pending = append(o.pending, columnar.NewAppender(b.Cols[i].Type))
		}
	}
	held := int64(0)
	for i := range b.Cols {
		o.pending[i].AppendVector(&b.Cols[i])
		held += o.pending[i].Bytes()
	}
	o.waiting += b.N
	if o.waiting >= gatherRows || held >= gatherBytes || time.Since(o.since) > gatherPause {
		return o.flush()
	}
	return o.ctx.Err()
}

// flush sends the gathered rows.
func (o *results) flush() error {
	if o.waiting == 0 {
		return nil
	}
	b := &columnar.Batch{N: o.waiting}
	for _, a := range o.pending {
		b.Cols = append(b.Cols, a.Finish())
	}
	o.pending, o.waiting = nil, 0
	return o.rows(b, 0, b.N)
}

// rows sends rows [from, to): in one message, cut at byte borders if the client allows it, else in halves until they fit.
func (o *results) rows(b *columnar.Batch, from, to int) error {
	data := o.encoder.Encode(nil, b, from, to)
	switch n := to - from; {
	case o.chunking && int64(len(data)) > o.chunk:
		return o.pieces(data, int64(n))
	case len(data) > maxMessage && n > 1:
		if err := o.rows(b, from, from+n/2); err != nil {
			return err
		}
		return o.rows(b, from+n/2, to)
	case len(data) > 1<<27-1<<12:
		return sparkerr.Unsupported("a row of more than 128 MiB for a client that does not allow chunks")
	default:
		return o.send(&connectpb.ExecutePlanResponse_ArrowBatch{RowCount: int64(n), Data: data}, int64(n))
	}
}

// pieces sends one batch in several messages.
func (o *results) pieces(data []byte, rows int64) error {
	total := (int64(len(data)) + o.chunk - 1) / o.chunk
	for i := range total {
		piece := data[i*o.chunk : min((i+1)*o.chunk, int64(len(data)))]
		m := &connectpb.ExecutePlanResponse_ArrowBatch{RowCount: rows, Data: piece, ChunkIndex: &i, NumChunksInBatch: &total}
		last := int64(0)
		if i == total-1 {
			last = rows
		}
		if err := o.send(m, last); err != nil {
			return err
		}
	}
	return nil
}

// send sends a batch message, after which rows more rows are complete.
func (o *results) send(m *connectpb.ExecutePlanResponse_ArrowBatch, rows int64) error {
	start := o.offset
	m.StartOffset = &start
	o.offset += rows
	o.batches++
	return o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: m}})
}

// Progress implements Sink. Messages go out at most every 200 ms in the first two seconds, then every second, and not while
// the client is behind.
func (o *results) Progress(stages []Stage, inflight int) {
	now := time.Now()
	o.mu.Lock()
	pause := 200 * time.Millisecond
	if now.Sub(o.started) > 2*time.Second {
		pause = time.Second
	}
	if now.Sub(o.last) < pause || now.Sub(o.started) < pause {
		o.mu.Unlock()
		return
	}
	o.last = now
	o.mu.Unlock()
	if o.op.backlog() {
		return
	}
	p := &connectpb.ExecutePlanResponse_ExecutionProgress{NumInflightTasks: int64(inflight)}
	for _, s := range stages {
		p.Stages = append(p.Stages, &connectpb.ExecutePlanResponse_ExecutionProgress_StageInfo{StageId: s.ID, NumTasks: s.Tasks,
			NumCompletedTasks: s.Completed, InputBytesRead: s.BytesRead, Done: s.Done})
	}
	// A failed push means that the operation has ended, which the producer will notice itself.
	_ = o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: p}})
}

// Observed implements Sink.
func (o *results) Observed(m Observation) {
	out := &connectpb.ExecutePlanResponse_ObservedMetrics{Name: m.Name, PlanId: m.PlanID}
	for i, f := range m.Fields {
		out.Keys = append(out.Keys, f.Name)
		out.Values = append(out.Values, lower.LiteralToProto(m.Values[i], f.Type))
	}
	o.mu.Lock()
	o.observed = append(o.observed, out)
	o.mu.Unlock()
}

// collector is a Sink that keeps copies of the rows and passes the rest on.
type collector struct {
	*results
	rows []*columnar.Batch
}

// Batch implements Sink.
func (c *collector) Batch(b *columnar.Batch) error {
	if b.N > 0 {
		c.rows = append(c.rows, b.Clone())
	}
	return c.ctx.Err()
}

// collect runs a plan and keeps its rows.
func (o *results) collect(p logical.Plan) (*types.Schema, []*columnar.Batch, error) {
	q, err := o.op.session.engine.Analyze(o.ctx, p)
	if err != nil {
		return nil, nil, err
	}
	c := &collector{results: o}
	err = q.Run(o.ctx, c)
	return q.Schema(), c.rows, err
}

// table formats the first rows of a relation as one row with one text.
func (o *results) table(in *connectpb.Relation, opts show.Options, name string,
	format func(*show.Format, []string, []*columnar.Batch, show.Options) string) error {
	p, err := o.lowerer().Relation(in)
	if err != nil {
		return err
	}
	if isCommand(p) {
		p = bare(p)
	} else {
		n := int32(min(max(opts.Rows, 0), math.MaxInt32-1)) + 1 // one more tells whether there are more
		p = &logical.Limit{N: expr.NewLiteral(n, types.Int), Child: p}
	}
	s, rows, err := o.collect(p)
	if err != nil {
		return err
	}
	f := o.op.session.format()
	out := types.NewSchema(types.Field{Name: name, Type: types.String})
	b := columnar.NewBuilder(types.String, 1)
	b.Append(format(f, s.Names(), rows, opts))
	if err := o.begin(out); err != nil {
		return err
	}
	if err := o.Batch(&columnar.Batch{Schema: out, Cols: []columnar.Vector{b.Finish()}, N: 1}); err != nil {
		return err
	}
	return o.end(out)
}

// format is how the session prints values.
func (s *session) format() *show.Format {
	v := s.engine.Conf().Values()
	zone, ok := types.Zone(v.String("spark.sql.session.timeZone"))
	if !ok {
		zone = time.UTC
	}
	return &show.Format{Zone: zone, BinaryStyle: v.Enum("spark.sql.binaryOutputStyle")}
}
