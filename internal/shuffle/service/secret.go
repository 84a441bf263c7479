package service

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"

	"github.com/firesteel/firesteel/internal/conf"
)

// SecretOf is the secret of the shuffle services of a cluster with a shared secret. Executors are told this one: they need not
// know that of the cluster, by which one submits applications.
func SecretOf(cluster string) string {
	if cluster == "" {
		return ""
	}
	key, err := hkdf.Key(sha256.New, []byte(cluster), nil, "firesteel shuffle service 1", 32)
	if err != nil {
		panic(err) // the length is one that SHA-256 gives
	}
	return hex.EncodeToString(key)
}

// SecretFor is the secret by which an application reaches shuffle services: "" if nobody asks for one, that of the cluster's
// services if the settings have the cluster's secret, else the application's own.
func SecretFor(v *conf.Values, app string) string {
	if !v.Bool("spark.authenticate") {
		return ""
	}
	if s := SecretOf(v.String("spark.authenticate.secret")); s != "" {
		return s
	}
	return app
}
