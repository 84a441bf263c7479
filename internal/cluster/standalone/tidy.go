package standalone

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// tidyUp removes folders of applications and drivers that have ended and in which nothing has changed for long.
func (w *Worker) tidyUp() {
	tick := time.NewTicker(w.o.Cleanup.Every)
	defer tick.Stop()
	for {
		select {
		case <-w.base.Done():
			return
		case <-tick.C:
		}
		if err := w.removeOld(time.Now().Add(-w.o.Cleanup.TTL)); err != nil {
			w.log.Warn("old folders cannot be removed", "folder", w.o.Dir, "error", err)
		}
	}
}

func (w *Worker) removeOld(before time.Time) error {
	folders, err := os.ReadDir(w.o.Dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range folders {
		path := filepath.Join(w.o.Dir, f.Name())
		if !f.IsDir() || w.inUse(f.Name()) {
			continue
		}
		last, err := lastChange(path)
		if err == nil && last.Before(before) {
			w.log.Info("an old folder is removed", "folder", path)
			err = os.RemoveAll(path)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// inUse says whether a folder is that of an application or driver that runs here.
func (w *Worker) inUse(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.execs {
		if filepath.Base(k.app) == name {
			return true
		}
	}
	for id := range w.drivers {
		if filepath.Base(id) == name {
			return true
		}
	}
	return false
}

// lastChange is when something below a folder was changed last.
func lastChange(dir string) (last time.Time, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && st.ModTime().After(last) {
			last = st.ModTime()
		}
		return err
	})
	return last, err
}

// removeEmpty removes the empty files and folders at and below a folder.
func removeEmpty(dir string) error {
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			folders = append(folders, path)
			return nil
		}
		if st, err := d.Info(); err == nil && st.Mode().IsRegular() && st.Size() == 0 {
			return os.Remove(path)
		}
		return nil
	})
	for _, f := range slices.Backward(folders) {
		_ = os.Remove(f) // those that hold something stay
	}
	return err
}
