package executor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle/service"
)

// serviceRPC is how this process presents itself to shuffle services, by the secret that the driver told.
func (p *process) serviceRPC() rpc.Config {
	c := p.rpc()
	c.Build, c.Secret = "", p.services
	return c
}

// linkOutputs tells the shuffle service of this machine where the map outputs lie, if there is to be one.
func (p *process) linkOutputs(ctx context.Context) error {
	if !p.conf.Bool("spark.shuffle.service.enabled") {
		return nil
	}
	if _, err := p.env.Dirs.Next(); err != nil { // the folders are made
		return err
	}
	folders := make([]string, 0, len(p.roots))
	for _, dir := range p.env.Dirs.All() {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		folders = append(folders, dir)
	}
	addr := net.JoinHostPort(p.args.Host, strconv.Itoa(int(p.conf.Int("spark.shuffle.service.port"))))
	p.link = service.NewLink(addr, p.serviceRPC(), service.Registration{App: p.args.App, Executor: p.args.ID, Folders: folders,
		Grace: p.conf.Duration("spark.network.timeout")})
	if err := p.registerOutputs(ctx, addr); err != nil {
		return err
	}
	p.served = true
	return cluster.MarkServed(p.roots)
}

// registerPause is the time between two attempts to register with the shuffle service.
const registerPause = time.Second

func (p *process) registerOutputs(ctx context.Context, addr string) error {
	limit, most := p.conf.Duration("spark.shuffle.registration.timeout"), int(p.conf.Int("spark.shuffle.registration.maxAttempts"))
	var last error
	for i := range max(most, 1) {
		if i > 0 {
			select {
			case <-time.After(registerPause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		try, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not answer within %s (spark.shuffle.registration.timeout)", limit))
		last = p.link.Register(try)
		cancel()
		var refused *rpc.RefusedError
		if last == nil || errors.As(last, &refused) {
			break
		}
	}
	if last != nil {
		return fmt.Errorf("Unable to register with external shuffle server at %s (spark.shuffle.service.enabled) due to: %w", addr, last)
	}
	p.log.Info("registered with the shuffle service", "address", addr)
	return nil
}

// closeServers ends what other processes are connected to, and this one to them.
func (p *process) closeServers() {
	p.client.Close()
	if p.outside != nil {
		p.outside.Close()
	}
	if p.link != nil {
		p.link.Close()
	}
	if p.server != nil {
		p.server.Close()
	}
}

// removeFiles deletes the files of this executor, but for map outputs that a shuffle service goes on serving.
func (p *process) removeFiles() error {
	if p.served {
		return cluster.RemoveFolders(p.roots)
	}
	return errors.Join(p.env.Dirs.Remove(), cluster.RemoveFolders(p.roots))
}
