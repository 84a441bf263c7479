// Package gateway drives the ways into Firesteel as users do: shells on a terminal, submissions, their logs and their
// mistakes, with real processes of the one binary. FIRESTEEL names a binary to test in place of one that is built here.
package gateway
