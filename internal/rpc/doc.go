// Package rpc is how Firesteel's processes talk: one TCP connection between two of them carries requests, answers and
// messages of both sides, length-prefixed, after a handshake that checks the versions and, with a shared secret, that
// each side knows it (HMAC over fresh nonces of both; the secret itself never travels). Values are written by a Codec.
//
// Every wait has an end: requests carry a context, writes a deadline, and when a connection breaks all that wait on it
// get a *ConnError that names the peer and the cause.
package rpc
