package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Read reads a file from its begin to its end: one of this machine (file:, local:, or a path), of a web server, or of a file system.
func Read(ctx context.Context, from *vfs.Registry, address string) (io.ReadCloser, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	switch {
	case !ok || len(scheme) < 2 || strings.Contains(scheme, "/"):
		address = "file:" + address
	case scheme == "local":
		address = "file:" + rest
	case scheme == "http" || scheme == "https":
		return download(ctx, address)
	}
	f, p, err := from.Resolve(address)
	if err != nil {
		return nil, err
	}
	in, err := f.Open(ctx, p)
	switch {
	case errors.Is(err, syscall.EISDIR):
		return nil, sparkerr.New("UNSUPPORTED_ADD_FILE.DIRECTORY", "path", address).WithCause(err)
	case err != nil:
		return nil, err
	}
	return section{io.NewSectionReader(in, 0, in.Info().Size), in}, nil
}

// section is a file as a stream.
type section struct {
	io.Reader
	io.Closer
}

func download(ctx context.Context, address string) (io.ReadCloser, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	q.Close = true // the only request there
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: the server answered %s", address, r.Status), r.Body.Close())
	}
	return r.Body, nil
}
