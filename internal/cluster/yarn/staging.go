package yarn

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Names of links in containers' directories.
const (
	binaryLink = "__firesteel__"
	confLink   = "__hadoop_conf__"
	keytabLink = "__firesteel_keytab__"
	specLink   = "__firesteel_spec__.json"
)

// resource is a file for containers, as it travels from who submits to the application master.
type resource struct {
	Link       string
	URI        string
	Size, Time int64
	Archive    bool
	Visibility int32
}

// local is the resource as NodeManagers take it.
func (r *resource) local() (*yarn.NamedResource, error) {
	u, err := url.Parse(r.URI)
	if err != nil {
		return nil, err
	}
	at := &yarn.URL{Scheme: u.Scheme, Host: u.Hostname(), Port: -1, File: u.Path}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil {
			return nil, err
		}
		at.Port = int32(n)
	}
	kind := int32(yarn.File)
	if r.Archive {
		kind = yarn.Archive
	}
	return &yarn.NamedResource{Name: r.Link, Resource: &yarn.LocalResource{URL: at, Size: r.Size, Timestamp: r.Time, Type: kind, Visibility: r.Visibility}}, nil
}

// staging is an application's directory of uploaded files.
type staging struct {
	fs       *vfs.Registry
	hdfs     *hdfs.FS
	root     string // URI
	replicas int
	links    map[string]string // to what they lead
	all      []resource
}

// stagingRoot is the directory of an application: below spark.yarn.stagingDir, or the user's home in the default file system.
func stagingRoot(v *conf.Values, c hadoop.Conf, u *hadoop.User, id yarn.ApplicationID) (string, error) {
	base := v.String("spark.yarn.stagingDir")
	if base == "" {
		base = "/user/" + u.Short()
		if hdfs.Default(c) == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			base = "file:" + home
		}
	}
	if strings.HasPrefix(base, "/") && hdfs.Default(c) != "" {
		base = hdfs.Default(c) + base
	} else if strings.HasPrefix(base, "/") {
		base = "file:" + base
	}
	return strings.TrimRight(base, "/") + "/.sparkStaging/" + id.String(), nil
}

// newStaging makes the directory, closed to others.
func newStaging(ctx context.Context, v *conf.Values, c hadoop.Conf, u *hadoop.User, id yarn.ApplicationID) (*staging, error) {
	root, err := stagingRoot(v, c, u, id)
	if err != nil {
		return nil, err
	}
	s := &staging{fs: vfs.NewRegistry(), hdfs: hdfs.New(c, u), root: root, links: map[string]string{}, replicas: int(v.Int("spark.yarn.submit.file.replication"))}
	s.fs.Register(hdfs.Scheme, s.hdfs)
	f, p, err := s.fs.Resolve(root)
	if err == nil {
		if err = f.MkdirAll(ctx, p); err == nil {
			err = s.mode(ctx, root, 0o700)
		}
	}
	if err != nil {
		s.hdfs.Close()
		return nil, fmt.Errorf("staging directory %s: %w", root, err)
	}
	return s, nil
}

func (s *staging) mode(ctx context.Context, uri string, mode uint32) error {
	f, p, err := s.fs.Resolve(uri)
	if err != nil {
		return err
	}
	switch f := f.(type) {
	case *hdfs.FS:
		return f.SetPermission(ctx, p, mode)
	case *vfs.Local:
		return os.Chmod(p, os.FileMode(mode))
	}
	return nil
}

// remove deletes the directory.
func (s *staging) remove(ctx context.Context) error {
	f, p, err := s.fs.Resolve(s.root)
	if err != nil {
		return err
	}
	return f.Remove(ctx, p)
}

func (s *staging) close() { s.hdfs.Close() }

// removeStaging deletes the directory where nobody has it open.
func removeStaging(ctx context.Context, c hadoop.Conf, u *hadoop.User, root string) error {
	s := &staging{fs: vfs.NewRegistry(), hdfs: hdfs.New(c, u), root: root}
	defer s.close()
	s.fs.Register(hdfs.Scheme, s.hdfs)
	return s.remove(ctx)
}

// DuplicateError says that two files want the same link.
type DuplicateError struct{ Link, First, Second string }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("both %s and %s would be %s in the containers' directories", e.First, e.Second, e.Link)
}

func (s *staging) claim(link, of string) error {
	if link == "" || strings.ContainsAny(link, "/\x00") || link == "." || link == ".." {
		return fmt.Errorf("%s: %q cannot be the name of a file in the containers' directories", of, link)
	}
	if first, ok := s.links[link]; ok && first != of {
		return &DuplicateError{link, first, of}
	}
	s.links[link] = of
	return nil
}

// add makes a file a resource: one of this machine is uploaded, one that containers can reach is used where it is.
// given may end in #link.
func (s *staging) add(ctx context.Context, given string, archive bool) (*resource, error) {
	uri, link, _ := strings.Cut(given, "#")
	if link == "" {
		link = path.Base(strings.TrimRight(uri, "/"))
	}
	if _, ok := s.links[link]; ok && s.links[link] == given {
		return nil, nil // it was given twice
	}
	if err := s.claim(link, given); err != nil {
		return nil, err
	}
	f, p, err := s.fs.Resolve(uri)
	if err != nil {
		return nil, err
	}
	if _, local := f.(*vfs.Local); local {
		return s.upload(ctx, p, link, archive, 0o644)
	}
	return s.existing(ctx, f, p, link, archive)
}

// existing is a file that is there already: for all users if everybody may read it, so that nodes keep it between applications.
func (s *staging) existing(ctx context.Context, f vfs.FS, p, link string, archive bool) (*resource, error) {
	info, err := f.Stat(ctx, p)
	if err != nil {
		return nil, err
	}
	r := resource{Link: link, URI: f.URI(p), Size: info.Size, Time: info.ModTime, Archive: archive, Visibility: yarn.Private}
	if h, ok := f.(*hdfs.FS); ok {
		public, err := h.Public(ctx, p)
		if err != nil {
			return nil, err
		}
		if public {
			r.Visibility = yarn.Public
		}
	}
	s.all = append(s.all, r)
	return &s.all[len(s.all)-1], nil
}

// upload copies a file of this machine into the staging directory.
func (s *staging) upload(ctx context.Context, file, link string, archive bool, mode uint32) (*resource, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if st, err := in.Stat(); err != nil {
		return nil, err
	} else if st.IsDir() {
		return nil, fmt.Errorf("%s is a directory: only files can be sent", file)
	}
	name := link
	if archive { // its name tells how it is packed
		name = filepath.Base(file)
	}
	return s.write(ctx, in, name, link, archive, mode)
}

func (s *staging) put(ctx context.Context, data []byte, link string, archive bool) (*resource, error) {
	if err := s.claim(link, link); err != nil {
		return nil, err
	}
	name := link
	if archive {
		name += ".zip"
	}
	return s.write(ctx, bytes.NewReader(data), name, link, archive, 0o600)
}

func (s *staging) write(ctx context.Context, in io.Reader, name, link string, archive bool, mode uint32) (*resource, error) {
	at := s.root + "/" + url.PathEscape(name)
	f, p, err := s.fs.Resolve(s.root + "/" + name)
	if err != nil {
		return nil, err
	}
	w, err := f.Create(ctx, p)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, in); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := s.mode(ctx, f.URI(p), mode); err != nil {
		return nil, err
	}
	if h, ok := f.(*hdfs.FS); ok && s.replicas > 0 {
		if err := h.SetReplication(ctx, p, s.replicas); err != nil {
			return nil, err
		}
	}
	info, err := f.Stat(ctx, p)
	if err != nil {
		return nil, err
	}
	s.all = append(s.all, resource{Link: link, URI: at, Size: info.Size, Time: info.ModTime, Archive: archive, Visibility: yarn.Application})
	return &s.all[len(s.all)-1], nil
}

// binary makes the program a resource and gives the command that runs it.
func (s *staging) binary(ctx context.Context, v *conf.Values, file string) (string, error) {
	there := v.String("spark.yarn.binary")
	if rest, ok := strings.CutPrefix(there, "local:"); ok {
		return "/" + strings.TrimLeft(rest, "/"), nil
	}
	if err := s.claim(binaryLink, binaryLink); err != nil {
		return "", err
	}
	if there != "" {
		f, p, err := s.fs.Resolve(there)
		if err != nil {
			return "", err
		}
		if _, local := f.(*vfs.Local); !local {
			_, err = s.existing(ctx, f, p, binaryLink, false)
			return "./" + binaryLink, err
		}
		file = p
	}
	_, err := s.upload(ctx, file, binaryLink, false, 0o755)
	return "./" + binaryLink, err
}

// files uploads what settings name: files, archives, Python files. Links to Python files are given back, for the Python path.
func (s *staging) files(ctx context.Context, v *conf.Values) (python []string, err error) {
	for _, k := range []struct {
		keys    []string
		archive bool
	}{
		{[]string{"spark.files", "spark.yarn.dist.files"}, false},
		{[]string{"spark.archives", "spark.yarn.dist.archives"}, true},
		{[]string{"spark.submit.pyFiles"}, false},
	} {
		for _, key := range k.keys {
			for _, f := range list(v.String(key)) {
				if strings.HasPrefix(f, "local:") {
					continue // it is on all nodes
				}
				if _, err := s.add(ctx, f, k.archive); err != nil {
					return nil, fmt.Errorf("%s: %w", key, err)
				}
				if key == "spark.submit.pyFiles" {
					uri, link, _ := strings.Cut(f, "#")
					if link == "" {
						link = path.Base(uri)
					}
					python = append(python, link)
				}
			}
		}
	}
	return slices.Compact(python), nil
}

// hadoopConf ships the configuration, so that containers find the services.
func (s *staging) hadoopConf(ctx context.Context, c hadoop.Conf) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("core-site.xml")
	if err != nil {
		return err
	}
	if _, err := w.Write(c.XML()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	_, err = s.put(ctx, b.Bytes(), confLink, true)
	return err
}

// spec is what the application master must know; it is a file in its directory.
type spec struct {
	App         string // YARN's id
	Name        string
	Staging     string
	Keep        bool   // the staging directory
	Binary      string // the command
	Resources   []resource
	Attempts    int
	Conf        map[string]string
	Python      []string // links for the Python path
	Program     string   // cluster mode: link of the application, or its path on the nodes
	ProgramArgs []string
	Driver      string // client mode: host:port of the driver's link
}

// command is the application's file as containers name it.
func (sp *spec) command() string {
	if filepath.IsAbs(sp.Program) {
		return sp.Program
	}
	return "./" + sp.Program
}

func (s *staging) spec(ctx context.Context, sp *spec) error {
	sp.Staging, sp.Resources = s.root, slices.Clone(s.all)
	data, err := json.Marshal(sp)
	if err != nil {
		return err
	}
	_, err = s.put(ctx, data, specLink, false)
	return err
}

// launchResources are all resources as NodeManagers take them.
func launchResources(all []resource) ([]*yarn.NamedResource, error) {
	var out []*yarn.NamedResource
	for i := range all {
		r, err := all[i].local()
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// linkOf is the link of a file that was given.
func (s *staging) linkOf(given string) string {
	for link, of := range s.links {
		if of == given {
			return link
		}
	}
	return ""
}
