package eventlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/vfs"
)

// App names an application to the log's readers.
type App struct {
	ID      string
	Attempt string // of those whose cluster manager counts attempts
	Release string // of Spark, whose semantics the application has
}

// Log is the log of one application. Its Listen is for the application's bus.
type Log struct {
	log *slog.Logger

	mu     sync.Mutex
	enc    *encoder
	out    files
	broken bool      // a write failed: the rest is lost
	lost   int64     // events that are not in the log
	told   time.Time // when losses were told last
	closed bool
}

// Open begins the log of an application where the settings say (spark.eventLog.*).
func Open(ctx context.Context, reg *vfs.Registry, v *conf.Values, app App, log *slog.Logger) (*Log, error) {
	p, err := newPlace(ctx, reg, v, app)
	if err != nil {
		return nil, err
	}
	out, err := p.open(ctx, v.Bool("spark.eventLog.overwrite"))
	if err != nil {
		return nil, err
	}
	l := &Log{log: log, enc: newEncoder(v), out: out}
	l.Listen(event.LogStart{Version: app.Release})
	return l, nil
}

// Listen writes an event. It never fails: that the log is broken is told, and the application goes on.
func (l *Log) Listen(ev event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d, ok := ev.(event.Dropped); ok {
		l.dropped(d.Count)
		return
	}
	line, err := l.enc.line(ev)
	switch {
	case err != nil:
		l.lost++
		l.log.Warn("an event cannot be written", "event", ev.EventName(), "error", err)
		return
	case line == nil:
		return
	case l.broken || l.closed:
		l.lost++
		return
	}
	if err = l.out.write(line); err == nil && flushes(ev) {
		err = l.out.flush()
	}
	if err != nil {
		l.broken = true
		l.lost++
		l.log.Error("the event log cannot be written; what happens from now on is not in it", "error", err)
	}
}

// tellAfter is the pause between two warnings about events that were lost.
const tellAfter = time.Minute

// dropped counts events that came too fast. Readers will miss them: a task without its end looks as if it still ran.
func (l *Log) dropped(n int64) {
	l.lost += n
	if time.Since(l.told) < tellAfter {
		return
	}
	l.told = time.Now()
	l.log.Warn("events come faster than they can be logged (spark.scheduler.listenerbus.eventqueue.capacity)", "lost", l.lost)
}

// Lost is how many events are not in the log.
func (l *Log) Lost() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Close ends the log when the bus has delivered everything. A log that is broken stays in progress.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	if err := l.out.finish(); err != nil && !l.broken {
		l.log.Error("the event log cannot be finished", "error", err)
	}
	if l.lost > 0 {
		l.log.Warn("the event log is not complete", "lost", l.lost)
	}
}
