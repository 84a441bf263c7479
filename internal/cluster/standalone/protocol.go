package standalone

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// The methods: an event that is answered or not, messages of the master, and a look at its state.
const (
	methodEvent   = "event"
	methodReport  = "report" // an event that must not be lost: answered when it was taken in
	methodMessage = "message"
	methodView    = "view"
	// methodStanding asks whether a master leads, and who does.
	methodStanding = "standing"
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

// Peer is a connection to the master that leads. It breaks when that does not lead any more, or does not answer.
type Peer struct {
	*rpc.Conn
	Master   string // host:port
	watching sync.WaitGroup
}

// dialOptions say who connects to which masters.
type dialOptions struct {
	masters []string
	as      rpc.Config
	handler rpc.Handler
}

// Program says of which release a process is, and what messages it understands; zero: this one.
type Program struct{ Release, Messages string }

// messages tells programs apart that would misunderstand each other.
var messages = sync.OnceValue(func() string {
	return codec.Layout(reflect.TypeFor[core.Event](), reflect.TypeFor[core.Message](), reflect.TypeFor[core.Reply](), reflect.TypeFor[core.View](),
		reflect.TypeFor[standing](), reflect.TypeFor[logQuery](), reflect.TypeFor[logPart]())
})

// identity is how a process of a cluster presents itself.
func identity(secret, name string, p Program) rpc.Config {
	return rpc.Config{Secret: secret, Name: name, Release: p.Release, Build: cmp.Or(p.Messages, messages())}
}

// secured adds what secures its connections.
func secured(c rpc.Config, by *secure.TLS) rpc.Config {
	c.TLS = by
	return c
}

// The limits of who looks for a master or watches one.
const (
	dialLimit  = 5 * time.Second
	lookEvery  = 500 * time.Millisecond
	watchEvery = 2 * time.Second
	watchLimit = 4 * time.Second
)

// dial connects to the master that leads. All are asked at the same time, for one that stands still does not say so.
func dial(ctx context.Context, o dialOptions) (*Peer, error) {
	p, errs := dialAll(ctx, o, o.masters)
	if p != nil {
		return p, nil
	}
	var named []string // by those that stand by, as it may have another address than was known
	for _, err := range errs {
		var standby *StandbyError
		if errors.As(err, &standby) && standby.Leader != "" && !slices.Contains(o.masters, standby.Leader) && !slices.Contains(named, standby.Leader) {
			named = append(named, standby.Leader)
		}
	}
	if len(named) > 0 {
		p, more := dialAll(ctx, o, named)
		if p != nil {
			return p, nil
		}
		errs = append(errs, more...)
	}
	return nil, fmt.Errorf("no master of spark://%s can be used: %w", strings.Join(o.masters, ","), errors.Join(errs...))
}

func dialAll(ctx context.Context, o dialOptions, masters []string) (found *Peer, errs []error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		p   *Peer
		err error
	}
	results := make(chan result, len(masters))
	for _, m := range masters {
		go func() {
			p, err := dialOne(ctx, o, m)
			results <- result{p, err}
		}()
	}
	for range masters {
		switch r := <-results; {
		case r.err != nil:
			errs = append(errs, r.err)
		case found != nil:
			r.p.Close()
		default:
			found = r.p
			cancel() // the others
		}
	}
	if found != nil {
		found.watching.Go(found.watch)
	}
	return found, errs
}

// dialOne connects to a master if it leads.
func dialOne(ctx context.Context, o dialOptions, master string) (*Peer, error) {
	as := o.as
	as.Timeout = dialLimit
	c, err := rpc.Dial(ctx, master, as, o.handler)
	if err != nil {
		return nil, err
	}
	p := &Peer{Conn: c, Master: master}
	s, err := p.standing(ctx, dialLimit)
	if err == nil && !s.Leads {
		err = &StandbyError{master, s.Leader}
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// standing asks whether the master leads.
func (p *Peer) standing(ctx context.Context, limit time.Duration) (s standing, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the master at %s did not answer within %s", p.Master, limit))
	defer cancel()
	out, err := p.Call(ctx, methodStanding, nil)
	if err == nil {
		err = codec.Decode(out, &s)
	}
	return s, err
}

// watch ends the connection when the master does not answer or does not lead.
func (p *Peer) watch() {
	for {
		select {
		case <-p.Done():
			return
		case <-time.After(watchEvery):
		}
		if s, err := p.standing(context.Background(), watchLimit); err != nil || !s.Leads {
			p.Conn.Close()
			return
		}
	}
}

// Close ends the connection.
func (p *Peer) Close() {
	p.Conn.Close()
	p.watching.Wait()
}

// find looks for the master that leads for some time, and registers there. It does not look on if a master refuses the
// secret or the registration.
func find(ctx context.Context, o dialOptions, most time.Duration, register func(context.Context, *Peer) error) (*Peer, error) {
	return look(ctx, o, most, register, func(int, int) {})
}

// look is find that tells, before it waits, which retry comes next and how many there are at most.
func look(ctx context.Context, o dialOptions, most time.Duration, register func(context.Context, *Peer) error, waiting func(retry, of int)) (*Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	retries := int(most / lookEvery)
	for retry := 1; ; retry++ {
		p, err := dial(ctx, o)
		var refused *rpc.RefusedError
		if errors.As(err, &refused) {
			return nil, err
		}
		if err == nil {
			if err = register(ctx, p); err == nil {
				return p, nil
			}
			p.Close()
			var lost *rpc.ConnError
			if !errors.As(err, &lost) {
				return nil, err
			}
		}
		if retry <= retries && ctx.Err() == nil {
			waiting(retry, retries)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (tried for %s)", err, most)
		case <-time.After(lookEvery):
		}
	}
}

// dialFor looks for the master that leads for some time.
func dialFor(ctx context.Context, o dialOptions, most time.Duration) (*Peer, error) {
	return find(ctx, o, most, func(context.Context, *Peer) error { return nil })
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
