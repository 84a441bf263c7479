package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/firesteel/firesteel/internal/event"
)

// describe reads what the API server says about an executor pod. container is the executor's container; the ends of
// others count only if all are checked (spark.kubernetes.executor.checkAllContainers).
func describe(p *corev1.Pod, container string, all bool) pod {
	d := pod{id: event.ExecutorID(p.Labels[labelExecutor]), bound: p.Spec.NodeName != ""}
	if p.DeletionTimestamp != nil {
		d.leaving = true
		if s := p.DeletionGracePeriodSeconds; s != nil {
			d.grace = time.Duration(*s) * time.Second
		}
	}
	switch p.Status.Phase {
	case corev1.PodFailed, corev1.PodSucceeded:
		d.phase, d.end = ended, endOf(p, container)
		return d
	case corev1.PodRunning:
		d.phase = running
		// Where all containers have ended, the pod's own end is on its way, and says why: an eviction, perhaps.
		if ran := terminated(p, container, all); ran != nil && !allEnded(p) {
			d.phase, d.end = ended, endOf(p, container)
		}
		return d
	}
	d.phase = pending
	d.stuck, d.faulty = whyPending(p)
	return d
}

func allEnded(p *corev1.Pod) bool {
	return !slices.ContainsFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.State.Terminated == nil })
}

// terminated is the end of the executor's container in a pod that goes on, or if all are checked the failure of another.
func terminated(p *corev1.Pod, container string, all bool) *corev1.ContainerStateTerminated {
	for _, s := range p.Status.ContainerStatuses {
		t := s.State.Terminated
		if t != nil && (s.Name == container || all && t.ExitCode != 0) {
			return t
		}
	}
	return nil
}

// endOf says how a pod ended: the platform's reasons first, then those of the container.
func endOf(p *corev1.Pod, container string) ending {
	e := ending{code: -1}
	t := firstTerminated(p, container)
	if t != nil {
		e.code = int(t.ExitCode)
	}
	if reason, lost, ok := disruption(p); ok {
		e.reason, e.platform, e.hostLost = reason, true, lost
		return e
	}
	switch {
	case p.DeletionTimestamp != nil:
		e.reason, e.platform = deletedReason, true
	case t == nil:
		e.reason = strings.TrimSpace("The pod ended: " + p.Status.Reason + " " + p.Status.Message)
	case t.Reason == "OOMKilled":
		e.memory = true
		e.reason = "OOMKilled: the container went over its memory limit" + limitOf(p, container) +
			". Raise spark.executor.memoryOverhead or spark.executor.memory."
	case t.ExitCode == 0:
		e.reason = "The executor exited with status 0."
	case t.ExitCode > 128 && t.ExitCode < 160:
		e.reason = fmt.Sprintf("The executor was killed by signal %d%s.", t.ExitCode-128, detail(t))
	default:
		e.reason = fmt.Sprintf("The executor exited with status %d%s.", t.ExitCode, detail(t))
	}
	return e
}

func detail(t *corev1.ContainerStateTerminated) string {
	text := strings.TrimSpace(t.Message)
	if t.Reason != "" && t.Reason != "Error" {
		text = strings.TrimSpace(t.Reason + " " + text)
	}
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func limitOf(p *corev1.Pod, container string) string {
	for _, c := range p.Spec.Containers {
		if q, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == container {
			return " of " + q.String()
		}
	}
	return ""
}

// firstTerminated is the state of the executor's container, or of another one that failed.
func firstTerminated(p *corev1.Pod, container string) *corev1.ContainerStateTerminated {
	if t := terminated(p, container, false); t != nil {
		return t
	}
	if t := terminated(p, "", true); t != nil {
		return t
	}
	for _, s := range p.Status.InitContainerStatuses {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return t
		}
	}
	return nil
}

// goneHosts are the reasons of disruptions in which the node is lost.
var goneHosts = []string{"DeletionByPodGC", "DeletionByTaintManager", "NodeLost", "NodeShutdown"}

// disruption says whether the platform ended the pod: eviction, preemption, node shutdown or loss.
func disruption(p *corev1.Pod) (reason string, hostLost, ok bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return named(c.Reason, c.Message), slices.Contains(goneHosts, c.Reason), true
		}
	}
	switch r := p.Status.Reason; r {
	case "Evicted", "Preempting", "Shutdown", "Terminated", "NodeAffinity", "NodeLost", "NodeShutdown", "UnexpectedAdmissionError",
		"OutOfcpu", "OutOfmemory", "OutOfpods":
		return named(r, p.Status.Message), slices.Contains(goneHosts, r), true
	}
	return "", false, false
}

func named(reason, message string) string {
	return strings.TrimSuffix(reason+": "+strings.TrimSpace(message), ": ")
}

// faultyStates are reasons for which a container waits that do not go away without help. ErrImagePull is what comes
// before ImagePullBackOff.
var faultyStates = []string{"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
	"CreateContainerError", "RunContainerError"}

// whyPending says what a pod that does not run waits for, and whether it waits in vain.
func whyPending(p *corev1.Pod) (reason string, faulty bool) {
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && slices.Contains(faultyStates, w.Reason) {
			return named(w.Reason, cmp.Or(w.Message, "image "+s.Image)), true
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return named(c.Reason, c.Message), false
		}
	}
	return "", false
}
