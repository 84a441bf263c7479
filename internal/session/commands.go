package session

import (
	"context"
	"fmt"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// runCommand does a command; what it prints goes to sink.
func (q *Query) runCommand(ctx context.Context, sink func(*columnar.Batch) error) error {
	return sparkerr.Unsupported(fmt.Sprintf("command %T", q.command))
}

// writePlan is a resolved write: its job is open.
type writePlan struct {
	logical.Project
	job          any
	format, path string
}
