package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestFallbackStorageIsCleaned: what executors have put into the fallback storage goes with the application where settings say so, and
// nothing of others does.
func TestFallbackStorageIsCleaned(t *testing.T) {
	for _, clean := range []string{"true", "false"} {
		dir := t.TempDir()
		const key = "spark.storage.decommission.fallbackStorage."
		a := begin(t, newFakeCluster(t, 1, 1), map[string]string{key + "path": "file:" + dir, key + "cleanUp": clean}).app
		own, other := filepath.Join(dir, a.ID, "0", "x"), filepath.Join(dir, "other", "x")
		for _, name := range []string{own, other} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, a.ID)); errors.Is(err, fs.ErrNotExist) != (clean == "true") {
			t.Errorf("cleanUp=%s: %v", clean, err)
		}
		if _, err := os.Stat(other); err != nil {
			t.Error(err)
		}
	}
}
