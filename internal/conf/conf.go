// Package conf holds the spark.* configuration: one row per key with its default, kind and doc, and the values of a
// session as layers over the defaults.
package conf

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Kind says how the text of a value is read.
type Kind uint8

// The kinds. Bytes and Time take a number with a suffix, or a bare number in the row's unit.
const (
	String Kind = iota
	Int
	Double
	Bool
	Bytes
	Time
	Enum
)

// Unit is what a bare number of a Bytes or Time key counts.
type Unit uint8

// The units. Byte and Millisecond are the usual ones.
const (
	Usual Unit = iota
	KiB
	MiB
	Seconds
)

// Row describes one key.
type Row struct {
	Name     string
	Default  string
	Unset    bool   // there is no default
	Fallback string // the key whose value is the default
	Kind     Kind
	Unit     Unit
	Options  string // Enum: the values, separated by blanks; letter case does not matter
	Doc      string // one line; "" if the key is only accepted
	Since    string
	SQL      bool // belongs to a session; others belong to the application and cannot be set in a running session
	Static   bool // an SQL key that all sessions share and that cannot be set in a running one
	Internal bool // not listed by SET -v
	Free     bool // a key of the application that sessions may set all the same, without effect
}

// accepted is the doc of keys that exist for compatibility.
const accepted = "Accepted for compatibility; has no effect."

// Help is the line that listings show.
func (r *Row) Help() string {
	if r.Doc == "" {
		return accepted
	}
	return r.Doc
}

// byName indexes the rows; made at the first use, so that start-up does not pay for it.
var byName = sync.OnceValue(func() map[string]*Row {
	m := make(map[string]*Row, 800)
	for _, rows := range [][]Row{coreRows, connectRows, sqlRows, sqlsourceRows, legacyRows, kubernetesRows, yarnRows, mesosRows} {
		for i := range rows {
			m[rows[i].Name] = &rows[i]
		}
	}
	return m
})

// Lookup finds the row of a key; nil if the key is not known.
func Lookup(key string) *Row { return byName()[key] }

// Rows are all rows, sorted by name.
func Rows() []*Row {
	return slices.SortedFunc(maps.Values(byName()), func(a, b *Row) int { return strings.Compare(a.Name, b.Name) })
}

// defaultText is the default as Get gives it: sizes in bytes and times in milliseconds, with their suffix.
func (r *Row) defaultText() (string, bool) {
	for r.Fallback != "" {
		f := Lookup(r.Fallback)
		if f == nil {
			return "", false
		}
		r = f
	}
	if r.Unset {
		return "", false
	}
	return r.normal(r.Default), true
}
