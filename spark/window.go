package spark

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// WindowSpec says over which rows a window function goes. Begin with Window.
type WindowSpec struct {
	spec expr.WindowSpec
	err  error
}

// Window is the window of all rows; PartitionBy, OrderBy, RowsBetween and RangeBetween narrow it.
func Window() WindowSpec { return WindowSpec{} }

// The ends of frames that are not a number of rows. See RowsBetween and RangeBetween.
const (
	UnboundedPreceding = -1 << 63
	UnboundedFollowing = 1<<63 - 1
	CurrentRow         = 0
)

// PartitionBy gives each value of the columns a window of its own.
func (w WindowSpec) PartitionBy(cols ...Column) WindowSpec {
	es, err := lowered(cols)
	w.spec.Partition, w.err = es, firstError(w.err, err)
	return w
}

// OrderBy sorts the rows of each window.
func (w WindowSpec) OrderBy(cols ...Column) WindowSpec {
	order, err := sorted(cols)
	w.spec.Order, w.err = order, firstError(w.err, err)
	return w
}

// RowsBetween makes the frame the rows from start to end, counted from the current row.
func (w WindowSpec) RowsBetween(start, end int64) WindowSpec { return w.frame(expr.Rows, start, end) }

// RangeBetween makes the frame the rows whose order value lies between start and end from the current row's.
func (w WindowSpec) RangeBetween(start, end int64) WindowSpec {
	return w.frame(expr.Range, start, end)
}

func (w WindowSpec) frame(unit expr.FrameUnit, start, end int64) WindowSpec {
	w.spec.Unit, w.spec.Lower, w.spec.Upper = unit, frameBound(start, unit), frameBound(end, unit)
	return w
}

func frameBound(n int64, unit expr.FrameUnit) expr.Bound {
	switch n {
	case UnboundedPreceding:
		return expr.Bound{Kind: expr.UnboundedPreceding}
	case UnboundedFollowing:
		return expr.Bound{Kind: expr.UnboundedFollowing}
	case CurrentRow:
		return expr.Bound{Kind: expr.CurrentRow}
	}
	kind := expr.Following
	if n < 0 {
		kind, n = expr.Preceding, -n
	}
	if unit == expr.Rows {
		return expr.Bound{Kind: kind, Offset: expr.NewLiteral(int32(n), types.Int)}
	}
	return expr.Bound{Kind: kind, Offset: expr.NewLiteral(n, types.Long)}
}
