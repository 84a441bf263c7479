package source

import (
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// nullPartition is the directory value that stands for null and for the empty string.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// partitions are the partition columns found in directory names.
type partitions struct {
	names []string
	types []types.Type
	// by directory: the raw values
	dirs map[string][]string
}

// discover reads name=value directories between the base paths and the files. A nil result: not partitioned.
func (l *listing) discover(caseSensitive bool) (*partitions, error) {
	p := &partitions{dirs: map[string][]string{}}
	bases, lists := map[string]bool{}, map[string][]string{}
	for _, f := range l.leafs {
		dir := vfs.Dir(f.Path)
		if _, ok := p.dirs[dir]; ok {
			continue
		}
		names, values, base := l.parseDir(dir)
		p.dirs[dir] = values
		bases[base] = true
		lists[strings.Join(names, "\x00")] = names
		if len(names) > 0 || p.names == nil {
			p.names = names
		}
	}
	if len(p.names) == 0 {
		return nil, nil
	}
	if len(bases) > 1 {
		return nil, sparkerr.New("CONFLICTING_DIRECTORY_STRUCTURES", "discoveredBasePaths", l.conflicting(bases))
	}
	if len(lists) > 1 {
		return nil, conflictingNames(lists)
	}
	return p, p.checkNames(caseSensitive)
}

func (l *listing) conflicting(bases map[string]bool) string {
	var names []string
	for b := range bases {
		names = append(names, l.fs.URI(b))
	}
	sort.Strings(names)
	return "\n\t" + strings.Join(names, "\n\t")
}

func conflictingNames(lists map[string][]string) error {
	var lines []string
	for _, names := range lists {
		lines = append(lines, strings.Join(names, ", "))
	}
	sort.Strings(lines)
	for i := range lines {
		lines[i] = "Partition column name list #" + strconv.Itoa(i) + ": " + lines[i]
	}
	return sparkerr.New("CONFLICTING_PARTITION_COLUMN_NAMES", "distinctPartColLists", "\n\t"+strings.Join(lines, "\n\t")+"\n", "suspiciousPaths", "")
}

func (p *partitions) checkNames(caseSensitive bool) error {
	seen := map[string]bool{}
	for _, n := range p.names {
		if !caseSensitive {
			n = strings.ToLower(n)
		}
		if seen[n] {
			return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(n))
		}
		seen[n] = true
	}
	return nil
}

// parseDir splits the part of a directory's path that lies below a base path into columns.
func (l *listing) parseDir(dir string) (names, values []string, base string) {
	at := dir
	for !l.base[at] {
		name := vfs.Base(at)
		k, v, ok := strings.Cut(name, "=")
		if !ok || k == "" || v == "" {
			if len(names) > 0 {
				break
			}
		} else {
			names, values = append(names, unescapePath(k)), append(values, v)
		}
		up := vfs.Dir(at)
		if up == at || up == "." {
			break
		}
		at = up
	}
	if len(names) == 0 {
		at = dir
	}
	reverse(names)
	reverse(values)
	return names, values, at
}

func reverse(s []string) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

// infer finds the narrowest type of each column that holds all of its values.
func (p *partitions) infer(enabled bool, env *Env) {
	p.types = make([]types.Type, len(p.names))
	for i := range p.names {
		t := types.Null
		for _, values := range p.dirs {
			v := types.String
			if enabled {
				v = inferPartition(values[i], env)
			} else if values[i] == nullPartition {
				v = types.Null
			}
			t = widerPartition(t, v)
		}
		if t.Kind == types.NullKind {
			t = types.String
		}
		p.types[i] = t
	}
}

var (
	integer = regexp.MustCompile(`^[+-]?[0-9]+$`)
	double  = regexp.MustCompile(`^[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?)$`)
)

// inferPartition is the type of one raw value.
func inferPartition(raw string, env *Env) types.Type {
	if raw == nullPartition {
		return types.Null
	}
	if integer.MatchString(raw) {
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			if n >= math.MinInt32 && n <= math.MaxInt32 {
				return types.Int
			}
			return types.Long
		}
		if digits := len(strings.TrimLeft(strings.TrimLeft(raw, "+-"), "0")); digits <= types.MaxPrecision {
			return types.Decimal(digits, 0)
		}
	}
	if double.MatchString(raw) {
		return types.Double
	}
	text := unescapePath(raw)
	if _, ok := parseDate(text); ok {
		return types.Date
	}
	if _, ok := parseTimestamp(text, env); ok {
		return types.Timestamp
	}
	return types.String
}

// widerPartition is the type for columns with values of two types: what coercion gives, but doubles go only with ints.
func widerPartition(a, b types.Type) types.Type {
	big := func(t types.Type) bool { return t.Kind == types.LongKind || t.Kind == types.DecimalKind }
	if a.Kind == types.DoubleKind && big(b) || b.Kind == types.DoubleKind && big(a) {
		return types.String
	}
	if t, ok := types.Wider(a, b); ok {
		return t
	}
	return types.String
}

// partitionValue turns a raw value into the column's type; ok is false if it is none.
func partitionValue(raw string, t types.Type, env *Env) (v any, ok bool) {
	if raw == nullPartition {
		return nil, true
	}
	return parseValue(unescapePath(raw), t, env)
}

// unescapePath undoes escapePath: %XX.
func unescapePath(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escapePath makes a partition value fit for a directory name.
func escapePath(s string) string {
	if s == "" {
		return nullPartition
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// values are the partition values of a file.
func (p *partitions) values(f vfs.Info, env *Env) ([]any, error) {
	raw := p.dirs[vfs.Dir(f.Path)]
	out := make([]any, len(raw))
	for i, s := range raw {
		v, ok := partitionValue(s, p.types[i], env)
		if !ok {
			return nil, sparkerr.New("INVALID_PARTITION_VALUE", "value", "'"+unescapePath(s)+"'", "dataType", `"`+p.types[i].SQL()+`"`,
				"columnName", types.Quote(p.names[i]))
		}
		out[i] = v
	}
	return out, nil
}
