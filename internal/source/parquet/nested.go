package parquet

import "github.com/firesteel/firesteel/internal/columnar"

type nestedColumn struct{ constColumn }

func newNested(r *Scanner, f *Field, g *RowGroup) column { return nil }

var _ = columnar.Flat
