package hadoop

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// States of a SASL exchange.
const (
	saslSuccess   = 0
	saslNegotiate = 1
	saslInitiate  = 2
	saslChallenge = 3
	saslResponse  = 4
)

type saslMessage struct {
	Version int32       `pb:"1"`
	State   int32       `pb:"2,req"`
	Token   []byte      `pb:"3"`
	Auths   []*saslAuth `pb:"4"`
}

// saslAuth is a way to prove who somebody is. The choice must be as it was offered: the services that offer those which
// this client takes send protocol and server, though they may be empty.
type saslAuth struct {
	Method    string `pb:"1,req"`
	Mechanism string `pb:"2,req"`
	Protocol  string `pb:"3,req"`
	ServerID  string `pb:"4,req"`
	Challenge []byte `pb:"5"`
}

// mechanism is the client's side of one way to prove who somebody is.
type mechanism interface {
	// start gives the first answer; challenge may be empty.
	start(challenge []byte) ([]byte, error)
	step(challenge []byte) ([]byte, error)
	// finish checks what the server says with its consent, so that it has proved itself too.
	finish(token []byte) error
}

// AuthError says that a service could not be convinced of who calls, or did not prove itself.
type AuthError struct{ Service, Reason string }

func (e *AuthError) Error() string { return "authentication at " + e.Service + ": " + e.Reason }

// negotiate runs the SASL exchange on a new connection.
func (c *conn) negotiate() error {
	if err := c.writeSasl(&saslMessage{State: saslNegotiate}); err != nil {
		return err
	}
	offer, err := c.readSasl()
	if err != nil {
		return err
	}
	if offer.State != saslNegotiate {
		return &AuthError{c.addr, fmt.Sprintf("state %d where an offer was expected", offer.State)}
	}
	m, chosen, err := c.choose(offer.Auths)
	if err != nil || m == nil {
		return err
	}
	answer, err := m.start(chosen.Challenge)
	if err != nil {
		return err
	}
	bare := *chosen
	bare.Challenge = nil
	if err := c.writeSasl(&saslMessage{State: saslInitiate, Token: answer, Auths: []*saslAuth{&bare}}); err != nil {
		return err
	}
	for {
		reply, err := c.readSasl()
		if err != nil {
			return err
		}
		switch reply.State {
		case saslSuccess:
			return m.finish(reply.Token)
		case saslChallenge:
		default:
			return &AuthError{c.addr, fmt.Sprintf("unexpected state %d", reply.State)}
		}
		if answer, err = m.step(reply.Token); err != nil {
			return err
		}
		if err := c.writeSasl(&saslMessage{State: saslResponse, Token: answer}); err != nil {
			return err
		}
	}
}

// choose takes the token if there is one, else Kerberos; no mechanism means that the user's name is enough for the service.
func (c *conn) choose(offered []*saslAuth) (mechanism, *saslAuth, error) {
	var methods []string
	for _, a := range offered {
		methods = append(methods, a.Method)
	}
	if c.token != nil {
		if i := slices.IndexFunc(offered, func(a *saslAuth) bool { return a.Method == "TOKEN" && a.Mechanism == "DIGEST-MD5" }); i >= 0 {
			a := offered[i]
			return NewTokenDigest(c.token, a.Protocol, a.ServerID), a, nil
		}
	}
	if c.user.HasTickets() {
		if i := slices.IndexFunc(offered, func(a *saslAuth) bool { return a.Method == "KERBEROS" && a.Mechanism == "GSSAPI" }); i >= 0 {
			spn, err := c.servicePrincipal(offered[i])
			if err != nil {
				return nil, nil, err
			}
			return &gssapiClient{user: c.user, spn: spn, service: c.addr}, offered[i], nil
		}
	}
	if slices.Contains(methods, "SIMPLE") && c.client.conf.Bool("ipc.client.fallback-to-simple-auth-allowed", false) {
		return nil, nil, nil
	}
	return nil, nil, &AuthError{c.addr, "it accepts " + strings.Join(methods, ", ") + ", and there is no token for it and no Kerberos ticket"}
}

// servicePrincipal is the principal that the configuration expects of the service; one that the service merely claims
// would let anybody with a keytab pose as it.
func (c *conn) servicePrincipal(a *saslAuth) (string, error) {
	want := c.client.service.Principal
	if want == "" {
		return "", &AuthError{c.addr, "the configuration does not tell the Kerberos principal of the service"}
	}
	name, _, _ := strings.Cut(want, "@")
	primary, instance, _ := strings.Cut(name, "/")
	if instance == "_HOST" {
		instance = hostOf(c.addr)
	}
	if a.Protocol != primary || !strings.EqualFold(a.ServerID, instance) {
		return "", &AuthError{c.addr, fmt.Sprintf("it calls itself %s/%s; the configuration expects %s/%s", a.Protocol, a.ServerID, primary, instance)}
	}
	return primary + "/" + instance, nil
}

// hostOf is the host's name of an address, in lower case; of a bare IP address the name that DNS gives it.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	if net.ParseIP(host) != nil {
		if names, err := net.LookupAddr(host); err == nil && len(names) > 0 {
			host = strings.TrimSuffix(names[0], ".")
		}
	}
	return strings.ToLower(host)
}

// protection is the error of a service that wants messages signed or encrypted.
func protection(service, kind string) error {
	return fmt.Errorf("%s: %w", service, sparkerr.Unsupported("hadoop.rpc.protection "+kind))
}
