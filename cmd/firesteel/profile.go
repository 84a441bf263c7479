package main

import (
	"errors"
	"os"
	"runtime/pprof"
)

// startProfile starts a processor profile into the file of --profile, if one was given. The function it returns ends it;
// `go tool pprof` opens the file.
func (a *appFlags) startProfile() (stop func() error, err error) {
	if a.profile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(a.profile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
