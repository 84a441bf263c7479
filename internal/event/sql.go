package event

import "time"

// PlanInfo is a physical plan as the SQL tab shows it.
type PlanInfo struct {
	NodeName     string
	SimpleString string
	Children     []*PlanInfo
	Metadata     map[string]string
	Metrics      []MetricInfo
}

// MetricInfo names one SQL metric of a plan node. Kind is Spark's: sum, size, timing, nsTiming or average.
type MetricInfo struct {
	Name string
	ID   AccumulatorID
	Kind string
}

// SQLExecutionStart opens a SQL execution. Root equals Execution unless it runs inside another one.
type SQLExecutionStart struct {
	Execution, Root      ExecutionID
	Description, Details string
	PhysicalPlan         string
	Plan                 *PlanInfo
	Time                 time.Time
	ModifiedConfigs      map[string]string
	JobTags              []string
	JobGroup             string
	QueryID              string
}

// SQLAdaptiveUpdate replaces the plan of a running execution after re-planning.
type SQLAdaptiveUpdate struct {
	Execution    ExecutionID
	PhysicalPlan string
	Plan         *PlanInfo
}

// SQLAdaptiveMetricUpdate adds metrics that a re-planned execution brought with it.
type SQLAdaptiveMetricUpdate struct {
	Execution ExecutionID
	Metrics   []MetricInfo
}

// DriverAccumUpdates gives metric values that were counted on the driver.
type DriverAccumUpdates struct {
	Execution ExecutionID
	Updates   []AccumUpdate
}

// AccumUpdate is one value of a driver-side metric.
type AccumUpdate struct {
	ID    AccumulatorID
	Value int64
}

// SQLExecutionEnd closes a SQL execution. Err is nil after success.
type SQLExecutionEnd struct {
	Execution ExecutionID
	Time      time.Time
	Err       error
	QueryID   string
}

const sqlPackage = "org.apache.spark.sql.execution.ui."

// EventName of each SQL event carries the package it has in Spark's log.
func (SQLExecutionStart) EventName() string { return sqlPackage + "SparkListenerSQLExecutionStart" }
func (SQLExecutionEnd) EventName() string   { return sqlPackage + "SparkListenerSQLExecutionEnd" }
func (DriverAccumUpdates) EventName() string {
	return sqlPackage + "SparkListenerDriverAccumUpdates"
}
func (SQLAdaptiveUpdate) EventName() string {
	return sqlPackage + "SparkListenerSQLAdaptiveExecutionUpdate"
}
func (SQLAdaptiveMetricUpdate) EventName() string {
	return sqlPackage + "SparkListenerSQLAdaptiveSQLMetricUpdates"
}
