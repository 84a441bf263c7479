package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// ScriptTransform feeds the rows of Child to a program as lines of text and reads rows from its output (TRANSFORM).
type ScriptTransform struct {
	node
	Script     string
	Names      []string      // output columns without types: STRING each
	Columns    []types.Field // output columns with types
	Given      bool          // Names or Columns are given; else key and value
	In, Out    *RowFormat
	Writer     string // RECORDWRITER
	Reader     string // RECORDREADER
	Child      Plan
	OutputCols []*expr.Column // set by the analyzer
	At         *expr.Origin
}

// RowFormat is ROW FORMAT: a serializer by class, or delimiters by name (field.delim, escape.delim, collection.delim,
// mapkey.delim, line.delim, null.format).
type RowFormat struct {
	Serde      string
	SerdeProps map[string]string
	Delimited  map[string]string
}

func (p *ScriptTransform) Children() []Plan { return []Plan{p.Child} }
func (p *ScriptTransform) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *ScriptTransform) Exprs() []expr.Expr         { return nil }
func (p *ScriptTransform) WithExprs([]expr.Expr) Plan { return p }

// Output implements Plan.
func (p *ScriptTransform) Output() []*expr.Column { return p.OutputCols }
