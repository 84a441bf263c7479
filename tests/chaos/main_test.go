package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the product under test.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(proxyEnv) != "" {
		return beProxy()
	}
	if binary = os.Getenv("FIRESTEEL"); binary != "" {
		binary, _ = filepath.Abs(binary)
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "firesteel-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "firesteel")
	build := exec.Command("go", "build", "-o", binary, "github.com/firesteel/firesteel/cmd/firesteel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the binary cannot be built: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// deep skips a long case unless they are asked for.
func deep(t *testing.T) {
	t.Helper()
	if os.Getenv("FIRESTEEL_DEEP") == "" {
		t.Skip("a long case: runs with FIRESTEEL_DEEP=1 (make chaos)")
	}
}
