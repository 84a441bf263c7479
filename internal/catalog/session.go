package catalog

import (
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Names that every application has.
const (
	DefaultCatalog  = "spark_catalog"
	DefaultDatabase = "default"
	GlobalTemp      = "global_temp"
)

// Shared is what the sessions of one application have in common: catalogs and global temporary views.
type Shared struct {
	mu        sync.RWMutex
	stores    map[string]Store
	globals   map[string]*TempView
	warehouse string
}

// NewShared makes the application's catalogs: the session catalog over store, with a default database in the warehouse.
func NewShared(store Store, warehouse string) (*Shared, error) {
	s := &Shared{stores: map[string]Store{DefaultCatalog: store}, globals: map[string]*TempView{}, warehouse: strings.TrimSuffix(warehouse, "/")}
	d, err := store.Database(DefaultDatabase)
	if err != nil || d != nil {
		return s, err
	}
	_, err = store.CreateDatabase(&Database{Name: DefaultDatabase, Comment: "default database", Location: s.warehouse})
	return s, err
}

// Warehouse is the directory that managed tables lie in.
func (s *Shared) Warehouse() string { return s.warehouse }

// AddCatalog registers a further catalog.
func (s *Shared) AddCatalog(name string, store Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stores[strings.ToLower(name)] = store
}

// Catalogs are the names of the registered catalogs, sorted.
func (s *Shared) Catalogs() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sortedKeys(s.stores)
}

func (s *Shared) store(catalog string) Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.stores[strings.ToLower(catalog)]
}

// Variable is a session variable.
type Variable struct {
	Name    string
	Type    types.Type
	Value   any
	Default string // SQL text
}

// Session is one session's view of the catalogs: the current names, temporary views and functions, variables.
type Session struct {
	*Shared
	mu       sync.RWMutex
	catalog  string
	database string
	views    map[string]*TempView
	funcs    map[string]*Function
	vars     map[string]*Variable
	exact    func() bool // case-sensitive names
}

// NewSession starts a session in the default database. caseSensitive is asked at each lookup; nil means never.
func NewSession(s *Shared, caseSensitive func() bool) *Session {
	if caseSensitive == nil {
		caseSensitive = func() bool { return false }
	}
	return &Session{Shared: s, catalog: DefaultCatalog, database: DefaultDatabase, views: map[string]*TempView{}, funcs: map[string]*Function{},
		vars: map[string]*Variable{}, exact: caseSensitive}
}

// Clone is a new session with the same current names and copies of the temporary views, functions and variables.
func (s *Session) Clone(caseSensitive func() bool) *Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := NewSession(s.Shared, caseSensitive)
	c.catalog, c.database = s.catalog, s.database
	for k, v := range s.views {
		c.views[k] = v
	}
	for k, v := range s.funcs {
		c.funcs[k] = v
	}
	for k, v := range s.vars {
		q := *v
		c.vars[k] = &q
	}
	return c
}

// Key is the form of a name under which it is kept.
func (s *Session) Key(name string) string {
	if s.exact() {
		return name
	}
	return strings.ToLower(name)
}

// Current is the current catalog and database.
func (s *Session) Current() (cat, db string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.catalog, s.database
}

// Use makes a catalog and database current; db "" takes the catalog's default.
func (s *Session) Use(cat, db string) error {
	if s.store(cat) == nil {
		return sparkerr.New("CATALOG_NOT_FOUND", "catalogName", quoteParts(cat), "config", `"spark.sql.catalog.`+cat+`"`)
	}
	cat = strings.ToLower(cat)
	if db == "" {
		db = DefaultDatabase
	}
	if _, err := s.Database(cat, db); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog, s.database = cat, s.Key(db)
	return nil
}

func quoteParts(parts ...string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.Quote(p)
	}
	return strings.Join(q, ".")
}

// Place is where a relation's or function's name leads: catalog, database, name.
type Place struct{ Catalog, Database, Name string }

// Parts are the three names.
func (p Place) Parts() []string { return []string{p.Catalog, p.Database, p.Name} }

// String quotes the parts.
func (p Place) String() string { return quoteParts(p.Catalog, p.Database, p.Name) }

// Complete completes a name of one to three parts with the current catalog and database, or with path.
func (s *Session) Complete(name, path []string) (Place, error) {
	cat, db := s.Current()
	if len(path) == 2 {
		cat, db = path[0], path[1]
	}
	switch {
	case len(name) == 1:
		return Place{cat, db, s.Key(name[0])}, nil
	case len(name) == 2:
		return Place{cat, s.Key(name[0]), s.Key(name[1])}, nil
	case len(name) == 3 && s.store(name[0]) != nil:
		return Place{strings.ToLower(name[0]), s.Key(name[1]), s.Key(name[2])}, nil
	}
	if len(name) > 1 && s.store(name[0]) != nil {
		return Place{}, sparkerr.New("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", name[0], "namespace", quoteParts(name[1:len(name)-1]...))
	}
	if len(name) == 3 {
		return Place{strings.ToLower(name[0]), s.Key(name[1]), s.Key(name[2])}, nil
	}
	return Place{}, sparkerr.New("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", cat, "namespace", quoteParts(name[:max(0, len(name)-1)]...))
}

// Namespace completes the name of a database: [catalog.]database, or a catalog alone. No parts: the current one.
func (s *Session) Namespace(name []string) (cat, db string, err error) {
	cat, db = s.Current()
	switch {
	case len(name) == 0:
		return cat, db, nil
	case len(name) == 1:
		return cat, s.Key(name[0]), nil
	case len(name) == 2 && s.store(name[0]) != nil:
		return strings.ToLower(name[0]), s.Key(name[1]), nil
	}
	return "", "", sparkerr.New("SCHEMA_NOT_FOUND", "schemaName", quoteParts(append([]string{cat}, name...)...))
}

// Relation finds what a name stands for; see analyzer.Catalog.
func (s *Session) Relation(name, path []string) (*TempView, *Table, error) {
	if v := s.TempView(name); v != nil {
		return v, nil, nil
	}
	if len(name) == 0 || len(name) > 3 {
		return nil, nil, nil
	}
	p, err := s.Complete(name, path)
	if err != nil {
		return nil, nil, nil
	}
	st := s.store(p.Catalog)
	if st == nil {
		return nil, nil, nil
	}
	t, err := st.Table(p.Database, p.Name)
	if t == nil || err != nil {
		return nil, nil, err
	}
	if len(t.Name) != 3 {
		q := *t
		q.Name = p.Parts()
		t = &q
	}
	return nil, t, nil
}

// Function finds a user-defined function; nil when there is none.
func (s *Session) Function(name, path []string) (*Function, error) {
	if len(name) == 1 {
		if f := s.TempFunction(name[0]); f != nil {
			return f, nil
		}
	}
	if len(name) == 0 || len(name) > 3 {
		return nil, nil
	}
	p, err := s.Complete(name, path)
	if err != nil {
		return nil, nil
	}
	st := s.store(p.Catalog)
	if st == nil {
		return nil, nil
	}
	return st.Function(p.Database, strings.ToLower(p.Name))
}

// TempFunction is the session's own function of that name; nil if there is none.
func (s *Session) TempFunction(name string) *Function {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.funcs) == 0 {
		return nil
	}
	return s.funcs[strings.ToLower(name)]
}

// Variable is a session variable by name, with or without its qualifier; nil if there is none.
func (s *Session) Variable(name []string) *Variable {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.vars) == 0 || len(name) == 0 || len(name) > 3 {
		return nil
	}
	if len(name) >= 2 && !strings.EqualFold(name[len(name)-2], "session") || len(name) == 3 && !strings.EqualFold(name[0], "system") {
		return nil
	}
	return s.vars[s.Key(name[len(name)-1])]
}

// SetVariable creates or replaces a variable; nil removes it.
func (s *Session) SetVariable(name string, v *Variable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v == nil {
		delete(s.vars, s.Key(name))
		return
	}
	s.vars[s.Key(name)] = v
}
