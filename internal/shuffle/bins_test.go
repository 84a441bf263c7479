package shuffle

import (
	"fmt"
	"slices"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// TestBinsOfCodes: texts that come as rows of dictionaries are kept so, and a flat batch between them is no harm.
func TestBinsOfCodes(t *testing.T) {
	schema := &types.Schema{Fields: []types.Field{{Name: "s", Type: types.String, Nullable: true}}}
	texts := func(values ...string) columnar.Vector {
		b := columnar.NewBuilder(types.String, len(values))
		for _, s := range values {
			b.Append(s)
		}
		return b.Finish()
	}
	dict := func(codes []uint32, valid columnar.Bitmap, values ...string) columnar.Vector {
		d := texts(values...)
		d.DictID = columnar.NextDictID()
		return columnar.NewDict(&d, codes, valid)
	}
	long := "a text that is longer than a view"
	inputs := []columnar.Vector{
		dict([]uint32{0, 1, 0, 1}, nil, "a", long),
		dict([]uint32{0, 1, 1, 0}, columnar.Bitmap{0b1011}, long, "b"),
		texts("c", "a", long, "d"),
		dict([]uint32{0, 0, 0, 0}, nil, "e"),
	}
	var got [2][]string
	coded := 0
	s := newBins(schema, 2, func(part int, b *columnar.Batch) error {
		if b.Cols[0].Form == columnar.Dict {
			coded += b.N
		}
		for i := range b.N {
			got[part] = append(got[part], fmt.Sprint(b.Cols[0].ValueAt(i)))
		}
		free(b)
		return nil
	})
	var want [2][]string
	for _, v := range inputs {
		b := &columnar.Batch{Schema: schema, Cols: []columnar.Vector{v}, N: 4}
		if err := s.add(b, []uint32{0, 2, 1, 3}, []uint32{0, 2, 4}, size(b)); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			want[i%2] = append(want[i%2], fmt.Sprint(v.ValueAt(i)))
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	for p := range want {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("partition %d has %q, want %q", p, got[p], want[p])
		}
	}
	if coded != 8 {
		t.Errorf("%d rows were kept as codes, want those of the first two batches", coded)
	}
}
