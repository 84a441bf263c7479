package catalog

import (
	"sort"
	"sync"
)

// Database is a namespace of tables and functions.
type Database struct {
	Name       string
	Comment    string
	Location   string
	Owner      string
	Collation  string
	Properties map[string]string
}

// Partition is a partition of a table: the values of its partition columns, in their order, as text; Null marks null values.
type Partition struct {
	Values     []string
	Null       []bool
	Location   string
	Properties map[string]string
	Created    int64 // ms
	Stats      *Stats
}

// Store keeps what outlives a session: databases, tables (views are tables too), partitions, functions. Names come in lower
// case. What is not there answers nil without an error; a change says whether it was made. Stores may be shared by
// processes: a change is seen by others at once, and two creations of one name do not both succeed.
type Store interface {
	Databases() ([]string, error)
	Database(name string) (*Database, error)
	CreateDatabase(d *Database) (bool, error)
	AlterDatabase(d *Database) error
	DropDatabase(name string) error

	Tables(db string) ([]string, error)
	Table(db, name string) (*Table, error)
	CreateTable(db, name string, t *Table) (bool, error)
	AlterTable(db, name string, t *Table) error
	RenameTable(db, name, to string, t *Table) (bool, error)
	DropTable(db, name string) error

	Partitions(db, table string) ([]*Partition, error)
	SetPartitions(db, table string, p []*Partition) error

	Functions(db string) ([]string, error)
	Function(db, name string) (*Function, error)
	CreateFunction(db, name string, f *Function, replace bool) (bool, error)
	DropFunction(db, name string) error
}

// Memory is a store that ends with the process. Its zero value is empty and ready.
type Memory struct {
	mu  sync.RWMutex
	dbs map[string]*memoryDB
}

type memoryDB struct {
	db         *Database
	tables     map[string]*Table
	partitions map[string][]*Partition
	functions  map[string]*Function
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Databases implements Store; so do the other methods.
func (m *Memory) Databases() ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return sortedKeys(m.dbs), nil
}

func (m *Memory) Database(name string) (*Database, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[name]; d != nil {
		return d.db, nil
	}
	return nil, nil
}

func (m *Memory) CreateDatabase(d *Database) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dbs == nil {
		m.dbs = map[string]*memoryDB{}
	}
	if m.dbs[d.Name] != nil {
		return false, nil
	}
	m.dbs[d.Name] = &memoryDB{db: d, tables: map[string]*Table{}, partitions: map[string][]*Partition{}, functions: map[string]*Function{}}
	return true, nil
}

func (m *Memory) AlterDatabase(d *Database) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.dbs[d.Name]; x != nil {
		x.db = d
	}
	return nil
}

func (m *Memory) DropDatabase(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.dbs, name)
	return nil
}

func (m *Memory) Tables(db string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[db]; d != nil {
		return sortedKeys(d.tables), nil
	}
	return nil, nil
}

func (m *Memory) Table(db, name string) (*Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[db]; d != nil {
		return d.tables[name], nil
	}
	return nil, nil
}

func (m *Memory) CreateTable(db, name string, t *Table) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dbs[db]
	if d == nil || d.tables[name] != nil {
		return false, nil
	}
	d.tables[name] = t
	return true, nil
}

func (m *Memory) AlterTable(db, name string, t *Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.dbs[db]; d != nil && d.tables[name] != nil {
		d.tables[name] = t
	}
	return nil
}

func (m *Memory) RenameTable(db, name, to string, t *Table) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dbs[db]
	if d == nil || d.tables[name] == nil || d.tables[to] != nil {
		return false, nil
	}
	d.tables[to] = t
	d.partitions[to] = d.partitions[name]
	delete(d.tables, name)
	delete(d.partitions, name)
	return true, nil
}

func (m *Memory) DropTable(db, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.dbs[db]; d != nil {
		delete(d.tables, name)
		delete(d.partitions, name)
	}
	return nil
}

func (m *Memory) Partitions(db, table string) ([]*Partition, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[db]; d != nil {
		return d.partitions[table], nil
	}
	return nil, nil
}

func (m *Memory) SetPartitions(db, table string, p []*Partition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.dbs[db]; d != nil {
		d.partitions[table] = p
	}
	return nil
}

func (m *Memory) Functions(db string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[db]; d != nil {
		return sortedKeys(d.functions), nil
	}
	return nil, nil
}

func (m *Memory) Function(db, name string) (*Function, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.dbs[db]; d != nil {
		return d.functions[name], nil
	}
	return nil, nil
}

func (m *Memory) CreateFunction(db, name string, f *Function, replace bool) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dbs[db]
	if d == nil || d.functions[name] != nil && !replace {
		return false, nil
	}
	d.functions[name] = f
	return true, nil
}

func (m *Memory) DropFunction(db, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.dbs[db]; d != nil {
		delete(d.functions, name)
	}
	return nil
}
