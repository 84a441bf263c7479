package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/event"
)

// Mover is a Fetcher that can ask where a map output lies now; ok is false where it lies nowhere else than before.
type Mover interface {
	Moved(ctx context.Context, shuffle event.ShuffleID, m MapStatus) (now MapStatus, ok bool)
}

// Diagnoser is a Fetcher that can find out why partitions of a map output are damaged.
type Diagnoser interface {
	Diagnose(ctx context.Context, shuffle event.ShuffleID, m MapStatus, from, to int, err error) Cause
}

// Cause is why a block is damaged, in Spark's words.
type Cause string

// The causes.
const (
	DiskIssue    Cause = "DISK_ISSUE"
	NetworkIssue Cause = "NETWORK_ISSUE"
	VerifyPass   Cause = "CHECKSUM_VERIFY_PASS"
	UnknownIssue Cause = "UNKNOWN_ISSUE"
)

// CorruptError says that a block was damaged twice.
type CorruptError struct {
	Block string
	Cause Cause
	Err   error
}

func (e *CorruptError) Error() string {
	switch e.Cause {
	case VerifyPass:
		return fmt.Sprintf("Block %s is corrupted but checksum verification passed: %v", e.Block, e.Err)
	case UnknownIssue:
		return fmt.Sprintf("Block %s is corrupted but the cause is unknown: %v", e.Block, e.Err)
	}
	return fmt.Sprintf("Block %s is corrupted due to %s: %v", e.Block, e.Cause, e.Err)
}

// Unwrap returns what was found.
func (e *CorruptError) Unwrap() error { return e.Err }

// maxMoves is how often a map output may move while it is read.
const maxMoves = 3

// again opens a map output once more that could not be read: where it was, once, if its bytes were damaged; else where it was
// moved to meanwhile. The batches that were given before are passed over. If there is nothing to try it gives an error.
func (r *fileReader) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	m := &r.r.Maps[r.m]
	if damaged(err) {
		if r.refetched {
			return &CorruptError{Block: fmt.Sprintf("shuffle_%d_%d_%d", r.r.Shuffle, m.Map, r.r.From), Cause: r.diagnose(ctx, *m, err), Err: err}
		}
		r.refetched = true
	} else {
		mover, ok := r.files.fetch.(Mover)
		if !ok || r.moves == maxMoves {
			return err
		}
		now, ok := mover.Moved(ctx, r.r.Shuffle, *m)
		if !ok {
			return err
		}
		r.moves++
		*m = now
	}
	if r.in != nil {
		_ = r.in.Close() // it is given up
		r.in = nil
	}
	in, oerr := r.reopen(ctx, *m)
	if oerr != nil {
		return errors.Join(err, oerr)
	}
	r.in, r.skip = in, r.given
	r.decode()
	return nil
}

func (r *fileReader) reopen(ctx context.Context, m MapStatus) (io.ReadCloser, error) {
	if m.At != r.files.self {
		if r.files.fetch == nil {
			return nil, errGone
		}
		return r.files.fetch.Fetch(ctx, r.r.Shuffle, m, r.r.From, r.r.To)
	}
	s, err := r.files.Open(r.r.Shuffle, m.Map, r.r.From, r.r.To)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// damaged says that bytes came, but not those that were written.
func damaged(err error) bool {
	return errors.Is(err, frame.ErrCorrupt) || errors.Is(err, block.ErrChecksum)
}

func (r *fileReader) diagnose(ctx context.Context, m MapStatus, err error) Cause {
	if m.At == r.files.self {
		path, perr := r.files.path(Part{Shuffle: r.r.Shuffle, Map: m.Map})
		if perr != nil {
			return UnknownIssue
		}
		return causeOf(stateOf(CheckFile(path, r.r.From, r.r.To)), err)
	}
	if d, ok := r.files.fetch.(Diagnoser); ok {
		return d.Diagnose(ctx, r.r.Shuffle, m, r.r.From, r.r.To, err)
	}
	return UnknownIssue
}

func stateOf(err error) block.State {
	switch {
	case err == nil:
		return block.Sound
	case errors.Is(err, block.ErrChecksum):
		return block.Damaged
	}
	return block.Unchecked
}

// causeOf is the cause of damage, by what the server finds that has the block and how the damage was seen here.
func causeOf(s block.State, err error) Cause {
	switch {
	case s == block.Damaged:
		return DiskIssue
	case s == block.Sound && errors.Is(err, block.ErrChecksum): // of the transfer
		return NetworkIssue
	case s == block.Sound:
		return VerifyPass
	}
	return UnknownIssue
}

// Diagnose implements Diagnoser.
func (p Peers) Diagnose(ctx context.Context, shuffle event.ShuffleID, m MapStatus, from, to int, err error) Cause {
	if m.At == event.FallbackStorage && p.Fallback != nil {
		return causeOf(stateOf(p.Fallback.Check(ctx, Part{shuffle, m.Map, from, to})), err)
	}
	c, at, name, serr := p.source(m, Part{shuffle, m.Map, from, to})
	if serr != nil {
		return UnknownIssue
	}
	s, serr := c.Check(ctx, at, name)
	if serr != nil {
		return UnknownIssue
	}
	return causeOf(s, err)
}

// Moved implements Mover.
func (p Peers) Moved(ctx context.Context, shuffle event.ShuffleID, m MapStatus) (MapStatus, bool) {
	if p.Where == nil {
		return m, false
	}
	return p.Where(ctx, shuffle, m)
}
