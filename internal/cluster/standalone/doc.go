// Package standalone is Firesteel's own cluster manager: a master that decides (package core) and workers that run
// executors and drivers as child processes. Workers, applications and those who submit drivers connect to the master over
// rpc; with a secret (spark.authenticate) each side proves that it knows it. The master never connects to anybody.
//
// A connection that breaks is made again: what runs goes on meanwhile, and both sides compare what they know when they
// meet. The secret of an application reaches its executors by way of master and worker, sealed with the cluster's secret.
package standalone
