package hadoop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/firesteel/firesteel/internal/hadoop/pb"
)

// Kinds of tokens.
const (
	KindAMRM = "YARN_AM_RM_TOKEN"
	KindNM   = "NMToken"
	KindHDFS = "HDFS_DELEGATION_TOKEN"
	KindRM   = "RM_DELEGATION_TOKEN"
)

// Token proves who somebody is to the services that share its master key.
type Token struct {
	Identifier []byte `pb:"1,req"`
	Password   []byte `pb:"2,req"`
	Kind       string `pb:"3,req"`
	Service    string `pb:"4,req"`
}

// String names a token without its password.
func (t *Token) String() string { return "token of kind " + t.Kind + " for " + t.Service }

// Credentials are tokens and secrets by alias, as they travel to containers.
type Credentials struct {
	Tokens  map[string]*Token
	Secrets map[string][]byte
}

// NewCredentials makes empty ones.
func NewCredentials() *Credentials {
	return &Credentials{Tokens: map[string]*Token{}, Secrets: map[string][]byte{}}
}

// Find gives the token of a kind, and of a service unless that is "".
func (c *Credentials) Find(kind, service string) *Token {
	if c == nil {
		return nil
	}
	for _, alias := range slices.Sorted(maps.Keys(c.Tokens)) {
		if t := c.Tokens[alias]; t.Kind == kind && (service == "" || t.Service == service) {
			return t
		}
	}
	return nil
}

// TokenFile is the variable that names the file with a container's credentials.
const TokenFile = "HADOOP_TOKEN_FILE_LOCATION"

// LoadCredentials reads the file that HADOOP_TOKEN_FILE_LOCATION names; without it the credentials are empty.
func LoadCredentials() (*Credentials, error) {
	name := os.Getenv(TokenFile)
	if name == "" {
		return NewCredentials(), nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := ParseCredentials(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

const (
	credentialsMagic    = "HDTS"
	credentialsWritable = 0
	credentialsProto    = 1
)

// ErrCredentials is the error of a credentials file that is none.
var ErrCredentials = errors.New("malformed Hadoop credentials")

type credentialsMessage struct {
	Tokens  []*credentialsEntry `pb:"1"`
	Secrets []*credentialsEntry `pb:"2"`
}

type credentialsEntry struct {
	Alias  string `pb:"1,req"`
	Token  *Token `pb:"2"`
	Secret []byte `pb:"3"`
}

// ParseCredentials reads both forms of a credentials file: Java writables and protocol buffers.
func ParseCredentials(data []byte) (*Credentials, error) {
	rest, ok := bytes.CutPrefix(data, []byte(credentialsMagic))
	if !ok || len(rest) == 0 {
		return nil, ErrCredentials
	}
	if rest[0] == credentialsProto {
		var m credentialsMessage
		if _, err := pb.ConsumeDelimited(rest[1:], &m); err != nil {
			return nil, err
		}
		c := NewCredentials()
		for _, e := range m.Tokens {
			if e.Token != nil {
				c.Tokens[e.Alias] = e.Token
			}
		}
		for _, e := range m.Secrets {
			c.Secrets[e.Alias] = e.Secret
		}
		return c, nil
	}
	if rest[0] != credentialsWritable {
		return nil, fmt.Errorf("%w: version %d", ErrCredentials, rest[0])
	}
	r := writableReader{b: rest[1:]}
	c := NewCredentials()
	for n := r.vint(); n > 0 && !r.bad; n-- {
		alias := string(r.bytes())
		t := &Token{Identifier: bytes.Clone(r.bytes()), Password: bytes.Clone(r.bytes()), Kind: string(r.bytes()), Service: string(r.bytes())}
		c.Tokens[alias] = t
	}
	for n := r.vint(); n > 0 && !r.bad; n-- {
		alias := string(r.bytes())
		c.Secrets[alias] = bytes.Clone(r.bytes())
	}
	if r.bad {
		return nil, ErrCredentials
	}
	return c, nil
}

// Bytes is the credentials in the form of Java writables, which every version of Hadoop reads.
func (c *Credentials) Bytes() []byte {
	b := append([]byte(credentialsMagic), credentialsWritable)
	put := func(p []byte) { b = append(appendVint(b, int64(len(p))), p...) }
	b = appendVint(b, int64(len(c.Tokens)))
	for _, alias := range slices.Sorted(maps.Keys(c.Tokens)) {
		t := c.Tokens[alias]
		put([]byte(alias))
		put(t.Identifier)
		put(t.Password)
		put([]byte(t.Kind))
		put([]byte(t.Service))
	}
	b = appendVint(b, int64(len(c.Secrets)))
	for _, alias := range slices.Sorted(maps.Keys(c.Secrets)) {
		put([]byte(alias))
		put(c.Secrets[alias])
	}
	return b
}

// writableReader reads Hadoop's writables; after an error it gives nothing.
type writableReader struct {
	b   []byte
	bad bool
}

// vint reads Hadoop's own form of variable length: the first byte is the number, or tells sign and length.
func (r *writableReader) vint() int64 {
	if r.bad || len(r.b) == 0 {
		r.bad = true
		return 0
	}
	first := int8(r.b[0])
	r.b = r.b[1:]
	if first >= -112 {
		return int64(first)
	}
	n, negative := int(-112-int(first)), false
	if first < -120 {
		n, negative = int(-120-int(first)), true
	}
	if n > len(r.b) {
		r.bad = true
		return 0
	}
	var v int64
	for _, x := range r.b[:n] {
		v = v<<8 | int64(x)
	}
	r.b = r.b[n:]
	if negative {
		return ^v
	}
	return v
}

func (r *writableReader) bytes() []byte {
	n := r.vint()
	if r.bad || n < 0 || n > int64(len(r.b)) {
		r.bad = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func appendVint(b []byte, v int64) []byte {
	if v >= -112 && v <= 127 {
		return append(b, byte(v))
	}
	base := -112
	if v < 0 {
		v, base = ^v, -120
	}
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(v))
	p := bytes.TrimLeft(buf[:], "\x00")
	return append(append(b, byte(base-len(p))), p...)
}

// AppSecret is the name of the application's secret among the secrets of its containers' credentials.
const AppSecret = "firesteel.secret"

// LoadSecret reads the application's secret from the container's credentials; "" if there is none.
func LoadSecret() (string, error) {
	c, err := LoadCredentials()
	if err != nil {
		return "", err
	}
	return string(c.Secrets[AppSecret]), nil
}
