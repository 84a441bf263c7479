package conf

import "strings"

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
