// Package hadoop talks to Hadoop's services in their own protocol: RPC version 9 with protocol buffers, authenticated by
// user name, by delegation tokens (SASL DIGEST-MD5) or by Kerberos (SASL GSSAPI). Sub-packages hold the protocols: yarn (the
// ResourceManager and the NodeManagers) and hdfs (a file system for package vfs).
//
// # Contract
//
// A User is who calls: a name, Kerberos credentials, tokens. A Client keeps one connection to one service, redials it when it
// breaks and turns to the other address of a highly available pair; a call that the server may have carried out already is
// repeated only if the caller says that it is idempotent. Every wait ends with the caller's context or a limit of Limits.
package hadoop
