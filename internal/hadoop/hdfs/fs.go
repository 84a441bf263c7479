// Package hdfs is Hadoop's file system for package vfs, by the protocols of the NameNode and the DataNodes: reading with
// checksums and all replicas, writing through a pipeline, and everything that names can have done to them.
//
// Paths are what vfs.Registry gives: //authority/dir/file, the authority being host:port or a nameservice; without one it is
// that of fs.defaultFS. What is not there answers with a typed error: erasure coding, encryption zones, encrypted data transfer.
package hdfs

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Scheme is the scheme of URIs.
const Scheme = "hdfs"

// FS is Hadoop's file system. It connects when it is used first.
type FS struct {
	settings map[string]string // with which conf and user are found at the first use
	conns    pool

	mu     sync.Mutex
	conf   hadoop.Conf
	user   *hadoop.User
	by     map[string]*nameNode // by authority
	closed bool
}

// New makes a file system with a configuration and a user.
func New(c hadoop.Conf, u *hadoop.User) *FS {
	return &FS{conf: c, user: u, conns: pool{idle: map[string][]*dataConn{}}, by: map[string]*nameNode{}}
}

// Register makes hdfs: known to a registry, for plain paths too where fs.defaultFS says so. The configuration is read, and the
// user found out, at the first use.
func Register(r *vfs.Registry, settings map[string]string) *FS {
	f := New(nil, nil)
	f.settings = settings
	r.Register(Scheme, f)
	if _, given := settings["spark.hadoop.fs.defaultFS"]; given || len(hadoop.ConfDirs()) > 0 {
		r.SetDefault(f.places)
	}
	return f
}

// places are the root of the default file system, "" where that is not this one, and the user's home in it.
func (f *FS) places() (root, home string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.configure(); err != nil {
		return "", "", err
	}
	if root = Default(f.conf); root == "" {
		return "", "", nil
	}
	if err := f.login(); err != nil {
		return "", "", err
	}
	return root, "/user/" + f.user.Short(), nil
}

// Settings are the whole configuration as spark.hadoop.* settings, for processes that do not have its files.
func (f *FS) Settings() (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.configure(); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for k, v := range f.conf {
		out["spark.hadoop."+k] = v
	}
	return out, nil
}

// configure reads the configuration, and login finds out the user, unless that was done. The caller has the lock.
func (f *FS) configure() (err error) {
	if f.conf == nil {
		f.conf, err = hadoop.LoadConf(f.settings)
	}
	return err
}

func (f *FS) login() (err error) {
	if f.user == nil {
		f.user, err = hadoop.UserFor(f.conf, f.settings)
	}
	return err
}

// Close ends all connections.
func (f *FS) Close() {
	f.mu.Lock()
	by := f.by
	f.by, f.closed = nil, true
	f.mu.Unlock()
	for _, n := range by {
		n.close()
	}
	f.conns.close()
}

// split cuts a path into its authority and the NameNode's path.
func split(path string) (authority, rest string) {
	if a, ok := strings.CutPrefix(path, "//"); ok {
		i := strings.IndexByte(a, '/')
		if i < 0 {
			return a, "/"
		}
		authority, path = a[:i], a[i:]
	}
	if path = strings.TrimRight(path, "/"); path == "" {
		path = "/"
	}
	return authority, path
}

// errNoDefault is the error of a path without authority where the configuration has no default.
var errNoDefault = errors.New("the path names no NameNode, and fs.defaultFS is not an hdfs: URI (is HADOOP_CONF_DIR set?)")

// node finds the NameNode of a path.
func (f *FS) node(path string) (*nameNode, string, error) {
	authority, rest := split(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, "", &fs.PathError{Op: "open", Path: path, Err: fs.ErrClosed}
	}
	if err := f.configure(); err != nil {
		return nil, "", err
	}
	if err := f.login(); err != nil {
		return nil, "", err
	}
	if authority == "" {
		u, err := url.Parse(f.conf.Get("fs.defaultFS", ""))
		if err != nil || u.Scheme != Scheme || u.Host == "" {
			return nil, "", &fs.PathError{Op: "open", Path: path, Err: errNoDefault}
		}
		authority = u.Host
	}
	n := f.by[authority]
	if n == nil {
		var err error
		if n, err = newNameNode(f.conf, f.user, authority); err != nil {
			return nil, "", err
		}
		f.by[authority] = n
	}
	return n, rest, nil
}

// URI implements vfs.FS.
func (f *FS) URI(path string) string { return Scheme + ":" + path }

func infoOf(path string, s *fileStatus) vfs.Info {
	i := vfs.Info{Path: path, Size: int64(s.Length), ModTime: int64(s.Modified), Version: s.FileID, IsDir: s.Type == typeDir}
	if i.IsDir {
		i.Size = 0
	}
	return i
}

// Open implements vfs.FS.
func (f *FS) Open(ctx context.Context, path string) (vfs.File, error) {
	n, p, err := f.node(path)
	if err != nil {
		return nil, err
	}
	s, err := n.stat(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.Type != typeFile {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
	}
	return f.open(ctx, n, p, infoOf(path, s))
}

// Create implements vfs.FS.
func (f *FS) Create(ctx context.Context, path string) (vfs.Writer, error) {
	n, p, err := f.node(path)
	if err != nil {
		return nil, err
	}
	return f.create(ctx, n, p)
}

// Stat implements vfs.FS.
func (f *FS) Stat(ctx context.Context, path string) (vfs.Info, error) {
	n, p, err := f.node(path)
	if err != nil {
		return vfs.Info{}, err
	}
	s, err := n.stat(ctx, p)
	if err != nil {
		return vfs.Info{}, err
	}
	return infoOf(path, s), nil
}

// List implements vfs.FS.
func (f *FS) List(ctx context.Context, path string) ([]vfs.Info, error) {
	n, p, err := f.node(path)
	if err != nil {
		return nil, err
	}
	l, err := n.list(ctx, p)
	if err != nil {
		return nil, err
	}
	out := make([]vfs.Info, 0, len(l))
	for _, s := range l {
		at := path
		if len(s.Path) > 0 { // of a file that was listed itself it is empty
			at = vfs.Join(path, string(s.Path))
		}
		out = append(out, infoOf(at, s))
	}
	slices.SortFunc(out, func(a, b vfs.Info) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// MkdirAll implements vfs.FS.
func (f *FS) MkdirAll(ctx context.Context, path string) error {
	n, p, err := f.node(path)
	if err != nil {
		return err
	}
	return n.mkdirs(ctx, p)
}

func (n *nameNode) mkdirs(ctx context.Context, path string) error {
	return pathError("mkdir", path, n.call(ctx, "mkdirs", &mkdirsRequest{path, n.permission(0o777), true}, &boolResponse{}))
}

// Rename implements vfs.FS.
func (f *FS) Rename(ctx context.Context, from, to string) error {
	n, p, err := f.node(from)
	if err != nil {
		return err
	}
	m, q, err := f.node(to)
	if err != nil {
		return err
	}
	if m != n {
		return &fs.PathError{Op: "rename", Path: to, Err: errors.New("it is of another NameNode than " + from)}
	}
	return f.rename(ctx, n, p, q)
}

// rename makes the new name's parents when they are missing.
func (f *FS) rename(ctx context.Context, n *nameNode, from, to string) error {
	call := func() error { return n.change(ctx, "rename2", &renameRequest{from, to, true}, &empty{}) }
	err := call()
	if errors.Is(err, hadoop.Exception("FileNotFoundException")) {
		if _, statErr := n.stat(ctx, from); statErr != nil {
			return statErr
		}
		if err := n.mkdirs(ctx, vfs.Dir(to)); err != nil {
			return err
		}
		err = call()
	}
	return pathError("rename", from, err)
}

// Remove implements vfs.FS.
func (f *FS) Remove(ctx context.Context, path string) error {
	n, p, err := f.node(path)
	if err != nil {
		return err
	}
	return pathError("remove", path, n.call(ctx, "delete", &deleteRequest{p, true}, &boolResponse{}))
}

// RemoveEmpty implements vfs.FS.
func (f *FS) RemoveEmpty(ctx context.Context, path string) error {
	n, p, err := f.node(path)
	if err != nil {
		return err
	}
	err = n.call(ctx, "delete", &deleteRequest{p, false}, &boolResponse{})
	if errors.Is(err, hadoop.Exception("PathIsNotEmptyDirectoryException")) {
		return nil
	}
	return pathError("remove", path, err)
}

// Hosts implements vfs.Locator: the hosts that have most of the range.
func (f *FS) Hosts(ctx context.Context, path string, off, length int64) ([]string, error) {
	n, p, err := f.node(path)
	if err != nil {
		return nil, err
	}
	return n.hosts(ctx, p, off, length)
}

// SetPermission sets who may read and write a file or directory.
func (f *FS) SetPermission(ctx context.Context, path string, mode uint32) error {
	n, p, err := f.node(path)
	if err != nil {
		return err
	}
	return pathError("chmod", path, n.call(ctx, "setPermission", &setPermissionRequest{p, &permission{mode}}, &empty{}))
}

// SetReplication sets how many replicas the blocks of a file should have.
func (f *FS) SetReplication(ctx context.Context, path string, replicas int) error {
	n, p, err := f.node(path)
	if err != nil {
		return err
	}
	return pathError("setReplication", path, n.call(ctx, "setReplication", &setReplicationRequest{p, uint32(replicas)}, &boolResponse{}))
}

// DelegationToken gets a token with which containers can use the cluster of a path.
func (f *FS) DelegationToken(ctx context.Context, path, renewer string) (*hadoop.Token, error) {
	n, _, err := f.node(path)
	if err != nil {
		return nil, err
	}
	return n.delegationToken(ctx, renewer)
}

// TokenService names the tokens of the cluster of a path.
func (f *FS) TokenService(path string) (string, error) {
	n, _, err := f.node(path)
	if err != nil {
		return "", err
	}
	return n.token, nil
}

// RenewToken makes a delegation token live on, whose renewer the user must be, and tells until when.
func (f *FS) RenewToken(ctx context.Context, path string, t *hadoop.Token) (time.Time, error) {
	n, _, err := f.node(path)
	if err != nil {
		return time.Time{}, err
	}
	return n.renewToken(ctx, t)
}

// Default is the configured file system's root, e.g. hdfs://nn:8020; "" if it is not one of Hadoop's.
func Default(c hadoop.Conf) string {
	u, err := url.Parse(c.Get("fs.defaultFS", ""))
	if err != nil || u.Scheme != Scheme {
		return ""
	}
	return Scheme + "://" + u.Host
}

// Public says whether everybody may read a file: its own permissions and those of all directories above it.
func (f *FS) Public(ctx context.Context, path string) (bool, error) {
	n, p, err := f.node(path)
	if err != nil {
		return false, err
	}
	need := uint32(othersRead)
	for {
		s, err := n.stat(ctx, p)
		if err != nil {
			return false, err
		}
		if s.Permission == nil || s.Permission.Perm&need == 0 {
			return false, nil
		}
		if p == "/" {
			return true, nil
		}
		p, need = vfs.Dir(p), othersSearch
	}
}

const othersRead, othersSearch = 0o4, 0o1
