package regex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// translation is a pattern in the two dialects.
type translation struct {
	p      string
	i      int
	fast   []byte
	slow   []byte
	fastOK bool
	needs  needs
	groups int
	names  map[string]int
	atomF  int // where the last atom starts in fast and slow; -1: none
	atomS  int
	flags  string
}

const (
	lineEnds   = `\n\r\x{85}\x{2028}\x{2029}`
	horizontal = ` \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
	vertical   = `\n\x0b\f\r\x{85}\x{2028}\x{2029}`
	blanks     = `\t\n\x0b\f\r `
)

// slowClass writes a class body with the escapes of the backtracking dialect.
func slowClass(s string) string {
	var b strings.Builder
	for {
		at := strings.Index(s, `\x{`)
		if at < 0 {
			return b.String() + s
		}
		end := at + strings.IndexByte(s[at:], '}')
		n, _ := strconv.ParseUint(s[at+3:end], 16, 32)
		b.WriteString(s[:at])
		fmt.Fprintf(&b, `\u%04X`, n)
		s = s[end+1:]
	}
}

func translate(p string) (*translation, error) {
	t := &translation{p: p, fastOK: true, names: map[string]int{}, atomF: -1}
	if err := t.alternatives(0); err != nil {
		return nil, err
	}
	if t.i < len(t.p) {
		return nil, t.bad("Unmatched closing ')'")
	}
	return t, nil
}

func (t *translation) bad(msg string) error {
	return fmt.Errorf("%s near index %d\n%s", msg, t.i, t.p)
}

func (t *translation) start() { t.atomF, t.atomS = len(t.fast), len(t.slow) }

// atom writes one atom in both dialects.
func (t *translation) atom(fast, slow string) {
	t.start()
	t.fast = append(t.fast, fast...)
	t.slow = append(t.slow, slow...)
}

func (t *translation) both(s string) {
	t.fast = append(t.fast, s...)
	t.slow = append(t.slow, s...)
}

// alternatives reads up to a closing parenthesis or the end.
func (t *translation) alternatives(depth int) error {
	for t.i < len(t.p) {
		c := t.p[t.i]
		switch c {
		case ')':
			if depth == 0 {
				return nil
			}
			return nil
		case '|':
			t.i++
			t.both("|")
			t.atomF = -1
		case '(':
			if err := t.group(depth); err != nil {
				return err
			}
		case '[':
			if err := t.class(); err != nil {
				return err
			}
		case '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case '*', '+', '?':
			t.i++
			if err := t.quantifier(string(c)); err != nil {
				return err
			}
		case '{':
			if err := t.counted(); err != nil {
				return err
			}
		case '.':
			t.i++
			if strings.Contains(t.flags, "s") {
				t.atom(".", `[\s\S]`)
				break
			}
			t.needs.dot = true
			t.atom(`[^\n]`, `[^\n\r\u0085\u2028\u2029]`)
		case '$':
			t.i++
			t.dollar()
		case '^':
			t.i++
			t.atomF = -1
			if strings.Contains(t.flags, "m") {
				t.needs.dot, t.needs.dollar = true, true
				t.atom("^", `(?:\A|(?<=[\n\r\u0085\u2028\u2029])(?<!\r(?=\n))(?!\z))`)
			} else {
				t.atom("^", `\A`)
			}
		default:
			t.literal()
		}
	}
	if depth > 0 {
		return t.bad("Unclosed group")
	}
	return nil
}

func (t *translation) dollar() {
	if strings.Contains(t.flags, "m") {
		t.needs.dot = true
		t.atom("$", `(?:(?=[\n\r\u0085\u2028\u2029])(?<!\r(?=\n))|\z)`)
		return
	}
	t.needs.dollar = true
	t.atom(`\z`, `(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)`)
}

func (t *translation) literal() {
	_, n := utf8.DecodeRuneInString(t.p[t.i:])
	s := t.p[t.i : t.i+n]
	t.i += n
	if strings.Contains(t.flags, "x") {
		if strings.ContainsAny(s, " \t\n\r\f\v") {
			return
		}
		if s == "#" {
			for t.i < len(t.p) && t.p[t.i] != '\n' {
				t.i++
			}
			return
		}
	}
	if s == "#" || s == " " || s == "}" || s == "]" {
		t.atom(quoteByte(s), `\`+s)
		return
	}
	t.atom(s, t.slowLiteral(s))
}

func quoteByte(s string) string {
	if s == "}" || s == "]" {
		return `\` + s
	}
	return s
}

// group reads ( … ) of any kind.
func (t *translation) group(depth int) error {
	startF, startS := len(t.fast), len(t.slow)
	flags := t.flags
	rest := t.p[t.i:]
	switch {
	case !strings.HasPrefix(rest, "(?"):
		t.groups++
		t.i++
		t.both("(")
	case strings.HasPrefix(rest, "(?:"):
		t.i += 3
		t.both("(?:")
	case strings.HasPrefix(rest, "(?="), strings.HasPrefix(rest, "(?!"), strings.HasPrefix(rest, "(?>"):
		t.fastOK = false
		t.slow = append(t.slow, rest[:3]...)
		t.i += 3
	case strings.HasPrefix(rest, "(?<="), strings.HasPrefix(rest, "(?<!"):
		t.fastOK = false
		t.slow = append(t.slow, rest[:4]...)
		t.i += 4
	case strings.HasPrefix(rest, "(?<"):
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return t.bad("named capturing group is missing trailing '>'")
		}
		t.groups++
		t.names[rest[3:end]] = t.groups
		// groups are told apart by number: the backtracking dialect would number named ones last
		t.both("(")
		t.i += end + 1
	default:
		done, err := t.inlineFlags()
		if err != nil || done {
			return err
		}
	}
	t.atomF = -1
	if err := t.alternatives(depth + 1); err != nil {
		return err
	}
	if t.i >= len(t.p) {
		return t.bad("Unclosed group")
	}
	t.i++
	t.both(")")
	t.flags = flags
	t.atomF, t.atomS = startF, startS
	return nil
}

// inlineFlags reads (?i) or the start of (?i: … ); done when the group ended.
func (t *translation) inlineFlags() (done bool, err error) {
	t.i += 2
	on, off, neg := "", "", false
	for ; t.i < len(t.p); t.i++ {
		c := t.p[t.i]
		switch c {
		case '-':
			neg = true
		case 'i', 's', 'm', 'x', 'd', 'u', 'U':
			if neg {
				off += string(c)
			} else {
				on += string(c)
			}
		case ')', ':':
			t.setFlags(on, off)
			t.fast = append(t.fast, flagText(on, off, "ims", c)...)
			t.slow = append(t.slow, flagText(on, off, t.slowFlags(), c)...)
			t.i++
			t.atomF = -1
			return c == ')', nil
		default:
			return false, t.bad("Unknown inline modifier")
		}
	}
	return false, t.bad("Unknown inline modifier")
}

func (t *translation) setFlags(on, off string) {
	for _, c := range off {
		t.flags = strings.ReplaceAll(t.flags, string(c), "")
	}
	t.flags += on
	if strings.ContainsAny(on, "iuU") {
		t.needs.ascii = true
	}
	if strings.ContainsAny(on, "dU") {
		t.fastOK = false
	}
}

// slowFlags are the flags that the backtracking dialect must see: the others are expanded here. Its i knows all letters, Java's
// only with u.
func (t *translation) slowFlags() string {
	if strings.Contains(t.flags, "u") {
		return "i"
	}
	return ""
}

// flagText writes an inline flag group with the flags that are in known.
func flagText(on, off, known string, end byte) string {
	keep := func(s string) string {
		out := ""
		for _, c := range known {
			if strings.ContainsRune(s, c) {
				out += string(c)
			}
		}
		return out
	}
	s := "(?" + keep(on)
	if k := keep(off); k != "" {
		s += "-" + k
	}
	if s == "(?" {
		if end == ')' {
			return ""
		}
		return "(?:"
	}
	return s + string(end)
}

// slowLiteral is a character in the backtracking dialect: both cases of a letter when case does not count.
func (t *translation) slowLiteral(s string) string {
	if c := s[0] | 0x20; len(s) == 1 && c >= 'a' && c <= 'z' && strings.Contains(t.flags, "i") {
		return "[" + strings.ToLower(s) + strings.ToUpper(s) + "]"
	}
	return s
}

// quantifier follows an atom: lazy and possessive forms too.
func (t *translation) quantifier(q string) error {
	if t.atomF < 0 {
		return t.bad("Dangling meta character '" + q[:1] + "'")
	}
	if t.i < len(t.p) {
		switch t.p[t.i] {
		case '?':
			t.i++
			q += "?"
		case '+':
			t.i++
			t.fastOK = false
			atom := string(t.slow[t.atomS:])
			t.slow = append(t.slow[:t.atomS], "(?>"+atom+q+")"...)
			t.atomF = -1
			return nil
		}
	}
	t.both(q)
	t.atomF = -1
	return nil
}

func (t *translation) counted() error {
	end := strings.IndexByte(t.p[t.i:], '}')
	if end < 0 {
		return t.bad("Unclosed counted closure")
	}
	body := t.p[t.i+1 : t.i+end]
	lo, hi, comma := strings.Cut(body, ",")
	if !digits(lo) || lo == "" || comma && hi != "" && !digits(hi) {
		return t.bad("Illegal repetition")
	}
	t.i += end + 1
	if n, _ := strconv.Atoi(lo); n > 1000 {
		t.fastOK = false
	}
	if n, _ := strconv.Atoi(hi); n > 1000 {
		t.fastOK = false
	}
	return t.quantifier("{" + body + "}")
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// escape reads \x outside of a class.
func (t *translation) escape() error {
	if t.i+1 >= len(t.p) {
		return t.bad("Unexpected internal error")
	}
	c := t.p[t.i+1]
	switch c {
	case 'A':
		t.i += 2
		t.atom(`\A`, `\A`)
		return nil
	case 'z':
		t.i += 2
		t.atom(`\z`, `\z`)
		return nil
	case 'Z':
		t.i += 2
		t.needs.dollar = true
		t.atom(`\z`, `(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)`)
		return nil
	case 'b', 'B':
		t.i += 2
		t.needs.ascii = true
		t.atom(`\`+string(c), `\`+string(c))
		return nil
	case 'G':
		t.i += 2
		t.fastOK = false
		t.atom("", `\G`)
		return nil
	case 'R':
		t.i += 2
		t.atom(`(?:\r\n|[`+vertical+`])`, `(?:\r\n|[`+slowClass(vertical)+`])`)
		return nil
	case 'k':
		return t.namedReference()
	case 'Q':
		end := strings.Index(t.p[t.i:], `\E`)
		body := t.p[t.i+2:]
		next := len(t.p)
		if end >= 0 {
			body, next = t.p[t.i+2:t.i+end], t.i+end+2
		}
		for _, r := range body {
			s := string(r)
			if r < utf8.RuneSelf && !(r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
				s = fmt.Sprintf(`\x%02x`, r)
			}
			t.atom(s, t.slowLiteral(s))
		}
		t.i = next
		return nil
	}
	if c >= '1' && c <= '9' {
		return t.backReference()
	}
	set, err := t.classEscape()
	if err != nil {
		return err
	}
	t.atom("["+set+"]", "["+slowClass(set)+"]")
	return nil
}

func (t *translation) backReference() error {
	j, n := t.i+1, 0
	for j < len(t.p) && t.p[j] >= '0' && t.p[j] <= '9' {
		next := n*10 + int(t.p[j]-'0')
		if n > 0 && next > t.groups {
			break
		}
		n = next
		j++
	}
	t.i = j
	t.fastOK = false
	t.atom("", `(?:\`+strconv.Itoa(n)+")")
	return nil
}

func (t *translation) namedReference() error {
	end := strings.IndexByte(t.p[t.i:], '>')
	if !strings.HasPrefix(t.p[t.i:], `\k<`) || end < 0 {
		return t.bad(`\k is not followed by '<' for named capturing group`)
	}
	n, ok := t.names[t.p[t.i+3:t.i+end]]
	if !ok {
		return t.bad("named capturing group <" + t.p[t.i+3:t.i+end] + "> does not exist")
	}
	t.i += end + 1
	t.fastOK = false
	t.atom("", `(?:\`+strconv.Itoa(n)+")")
	return nil
}
