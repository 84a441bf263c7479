package conf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ParseProperties reads the text of a properties file such as spark-defaults.conf: key, white space or =, value; # starts
// a comment line.
func ParseProperties(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		i := strings.IndexAny(line, " \t=")
		if i < 0 {
			out[line] = ""
			continue
		}
		out[line[:i]] = strings.TrimSpace(strings.TrimLeft(line[i:], " \t="))
	}
	return out
}

// FormatProperties writes settings as such a text, sorted. A value of several lines has no form in it and is an error.
func FormatProperties(settings map[string]string) (string, error) {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		if strings.ContainsAny(settings[k], "\n\r") {
			return "", fmt.Errorf("the value of %s has more than one line and cannot be sent to a driver", k)
		}
		fmt.Fprintf(&b, "%s=%s\n", k, settings[k])
	}
	return b.String(), nil
}
