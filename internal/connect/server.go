package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Options are what a server is started with. Zero values mean Spark's defaults.
type Options struct {
	Address         string      // host:port; by default 127.0.0.1:15002. Port 0 is any free one
	Token           string      // bearer token that every call must carry; "" is none, which only loopback addresses may have
	TLS             *tls.Config // nil is plain text
	Version         string      // what spark.version says
	MaxMessage      int         // bytes of a request
	SessionTimeout  time.Duration
	DetachedTimeout time.Duration
	Sweep           time.Duration // pause between looks for idle sessions and abandoned operations
	ClosedSessions  int           // ids of closed sessions that are remembered
	ReadAhead       int64         // bytes of results that an operation computes ahead of its client
	Spool           Spool         // where results wait for slow clients; without one their queries wait
	MaxArtifact     int64         // bytes of one uploaded artifact
	// Folder gives a folder for the files that sessions upload; nil: the system's folder of temporary files.
	Folder func() (string, error)
	Audit  *audit.Log // nil: off
	// Publish is told of sessions and operations; nil: nobody listens.
	Publish         func(event.Event)
	KeepAlive       time.Duration // idle time before the server pings a connection
	KeepAliveAnswer time.Duration // how long the answer to a ping may take
	Handshake       time.Duration // how long a connection may take to begin, TLS included
	Patience        time.Duration // how long a message of a call may take to come
	Log             func(text string)
}

// FromConf reads the options that keys stand for.
func FromConf(v *conf.Values) Options {
	host := v.String("spark.connect.grpc.binding.address")
	if host == "" {
		host = "127.0.0.1"
	}
	o := Options{
		Address:         net.JoinHostPort(host, strconv.FormatInt(v.Int("spark.connect.grpc.binding.port"), 10)),
		Token:           v.String("spark.connect.authenticate.token"),
		MaxMessage:      int(v.Bytes("spark.connect.grpc.maxInboundMessageSize")),
		SessionTimeout:  v.Duration("spark.connect.session.manager.defaultSessionTimeout"),
		DetachedTimeout: v.Duration("spark.connect.execute.manager.detachedTimeout"),
		Sweep:           v.Duration("spark.connect.session.manager.maintenanceInterval"),
		ClosedSessions:  int(v.Int("spark.connect.session.manager.closedSessionsTombstonesSize")),
	}
	if o.Token == "" {
		o.Token = os.Getenv("SPARK_CONNECT_AUTHENTICATE_TOKEN")
	}
	if v.Bool("spark.connect.grpc.keepAlive.enabled") {
		o.KeepAlive = v.Duration("spark.connect.grpc.keepAlive.time")
		o.KeepAliveAnswer = v.Duration("spark.connect.grpc.keepAlive.timeout")
	}
	return o
}

// fill puts defaults where nothing is given.
func (o *Options) fill() {
	d := FromConf(conf.NewValues(nil))
	if o.Address == "" {
		o.Address = d.Address
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = d.MaxMessage
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = d.SessionTimeout
	}
	if o.DetachedTimeout == 0 {
		o.DetachedTimeout = d.DetachedTimeout
	}
	if o.Sweep <= 0 {
		o.Sweep = d.Sweep
	}
	if o.ClosedSessions <= 0 {
		o.ClosedSessions = d.ClosedSessions
	}
	if o.ReadAhead <= 0 {
		o.ReadAhead = 32 << 20
	}
	if o.MaxArtifact <= 0 {
		o.MaxArtifact = 2 << 30
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = time.Minute
	}
	if o.KeepAliveAnswer <= 0 {
		o.KeepAliveAnswer = 20 * time.Second
	}
	if o.Handshake <= 0 {
		o.Handshake = 10 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 2 * time.Minute
	}
	if o.Version == "" {
		o.Version = "4.3.0"
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
}

// Server is the Spark Connect service.
type Server struct {
	connectpb.UnimplementedSparkConnectServiceServer
	engine   Engine
	opts     Options
	sessions *sessions
	base     context.Context
	stop     context.CancelFunc
	work     sync.WaitGroup // producers and the sweeper
	grpc     *grpc.Server
	address  string // where it listens; "": it does not yet
}

// maxCalls is how many calls of one connection are served at a time, those that were reset and have not ended yet included;
// clients hold others back.
const maxCalls = 1000

// maxHeader is how many bytes the header of a call may have, with the token.
const maxHeader = 64 << 10

// New makes a server that does not listen yet.
func New(e Engine, o Options) *Server {
	o.fill()
	s := &Server{engine: e, opts: o}
	s.base, s.stop = context.WithCancel(context.Background())
	s.sessions = newSessions(s)
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(o.MaxMessage),
		grpc.MaxSendMsgSize(1<<31 - 1),
		grpc.MaxConcurrentStreams(maxCalls),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.ConnectionTimeout(o.Handshake),
		grpc.InTapHandle(s.begins),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: o.KeepAlive, Timeout: o.KeepAliveAnswer}),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.streaming),
	}
	if o.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	s.grpc = grpc.NewServer(opts...)
	connectpb.RegisterSparkConnectServiceServer(s.grpc, s)
	return s
}

// ErrExposed is the refusal to listen beyond the host without authentication.
var ErrExposed = errors.New("an address beyond loopback needs authentication: set spark.connect.authenticate.token")

// Listen opens the address. Without a token it must be a loopback address.
func (s *Server) Listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(s.opts.Address)
	if err != nil {
		return nil, fmt.Errorf("connect address: %w", err)
	}
	if s.opts.Token == "" && !loopback(host) {
		return nil, fmt.Errorf("%s: %w", s.opts.Address, ErrExposed)
	}
	l, err := net.Listen("tcp", s.opts.Address)
	if err == nil {
		s.address = l.Addr().String()
		s.listening(false)
	}
	return l, err
}

// loopback says whether all addresses of a host are its own only.
func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// Serve answers clients until Close.
func (s *Server) Serve(l net.Listener) error {
	s.work.Go(s.sweep)
	return s.grpc.Serve(l)
}

func (s *Server) sweep() {
	t := time.NewTicker(s.opts.Sweep)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			s.sessions.sweep(now)
		case <-s.base.Done():
			return
		}
	}
}

// Close cancels all operations, ends all sessions and stops listening.
func (s *Server) Close() error {
	s.stop()
	err := s.sessions.closeAll()
	s.grpc.Stop()
	s.work.Wait()
	err = errors.Join(err, s.sessions.closeAll()) // a last call may have made a session
	s.listening(true)
	return err
}

func (s *Server) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (out any, err error) {
	defer s.guard(&err)
	arrived(ctx)
	ctx = audit.Cover(ctx)
	if s.opts.Audit == nil {
		return h(ctx, req)
	}
	a, ok := actionOf(ctx, req, s.opts.Audit)
	if !ok {
		return h(ctx, req)
	}
	err = s.opts.Audit.Do(a, func() error { out, err = h(ctx, req); return err })
	return out, notDone(err)
}

// notDone makes the refusal of the audit log an error for clients; others are already.
func notDone(err error) error {
	if e, ok := sparkerr.As(err); ok {
		return statusOf(e, "")
	}
	return err
}

func (s *Server) streaming(srv any, st grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) (err error) {
	defer s.guard(&err)
	return h(srv, &patientStream{st, info.IsClientStream})
}

// guard turns a panic of a handler, a broken invariant, into INTERNAL_ERROR.
func (s *Server) guard(err *error) {
	if p := recover(); p != nil {
		e := sparkerr.Internal("%v", p)
		e.Stack = string(debug.Stack())
		s.opts.Log(e.Error() + "\n" + e.Stack)
		*err = statusOf(e, "")
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
