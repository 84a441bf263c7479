package spark

import (
	"maps"
	"slices"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// RuntimeConfig are the settings of a running session.
type RuntimeConfig struct{ c *conf.Conf }

// Get is the value of a key, given or default; an unknown key without a value is an error.
func (r RuntimeConfig) Get(key string) (string, error) { return r.c.Values().Get(key) }

// GetOr is the value of a key, or another one where it has none.
func (r RuntimeConfig) GetOr(key, other string) string {
	if v, err := r.c.Values().Get(key); err == nil {
		return v
	}
	return other
}

// Set changes a key; keys of the application cannot be changed in a running session.
func (r RuntimeConfig) Set(key, value string) error { return r.c.Set(key, value) }

// Unset brings the default back.
func (r RuntimeConfig) Unset(key string) error { return r.c.Unset(key) }

// All are the given values.
func (r RuntimeConfig) All() map[string]string { return r.c.Values().All() }

// IsModifiable says whether Set may change a key.
func (r RuntimeConfig) IsModifiable(key string) bool { return conf.IsModifiable(key) }

func isStatic(err error) bool {
	return sparkerr.Is(err, "CANNOT_MODIFY_STATIC_CONFIG") || sparkerr.Is(err, "CANNOT_MODIFY_CONFIG")
}

// SparkConf are the settings of an application that is not started yet.
type SparkConf struct{ given map[string]string }

// NewSparkConf is an empty SparkConf.
func NewSparkConf() *SparkConf { return &SparkConf{map[string]string{}} }

// SetMaster says where to run.
func (c *SparkConf) SetMaster(url string) *SparkConf { return c.Set("spark.master", url) }

// SetAppName names the application.
func (c *SparkConf) SetAppName(name string) *SparkConf { return c.Set("spark.app.name", name) }

// Set sets a key.
func (c *SparkConf) Set(key, value string) *SparkConf { c.given[key] = value; return c }

// SetIfMissing sets a key that has no value yet.
func (c *SparkConf) SetIfMissing(key, value string) *SparkConf {
	if _, ok := c.given[key]; !ok {
		c.given[key] = value
	}
	return c
}

// Get is the value of a key, or another one where it has none.
func (c *SparkConf) Get(key, other string) string {
	if v, ok := c.given[key]; ok {
		return v
	}
	return other
}

// Contains says whether a key has a value.
func (c *SparkConf) Contains(key string) bool { _, ok := c.given[key]; return ok }

// Remove takes a key's value away.
func (c *SparkConf) Remove(key string) *SparkConf { delete(c.given, key); return c }

// All are the keys and values.
func (c *SparkConf) All() map[string]string { return maps.Clone(c.given) }

// String lists the settings, a line each.
func (c *SparkConf) String() string {
	var out []byte
	for _, k := range slices.Sorted(maps.Keys(c.given)) {
		out = append(out, k+"="+c.given[k]+"\n"...)
	}
	return string(out)
}
