package source

import (
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Env is what readers and writers need of the process and the session.
type Env struct {
	Session *kernel.Session // zone, ANSI, configuration
	FS      *vfs.Registry
}

// Conf is a spark.* setting of the session; def when it has none.
func (e *Env) Conf(key, def string) string {
	if e == nil || e.Session == nil || e.Session.Conf == nil {
		return def
	}
	if v := e.Session.Conf(key); v != "" {
		return v
	}
	return def
}

// flag is a boolean setting.
func (e *Env) flag(key string, def bool) bool {
	switch e.Conf(key, "") {
	case "true":
		return true
	case "false":
		return false
	}
	return def
}
