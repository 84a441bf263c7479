package standalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
)

// store keeps records in a folder, one file each, written to another name and renamed (recovery mode FILESYSTEM).
type store struct{ dir string }

// storeVersion is that of the records.
const storeVersion = 1

// storedRecord is how a record is kept, in a file or among several masters.
type storedRecord struct {
	Version int
	Sum     uint32 // of the record's text
	Record  json.RawMessage
}

// openStore opens the recovery folder and reads what it holds.
func (m *Master) openStore() ([]core.Record, error) {
	if m.o.Recovery == "" || m.o.quorate() {
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
	return decodeRecord(b)
}

func decodeRecord(b []byte) (r core.Record, err error) {
	var s storedRecord
	if err := json.Unmarshal(b, &s); err != nil {
		return r, fmt.Errorf("this recovery file is damaged: %w", err)
	}
	if s.Version != storeVersion {
		return r, fmt.Errorf("this recovery file has version %d, and this master reads %d", s.Version, storeVersion)
	}
	if s.Sum != crc32.ChecksumIEEE(s.Record) {
		return r, errors.New("this recovery file is damaged: its checksum is wrong")
	}
	if err := json.Unmarshal(s.Record, &r); err != nil {
		return r, fmt.Errorf("this recovery file is damaged: %w", err)
	}
	if r.Worker == nil && r.App == nil && r.Driver == nil && r.Numbers == nil {
		return r, errors.New("this recovery file is damaged: it holds nothing")
	}
	return r, nil
}

func (s *store) path(key string) string {
	return filepath.Join(s.dir, strings.ReplaceAll(url.QueryEscape(key), ".", "%2E")+".json")
}

// change saves a record, or forgets the one with the key.
type change struct {
	key  string
	save *core.Record
}

// keep makes changes last before anything is done that builds on them. It is false if this master may not go on.
func (m *Master) keep(changes []change) bool {
	if len(changes) == 0 {
		return true
	}
	if m.o.quorate() {
		return m.agree(changes)
	}
	for _, c := range changes {
		if err := m.store.keep(c); err != nil {
			m.log.Error("the recovery folder cannot be written", "error", err)
		}
	}
	return true
}

func encodeRecord(r *core.Record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(storedRecord{storeVersion, crc32.ChecksumIEEE(body), body})
}

func (s *store) keep(c change) error {
	if s == nil {
		return nil
	}
	if c.save == nil {
		return s.forget(c.key)
	}
	b, err := encodeRecord(c.save)
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
		err = os.Rename(tmp.Name(), s.path(c.key))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}
	return err
}

func (s *store) forget(key string) error {
	if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
