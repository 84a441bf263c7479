package conf

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Values are the given values of a session or application at one moment; defaults stand below them. They never change,
// so they are passed around and compared by pointer.
type Values struct{ given map[string]string }

// NewValues takes over a map of given values.
func NewValues(given map[string]string) *Values { return &Values{given} }

// Given looks at given values only.
func (v *Values) Given(key string) (string, bool) {
	if v == nil {
		return "", false
	}
	s, ok := v.given[key]
	return s, ok
}

// Lookup is the value of a key, given or default; false if there is none.
func (v *Values) Lookup(key string) (string, bool) {
	if s, ok := v.Given(key); ok {
		return s, true
	}
	r := Lookup(key)
	if r == nil {
		return "", false
	}
	if r.Fallback != "" {
		return v.Lookup(r.Fallback)
	}
	return r.defaultText()
}

// Get is Lookup with the error SQL_CONF_NOT_FOUND.
func (v *Values) Get(key string) (string, error) {
	if s, ok := v.Lookup(key); ok {
		return s, nil
	}
	return "", sparkerr.New("SQL_CONF_NOT_FOUND", "sqlConf", quote(key))
}

// All copies the given values.
func (v *Values) All() map[string]string {
	if v == nil {
		return map[string]string{}
	}
	return maps.Clone(v.given)
}

// String is the value of a key or "".
func (v *Values) String(key string) string { s, _ := v.Lookup(key); return s }

// Enum is the value of a key in upper case.
func (v *Values) Enum(key string) string { return strings.ToUpper(v.String(key)) }

// Bool is the value of a key of kind Bool; false if it has none. Set has checked the text.
func (v *Values) Bool(key string) bool {
	return strings.EqualFold(strings.TrimSpace(v.String(key)), "true")
}

// Int is the value of a key of kind Int or Bytes (in bytes); 0 if it has none.
func (v *Values) Int(key string) int64 {
	n, _ := parseInt(Lookup(key), v.String(key))
	return n
}

// Bytes is the value of a key of kind Bytes in bytes; 0 if it has none.
func (v *Values) Bytes(key string) int64 { return v.Int(key) }

// Duration is the value of a key of kind Time; 0 if it has none.
func (v *Values) Duration(key string) time.Duration {
	d, _ := parseTime(v.String(key), unitOf(Lookup(key)))
	return d
}

// Double is the value of a key of kind Double; 0 if it has none.
func (v *Values) Double(key string) float64 { f, _ := parseDouble(v.String(key)); return f }

// Conf is the changeable configuration of one session. It may be used by several goroutines.
type Conf struct{ now atomic.Pointer[Values] }

// New makes a Conf that starts with given values, usually those of the application; it takes over the map.
func New(given map[string]string) *Conf {
	c := &Conf{}
	c.now.Store(NewValues(given))
	return c
}

// Values is the present state; a query takes it once and keeps it to its end.
func (c *Conf) Values() *Values { return c.now.Load() }

// Clone makes a Conf with the same values.
func (c *Conf) Clone() *Conf {
	d := &Conf{}
	d.now.Store(c.Values())
	return d
}

// Set gives a key a value. Unknown keys are accepted. It refuses static keys and keys of the application
// (CANNOT_MODIFY_STATIC_CONFIG, CANNOT_MODIFY_CONFIG) and values that the key's kind cannot read (INVALID_CONF_VALUE).
func (c *Conf) Set(key, value string) error {
	if err := Modifiable(key); err != nil {
		return err
	}
	if err := Check(key, value); err != nil {
		return err
	}
	c.Force(key, value)
	return nil
}

// Force gives a key a value without any check: start-up options, and what the engine sets by itself.
func (c *Conf) Force(key, value string) {
	c.change(func(m map[string]string) { m[key] = value })
}

// Unset removes a given value, so that the default holds again.
func (c *Conf) Unset(key string) error {
	if err := Modifiable(key); err != nil {
		return err
	}
	c.change(func(m map[string]string) { delete(m, key) })
	return nil
}

// Reset brings back the values that the application was started with.
func (c *Conf) Reset(start *Values) { c.now.Store(start) }

func (c *Conf) change(f func(map[string]string)) {
	for {
		old := c.now.Load()
		m := make(map[string]string, len(old.given)+1)
		maps.Copy(m, old.given)
		f(m)
		if c.now.CompareAndSwap(old, NewValues(m)) {
			return
		}
	}
}

// Modifiable says whether a running session may change a key; the error tells why not.
func Modifiable(key string) error {
	switch r := Lookup(key); {
	case r == nil || r.Free || r.SQL && !r.Static:
		return nil
	case r.SQL:
		return sparkerr.New("CANNOT_MODIFY_STATIC_CONFIG", "key", quote(key))
	}
	return sparkerr.New("CANNOT_MODIFY_CONFIG", "key", quote(key),
		"docroot", "https://spark.apache.org/docs/latest")
}

// IsModifiable is the answer to the question of clients: known, and changeable in a session.
func IsModifiable(key string) bool {
	r := Lookup(key)
	return r != nil && r.SQL && !r.Static
}

// Entry is one line of a listing.
type Entry struct{ Key, Value, Doc, Since string }

// Listing is what SET -v shows: the public SQL keys with their values, and the text of defaults as the rows have them.
func (v *Values) Listing() []Entry {
	var out []Entry
	for _, r := range Rows() {
		if !r.SQL || r.Internal {
			continue
		}
		e := Entry{r.Name, r.Default, r.Help(), r.Since}
		switch s, ok := v.Given(r.Name); {
		case ok:
			e.Value = s
		case r.Fallback != "":
			e.Value = "<value of " + r.Fallback + ">"
		case r.Unset:
			e.Value = "<undefined>"
		}
		out = append(out, e)
	}
	return out
}

// Sorted are the given values as SET shows them, by key.
func (v *Values) Sorted() []Entry {
	out := make([]Entry, 0, len(v.given))
	for _, k := range slices.Sorted(maps.Keys(v.given)) {
		out = append(out, Entry{Key: k, Value: v.given[k]})
	}
	return out
}

func quote(key string) string { return `"` + key + `"` }
