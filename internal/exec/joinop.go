package exec

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// tableJoin keeps the build side in a table and streams the probe side past it. With keys it is a hash join; without, every
// row is tried with every row (loop join). What does not fit into memory goes to files (joinspill.go).
type tableJoin struct {
	node      physical.Plan
	env       *Env
	name      string
	shape     *joinShape
	probe     Operator
	build     Operator
	buildPlan physical.Plan
	probeForm *joinSide
	buildForm *joinSide

	t         *Task
	mem       *memory.Reservation
	probing   *joinProbe
	opened    bool                                           // the probe side
	source    func(context.Context) (*columnar.Batch, error) // of the probe side's batches
	current   bool                                           // a batch is being probed
	phase     joinPhase
	spill     *joinSpill
	tableOver bool           // rest of the table's rows comes next
	others    *sharedMatches // of a table that several tasks probe and whose own rows come out
}

type joinPhase uint8

const (
	joinStart joinPhase = iota
	joinProbing
	joinRest
	joinNextPart
	joinDone
)

func newHashJoin(p *physical.HashJoin, env *Env) (Operator, error) {
	in := joinInputs{left: p.Left, right: p.Right, leftKeys: p.LeftKeys, rightKeys: p.RightKeys, kind: p.Kind,
		buildRight: p.BuildRight, cond: p.Cond, hint: p.Hint, out: p.Output()}
	return newTableJoin(p, "HashJoin", &in, env)
}

// newLoopJoin: NULL AWARE conditions that are unknown count as true.
func newLoopJoin(p *physical.LoopJoin, env *Env) (Operator, error) {
	in := joinInputs{left: p.Left, right: p.Right, kind: p.Kind, buildRight: p.BuildRight, cond: p.Cond, hint: p.Hint, out: p.Output()}
	if p.Hint.NullAware && p.Cond != nil {
		in.cond = &expr.Call{Name: "coalesce", Args: []expr.Expr{p.Cond, expr.NewLiteral(true, types.Boolean)}, T: types.Boolean}
		in.hint.NullAware = false
	}
	return newTableJoin(p, "LoopJoin", &in, env)
}

func newTableJoin(p physical.Plan, name string, in *joinInputs, env *Env) (Operator, error) {
	o := &tableJoin{node: p, env: env, name: name}
	var err error
	if o.shape, o.probeForm, o.buildForm, err = in.shape(); err != nil {
		return nil, err
	}
	if err := checkJoinKeys(in.leftKeys); err != nil {
		return nil, err
	}
	probePlan := in.left
	o.buildPlan = in.right
	if !in.buildRight {
		probePlan, o.buildPlan = in.right, in.left
	}
	if o.probe, err = buildNeeding(probePlan, env, o.probeForm.needed()); err != nil {
		return nil, err
	}
	o.build, err = buildNeeding(o.buildPlan, env, o.buildForm.needed())
	return o, err
}

// checkJoinKeys refuses keys that bytes do not compare.
func checkJoinKeys(keys []expr.Expr) error {
	for _, k := range keys {
		if c := k.Type().Collation; k.Type().Kind == types.StringKind && c != "" && c != "UTF8_BINARY" {
			return sparkerr.Unsupported("a join by the collation " + c)
		}
		if k.Type().Kind == types.VariantKind {
			return sparkerr.Unsupported("a join by VARIANT")
		}
	}
	return nil
}

func (o *tableJoin) Schema() *types.Schema { return o.shape.schema }

func (o *tableJoin) Open(_ context.Context, t *Task) error {
	o.t, o.mem = t, t.reserve(o.name)
	var err error
	if o.probeForm, err = o.probeForm.forTask(t, o.env); err != nil {
		return err
	}
	if o.buildForm, err = o.buildForm.forTask(t, o.env); err != nil {
		return err
	}
	cond, err := newJoinCond(t, o.env, o.shape.cond, o.probeForm, o.buildForm)
	o.probing = newJoinProbe(o.shape, cond, o.probeForm.keys)
	return err
}

func (o *tableJoin) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		var out *columnar.Batch
		var err error
		switch o.phase {
		case joinStart:
			err = o.start(ctx)
		case joinProbing:
			out, err = o.pull(ctx)
		case joinRest:
			if out = o.probing.rest(); out == nil {
				o.phase = joinNextPart
			}
		case joinNextPart:
			out, err = o.nextPart(ctx)
		default:
			return nil, io.EOF
		}
		if err != nil || out != nil {
			return out, err
		}
	}
}

// pull makes the next output of the current batch, or takes the next batch.
func (o *tableJoin) pull(ctx context.Context) (*columnar.Batch, error) {
	if o.current {
		out, err := o.probing.next(ctx)
		if err != nil || out != nil {
			return out, err
		}
		o.current = false
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b, err := o.source(ctx)
	if errors.Is(err, io.EOF) {
		o.phase = joinRest
		if o.others != nil && !o.others.add(o.probing) {
			o.phase = joinDone
		}
		return nil, nil
	}
	if err == nil && b.N > 0 {
		o.probing.begin(b)
		o.current = true
	}
	return nil, err
}

// start builds the table, or finds that it does not fit.
func (o *tableJoin) start(ctx context.Context) error {
	rel, err := BroadcastOf(ctx, o.t, o.buildPlan)
	if err != nil {
		return err
	}
	var tab *joinTable
	if rel != nil {
		tab, err = sharedTable(o.t, o.env, o.node, rel, o.buildForm, o.shape.nullAware)
		if err == nil {
			o.others, err = o.sharing()
		}
	} else {
		tab, err = o.buildOwn(ctx)
	}
	if err != nil {
		return err
	}
	if tab == nil {
		o.phase = joinNextPart
		return o.spill.takeProbe(ctx, o)
	}
	if tab.n == 0 && !o.shape.rowsOfProbe() {
		o.phase = joinDone
		return nil
	}
	o.probing.use(tab)
	o.source, o.phase = o.fromProbe, joinProbing
	return o.openProbe(ctx)
}

// sharedMatches collects which rows of a shared table found a partner in any of the tasks that probe it. The last task to
// end yields the table's own rows.
type sharedMatches struct {
	mu    sync.Mutex
	left  int
	total columnar.Bitmap
}

// sharing finds the collection; nil when this task is the only one, or the table's own rows do not come out.
func (o *tableJoin) sharing() (*sharedMatches, error) {
	if !o.shape.rowsOfBuild() || o.t.Shared == nil || o.t.Parts == nil || o.t.Whole {
		return nil, nil
	}
	n := o.t.Parts(o.node)
	if n < 2 {
		return nil, nil
	}
	type key struct{ node physical.Plan }
	v, err := o.t.Shared.Of(key{o.node}, func() (any, error) { return &sharedMatches{left: n}, nil })
	if err != nil {
		return nil, err
	}
	return v.(*sharedMatches), nil
}

// add puts one task's matches to the others'. It says true to the last task, whose probe then has them all.
func (s *sharedMatches) add(p *joinProbe) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total == nil {
		s.total = append(columnar.Bitmap(nil), p.buildMatched...)
	} else {
		for i, w := range p.buildMatched {
			s.total[i] |= w
		}
	}
	s.left--
	if s.left > 0 {
		return false
	}
	p.buildMatched = s.total
	return true
}

func (o *tableJoin) openProbe(ctx context.Context) error {
	o.opened = true
	return o.probe.Open(ctx, o.t)
}

func (o *tableJoin) fromProbe(ctx context.Context) (*columnar.Batch, error) {
	b, err := o.probe.Next(ctx)
	if err != nil {
		return nil, err
	}
	return o.probeForm.load(b)
}

// buildOwn reads the build side into a table of the task's own; nil if it went to files.
func (o *tableJoin) buildOwn(ctx context.Context) (*joinTable, error) {
	if err := o.build.Open(ctx, o.t); err != nil {
		return nil, err
	}
	store := o.buildForm.newStore()
	err := o.buildForm.drain(ctx, o.build, func(b *columnar.Batch) error {
		if o.spill != nil {
			return o.spill.build.add(b)
		}
		store.add(b)
		if o.fits(store) {
			return nil
		}
		s := store
		store = nil
		return o.startSpill(s)
	})
	if err == nil {
		err = o.build.Close()
	}
	if err != nil || o.spill != nil {
		return nil, err
	}
	return o.tableOf(store), nil
}

// fits asks for the memory that a table of the rows needs.
func (o *tableJoin) fits(s *rowStore) bool {
	if s.n > maxBuildRows/2 {
		return false
	}
	need := s.bytes()
	if len(o.buildForm.keys) > 0 {
		need += indexBytes(s.n)
	}
	return need <= o.mem.Bytes() || o.mem.TryGrow(need-o.mem.Bytes())
}

func (o *tableJoin) tableOf(s *rowStore) *joinTable {
	return newJoinTable(s.finish(), o.buildForm.keys, s.n, 1, o.shape.nullAware)
}

func (o *tableJoin) Close() error {
	var err error
	if o.spill != nil {
		err = o.spill.close()
		o.spill = nil
	}
	if o.probing != nil {
		o.probing.tab = nil
	}
	if o.mem != nil {
		o.mem.Release()
	}
	o.phase = joinDone
	return errors.Join(o.build.Close(), o.probe.Close(), err)
}
