package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/wire"
)

// anywhere is the level of what must not get lost while there is room on any device.
const anywhere = block.InMemory | block.OnDisk

// windowShare is the part of the accounted memory that readers of map outputs may fill ahead, all tasks together.
const windowShare = 8

// openBlocks makes the store, and what reads from others.
func (p *process) openBlocks() {
	e := p.env
	e.Blocks = block.NewStore(e.Pool, e.Dirs, func(st event.BlockStatus) { p.out.Put(wire.BlockChanged{Status: st}) })
	window := min(p.conf.Bytes("spark.reducer.maxSizeInFlight"), max(e.Pool.Usage().Budget/windowShare/int64(e.Cores), 2*block.Chunk))
	p.client = block.NewClient(block.Options{RPC: p.rpc(), Retries: int(p.conf.Int("spark.shuffle.io.maxRetries")),
		Wait: p.conf.Duration("spark.shuffle.io.retryWait"), Window: window, Timeout: p.conf.Duration("spark.network.timeout")})
	if path := p.conf.String("spark.storage.decommission.fallbackStorage.path"); path != "" {
		p.fallback = &shuffle.Fallback{FS: e.FS, Root: shuffle.FallbackRoot(path, p.args.App)}
	}
	peers := shuffle.Peers{Client: p.client, Address: p.places.address, Where: p.moved, Fallback: p.fallback}
	if p.conf.Bool("spark.shuffle.service.enabled") {
		p.outside = block.NewClient(block.Options{RPC: p.serviceRPC(), Retries: int(p.conf.Int("spark.shuffle.io.maxRetries")),
			Wait: p.conf.Duration("spark.shuffle.io.retryWait"), Window: window, Timeout: p.conf.Duration("spark.network.timeout")})
		peers.Service = &shuffle.Service{Client: p.outside, App: p.args.App, Port: int(p.conf.Int("spark.shuffle.service.port"))}
	}
	e.Shuffle = shuffle.NewFiles(e.Dirs, e.ID, e.Host, p.conf.Bool("spark.shuffle.compress"), peers)
	e.Shuffle.Window = window
	e.Shuffle.Requests = min(int(p.conf.Int("spark.reducer.maxReqsInFlight")), int(p.conf.Int("spark.reducer.maxBlocksInFlightPerAddress")))
	e.Statuses, e.Broadcast, e.Cached = p.statuses, p.broadcast, p.cached
	e.Store = func(name string) (io.WriteCloser, error) { return e.Blocks.Writer(name, anywhere), nil }
}

// rpc is how this process presents itself.
func (p *process) rpc() rpc.Config {
	return rpc.Config{Secret: p.args.Secret, TLS: p.args.TLS, Build: wire.Build(), Name: "executor " + string(p.args.ID)}
}

// listen opens the block server's port, or one of the next ones if it is taken.
func (p *process) listen() (err error) {
	h := block.Handler{From: shuffle.Blocks{Files: p.env.Shuffle, Rest: p.env.Blocks}}
	port, tries := int(p.conf.Int("spark.blockManager.port")), int(p.conf.Int("spark.port.maxRetries"))
	refused := func(peer string, err error) {
		p.log.Warn("a connection to the block server was refused", "peer", peer, "reason", err)
	}
	for i := 0; ; i++ {
		p.server, err = rpc.Listen(net.JoinHostPort(p.args.Bind, strconv.Itoa(port)), p.rpc(), func(*rpc.Conn) rpc.Handler { return h }, refused)
		if err == nil {
			return nil
		}
		if port == 0 || i >= tries || !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("the executor cannot serve blocks (spark.blockManager.port): %w", err)
		}
		port++
	}
}

// address is where others reach the block server.
func (p *process) address() string {
	return net.JoinHostPort(p.args.Host, strconv.Itoa(p.server.Port()))
}

// BroadcastName is the name of a broadcast's block.
func broadcastName(id event.BroadcastID) string { return fmt.Sprintf("broadcast_%d", id) }

// broadcast implements Env.Broadcast: a value is fetched from the driver once a process, and kept until it is dropped.
func (p *process) broadcast(ctx context.Context, id event.BroadcastID) (io.ReadCloser, error) {
	name := broadcastName(id)
	v, _ := p.fetching.LoadOrStore(name, &sync.Mutex{})
	one := v.(*sync.Mutex)
	one.Lock()
	defer one.Unlock()
	r, err := p.env.Blocks.Stream(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	start := time.Now()
	in := p.client.Open(ctx, p.args.Driver, name, 0)
	out := p.env.Blocks.Writer(name, anywhere)
	n, err := io.Copy(out, in)
	err = errors.Join(err, in.Close())
	if err != nil {
		return nil, errors.Join(err, out.Abort())
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	p.log.Info("broadcast fetched", "broadcast", id, "bytes", n, "time", time.Since(start))
	return p.env.Blocks.Stream(name)
}

// file reads a file of the application from the driver.
func (p *process) file(ctx context.Context, f *files.File) (io.ReadCloser, error) {
	p.log.Info("fetching a file of the application", "name", f.Name, "bytes", f.Size)
	return p.client.Open(ctx, p.args.Driver, f.Block(), f.Size), nil
}

// cached implements Env.Cached.
func (p *process) cached(ctx context.Context, name string) (io.ReadCloser, error) {
	var a wire.BlockAnswer
	if err := p.ask(ctx, wire.MethodLocate, &wire.BlockQuery{Name: name}, &a); err != nil {
		return nil, err
	}
	p.places.learn(a.At)
	for id := range a.At {
		if addr, err := p.places.address(id); err == nil && id != p.args.ID {
			return &pulled{p.client.Open(ctx, addr, name, 0), p, addr, name}, nil
		}
	}
	return nil, fmt.Errorf("cached block %s: %w", name, fs.ErrNotExist)
}

// pulled reads a cached block of another executor. One that cannot be read there is dropped, so that nobody is sent to it again.
type pulled struct {
	*block.Stream
	p        *process
	at, name string
}

func (r *pulled) Read(b []byte) (int, error) {
	n, err := r.Stream.Read(b)
	var server *block.ServerError
	if errors.As(err, &server) || errors.Is(err, block.ErrChecksum) {
		if err := r.p.client.Remove(r.p.ctx, r.at, r.name); err != nil {
			r.p.log.Warn("a damaged cached block cannot be dropped", "block", r.name, "at", r.at, "error", err)
		}
	}
	return n, err
}
