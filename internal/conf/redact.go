package conf

import (
	"regexp"
	"strings"
)

// Hidden stands where something is not to be seen.
const Hidden = "*********(redacted)"

// Redacted is a value for people to see: hidden if spark.redaction.regex finds a secret in the key or the value.
func (v *Values) Redacted(key, value string) string { return v.Redaction()(key, value) }

// Redaction is Redacted for many values.
func (v *Values) Redaction() func(key, value string) string {
	re := v.secretNames()
	return func(key, value string) string {
		if re.MatchString(key) || re.MatchString(value) {
			return Hidden
		}
		return value
	}
}

// secretNames finds what looks like the name of a secret.
func (v *Values) secretNames() *regexp.Regexp {
	re, err := regexp.Compile(v.String("spark.redaction.regex"))
	if err != nil {
		re = regexp.MustCompile(Lookup("spark.redaction.regex").Default)
	}
	return re
}

// RedactedText is a statement or a command line for people to see: values that belong to a name which looks like one of a secret,
// and texts that look like one themselves, are hidden, as is what spark.redaction.string.regex finds.
func (v *Values) RedactedText(text string) string {
	if re, err := regexp.Compile(v.String("spark.redaction.string.regex")); err == nil && re.String() != "" {
		text = re.ReplaceAllString(text, Hidden)
	}
	re := v.secretNames()
	if !re.MatchString(text) {
		return text
	}
	if m := setting.FindStringSubmatchIndex(text); m != nil && re.MatchString(text[m[2]:m[3]]) {
		return text[:m[4]] + Hidden
	}
	var out strings.Builder
	name, quoted := "", false // of the value that may come next
	for rest := text; rest != ""; {
		token := nextToken(rest)
		rest = rest[len(token):]
		shown, isName := token, false
		switch c := token[0]; {
		case strings.ContainsRune(" \t\r\n", rune(c)):
			out.WriteString(token)
			continue
		case c == '=' || c == ':' || c == '>' && strings.HasSuffix(name, "="):
			if name != "" {
				name += "="
			}
			out.WriteString(token)
			continue
		case c == ',' && quoted: // map('password', 'x')
			out.WriteString(token)
			continue
		case name != "" && (c == '\'' || c == '"' || strings.HasSuffix(name, "=") && isWord(c)):
			shown = Hidden
		case c == '\'' || c == '"' || c == '`':
			inner := strings.Trim(token, token[:1])
			isName = re.MatchString(inner) && plainName.MatchString(inner)
			if !isName && c != '`' && re.MatchString(inner) {
				shown = Hidden
			}
		case isWord(c):
			isName = re.MatchString(token)
		}
		name, quoted = "", false
		if isName {
			name, quoted = token, token[0] == '\'' || token[0] == '"'
		}
		out.WriteString(shown)
	}
	return out.String()
}

var (
	setting   = regexp.MustCompile("(?is)^\\s*SET\\s+`?([\\w.\\-]+)`?\\s*=\\s*()")
	plainName = regexp.MustCompile(`^[\w.\-]+$`)
)

func isWord(c byte) bool {
	return c == '_' || c == '.' || c == '-' || c == '/' || c == '+' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// nextToken is the beginning of a text: blanks, a word, a quoted text (without an end: all there is), or one character.
func nextToken(s string) string {
	switch c := s[0]; {
	case c == '\'' || c == '"' || c == '`':
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '\\' && c != '`':
				i++
			case s[i] == c:
				return s[:i+1]
			}
		}
		return s
	case isWord(c):
		i := 1
		for i < len(s) && isWord(s[i]) {
			i++
		}
		return s[:i]
	}
	return s[:1]
}

// RedactedArgs is a command line for people to see.
func (v *Values) RedactedArgs(args []string) string {
	re := v.secretNames()
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = v.RedactedText(a)
		if i > 0 && strings.HasPrefix(args[i-1], "-") && !strings.Contains(args[i-1], "=") && re.MatchString(args[i-1]) {
			out[i] = Hidden
		}
	}
	return strings.Join(out, " ")
}

// TextRedaction finds the parts of texts that are not to be seen (spark.sql.redaction.string.regex, or else
// spark.redaction.string.regex); nil: there are none. An expression that is none finds everything.
func (v *Values) TextRedaction() *regexp.Regexp {
	text := v.String("spark.sql.redaction.string.regex")
	if text == "" {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return regexp.MustCompile("(?s).+")
	}
	return re
}
