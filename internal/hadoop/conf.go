package hadoop

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Conf is a Hadoop configuration: the properties of core-site.xml, hdfs-site.xml and yarn-site.xml.
type Conf map[string]string

// files are read in this order; later ones replace what earlier ones set, unless it was final.
var files = []string{"core-site.xml", "hdfs-site.xml", "mapred-site.xml", "yarn-site.xml"}

type document struct {
	XMLName    xml.Name `xml:"configuration"`
	Properties []struct {
		Name  string  `xml:"name"`
		Value *string `xml:"value"`
		Final string  `xml:"final"`
	} `xml:"property"`
}

// ConfDirs are the directories that HADOOP_CONF_DIR and YARN_CONF_DIR name.
func ConfDirs() []string {
	var dirs []string
	for _, key := range []string{"HADOOP_CONF_DIR", "YARN_CONF_DIR"} {
		if d := os.Getenv(key); d != "" && !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	if home := os.Getenv("HADOOP_HOME"); len(dirs) == 0 && home != "" {
		dirs = append(dirs, filepath.Join(home, "etc", "hadoop"))
	}
	return dirs
}

// LoadConf reads the configuration files of the directories that the environment names, and over them the
// spark.hadoop.* settings. Without such a directory the configuration is empty.
func LoadConf(settings map[string]string) (Conf, error) {
	c := Conf{}
	final := map[string]bool{}
	for _, dir := range ConfDirs() {
		for _, name := range files {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if err := c.parse(data, final); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
			}
		}
	}
	for k, v := range settings {
		if k, ok := strings.CutPrefix(k, "spark.hadoop."); ok {
			c[k] = v
		}
	}
	return c, nil
}

func (c Conf) parse(data []byte, final map[string]bool) error {
	var d document
	if err := xml.Unmarshal(data, &d); err != nil {
		return err
	}
	for _, p := range d.Properties {
		name := strings.TrimSpace(p.Name)
		if name == "" || p.Value == nil || final[name] {
			continue
		}
		c[name] = strings.TrimSpace(*p.Value)
		final[name] = strings.TrimSpace(p.Final) == "true"
	}
	return nil
}

// XML prints the configuration as a file that LoadConf reads.
func (c Conf) XML() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<configuration>\n")
	text := func(s string) {
		_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	}
	for _, k := range slices.Sorted(maps.Keys(c)) {
		b.WriteString("  <property><name>")
		text(k)
		b.WriteString("</name><value>")
		text(c[k])
		b.WriteString("</value></property>\n")
	}
	b.WriteString("</configuration>\n")
	return []byte(b.String())
}

// maxExpansions bounds the ${name} that are replaced in one value.
const maxExpansions = 20

// Get is the value of a property with ${name} replaced by other properties and ${env.NAME} by the environment.
func (c Conf) Get(name, or string) string {
	v, ok := c[name]
	if !ok {
		return or
	}
	for range maxExpansions {
		i := strings.Index(v, "${")
		if i < 0 {
			break
		}
		n := strings.IndexByte(v[i:], '}')
		if n < 0 {
			break
		}
		with, ok := c.variable(v[i+2 : i+n])
		if !ok {
			break
		}
		v = v[:i] + with + v[i+n+1:]
	}
	return v
}

func (c Conf) variable(name string) (string, bool) {
	if env, ok := strings.CutPrefix(name, "env."); ok {
		env, or, _ := strings.Cut(env, "-")
		if v := os.Getenv(strings.TrimSuffix(env, ":")); v != "" {
			return v, true
		}
		return or, true
	}
	if name == "user.name" {
		return currentName(), true
	}
	v, ok := c[name]
	return v, ok
}

// Bool is a property that is true or false.
func (c Conf) Bool(name string, or bool) bool {
	switch strings.ToLower(c.Get(name, "")) {
	case "true":
		return true
	case "false":
		return false
	}
	return or
}

// Int is a property that is a number; one that is none counts as not set.
func (c Conf) Int(name string, or int64) int64 {
	n, err := strconv.ParseInt(c.Get(name, ""), 10, 64)
	if err != nil {
		return or
	}
	return n
}

// Duration is a property that counts milliseconds, or has a unit: ns us ms s m h d.
func (c Conf) Duration(name string, or time.Duration) time.Duration {
	v := strings.ToLower(c.Get(name, ""))
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"ns", 1}, {"us", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
		{"d", 24 * time.Hour}, {"", time.Millisecond}} {
		if n, ok := strings.CutSuffix(v, u.suffix); ok {
			if x, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64); err == nil {
				return time.Duration(x) * u.unit
			}
		}
	}
	return or
}

// List is a property that is a list with commas.
func (c Conf) List(name string) []string {
	var out []string
	for _, s := range strings.Split(c.Get(name, ""), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Kerberos says whether services want Kerberos or tokens.
func (c Conf) Kerberos() bool {
	return strings.EqualFold(c.Get("hadoop.security.authentication", "simple"), "kerberos")
}
