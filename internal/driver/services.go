package driver

import (
	"context"
	"net"
	"strconv"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle/service"
)

// Where shuffle services serve map outputs (spark.shuffle.service.enabled), the driver has a link to that of each machine: the
// files of the application stay as long as it is there.

// holdService connects to the service of a host, once; the lock is held.
func (r *Remote) holdService(host string) {
	if !r.o.Conf.Bool("spark.shuffle.service.enabled") || r.services[host] != nil {
		return
	}
	addr := net.JoinHostPort(host, strconv.Itoa(int(r.o.Conf.Int("spark.shuffle.service.port"))))
	l := service.NewLink(addr, r.serviceRPC(), service.Registration{App: r.app.ID, Grace: r.o.Conf.Duration("spark.network.timeout")})
	l.Keep()
	if r.services == nil {
		r.services = map[string]*service.Link{}
	}
	r.services[host] = l
}

// serviceRPC is how the driver presents itself to shuffle services.
func (r *Remote) serviceRPC() rpc.Config {
	c := r.rpc()
	c.Build, c.Secret = "", service.SecretFor(r.o.Conf, r.app.Secret)
	return c
}

// dropOutside has the services delete the outputs of a shuffle.
func (r *Remote) dropOutside(id event.ShuffleID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for host, l := range r.services {
		if err := l.Drop(id); err != nil {
			r.log.Warn("the shuffle service was not told to drop a shuffle", "host", host, "shuffle", id, "error", err)
		}
	}
}

// leaveServices tells the services that the application is over.
func (r *Remote) leaveServices(ctx context.Context) {
	r.mu.Lock()
	links := r.services
	r.services = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, leaveWait)
	defer cancel()
	for host, l := range links {
		if err := l.End(ctx); err != nil {
			r.log.Warn("the shuffle service was not told that the application ended", "host", host, "error", err)
		}
	}
}
