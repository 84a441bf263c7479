package hadoop

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest is the client's side of SASL DIGEST-MD5 (RFC 2831) with the quality of protection "auth".
type Digest struct {
	user, password, uri string
	realm, nonce        string
	cnonce              string
}

// NewTokenDigest proves the possession of a token: the password never travels.
func NewTokenDigest(t *Token, protocol, server string) *Digest {
	return NewDigest(base64.StdEncoding.EncodeToString(t.Identifier), base64.StdEncoding.EncodeToString(t.Password), protocol, server)
}

// NewDigest proves the knowledge of a password.
func NewDigest(user, password, protocol, server string) *Digest {
	return &Digest{user: user, password: password, uri: protocol + "/" + server}
}

func (d *Digest) start(challenge []byte) ([]byte, error) { return d.Answer(challenge) }

func (d *Digest) step([]byte) ([]byte, error) {
	return nil, &AuthError{d.uri, "a second challenge where DIGEST-MD5 has one"}
}

func (d *Digest) finish(token []byte) error { return d.Verify(token) }

// Answer answers the server's challenge.
func (d *Digest) Answer(challenge []byte) ([]byte, error) {
	kv, err := directives(string(challenge))
	if err != nil {
		return nil, err
	}
	d.realm, d.nonce = kv["realm"], kv["nonce"]
	if d.nonce == "" || kv["algorithm"] != "md5-sess" {
		return nil, &AuthError{d.uri, "a challenge without nonce or of another algorithm than md5-sess"}
	}
	if qop := kv["qop"]; qop != "" && !listed(qop, "auth") {
		return nil, protection(d.uri, qop)
	}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	d.cnonce = base64.StdEncoding.EncodeToString(random[:])
	return fmt.Appendf(nil, `charset=utf-8,username="%s",realm="%s",nonce="%s",nc=00000001,cnonce="%s",digest-uri="%s",maxbuf=65536,response=%s,qop=auth`,
		quote(d.user), quote(d.realm), quote(d.nonce), d.cnonce, quote(d.uri), d.response("AUTHENTICATE:")), nil
}

// Verify checks the server's proof that it knows the password too.
func (d *Digest) Verify(token []byte) error {
	kv, err := directives(string(token))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(kv["rspauth"]), []byte(d.response(":"))) != 1 {
		return &AuthError{d.uri, "the service did not prove that it knows the secret"}
	}
	return nil
}

// Check is the server's side, for tests: it says what the server answers to a client's response to its challenge.
func (d *Digest) Check(response []byte) ([]byte, error) {
	kv, err := directives(string(response))
	if err != nil {
		return nil, err
	}
	d.user, d.realm, d.nonce, d.cnonce, d.uri = kv["username"], kv["realm"], kv["nonce"], kv["cnonce"], kv["digest-uri"]
	if kv["response"] != d.response("AUTHENTICATE:") {
		return nil, &AuthError{d.uri, "wrong password of " + d.user}
	}
	return []byte("rspauth=" + d.response(":")), nil
}

// User is the name that was proved.
func (d *Digest) User() string { return d.user }

func (d *Digest) response(method string) string {
	sum := func(s string) string { h := md5.Sum([]byte(s)); return string(h[:]) }
	hexed := func(s string) string { return hex.EncodeToString([]byte(s)) }
	a1 := sum(d.user+":"+d.realm+":"+d.password) + ":" + d.nonce + ":" + d.cnonce
	a2 := method + d.uri
	return hexed(sum(hexed(sum(a1)) + ":" + d.nonce + ":00000001:" + d.cnonce + ":auth:" + hexed(sum(a2))))
}

func quote(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }

func listed(list, want string) bool {
	for _, s := range strings.Split(list, ",") {
		if strings.TrimSpace(s) == want {
			return true
		}
	}
	return false
}

// directives reads name=value and name="value" with commas between them.
func directives(s string) (map[string]string, error) {
	out := map[string]string{}
	for {
		s = strings.TrimLeft(s, ", \t")
		if s == "" {
			return out, nil
		}
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, &AuthError{"a service", "a challenge that cannot be read"}
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, ok = unquote(rest[1:]); !ok {
				return nil, &AuthError{"a service", "a challenge with an open quote"}
			}
		} else {
			value, rest, _ = strings.Cut(rest, ",")
		}
		out[strings.ToLower(strings.TrimSpace(name))] = value
		s = rest
	}
}

func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
