// Package securetest makes certificates for tests.
package securetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// Authority is a certificate authority in a folder of its own.
type Authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

// NewAuthority makes an authority.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	c := &x509.Certificate{SerialNumber: a.serial(), Subject: pkix.Name{CommonName: "an authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert = a.sign(c, c, a.key)
	a.write("ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	return a
}

func (a *Authority) serial() *big.Int { a.next++; return big.NewInt(a.next) }

func (a *Authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *Authority) sign(c, by *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *Authority) write(name string, blocks ...*pem.Block) string {
	var data []byte
	for _, b := range blocks {
		data = append(data, pem.EncodeToMemory(b)...)
	}
	return a.put(name, data)
}

func (a *Authority) put(name string, data []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// CA is the file of the authority's certificate.
func (a *Authority) CA() string { return filepath.Join(a.dir, "ca.pem") }

// Pool trusts the authority.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Pair makes a certificate for a host (a name or an address), which ends at a time, and gives the files of it and its key.
func (a *Authority) Pair(host string, ends time.Time) (cert, key string) {
	a.t.Helper()
	c, k := a.leaf(host, ends)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	id := c.SerialNumber.String()
	return a.write("cert"+id+".pem", &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), a.write("key"+id+".pem", &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Stores makes the same as PKCS#12: a key store and a trust store with a password.
func (a *Authority) Stores(host, password string) (keyStore, trustStore string) {
	a.t.Helper()
	c, k := a.leaf(host, time.Now().Add(time.Hour))
	own, err := pkcs12.Modern.Encode(k, c, []*x509.Certificate{a.cert}, password)
	if err != nil {
		a.t.Fatal(err)
	}
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{a.cert}, password)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.put("key.p12", own), a.put("trust.p12", trust)
}

func (a *Authority) leaf(host string, ends time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	c := &x509.Certificate{SerialNumber: a.serial(), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	key := a.newKey()
	return a.sign(c, a.cert, key), key
}
