//go:build !unix

package memory

// diskFree is the space that is left where a directory lies, 0 if that cannot be told.
func diskFree(string) int64 { return 0 }
