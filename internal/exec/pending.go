package exec

import (
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Operators that are not built yet. Whoever builds one removes its line here.

func newHashJoin(*physical.HashJoin, *Env) (Operator, error)   { return nil, pending("HashJoin") }
func newMergeJoin(*physical.MergeJoin, *Env) (Operator, error) { return nil, pending("MergeJoin") }
func newLoopJoin(*physical.LoopJoin, *Env) (Operator, error)   { return nil, pending("LoopJoin") }
func newSort(*physical.Sort, *Env) (Operator, error)           { return nil, pending("Sort") }
func newTopN(*physical.TopN, *Env) (Operator, error)           { return nil, pending("TopN") }
func newWindow(*physical.Window, *Env) (Operator, error)       { return nil, pending("Window") }
func newGenerate(*physical.Generate, *Env) (Operator, error)   { return nil, pending("Generate") }

func newProject(*physical.Project, *Env) (Operator, error)     { return nil, pending("Project") }
func newFilter(*physical.Filter, *Env) (Operator, error)       { return nil, pending("Filter") }
func newSample(*physical.Sample, *Env) (Operator, error)       { return nil, pending("Sample") }
func newExpand(*physical.Expand, *Env) (Operator, error)       { return nil, pending("Expand") }
func newAggregate(*physical.Aggregate, *Env) (Operator, error) { return nil, pending("Aggregate") }
func newWriteFiles(*physical.WriteFiles, *Env) (Operator, error) {
	return nil, pending("WriteFiles")
}

func pending(operator string) error { return sparkerr.Unsupported("the operator " + operator) }
