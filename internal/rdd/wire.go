package rdd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/wire"
)

// wireStage is a stage on its way: the nodes that it computes, the last one first, and what becomes of them.
type wireStage struct {
	Nodes  []wireNode
	Parts  []int // of a result stage: the partition of each task
	Action Action
	Out    *wireShuffle
	Writer MapSide
}

type wireNode struct {
	ID         int32
	Name       string
	Parts      int
	Level      string
	Checkpoint string
	Op         Op
	Elem       Elem
	Deps       []wireDep
}

// wireDep is a dependency: node number Node of the stage, or the shuffle.
type wireDep struct {
	Node    int
	Shuffle *wireShuffle
}

type wireShuffle struct {
	ID    int32
	Parts int
}

// encodeStage makes the work of a stage that ends in n and writes m, or does an action.
func encodeStage(n *Node, m *mapStage, a Action, parts []int) (*wire.Work, error) {
	s := wireStage{Action: a, Parts: parts}
	if m != nil {
		s.Out, s.Writer = &wireShuffle{int32(m.id), m.parts}, m.writer
	}
	list := narrowOf(n)
	at := map[*Node]int{}
	for i, x := range list {
		at[x] = i
	}
	for _, x := range list {
		w := wireNode{ID: int32(x.ID), Name: x.Name, Parts: x.Parts, Level: x.StorageLevel(), Elem: x.Elem}
		if x.IsCheckpointed() {
			w.Checkpoint = x.checkpoint
		} else {
			w.Op = x.Op
			for _, d := range x.Deps {
				if d.Shuffle != nil {
					w.Deps = append(w.Deps, wireDep{Shuffle: &wireShuffle{int32(d.Shuffle.id), d.Shuffle.parts}})
				} else {
					w.Deps = append(w.Deps, wireDep{Node: at[d.Node]})
				}
			}
		}
		s.Nodes = append(s.Nodes, w)
	}
	data, err := encodeOp(&s)
	if err != nil {
		var c *ClosureError
		if errors.As(err, &c) {
			return nil, c
		}
		return nil, fmt.Errorf("%s cannot be sent to executors: %w", n.title(), err)
	}
	sum, err := imageSum()
	if err != nil {
		return nil, err
	}
	return &wire.Work{Kind: wire.FunctionWork, Data: append(sum, data...)}, nil
}

// encodeOp encodes a value that may hold operators and functions.
func encodeOp[T any](v *T) ([]byte, error) {
	c, err := opCodec[T]()
	if err != nil {
		return nil, err
	}
	return c.Append(nil, v)
}

func decodeOp[T any](b []byte, v *T) error {
	c, err := opCodec[T]()
	if err != nil {
		return err
	}
	_, err = c.Read(b, v)
	return err
}

// Kind opens the work of stages of RDDs (wire.FunctionWork) in an executor.
func Kind(_ context.Context, env *executor.Env, data []byte) (executor.Work, error) {
	sum, err := imageSum()
	if err != nil {
		return nil, err
	}
	data, same := bytes.CutPrefix(data, sum)
	if !same {
		return nil, errOtherProgram
	}
	w := &functionWork{p: processOf(env), data: data}
	_, err = w.stage()
	return w, err
}

var errOtherProgram = errors.New("the executor runs another program, or another build of it, than the driver: functions go to executors of the " +
	"same program only")

// process is what the works of an executor share: there is one executor in a process, and one application.
type process struct {
	env *Env
	of  *executor.Env
}

var processes struct {
	sync.Mutex
	all map[*executor.Env]*process
}

func processOf(env *executor.Env) *process {
	processes.Lock()
	defer processes.Unlock()
	if p := processes.all[env]; p != nil {
		return p
	}
	p := &process{of: env, env: &Env{Executor: env.ID, Host: env.Host, Pool: env.Pool, Dirs: env.Dirs, FS: env.FS, Shuffle: env.Shuffle, File: env.File,
		Statuses: env.Statuses, Broadcast: env.Broadcast, Store: env.Blocks, Cached: env.Cached}}
	if processes.all == nil {
		processes.all = map[*executor.Env]*process{}
	}
	processes.all[env] = p
	return p
}

// functionWork is a stage in an executor. It is decoded anew for each task: functions get values of their own.
type functionWork struct {
	p    *process
	data []byte
}

// stage decodes the work.
func (w *functionWork) stage() (*openStage, error) {
	var s wireStage
	if err := decodeOp(w.data, &s); err != nil {
		return nil, fmt.Errorf("the work of a stage cannot be read: %w", err)
	}
	out := &openStage{parts: s.Parts, action: s.Action}
	nodes := make([]*Node, len(s.Nodes))
	for i := range nodes {
		nodes[i] = &Node{}
	}
	for i, w := range s.Nodes {
		n := nodes[i]
		n.ID, n.Name, n.Parts, n.level, n.checkpoint, n.Op, n.Elem, n.planned = event.RDDID(w.ID), w.Name, w.Parts, w.Level, w.Checkpoint, w.Op, w.Elem, true
		for _, d := range w.Deps {
			if d.Shuffle != nil {
				n.Deps = append(n.Deps, Dep{Shuffle: &Shuffle{&mapStage{id: event.ShuffleID(d.Shuffle.ID), parts: d.Shuffle.Parts}}})
				continue
			}
			if d.Node < 0 || d.Node >= len(nodes) {
				return nil, ErrDamaged
			}
			n.Deps = append(n.Deps, Dep{Node: nodes[d.Node]})
		}
	}
	if len(nodes) == 0 {
		return nil, ErrDamaged
	}
	out.node = nodes[0]
	if s.Out != nil {
		out.out = &mapStage{id: event.ShuffleID(s.Out.ID), parts: s.Out.Parts, parent: out.node, writer: s.Writer}
	}
	return out, nil
}

type openStage struct {
	node   *Node
	parts  []int
	action Action
	out    *mapStage
}

// Run implements executor.Work.
func (w *functionWork) Run(ctx context.Context, et *executor.Task) (out wire.Outcome, err error) {
	s, err := w.stage()
	if err != nil {
		return out, err
	}
	part := et.Partition
	if s.parts != nil {
		part = s.parts[part]
	}
	t := &Task{ID: et.ID, Stage: et.Stage, StageAttempt: et.StageAttempt, Partition: part, Attempt: et.Attempt, Epoch: et.Epoch,
		Properties: et.Properties, Mem: w.p.env.Pool.Account("task " + et.ID.String()), Env: w.p.env, ctx: ctx, commit: et.Commit,
		accums: map[event.AccumulatorID]accum{}}
	if s.out != nil {
		o, err := t.runMap(s.out)
		out.Sizes = o.Sizes
		return w.finish(t, out), err
	}
	o, err := t.runAction(s.node, s.action)
	if err == nil {
		out.Result, err = s.action.Encode(o.Result)
		out.ResultSize = int64(len(out.Result))
	}
	if err == nil && len(out.Result) > maxInline {
		err = w.store(t, &out)
	}
	return w.finish(t, out), err
}

// maxInline is the size up to which a result travels with the task's report.
const maxInline = 1 << 20

// store puts a big result into the executor's store.
func (w *functionWork) store(t *Task, out *wire.Outcome) error {
	out.Stored = fmt.Sprintf("taskresult_%d", t.ID)
	dst, err := w.p.of.Store(out.Stored)
	if err != nil {
		return err
	}
	if _, err = dst.Write(out.Result); err != nil {
		if a, ok := dst.(interface{ Abort() error }); ok {
			return errors.Join(err, a.Abort())
		}
		return errors.Join(err, dst.Close())
	}
	out.Result = nil
	return dst.Close()
}

func (w *functionWork) finish(t *Task, out wire.Outcome) wire.Outcome {
	out.Metrics = &t.Metrics
	for _, id := range slices.Sorted(maps.Keys(t.accums)) {
		out.Accums = append(out.Accums, t.accums[id].report())
	}
	return out
}

// Close implements executor.Work.
func (w *functionWork) Close() error { return nil }
