package quorum

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// version is that of a member's folder.
const version = 1

// DirError says why a member's folder cannot be used.
type DirError struct {
	Path   string
	Reason error
}

func (e *DirError) Error() string {
	return e.Path + ": " + e.Reason.Error() + "; start with --reset-recovery to forget what it holds: this master then learns all from the others"
}

// Unwrap returns the reason.
func (e *DirError) Unwrap() error { return e.Reason }

// errDamaged is the reason of a file that is not as it was written.
var errDamaged = errors.New("the file is damaged")

// The names in a member's folder.
const (
	logName      = "raft.log"
	lockName     = "raft.lock"
	markName     = "raft.closed" // the size of the log when it was closed in order; it is gone while a master runs
	snapshotName = "snapshots"
)

// about says whose file it is.
type about struct {
	Version int
	Self    string
	Members []string
}

// A record of the file is the length and checksum of its body, and the body: a kind and what that needs.
const (
	recordAbout  byte = 'A' // the first: about, as JSON
	recordEntry  byte = 'E' // an entry of the log
	recordDelete byte = 'D' // two indexes: the entries between them are forgotten
	recordValue  byte = 'V' // the length of a key (2), the key, its value
)

const (
	recordHead = 8
	maxRecord  = 512 << 20
)

// place is where an entry's record is.
type place struct {
	at int64
	n  int64 // with its head
}

// disk keeps the log and the votes of a member: records that are appended to one file and synced, which is written anew when
// most of it is forgotten. It implements raft.LogStore and raft.StableStore.
type disk struct {
	dir   string
	about about
	lock  *os.File

	mu      sync.Mutex
	f       *os.File
	size    int64
	entries map[uint64]place
	live    int64 // bytes of entries that are not forgotten
	values  map[string][]byte
}

func (d *disk) path() string { return filepath.Join(d.dir, logName) }

// openDisk opens the file of a member, or makes it, and reads all of it once.
func openDisk(dir, self string, members []string) (*disk, error) {
	d := &disk{dir: dir, about: about{version, self, members}, entries: map[uint64]place{}, values: map[string][]byte{}}
	var err error
	if d.lock, err = os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, &DirError{dir, err}
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = d.lock.Close()
		return nil, &DirError{dir, errors.New("another process uses the folder")}
	}
	if err := d.open(); err != nil {
		_ = d.close(false)
		return nil, &DirError{d.path(), err}
	}
	return d, nil
}

func (d *disk) open() error {
	f, err := os.OpenFile(d.path(), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(d.dir, snapshotName)); err == nil {
			return errors.New("the log is missing, and there are snapshots")
		}
		return d.rewrite()
	}
	if err != nil {
		return err
	}
	d.f = f
	if err := d.readAll(); err != nil {
		return err
	}
	if err := d.closedInOrder(); err != nil {
		return err
	}
	if st, err := d.f.Stat(); err != nil || st.Size() == d.size {
		return err
	}
	return d.f.Truncate(d.size) // what a crash cut off was never promised to anybody
}

// closedInOrder compares the size with that of the end before, and forgets that.
func (d *disk) closedInOrder() error {
	mark := filepath.Join(d.dir, markName)
	b, err := os.ReadFile(mark)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if was := strings.TrimSpace(string(b)); was != fmt.Sprint(d.size) {
		return fmt.Errorf("%w: %d bytes of it can be read, and it had %s", errDamaged, d.size, was)
	}
	return os.Remove(mark)
}

// readAll takes in all records. One that is cut off at the end of the file is left out.
func (d *disk) readAll() error {
	r := bufio.NewReaderSize(d.f, 1<<20)
	for first := true; ; first = false {
		body, err := readRecord(r)
		switch {
		case err == io.EOF && !first, errors.Is(err, io.ErrUnexpectedEOF) && !first:
			return nil
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%w: it is cut off", errDamaged)
		case err != nil:
			return err
		}
		if first {
			err = d.compare(body)
		} else {
			err = d.take(body)
		}
		if err != nil {
			return err
		}
		d.size += recordHead + int64(len(body))
	}
}

func readRecord(r io.Reader) ([]byte, error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxRecord {
		return nil, fmt.Errorf("%w: a record of %d bytes", errDamaged, n)
	}
	body := make([]byte, 0, min(n, 1<<20))
	for len(body) < int(n) { // memory is taken as bytes come
		had := len(body)
		body = slices.Grow(body, min(int(n)-had, max(had, 1<<20)))[:min(int(n), had+max(had, 1<<20))]
		if _, err := io.ReadFull(r, body[had:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(head[4:]) {
		return nil, fmt.Errorf("%w: a record has a wrong checksum", errDamaged)
	}
	return body, nil
}

func record(kind byte, parts ...[]byte) []byte {
	b := make([]byte, recordHead, 64)
	b = append(b, kind)
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-recordHead))
	binary.BigEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b[recordHead:]))
	return b
}

// compare looks whose file it is.
func (d *disk) compare(body []byte) error {
	var a about
	if body[0] != recordAbout || json.Unmarshal(body[1:], &a) != nil {
		return fmt.Errorf("%w: it does not say whose it is", errDamaged)
	}
	switch own := d.about; {
	case a.Version != version:
		return fmt.Errorf("this recovery file has version %d, and this master reads %d", a.Version, version)
	case a.Self != own.Self:
		return fmt.Errorf("the file is that of the master at %s, not of %s", a.Self, own.Self)
	case !slices.Equal(a.Members, own.Members):
		return fmt.Errorf("the file is that of a master among %s, not among %s", strings.Join(a.Members, ","), strings.Join(own.Members, ","))
	}
	return nil
}

// take takes in a record that begins at the end of what was read.
func (d *disk) take(body []byte) error {
	kind, rest := body[0], body[1:]
	switch {
	case kind == recordEntry:
		var l raft.Log
		if err := decodeLog(rest, &l); err != nil {
			return err
		}
		d.put(l.Index, place{d.size, recordHead + int64(len(body))})
	case kind == recordDelete && len(rest) == 16:
		d.drop(binary.BigEndian.Uint64(rest), binary.BigEndian.Uint64(rest[8:]))
	case kind == recordValue && len(rest) >= 2 && len(rest) >= 2+int(binary.BigEndian.Uint16(rest)):
		n := 2 + int(binary.BigEndian.Uint16(rest))
		d.values[string(rest[2:n])] = rest[n:]
	default:
		return fmt.Errorf("%w: a record cannot be understood", errDamaged)
	}
	return nil
}

func (d *disk) put(index uint64, p place) {
	d.live += p.n - d.entries[index].n
	d.entries[index] = p
}

func (d *disk) drop(from, to uint64) {
	for index, p := range d.entries {
		if index >= from && index <= to {
			d.live -= p.n
			delete(d.entries, index)
		}
	}
}

// append writes records behind the others. After a failure the file is as it was.
func (d *disk) append(records []byte) error {
	_, err := d.f.WriteAt(records, d.size)
	if err == nil {
		err = d.f.Sync()
	}
	if err != nil {
		return errors.Join(err, d.f.Truncate(d.size))
	}
	d.size += int64(len(records))
	return nil
}

// rewrite writes the file anew with what is not forgotten.
func (d *disk) rewrite() error {
	text, err := json.Marshal(d.about)
	if err != nil {
		return err
	}
	next, err := os.OpenFile(d.path()+".new", os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(next, 1<<20)
	size, entries, live := int64(0), map[uint64]place{}, int64(0)
	write := func(b []byte) { // the first error of w stays
		_, _ = w.Write(b)
		size += int64(len(b))
	}
	write(record(recordAbout, text))
	for _, k := range slices.Sorted(maps.Keys(d.values)) {
		write(valueRecord(k, d.values[k]))
	}
	for _, index := range slices.Sorted(maps.Keys(d.entries)) {
		b, err := d.recordAt(d.entries[index])
		if err != nil {
			return errors.Join(err, next.Close())
		}
		entries[index] = place{size, int64(len(b))}
		live += int64(len(b))
		write(b)
	}
	if err := errors.Join(w.Flush(), next.Sync()); err != nil {
		return errors.Join(err, next.Close())
	}
	if err := os.Rename(next.Name(), d.path()); err != nil {
		return errors.Join(err, next.Close())
	}
	if d.f != nil {
		_ = d.f.Close() // it is not there any more
	}
	d.f, d.size, d.entries, d.live = next, size, entries, live
	return syncDir(d.dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// recordAt reads a record with its head.
func (d *disk) recordAt(p place) ([]byte, error) {
	b := make([]byte, p.n)
	if _, err := d.f.ReadAt(b, p.at); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(b[recordHead:]) != binary.BigEndian.Uint32(b[4:]) {
		return nil, fmt.Errorf("%s: %w: a record has a wrong checksum", d.path(), errDamaged)
	}
	return b, nil
}

// close ends the use of the folder, and notes in which state it is left unless that is not known.
func (d *disk) close(inOrder bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	if d.f != nil {
		errs = append(errs, d.f.Close())
	}
	if inOrder {
		errs = append(errs, os.WriteFile(filepath.Join(d.dir, markName), []byte(fmt.Sprint(d.size)), 0o600))
	}
	return errors.Join(append(errs, d.lock.Close())...)
}

// An entry is its term, type, time, index, the length of its data, the data and its extensions.
func encodeLog(l *raft.Log) []byte {
	b := make([]byte, 0, logHead+len(l.Data)+len(l.Extensions))
	b = binary.BigEndian.AppendUint64(b, l.Term)
	b = append(b, byte(l.Type))
	at := int64(0)
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint64(b, l.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Data)))
	return append(append(b, l.Data...), l.Extensions...)
}

const logHead = 8 + 1 + 8 + 8 + 4

// decodeLog reads an entry, which keeps the bytes.
func decodeLog(b []byte, l *raft.Log) error {
	if len(b) < logHead || int64(binary.BigEndian.Uint32(b[25:])) > int64(len(b)-logHead) {
		return fmt.Errorf("%w: an entry of the log is cut off", errDamaged)
	}
	n := int(binary.BigEndian.Uint32(b[25:]))
	*l = raft.Log{Term: binary.BigEndian.Uint64(b), Type: raft.LogType(b[8]), Index: binary.BigEndian.Uint64(b[17:])}
	if at := int64(binary.BigEndian.Uint64(b[9:])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	rest := b[logHead:]
	l.Data, l.Extensions = rest[:n:n], rest[n:]
	return nil
}

// FirstIndex implements raft.LogStore.
func (d *disk) FirstIndex() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := uint64(0)
	for i := range d.entries {
		if first == 0 || i < first {
			first = i
		}
	}
	return first, nil
}

// LastIndex implements raft.LogStore.
func (d *disk) LastIndex() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := uint64(0)
	for i := range d.entries {
		last = max(last, i)
	}
	return last, nil
}

// GetLog implements raft.LogStore.
func (d *disk) GetLog(index uint64, l *raft.Log) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.entries[index]
	if !ok {
		return raft.ErrLogNotFound
	}
	b, err := d.recordAt(p)
	if err != nil {
		return err
	}
	return decodeLog(b[recordHead+1:], l)
}

// StoreLog implements raft.LogStore.
func (d *disk) StoreLog(l *raft.Log) error { return d.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (d *disk) StoreLogs(logs []*raft.Log) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []byte
	places := make([]place, len(logs))
	for i, l := range logs {
		b := record(recordEntry, encodeLog(l))
		places[i] = place{d.size + int64(len(all)), int64(len(b))}
		all = append(all, b...)
	}
	if err := d.append(all); err != nil {
		return err
	}
	for i, l := range logs {
		d.put(l.Index, places[i])
	}
	return nil
}

// DeleteRange implements raft.LogStore.
func (d *disk) DeleteRange(from, to uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.append(record(recordDelete, binary.BigEndian.AppendUint64(nil, from), binary.BigEndian.AppendUint64(nil, to))); err != nil {
		return err
	}
	d.drop(from, to)
	return d.tidy()
}

// wasteful is the size below which nobody cares how much of the file is forgotten.
const wasteful = 1 << 20

// tidy writes the file anew if most of it is forgotten.
func (d *disk) tidy() error {
	if d.size < wasteful || d.live > d.size/2 {
		return nil
	}
	return d.rewrite()
}

// errNoValue is what raft takes for a value that was never set: it looks at the text.
var errNoValue = errors.New("not found")

func valueRecord(key string, value []byte) []byte {
	return record(recordValue, binary.BigEndian.AppendUint16(nil, uint16(len(key))), []byte(key), value)
}

// Set implements raft.StableStore.
func (d *disk) Set(key, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.append(valueRecord(string(key), value)); err != nil {
		return err
	}
	d.values[string(key)] = slices.Clone(value)
	return d.tidy()
}

// Get implements raft.StableStore.
func (d *disk) Get(key []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.values[string(key)]
	if !ok {
		return nil, errNoValue
	}
	return slices.Clone(v), nil
}

// SetUint64 implements raft.StableStore.
func (d *disk) SetUint64(key []byte, n uint64) error {
	return d.Set(key, binary.BigEndian.AppendUint64(nil, n))
}

// GetUint64 implements raft.StableStore.
func (d *disk) GetUint64(key []byte) (uint64, error) {
	v, err := d.Get(key)
	if err == nil && len(v) != 8 {
		err = fmt.Errorf("%s: %w: %q has %d bytes", d.path(), errDamaged, key, len(v))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}

// reset removes what a folder holds of a member.
func reset(dir string) error {
	var errs []error
	for _, name := range []string{logName, logName + ".new", markName, snapshotName} {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}
