package standalone

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/rpc"
)

// The methods: an event that is answered or not, messages of the master, and a look at its state.
const (
	methodEvent   = "event"
	methodReport  = "report" // an event that must not be lost: answered when it was taken in
	methodMessage = "message"
	methodView    = "view"
)

// codec knows what travels.
var codec = func() *rpc.Codec {
	c := rpc.NewCodec()
	rpc.AddErrors(c)
	rpc.Custom(c, writeTime, readTime)
	rpc.Union[core.Event](c, core.WorkerRegistered{}, core.WorkerLeft{}, core.Heartbeat{}, core.AppRegistered{}, core.AppLevel{}, core.AppKill{}, core.AppStopped{},
		core.ExecutorStarted{}, core.ExecutorEnded{}, core.DriverSubmitted{}, core.DriverKill{}, core.DriverChanged{}, core.Clear{}, core.Decommission{})
	rpc.Union[core.Message](c, core.LaunchExecutor{}, core.KillExecutor{}, core.CleanApp{}, core.LaunchDriver{}, core.KillDriver{}, core.Reregister{},
		core.Leave{}, core.ExecutorAdded{}, core.ExecutorGone{}, core.ExecutorLeaving{}, core.AppRemoved{}, core.Warning{})
	return c
}()

// A time travels as its microseconds; the smallest number is no time.
func writeTime(e *rpc.Encoder, t time.Time) {
	if t.IsZero() {
		e.Int(math.MinInt64)
		return
	}
	e.Int(t.UnixMicro())
}

func readTime(d *rpc.Decoder) time.Time {
	if n := d.Int(); n != math.MinInt64 {
		return time.UnixMicro(n)
	}
	return time.Time{}
}

// envelope is how an event travels.
type envelope struct{ Event core.Event }

// Peer is a connection to a master.
type Peer struct {
	*rpc.Conn
	Master string // host:port
}

// dialOptions say who connects, and how.
type dialOptions struct {
	masters []string
	secret  string
	name    string
	handler rpc.Handler
}

// dial connects to the first master that answers. A refusal by all is told as such.
func dial(ctx context.Context, o dialOptions) (*Peer, error) {
	var errs []error
	for _, m := range o.masters {
		c, err := rpc.Dial(ctx, m, rpc.Config{Secret: o.secret, Name: o.name, Timeout: 5 * time.Second}, o.handler)
		if err == nil {
			return &Peer{c, m}, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no master of spark://%s can be used: %w", strings.Join(o.masters, ","), errors.Join(errs...))
}

// dialFor tries again for some time, unless a master refuses the secret.
func dialFor(ctx context.Context, o dialOptions, most time.Duration) (*Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		p, err := dial(ctx, o)
		var refused *rpc.RefusedError
		if err == nil || errors.As(err, &refused) {
			return p, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (tried for %s)", err, most)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// ask sends an event and waits for the master's answer.
func (p *Peer) ask(ctx context.Context, e core.Event) (core.Reply, error) {
	var r core.Reply
	body, err := codec.Append(nil, &envelope{e})
	if err != nil {
		return r, err
	}
	out, err := p.Call(ctx, methodEvent, body)
	if err != nil {
		return r, err
	}
	if err := codec.Decode(out, &r); err != nil {
		return r, err
	}
	if !r.OK {
		return r, errors.New(r.Message)
	}
	return r, nil
}

// report sends an event and waits until the master has taken it in.
func (p *Peer) report(ctx context.Context, e core.Event) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	body, err := codec.Append(nil, &envelope{e})
	if err == nil {
		_, err = p.Call(ctx, methodReport, body)
	}
	return err
}

// tell sends an event.
func (p *Peer) tell(e core.Event) error {
	body, err := codec.Append(nil, &envelope{e})
	if err != nil {
		return err
	}
	return p.Send(methodEvent, body)
}

// View asks for the master's state.
func (p *Peer) View(ctx context.Context) (core.View, error) {
	var v core.View
	out, err := p.Call(ctx, methodView, nil)
	if err == nil {
		err = codec.Decode(out, &v)
	}
	return v, err
}

// seal hides a text from those who do not know the secret; without a secret it is only carried.
func seal(secret, text string) ([]byte, error) {
	g, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, g.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return g.Seal(nonce, nonce, []byte(text), nil), nil
}

func unseal(secret string, data []byte) (string, error) {
	g, err := sealer(secret)
	if err != nil {
		return "", err
	}
	if len(data) < g.NonceSize() {
		return "", errors.New("a sealed secret is cut off")
	}
	text, err := g.Open(nil, data[:g.NonceSize()], data[g.NonceSize():], nil)
	if err != nil {
		return "", errors.New("the application's secret was sealed with another cluster secret")
	}
	return string(text), nil
}

func sealer(secret string) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte("firesteel standalone seal\x00" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
