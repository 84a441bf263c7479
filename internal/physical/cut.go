package physical

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
	c := &cutter{publishers: map[int]int{}}
	root := c.stage(p)
	root.Root = true
	for _, s := range c.stages {
		c.link(s)
	}
	return c.stages
}

type cutter struct {
	stages     []*Stage
	publishers map[int]int // runtime filter -> stage
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
		below := c.stage(n.Child)
		below.Part, below.Publish = n.Part, n.Publish
		c.publishes(below)
		return c.input(n, below, s)
	case *Broadcast:
		below := c.stage(n.Child)
		below.Broadcast, below.Publish = true, n.Publish
		c.publishes(below)
		return c.input(n, below, s)
	}
	return MapChildren(p, func(k Plan) Plan { return c.replace(k, s) })
}

func (c *cutter) publishes(s *Stage) {
	for _, pub := range s.Publish {
		c.publishers[pub.ID] = s.ID
	}
}

func (c *cutter) input(from Plan, below, s *Stage) Plan {
	s.Inputs = append(s.Inputs, below.ID)
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
