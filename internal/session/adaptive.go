package session

import (
	"github.com/firesteel/firesteel/internal/physical"
)

// Bounds of the size that coalescing aims at (spark.sql.adaptive.advisoryPartitionSizeInBytes would make one of all that
// fits): no more tasks than are worth their start, and a few for each slot.
const (
	smallPartition = 1 << 20
	largePartition = 64 << 20
	tasksPerSlot   = 3
)

// aim is the size that partitions of so many bytes in all are merged up to.
func (x *execution) aim(sizes []int64) int64 {
	if x.q.s.app.executors == nil {
		return smallPartition
	}
	var total int64
	for _, n := range sizes {
		total += n
	}
	return min(max(total/int64(max(x.place.slots(), 1)*tasksPerSlot), smallPartition), largePartition)
}

// adapt looks at the sizes of finished stages and changes the plans of those that have not started: small partitions are
// read together by one task.
func (x *execution) adapt() {
	if !x.q.values.Bool("spark.sql.adaptive.enabled") || !x.q.values.Bool("spark.sql.adaptive.coalescePartitions.enabled") {
		return
	}
	for _, s := range x.stages {
		if !s.done && s.body == nil && x.allDone(s.Inputs) {
			s.Plan = x.coalesce(s)
		}
	}
}

// coalesce gives all shuffle inputs of a stage the same specs, as joins need. Stages with a repartitioning that the user
// asked for are left alone, and so are unions, whose inputs lie side by side.
func (x *execution) coalesce(s *stage) physical.Plan {
	inputs, ok := shuffleInputs(s.Plan)
	if !ok || len(inputs) == 0 {
		return s.Plan
	}
	n := x.Partitions(inputs[0].Stage)
	sizes := make([]int64, n)
	for _, in := range inputs {
		below := x.stages[in.Stage]
		if below.Part.N != n || len(below.sizes) != n {
			return s.Plan
		}
		for i, b := range below.sizes {
			sizes[i] += b
		}
	}
	specs := merge(sizes, x.aim(sizes))
	if len(specs) == n {
		return s.Plan
	}
	return physical.Up(s.Plan, func(p physical.Plan) physical.Plan {
		in, ok := p.(*physical.StageInput)
		if !ok || x.stages[in.Stage].Broadcast {
			return p
		}
		q := *in
		q.Specs = specs
		return &q
	})
}

// shuffleInputs lists the inputs that may be coalesced; ok is false when one may not.
func shuffleInputs(p physical.Plan) (inputs []*physical.StageInput, ok bool) {
	ok = true
	physical.Walk(p, func(n physical.Plan) bool {
		switch x := n.(type) {
		case *physical.Union, *physical.Coalesce:
			ok = false
		case *physical.StageInput:
			if e, isShuffle := x.From.(*physical.Exchange); isShuffle {
				ok = ok && !e.User && e.Part.Kind != physical.SinglePart
				inputs = append(inputs, x)
			}
		}
		return ok
	})
	return inputs, ok
}

// merge puts neighbouring partitions together up to the target size.
func merge(sizes []int64, target int64) []physical.PartitionSpec {
	var specs []physical.PartitionSpec
	start, sum := 0, int64(0)
	for i, n := range sizes {
		if i > start && sum+n > target {
			specs = append(specs, physical.PartitionSpec{From: start, To: i})
			start, sum = i, 0
		}
		sum += n
	}
	return append(specs, physical.PartitionSpec{From: start, To: len(sizes)})
}
