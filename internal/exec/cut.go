package exec

import (
	"context"
	"errors"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
)

// cutter hands its child's batches on: whole, or in pieces after the operator above found that its expressions make too much
// of the rows of one batch. Batches of 4096 rows are no measure where a row may be a megabyte.
type cutter struct {
	Operator
	step int // rows of a piece
	in   *columnar.Batch
	from int // the piece that was handed out last: rows [from, to)
	to   int
	out  columnar.Batch
	rows []uint32
}

// newCutter cuts the input of an operator that evaluates expressions. Where these may make much of little it begins with
// small pieces.
func newCutter(child Operator, list []expr.Expr) *cutter {
	c := &cutter{Operator: child, step: BatchRows}
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			if call, ok := x.(*expr.Call); ok && inflates[call.Name] {
				c.step = firstPiece
			}
			return true
		})
	}
	return c
}

// inflates are the functions that make large values of small ones.
var inflates = map[string]bool{"repeat": true, "space": true, "lpad": true, "rpad": true, "sequence": true, "array_repeat": true}

const (
	// firstPiece is how many rows are tried first where a function may inflate them.
	firstPiece = 64
	// heapBytes is what the texts of one expression may take for one piece, and about what all results should.
	heapBytes = 16 << 20
)

// pieceBytes is heapBytes, or less where there is little memory.
func pieceBytes() int { return int(min(heapBytes, max(columnar.MaxValue()/4, 1<<20))) }

// Next is the next piece.
func (c *cutter) Next(ctx context.Context) (*columnar.Batch, error) {
	if c.in == nil || c.to >= c.in.N {
		b, err := c.Operator.Next(ctx)
		if err != nil {
			return nil, err
		}
		if c.in, c.from, c.to = b, 0, min(c.step, b.N); c.to == b.N {
			return b, nil
		}
		return c.piece(), nil
	}
	c.from, c.to = c.to, min(c.to+c.step, c.in.N)
	return c.piece(), nil
}

func (c *cutter) piece() *columnar.Batch {
	if c.from%64 == 0 {
		c.in.WindowInto(&c.out, c.from, c.to)
		return &c.out
	}
	c.rows = sized(c.rows, c.to-c.from)
	for i := range c.rows {
		c.rows[i] = uint32(c.from + i)
	}
	return c.in.Select(c.rows)
}

// again says that err is for the size of the last piece only: Next gives the first of its rows once more.
func (c *cutter) again(err error) bool {
	if n := c.to - c.from; errors.Is(err, kernel.ErrWide) && n > 1 {
		c.to, c.step = c.from, max(n/16, 1)
		return true
	}
	return false
}

// made notes what a program made of the last piece, and sets the size of the next.
func (c *cutter) made(p *eval.Program, out []columnar.Vector) {
	if c.step == BatchRows {
		return
	}
	size := p.Texts()
	for i := range out {
		if l := columnar.LayoutOf(out[i].Type); l >= columnar.List {
			size += out[i].Bytes()
		}
	}
	c.madeTexts(size)
}

// madeTexts is made where the bytes are known.
func (c *cutter) madeTexts(size int64) {
	n := c.to - c.from
	if n < c.step {
		return
	}
	fit := int(min(int64(pieceBytes())*int64(n)/max(size, 1), BatchRows))
	if c.step = max(min(fit, 4*c.step), 1); c.step > 64 {
		c.step = c.step / 64 * 64
	}
}
