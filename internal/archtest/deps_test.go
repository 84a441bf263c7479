// Package archtest checks the import policy of the rooms, and that pure rooms stay pure.
package archtest

import (
	_ "embed"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:embed deps.txt
var policyText string

const (
	root   = "../.."
	module = "github.com/firesteel/firesteel/internal/"
)

// pure rooms take time, randomness and IO as arguments.
var pure = strings.Fields("sparkerr conf types event columnar kernel expr function catalog logical sqlparser analyzer eval optimizer physical scheduler")

var impure = []string{"os", "net", "os/exec", "syscall", "log", "math/rand", "math/rand/v2"}

type policy struct {
	direct    map[string][]string // room -> rooms that it may import
	forbidden [][2]string         // never: {imported, importer}
	rooms     map[string]bool
}

func parsePolicy(t *testing.T) *policy {
	p := &policy{direct: map[string][]string{}, rooms: map[string]bool{}}
	var text strings.Builder
	for line := range strings.Lines(policyText) {
		line, _, _ = strings.Cut(line, "#")
		text.WriteString(line)
	}
	for _, rule := range strings.Split(text.String(), ";") {
		if rule = strings.TrimSpace(rule); rule == "" {
			continue
		}
		if l, r, ok := strings.Cut(rule, "!<"); ok {
			for _, c := range names(r) {
				p.forbidden = append(p.forbidden, [2]string{strings.TrimSpace(l), c})
			}
			continue
		}
		l, r, ok := strings.Cut(rule, "<")
		if !ok {
			t.Fatalf("deps.txt: no < in %q", rule)
		}
		for _, c := range names(r) {
			p.rooms[c] = true
			for _, a := range names(l) {
				if a != "NONE" {
					p.direct[c] = append(p.direct[c], a)
				}
			}
		}
	}
	return p
}

func names(s string) []string {
	var out []string
	for _, n := range strings.Split(s, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// allowed is everything that a room may import, directly or by way of what it may import.
func (p *policy) allowed(room string, into map[string]bool) map[string]bool {
	for _, a := range p.direct[room] {
		if !into[a] {
			into[a] = true
			p.allowed(a, into)
		}
	}
	return into
}

// imports lists the imports of a room's non-test files.
func imports(t *testing.T, dir string) map[string]string {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if f.Name.Name == "main" {
			return nil // generators run by hand
		}
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			found[name] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func roomOf(path string) string {
	room, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return room
}

func TestImportPolicy(t *testing.T) {
	p := parsePolicy(t)
	dirs, err := filepath.Glob(filepath.Join(root, "internal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		room := filepath.Base(dir)
		found := imports(t, dir)
		if room == "archtest" || len(found) == 0 {
			continue
		}
		if !p.rooms[room] {
			t.Errorf("room %s has no line in deps.txt: say what it may import", room)
			continue
		}
		ok := p.allowed(room, map[string]bool{room: true})
		for path, file := range found {
			if strings.HasPrefix(path, module) && !ok[roomOf(path)] {
				t.Errorf("%s: room %s may not import %s; a new door is a change to deps.txt", file, room, roomOf(path))
			}
			if slices.Contains(pure, room) && slices.Contains(impure, path) {
				t.Errorf("%s: room %s is pure and may not import %s: take it as an argument", file, room, path)
			}
		}
	}
}

func TestForbiddenPaths(t *testing.T) {
	p := parsePolicy(t)
	for _, f := range p.forbidden {
		if !p.rooms[f[0]] && !p.rooms[f[1]] {
			t.Errorf("%s !< %s names rooms that do not exist", f[0], f[1])
		}
		if p.allowed(f[1], map[string]bool{})[f[0]] {
			t.Errorf("deps.txt lets %s reach %s, which it forbids", f[1], f[0])
		}
	}
}
