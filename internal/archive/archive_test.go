package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// entry is what a test puts into an archive. kind is of tar.
type entry struct {
	name, data string
	kind       byte
	mode       int64
}

func zipOf(t testing.TB, entries ...entry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(map[byte]fs.FileMode{0: 0o644, tar.TypeDir: fs.ModeDir | 0o755, tar.TypeSymlink: fs.ModeSymlink | 0o777, tar.TypeFifo: fs.ModeNamedPipe}[e.kind] | fs.FileMode(e.mode))
		f, err := w.CreateHeader(h)
		if err == nil && !strings.HasSuffix(e.name, "/") {
			_, err = io.WriteString(f, e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o644 | e.mode}
		switch e.kind {
		case 0:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.data))
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = e.data
		}
		err := w.WriteHeader(h)
		if err == nil && e.kind == 0 {
			_, err = io.WriteString(w, e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpacked unpacks into dir/in, and lists what is there then: name, and the text of files or the target of links.
func unpacked(dir, name string, data []byte, most Limits) (string, error) {
	_, err := Unpack(context.Background(), name, bytes.NewReader(data), int64(len(data)), filepath.Join(dir, "in"), most)
	var out []string
	walk := filepath.WalkDir(filepath.Join(dir, "in"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(filepath.Join(dir, "in"), path)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			out = append(out, rel+">"+target)
			return err
		case !d.IsDir():
			text, err := os.ReadFile(path)
			out = append(out, fmt.Sprintf("%s=%s", rel, text))
			return err
		}
		return nil
	})
	if errors.Is(walk, fs.ErrNotExist) {
		walk = nil
	}
	return strings.Join(out, " "), errors.Join(err, walk)
}

var roomy = Limits{Entries: 1000, Bytes: 1 << 20}

// TestUnpack is C09: what archives may have, and what they may not.
func TestUnpack(t *testing.T) {
	const outside, dir, link, hard, fifo = "INVALID_ARCHIVE.ENTRY", tar.TypeDir, tar.TypeSymlink, tar.TypeLink, tar.TypeFifo
	for _, c := range []struct {
		name    string
		entries []entry
		want    string // or the condition of the error
		tarOnly bool
	}{
		{name: "files", entries: []entry{{name: "d/", kind: dir}, {name: "d/a", data: "1"}, {name: "./e/f/g", data: "2"}, {name: "d/", kind: dir}}, want: "d/a=1 e/f/g=2"},
		{name: "links of an environment", entries: []entry{{name: "lib/x.so.1", data: "x"}, {name: "lib/x.so", data: "x.so.1", kind: link}, {name: "bin/x", data: "../lib/x.so", kind: link},
			{name: "lib64", data: "lib", kind: link}}, want: "bin/x>../lib/x.so lib/x.so>x.so.1 lib/x.so.1=x lib64>lib"},
		{name: "a hard link", entries: []entry{{name: "a", data: "1"}, {name: "d/b", data: "a", kind: hard}}, want: "a=1 d/b=1", tarOnly: true},
		{name: "the last of a name", entries: []entry{{name: "a", data: "1"}, {name: "a", data: "2"}, {name: "l", data: "a", kind: link}, {name: "l", data: "3"}}, want: "a=2 l=3"},
		{name: "absolute", entries: []entry{{name: "/etc/passwd", data: "1"}, {name: "//x", data: "2"}}, want: "etc/passwd=1 x=2"},
		{name: "two dots", entries: []entry{{name: "../x", data: "1"}}, want: outside},
		{name: "two dots within", entries: []entry{{name: "a/../x", data: "1"}}, want: outside},
		{name: "two dots behind a slash", entries: []entry{{name: "/../x", data: "1"}}, want: outside},
		{name: "a folder outside", entries: []entry{{name: "../d/", kind: dir}}, want: outside},
		{name: "an absolute link", entries: []entry{{name: "l", data: "/etc", kind: link}}, want: outside},
		{name: "a link outside", entries: []entry{{name: "l", data: "../x", kind: link}}, want: outside},
		{name: "a link outside from a folder", entries: []entry{{name: "a/b/l", data: "../../../x", kind: link}}, want: outside},
		{name: "a link up and down", entries: []entry{{name: "l", data: "a/../../x", kind: link}}, want: outside},
		{name: "a link of two slashes", entries: []entry{{name: "a/l", data: "..//etc", kind: link}}, want: outside},
		{name: "an empty link", entries: []entry{{name: "l", data: "", kind: link}}, want: outside},
		{name: "a link to the folder itself", entries: []entry{{name: "a/l", data: "..", kind: link}}, want: "a/l>.."},
		{name: "writing below a link", entries: []entry{{name: "d/", kind: dir}, {name: "l", data: "d", kind: link}, {name: "l/x", data: "1"}}, want: outside},
		{name: "a link below a link", entries: []entry{{name: "a/b/c/", kind: dir}, {name: "l", data: "a/b/c", kind: link}, {name: "l/m", data: "../../../../x", kind: link}}, want: outside},
		{name: "a file over a folder", entries: []entry{{name: "d/x", data: "1"}, {name: "d", data: "2"}}, want: outside},
		{name: "a link over a folder", entries: []entry{{name: "d/x", data: "1"}, {name: "d", data: "e", kind: link}}, want: outside},
		{name: "a file below a file", entries: []entry{{name: "d", data: "1"}, {name: "d/x", data: "2"}}, want: outside},
		{name: "a link over all", entries: []entry{{name: "./", data: "1", kind: link}}, want: outside, tarOnly: true},
		{name: "a hard link outside", entries: []entry{{name: "l", data: "../canary", kind: hard}}, want: outside, tarOnly: true},
		{name: "a hard link to a link", entries: []entry{{name: "a", data: "b", kind: link}, {name: "l", data: "a", kind: hard}}, want: outside, tarOnly: true},
		{name: "a hard link by way of a link", entries: []entry{{name: "d/a", data: "1"}, {name: "l", data: "d", kind: link}, {name: "m", data: "l/a", kind: hard}}, want: outside, tarOnly: true},
		{name: "a hard link to itself", entries: []entry{{name: "a", data: "1"}, {name: "a", data: "a", kind: hard}}, want: outside, tarOnly: true},
		{name: "a pipe", entries: []entry{{name: "p", kind: fifo}}, want: outside},
		{name: "a long name", entries: []entry{{name: strings.Repeat("x", 256), data: "1"}}, want: outside},
		{name: "a deep name", entries: []entry{{name: strings.Repeat("x/", 600) + "y", data: "1"}}, want: outside},
		{name: "too much", entries: []entry{{name: "a", data: strings.Repeat("x", 600<<10)}, {name: "b", data: strings.Repeat("x", 600<<10)}}, want: "INVALID_ARCHIVE.TOO_LARGE"},
		{name: "folders without end", entries: many(20, strings.Repeat("x/", 100)), want: "INVALID_ARCHIVE.TOO_MANY_ENTRIES"},
		{name: "files without end", entries: many(1001, ""), want: "INVALID_ARCHIVE.TOO_MANY_ENTRIES"},
	} {
		forms := map[string][]byte{"a.tar": tarOf(t, c.entries...), "a.tar.gz": gz(t, tarOf(t, c.entries...)), "a.TGZ": gz(t, tarOf(t, c.entries...))}
		if !c.tarOnly {
			forms["a.zip"], forms["a.jar"] = zipOf(t, c.entries...), zipOf(t, c.entries...)
		}
		for name, data := range forms {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "canary"), []byte("lives"), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := unpacked(dir, name, data, roomy)
			if strings.HasPrefix(c.want, "INVALID") {
				if !sparkerr.Is(err, c.want) || got != "" {
					t.Errorf("%s in %s: %v; left: %s", c.name, name, err, got)
				}
			} else if err != nil || got != c.want {
				t.Errorf("%s in %s: %s %v", c.name, name, got, err)
			}
			if list, _ := os.ReadDir(dir); len(list) > 2 || len(list) > 1 && err != nil {
				t.Errorf("%s in %s: beside the folder is %v", c.name, name, list)
			}
		}
	}
}

func many(n int, prefix string) (out []entry) {
	for i := range n {
		out = append(out, entry{name: fmt.Sprint(i, "/", prefix, "f")})
	}
	return out
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	entries := []entry{{name: "x", data: "1", mode: 0o6777}, {name: "y", data: "1", mode: 0o066}}
	if _, err := unpacked(dir, "a.tar", tarOf(t, entries...), roomy); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"in": fs.ModeDir | 0o700, "in/x": 0o700, "in/y": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// TestDamaged: cut and changed archives are refused, or give what is whole; nothing is left of those that are refused.
func TestDamaged(t *testing.T) {
	entries := []entry{{name: "a", data: strings.Repeat("abc", 1000)}, {name: "d/l", data: "../a", kind: tar.TypeSymlink}}
	for name, data := range map[string][]byte{"a.zip": zipOf(t, entries...), "a.tar": tarOf(t, entries...), "a.tgz": gz(t, tarOf(t, entries...))} {
		for n := range len(data) {
			changed := bytes.Clone(data)
			changed[n] ^= 0x41
			for _, d := range [][]byte{data[:n], changed} {
				dir := t.TempDir()
				got, err := unpacked(dir, name, d, roomy)
				if _, typed := sparkerr.As(err); err != nil && (!typed || got != "") {
					t.Fatalf("%s at %d: %v; left: %s", name, n, err, got)
				}
				_ = os.RemoveAll(dir)
			}
			if name == "a.tar" && n > 600 {
				break // zeros
			}
		}
	}
	for _, name := range []string{"a.zip", "a.tar", "a.tar.gz"} {
		if _, err := unpacked(t.TempDir(), name, []byte("no archive at all"), roomy); !sparkerr.Is(err, "INVALID_ARCHIVE.DAMAGED") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBombs: small archives that want to become large are refused before they are, whatever they say of themselves.
func TestBombs(t *testing.T) {
	zeros := func(w io.Writer, n int64) {
		if _, err := io.Copy(w, io.LimitReader(zero{}, n)); err != nil {
			t.Fatal(err)
		}
	}
	var zipped, padded, sparse bytes.Buffer
	z := zip.NewWriter(&zipped)
	f, err := z.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	zeros(f, 256<<20)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	g := gzip.NewWriter(&padded)
	if _, err := g.Write(tarOf(t, entry{name: "a", data: "1"})[:1024]); err != nil {
		t.Fatal(err)
	}
	big := tar.NewWriter(g)
	if err := big.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	zeros(big, 256<<20)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	g = gzip.NewWriter(&sparse)
	header := map[string]string{"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "holes", "GNU.sparse.size": "1099511627776", "GNU.sparse.numblocks": "0", "GNU.sparse.map": ""}
	writePAX(t, g, header)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"a.zip": zipped.Bytes(), "b.tgz": padded.Bytes(), "c.tgz": sparse.Bytes()} {
		start := time.Now()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := unpacked(t.TempDir(), name, data, Limits{Entries: 100, Bytes: 1 << 40})
		runtime.ReadMemStats(&after)
		if !sparkerr.Is(err, "INVALID_ARCHIVE.TOO_LARGE") || got != "" {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
			t.Errorf("%s took %d bytes", name, n)
		}
		t.Logf("%s: %d bytes, refused after %s", name, len(data), time.Since(start))
	}
}

// writePAX writes a tar file of one file with records of the extended header that archive/tar does not write.
func writePAX(t *testing.T, w io.Writer, records map[string]string) {
	var text strings.Builder
	for k, v := range records {
		n := len(k) + len(v) + 3
		n += len(fmt.Sprint(n + len(fmt.Sprint(n))))
		fmt.Fprintf(&text, "%d %s=%s\n", n, k, v)
	}
	block := func(name string, kind byte, size int) []byte {
		h := make([]byte, 512)
		copy(h, name)
		copy(h[100:], "0000644\x000000000\x000000000\x00")
		copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00        ", size, 0))
		h[156] = kind
		copy(h[257:], "ustar\x0000")
		sum := 0
		for _, b := range h {
			sum += int(b)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		return h
	}
	padded := make([]byte, (text.Len()+511)/512*512)
	copy(padded, text.String())
	for _, b := range [][]byte{block("x", 'x', text.Len()), padded, block("holes", '0', 0), make([]byte, 1024)} {
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestManyEntries: a hundred thousand entries are unpacked in seconds; a million in a zip file are not even listed.
func TestManyEntries(t *testing.T) {
	pack := func(n int) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := range n {
			if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("d%d/%d", i%100, i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	data := pack(100_000)
	start := time.Now()
	size, err := Unpack(t.Context(), "a.zip", bytes.NewReader(data), int64(len(data)), filepath.Join(t.TempDir(), "in"), Limits{Entries: 100_100, Bytes: 1 << 20})
	if err != nil || size.Entries != 100_100 {
		t.Errorf("%+v %v", size, err)
	}
	t.Logf("100,000 entries, %d bytes: %s", len(data), time.Since(start))
	data = pack(1_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start = time.Now()
	_, err = Unpack(t.Context(), "a.zip", bytes.NewReader(data), int64(len(data)), filepath.Join(t.TempDir(), "in"), Limits{Entries: 250_000, Bytes: 1 << 20})
	runtime.ReadMemStats(&after)
	if !sparkerr.Is(err, "INVALID_ARCHIVE.TOO_MANY_ENTRIES") {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 300<<20 {
		t.Errorf("a million entries took %d bytes", n)
	} else {
		t.Logf("1,000,000 entries, %d bytes: refused after %s, %d MB", len(data), time.Since(start), n>>20)
	}
}

func TestGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := tarOf(t, entry{name: "a", data: "1"})
	dir := filepath.Join(t.TempDir(), "in")
	if _, err := Unpack(ctx, "a.tar", bytes.NewReader(data), int64(len(data)), dir, roomy); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something is left")
	}
}

// FuzzUnpack checks the contract for any bytes: nothing lies beside the folder, nothing in it leads outside, nothing is larger than
// the limits, and refusals are typed and leave nothing.
func FuzzUnpack(f *testing.F) {
	entries := []entry{{name: "a", data: "1"}, {name: "d/l", data: "../a", kind: tar.TypeSymlink}, {name: "d/", kind: tar.TypeDir}, {name: "d/b", data: "2"}}
	hostile := []entry{{name: "l", data: "d/e", kind: tar.TypeSymlink}, {name: "d/e/m", data: "../..", kind: tar.TypeSymlink}, {name: "/x", data: "1"}}
	for _, e := range [][]entry{entries, hostile} {
		f.Add(byte(0), zipOf(f, e...))
		f.Add(byte(1), tarOf(f, append(e, entry{name: "h", data: e[0].name, kind: tar.TypeLink})...))
		f.Add(byte(2), gz(f, tarOf(f, e...)))
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		in := filepath.Join(dir, "in")
		most := Limits{Entries: 100, Bytes: 1 << 16}
		_, err = Unpack(t.Context(), []string{"a.zip", "a.tar", "a.tgz"}[kind%3], bytes.NewReader(data), int64(len(data)), in, most)
		list, _ := os.ReadDir(dir)
		if _, typed := sparkerr.As(err); err != nil && (!typed || len(list) != 0) || err == nil && len(list) != 1 {
			t.Fatalf("%v; %v is there", err, list)
		}
		var entries, size int64
		_ = filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			entries++
			info, _ := d.Info()
			if d.Type().IsRegular() {
				size += info.Size()
			} else if !d.IsDir() && d.Type() != fs.ModeSymlink || info.Mode().Perm()&0o077 != 0 && d.Type() != fs.ModeSymlink {
				t.Fatalf("%s is a %v", path, info.Mode())
			}
			if end, err := filepath.EvalSymlinks(path); err == nil && end != in && !strings.HasPrefix(end, in+"/") {
				t.Fatalf("%s leads to %s", path, end)
			}
			return nil
		})
		if entries > int64(most.Entries)+1 || size > 2*most.Bytes {
			t.Fatalf("%d entries of %d bytes", entries, size)
		}
	})
}
