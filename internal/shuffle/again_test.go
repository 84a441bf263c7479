package shuffle

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
)

// flaky reads the outputs of another manager: fetches[i] spoils the bytes of the i-th fetch of map 1.
type flaky struct {
	from    *Files
	fetches []func(data []byte) ([]byte, error)
	n       int
	moves   int // that Moved still tells
	cause   Cause
	at      []event.ExecutorID
}

func (f *flaky) Fetch(_ context.Context, id event.ShuffleID, m MapStatus, from, to int) (io.ReadCloser, error) {
	s, err := f.from.Open(id, m.Map, from, to)
	if err != nil || m.Map != 1 {
		return s, err
	}
	defer s.Close()
	data, err := io.ReadAll(s)
	if err != nil {
		return nil, err
	}
	f.at = append(f.at, m.At)
	var end error = io.EOF
	if f.n < len(f.fetches) {
		data, end = f.fetches[f.n](data)
	}
	f.n++
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{end})), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (f *flaky) Moved(_ context.Context, _ event.ShuffleID, m MapStatus) (MapStatus, bool) {
	if f.moves == 0 {
		return m, false
	}
	f.moves--
	m.At += "'"
	return m, true
}

func (f *flaky) Diagnose(context.Context, event.ShuffleID, MapStatus, int, int, error) Cause {
	return f.cause
}

func sound(data []byte) ([]byte, error) { return data, io.EOF }

// flip damages a byte after most frames.
func flip(data []byte) ([]byte, error) {
	data = bytes.Clone(data)
	data[len(data)*9/10] ^= 0x40
	return data, io.EOF
}

func cut(data []byte) ([]byte, error) { return data[:len(data)*2/3], io.EOF }

func lost(data []byte) ([]byte, error) { return data[:len(data)/2], block.ErrPeerLost }

// What was damaged on the way is fetched once more, what has moved is read at its new place; no row is missing or there twice.
func TestAgain(t *testing.T) {
	dirs := memory.NewDirs(t.TempDir())
	writer := NewFiles(dirs, "a", "host", false, nil)
	var maps []MapStatus
	for m := range 3 {
		w, err := writer.Writer(Output{Shuffle: 0, Map: m, Partitions: parts, Schema: schema, Mem: account()})
		if err != nil {
			t.Fatal(err)
		}
		st := write(t, w, m, 200_000)
		maps = append(maps, st)
	}
	want, err := read(reader(t, NewFiles(dirs, "a", "host", false, nil), maps))
	if err != nil || len(want) == 0 {
		t.Fatal(len(want), err)
	}
	type spoil = func([]byte) ([]byte, error)
	for name, c := range map[string]struct {
		fetches []spoil
		moves   int
		cause   Cause
		want    string // in the error
		places  string
	}{
		"sound":               {nil, 0, "", "", "a"},
		"flipped once":        {[]spoil{flip}, 0, "", "", "a a"},
		"cut once":            {[]spoil{cut}, 0, "", "", "a a"},
		"flipped twice, disk": {[]spoil{flip, flip}, 0, DiskIssue, "Block shuffle_0_1_0 is corrupted due to DISK_ISSUE", "a a"},
		"cut twice, network":  {[]spoil{cut, cut}, 0, NetworkIssue, "is corrupted due to NETWORK_ISSUE", "a a"},
		"damaged when made":   {[]spoil{flip, cut}, 0, VerifyPass, "is corrupted but checksum verification passed", "a a"},
		"lost":                {[]spoil{lost}, 0, "", block.ErrPeerLost.Error(), "a"},
		"moved":               {[]spoil{lost}, 1, "", "", "a a'"},
		"moved, then flipped": {[]spoil{lost, flip}, 1, "", "", "a a' a'"},
		"moved often":         {[]spoil{lost, lost, lost}, 3, "", "", "a a' a'' a'''"},
		"moved too often":     {[]spoil{lost, lost, lost, lost}, 9, "", block.ErrPeerLost.Error(), "a a' a'' a'''"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &flaky{from: writer, fetches: c.fetches, moves: c.moves, cause: c.cause}
			got, err := read(reader(t, NewFiles(memory.NewDirs(t.TempDir()), "b", "host", false, f), maps))
			var failed *event.FetchError
			switch {
			case c.want == "" && (err != nil || !slices.Equal(got, want)):
				t.Errorf("%d of %d rows, %v", len(got), len(want), err)
			case c.want != "" && (!errors.As(err, &failed) || !strings.Contains(err.Error(), c.want) || failed.Map != 1):
				t.Errorf("error %v", err)
			}
			places := ""
			for _, at := range f.at {
				places += " " + string(at)
			}
			if strings.TrimSpace(places) != c.places {
				t.Errorf("it was read at%s, not %s", places, c.places)
			}
		})
	}
}

func account() *memory.Account {
	return memory.NewPool(memory.Config{Budget: 1 << 28, StorageFraction: 0.5}).Account("task")
}

func reader(t *testing.T, f *Files, maps []MapStatus) Reader {
	t.Helper()
	r, err := f.Reader(t.Context(), Request{Shuffle: 0, Schema: schema, Maps: maps, From: 0, To: parts})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Damage of a file of one's own is found, and called by its name.
func TestDamagedHere(t *testing.T) {
	dirs := memory.NewDirs(t.TempDir())
	f := NewFiles(dirs, "a", "host", true, nil)
	w, err := f.Writer(Output{Shuffle: 0, Map: 0, Partitions: parts, Schema: schema, Mem: account()})
	if err != nil {
		t.Fatal(err)
	}
	maps := []MapStatus{write(t, w, 0, 50_000)}
	path, err := dirs.Path(FileName(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(reader(t, f, maps)); err == nil || !strings.Contains(err.Error(), "DISK_ISSUE") {
		t.Errorf("error %v", err)
	}
	if err := f.Adopt(1, 0, bytes.NewReader(data)); !errors.Is(err, block.ErrChecksum) {
		t.Errorf("a damaged output was adopted: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := read(reader(t, f, maps)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dirs.All()[0]); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}
