// Package kubernetes is the cluster manager that runs executors as pods, and the submission of applications whose driver
// is a pod too (cluster mode).
//
// # Contract
//
// A Manager keeps as many executor pods as Scale said. What to create and delete is decided by fleet, which is pure:
// events with the time in, actions out. The Manager hosts it on one goroutine, carries out the actions against the API
// server and turns watch events and periodic lists into its events, so a lost watch costs time but never truth.
//
// An executor pod is never restarted in place: one that ended is deleted (spark.kubernetes.executor.deleteOnTermination)
// and replaced by a pod with a new executor id, as long as the level asks for it. One that somebody deletes is replaced at
// once; it has its grace period to hand over what it has. Pods that are not needed any more are deleted while they have no
// node; others only by Kill.
//
// The application's secret travels in a Secret object that pods refer to. Everything that the Manager creates is owned by
// the driver's pod if spark.kubernetes.driver.pod.name names it, so that it goes with the driver; else it goes with Stop.
package kubernetes
