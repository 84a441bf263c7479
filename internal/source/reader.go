package source

import (
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
)

// errEnd ends a reader.
var errEnd = io.EOF

// emptyReader has no rows.
type emptyReader struct{}

func (emptyReader) Next() (*columnar.Batch, error) { return nil, io.EOF }
func (emptyReader) Close() error                   { return nil }
