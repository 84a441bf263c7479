package standalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
)

// store keeps records in a folder, one file each, written to another name and renamed (recovery mode FILESYSTEM).
type store struct{ dir string }

// storeVersion is that of the files.
const storeVersion = 1

type storedRecord struct {
	Version int
	Record  core.Record
}

// openStore opens the recovery folder and reads what it holds.
func (m *Master) openStore() ([]core.Record, error) {
	if m.o.Recovery == "" {
		return nil, nil
	}
	m.store = &store{m.o.Recovery}
	if err := os.MkdirAll(m.o.Recovery, 0o700); err != nil {
		return nil, fmt.Errorf("the recovery folder cannot be used: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(m.o.Recovery, "*.json"))
	if err != nil {
		return nil, err
	}
	var records []core.Record
	for _, name := range names {
		if m.o.Reset {
			if err := os.Remove(name); err != nil {
				return nil, err
			}
			continue
		}
		r, err := readRecord(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; start with --reset-recovery to forget what ran before", name, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func readRecord(name string) (core.Record, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return core.Record{}, err
	}
	var r storedRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return r.Record, fmt.Errorf("this recovery file is damaged: %w", err)
	}
	if r.Version != storeVersion {
		return r.Record, fmt.Errorf("this recovery file has version %d, and this master reads %d", r.Version, storeVersion)
	}
	if r.Record.Worker == nil && r.Record.App == nil && r.Record.Driver == nil {
		return r.Record, errors.New("this recovery file is damaged: it holds nothing")
	}
	return r.Record, nil
}

func (s *store) path(key string) string {
	return filepath.Join(s.dir, strings.ReplaceAll(url.QueryEscape(key), ".", "%2E")+".json")
}

func (s *store) save(r core.Record) error {
	if s == nil {
		return nil
	}
	b, err := json.Marshal(storedRecord{storeVersion, r})
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.dir, "record-*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), s.path(r.Key()))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}
	return err
}

func (s *store) forget(key string) error {
	if s == nil {
		return nil
	}
	if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
