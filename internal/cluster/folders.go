package cluster

import (
	"errors"
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

// RemoveFolders deletes the folders of an executor that has ended, and those of its application where it was the last.
func RemoveFolders(folders []string) error {
	var errs []error
	for _, dir := range folders {
		errs = append(errs, os.RemoveAll(dir))
		_ = os.Remove(filepath.Dir(dir)) // others may have files there
	}
	return errors.Join(errs...)
}
