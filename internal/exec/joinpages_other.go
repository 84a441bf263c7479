//go:build !linux

package exec

func hugePages([]byte) {}
