// Package exec holds the operators that run physical plans over batches, and the one loop that pulls them.
package exec

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Operator produces batches when pulled. One goroutine per task drives it.
type Operator interface {
	Schema() *types.Schema
	// Open prepares the operator and its inputs. It is called once.
	Open(ctx context.Context, t *Task) error
	// Next returns the next batch, borrowed until the following call, or io.EOF after the last. Batches may be empty.
	Next(ctx context.Context) (*columnar.Batch, error)
	// Close frees everything; it is safe after a failed Open, and safe twice.
	Close() error
}
