package standalone

import (
	"context"
	"fmt"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/rpc"
)

// Client asks a master about drivers.
type Client struct{ peer *Peer }

// NewClient connects to the first master that answers.
func NewClient(ctx context.Context, masters []string, secret string) (*Client, error) {
	p, err := dialFor(ctx, dialOptions{masters, secret, "a client", silent{}}, firstContact)
	if err != nil {
		return nil, err
	}
	return &Client{p}, nil
}

// Close ends the connection.
func (c *Client) Close() { c.peer.Close() }

// Submit asks for a driver in the cluster and returns its id.
func (c *Client) Submit(ctx context.Context, d core.DriverDesc) (string, error) {
	r, err := c.peer.ask(ctx, core.DriverSubmitted{Desc: d})
	return r.ID, err
}

// Kill asks for the end of a driver.
func (c *Client) Kill(ctx context.Context, id string) (string, error) {
	r, err := c.peer.ask(ctx, core.DriverKill{ID: id})
	return r.Message, err
}

// Status finds a driver; ok is false if the master does not know it.
func (c *Client) Status(ctx context.Context, id string) (d core.DriverView, ok bool, err error) {
	v, err := c.peer.View(ctx)
	d, ok = findDriver(v, id)
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
