package core

// DriverState is Spark's state of a driver in the cluster.
type DriverState string

// The states of a driver.
const (
	Submitted   DriverState = "SUBMITTED"
	Running     DriverState = "RUNNING"
	Relaunching DriverState = "RELAUNCHING"
	Finished    DriverState = "FINISHED"
	Killed      DriverState = "KILLED"
	Failed      DriverState = "FAILED"
	Errored     DriverState = "ERROR"
)

// Over says whether a driver in the state will not run again.
func (s DriverState) Over() bool {
	return s == Finished || s == Killed || s == Failed || s == Errored
}
