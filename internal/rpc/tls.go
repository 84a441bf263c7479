package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// secureClient begins TLS on a connection that was dialled. That the peer cannot be trusted is a *RefusedError: to try again
// would not help.
func secureClient(ctx context.Context, n net.Conn, addr string, c *Config) (net.Conn, error) {
	cfg, err := c.TLS.Client(c.Secret, addr)
	if err != nil || cfg == nil {
		return n, err
	}
	t := tls.Client(n, cfg)
	err = t.HandshakeContext(ctx)
	var refused *tls.CertificateVerificationError
	var other tls.RecordHeaderError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &refused):
		return n, &RefusedError{"this process", fmt.Sprintf("the certificate of %s is not trusted: %v", addr, refused.Err)}
	case errors.As(err, &other):
		return n, &RefusedError{"this process", addr + " does not speak TLS, which is on here (spark.ssl.rpc.enabled, spark.firesteel.tls)"}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return n, fmt.Errorf("it went away when TLS began, which may be off there (spark.ssl.rpc.enabled, spark.firesteel.tls): %w", err)
	}
	return n, fmt.Errorf("TLS failed: %w", err)
}

// secureServer waits for TLS on a connection that was accepted.
func secureServer(n net.Conn, cfg *tls.Config) (net.Conn, error) {
	if cfg == nil {
		return n, nil
	}
	t := tls.Server(n, cfg)
	err := t.Handshake()
	var other tls.RecordHeaderError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &other):
		return n, errors.New("it does not speak TLS, which is on here (spark.ssl.rpc.enabled, spark.firesteel.tls)")
	case errors.Is(err, io.EOF):
		return n, errors.New("it went away during the TLS handshake")
	}
	return n, fmt.Errorf("TLS failed: %w", err)
}
