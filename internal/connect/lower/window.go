package lower

import (
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

func (l *Lowerer) window(w *connectpb.Expression_Window, at *expr.Origin) (expr.Expr, error) {
	if w.GetWindowFunction() == nil {
		return nil, invalid("WINDOW_FUNCTION_REQUIRED")
	}
	f, err := l.Expr(w.GetWindowFunction())
	if err != nil {
		return nil, err
	}
	out := &expr.Window{Func: f, At: at}
	if out.Spec.Partition, err = l.Exprs(w.GetPartitionSpec()); err != nil {
		return nil, err
	}
	if out.Spec.Order, err = l.orders(w.GetOrderSpec()); err != nil {
		return nil, err
	}
	if w.GetFrameSpec() == nil {
		return out, nil
	}
	return out, l.frame(&out.Spec, w.GetFrameSpec())
}

func (l *Lowerer) frame(s *expr.WindowSpec, f *connectpb.Expression_Window_WindowFrame) (err error) {
	switch f.GetFrameType() {
	case connectpb.Expression_Window_WindowFrame_FRAME_TYPE_ROW:
		s.Unit = expr.Rows
	case connectpb.Expression_Window_WindowFrame_FRAME_TYPE_RANGE:
		s.Unit = expr.Range
	default:
		return invalid("INVALID_ENUM", "fullName", "spark.connect.Expression.Window.WindowFrame.FrameType", "name", f.GetFrameType().String(),
			"number", itoa(int32(f.GetFrameType())))
	}
	if f.GetLower() == nil {
		return invalid("LOWER_BOUND_REQUIRED_IN_WINDOW_FRAME")
	}
	if f.GetUpper() == nil {
		return invalid("UPPER_BOUND_REQUIRED_IN_WINDOW_FRAME")
	}
	if s.Lower, err = l.bound(f.GetLower(), expr.UnboundedPreceding); err != nil {
		return err
	}
	s.Upper, err = l.bound(f.GetUpper(), expr.UnboundedFollowing)
	return err
}

// bound: offsets are signed on the wire, negative ones lie before the row.
func (l *Lowerer) bound(b *connectpb.Expression_Window_WindowFrame_FrameBoundary, unbounded expr.BoundKind) (expr.Bound, error) {
	switch k := b.GetBoundary().(type) {
	case *connectpb.Expression_Window_WindowFrame_FrameBoundary_CurrentRow:
		return expr.Bound{Kind: expr.CurrentRow}, nil
	case *connectpb.Expression_Window_WindowFrame_FrameBoundary_Unbounded:
		return expr.Bound{Kind: unbounded}, nil
	case *connectpb.Expression_Window_WindowFrame_FrameBoundary_Value:
		e, err := l.Expr(k.Value)
		if err != nil {
			return expr.Bound{}, err
		}
		return offset(e), nil
	}
	return expr.Bound{}, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Expression.Window.WindowFrame.FrameBoundary", "name", "boundary")
}

func offset(e expr.Expr) expr.Bound {
	if f, ok := e.(*expr.Func); ok && len(f.Name) == 1 && f.Name[0] == "negative" && len(f.Args) == 1 {
		return expr.Bound{Kind: expr.Preceding, Offset: f.Args[0]}
	}
	lit, ok := e.(*expr.Literal)
	if !ok {
		return expr.Bound{Kind: expr.Following, Offset: e}
	}
	switch sign, abs := signOf(lit); {
	case sign == 0:
		return expr.Bound{Kind: expr.CurrentRow}
	case sign < 0:
		return expr.Bound{Kind: expr.Preceding, Offset: abs}
	}
	return expr.Bound{Kind: expr.Following, Offset: e}
}

// signOf is the sign of a number and, for a negative one, the literal without it; values that have no sign count as positive.
func signOf(l *expr.Literal) (int, *expr.Literal) {
	switch v := l.Value.(type) {
	case int8:
		return number(v, l.T)
	case int16:
		return number(v, l.T)
	case int32:
		return number(v, l.T)
	case int64:
		return number(v, l.T)
	case float32:
		return number(v, l.T)
	case float64:
		return number(v, l.T)
	case types.Int128:
		return v.Sign(), expr.NewLiteral(v.Neg(), l.T)
	}
	return 1, l
}

func number[T int8 | int16 | int32 | int64 | float32 | float64](v T, t types.Type) (int, *expr.Literal) {
	switch {
	case v < 0:
		return -1, expr.NewLiteral(-v, t)
	case v == 0:
		return 0, nil
	}
	return 1, nil
}
