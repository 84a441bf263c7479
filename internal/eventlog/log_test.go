package eventlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/vfs"
)

func open(t *testing.T, dir string, settings map[string]string) (*Log, error) {
	t.Helper()
	all := map[string]string{"spark.eventLog.dir": dir}
	for k, v := range settings {
		all["spark.eventLog."+k] = v
	}
	return Open(t.Context(), vfs.NewRegistry(), conf.NewValues(all), App{ID: "app-1", Release: "4.2.0"}, slog.New(slog.DiscardHandler))
}

func mustOpen(t *testing.T, dir string, settings map[string]string) *Log {
	t.Helper()
	l, err := open(t, dir, settings)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// names lists the files below a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			out = append(out, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// read gives the events of a file by name; every line must be whole.
func read(t *testing.T, path string) (events []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.Contains(path, ".zstd") {
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Event string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		events = append(events, e.Event[strings.LastIndexByte(e.Event, '.')+1:])
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return events
}

// The names of a log say whether the application has ended, and its permissions let the history server read it.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		name          string
		settings      map[string]string
		running, over string
		events        string
	}{
		{"as Spark's defaults", nil,
			"eventlog_v2_app-1/appstatus_app-1.inprogress eventlog_v2_app-1/events_1_app-1.zstd",
			"eventlog_v2_app-1/appstatus_app-1 eventlog_v2_app-1/events_1_app-1.zstd", "eventlog_v2_app-1/events_1_app-1.zstd"},
		{"rolling, plain", map[string]string{"compress": "false"},
			"eventlog_v2_app-1/appstatus_app-1.inprogress eventlog_v2_app-1/events_1_app-1",
			"eventlog_v2_app-1/appstatus_app-1 eventlog_v2_app-1/events_1_app-1", "eventlog_v2_app-1/events_1_app-1"},
		{"single", map[string]string{"rolling.enabled": "false"}, "app-1.zstd.inprogress", "app-1.zstd", "app-1.zstd"},
		{"single, plain", map[string]string{"rolling.enabled": "false", "compress": "false"}, "app-1.inprogress", "app-1", "app-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			l := mustOpen(t, dir, c.settings)
			if got := names(t, dir); got != c.running {
				t.Errorf("while it runs: %s", got)
			}
			l.Listen(event.ApplicationEnd{Time: at})
			l.Close()
			l.Close()
			if got := names(t, dir); got != c.over {
				t.Errorf("at the end: %s", got)
			}
			if got := strings.Join(read(t, filepath.Join(dir, c.events)), " "); got != "SparkListenerLogStart SparkListenerApplicationEnd" {
				t.Error(got)
			}
			mode := func(name string) fs.FileMode {
				info, err := os.Stat(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				return info.Mode().Perm()
			}
			if got := mode(c.events); got != 0o660 {
				t.Errorf("the file has mode %o", got)
			}
			if folder := filepath.Dir(c.events); folder != "." && mode(folder) != 0o770 {
				t.Errorf("the folder has mode %o", mode(folder))
			}
		})
	}
	for app, want := range map[App]string{{ID: "a b:c/D"}: "a-b-c-d", {ID: "x.y$z{}'\""}: "x_y_z____", {ID: "application_1_2", Attempt: "1"}: "application_1_2_1"} {
		if got := logName(app); got != want {
			t.Errorf("%v is named %s", app, got)
		}
	}
}

// A process that ends without a word leaves a log that can be read up to the last event that was worth a flush.
func TestCrash(t *testing.T) {
	for _, compress := range []string{"true", "false"} {
		dir := t.TempDir()
		l := mustOpen(t, dir, map[string]string{"compress": compress})
		for i := range 50 {
			l.Listen(event.JobStart{Job: event.JobID(i), Time: at})
			l.Listen(event.TaskStart{Stage: event.StageID(i)})
			l.Listen(event.TaskEnd{Stage: event.StageID(i), Reason: event.Success{}})
			l.Listen(event.JobEnd{Job: event.JobID(i), Time: at})
		}
		l.Listen(event.TaskStart{Stage: 50}) // in the buffer only
		name := "eventlog_v2_app-1/events_1_app-1"
		if compress == "true" {
			name += ".zstd"
		}
		if got := read(t, filepath.Join(dir, name)); len(got) != 201 {
			t.Errorf("%d events can be read", len(got))
		}
		if got := names(t, dir); !strings.Contains(got, "appstatus_app-1.inprogress") {
			t.Errorf("files: %s", got)
		}
	}
}

// A file that is full is followed by the next one; no line is cut.
func TestRolling(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, map[string]string{"rolling.maxFileSize": "10m"})
	big := strings.Repeat("x", 3<<20)
	for range 10 {
		l.Listen(event.ExecutorRemoved{Time: at, Executor: "1", Reason: big})
	}
	l.Close()
	if got, want := names(t, filepath.Join(dir, "eventlog_v2_app-1")), "appstatus_app-1 events_1_app-1.zstd events_2_app-1.zstd events_3_app-1.zstd events_4_app-1.zstd"; got != want {
		t.Fatal(got)
	}
	n := 0
	for _, i := range []string{"1", "2", "3", "4"} {
		n += len(read(t, filepath.Join(dir, "eventlog_v2_app-1", "events_"+i+"_app-1.zstd")))
	}
	if n != 11 {
		t.Errorf("%d events", n)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir, key, value, want string
	}{
		{dir + "/none", "", "", "the event log cannot be kept in " + dir + "/none (spark.eventLog.dir): stat " + dir + "/none: no such file or directory"},
		{dir + "/file", "", "", "the event log cannot be kept in " + dir + "/file (spark.eventLog.dir): it is not a folder"},
		{"s3a://b/logs", "", "", `the event log cannot be kept in s3a://b/logs (spark.eventLog.dir): no file system for scheme "s3a": s3a://b/logs`},
		{dir, "compression.codec", "lz4", "[CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION] The codec lz4 is not available. Available codecs are zstd. SQLSTATE: 56038"},
		{dir, "rolling.maxFileSize", "1m", "spark.eventLog.rolling.maxFileSize must be at least 10485760 bytes, not 1048576"},
	} {
		if _, err := open(t, c.dir, map[string]string{c.key: c.value}); err == nil || err.Error() != c.want {
			t.Errorf("%s, %s: %v", c.dir, c.value, err)
		}
	}
	if _, err := open(t, dir+"/none", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no ErrNotExist", err)
	}
}

// A second application of the same id is refused, unless it may overwrite.
func TestOverwrite(t *testing.T) {
	for _, rolling := range []string{"true", "false"} {
		dir := t.TempDir()
		settings := map[string]string{"rolling.enabled": rolling}
		mustOpen(t, dir, settings).Close()
		var exists *ExistsError
		if _, err := open(t, dir, settings); !errors.As(err, &exists) {
			t.Errorf("a log is there, and the answer is %v", err)
		}
		settings["overwrite"] = "true"
		l := mustOpen(t, dir, settings)
		l.Listen(event.ApplicationEnd{Time: at})
		l.Close()
		if got := names(t, dir); strings.Contains(got, "inprogress") {
			t.Errorf("files: %s", got)
		}
	}
}

// fullDisk is a file system whose files take so many bytes.
type fullDisk struct {
	*vfs.Local
	left int
}

func (d *fullDisk) Grow(ctx context.Context, path string, mode uint32) (vfs.Growing, error) {
	f, err := d.Local.Grow(ctx, path, mode)
	return &fullFile{f, d}, err
}

type fullFile struct {
	vfs.Growing
	d *fullDisk
}

func (f *fullFile) Write(b []byte) (int, error) {
	if f.d.left -= len(b); f.d.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return f.Growing.Write(b)
}

// A disk that is full ends the log and not the application. It is told once, with the number of events that are lost.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	reg := vfs.NewRegistry()
	reg.Register("full", &fullDisk{vfs.NewLocal(), 300})
	var told bytes.Buffer
	l, err := Open(t.Context(), reg, conf.NewValues(map[string]string{"spark.eventLog.dir": "full:" + dir, "spark.eventLog.compress": "false"}),
		App{ID: "app-1"}, slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		l.Listen(event.JobEnd{Job: event.JobID(i), Time: at})
	}
	l.Listen(event.Dropped{Count: 7})
	l.Close()
	if got := strings.Count(told.String(), "no space left on device"); got != 1 {
		t.Errorf("the reason is told %d times:\n%s", got, told.String())
	}
	if got := len(read(t, filepath.Join(dir, "eventlog_v2_app-1/events_1_app-1"))); int64(got) != 21-(l.Lost()-7) {
		t.Errorf("%d events are in the log, %d are said to be lost", got, l.Lost())
	}
	if got := names(t, dir); !strings.Contains(got, "inprogress") {
		t.Errorf("a broken log was finished: %s", got)
	}
}
