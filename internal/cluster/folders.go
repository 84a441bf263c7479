package cluster

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/event"
)

// LocalFolders are the folders of an executor's spill files and map outputs, one below each local directory of its machine:
// SPARK_LOCAL_DIRS, else what spark.local.dir says, else that of temporary files.
func LocalFolders(setting string, app event.AppID, id event.ExecutorID) []string {
	dirs := os.Getenv("SPARK_LOCAL_DIRS")
	if dirs == "" {
		dirs = setting
	}
	if dirs == "" {
		dirs = os.TempDir()
	}
	out := strings.Split(dirs, ",")
	for i, dir := range out {
		out[i] = filepath.Join(strings.TrimSpace(dir), "firesteel-"+filepath.Base(string(app)), "executor-"+filepath.Base(string(id)))
	}
	return out
}

// served marks the folder of an executor whose map outputs a shuffle service serves when the executor has gone.
const served = "served"

// MarkServed has the map outputs below the folders of an executor left alone by RemoveFolders: they are a shuffle service's to
// remove.
func MarkServed(folders []string) error {
	var errs []error
	for _, dir := range folders {
		if err := os.WriteFile(filepath.Join(dir, served), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// RemoveFolders deletes the folders of an executor that has ended, and those of its application where it was the last. Of
// folders that are marked (MarkServed) the map outputs stay.
func RemoveFolders(folders []string) error {
	var errs []error
	for _, dir := range folders {
		if _, err := os.Lstat(filepath.Join(dir, served)); err == nil {
			errs = append(errs, keepOutputs(dir))
			continue
		}
		errs = append(errs, os.RemoveAll(dir))
		_ = os.Remove(filepath.Dir(dir)) // others may have files there
	}
	return errors.Join(errs...)
}

// keepOutputs deletes all files of an executor but its map outputs.
func keepOutputs(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	errs := []error{err}
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasPrefix(name, "shuffle_") || !strings.HasSuffix(name, ".data") {
			errs = append(errs, os.RemoveAll(f))
		}
	}
	return errors.Join(errs...)
}
