package yarn

import (
	"net"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
)

// Default ports of the ResourceManager.
const (
	clientPort    = "8032"
	schedulerPort = "8030"
)

// rmIDs are the names of the ResourceManagers of a highly available pair; one without name otherwise.
func rmIDs(c hadoop.Conf) []string {
	if c.Bool("yarn.resourcemanager.ha.enabled", false) {
		if ids := c.List("yarn.resourcemanager.ha.rm-ids"); len(ids) > 0 {
			return ids
		}
	}
	return []string{""}
}

// addresses are where the ResourceManagers listen for a protocol.
func addresses(c hadoop.Conf, key, port string) []string {
	var out []string
	for _, id := range rmIDs(c) {
		suffix := ""
		if id != "" {
			suffix = "." + id
		}
		a := c.Get(key+suffix, "")
		host := c.Get("yarn.resourcemanager.hostname"+suffix, "")
		switch {
		case a != "" && !strings.Contains(a, "${"):
		case host != "":
			a = net.JoinHostPort(host, port)
		case suffix == "":
			a = net.JoinHostPort("0.0.0.0", port)
		default:
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			a = net.JoinHostPort(a, port)
		}
		out = append(out, a)
	}
	return out
}

// Principal is the ResourceManager's Kerberos principal as configured.
func Principal(c hadoop.Conf) string { return c.Get("yarn.resourcemanager.principal", "") }

// Renewer is the principal that renews delegation tokens for applications: the ResourceManager, with its host's name.
func Renewer(c hadoop.Conf) string {
	p := Principal(c)
	if a := addresses(c, "yarn.resourcemanager.address", clientPort); len(a) > 0 {
		host, _, _ := net.SplitHostPort(a[0])
		p = strings.ReplaceAll(p, "_HOST", strings.ToLower(host))
	}
	return p
}

// Patience is how long applications wait for a ResourceManager that cannot be reached.
func Patience(c hadoop.Conf) time.Duration {
	return c.Duration("yarn.resourcemanager.connect.max-wait.ms", 15*time.Minute)
}

// MaxAttempts is how often the cluster runs an application at most.
func MaxAttempts(c hadoop.Conf) int {
	return int(c.Int("yarn.resourcemanager.am.max-attempts", 2))
}
