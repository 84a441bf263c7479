package rpc

import (
	"errors"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// RemoteError is an error without a type of its own that came from another process.
type RemoteError struct {
	Text  string
	Cause error
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the typed error that the text was wrapped around, if there was one.
func (e *RemoteError) Unwrap() error { return e.Cause }

// Errors of these kinds keep their type on the way; of others the text travels, around the first one that has a kind.
const (
	noError = iota
	sparkError
	fetchError
	killedError
	deniedError
	plainError
)

// AddErrors registers errors and the reasons for the end of a task.
func AddErrors(c *Codec) {
	Custom(c, encodeError, decodeError)
	Union[event.Reason](c, event.Success{}, event.ExceptionFailure{}, event.FetchFailed{}, event.ExecutorLostFailure{},
		event.TaskKilled{}, event.TaskCommitDenied{}, event.TaskResultLost{}, event.Resubmitted{}, event.UnknownReason{})
}

func encodeError(e *Encoder, err error) {
	switch x := err.(type) {
	case nil:
		e.Uint(noError)
	case *sparkerr.Error:
		e.Uint(sparkError)
		e.nested(func() { Value(e, *x) })
	case *event.FetchError:
		e.Uint(fetchError)
		e.nested(func() { Value(e, x.FetchFailed) })
	case *event.KilledError:
		e.Uint(killedError)
		Value(e, x.TaskKilled)
	case *event.CommitDeniedError:
		e.Uint(deniedError)
		Value(e, x.TaskCommitDenied)
	default:
		e.Uint(plainError)
		e.Text(err.Error())
		e.nested(func() { encodeError(e, typedBelow(err)) })
	}
}

// typedBelow is the first error in err's chain that has a kind.
func typedBelow(err error) error {
	var fetch *event.FetchError
	var killed *event.KilledError
	var denied *event.CommitDeniedError
	switch {
	case errors.As(err, &fetch):
		return fetch
	case errors.As(err, &killed):
		return killed
	case errors.As(err, &denied):
		return denied
	}
	if s, ok := sparkerr.As(err); ok {
		return s
	}
	return nil
}

func decodeError(d *Decoder) error {
	switch kind := d.Uint(); kind {
	case noError:
	case sparkError:
		x := Read[sparkerr.Error](d)
		return &x
	case fetchError:
		return &event.FetchError{FetchFailed: Read[event.FetchFailed](d)}
	case killedError:
		return &event.KilledError{TaskKilled: Read[event.TaskKilled](d)}
	case deniedError:
		return &event.CommitDeniedError{TaskCommitDenied: Read[event.TaskCommitDenied](d)}
	case plainError:
		x := &RemoteError{Text: d.Text()}
		x.Cause = Read[error](d)
		return x
	default:
		d.Fail("there is no error kind %d", kind)
	}
	return nil
}

// plain is the codec of messages between processes that know nothing of plans.
var plain = func() *Codec {
	c := NewCodec()
	AddErrors(c)
	return c
}()

// Marshal and Unmarshal carry messages of Go's own types, errors and reasons.
func Marshal(v any) ([]byte, error)         { return plain.Append(nil, v) }
func Unmarshal(data []byte, into any) error { return plain.Decode(data, into) }
