package gateway

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// lookup builds the program that reads in its tasks what was sent along.
func lookup(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lookup")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./testdata/lookup")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// zipped makes a zip file with one file in it.
func zipped(t *testing.T, path, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return write(t, path, b.String())
}

// TestFiles: --files and --archives are in the working folder of each executor when its tasks begin, on all masters that need nothing
// else, and so is what the program adds later. In cluster mode `firesteel logs` prints what the driver wrote.
func TestFiles(t *testing.T) {
	program, dir := lookup(t), t.TempDir()
	send := []string{"--files", write(t, filepath.Join(dir, "names.txt"), "of the client") + "," + write(t, filepath.Join(dir, "b"), "renamed") + "#other",
		"--archives", zipped(t, filepath.Join(dir, "env.zip"), "inner.txt", "unpacked") + "#env"}
	const row = " names.txt=of the client other=renamed env/inner.txt=unpacked\n"
	wanted := func(where string) string {
		return strings.Repeat(where+row, 4) + strings.Repeat(where+" later=added later\n", 4) +
			"driver names.txt=of the client\ndriver other=renamed\ndriver env/inner.txt=unpacked\ndriver later=added later\n"
	}
	args := []string{program, "names.txt,other,env/inner.txt"}
	submit := func(master string, more ...string) result {
		t.Helper()
		argv := append([]string{"submit", "--master", master, "--driver-memory", "256m", "--executor-memory", "256m"}, more...)
		return try(t, nil, append(append(argv, send...), args...)...)
	}
	master := cluster(t, 2, 2)
	for m, where := range map[string]string{"local[2]": "here", "local-cluster[2,1,512]": "executor", master: "executor"} {
		if r := submit(m, "--total-executor-cores", "2", "-c", "spark.executor.cores=1"); r.code != 0 || r.out != wanted(where) {
			t.Errorf("%s: status %d\n%s%s", m, r.code, r.out, r.err)
		}
	}

	r := submit(master, "--deploy-mode", "cluster", "--total-executor-cores", "1")
	id := regexp.MustCompile(`driver-\d+-\d+`).FindString(r.err)
	if r.code != 0 || id == "" {
		t.Fatalf("%+v", r)
	}
	logs := func() result { return try(t, nil, "logs", "--master", master, id) }
	eventually(t, "the end of "+id, func() string { return logs().err }, func() bool {
		r := try(t, nil, "submit", "--master", master, "--status", id)
		return strings.Contains(r.out+r.err, "FINISHED") || strings.Contains(r.out+r.err, "FAILED")
	})
	if r := logs(); r.code != 0 || r.out != wanted("executor") || !strings.Contains(r.err, "lookup has read all\n") {
		t.Errorf("the driver's log: status %d\n%s%s", r.code, r.out, r.err)
	}
	if r := try(t, nil, "logs", "--master", master, "driver-20200101000000-0000"); r.code == 0 || !strings.Contains(r.err, "the master does not know driver-20200101000000-0000") {
		t.Errorf("a driver that is not there: %+v", r)
	}
}

// TestFilesRefused: what cannot be sent is told before anything is started, and by its name.
func TestFilesRefused(t *testing.T) {
	program, dir := lookup(t), t.TempDir()
	text := write(t, filepath.Join(dir, "a.txt"), "x")
	for _, c := range []struct{ flag, given, want string }{
		{"--files", filepath.Join(dir, "missing"), "--files: stat " + filepath.Join(dir, "missing")},
		{"--archives", filepath.Join(dir, "missing.zip"), "--archives: stat "},
		{"--files", text + "#../escaped", "INVALID_ARTIFACT_PATH"},
		{"--files", text + "," + program + "#a.txt", "ARTIFACT_ALREADY_EXISTS"},
		{"--files", dir, "UNSUPPORTED_ADD_FILE.DIRECTORY"},
		{"--archives", text, "unpacking a.txt"},
		{"--archives", write(t, filepath.Join(dir, "no.zip"), "x"), "INVALID_ARCHIVE.DAMAGED"},
	} {
		r := try(t, nil, "submit", "--master", "local-cluster[1,1,512]", c.flag, c.given, program, "a.txt")
		if r.code == 0 || !strings.Contains(r.err, c.want) {
			t.Errorf("%s %s: status %d, %s", c.flag, c.given, r.code, r.err)
		}
	}
}
