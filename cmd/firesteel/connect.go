package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/connect"
	"github.com/firesteel/firesteel/internal/connect/host"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/session"
)

// runConnect serves Spark Connect clients until it is interrupted.
func runConnect(ctx context.Context, args []string) (result error) {
	f := newFlags("connect", "[--host H] [--port P] [flags]")
	var app appFlags
	address := f.String("host", "", "address to listen on (default 127.0.0.1; others need spark.connect.authenticate.token)")
	port := f.Int("port", -1, "port to listen on; 0 is any free one (default 15002)")
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = "firesteel connect"
	}
	stop, err := app.startProfile()
	if err != nil {
		return err
	}
	defer func() { result = errors.Join(result, stop()) }()
	a, err := session.Start(ctx, o)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	srv, err := serve(a, *address, *port)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Firesteel %s: Spark Connect on sc://%s, %s\n", session.Version, srv.Addr(), placeOf(a, o))
	select {
	case <-ctx.Done():
	case err = <-srv.failed:
	}
	srv.Stop()
	return err
}

// placeOf says where tasks will run.
func placeOf(a *session.App, o session.Options) string {
	if m, err := cluster.ParseMaster(o.MasterOr()); err == nil && m.Kind != cluster.Local {
		return "tasks run on executors of " + m.URL
	}
	return fmt.Sprintf("%s with %d task slots", o.MasterOr(), a.Slots())
}

// server is a Connect server that listens.
type server struct {
	*connect.Server
	listener net.Listener
	failed   chan error
}

// serve starts a server of the application. An empty host and a negative port mean the settings'.
func serve(a *session.App, address string, port int) (*server, error) {
	o := connect.FromConf(a.Conf)
	by, err := secure.FromConf(a.Conf, secure.Connect)
	if err != nil {
		return nil, err
	}
	if o.TLS, err = by.Server(""); err != nil {
		return nil, err
	}
	o.Folder = a.Dirs().Next
	o.Version, o.Audit, o.Publish = session.SparkVersion, a.Audit(), a.Publisher()
	o.Spool = connect.Spool{Create: func() (*os.File, error) { return a.Dirs().Create("result_") }, Seal: a.Dirs().Seal()}
	h, p, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, err
	}
	if address != "" {
		h = address
	}
	if port >= 0 {
		p = strconv.Itoa(port)
	}
	o.Address = net.JoinHostPort(h, p)
	s := &server{Server: connect.New(host.Engine{App: a}, o), failed: make(chan error, 1)}
	if s.listener, err = s.Listen(); err != nil {
		return nil, fmt.Errorf("firesteel connect: %w", err)
	}
	go func() {
		if err := s.Serve(s.listener); err != nil && !errors.Is(err, net.ErrClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

// Addr is where the server listens.
func (s *server) Addr() string { return s.listener.Addr().String() }

// Stop ends the server: running operations are cancelled.
func (s *server) Stop() {
	_ = s.Close() // sessions that cannot be closed end with the process
}
