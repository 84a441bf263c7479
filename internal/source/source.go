// Package source reads and writes data: formats (Parquet, CSV, JSON, text …), listing and partition discovery,
// scan pruning, and the commit protocol of writes.
package source

import (
	"context"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// Relation is an opened table: files listed, schema known (footers read as far as needed).
type Relation interface {
	catalog.Relation
	Schema() *types.Schema // data columns, then partition columns
	// Plan lists the splits of a scan in a fixed order, pruned by the filters as far as statistics and partition values tell.
	Plan(s Scan) ([]Split, error)
}

// Scan says what is wanted of a relation. Columns are names of Schema in output order. Filters are conjuncts over Columns
// (expr.Column nodes matched by id in Output): the reader applies all of them exactly.
type Scan struct {
	Output  []*expr.Column
	Filters []expr.Expr
	Limit   int64 // rows that suffice; <0: all
	Options map[string]string
	// Runtime filters are asked for when a split is opened, and may be nil then: see RuntimeFilter.
	Runtime []*RuntimeFilter
}

// RuntimeFilter restricts a column to the keys of a join's build side. It is filled in before the splits are opened.
type RuntimeFilter struct {
	Column *expr.Column
	Min    int64
	Max    int64
	Bits   columnar.Bitmap // exact membership of value-Min for integers and dates; nil: only the bounds hold
	Ready  bool
}

// Split is a unit of reading: a row group, a page range, a file or a part of one.
type Split interface {
	// Open starts reading. Readers may share footers and dictionaries through the relation.
	Open(ctx context.Context, s Scan, env *Env) (Reader, error)
	Bytes() int64
	Rows() int64 // -1 unknown
	Hosts() []string
}

// Reader yields batches of the scan's output, filtered. Batches are borrowed until the next call; io.EOF ends.
type Reader interface {
	Next() (*columnar.Batch, error)
	Close() error
}
