package vfs

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// IsGlob says whether a path has characters that Hadoop's globs give a meaning.
func IsGlob(path string) bool { return strings.ContainsAny(path, `{}[]*?\`) }

// Glob lists what matches a pattern of Hadoop's syntax: ? * [abc] [a-z] [^a] {a,b} and \ to quote; * and ? stop at slashes.
// The matches are sorted by path; none is an empty list.
func Glob(ctx context.Context, f FS, pattern string) ([]Info, error) {
	var out []Info
	for _, p := range expandBraces(pattern) {
		l, err := glob(ctx, f, p)
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return sortInfos(dedupe(out)), nil
}

func dedupe(l []Info) []Info {
	seen := make(map[string]bool, len(l))
	out := l[:0]
	for _, i := range l {
		if !seen[i.Path] {
			seen[i.Path] = true
			out = append(out, i)
		}
	}
	return out
}

func glob(ctx context.Context, f FS, pattern string) ([]Info, error) {
	elems := strings.Split(strings.TrimRight(pattern, "/"), "/")
	fixed := 0
	for fixed < len(elems) && !IsGlob(elems[fixed]) {
		fixed++
	}
	root := strings.Join(elems[:fixed], "/")
	if root == "" {
		root = "/"
	}
	info, err := f.Stat(ctx, root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	level := []Info{info}
	for _, e := range elems[fixed:] {
		if level, err = globLevel(ctx, f, level, e); err != nil {
			return nil, err
		}
	}
	return level, nil
}

func globLevel(ctx context.Context, f FS, dirs []Info, elem string) ([]Info, error) {
	var next []Info
	for _, d := range dirs {
		if !d.IsDir {
			continue
		}
		l, err := f.List(ctx, d.Path)
		if err != nil {
			return nil, err
		}
		for _, i := range l {
			if Match(elem, i.Name()) {
				next = append(next, i)
			}
		}
	}
	return next, nil
}

// expandBraces rewrites {a,b} to alternatives, innermost choices last.
func expandBraces(p string) []string {
	open, depth := -1, 0
	var cuts []int
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '{':
			if depth == 0 {
				open, cuts = i, []int{i}
			}
			depth++
		case ',':
			if depth == 1 {
				cuts = append(cuts, i)
			}
		case '}':
			if depth--; depth == 0 {
				return joinAlternatives(p[:open], p, append(cuts, i), p[i+1:])
			}
			depth = max(depth, 0)
		}
	}
	return []string{p}
}

func joinAlternatives(head, p string, cuts []int, tail string) []string {
	var out []string
	for k := 0; k+1 < len(cuts); k++ {
		out = append(out, expandBraces(head+p[cuts[k]+1:cuts[k+1]]+tail)...)
	}
	return out
}

// Match matches one path element (or any text) against a pattern without braces.
func Match(pattern, name string) bool {
	px, nx := 0, 0
	starP, starN := -1, 0
	for nx < len(name) {
		if px < len(pattern) && pattern[px] == '*' {
			starP, starN = px, nx
			px++
			continue
		}
		if w := matchOne(pattern[px:], name[nx]); w > 0 {
			px += w
			nx++
			continue
		}
		if starP < 0 {
			return false
		}
		starN++
		px, nx = starP+1, starN
	}
	return strings.Trim(pattern[px:], "*") == ""
}

// MatchGlob matches a text against a pattern with braces.
func MatchGlob(pattern, name string) bool {
	for _, p := range expandBraces(pattern) {
		if Match(p, name) {
			return true
		}
	}
	return false
}

// matchOne matches one byte and returns the length of the pattern's part, 0 if it does not match.
func matchOne(p string, c byte) int {
	if p == "" {
		return 0
	}
	switch p[0] {
	case '?':
		return 1
	case '\\':
		if len(p) > 1 && p[1] == c {
			return 2
		}
		return 0
	case '[':
		return matchClass(p, c)
	}
	if p[0] == c {
		return 1
	}
	return 0
}

func matchClass(p string, c byte) int {
	i, negate, hit := 1, false, false
	if i < len(p) && (p[i] == '^' || p[i] == '!') {
		negate = true
		i++
	}
	for first := true; i < len(p) && (p[i] != ']' || first); first = false {
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		lo, hi := p[i], p[i]
		if i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']' {
			hi = p[i+2]
			i += 2
		}
		hit = hit || lo <= c && c <= hi
		i++
	}
	if i == len(p) || hit == negate {
		return 0
	}
	return i + 1
}
