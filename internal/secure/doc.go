// Package secure makes the TLS of connections from settings.
//
// There are two ways. The simple one, spark.firesteel.tls=auto, needs no files: processes that share a secret
// (spark.authenticate.secret, or the one that a driver makes for its application) derive from it the key of a certificate
// authority, and each makes itself a certificate by it when it starts. Both sides of a connection must show such a certificate,
// TLS is 1.3, and the proof of the secret (rpc's handshake) comes on top. It covers the connections between Firesteel's own
// processes: driver, executors, masters, workers, shuffle services. Web pages, submissions and Connect clients know no secret
// to derive anything from; they need a certificate.
//
// The other is Spark's spark.ssl.*: a key store and a trust store as PEM files or PKCS#12, for all kinds of connections, or for
// one by spark.ssl.rpc.*, spark.ssl.ui.*, spark.ssl.standalone.* and spark.ssl.connect.*. As in Spark, spark.ssl.enabled does
// not turn RPC on; spark.ssl.rpc.enabled does. spark.firesteel.tls=files is short for all of them, with
// spark.firesteel.tls.cert, .key and .ca. The peer's certificate must be valid now, be signed by one in the trust store and
// name the host that was dialled; TLS is 1.2 at least. Who may connect is decided by the secret, unless needClientAuth asks for
// certificates of clients as well.
package secure
