package source

import (
	"context"
	"errors"
	"io/fs"
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// inputFile is one file of a relation with the values of its partition columns, in the order of the relation's.
type inputFile struct {
	fs   vfs.FS
	info vfs.Info
	part []any
}

// uri is the file's name as users see it.
func (f *inputFile) uri() string { return f.fs.URI(f.info.Path) }

// listing is what discovery finds.
type listing struct {
	fs    vfs.FS
	roots []vfs.Info
	leafs []vfs.Info // data files, sorted by path
	base  map[string]bool
}

// tablePaths are the paths that a table reads.
func tablePaths(t *catalog.Table) []string {
	if len(t.Paths) > 0 {
		return t.Paths
	}
	if p := t.Options["path"]; p != "" {
		return []string{p}
	}
	if t.Location != "" {
		return []string{t.Location}
	}
	return nil
}

// listFiles finds the data files under the paths.
func listFiles(ctx context.Context, paths []string, opts options, env *Env) (*listing, error) {
	if len(paths) == 0 {
		return nil, sparkerr.New("_LEGACY_ERROR_TEMP_1132", "className", "")
	}
	l := &listing{base: map[string]bool{}}
	for _, p := range paths {
		if err := l.addRoot(ctx, p, env, opts); err != nil {
			return nil, err
		}
	}
	if err := l.setBase(opts, env); err != nil {
		return nil, err
	}
	for _, r := range l.roots {
		if err := l.walk(ctx, r, true); err != nil {
			return nil, err
		}
	}
	sort.Slice(l.leafs, func(i, j int) bool { return l.leafs[i].Path < l.leafs[j].Path })
	l.leafs = unique(l.leafs)
	return l, l.filter(opts, env)
}

func unique(in []vfs.Info) []vfs.Info {
	out := in[:0]
	for i, f := range in {
		if i == 0 || f.Path != in[i-1].Path {
			out = append(out, f)
		}
	}
	return out
}

func pathNotFound(uri string) error { return sparkerr.New("PATH_NOT_FOUND", "path", uri) }

// resolve finds the file system of a path; an unknown scheme is a typed error that names it.
func resolve(path string, env *Env) (vfs.FS, string, error) {
	f, p, err := env.FS.Resolve(path)
	var unknown *vfs.SchemeError
	if errors.As(err, &unknown) {
		return nil, "", sparkerr.Unsupported("file system of scheme " + unknown.Scheme).WithCause(err)
	}
	return f, p, err
}

func (l *listing) addRoot(ctx context.Context, path string, env *Env, opts options) error {
	f, p, err := resolve(path, env)
	if err != nil {
		return err
	}
	if l.fs != nil && l.fs != f {
		return sparkerr.Unsupported("reading several file systems at once")
	}
	l.fs = f
	info, err := f.Stat(ctx, p)
	switch {
	case err == nil:
		l.roots = append(l.roots, info)
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return readError(f.URI(p), err)
	case vfs.IsGlob(p):
		found, err := vfs.Glob(ctx, f, p)
		if err != nil {
			return readError(f.URI(p), err)
		}
		l.roots = append(l.roots, found...)
		if len(found) > 0 {
			return nil
		}
	}
	if opts.flag("ignoremissingfiles", env.flag("spark.sql.files.ignoreMissingFiles", false)) {
		return nil
	}
	return pathNotFound(f.URI(p))
}

// setBase notes where partition directories begin: the roots, or what the option basePath says.
func (l *listing) setBase(opts options, env *Env) error {
	if base := opts["basepath"]; base != "" {
		_, p, err := resolve(base, env)
		if err != nil {
			return err
		}
		l.base[strings.TrimRight(p, "/")] = true
		return nil
	}
	for _, r := range l.roots {
		if r.IsDir {
			l.base[r.Path] = true
		} else {
			l.base[vfs.Dir(r.Path)] = true
		}
	}
	return nil
}

// hidden says whether listing passes over a name: _x and .x, but not _x=1, which is a partition.
func hidden(name string) bool {
	return strings.HasPrefix(name, "_") && !strings.Contains(name, "=") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "._COPYING_")
}

func (l *listing) walk(ctx context.Context, at vfs.Info, root bool) error {
	if !at.IsDir {
		if !hidden(at.Name()) { // also of files that were named themselves, as Spark does
			l.leafs = append(l.leafs, at)
		}
		return nil
	}
	entries, err := l.fs.List(ctx, at.Path)
	if errors.Is(err, fs.ErrNotExist) && !root {
		return nil // removed while it was listed
	}
	if err != nil {
		return readError(l.fs.URI(at.Path), err)
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if err := l.walk(ctx, e, false); err != nil {
			return err
		}
	}
	return nil
}

// filter applies pathGlobFilter, modifiedBefore and modifiedAfter.
func (l *listing) filter(opts options, env *Env) error {
	before, after, err := opts.modified(env)
	if err != nil {
		return err
	}
	glob := opts["pathglobfilter"]
	out := l.leafs[:0]
	for _, f := range l.leafs {
		if glob != "" && !vfs.MatchGlob(glob, f.Name()) || f.ModTime >= before || f.ModTime <= after {
			continue
		}
		out = append(out, f)
	}
	l.leafs = out
	return nil
}

// direct keeps only the files that lie in a root itself: without partitions Spark does not look into directories.
func (l *listing) direct() {
	roots := map[string]bool{}
	for _, r := range l.roots {
		roots[r.Path] = true
	}
	out := l.leafs[:0]
	for _, f := range l.leafs {
		if roots[f.Path] || roots[vfs.Dir(f.Path)] {
			out = append(out, f)
		}
	}
	l.leafs = out
}

// readError names the file that could not be read.
func readError(uri string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return sparkerr.New("FAILED_READ_FILE.FILE_NOT_EXIST", "path", uri).WithCause(err)
	}
	if _, ok := sparkerr.As(err); ok {
		return err
	}
	return sparkerr.New("FAILED_READ_FILE.NO_HINT", "path", uri).WithCause(err)
}
