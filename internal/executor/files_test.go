package executor_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
	"github.com/firesteel/firesteel/internal/wire"
)

func init() {
	toys["read file"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		byName, err := os.ReadFile(env.File("a"))
		if err != nil {
			return wire.Outcome{}, err
		}
		here, err := os.ReadFile("a")
		return wire.Outcome{Result: fmt.Appendf(nil, "%s %s %s", env.ID, byName, here)}, err
	}
}

// filesCluster has executors in folders of their own, and a file a of the application.
func filesCluster(t *testing.T, executors int) (*testCluster, string) {
	t.Helper()
	root, original := t.TempDir(), filepath.Join(t.TempDir(), "a")
	p := &procs{t: t, dir: t.TempDir(), cores: 2, spoil: func(_ int, cmd *exec.Cmd) { cmd.Dir = t.TempDir() },
		files: files.NewDepot(func() (string, error) { return root, nil }, vfs.NewRegistry())}
	if err := os.WriteFile(original, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.files.Add(t.Context(), original, false); err != nil {
		t.Fatal(err)
	}
	return startOn(t, p, executors, nil), original
}

// TestFiles: each executor has the file when its tasks begin, also one that comes in place of another, and as it was when it was added.
func TestFiles(t *testing.T) {
	c, original := filesCluster(t, 2)
	if err := os.WriteFile(original, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for len(seen) < 3 {
		out, err := c.run(t, stage("read file", 16))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			id, rest, _ := strings.Cut(string(o.Data), " ")
			if rest != "text text" {
				t.Fatalf("executor %s read %s", id, rest)
			}
			if !seen[id] && len(seen) == 0 {
				c.procs.kill(o.At, syscall.SIGKILL)
			}
			seen[id] = true
		}
	}
}

// TestFileChanged: a driver's copy that has changed reaches no executor. The job fails and says which file it was.
func TestFileChanged(t *testing.T) {
	c, _ := filesCluster(t, 1)
	if err := os.WriteFile(c.procs.files.Path("a"), []byte("elsewise"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := c.run(t, stage("read file", 1))
	if e, _ := sparkerr.As(err); err == nil || !strings.Contains(err.Error(), "FILE_NOT_DELIVERED") && (e == nil || e.Condition != "FILE_NOT_DELIVERED") {
		t.Fatal(err)
	}
	if !strings.Contains(err.Error(), "The file a ") {
		t.Error(err)
	}
	if err := os.WriteFile(c.procs.files.Path("a"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := c.run(t, stage("read file", 1)); err != nil || !strings.HasSuffix(string(out[0].Data), " text text") {
		t.Errorf("when it is there again: %v, %v", out, err)
	}
}
