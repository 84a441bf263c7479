package mesos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func recorded(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/stream.recordio")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readAll(t testing.TB, r io.Reader) []received {
	in := bufio.NewReader(r)
	var out []received
	for {
		b, err := readRecord(in)
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var e received
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// TestRecordedStream reads what a real master sent: in one piece, and a byte at a time.
func TestRecordedStream(t *testing.T) {
	b := recorded(t)
	events := readAll(t, bytes.NewReader(b))
	if len(events) != 22 || events[0].Subscribed == nil || events[21].Error == nil {
		t.Fatalf("%d events, the first %+v", len(events), events[0])
	}
	o := events[2].Offers.Offers[0]
	if s := newStock(&o); s.amount("cpus") != 2 || s.amount("mem") != 2048 || !s.hasPort(31999) || s.hasPort(32000) {
		t.Errorf("the offer is read as %+v", o)
	}
	if again := readAll(t, oneByte{bytes.NewReader(b)}); len(again) != len(events) {
		t.Errorf("%d events in small pieces", len(again))
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func TestBrokenRecords(t *testing.T) {
	for text, want := range map[string]error{"": io.EOF, "12": io.ErrUnexpectedEOF, "12\nshort": io.ErrUnexpectedEOF} {
		if _, err := readRecord(bufio.NewReader(strings.NewReader(text))); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"\n", "x\n", "-1\nx", "99999999999\nx", "1234567890123\n"} {
		if _, err := readRecord(bufio.NewReader(strings.NewReader(text))); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReadRecord(f *testing.F) {
	f.Add(recorded(f)[:600])
	f.Add([]byte("20\n{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bufio.NewReader(bytes.NewReader(b))
		for read := 0; ; {
			r, err := readRecord(in)
			if err != nil {
				return
			}
			if read += len(r) + 1; read > len(b) {
				t.Fatal("more was read than is there")
			}
			var e received
			if json.Unmarshal(r, &e) == nil && e.Offers != nil {
				for i := range e.Offers.Offers {
					newStock(&e.Offers.Offers[i]).take("cpus", 1)
				}
			}
		}
	})
}
