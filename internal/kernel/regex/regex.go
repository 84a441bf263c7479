// Package regex runs regular expressions of java.util.regex. A pattern is translated to one of the standard library where that
// gives the same answers for the text at hand, else to a backtracking one.
package regex

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Regex is a compiled pattern. It belongs to one goroutine.
type Regex struct {
	fast    *regexp.Regexp // nil: the pattern needs what only backtracking has
	literal string         // the pattern is this text
	plain   bool           // literal holds
	needs   needs
	empty   bool // may match the empty text
	slowSrc string
	slow    *regexp2.Regexp
	groups  int
	names   map[string]int
	one     [][]int
}

// needs says on which texts the fast form may differ.
type needs struct {
	dot    bool // differs when there are line ends other than \n
	dollar bool // differs when the text ends in a line end
	ascii  bool // differs when there are characters beyond ASCII
}

// Compile translates and compiles a pattern.
func Compile(pattern string) (*Regex, error) {
	t, err := translate(pattern)
	if err != nil {
		return nil, err
	}
	r := &Regex{needs: t.needs, slowSrc: string(t.slow), names: t.names, groups: t.groups}
	if !strings.ContainsAny(pattern, `\.[]{}()*+?^$|`) {
		r.literal, r.plain = pattern, true
	}
	if t.fastOK {
		if r.fast, err = regexp.Compile(string(t.fast)); err != nil {
			r.fast = nil
		} else if s, err := syntax.Parse(string(t.fast), syntax.Perl); err == nil {
			r.empty = minLen(s) == 0
		}
	}
	if r.fast == nil {
		if err := r.compileSlow(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Regex) compileSlow() error {
	if r.slow != nil {
		return nil
	}
	s, err := regexp2.Compile(r.slowSrc, regexp2.None)
	if err != nil {
		return err
	}
	r.slow = s
	return nil
}

// minLen is a lower bound of the length of a match: 0 when it may be empty.
func minLen(s *syntax.Regexp) int {
	switch s.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLen(s.Sub[0])
	case syntax.OpRepeat:
		if s.Min == 0 {
			return 0
		}
		return minLen(s.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, x := range s.Sub {
			n += minLen(x)
		}
		return n
	case syntax.OpAlternate:
		n := minLen(s.Sub[0])
		for _, x := range s.Sub[1:] {
			n = min(n, minLen(x))
		}
		return n
	}
	return 0
}

// Groups is the number of groups of the pattern; Literal its text when it has no special characters.
func (r *Regex) Groups() int             { return r.groups }
func (r *Regex) Literal() (string, bool) { return r.literal, r.plain }

// isFast says whether the fast form answers as Java does for s.
func (r *Regex) isFast(s string) bool {
	switch {
	case r.fast == nil:
		return false
	case r.needs.dot && otherLineEnds(s):
		return false
	case r.needs.dollar && endsLine(s):
		return false
	case r.needs.ascii && !isASCII(s):
		return false
	}
	return true
}

func otherLineEnds(s string) bool {
	return strings.IndexByte(s, '\r') >= 0 || !isASCII(s) && (strings.Contains(s, "\u0085") || strings.Contains(s, "\u2028") || strings.Contains(s, "\u2029"))
}

func endsLine(s string) bool {
	if s == "" {
		return false
	}
	c := s[len(s)-1]
	return c == '\n' || c == '\r' || strings.HasSuffix(s, "\u0085") || strings.HasSuffix(s, "\u2028") || strings.HasSuffix(s, "\u2029")
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Match says whether the pattern is found in s.
func (r *Regex) Match(s string) bool {
	if r.plain {
		return strings.Contains(s, r.literal)
	}
	if r.isFast(s) {
		return r.fast.MatchString(s)
	}
	if r.compileSlow() != nil {
		return false
	}
	ok, err := r.slow.MatchString(s)
	return ok && err == nil
}

// Find is the first match in s: byte offsets of the match and of each group, -1 for groups that took no part; nil for none.
func (r *Regex) Find(s string) []int {
	if r.isFast(s) {
		return r.fast.FindStringSubmatchIndex(s)
	}
	r.one = r.one[:0]
	r.backtrack(s, 1)
	if len(r.one) == 0 {
		return nil
	}
	return r.one[0]
}

// All are the matches in s, up to n when n is not negative, one after the other as Java's Matcher.find gives them.
func (r *Regex) All(s string, n int) [][]int {
	if r.isFast(s) && !r.empty {
		return r.fast.FindAllStringSubmatchIndex(s, n)
	}
	r.one = r.one[:0]
	r.backtrack(s, n)
	return r.one
}

func (r *Regex) backtrack(s string, n int) {
	if n == 0 || r.compileSlow() != nil {
		return
	}
	runes := []rune(s)
	var at []int
	if len(runes) != len(s) {
		at = make([]int, 0, len(runes)+1)
		for i := range s {
			at = append(at, i)
		}
		at = append(at, len(s))
	}
	byteAt := func(i int) int {
		if at == nil {
			return i
		}
		return at[i]
	}
	m, err := r.slow.FindRunesMatch(runes)
	for err == nil && m != nil {
		loc := make([]int, 0, 2*r.groups+2)
		for k, g := range m.Groups() {
			if k > r.groups {
				break
			}
			if len(g.Captures) == 0 {
				loc = append(loc, -1, -1)
				continue
			}
			loc = append(loc, byteAt(g.Index), byteAt(g.Index+g.Length))
		}
		if r.one = append(r.one, loc); n > 0 && len(r.one) == n {
			return
		}
		m, err = r.slow.FindNextMatch(m)
	}
}

// Replacement is a parsed replacement text: pieces of text and references to groups in turns.
type Replacement struct {
	text  []string
	group []int // after text[i]; -1: none
}

// Replacement reads $1, ${name} and \x as Java's appendReplacement does; the error is the message of its exception.
func (r *Regex) Replacement(s string) (*Replacement, string) {
	p := &Replacement{}
	var cur []byte
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			if i+1 == len(s) {
				return nil, "character to be escaped is missing"
			}
			cur = append(cur, s[i+1])
			i += 2
		case c == '$':
			g, n, bad := r.reference(s[i+1:])
			if bad != "" {
				return nil, bad
			}
			p.text, p.group = append(p.text, string(cur)), append(p.group, g)
			cur = nil
			i += 1 + n
		default:
			cur = append(cur, c)
			i++
		}
	}
	p.text, p.group = append(p.text, string(cur)), append(p.group, -1)
	return p, ""
}

func (r *Regex) reference(s string) (group, n int, bad string) {
	if s == "" {
		return 0, 0, "Illegal group reference: group index is missing"
	}
	if s[0] == '{' {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return 0, 0, "named capturing group is missing trailing '}'"
		}
		g, ok := r.names[s[1:end]]
		if !ok {
			return 0, 0, "No group with name {" + s[1:end] + "}"
		}
		return g, end + 1, ""
	}
	if s[0] < '0' || s[0] > '9' {
		return 0, 0, "Illegal group reference"
	}
	g := int(s[0] - '0')
	if g > r.groups {
		return 0, 0, "No group " + s[:1]
	}
	for n = 1; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		next := g*10 + int(s[n]-'0')
		if next > r.groups {
			break
		}
		g = next
	}
	return g, n, ""
}

// AppendReplace adds s with every match replaced.
func (r *Regex) AppendReplace(dst []byte, s string, p *Replacement) []byte {
	if r.plain && len(p.group) == 1 && r.literal != "" {
		for {
			i := strings.Index(s, r.literal)
			if i < 0 {
				return append(dst, s...)
			}
			dst = append(append(dst, s[:i]...), p.text[0]...)
			s = s[i+len(r.literal):]
		}
	}
	last := 0
	for _, m := range r.All(s, -1) {
		dst = append(dst, s[last:m[0]]...)
		for i, t := range p.text {
			dst = append(dst, t...)
			if g := p.group[i]; g >= 0 && m[2*g] >= 0 {
				dst = append(dst, s[m[2*g]:m[2*g+1]]...)
			}
		}
		last = m[1]
	}
	return append(dst, s[last:]...)
}

// Split cuts s at the matches into at most limit parts (no limit when it is not positive), which it adds to parts.
func (r *Regex) Split(parts []string, s string, limit int) []string {
	last := 0
	if r.plain && r.literal != "" {
		for start := len(parts); limit <= 0 || len(parts)-start < limit-1; {
			i := strings.Index(s[last:], r.literal)
			if i < 0 {
				break
			}
			parts = append(parts, s[last:last+i])
			last += i + len(r.literal)
		}
		return append(parts, s[last:])
	}
	start := len(parts)
	for _, m := range r.All(s, -1) {
		if limit > 0 && len(parts)-start >= limit-1 {
			break
		}
		if m[1] == 0 {
			continue
		}
		parts = append(parts, s[last:m[0]])
		last = m[1]
	}
	return append(parts, s[last:])
}
