package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/firesteel/firesteel/internal/session"
)

// runVersion prints the version of Firesteel, the Spark release whose semantics it has, and what it was built from.
func runVersion(context.Context, []string) error {
	fmt.Printf("Firesteel %s (Spark %s semantics), %s %s/%s%s\n", session.Version, session.SparkVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision())
	return nil
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return ", revision " + s.Value[:12]
		}
	}
	return ""
}
