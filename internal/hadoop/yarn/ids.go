// Package yarn is the client's side of YARN's three protocols: of applications' owners and of application masters with the
// ResourceManager, and of application masters with NodeManagers.
package yarn

import (
	"fmt"
	"strconv"
	"strings"
)

// ApplicationID names an application of a cluster.
type ApplicationID struct {
	ID        int32 `pb:"1"`
	Timestamp int64 `pb:"2"`
}

// String is YARN's form: application_<start of the ResourceManager>_<number>.
func (a ApplicationID) String() string { return fmt.Sprintf("application_%d_%04d", a.Timestamp, a.ID) }

// IDError is the error of a text that is no id.
type IDError struct{ Kind, Text string }

func (e *IDError) Error() string { return "not " + e.Kind + ": " + strconv.Quote(e.Text) }

// ParseApplicationID reads YARN's form.
func ParseApplicationID(s string) (ApplicationID, error) {
	n, ok := numbers(s, "application_", 2)
	if !ok {
		return ApplicationID{}, &IDError{"an application id of YARN", s}
	}
	return ApplicationID{Timestamp: n[0], ID: int32(n[1])}, nil
}

func numbers(s, prefix string, count int) ([]int64, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	parts := strings.Split(rest, "_")
	if !ok || len(parts) != count {
		return nil, false
	}
	var out []int64
	for _, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil || n < 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// AttemptID names an attempt to run an application.
type AttemptID struct {
	App     *ApplicationID `pb:"1"`
	Attempt int32          `pb:"2"`
}

// String is YARN's form.
func (a AttemptID) String() string {
	if a.App == nil {
		return "appattempt_none"
	}
	return fmt.Sprintf("appattempt_%d_%04d_%06d", a.App.Timestamp, a.App.ID, a.Attempt)
}

// ContainerID names a container.
type ContainerID struct {
	Attempt *AttemptID `pb:"2"`
	ID      int64      `pb:"3"`
}

const epochShift = 40

// String is YARN's form; the epoch, above the number's 40 bits, shows after restarts of the ResourceManager.
func (c ContainerID) String() string {
	if c.Attempt == nil || c.Attempt.App == nil {
		return "container_none"
	}
	epoch := ""
	if e := c.ID >> epochShift; e > 0 {
		epoch = fmt.Sprintf("e%02d_", e)
	}
	return fmt.Sprintf("container_%s%d_%04d_%02d_%06d", epoch, c.Attempt.App.Timestamp, c.Attempt.App.ID, c.Attempt.Attempt, c.ID&(1<<epochShift-1))
}

// ParseContainerID reads YARN's form, as in the variable CONTAINER_ID.
func ParseContainerID(s string) (ContainerID, error) {
	bad := &IDError{"a container id of YARN", s}
	rest, ok := strings.CutPrefix(s, "container_")
	if !ok {
		return ContainerID{}, bad
	}
	var epoch int64
	if e, after, ok := strings.Cut(rest, "_"); ok && strings.HasPrefix(e, "e") {
		n, err := strconv.ParseInt(e[1:], 10, 32)
		if err != nil || n < 0 {
			return ContainerID{}, bad
		}
		epoch, rest = n, after
	}
	n, ok := numbers(rest, "", 4)
	if !ok {
		return ContainerID{}, bad
	}
	app := &ApplicationID{Timestamp: n[0], ID: int32(n[1])}
	return ContainerID{Attempt: &AttemptID{App: app, Attempt: int32(n[2])}, ID: epoch<<epochShift | n[3]}, nil
}
