// Package connectpb holds the wire definitions of Spark Connect, package spark.connect, as
// PySpark 4.3.0 speaks it. The .proto files are the source; the Go code is generated from them.
package connectpb

//go:generate go run ./generate
