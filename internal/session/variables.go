package session

import (
	"fmt"
	"os"
	"os/user"
	"regexp"
	"runtime"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// reference is a variable in a text: ${name} or ${kind:name}.
var reference = regexp.MustCompile(`\$\{(?:(\w+?):)?(\S+?)\}`)

// maxSubstituted bounds what a text may grow to, in bytes, and with lookup the work: variables of variables double at each step.
const (
	maxSubstituted = 64 << 20
	lookup         = 256
)

// substitute puts the values of variables in their places, as Spark does before it parses a text
// (spark.sql.variable.substitute): settings, as ${name} or with spark:, sparkconf:, hivevar: or hiveconf: before it, which are
// empty if they were never set; and ${env:NAME} and ${system:name}, which stay as they are then.
func (s *Session) substitute(text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	v := s.conf.Values()
	if !v.Bool("spark.sql.variable.substitute") {
		return text, nil
	}
	x := &substitution{v: v, using: map[string]bool{}}
	out := x.replace(text)
	return out, x.err
}

// substitution is at work on one text.
type substitution struct {
	v     *conf.Values
	using map[string]bool // the references whose values are being looked at
	size  int
	err   error
}

func (x *substitution) replace(text string) string {
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		if x.err != nil {
			return ref
		}
		m := reference.FindStringSubmatch(ref)
		value, ok := x.lookup(m[1], m[2])
		if !ok {
			return ref
		}
		name := strings.TrimSuffix(ref[2:], "}")
		if x.using[name] {
			x.err = sparkerr.IllegalArgument(fmt.Sprintf("requirement failed: Circular reference in %s: %s", text, name))
			return ref
		}
		if x.size += len(value) + lookup; x.size > maxSubstituted {
			x.err = sparkerr.IllegalArgument(fmt.Sprintf("The values of variables are more than %d bytes", maxSubstituted))
			return ref
		}
		x.using[name] = true
		value = x.replace(value)
		delete(x.using, name)
		return value
	})
}

func (x *substitution) lookup(kind, name string) (value string, ok bool) {
	switch kind {
	case "", "spark", "sparkconf", "hivevar", "hiveconf":
		return x.v.String(name), true
	case "env":
		return os.LookupEnv(name)
	case "system":
		return systemProperty(name)
	}
	return "", false
}

// systemProperty is what a property of a JVM would be that is not about a JVM.
func systemProperty(name string) (value string, ok bool) {
	var err error
	switch name {
	case "user.name":
		var u *user.User
		if u, err = user.Current(); err == nil {
			value = u.Username
		}
	case "user.home":
		value, err = os.UserHomeDir()
	case "user.dir":
		value, err = os.Getwd()
	case "java.io.tmpdir":
		value = os.TempDir()
	case "os.name":
		value = strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:]
	case "os.arch":
		value = runtime.GOARCH
	case "file.separator":
		value = string(os.PathSeparator)
	case "path.separator":
		value = string(os.PathListSeparator)
	case "line.separator":
		value = "\n"
	default:
		return "", false
	}
	return value, err == nil
}
