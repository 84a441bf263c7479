// Package chaos breaks things on purpose: real processes of the one binary meet full disks, hostile files, hostile
// clients, small memories and signals. Each case is named after its line in docs/faults.md.
//
// The quick cases run with `go test`; FIRESTEEL_DEEP=1 (make chaos) adds the long ones. FIRESTEEL names a binary to test
// in place of one that is built here.
package chaos
