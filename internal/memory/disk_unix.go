//go:build unix

package memory

import "golang.org/x/sys/unix"

// diskFree is the space that is left where a directory lies, 0 if that cannot be told.
func diskFree(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
