package variant

import (
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/kernel/jsonval"
)

func parse(t *testing.T, s string) Value {
	t.Helper()
	var d jsonval.Doc
	if !d.Parse(s) {
		t.Fatalf("%s is no JSON", s)
	}
	b := NewBuilder()
	data, err := b.AppendJSON(nil, &d, 0)
	if err != nil {
		t.Fatal(err)
	}
	return Value{data, b.Metadata()}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{`{"b":1,"a":"x"}`, `{"a":"x","b":1}`},
		{`[1,-200,70000,12345678901,1.5,1e3,true,null,"long text that does not fit in a short one, which ends at 64"]`,
			`[1,-200,70000,12345678901,1.5,1000.0,true,null,"long text that does not fit in a short one, which ends at 64"]`},
		{`{}`, `{}`}, {`[]`, `[]`}, {`{"a":{"b":[{}]}}`, `{"a":{"b":[{}]}}`},
	} {
		v := parse(t, c.in)
		if got := string(v.AppendJSON(nil, time.UTC)); got != c.out || !v.Check() || len(v.Bytes()) != len(v.Data) {
			t.Errorf("%s: %s", c.in, got)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte{2 | 0<<2, 0, 0}, []byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, data, meta []byte) { Value{data, meta}.Check() })
}
