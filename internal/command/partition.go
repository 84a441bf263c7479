package command

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// nullPartition is the directory name that stands for null.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// alterPartitions executes the partition commands.
func (r *runner) alterPartitions(c logical.Command) (*Result, bool, error) {
	var err error
	switch x := c.(type) {
	case *logical.AddPartitions:
		err = r.addPartitions(x)
	case *logical.DropPartitions:
		err = r.dropPartitions(x)
	case *logical.RenamePartition:
		err = r.renamePartition(x)
	case *logical.SetLocation:
		err = r.setLocation(x)
	case *logical.RecoverPartitions:
		err = r.repair(x.Target, true, false)
	case *logical.RepairTable:
		err = r.repair(x.Target, x.Add, x.Drop)
	default:
		return nil, false, nil
	}
	return nil, true, err
}

// values evaluates a PARTITION clause: text for each partition column of the table, nil where none is given.
func (r *runner) values(t *catalog.Table, spec []logical.PartitionValue) ([]*string, error) {
	out := make([]*string, len(t.Partition))
	for _, s := range spec {
		at := -1
		for i, n := range t.Partition {
			if strings.EqualFold(n, s.Column) {
				at = i
			}
		}
		if at < 0 {
			return nil, sparkerr.New("PARTITIONS_NOT_FOUND", "partitionList", types.Quote(s.Column), "tableName", quoteAll(t.Name))
		}
		if s.Value == nil {
			continue
		}
		f := t.Schema.Fields[r.column(t.Schema, t.Partition[at])]
		v, _, err := analyzer.Constant(r.Analysis(r.ctx), s.Value, f.Type)
		if err != nil {
			return nil, err
		}
		text := nullPartition
		if v != nil {
			text = partitionText(v, f.Type)
		}
		out[at] = &text
	}
	return out, nil
}

// partitionText is a partition value as it stands in a directory's name, unescaped.
func partitionText(v any, t types.Type) string {
	switch t.Kind {
	case types.DateKind:
		return types.FormatDate(v.(int32))
	case types.TimestampKind, types.TimestampNTZKind:
		return types.FormatTimestampNTZ(v.(int64))
	case types.StringKind:
		return v.(string)
	case types.DecimalKind:
		return types.FormatDecimal(v.(types.Int128), int(t.Scale))
	}
	return fmt.Sprint(v)
}

// full is values where every column must be given.
func (r *runner) full(t *catalog.Table, spec []logical.PartitionValue) ([]string, error) {
	vals, err := r.values(t, spec)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(vals))
	for i, v := range vals {
		if v == nil {
			var given []string
			for _, s := range spec {
				given = append(given, s.Column)
			}
			return nil, sparkerr.New("INVALID_PARTITION_SPEC", "details", "The spec ("+strings.Join(given, ", ")+
				") must match the partition spec ("+strings.Join(t.Partition, ", ")+") defined in table '"+quoteAll(t.Name)+"'")
		}
		out[i] = *v
	}
	return out, nil
}

func equal(p *catalog.Partition, vals []string) bool {
	for i, v := range vals {
		if p.Values[i] != v {
			return false
		}
	}
	return true
}

// matching are a table's partitions with the given values.
func (r *runner) matching(p catalog.Place, t *catalog.Table, spec []logical.PartitionValue) ([]*catalog.Partition, error) {
	vals, err := r.values(t, spec)
	if err != nil {
		return nil, err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return nil, err
	}
	var out []*catalog.Partition
	for _, q := range list {
		ok := true
		for i, v := range vals {
			ok = ok && (v == nil || q.Values[i] == *v)
		}
		if ok {
			out = append(out, q)
		}
	}
	return out, nil
}

func (r *runner) onePartition(p catalog.Place, t *catalog.Table, spec []logical.PartitionValue) (*catalog.Partition, error) {
	vals, err := r.full(t, spec)
	if err != nil {
		return nil, err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return nil, err
	}
	for _, q := range list {
		if equal(q, vals) {
			return q, nil
		}
	}
	return nil, sparkerr.New("PARTITIONS_NOT_FOUND", "partitionList", specText(t, vals), "tableName", quoteAll(t.Name[1:]))
}

func specText(t *catalog.Table, vals []string) string {
	parts := make([]string, len(vals))
	for i, v := range vals {
		parts[i] = types.Quote(t.Partition[i]) + " = " + v
	}
	return "PARTITION (" + strings.Join(parts, ", ") + ")"
}

// partitionPath is a partition's directory below the table's: a=1/b=x.
func partitionPath(t *catalog.Table, p *catalog.Partition) string {
	parts := make([]string, len(p.Values))
	for i, v := range p.Values {
		parts[i] = escapePath(t.Partition[i]) + "=" + escapePath(v)
	}
	return strings.Join(parts, "/")
}

// escapePath escapes what may not stand in a directory's name, as Hive does.
func escapePath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func partitionLocation(t *catalog.Table, p *catalog.Partition) string {
	if p.Location != "" {
		return p.Location
	}
	return strings.TrimSuffix(t.Location, "/") + "/" + partitionPath(t, p)
}

func (r *runner) partitionDetails(t *catalog.Table, p *catalog.Partition) [][2]string {
	vals := make([]string, len(p.Values))
	for i, v := range p.Values {
		vals[i] = t.Partition[i] + "=" + v
	}
	d := [][2]string{{"Partition Values", "[" + strings.Join(vals, ", ") + "]"}, {"Location", partitionLocation(t, p)}}
	if len(t.Options) > 0 {
		d = append(d, [2]string{"Storage Properties", pairs(t.Options)})
	}
	if len(p.Properties) > 0 {
		d = append(d, [2]string{"Partition Parameters", "{" + strings.Trim(pairs(p.Properties), "[]") + "}"})
	}
	return append(d, [2]string{"Created Time", r.moment(p.Created)}, [2]string{"Last Access", "UNKNOWN"})
}

func (r *runner) partitioned(target logical.Target, what string) (catalog.Place, *catalog.Table, error) {
	p, t, err := r.realTable(target, what)
	if err == nil && len(t.Partition) == 0 {
		err = sparkerr.New("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "name", p.String())
	}
	return p, t, err
}

func (r *runner) addPartitions(x *logical.AddPartitions) error {
	p, t, err := r.partitioned(x.Target, "ALTER TABLE ... ADD PARTITION")
	if err != nil {
		return err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	list = append([]*catalog.Partition{}, list...)
	for _, a := range x.Partitions {
		vals, err := r.full(t, a.Partition)
		if err != nil {
			return err
		}
		q := &catalog.Partition{Values: vals, Null: nulls(vals), Location: a.Location, Created: r.Now()}
		if known(list, vals) {
			if x.IfNotExists {
				continue
			}
			return sparkerr.New("PARTITIONS_ALREADY_EXIST", "partitionList", specText(t, vals), "tableName", quoteAll(t.Name[1:]))
		}
		if err := r.makeDir(partitionLocation(t, q)); err != nil {
			return err
		}
		list = append(list, q)
	}
	r.Changed(t.Location)
	return r.cat.SetPartitions(p, list)
}

func nulls(vals []string) []bool {
	out := make([]bool, len(vals))
	for i, v := range vals {
		out[i] = v == nullPartition
	}
	return out
}

func known(list []*catalog.Partition, vals []string) bool {
	for _, q := range list {
		if equal(q, vals) {
			return true
		}
	}
	return false
}

func (r *runner) dropPartitions(x *logical.DropPartitions) error {
	p, t, err := r.partitioned(x.Target, "ALTER TABLE ... DROP PARTITION")
	if err != nil {
		return err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	gone := map[*catalog.Partition]bool{}
	for _, spec := range x.Partitions {
		found, err := r.matching(p, t, spec)
		if err != nil {
			return err
		}
		if len(found) == 0 && !x.IfExists {
			vals, err := r.values(t, spec)
			if err != nil {
				return err
			}
			var parts []string
			for i, v := range vals {
				if v != nil {
					parts = append(parts, types.Quote(t.Partition[i])+" = "+*v)
				}
			}
			return sparkerr.New("PARTITIONS_NOT_FOUND", "partitionList", "PARTITION ("+strings.Join(parts, ", ")+")", "tableName", quoteAll(t.Name[1:]))
		}
		for _, q := range found {
			gone[q] = true
		}
	}
	var left []*catalog.Partition
	for _, q := range list {
		if !gone[q] {
			left = append(left, q)
			continue
		}
		if t.Kind == "MANAGED" {
			if err := r.removeAll(partitionLocation(t, q)); err != nil {
				return err
			}
		}
	}
	r.Changed(t.Location)
	return r.cat.SetPartitions(p, left)
}

func (r *runner) renamePartition(x *logical.RenamePartition) error {
	p, t, err := r.partitioned(x.Target, "ALTER TABLE ... RENAME PARTITION")
	if err != nil {
		return err
	}
	old, err := r.onePartition(p, t, x.From)
	if err != nil {
		return err
	}
	vals, err := r.full(t, x.To)
	if err != nil {
		return err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	if known(list, vals) {
		return sparkerr.New("PARTITIONS_ALREADY_EXIST", "partitionList", specText(t, vals), "tableName", quoteAll(t.Name[1:]))
	}
	next := *old
	next.Values, next.Null = vals, nulls(vals)
	if t.Kind == "MANAGED" && old.Location == "" {
		f, from, err := r.FS().Resolve(partitionLocation(t, old))
		if err != nil {
			return err
		}
		_, to, err := r.FS().Resolve(partitionLocation(t, &next))
		if err != nil {
			return err
		}
		if err := f.MkdirAll(r.ctx, vfs.Dir(to)); err != nil {
			return err
		}
		if err := f.Rename(r.ctx, from, to); err != nil {
			return err
		}
	}
	out := make([]*catalog.Partition, len(list))
	for i, q := range list {
		out[i] = q
		if q == old {
			out[i] = &next
		}
	}
	r.Changed(t.Location)
	return r.cat.SetPartitions(p, out)
}

func (r *runner) setLocation(x *logical.SetLocation) error {
	if len(x.Partition) == 0 {
		return r.change(x.Target, "ALTER TABLE ... SET LOCATION", true, func(_ catalog.Place, t *catalog.Table) error {
			f, path, err := r.FS().Resolve(x.Location)
			if err == nil {
				t.Location = f.URI(path)
			}
			return err
		})
	}
	p, t, err := r.partitioned(x.Target, "ALTER TABLE ... SET LOCATION")
	if err != nil {
		return err
	}
	old, err := r.onePartition(p, t, x.Partition)
	if err != nil {
		return err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	out := make([]*catalog.Partition, len(list))
	for i, q := range list {
		out[i] = q
		if q == old {
			next := *q
			next.Location = x.Location
			out[i] = &next
		}
	}
	r.Changed(t.Location)
	return r.cat.SetPartitions(p, out)
}

func (r *runner) repair(target logical.Target, add, drop bool) error {
	p, t, err := r.partitioned(target, "MSCK REPAIR TABLE")
	if err != nil {
		return err
	}
	if drop {
		if err := r.forget(p, t); err != nil {
			return err
		}
	}
	if add || !drop {
		return r.recover(p, t)
	}
	return nil
}

// forget drops partitions whose directories are gone.
func (r *runner) forget(p catalog.Place, t *catalog.Table) error {
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	var left []*catalog.Partition
	for _, q := range list {
		ok, err := r.exists(partitionLocation(t, q))
		if err != nil {
			return err
		}
		if ok {
			left = append(left, q)
		}
	}
	return r.cat.SetPartitions(p, left)
}

// recover adds the partitions whose directories are there.
func (r *runner) recover(p catalog.Place, t *catalog.Table) error {
	f, root, err := r.FS().Resolve(t.Location)
	if err != nil {
		return err
	}
	list, err := r.cat.Partitions(p)
	if err != nil {
		return err
	}
	list = append([]*catalog.Partition{}, list...)
	err = r.walk(f, root, t.Partition, nil, func(vals []string) {
		if !known(list, vals) {
			list = append(list, &catalog.Partition{Values: vals, Null: nulls(vals), Created: r.Now()})
		}
	})
	if err != nil {
		return err
	}
	r.Changed(t.Location)
	return r.cat.SetPartitions(p, list)
}

// walk finds the partition directories below a directory.
func (r *runner) walk(f vfs.FS, dir string, names, vals []string, found func([]string)) error {
	if len(names) == 0 {
		found(append([]string{}, vals...))
		return nil
	}
	entries, err := f.List(r.ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, value, ok := strings.Cut(e.Name(), "=")
		if !e.IsDir || !ok || !strings.EqualFold(name, names[0]) {
			continue
		}
		if u, err := url.PathUnescape(value); err == nil {
			value = u
		}
		if err := r.walk(f, e.Path, names[1:], append(vals, value), found); err != nil {
			return err
		}
	}
	return nil
}
