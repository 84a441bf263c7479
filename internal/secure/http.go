package secure

import (
	"net/http"
	"time"
)

// policy lets pages show what they hold and run nothing.
const policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// Pages is a server of pages and of requests of programs that strangers may reach: who sends slowly, or much, is sent away. Nothing
// that it answers can run in a browser, whatever it says it is.
func Pages(h http.Handler) *http.Server {
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, r)
	})
	return &http.Server{Handler: guarded, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
}
