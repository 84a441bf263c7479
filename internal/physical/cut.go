package physical

import (
	"slices"

	"github.com/firesteel/firesteel/internal/expr"
)

// Stage is a piece of a plan that runs without a shuffle inside: the same operators in every task.
type Stage struct {
	ID   int
	Plan Plan // its leaves include StageInput for the stages below
	// Part says how the output is partitioned for the readers; Broadcast that all of it goes to every reader.
	// The result stage (Root) has neither.
	Part      Partitioning
	Broadcast bool
	Root      bool
	Publish   []RuntimePub
	// Inputs are the stages whose output is read; After are stages that must have ended before this one starts
	// because they fill in its runtime filters.
	Inputs []int
	After  []int
}

// Cut splits a plan at its exchanges. Stages come in an order in which each one's inputs precede it; the last is the root.
func Cut(p Plan) []*Stage {
	c := &cutter{publishers: map[int]int{}, shared: map[int]*Stage{}}
	root := c.stage(p)
	root.Root = true
	for _, s := range c.stages {
		c.link(s)
	}
	return c.stages
}

type cutter struct {
	stages     []*Stage
	publishers map[int]int    // runtime filter -> stage
	shared     map[int]*Stage // by the number that its exchanges have
}

// stage cuts the plan below an exchange and lists it.
func (c *cutter) stage(p Plan) *Stage {
	s := &Stage{}
	s.Plan = c.replace(p, s)
	s.ID = len(c.stages)
	c.stages = append(c.stages, s)
	return s
}

// replace puts StageInputs in place of the exchanges of p, top-down.
func (c *cutter) replace(p Plan, s *Stage) Plan {
	switch n := p.(type) {
	case *Exchange:
		below := c.below(n.Child, n.Part, n.Shared)
		c.publishes(below, n.Child, n.Publish)
		return c.input(n, below, s)
	case *Broadcast:
		below := c.below(n.Child, Partitioning{}, n.Shared)
		below.Broadcast = true
		c.publishes(below, n.Child, n.Publish)
		return c.input(n, below, s)
	}
	return MapChildren(p, func(k Plan) Plan { return c.replace(k, s) })
}

// below is the stage of an exchange's child: a new one, or that of the first exchange with the same rows.
func (c *cutter) below(child Plan, part Partitioning, shared int) *Stage {
	if s := c.shared[shared]; s != nil && shared > 0 {
		return s
	}
	s := c.stage(child)
	s.Part = part
	if shared > 0 {
		c.shared[shared] = s
	}
	return s
}

// publishes adds what an exchange over child publishes to its stage. Keys are put in terms of the stage's own columns, which
// have other ids where the exchange is not the first that shares it.
func (c *cutter) publishes(s *Stage, child Plan, list []RuntimePub) {
	own := map[expr.ID]*expr.Column{}
	for i, col := range s.Plan.Output() {
		own[child.Output()[i].ID] = col
	}
	for _, pub := range list {
		pub.Key = expr.Up(pub.Key, func(x expr.Expr) expr.Expr {
			if col, ok := x.(*expr.Column); ok && own[col.ID] != nil {
				return own[col.ID]
			}
			return x
		})
		s.Publish = append(s.Publish, pub)
		c.publishers[pub.ID] = s.ID
	}
}

func (c *cutter) input(from Plan, below, s *Stage) Plan {
	if !slices.Contains(s.Inputs, below.ID) {
		s.Inputs = append(s.Inputs, below.ID)
	}
	return &StageInput{Stage: below.ID, Out: from.Output(), From: from}
}

// link notes which stages fill in the runtime filters of a stage's scans.
func (c *cutter) link(s *Stage) {
	Walk(s.Plan, func(n Plan) bool {
		if scan, ok := n.(*Scan); ok {
			for _, r := range scan.Runtime {
				if id, ok := c.publishers[r.ID]; ok && id != s.ID {
					s.After = append(s.After, id)
				}
			}
		}
		return true
	})
}
