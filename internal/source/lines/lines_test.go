package lines

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/firesteel/firesteel/internal/vfs"
)

func all(t *testing.T, r *Reader) []string {
	t.Helper()
	out := []string{}
	for {
		line, b, off, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(b.Data[off:off+len(line)]) != string(line) {
			t.Fatalf("line %q does not lie at %d", line, off)
		}
		out = append(out, string(line))
		r.Recycle()
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text, sep string
		want      []string
	}{
		{"", "", []string{}},
		{"a", "", []string{"a"}},
		{"a\n", "", []string{"a"}},
		{"a\r\nb\rc\n\nd\r", "", []string{"a", "b", "c", "", "d"}},
		{"a||b|c||", "||", []string{"a", "b|c"}},
	} {
		for _, in := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
			if got := all(t, New(in, []byte(c.sep))); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%q: %q, want %q", c.text, got, c.want)
			}
		}
	}
}

// Lines longer than a block, over many blocks.
func TestLongLines(t *testing.T) {
	var want []string
	for i := range 40 {
		want = append(want, strings.Repeat(fmt.Sprint(i), 1+i*i*1500))
	}
	if got := all(t, New(strings.NewReader(strings.Join(want, "\r\n")), nil)); !reflect.DeepEqual(got, want) {
		t.Error("long lines differ")
	}
}

// However a file is cut, its parts yield every line once.
func TestParts(t *testing.T) {
	text := "one\ntwo\r\nthree\n\nfive\rsix\n"
	want := all(t, New(strings.NewReader(text), nil))
	for size := int64(1); size <= int64(len(text)); size++ {
		got := []string{}
		for off := int64(0); off < int64(len(text)); off += size {
			r, err := NewPart(strings.NewReader(text[off:]), nil, off, size)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, all(t, r)...)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("parts of %d bytes: %q", size, got)
		}
	}
}

func TestCompressed(t *testing.T) {
	ctx, m := context.Background(), vfs.NewMemory("mem")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprint(z, "a\nb")
	z.Close()
	if err := vfs.WriteFile(ctx, m, "/x.gz", b.Bytes()); err != nil {
		t.Fatal(err)
	}
	in, err := Open(ctx, m, "/x.gz", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got := all(t, New(in, nil)); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
	if Splittable("/x.gz") || !Splittable("/x.csv") {
		t.Error("what can be split")
	}
}
