package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/vfs"
)

// fetched is where the files of an application are that lie elsewhere (hdfs:, http:, https:), until it is removed.
type fetched struct {
	dir  string // "": nothing had to be fetched
	from *vfs.Registry
}

// fetch gives an application and its Python files as files of this machine. The caller must remove what it returns.
func fetch(ctx context.Context, o *session.Options, argv []string) (f *fetched, local []string, err error) {
	f = &fetched{from: vfs.NewRegistry()}
	h := hdfs.Register(f.from, o.Conf)
	defer h.Close()
	local = append([]string{}, argv...)
	if local[0], err = f.file(ctx, argv[0]); err != nil {
		return f, nil, fmt.Errorf("firesteel submit: cannot read the application: %w", err)
	}
	if given := o.Conf["spark.submit.pyFiles"]; given != "" {
		names := strings.Split(given, ",")
		for i, name := range names {
			if names[i], err = f.file(ctx, strings.TrimSpace(name)); err != nil {
				return f, nil, fmt.Errorf("firesteel submit: --py-files: %w", err)
			}
		}
		o.Conf["spark.submit.pyFiles"] = strings.Join(names, ",")
	}
	return f, local, nil
}

// file is the path of a file of this machine, or of the copy of one that is not.
func (f *fetched) file(ctx context.Context, name string) (string, error) {
	scheme, rest, ok := strings.Cut(name, ":")
	switch {
	case !ok || len(scheme) < 2 || strings.Contains(scheme, "/"):
		return name, nil
	case scheme == "file" || scheme == "local":
		return "/" + strings.TrimLeft(rest, "/"), nil
	}
	in, err := files.Read(ctx, f.from, name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	if f.dir == "" {
		if f.dir, err = os.MkdirTemp("", "firesteel-fetched-"); err != nil {
			return "", err
		}
	}
	to := filepath.Join(f.dir, path.Base(strings.SplitN(rest, "?", 2)[0]))
	mode := os.FileMode(0o600)
	if filepath.Ext(to) == "" { // a program
		mode = 0o700
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	return to, errors.Join(err, out.Close())
}

func (f *fetched) any() bool { return f.dir != "" }

// remove removes the copies.
func (f *fetched) remove() error {
	if f.dir == "" {
		return nil
	}
	return os.RemoveAll(f.dir)
}
