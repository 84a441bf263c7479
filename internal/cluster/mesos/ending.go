package mesos

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/firesteel/firesteel/internal/cluster"
)

// cannotLaunch are the reasons for which an agent drops a task that it could not start: the user is unknown there, say.
var cannotLaunch = map[string]bool{"REASON_EXECUTOR_TERMINATED": true, "REASON_EXECUTOR_UNREGISTERED": true,
	"REASON_EXECUTOR_REGISTRATION_TIMEOUT": true, "REASON_CONTAINER_LAUNCH_FAILED": true}

// ending says what a terminal state means; over is false if the state is none. A state that is not known is not terminal.
func ending(u *status) (e cluster.Exited, over bool) {
	e = cluster.Exited{Code: exitStatus(u.Message), Reason: reasonOf(u)}
	switch u.State {
	case "TASK_FINISHED":
		e.Code = max(e.Code, 0)
	case "TASK_FAILED":
		if u.Reason == "REASON_CONTAINER_LIMITATION_MEMORY" {
			e.OutOfMemory = true
			e.Code, e.Reason = 137, "it took more memory than it was given: "+e.Reason
		}
		e.PlatformFault = strings.HasPrefix(u.Reason, "REASON_CONTAINER_PREEMPTED") || u.Reason == "REASON_AGENT_DRAINING" ||
			u.Reason == "REASON_MAX_COMPLETION_TIME_REACHED"
	case "TASK_ERROR": // nothing of it ran
	case "TASK_DROPPED":
		e.PlatformFault = !cannotLaunch[u.Reason]
	case "TASK_KILLED", "TASK_UNKNOWN":
		e.PlatformFault = true
	case "TASK_LOST":
		e.PlatformFault = true
		e.HostLost = u.Reason == "REASON_AGENT_REMOVED" || u.Reason == "REASON_AGENT_DISCONNECTED"
	case "TASK_UNREACHABLE", "TASK_GONE", "TASK_GONE_BY_OPERATOR":
		e.PlatformFault, e.HostLost = true, true
	default:
		return cluster.Exited{}, false
	}
	return e, true
}

func reasonOf(u *status) string {
	name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(u.State, "TASK_"), "_", " "))
	text := "the task is " + name
	if why := strings.TrimPrefix(u.Reason, "REASON_"); why != "" {
		text += " (" + strings.ToLower(strings.ReplaceAll(why, "_", " ")) + ")"
	}
	if u.Message != "" {
		text += ": " + u.Message
	}
	return text
}

// The only place where the API tells how a command ended is the message.
const (
	exitedWith = "Command exited with status "
	signalled  = "Command terminated with signal "
)

// exitStatus reads the exit status of a command; 128+n after signal n, -1 if it is not told.
func exitStatus(message string) int {
	if rest, ok := strings.CutPrefix(message, exitedWith); ok {
		digits, _, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(digits); err == nil {
			return n
		}
	}
	if rest, ok := strings.CutPrefix(message, signalled); ok {
		for n := syscall.Signal(1); n < 32; n++ {
			// The C library's names are Go's in another case.
			if name := fmt.Sprint(n); strings.EqualFold(rest, name) || strings.HasPrefix(strings.ToLower(rest), strings.ToLower(name)+" ") {
				return 128 + int(n)
			}
		}
		return -1
	}
	return -1
}
