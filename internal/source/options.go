package source

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// options are a reader's or writer's options, keys in lower case.
type options map[string]string

// lowerKeys makes the keys of options case-insensitive.
func lowerKeys(m map[string]string) options {
	o := make(options, len(m))
	for k, v := range m {
		o[strings.ToLower(k)] = v
	}
	return o
}

// first is the value of the first of several names for one option.
func (o options) first(def string, keys ...string) string {
	for _, k := range keys {
		if v, ok := o[k]; ok {
			return v
		}
	}
	return def
}

func (o options) flag(key string, def bool) bool {
	switch strings.ToLower(o[key]) {
	case "true":
		return true
	case "false":
		return false
	}
	return def
}

// boolean is a flag whose other values are an error.
func (o options) boolean(key string, def bool) (bool, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		return false, sparkerr.New("_LEGACY_ERROR_TEMP_2147", "paramName", key)
	}
	return strings.EqualFold(v, "true"), nil
}

func (o options) integer(key string, def int) (int, error) {
	v, ok := o[key]
	if !ok || v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, sparkerr.New("_LEGACY_ERROR_TEMP_2146", "paramName", key, "value", v)
	}
	return n, nil
}

// modified gives the bounds of modification times in ms, both exclusive.
func (o options) modified(env *Env) (before, after int64, err error) {
	before, after = math.MaxInt64, math.MinInt64
	zone := time.UTC
	if env != nil && env.Session != nil && env.Session.Zone != nil {
		zone = env.Session.Zone
	}
	for key, to := range map[string]*int64{"modifiedbefore": &before, "modifiedafter": &after} {
		v, ok := o[key]
		if !ok {
			continue
		}
		t, err := time.ParseInLocation("2006-01-02T15:04:05", v, zone)
		if err != nil {
			return 0, 0, sparkerr.New("_LEGACY_ERROR_TEMP_1294", "strategy", key, "timeString", v).WithCause(err)
		}
		*to = t.UnixMilli()
	}
	return before, after, nil
}
