package secure

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync"
	"time"
)

// memberName is the name in the certificates of processes that share a secret.
const memberName = "member.firesteel.internal"

// era bounds the validity of the derived authority. Certificates of processes end with their keys, which are never stored.
var (
	eraBegin = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	eraEnd   = time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
)

// clockSkew is how much clocks may differ.
const clockSkew = 48 * time.Hour

// members are the configurations by secret: keys are made once a process.
var members struct {
	sync.Mutex
	known map[[32]byte]*member
}

type member struct{ server, client *tls.Config }

// errNoSecret says that there is nothing to derive keys from.
var errNoSecret = errors.New("spark.firesteel.tls=auto derives its keys from a shared secret, and there is none: set spark.authenticate and spark.authenticate.secret")

// memberOf gives the configurations of a process that knows a secret.
func memberOf(secret string) (*member, error) {
	if secret == "" {
		return nil, errNoSecret
	}
	id := sha256.Sum256([]byte(secret))
	members.Lock()
	defer members.Unlock()
	if m := members.known[id]; m != nil {
		return m, nil
	}
	m, err := newMember(secret, time.Now())
	if err != nil {
		return nil, err
	}
	if members.known == nil {
		members.known = map[[32]byte]*member{}
	}
	members.known[id] = m
	return m, nil
}

// authority is the certificate authority of a secret: the same in every process.
func authority(secret string) (ed25519.PrivateKey, *x509.Certificate, error) {
	seed, err := hkdf.Key(sha256.New, []byte(secret), nil, "firesteel tls authority 1", ed25519.SeedSize)
	if err != nil {
		return nil, nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Firesteel cluster"}, NotBefore: eraBegin, NotAfter: eraEnd,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(nil, t, t, key.Public(), key) // Ed25519 signs without randomness
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

func newMember(secret string, now time.Time) (*member, error) {
	caKey, ca, err := authority(secret)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Firesteel process"}, DNSNames: []string{memberName},
		NotBefore: now.Add(-clockSkew), NotAfter: eraEnd, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, t, ca, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &member{
		server: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool},
		client: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, RootCAs: pool, ServerName: memberName},
	}, nil
}
