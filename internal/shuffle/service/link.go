package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
)

// The methods of the service, besides those of block servers.
const (
	methodRegister = "outputs.register" // Registration -> nothing: an executor's folders
	methodHold     = "outputs.hold"     // Registration -> nothing: the driver is there
	methodEnd      = "outputs.end"      // Registration -> nothing: the application is over
	methodDrop     = "outputs.drop"     // message: drop
)

// Registration is what an application tells the service of itself.
type Registration struct {
	App      event.AppID
	Executor event.ExecutorID // "": the driver
	Folders  []string         // of the executor, with its map outputs
	// Grace is how long the application's files stay when none of its processes is connected.
	Grace time.Duration
}

type drop struct {
	App     event.AppID
	Shuffle event.ShuffleID
}

// retryPause is the time between two attempts to reach a service that is gone.
const retryPause = 2 * time.Second

// Link is the connection of an executor or a driver to the service of a machine. It is made again when it breaks.
type Link struct {
	addr string
	cfg  rpc.Config
	reg  Registration
	base context.Context
	stop context.CancelFunc
	busy sync.WaitGroup

	mu   sync.Mutex
	conn *rpc.Conn // nil while there is none
}

// NewLink makes a link that is not connected yet.
func NewLink(addr string, cfg rpc.Config, r Registration) *Link {
	l := &Link{addr: addr, cfg: cfg, reg: r}
	l.base, l.stop = context.WithCancel(context.Background())
	return l
}

// Register connects and registers, and does so again whenever the connection breaks, until Close.
func (l *Link) Register(ctx context.Context) error {
	if err := l.connect(ctx); err != nil {
		return err
	}
	l.busy.Go(l.keep)
	return nil
}

// Keep is Register that waits for nothing and does not give up.
func (l *Link) Keep() { l.busy.Go(l.keep) }

func (l *Link) connect(ctx context.Context) error {
	conn, err := rpc.Dial(ctx, l.addr, l.cfg, nobody{})
	if err != nil {
		return err
	}
	body, err := rpc.Marshal(&l.reg)
	if err == nil {
		method := methodRegister
		if l.reg.Executor == "" {
			method = methodHold
		}
		_, err = conn.Call(ctx, method, body)
	}
	if err != nil {
		conn.Close()
		return err
	}
	l.mu.Lock()
	l.conn = conn
	l.mu.Unlock()
	return nil
}

// keep makes the connection again when it is lost.
func (l *Link) keep() {
	for {
		l.mu.Lock()
		conn := l.conn
		l.mu.Unlock()
		if conn == nil {
			if l.connect(l.base) == nil {
				continue
			}
			select {
			case <-time.After(retryPause):
				continue
			case <-l.base.Done():
				return
			}
		}
		select {
		case <-conn.Done():
			conn.Close()
			l.mu.Lock()
			l.conn = nil
			l.mu.Unlock()
		case <-l.base.Done():
			return
		}
	}
}

// Drop says that a shuffle is not needed any more. It does not wait; a service that is not connected learns it when the
// application ends.
func (l *Link) Drop(id event.ShuffleID) error {
	body, err := rpc.Marshal(&drop{l.reg.App, id})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return errors.New("the shuffle service at " + l.addr + " is not connected")
	}
	return l.conn.Send(methodDrop, body)
}

// End says that the application is over, and closes the link.
func (l *Link) End(ctx context.Context) error {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	var err error
	if conn != nil {
		var body []byte
		if body, err = rpc.Marshal(&l.reg); err == nil {
			_, err = conn.Call(ctx, methodEnd, body)
		}
	}
	l.Close()
	return err
}

// Close ends the link.
func (l *Link) Close() {
	l.stop()
	l.busy.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// nobody is the handler of a link: services ask nothing.
type nobody struct{}

func (nobody) Call(context.Context, *rpc.Conn, string, []byte) ([]byte, error) {
	return nil, errors.New("a link to a shuffle service answers nothing")
}
func (nobody) Receive(*rpc.Conn, string, []byte) {}
