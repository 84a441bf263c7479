package secure

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
)

// Kinds of connections, as spark.ssl.* names them.
const (
	RPC        = "rpc"
	UI         = "ui"
	Standalone = "standalone" // pages and submissions of masters and workers
	Connect    = "connect"
	History    = "historyServer"
)

// TLS says how connections of one kind are secured. Nil means that they are not. It may be used by several goroutines.
type TLS struct {
	s    settings
	auto bool
	own  *files
}

// settings are what other processes of an application must know to make the same.
type settings struct {
	Mode                            string // auto or files
	Cert, Key                       string
	Store, StorePassword, StoreType string
	Trust, TrustPassword, TrustType string
	Protocol, Ciphers               string
	ClientAuth                      bool
}

// FromConf reads the settings of a kind of connections.
func FromConf(v *conf.Values, kind string) (*TLS, error) {
	s, err := read(v.All(), kind)
	if err != nil || s == nil {
		return nil, err
	}
	return open(*s)
}

func open(s settings) (*TLS, error) {
	t := &TLS{s: s, auto: s.Mode == "auto"}
	if t.auto {
		return t, nil
	}
	var err error
	t.own, err = load(&s)
	return t, err
}

// read gives the settings of a kind, nil if its connections are not secured.
func read(all map[string]string, kind string) (*settings, error) {
	get := func(name string) string {
		if v := all["spark.ssl."+kind+"."+name]; v != "" {
			return v
		}
		return all["spark.ssl."+name]
	}
	on := isTrue(all["spark.ssl.enabled"]) && kind != RPC
	if v, ok := all["spark.ssl."+kind+".enabled"]; ok {
		on = isTrue(v)
	}
	switch mode := strings.ToLower(all["spark.firesteel.tls"]); mode {
	case "", "off", "false":
	case "auto":
		if kind == RPC && !on {
			return &settings{Mode: mode}, nil
		}
	case "files":
		s := &settings{Mode: mode, Cert: all["spark.firesteel.tls.cert"], Key: all["spark.firesteel.tls.key"], Trust: all["spark.firesteel.tls.ca"]}
		if s.Cert == "" || s.Key == "" || s.Trust == "" {
			return nil, errors.New("spark.firesteel.tls=files needs spark.firesteel.tls.cert, .key and .ca, the names of PEM files")
		}
		return s, nil
	default:
		return nil, fmt.Errorf("spark.firesteel.tls must be off, auto or files, not %q", mode)
	}
	if !on {
		return nil, nil
	}
	s := &settings{Mode: "files", Cert: get("certChain"), Key: get("privateKey"),
		Store: get("keyStore"), StorePassword: get("keyStorePassword"), StoreType: get("keyStoreType"),
		Trust: get("trustStore"), TrustPassword: get("trustStorePassword"), TrustType: get("trustStoreType"),
		Protocol: get("protocol"), Ciphers: get("enabledAlgorithms"), ClientAuth: isTrue(get("needClientAuth"))}
	if s.Store == "" && (s.Cert == "" || s.Key == "") {
		return nil, fmt.Errorf("spark.ssl.%s.enabled needs spark.ssl.keyStore, or spark.ssl.%s.certChain and .privateKey", kind, kind)
	}
	return s, nil
}

func isTrue(v string) bool { return strings.EqualFold(strings.TrimSpace(v), "true") }

// Server is the configuration of the listening side, nil if connections are not secured. secret is what peers share.
func (t *TLS) Server(secret string) (*tls.Config, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.auto:
		m, err := memberOf(secret)
		if err != nil {
			return nil, err
		}
		return m.server, nil
	}
	return t.own.server, nil
}

// Client is the configuration of the side that dials address (host:port), nil if connections are not secured.
func (t *TLS) Client(secret, address string) (*tls.Config, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.auto:
		m, err := memberOf(secret)
		if err != nil {
			return nil, err
		}
		return m.client, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	c := t.own.client.Clone()
	c.ServerName = host
	return c, nil
}

// Env is the variable that carries the settings to executors, sealed with the secret of their application.
const Env = "_FIRESTEEL_TLS"

// Seal gives the value of Env; "" if connections are not secured.
func (t *TLS) Seal(secret string) (string, error) {
	if t == nil {
		return "", nil
	}
	plain, err := json.Marshal(t.s)
	if err != nil {
		return "", err
	}
	g, err := sealer(secret)
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(g.Seal(nil, nil, plain, []byte(Env))), nil
}

// FromEnv takes the settings out of the environment, where Seal's value was put.
func FromEnv(secret string) (*TLS, error) {
	text := os.Getenv(Env)
	if err := os.Unsetenv(Env); err != nil || text == "" {
		return nil, err
	}
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", Env, err)
	}
	g, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	plain, err := g.Open(nil, nil, data, []byte(Env))
	if err != nil {
		return nil, fmt.Errorf("%s was sealed with another secret", Env)
	}
	var s settings
	if err := json.Unmarshal(plain, &s); err != nil {
		return nil, err
	}
	return open(s)
}

func sealer(secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "firesteel tls settings 1", 32)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}
