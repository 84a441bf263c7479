package audit

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// open opens the file for appending, and settles it if no other process has it open; all keep it open to be seen. One that is
// made here is its owner's alone.
func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND, 0)
	}
	if err != nil {
		return err
	}
	l.file = f
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, f.Close(), fmt.Errorf("%s is no file that can be appended to", l.path))
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		if err := l.settle(info.Size()); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH) // the system drops it when the process ends
}

// torn says whether the file ends within a line, of a write that failed or was the last of its process. One that another
// process is at just now does not count.
func torn(f *os.File) bool {
	for range 10 {
		info, err := f.Stat()
		if err != nil || info.Size() == 0 {
			return false
		}
		last := []byte{0}
		if _, err = f.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// settle writes the lines that processes owe which died.
func (l *Log) settle(size int64) error {
	owed, err := unfinished(l.file, size)
	if err != nil {
		return err
	}
	for _, n := range owed {
		n.Event, n.Status, n.Error = ends, Lost, "the process ended before"
		n.Time = stamp(time.Now())
		if err := l.put(n); err != nil {
			return err
		}
	}
	e := &Entry{log: l, id: l.run + "-0", action: Action{Name: "log", User: Me()}}
	return l.put(e.line(settled, time.Now()))
}

// The end of the file is read in larger and larger parts, until one has the last settled line: firstLook bytes, four times as
// many each time, mostLook at most. What began before that and never ended stays as it is.
const (
	firstLook = 1 << 20
	mostLook  = 256 << 20
)

// unfinished are the begin lines since the last settled line that have no end, in order.
func unfinished(f *os.File, size int64) ([]line, error) {
	for look := int64(firstLook); ; look *= 4 {
		from := max(size-look, 0)
		open, whole, err := scan(io.NewSectionReader(f, from, size-from), from > 0)
		if err != nil {
			return nil, err
		}
		if whole || from == 0 || look >= mostLook {
			return slices.SortedFunc(maps.Values(open), func(a, b line) int {
				return cmp.Or(strings.Compare(a.Time, b.Time), strings.Compare(a.ID, b.ID))
			}), nil
		}
	}
}

// scan finds begin lines without an end in a part of the file; whole says that it has a settled line. The first line of a part
// that begins somewhere is left out, and what is no line of this log is passed over.
func scan(r io.Reader, cut bool) (open map[string]line, whole bool, err error) {
	open = map[string]line{}
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return open, whole, nil // half a line is of a write that failed
		}
		if err != nil {
			return nil, false, err
		}
		var n line
		if cut || json.Unmarshal(text, &n) != nil {
			cut = false
			continue
		}
		switch n.Event {
		case settled:
			whole = true
			clear(open)
		case begins:
			n.Statement = ""
			open[n.ID] = n
		case ends:
			delete(open, n.ID)
		}
	}
}
