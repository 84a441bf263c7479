package session

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// TestAddFile: ADD FILE and ADD ARCHIVE take what is there, and a failed statement leaves nothing in the list.
func TestAddFile(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, name := range []string{a, b} {
		if err := os.WriteFile(name, []byte("text of "+filepath.Base(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*fakeCluster{nil, newFakeCluster(t, 1, 1)} {
		s := begin(t, c, nil)
		for _, statement := range []string{"ADD FILE '" + a + "'", "ADD FILES '" + a + "' '" + b + "#other'", "ADD JAR '/no/jar'"} {
			if _, err := try(t.Context(), s, statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
		for statement, want := range map[string]string{"ADD FILE '" + dir + "/missing'": "PATH_NOT_FOUND", "ADD FILE '" + b + "#a'": "ARTIFACT_ALREADY_EXISTS",
			"ADD ARCHIVE '" + a + "'": "UNSUPPORTED_CALL.WITHOUT_SUGGESTION", "ADD FILE '" + dir + "'": "UNSUPPORTED_ADD_FILE.DIRECTORY"} {
			_, err := try(t.Context(), s, statement)
			if e, _ := sparkerr.As(err); e == nil || e.Condition != want {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if got := fmt.Sprint(s.app.Files(), s.app.Archives()); got != fmt.Sprintf("[%s %s#other] []", a, b) {
			t.Error(got)
		}
		for name, want := range map[string]string{"a": "text of a", "other": "text of b"} {
			if text, err := os.ReadFile(s.app.File(name)); err != nil || string(text) != want {
				t.Errorf("%s is %q, %v", name, text, err)
			}
		}
	}
}
