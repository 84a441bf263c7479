package conf

// yarnRows are the keys of the YARN cluster manager.
var yarnRows = []Row{
	{Name: "spark.yarn.am.attemptFailuresValidityInterval", Unset: true, Kind: Time, Doc: "Failures of attempts that are older do not count.", Since: "1.6.0"},
	{Name: "spark.yarn.am.cores", Default: "1", Kind: Int, Doc: "Cores of the application master in client mode.", Since: "1.3.0"},
	{Name: "spark.yarn.am.memoryOverhead", Unset: true, Kind: Bytes, Unit: MiB, Doc: "Memory of the application master's container above spark.yarn.am.memory.", Since: "1.3.0"},
	{Name: "spark.yarn.am.nodeLabelExpression", Unset: true, Doc: "Labels of the nodes on which the application master may run.", Since: "1.6.0"},
	{Name: "spark.yarn.applicationType", Default: "SPARK", Doc: "Type of the application, at most 20 characters.", Since: "3.1.0"},
	{Name: "spark.yarn.binary", Unset: true, Doc: "The program that containers run, if it is there already: hdfs://… (uploaded once, read by all) or local:/path (installed on all nodes).", Since: "4.2.0"},
	{Name: "spark.yarn.containerLauncherMaxThreads", Default: "25", Kind: Int, Doc: "Containers that are started at the same time.", Since: "1.2.0"},
	{Name: "spark.yarn.dist.archives", Doc: "Archives to be unpacked in the containers' directories, separated by commas; name#link.", Since: "1.0.0"},
	{Name: "spark.yarn.dist.files", Doc: "Files to be put into the containers' directories, separated by commas; name#link.", Since: "1.0.0"},
	{Name: "spark.yarn.exclude.nodes", Doc: "Nodes on which no executors are wanted, separated by commas.", Since: "3.0.0"},
	{Name: "spark.yarn.executor.failuresValidityInterval", Unset: true, Kind: Time, Doc: "Failures of executors that are older do not count.", Since: "2.0.0"},
	{Name: "spark.yarn.executor.nodeLabelExpression", Unset: true, Doc: "Labels of the nodes on which executors may run.", Since: "1.4.0"},
	{Name: "spark.yarn.historyServer.address", Unset: true, Doc: "Address of a history server: where YARN leads to when the application has ended.", Since: "1.0.0"},
	{Name: "spark.yarn.max.executor.failures", Unset: true, Kind: Int, Doc: "Failures of executors after which the application fails; else twice the executors, at least 3.", Since: "1.0.0"},
	{Name: "spark.yarn.preserve.staging.files", Default: "false", Kind: Bool, Doc: "Keep the uploaded files at the end.", Since: "1.1.0"},
	{Name: "spark.yarn.priority", Unset: true, Kind: Int, Doc: "Priority among the queue's applications; larger is sooner.", Since: "3.0.0"},
	{Name: "spark.yarn.report.interval", Default: "1s", Kind: Time, Doc: "How often the state of the application is asked for.", Since: "0.9.0"},
	{Name: "spark.yarn.report.loggingFrequency", Default: "30", Kind: Int, Doc: "Reports of an unchanged state after which it is logged again.", Since: "3.5.0"},
	{Name: "spark.yarn.rolledLog.excludePattern", Unset: true, Doc: "Log files that are not uploaded while the application runs.", Since: "2.0.0"},
	{Name: "spark.yarn.rolledLog.includePattern", Unset: true, Doc: "Log files that are uploaded while the application runs.", Since: "2.0.0"},
	{Name: "spark.yarn.scheduler.heartbeat.interval-ms", Default: "3000", Kind: Time, Doc: "How often the application master beats to the ResourceManager.", Since: "0.8.1"},
	{Name: "spark.yarn.scheduler.initial-allocation.interval", Default: "200ms", Kind: Time, Doc: "The same at first while containers are wanted.", Since: "1.4.0"},
	{Name: "spark.yarn.submit.file.replication", Unset: true, Kind: Int, Doc: "Replicas of uploaded files.", Since: "0.8.1"},
	{Name: "spark.yarn.unmanagedAM.enabled", Default: "false", Kind: Bool, Doc: "In client mode, the driver is the application master itself.", Since: "3.0.0"},
}
