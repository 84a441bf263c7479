package secure

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// files are the configurations made of key and trust stores.
type files struct{ server, client *tls.Config }

func load(s *settings) (*files, error) {
	own, chain, err := s.certificate()
	if err != nil {
		return nil, err
	}
	roots, err := s.roots(chain)
	if err != nil {
		return nil, err
	}
	least, err := leastVersion(s.Protocol)
	if err != nil {
		return nil, err
	}
	suites, err := cipherSuites(s.Ciphers)
	if err != nil {
		return nil, err
	}
	f := &files{
		server: &tls.Config{MinVersion: least, CipherSuites: suites, Certificates: []tls.Certificate{*own}},
		client: &tls.Config{MinVersion: least, CipherSuites: suites, Certificates: []tls.Certificate{*own}, RootCAs: roots},
	}
	if s.ClientAuth {
		f.server.ClientAuth, f.server.ClientCAs = tls.RequireAndVerifyClientCert, roots
	}
	return f, nil
}

// certificate reads the process's own certificate, and what its store holds besides.
func (s *settings) certificate() (*tls.Certificate, []*x509.Certificate, error) {
	if s.Cert != "" {
		cert, err := os.ReadFile(s.Cert)
		if err != nil {
			return nil, nil, fmt.Errorf("the certificate: %w", err)
		}
		key, err := os.ReadFile(s.Key)
		if err != nil {
			return nil, nil, fmt.Errorf("the private key: %w", err)
		}
		return fromPEM(append(append(cert, '\n'), key...), s.Cert)
	}
	data, err := os.ReadFile(s.Store)
	if err != nil {
		return nil, nil, fmt.Errorf("the key store (spark.ssl.keyStore): %w", err)
	}
	if isPEM(data, s.StoreType) {
		return fromPEM(data, s.Store)
	}
	key, leaf, more, err := pkcs12.DecodeChain(data, s.StorePassword)
	if err != nil {
		return nil, nil, fmt.Errorf("the key store %s is no PKCS#12 that spark.ssl.keyStorePassword opens (Java's own form, JKS, is not read: keytool -importkeystore -deststoretype pkcs12): %w", s.Store, err)
	}
	own := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, c := range more {
		own.Certificate = append(own.Certificate, c.Raw)
	}
	return own, more, nil
}

func isPEM(data []byte, kind string) bool {
	return strings.EqualFold(kind, "PEM") || bytes.Contains(data, []byte("-----BEGIN "))
}

// fromPEM reads certificates, the first of which is the process's own, and its key.
func fromPEM(data []byte, name string) (*tls.Certificate, []*x509.Certificate, error) {
	own := &tls.Certificate{}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			own.Certificate, chain = append(own.Certificate, c.Raw), append(chain, c)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			key, err := privateKey(block)
			if err != nil {
				return nil, nil, fmt.Errorf("the private key in %s: %w", name, err)
			}
			own.PrivateKey = key
		}
	}
	if len(chain) == 0 || own.PrivateKey == nil {
		return nil, nil, fmt.Errorf("%s has %d certificates and %s", name, len(chain), map[bool]string{true: "a private key", false: "no private key"}[own.PrivateKey != nil])
	}
	own.Leaf = chain[0]
	if k, ok := own.PrivateKey.(crypto.Signer); !ok || !samePublic(k.Public(), own.Leaf.PublicKey) {
		return nil, nil, fmt.Errorf("the private key in %s is not that of its first certificate", name)
	}
	return own, chain[1:], nil
}

func samePublic(a, b any) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

func privateKey(block *pem.Block) (crypto.PrivateKey, error) {
	der := block.Bytes
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		return nil, errors.New("it is encrypted as PKCS#8, which is not read: use PKCS#12, or a file without a password that its owner alone can read")
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return x509.ParsePKCS1PrivateKey(der)
}

// roots are the certificates that are trusted: those of the trust store, or of the key store if there is none.
func (s *settings) roots(own []*x509.Certificate) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if s.Trust == "" {
		if len(own) == 0 {
			return nil, errors.New("there is nothing to trust: set spark.ssl.trustStore")
		}
		for _, c := range own {
			pool.AddCert(c)
		}
		return pool, nil
	}
	data, err := os.ReadFile(s.Trust)
	if err != nil {
		return nil, fmt.Errorf("the trust store (spark.ssl.trustStore): %w", err)
	}
	if isPEM(data, s.TrustType) {
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("the trust store %s has no certificates", s.Trust)
		}
		return pool, nil
	}
	certs, err := pkcs12.DecodeTrustStore(data, s.TrustPassword)
	if err != nil {
		return nil, fmt.Errorf("the trust store %s is no PKCS#12 that spark.ssl.trustStorePassword opens: %w", s.Trust, err)
	}
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}

// leastVersion is TLS 1.2, or what spark.ssl.protocol asks for above it.
func leastVersion(protocol string) (uint16, error) {
	switch strings.ToUpper(strings.ReplaceAll(protocol, " ", "")) {
	case "", "TLS", "TLSV1.2":
		return tls.VersionTLS12, nil
	case "TLSV1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("spark.ssl.protocol %s is not supported: TLSv1.2 and TLSv1.3 are", protocol)
}

// cipherSuites are those of spark.ssl.enabledAlgorithms for TLS 1.2; those of TLS 1.3 are all in use, and none is weak.
func cipherSuites(list string) ([]uint16, error) {
	var out []uint16
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		id := uint16(0)
		for _, s := range tls.CipherSuites() {
			if s.Name == name {
				id = s.ID
			}
		}
		if id == 0 {
			return nil, fmt.Errorf("spark.ssl.enabledAlgorithms: %s is unknown or too weak", name)
		}
		out = append(out, id)
	}
	return out, nil
}
