// Package audit writes the audit log: who did what, from where, when, and how it ended.
//
// # Contract
//
// The log is a file of JSON lines that is only ever appended to (spark.firesteel.audit.path), one write a line; several processes
// may share it. Every action has two lines with the same id: one before it begins, which has everything that is known of it, and
// one when it has ended. What cannot be written down is not begun. When a process dies, the lines that it still owed are written,
// with the status LOST, by the next one that has the file to itself. Secrets are hidden as spark.redaction.regex says.
//
// The listener bus is no source for this: it may drop events of listeners that are slow, and tells after the fact.
package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// PathKey is the setting that turns the log on.
const PathKey = "spark.firesteel.audit.path"

// How actions end.
const (
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	Cancelled = "CANCELLED"
	Refused   = "REFUSED" // nobody was let in to do it; such a line has no other before it
	Lost      = "LOST"    // the process ended before
)

// Action is what somebody does. User is who it is done for: a client's word where nobody checks it.
type Action struct {
	Name      string   `json:"action"`
	User      string   `json:"user,omitempty"`
	Peer      string   `json:"peer,omitempty"` // address of who asks; "": the process itself
	Session   string   `json:"session,omitempty"`
	Operation string   `json:"operation,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Statement string   `json:"statement,omitempty"` // SQL, an outline of a plan, or what else is to be done
}

// Outcome is how an action ended. Status "" is what the error means.
type Outcome struct {
	Status string
	Rows   int64  // those that were sent; -1: there are none to count
	Result string // what was made, such as the id of a driver
	Err    error
}

// line is one line of the file.
type line struct {
	Time    string `json:"time"`
	Event   string `json:"event"` // begin or end
	ID      string `json:"id"`
	App     string `json:"application,omitempty"`
	Host    string `json:"host,omitempty"`
	Process int    `json:"process"`
	Action
	Status string `json:"status,omitempty"`
	Millis *int64 `json:"milliseconds,omitempty"`
	Rows   *int64 `json:"rows,omitempty"`
	Result string `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// The events of lines. A settled line says that all actions before it have both of theirs.
const (
	begins  = "begin"
	ends    = "end"
	settled = "settled"
)

// Log is an open audit log; nil is one that is off. It may be used by several goroutines.
type Log struct {
	conf *conf.Values
	path string
	app  string
	host string
	run  string // of this process

	mu      sync.Mutex
	file    *os.File
	closed  bool
	last    int
	refused limiter
}

// Open opens the log that the settings name; nil if they name none. app is the application's id, "" for daemons.
func Open(v *conf.Values, app string) (*Log, error) {
	path := v.String(PathKey)
	if path == "" {
		return nil, nil
	}
	l := &Log{conf: v, app: app, run: rand.Text()[:12]}
	l.host, _ = os.Hostname() // "" is not told
	var err error
	if l.path, err = filepath.Abs(path); err == nil {
		err = l.open()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", PathKey, err)
	}
	return l, nil
}

// Close ends the log. Nil has nothing to close.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.file.Close()
}

// Entry is an action that has begun; nil is one that nobody writes down.
type Entry struct {
	log    *Log
	id     string
	action Action
	start  time.Time
}

// Setting is a setting without secrets.
func (l *Log) Setting(key, value string) string {
	if l == nil {
		return key
	}
	return key + "=" + l.conf.Redacted(key, value)
}

// mostText is how much of a statement or an error is written, in bytes.
const mostText = 64 << 10

// Begin writes that an action begins. After an error it must not.
func (l *Log) Begin(a Action) (*Entry, error) {
	if l == nil {
		return nil, nil
	}
	a.Statement = l.shown(a.Statement)
	l.mu.Lock()
	l.last++
	e := &Entry{log: l, id: fmt.Sprintf("%s-%d", l.run, l.last), action: a, start: time.Now()}
	err := l.write(e.line(begins, e.start))
	l.mu.Unlock()
	if err != nil {
		return nil, sparkerr.New("AUDIT_LOG_NOT_WRITABLE", "path", l.path, "reason", err.Error())
	}
	e.action.Statement = "" // it is told once
	return e, nil
}

// End writes how the action ended, and gives the error back.
func (e *Entry) End(o Outcome) error {
	if e == nil {
		return o.Err
	}
	now := time.Now()
	out := e.line(ends, now)
	took := now.Sub(e.start).Milliseconds()
	out.Millis, out.Status, out.Result = &took, o.Status, o.Result
	if o.Rows >= 0 {
		out.Rows = &o.Rows
	}
	if o.Err != nil {
		out.Error = e.log.shown(o.Err.Error())
	}
	if out.Status == "" {
		out.Status = statusOf(o.Err)
	}
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	if err := e.log.write(out); err != nil {
		fmt.Fprintf(os.Stderr, "firesteel: the end of action %s is missing in the audit log: %v\n", e.id, err)
	}
	return o.Err
}

// Do writes down an action without rows.
func (l *Log) Do(a Action, f func() error) error {
	e, err := l.Begin(a)
	if err != nil {
		return err
	}
	out := Outcome{Rows: -1, Err: errors.New("a panic")}
	defer func() { _ = e.End(out) }()
	out.Err = f()
	return out.Err
}

func statusOf(err error) string {
	switch e, ok := sparkerr.As(err); {
	case err == nil:
		return Succeeded
	case ok && (e.Condition == "OPERATION_CANCELED" || strings.HasPrefix(e.Condition, "INVALID_HANDLE.")), errors.Is(err, context.Canceled):
		return Cancelled
	}
	return Failed
}

// Refuse writes that somebody was not let in. Of many in a second only some are written, and the next line has their number.
func (l *Log) Refuse(a Action, reason string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	passed, missed := l.refused.pass(now)
	if !passed {
		return
	}
	if missed > 0 {
		reason = fmt.Sprintf("%s (%d more were refused before)", reason, missed)
	}
	l.last++
	e := &Entry{log: l, id: fmt.Sprintf("%s-%d", l.run, l.last), action: a}
	out := e.line(ends, now)
	out.Status, out.Error = Refused, reason
	if err := l.write(out); err != nil {
		fmt.Fprintf(os.Stderr, "firesteel: the audit log cannot be written: %v\n", err)
	}
}

// limiter lets some things pass in a second, and counts the others.
type limiter struct {
	second time.Time
	count  int
	missed int
}

// refusals is how many refusals are written in a second.
const refusals = 20

func (l *limiter) pass(now time.Time) (ok bool, missed int) {
	if now.Sub(l.second) >= time.Second {
		l.second, l.count = now, 0
	}
	if l.count++; l.count > refusals {
		l.missed++
		return false, 0
	}
	missed, l.missed = l.missed, 0
	return true, missed
}

// shown is a text without secrets, and not too long.
func (l *Log) shown(text string) string {
	size := len(text)
	if size > mostText {
		text = strings.ToValidUTF8(text[:mostText], "")
	}
	text = l.conf.RedactedText(text)
	if size > mostText {
		text += fmt.Sprintf("… (%d bytes)", size)
	}
	return text
}

func (e *Entry) line(event string, at time.Time) line {
	return line{Time: stamp(at), Event: event, ID: e.id, App: e.log.app, Host: e.log.host, Process: os.Getpid(), Action: e.action}
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// write appends a line in one write, so that lines of several processes do not mix; l.mu is held. A file that was moved away is
// followed by a new one at its place.
func (l *Log) write(n line) error {
	if l.closed {
		return fs.ErrClosed
	}
	if l.moved() {
		_ = l.file.Close() // every line in it was written
		if err := l.open(); err != nil {
			return err
		}
	}
	return l.put(n)
}

func (l *Log) moved() bool {
	here, err := l.file.Stat()
	there, err2 := os.Stat(l.path)
	return err != nil || err2 != nil || !os.SameFile(here, there)
}

func (l *Log) put(n line) error {
	var b bytes.Buffer
	if torn(l.file) {
		b.WriteByte('\n')
	}
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(n); err != nil {
		return err
	}
	_, err := l.file.Write(b.Bytes())
	return err
}

// Me is the user of this process.
func Me() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Getuid())
}

type covered struct{}

// Cover marks that what is done under a context belongs to an action that is written down.
func Cover(ctx context.Context) context.Context { return context.WithValue(ctx, covered{}, true) }

// Covered says whether it does.
func Covered(ctx context.Context) bool { return ctx.Value(covered{}) != nil }
