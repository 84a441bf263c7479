package tfile

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// putLong writes a number as Hadoop does: in one byte, or with the first byte telling how many follow.
func putLong(b []byte, n int64) []byte {
	switch {
	case n >= -32 && n < 128:
		return append(b, byte(n))
	case n >= -20<<8 && n < 20<<8:
		return append(b, byte(n>>8-52), byte(n))
	case n >= -16<<16 && n < 16<<16:
		return append(b, byte(n>>16-88), byte(n>>8), byte(n))
	case n >= -8<<24 && n < 8<<24:
		return append(b, byte(n>>24-112), byte(n>>16), byte(n>>8), byte(n))
	}
	size := 8
	for _, s := range []int{4, 5, 6, 7} {
		if n >= -1<<(8*s-1) && n < 1<<(8*s-1) {
			size = s
			break
		}
	}
	var all [8]byte
	binary.BigEndian.PutUint64(all[:], uint64(n))
	return append(append(b, byte(size-129)), all[8-size:]...)
}

func TestNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, -1, -32, -33, 127, 128, 5119, 5120, -5120, -5121, 1<<20 - 1, 1 << 20, -1 << 20, -1<<20 - 1, 1<<27 - 1, 1 << 27, -1 << 27,
		-1<<27 - 1, math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, 1 << 38, -1 << 40, 1 << 47, 1 << 55, math.MaxInt64, math.MinInt64} {
		r := &reader{in: bufio.NewReader(bytes.NewReader(putLong(nil, n)))}
		if got := r.vlong(); got != n || r.err != nil {
			t.Errorf("%d was read as %d, %v", n, got, r.err)
		}
	}
}

func putText(b []byte, s string) []byte { return append(putLong(b, int64(len(s))), s...) }

// build makes a TFile with one record a block; values are cut into chunks.
func build(compression string, records [][2]string) []byte {
	file := append([]byte(nil), magic[:]...)
	pack := func(b []byte) []byte {
		if compression != "gz" {
			return b
		}
		var out bytes.Buffer
		z := zlib.NewWriter(&out)
		_, _ = z.Write(b)
		_ = z.Close()
		return out.Bytes()
	}
	var index []byte
	put := func(b []byte) []byte {
		packed := pack(b)
		at := putLong(putLong(putLong(nil, int64(len(file))), int64(len(packed))), int64(len(b)))
		file = append(file, packed...)
		return at
	}
	for _, r := range records {
		block, v := putText(nil, r[0]), r[1]
		for len(v) > 1000 {
			block = append(putLong(block, -1000), v[:1000]...)
			v = v[1000:]
		}
		index = append(index, put(putText(block, v))...)
	}
	at := put(append(putLong(putText(nil, compression), int64(len(records))), index...))
	offset := int64(len(file))
	file = putLong(file, 2)
	file = append(putText(putText(file, "data:TFile.meta"), "none"), 16, 0, 0)
	file = append(putText(putText(file, dataIndex), compression), at...)
	file = binary.BigEndian.AppendUint64(file, uint64(offset))
	file = append(file, 0, 1, 0, 0)
	return append(file, magic[:]...)
}

func readAll(file []byte) (string, error) {
	var b strings.Builder
	err := Each(bytes.NewReader(file), int64(len(file)), func(key string, value io.Reader) error {
		v, err := io.ReadAll(value)
		fmt.Fprintf(&b, "%s=%d:%.3s ", key, len(v), v)
		return err
	})
	return b.String(), err
}

func TestEach(t *testing.T) {
	records := [][2]string{{"a", "one"}, {"b", strings.Repeat("two", 5000)}, {"c", ""}}
	for _, c := range []string{"none", "gz"} {
		if got, err := readAll(build(c, records)); err != nil || got != "a=3:one b=15000:two c=0: " {
			t.Errorf("%s: %q, %v", c, got, err)
		}
	}
	if _, err := readAll(build("lzo", records)); err == nil || !strings.Contains(err.Error(), "lzo") {
		t.Errorf("lzo: %v", err)
	}
	// a value that is not read to its end does not harm the next
	file, n := build("none", records), 0
	if err := Each(bytes.NewReader(file), int64(len(file)), func(string, io.Reader) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d records, %v", n, err)
	}
	stop := errors.New("enough")
	if err := Each(bytes.NewReader(file), int64(len(file)), func(string, io.Reader) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestDamaged(t *testing.T) {
	file := build("none", [][2]string{{"key", "value"}})
	for n := range len(file) {
		if _, err := readAll(file[:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

func FuzzEach(f *testing.F) {
	f.Add(build("none", [][2]string{{"a", "one"}, {"b", strings.Repeat("x", 3000)}}))
	f.Add(build("gz", [][2]string{{"a", "one"}}))
	f.Fuzz(func(t *testing.T, file []byte) { _, _ = readAll(file) })
}
