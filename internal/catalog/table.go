// Package catalog knows databases, tables, views and functions by name. A Table is what a name or a path
// resolves to; what its data is and how it is read is the source room's business.
package catalog

import "github.com/firesteel/firesteel/internal/types"

// Table describes something that can be scanned or written.
type Table struct {
	Name       []string // [catalog, database, table]; empty for paths
	Kind       string   // MANAGED, EXTERNAL, VIEW
	Provider   string   // format: parquet, csv, json, …
	Schema     *types.Schema
	Location   string
	Paths      []string          // files, directories and globs to read; Location when empty
	Options    map[string]string // of the reader or writer, keys in lower case
	Properties map[string]string
	Partition  []string // partition columns, last in Schema
	BucketBy   []string
	SortBy     []string
	Buckets    int
	Comment    string
	Owner      string
	Created    int64  // ms
	ViewText   string // VIEW: its SQL
	ViewConf   map[string]string
	ViewCols   []string // names of the query's output when the view was made
	ViewPath   []string // catalog and database that were current
	ViewMode   string   // VIEW: what happens when its query's columns change: BINDING, COMPENSATION, TYPE EVOLUTION, EVOLUTION
	Stats      *Stats
	Defaults   map[string]string // column: DEFAULT expression
	// Relation is the source room's handle to opened files (listing, footers); nil until resolved.
	Relation Relation
}

// Relation is an opened data source as planning sees it. The source room implements it and knows the rest.
type Relation interface {
	// Stats are what the files say without reading data; never nil.
	Stats() *Stats
	// Files lists the input files.
	Files() []string
}

// Stats are a table's figures for planning; -1 means unknown.
type Stats struct {
	Rows, Bytes int64
	Columns     map[string]ColumnStats // by column name
}

// ColumnStats describe one column's values; Min and Max are nil if unknown.
type ColumnStats struct {
	Distinct, Nulls int64 // -1 unknown
	Min, Max        any
	AvgLen          float64
}
