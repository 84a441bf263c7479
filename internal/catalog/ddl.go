package catalog

import (
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Database finds a database; SCHEMA_NOT_FOUND when there is none.
func (s *Session) Database(cat, db string) (*Database, error) {
	if st := s.store(cat); st != nil {
		d, err := st.Database(s.Key(db))
		if d != nil || err != nil {
			return d, err
		}
	}
	return nil, sparkerr.New("SCHEMA_NOT_FOUND", "schemaName", quoteParts(cat, db))
}

// Databases are the names of a catalog's databases, sorted.
func (s *Session) Databases(cat string) ([]string, error) {
	st := s.store(cat)
	if st == nil {
		return nil, sparkerr.New("CATALOG_NOT_FOUND", "catalogName", quoteParts(cat), "config", `"spark.sql.catalog.`+cat+`"`)
	}
	return st.Databases()
}

// CreateDatabase makes a database; without a location it gets one in the warehouse.
func (s *Session) CreateDatabase(cat string, d *Database, ifNotExists bool) error {
	st := s.store(cat)
	if st == nil {
		return sparkerr.New("CATALOG_NOT_FOUND", "catalogName", quoteParts(cat), "config", `"spark.sql.catalog.`+cat+`"`)
	}
	d.Name = s.Key(d.Name)
	if err := checkName(d.Name); err != nil {
		return err
	}
	if d.Name == GlobalTemp {
		return sparkerr.New("_LEGACY_ERROR_TEMP_1066", "database", d.Name)
	}
	if d.Location == "" {
		d.Location = s.warehouse + "/" + d.Name + ".db"
	}
	made, err := st.CreateDatabase(d)
	if err == nil && !made && !ifNotExists {
		return sparkerr.New("SCHEMA_ALREADY_EXISTS", "schemaName", quoteParts(d.Name))
	}
	return err
}

// checkName: names of databases and tables of the session catalog are words.
func checkName(name string) error {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return sparkerr.New("INVALID_SCHEMA_OR_RELATION_NAME", "name", quoteParts(name))
		}
	}
	if name == "" {
		return sparkerr.New("INVALID_SCHEMA_OR_RELATION_NAME", "name", quoteParts(name))
	}
	return nil
}

// AlterDatabase replaces a database's description.
func (s *Session) AlterDatabase(cat string, d *Database) error {
	if _, err := s.Database(cat, d.Name); err != nil {
		return err
	}
	return s.store(cat).AlterDatabase(d)
}

// DropDatabase removes a database, with all that is in it if cascade. It returns the tables that went with it, so that the
// caller can remove their files.
func (s *Session) DropDatabase(cat, db string, ifExists, cascade bool) (*Database, []*Table, error) {
	d, err := s.Database(cat, db)
	if err != nil {
		if ifExists && sparkerr.Is(err, "SCHEMA_NOT_FOUND") {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	if d.Name == DefaultDatabase && cat == DefaultCatalog {
		return nil, nil, sparkerr.New("UNSUPPORTED_FEATURE.DROP_DATABASE", "database", quoteParts(cat, d.Name))
	}
	st := s.store(cat)
	names, err := st.Tables(d.Name)
	if err != nil {
		return nil, nil, err
	}
	funcs, err := st.Functions(d.Name)
	if err != nil {
		return nil, nil, err
	}
	if len(names)+len(funcs) > 0 && !cascade {
		return nil, nil, sparkerr.New("SCHEMA_NOT_EMPTY", "schemaName", quoteParts(d.Name))
	}
	var gone []*Table
	for _, n := range names {
		t, err := st.Table(d.Name, n)
		if err != nil {
			return nil, nil, err
		}
		if t != nil {
			gone = append(gone, t)
		}
	}
	return d, gone, st.DropDatabase(d.Name)
}

// Place completes the name of a table and checks that its database exists.
func (s *Session) Place(name []string) (Place, error) {
	p, err := s.Complete(name, nil)
	if err != nil {
		return p, err
	}
	_, err = s.Database(p.Catalog, p.Database)
	return p, err
}

// DefaultLocation is where the files of a managed table lie.
func (s *Session) DefaultLocation(p Place) (string, error) {
	d, err := s.Database(p.Catalog, p.Database)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(d.Location, "/") + "/" + p.Name, nil
}

// Table finds a table or view of a catalog; nil when there is none.
func (s *Session) Table(p Place) (*Table, error) {
	st := s.store(p.Catalog)
	if st == nil {
		return nil, nil
	}
	return st.Table(p.Database, p.Name)
}

// Tables are the names of a database's tables and views, sorted.
func (s *Session) Tables(cat, db string) ([]string, error) {
	d, err := s.Database(cat, db)
	if err != nil {
		return nil, err
	}
	return s.store(cat).Tables(d.Name)
}

// CreateTable adds a table or view; made is false when there was one and ifNotExists is set.
func (s *Session) CreateTable(p Place, t *Table, ifNotExists bool) (made bool, err error) {
	if err := checkName(p.Name); err != nil {
		return false, err
	}
	t.Name = p.Parts()
	made, err = s.store(p.Catalog).CreateTable(p.Database, p.Name, t)
	if err == nil && !made && !ifNotExists {
		return false, sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", p.String())
	}
	return made, err
}

// AlterTable replaces a table's description.
func (s *Session) AlterTable(p Place, t *Table) error {
	return s.store(p.Catalog).AlterTable(p.Database, p.Name, t)
}

// RenameTable gives a table another name in its database. location is where a managed table's files are moved to.
func (s *Session) RenameTable(p Place, to string, location string) error {
	t, err := s.Table(p)
	if err != nil {
		return err
	}
	if err := checkName(to); err != nil {
		return err
	}
	q := *t
	q.Name = []string{p.Catalog, p.Database, s.Key(to)}
	if location != "" {
		q.Location = location
	}
	done, err := s.store(p.Catalog).RenameTable(p.Database, p.Name, s.Key(to), &q)
	if err == nil && !done {
		return sparkerr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", quoteParts(p.Database, to))
	}
	return err
}

// DropTable removes a table or view.
func (s *Session) DropTable(p Place) error { return s.store(p.Catalog).DropTable(p.Database, p.Name) }

// Partitions are a table's partitions in the order of their values.
func (s *Session) Partitions(p Place) ([]*Partition, error) {
	return s.store(p.Catalog).Partitions(p.Database, p.Name)
}

// SetPartitions replaces a table's partitions.
func (s *Session) SetPartitions(p Place, list []*Partition) error {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Values, list[j].Values
		for k := range a {
			if a[k] != b[k] {
				return a[k] < b[k]
			}
		}
		return false
	})
	return s.store(p.Catalog).SetPartitions(p.Database, p.Name, list)
}

// TempView finds a temporary view: by one part, or by global_temp and one part.
func (s *Session) TempView(name []string) *TempView {
	switch {
	case len(name) == 1:
		s.mu.RLock()
		defer s.mu.RUnlock()
		if len(s.views) == 0 {
			return nil
		}
		return s.views[s.Key(name[0])]
	case len(name) == 2 && strings.EqualFold(name[0], GlobalTemp):
		s.Shared.mu.RLock()
		defer s.Shared.mu.RUnlock()
		return s.globals[s.Key(name[1])]
	}
	return nil
}

// CreateTempView adds a temporary view, in place of one of the same name if replace is set.
func (s *Session) CreateTempView(v *TempView, global, replace bool) error {
	name := v.Name[len(v.Name)-1]
	mu, views := &s.mu, s.views
	v.Name = []string{s.Key(name)}
	if global {
		mu, views = &s.Shared.mu, s.globals
		v.Name = []string{GlobalTemp, s.Key(name)}
	}
	mu.Lock()
	defer mu.Unlock()
	if views[s.Key(name)] != nil && !replace {
		return sparkerr.New("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", quoteParts(v.Name...))
	}
	views[s.Key(name)] = v
	return nil
}

// DropTempView removes a temporary view; false when there was none.
func (s *Session) DropTempView(name []string) bool {
	if s.TempView(name) == nil {
		return false
	}
	if len(name) == 2 {
		s.Shared.mu.Lock()
		defer s.Shared.mu.Unlock()
		delete(s.globals, s.Key(name[1]))
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.views, s.Key(name[0]))
	return true
}

// TempViews are the session's temporary views, or the global ones, sorted by name.
func (s *Session) TempViews(global bool) []*TempView {
	mu, views := &s.mu, s.views
	if global {
		mu, views = &s.Shared.mu, s.globals
	}
	mu.RLock()
	defer mu.RUnlock()
	var out []*TempView
	for _, k := range sortedKeys(views) {
		out = append(out, views[k])
	}
	return out
}

// CreateFunction adds a function: temporary, or of a database that must exist.
func (s *Session) CreateFunction(name []string, f *Function, temp, replace, ifNotExists bool) error {
	if temp {
		s.mu.Lock()
		defer s.mu.Unlock()
		key := strings.ToLower(name[len(name)-1])
		if s.funcs[key] != nil && !replace {
			return sparkerr.New("ROUTINE_ALREADY_EXISTS", "routineName", quoteParts(name[len(name)-1]), "newRoutineType", "routine", "existingRoutineType", "routine")
		}
		f.Name = []string{key}
		s.funcs[key] = f
		return nil
	}
	p, err := s.Place(name)
	if err != nil {
		return err
	}
	p.Name = strings.ToLower(p.Name)
	f.Name = p.Parts()
	made, err := s.store(p.Catalog).CreateFunction(p.Database, p.Name, f, replace)
	if err == nil && !made && !ifNotExists {
		return sparkerr.New("ROUTINE_ALREADY_EXISTS", "routineName", p.String(), "newRoutineType", "routine", "existingRoutineType", "routine")
	}
	return err
}

// DropFunction removes a function; false when there was none.
func (s *Session) DropFunction(name []string, temp bool) (bool, error) {
	if temp {
		s.mu.Lock()
		defer s.mu.Unlock()
		key := strings.ToLower(name[len(name)-1])
		_, ok := s.funcs[key]
		delete(s.funcs, key)
		return ok, nil
	}
	p, err := s.Place(name)
	if err != nil {
		return false, err
	}
	st := s.store(p.Catalog)
	f, err := st.Function(p.Database, strings.ToLower(p.Name))
	if f == nil || err != nil {
		return false, err
	}
	return true, st.DropFunction(p.Database, strings.ToLower(p.Name))
}

// Functions are the user-defined functions: the temporary ones, then those of a database.
func (s *Session) Functions(cat, db string) ([]*Function, error) {
	s.mu.RLock()
	var out []*Function
	for _, k := range sortedKeys(s.funcs) {
		out = append(out, s.funcs[k])
	}
	s.mu.RUnlock()
	d, err := s.Database(cat, db)
	if err != nil {
		return nil, err
	}
	st := s.store(cat)
	names, err := st.Functions(d.Name)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		f, err := st.Function(d.Name, n)
		if err != nil {
			return nil, err
		}
		if f != nil {
			out = append(out, f)
		}
	}
	return out, nil
}

// MatchPattern says whether a name matches a pattern of SHOW: * is any text, | separates alternatives, case does not count.
func MatchPattern(pattern, name string) bool {
	for _, p := range strings.Split(strings.ToLower(strings.TrimSpace(pattern)), "|") {
		if matchStar(strings.TrimSpace(p), strings.ToLower(name)) {
			return true
		}
	}
	return false
}

func matchStar(p, s string) bool {
	head, rest, star := strings.Cut(p, "*")
	if !star {
		return p == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	for i := len(head); i <= len(s); i++ {
		if matchStar(rest, s[i:]) {
			return true
		}
	}
	return false
}
