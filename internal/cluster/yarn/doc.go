// Package yarn is the cluster manager of Hadoop YARN: executors are containers.
//
// # Contract
//
// Who asks YARN for containers is the application master. It runs
//
//   - in client mode in a container of its own (firesteel yarn-am), which connects back to the driver, so that YARN, and
//     not the user's machine, talks to the nodes; or in the driver with spark.yarn.unmanagedAM.enabled;
//   - in cluster mode in the driver, which is a child of that container's first process. The first process reports the
//     application's end by the driver's exit status, and leaves a failed attempt that is not the last one to YARN.
//
// What to ask for, keep and give up is decided by allocator, which is pure: what happened and the time in, actions out.
// master hosts it: one goroutine beats to the ResourceManager, others start containers.
//
// The application's secret and its tokens travel in the containers' credentials, never in their environment or commands:
// NodeManagers copy both to the logs.
package yarn
