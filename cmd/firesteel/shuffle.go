package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/shuffle/service"
)

// outputs is the shuffle service of a worker; nil where it has none.
type outputs struct{ *service.Server }

// AppEnded implements standalone.Outputs.
func (o *outputs) AppEnded(id event.AppID) {
	if o != nil {
		o.Server.AppEnded(id)
	}
}

func (o *outputs) close() {
	if o == nil {
		return
	}
	if err := o.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "firesteel: map outputs cannot be removed:", err)
	}
}

// serveOutputs starts the shuffle service if the settings ask for one.
func (d *daemonFlags) serveOutputs(v *conf.Values, secret string) (*outputs, error) {
	if !v.Bool("spark.shuffle.service.enabled") {
		return nil, nil
	}
	return d.startService(v, int(v.Int("spark.shuffle.service.port")), secret)
}

func (d *daemonFlags) startService(v *conf.Values, port int, secret string) (*outputs, error) {
	by, err := secure.FromConf(v, secure.RPC)
	if err != nil {
		return nil, err
	}
	s, err := service.Start(service.Options{Address: net.JoinHostPort(cmp.Or(d.host, "127.0.0.1"), strconv.Itoa(port)),
		RPC: rpc.Config{Secret: service.SecretOf(secret), TLS: by, Name: "the shuffle service"}, Open: d.open, Log: daemonLog()})
	if err != nil {
		return nil, err
	}
	return &outputs{s}, nil
}

// runShuffle is an external shuffle service without a worker, until it is interrupted.
func runShuffle(ctx context.Context, args []string) error {
	f := newFlags("shuffle", "[--host H] [--port P] [flags]")
	var d daemonFlags
	d.register(f, 0, -1, "SPARK_SHUFFLE_SERVICE")
	if err := f.parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError{errors.New("shuffle takes no arguments")}
	}
	v, err := d.settings()
	if err != nil {
		return err
	}
	secret, err := clusterSecret(v)
	if err != nil {
		return err
	}
	port := d.port
	if !f.Changed("port") && port == 0 {
		port = int(v.Int("spark.shuffle.service.port"))
	}
	s, err := d.startService(v, port, secret)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(os.Stderr, "Firesteel %s: shuffle service at %s\n", session.Version, s.Address())
	<-ctx.Done()
	return nil
}
