package secure

import (
	"net/http"
	"time"
)

// Pages is a server of pages and of requests of programs that strangers may reach: who sends slowly, or much, is sent away.
func Pages(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
}
