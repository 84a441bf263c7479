package kubernetes

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"

	"github.com/firesteel/firesteel/internal/event"
)

// The labels of Spark, so that selectors and dashboards made for it go on working.
const (
	labelApp      = "spark-app-selector"
	labelName     = "spark-app-name"
	labelRole     = "spark-role"
	labelExecutor = "spark-exec-id"
	labelProfile  = "spark-exec-resourceprofile-id"
	labelVersion  = "spark-version"
	labelInactive = "spark-exec-inactive"
)

const sparkVersion = "4.2.0"

// The names of the containers, as templates know them.
const (
	driverContainer   = "spark-kubernetes-driver"
	executorContainer = "spark-kubernetes-executor"
)

// The longest name of a label or a service, and what Spark leaves for a prefix of pod names.
const (
	maxLabel  = 63
	maxPrefix = 47
)

var (
	notInNames  = regexp.MustCompile(`[^a-z0-9-]+`)
	notInLabels = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	dashes      = regexp.MustCompile(`-{2,}`)
)

// resourcePrefix makes the prefix of an application's objects from its name and id. It is the same each time.
func resourcePrefix(name string, id event.AppID) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	name = dashes.ReplaceAllString(notInNames.ReplaceAllString(strings.ToLower(name), "-"), "-")
	name = strings.Trim(name, "-")
	if name == "" || name[0] <= '9' {
		name = "x" + name
	}
	suffix := fmt.Sprintf("-%016x", h.Sum64())
	return strings.Trim(name[:min(len(name), maxPrefix-len(suffix))], "-") + suffix
}

// labelValue makes a text fit a label.
func labelValue(s string) string {
	s = strings.Trim(notInLabels.ReplaceAllString(s, "-"), "-._")
	return strings.Trim(s[:min(len(s), maxLabel)], "-._")
}

var prefixForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// checkPrefix checks spark.kubernetes.executor.podNamePrefix.
func checkPrefix(p string) error {
	if len(p) > maxPrefix || !prefixForm.MatchString(p) {
		return invalid("spark.kubernetes.executor.podNamePrefix", p, "must be a DNS name of at most 47 characters")
	}
	return nil
}
