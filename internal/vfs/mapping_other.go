//go:build !unix

package vfs

import (
	"errors"
	"io/fs"
	"os"
)

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }
func unmap([]byte)                          {}
func inode(fs.FileInfo) uint64              { return 0 }
