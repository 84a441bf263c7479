package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// TestCutter: pieces that are too much come again smaller, no row is lost or doubled, and small rows make large pieces.
func TestCutter(t *testing.T) {
	vals := make([]int64, BatchRows)
	for i := range vals {
		vals[i] = int64(i)
	}
	in := &columnar.Batch{N: BatchRows, Cols: []columnar.Vector{columnar.NewFlat(types.Long, vals)}}
	c := newCutter(&batchesOp{list: []*columnar.Batch{in, in}}, nil)
	var got []int64
	heavy := func(row int64) bool { return row >= 1000 && row < 1100 }
	for tries := 0; ; tries++ {
		b, err := c.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || tries > 10*BatchRows {
			t.Fatal(err, tries)
		}
		rows := columnar.Of[int64](b.Cols[0].Data)[:b.N]
		n := int64(0)
		for _, r := range rows {
			if heavy(r) {
				n += 1 << 20
			}
		}
		if n > 2<<20 && c.again(fmt.Errorf("one row: %w", kernel.ErrWide)) {
			continue
		}
		if n > 2<<20 {
			t.Fatalf("%d rows of %d bytes in one piece", b.N, n)
		}
		c.madeTexts(n)
		got = append(got, rows...)
	}
	for i, r := range got {
		if r != int64(i%BatchRows) {
			t.Fatalf("row %d is %d", i, r)
		}
	}
	if len(got) != 2*BatchRows {
		t.Errorf("%d rows", len(got))
	}
	if c.again(errors.New("something else")) {
		t.Error("another error makes it go back")
	}
}

// batchesOp hands out batches.
type batchesOp struct {
	Operator
	list []*columnar.Batch
}

func (o *batchesOp) Next(ctx context.Context) (*columnar.Batch, error) {
	if len(o.list) == 0 {
		return nil, io.EOF
	}
	b := o.list[0]
	o.list = o.list[1:]
	return b, nil
}
