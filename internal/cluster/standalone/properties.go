package standalone

import (
	"os"
	"slices"
	"strings"

	"maps"
)

// propertiesFile is where a driver finds its settings, in its folder.
const propertiesFile = "spark.properties"

func joined(addresses []string) string { return strings.Join(addresses, ",") }

// writeProperties writes settings for a driver, readable for its user only: they may hold secrets.
func writeProperties(file string, settings map[string]string) error {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		b.WriteString(k + " " + strings.ReplaceAll(settings[k], "\n", " ") + "\n")
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}
