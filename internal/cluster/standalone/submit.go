package standalone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// Client asks the master that leads about drivers. It follows when another one does.
type Client struct {
	o    dialOptions
	peer *Peer
}

// NewClient connects to the master that leads.
func NewClient(ctx context.Context, masters []string, secret string, by *secure.TLS) (*Client, error) {
	c := &Client{o: dialOptions{masters, secured(identity(secret, "a client", Program{}), by), silent{}}}
	var err error
	c.peer, err = dialFor(ctx, c.o, firstContact)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() { c.peer.Close() }

// do asks something that may be asked twice, again if the connection breaks meanwhile.
func (c *Client) do(ctx context.Context, ask func(context.Context, *Peer) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err := ask(ctx, c.peer)
	var lost *rpc.ConnError
	if !errors.As(err, &lost) {
		return err
	}
	p, err := find(ctx, c.o, firstContact, ask)
	if err != nil {
		return err
	}
	c.peer.Close()
	c.peer = p
	return nil
}

// Submit asks for a driver in the cluster and returns its id.
func (c *Client) Submit(ctx context.Context, d core.DriverDesc) (id string, err error) {
	d.Token = rand.Text()
	err = c.do(ctx, func(ctx context.Context, p *Peer) error {
		r, err := p.ask(ctx, core.DriverSubmitted{Desc: d})
		id = r.ID
		return err
	})
	return id, err
}

// Kill asks for the end of a driver.
func (c *Client) Kill(ctx context.Context, id string) (message string, err error) {
	err = c.do(ctx, func(ctx context.Context, p *Peer) error {
		r, err := p.ask(ctx, core.DriverKill{ID: id})
		message = r.Message
		return err
	})
	return message, err
}

// Status finds a driver; ok is false if the master does not know it.
func (c *Client) Status(ctx context.Context, id string) (d core.DriverView, ok bool, err error) {
	err = c.do(ctx, func(ctx context.Context, p *Peer) error {
		v, err := p.View(ctx)
		d, ok = findDriver(v, id)
		return err
	})
	return d, ok, err
}

func findDriver(v core.View, id string) (core.DriverView, bool) {
	for _, list := range [][]core.DriverView{v.ActiveDrivers, v.EndedDrivers} {
		for _, d := range list {
			if d.ID == id {
				return d, true
			}
		}
	}
	return core.DriverView{}, false
}

// silent is the handler of who only asks.
type silent struct{}

func (silent) Call(_ context.Context, _ *rpc.Conn, method string, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("a client knows no method %q", method)
}
func (silent) Receive(*rpc.Conn, string, []byte) {}
