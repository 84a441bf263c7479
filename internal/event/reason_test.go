package event

import (
	"errors"
	"fmt"
	"testing"
)

func TestReasonOf(t *testing.T) {
	fetch := &FetchError{FetchFailed{Shuffle: 1, Map: 2, From: "e1"}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "Success"},
		{errors.New("boom"), "ExceptionFailure"},
		{fetch, "FetchFailed"},
		{fmt.Errorf("user code: %w", errors.Join(errors.New("other"), fetch)), "FetchFailed"},
		{fmt.Errorf("x: %w", &KilledError{TaskKilled{"stage finished"}}), "TaskKilled"},
		{&CommitDeniedError{TaskCommitDenied{Stage: 1}}, "TaskCommitDenied"},
	} {
		if got := ReasonOf(c.err).Name(); got != c.want {
			t.Errorf("ReasonOf(%v) = %s, want %s", c.err, got, c.want)
		}
	}
}

// A reader of blocks must be able to see why a fetch failed, however often the error was wrapped.
func TestFetchErrorKeepsCause(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("join: %w", &FetchError{FetchFailed{Map: -1, Cause: cause}})
	if !errors.Is(err, cause) {
		t.Fatal("cause lost")
	}
	got, ok := ReasonOf(err).(FetchFailed)
	if !ok || got.Map != -1 || got.Cause != cause {
		t.Fatalf("got %#v", got)
	}
}
