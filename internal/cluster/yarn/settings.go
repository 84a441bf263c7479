package yarn

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

const mebi = 1 << 20

// minOverhead is what a container gets above its memory at least.
const minOverhead = 384 * mebi

// overhead is the memory that a setting gives, or a share of the memory.
func overhead(v *conf.Values, key, factor string, memory int64) int64 {
	if _, ok := v.Given(key); ok {
		return v.Bytes(key)
	}
	return max(int64(v.Double(factor)*float64(memory)), minOverhead)
}

// megabytes rounds up, as YARN counts in them.
func megabytes(b int64) int64 { return (b + mebi - 1) / mebi }

// masterSize is the application master's container: the driver's in cluster mode.
func masterSize(v *conf.Values, clusterMode bool) *yarn.Resource {
	if clusterMode {
		memory := v.Bytes("spark.driver.memory")
		return &yarn.Resource{Memory: megabytes(memory + overhead(v, "spark.driver.memoryOverhead", "spark.driver.memoryOverheadFactor", memory)),
			Cores: int32(v.Int("spark.driver.cores")), Others: others(v, "spark.yarn.driver.resource.")}
	}
	memory := v.Bytes("spark.yarn.am.memory")
	return &yarn.Resource{Memory: megabytes(memory + overhead(v, "spark.yarn.am.memoryOverhead", "spark.driver.memoryOverheadFactor", memory)),
		Cores: int32(v.Int("spark.yarn.am.cores")), Others: others(v, "spark.yarn.am.resource.")}
}

// executorSize is an executor's container.
func executorSize(v *conf.Values, e *cluster.Executor) *yarn.Resource {
	over := e.Overhead
	if over == 0 {
		over = overhead(v, "spark.executor.memoryOverhead", "spark.executor.memoryOverheadFactor", e.Memory)
	}
	over += v.Bytes("spark.executor.pyspark.memory")
	return &yarn.Resource{Memory: megabytes(e.Memory + over), Cores: int32(max(e.Cores, 1)), Others: others(v, "spark.yarn.executor.resource.")}
}

// others are the amounts of settings like spark.yarn.executor.resource.yarn.io/gpu.amount=2.
func others(v *conf.Values, prefix string) []*yarn.ResourceInfo {
	var out []*yarn.ResourceInfo
	for k, val := range v.All() {
		name, ok := strings.CutPrefix(k, prefix)
		name, isAmount := strings.CutSuffix(name, ".amount")
		if !ok || !isAmount {
			continue
		}
		digits := strings.TrimRight(val, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err == nil {
			out = append(out, &yarn.ResourceInfo{Name: name, Value: n, Units: val[len(digits):]})
		}
	}
	slices.SortFunc(out, func(a, b *yarn.ResourceInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// TooBigError says that a container would be larger than the cluster grants.
type TooBigError struct {
	What       string
	Need, Most int64
	Unit, Key  string
}

func (e *TooBigError) Error() string {
	return fmt.Sprintf("Required %s %s (%d %s) is above the max threshold (%d %s) of this cluster! Please check the values of '%s' and %s.",
		e.What, e.Unit0(), e.Need, e.Unit, e.Most, e.Unit, e.Key, map[string]string{"MB": "'yarn.scheduler.maximum-allocation-mb' and/or 'yarn.nodemanager.resource.memory-mb'",
			"vcores": "'yarn.scheduler.maximum-allocation-vcores'"}[e.Unit])
}

// Unit0 is what the unit counts.
func (e *TooBigError) Unit0() string {
	if e.Unit == "MB" {
		return "memory"
	}
	return "cores"
}

func fits(what string, r, most *yarn.Resource, memoryKey, coresKey string) error {
	if r.Memory > most.Memory {
		return &TooBigError{what, r.Memory, most.Memory, "MB", memoryKey}
	}
	if r.Cores > most.Cores {
		return &TooBigError{what, int64(r.Cores), int64(most.Cores), "vcores", coresKey}
	}
	return nil
}

func readLimits(v *conf.Values, c hadoop.Conf) limits {
	l := limits{window: v.Duration("spark.yarn.executor.failuresValidityInterval"),
		grace: c.Duration("yarn.resourcemanager.monitor.capacity.preemption.max_wait_before_kill", 15*time.Second)}
	for _, key := range []string{"spark.executor.maxNumFailures", "spark.yarn.max.executor.failures"} {
		if _, ok := v.Given(key); ok {
			l.maxFailures = int(v.Int(key))
		}
	}
	if v.Bool("spark.dynamicAllocation.enabled") && l.maxFailures == 0 {
		l.maxFailures = max(3, int(min(2*v.Int("spark.dynamicAllocation.maxExecutors"), math.MaxInt32)))
	}
	return l
}

// attempts is how often the application is run at most.
func attempts(v *conf.Values, c hadoop.Conf) int {
	most := yarn.MaxAttempts(c)
	if _, ok := v.Given("spark.yarn.maxAppAttempts"); ok {
		return min(int(v.Int("spark.yarn.maxAppAttempts")), most)
	}
	return most
}

// pastURL is where an application that has ended can be looked at: at the history server that a setting names, in which variables
// like ${hadoopconf-yarn.resourcemanager.hostname} stand for values of the cluster's configuration. "": there is none.
func pastURL(v *conf.Values, c hadoop.Conf, app event.AppID, attempt int32) string {
	at := v.String("spark.yarn.historyServer.address")
	if at == "" {
		return ""
	}
	at = hadoopVariable.ReplaceAllStringFunc(at, func(s string) string { return c[hadoopVariable.FindStringSubmatch(s)[1]] })
	return fmt.Sprintf("%s/history/%s/%d", at, app, attempt)
}

var hadoopVariable = regexp.MustCompile(`\$\{hadoopconf-([^}]+)\}`)

// list cuts a setting at its commas.
func list(s string) []string {
	var out []string
	for _, x := range strings.Split(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// prefixed are the settings below a prefix, e.g. spark.yarn.appMasterEnv.
func prefixed(v *conf.Values, prefix string) map[string]string {
	out := map[string]string{}
	for k, val := range v.All() {
		if name, ok := strings.CutPrefix(k, prefix); ok && name != "" {
			out[name] = val
		}
	}
	return out
}
