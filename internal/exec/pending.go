package exec

import (
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Operators that are not built yet. Whoever builds one removes its line here.

func newGenerate(*physical.Generate, *Env) (Operator, error) { return nil, pending("Generate") }

func pending(operator string) error { return sparkerr.Unsupported("the operator " + operator) }
