// Package metastore keeps a catalog in a directory, by default inside of the warehouse: a JSON file for each database, table and
// function. Files appear whole or not at all, so that processes may share the directory; of two creations of one name one
// fails.
package metastore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Dir is a catalog.Store in a directory.
type Dir struct {
	fs    vfs.FS
	root  string
	local bool

	mu    sync.Mutex
	cache map[string]cached
}

// cached is a decoded file as it was read.
type cached struct {
	info  vfs.Info
	value any
}

// Name is the directory below the warehouse.
const Name = "_firesteel_catalog"

// Open uses (and makes at the first change) the catalog of a warehouse directory.
func Open(reg *vfs.Registry, warehouse string) (*Dir, error) {
	f, path, err := reg.Resolve(warehouse)
	if err != nil {
		return nil, fmt.Errorf("catalog of %s: %w", warehouse, err)
	}
	_, local := f.(*vfs.Local)
	return &Dir{fs: f, root: vfs.Join(path, Name), local: local, cache: map[string]cached{}}, nil
}

var _ catalog.Store = (*Dir)(nil)

func ctx() context.Context { return context.Background() }

func (d *Dir) path(parts ...string) string {
	p := d.root
	for i, x := range parts {
		if i == 1 && len(parts) > 1 { // databases, then the kind of thing, then its name
			p = vfs.Join(p, x)
			continue
		}
		p = vfs.Join(p, url.PathEscape(x))
	}
	return p
}

func (d *Dir) dbFile(db string) string          { return d.path(db, "database.json") }
func (d *Dir) tableFile(db, n string) string    { return d.path(db, "tables", n+".json") }
func (d *Dir) partsFile(db, n string) string    { return d.path(db, "partitions", n+".json") }
func (d *Dir) functionFile(db, n string) string { return d.path(db, "functions", n+".json") }

// load reads and decodes a file; nil when there is none. What was read before is used again while the file is the same.
func load[T any](d *Dir, path string, decode func([]byte) (*T, error)) (*T, error) {
	info, err := d.fs.Stat(ctx(), path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	d.mu.Lock()
	c, ok := d.cache[path]
	d.mu.Unlock()
	if ok && c.info == info {
		return c.value.(*T), nil
	}
	b, err := vfs.ReadFile(ctx(), d.fs, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	v, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("catalog: %s: %w", path, err)
	}
	d.mu.Lock()
	d.cache[path] = cached{info, v}
	d.mu.Unlock()
	return v, nil
}

// save writes a file in place of an old one; if fresh is set, only when there is none, and says whether it did.
func (d *Dir) save(path string, b []byte, fresh bool) (bool, error) {
	if err := d.fs.MkdirAll(ctx(), vfs.Dir(path)); err != nil {
		return false, fmt.Errorf("catalog: %w", err)
	}
	if !fresh {
		return true, wrap(vfs.WriteFile(ctx(), d.fs, path, b))
	}
	if d.local {
		return d.claim(path, b)
	}
	if ok, err := vfs.Exists(ctx(), d.fs, path); ok || err != nil {
		return false, wrap(err)
	}
	return true, wrap(vfs.WriteFile(ctx(), d.fs, path, b))
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return nil
}

// claim makes a new file on the local disk: a link to a complete file, which fails if the name is taken.
func (d *Dir) claim(path string, b []byte) (bool, error) {
	f, err := os.CreateTemp(vfs.Dir(path), ".new-*")
	if err != nil {
		return false, wrap(err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if e := os.Remove(f.Name()); e != nil && err == nil {
		err = e
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, wrap(err)
}

// names lists the things of a kind.
func (d *Dir) names(dir string) ([]string, error) {
	list, err := d.fs.List(ctx(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	var out []string
	for _, i := range list {
		n, ok := strings.CutSuffix(i.Name(), ".json")
		if !ok || i.IsDir {
			continue
		}
		if u, err := url.PathUnescape(n); err == nil {
			n = u
		}
		out = append(out, n)
	}
	return out, nil
}

// Databases implements catalog.Store; so do the other methods.
func (d *Dir) Databases() ([]string, error) {
	list, err := d.fs.List(ctx(), d.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	var out []string
	for _, i := range list {
		name := i.Name()
		if u, err := url.PathUnescape(name); err == nil {
			name = u
		}
		if i.IsDir {
			if db, err := d.Database(name); err != nil {
				return nil, err
			} else if db != nil {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

func (d *Dir) Database(name string) (*catalog.Database, error) {
	return load(d, d.dbFile(name), func(b []byte) (*catalog.Database, error) {
		db := &catalog.Database{}
		return db, json.Unmarshal(b, db)
	})
}

func (d *Dir) CreateDatabase(db *catalog.Database) (bool, error) {
	b, err := json.Marshal(db)
	if err != nil {
		return false, wrap(err)
	}
	return d.save(d.dbFile(db.Name), b, true)
}

func (d *Dir) AlterDatabase(db *catalog.Database) error {
	b, err := json.Marshal(db)
	if err != nil {
		return wrap(err)
	}
	_, err = d.save(d.dbFile(db.Name), b, false)
	return err
}

func (d *Dir) DropDatabase(name string) error { return wrap(d.fs.Remove(ctx(), d.path(name))) }

func (d *Dir) Tables(db string) ([]string, error) { return d.names(d.path(db, "tables")) }

func (d *Dir) Table(db, name string) (*catalog.Table, error) {
	return load(d, d.tableFile(db, name), decodeTable)
}

func (d *Dir) CreateTable(db, name string, t *catalog.Table) (bool, error) {
	b, err := encodeTable(t)
	if err != nil {
		return false, wrap(err)
	}
	return d.save(d.tableFile(db, name), b, true)
}

func (d *Dir) AlterTable(db, name string, t *catalog.Table) error {
	b, err := encodeTable(t)
	if err != nil {
		return wrap(err)
	}
	_, err = d.save(d.tableFile(db, name), b, false)
	return err
}

func (d *Dir) RenameTable(db, name, to string, t *catalog.Table) (bool, error) {
	made, err := d.CreateTable(db, to, t)
	if !made || err != nil {
		return made, err
	}
	parts, err := d.Partitions(db, name)
	if err != nil {
		return false, err
	}
	if len(parts) > 0 {
		if err := d.SetPartitions(db, to, parts); err != nil {
			return false, err
		}
	}
	return true, d.DropTable(db, name)
}

func (d *Dir) DropTable(db, name string) error {
	if err := d.fs.Remove(ctx(), d.partsFile(db, name)); err != nil {
		return wrap(err)
	}
	return wrap(d.fs.Remove(ctx(), d.tableFile(db, name)))
}

func (d *Dir) Partitions(db, table string) ([]*catalog.Partition, error) {
	list, err := load(d, d.partsFile(db, table), func(b []byte) (*[]*catalog.Partition, error) {
		var list []*catalog.Partition
		return &list, json.Unmarshal(b, &list)
	})
	if list == nil || err != nil {
		return nil, err
	}
	return *list, nil
}

func (d *Dir) SetPartitions(db, table string, p []*catalog.Partition) error {
	b, err := json.Marshal(p)
	if err != nil {
		return wrap(err)
	}
	_, err = d.save(d.partsFile(db, table), b, false)
	return err
}

func (d *Dir) Functions(db string) ([]string, error) { return d.names(d.path(db, "functions")) }

func (d *Dir) Function(db, name string) (*catalog.Function, error) {
	return load(d, d.functionFile(db, name), decodeFunction)
}

func (d *Dir) CreateFunction(db, name string, f *catalog.Function, replace bool) (bool, error) {
	b, err := encodeFunction(f)
	if err != nil {
		return false, wrap(err)
	}
	return d.save(d.functionFile(db, name), b, !replace)
}

func (d *Dir) DropFunction(db, name string) error {
	return wrap(d.fs.Remove(ctx(), d.functionFile(db, name)))
}
