package hdfs

import (
	"errors"
	"io/fs"

	"github.com/firesteel/firesteel/internal/hadoop"
)

func notExist(op, path string) error { return &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist} }

// classes are the exceptions that mean what an error of io/fs means.
var classes = []struct {
	class hadoop.Exception
	is    error
}{
	{"FileNotFoundException", fs.ErrNotExist},
	{"FileAlreadyExistsException", fs.ErrExist},
	{"AlreadyBeingCreatedException", fs.ErrExist},
	{"AccessControlException", fs.ErrPermission},
}

// pathError makes an exception an error of io/fs; the exception stays in it.
func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	for _, c := range classes {
		if errors.Is(err, c.class) {
			err = &classified{err, c.is}
			break
		}
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

type classified struct {
	error
	is error
}

func (c *classified) Unwrap() []error { return []error{c.error, c.is} }
