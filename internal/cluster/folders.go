package cluster

import (
	"cmp"
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
	out := localDirs(setting)
	for i, dir := range out {
		out[i] = filepath.Join(dir, "firesteel-"+filepath.Base(string(app)), "executor-"+filepath.Base(string(id)))
	}
	return out
}

func localDirs(setting string) []string {
	out := strings.Split(cmp.Or(os.Getenv("SPARK_LOCAL_DIRS"), setting, os.TempDir()), ",")
	for i, dir := range out {
		out[i] = strings.TrimSpace(dir)
	}
	return out
}

// LocalDirs is SPARK_LOCAL_DIRS for a process of this machine that runs in another folder.
func LocalDirs(setting string) (string, error) {
	dirs := localDirs(setting)
	var errs []error
	for i, dir := range dirs {
		var err error
		dirs[i], err = filepath.Abs(dir)
		errs = append(errs, err)
	}
	return strings.Join(dirs, ","), errors.Join(errs...)
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
