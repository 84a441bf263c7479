// Package spark is Firesteel's Go API: sessions, DataFrames, typed Datasets, RDDs and the contexts of older programs, in
// Spark's terms.
//
//	ctx := context.Background()
//	s, err := spark.Builder().AppName("flights").Master("local[*]").GetOrCreate(ctx)
//	if err != nil { … }
//	defer s.Stop(ctx)
//	s.Read().Parquet("flights.parquet").
//		Filter(spark.Col("delay").Gt(15)).
//		GroupBy(spark.Col("carrier")).Agg(functions.Avg(spark.Col("delay")).As("late")).
//		OrderBy(spark.Col("late").Desc()).
//		Show(ctx, 20)
//
// # Errors
//
// What only describes a plan (Select, Filter, Map, …) does not fail: the frame, column, dataset or RDD that it returns
// carries the first error, and every action on it returns that error; Err tells it sooner. What does something (actions,
// writes, SQL, catalog calls) takes a context, honours it, and returns an error. Errors of the engine are found with
// [ErrorCondition].
//
// # Functions of a program on executors
//
// An application is a Go program that imports this package; its executors are processes of the same program. That is why
// main begins with [Main] or [Init], which make a process that was started as an executor one; without it only local masters
// are allowed. Package variables have their initial values on executors: what main changes is not seen there. A
// function value that travels to them is named by its place in the program's image, so it must be a function of the
// program and nothing else: a top-level function, a method expression, or a function literal that captures no variable. A
// closure over variables lies on the heap of one process and cannot travel; on a cluster it is refused with a
// [ClosureError] when the job starts. Pass values as arguments instead (MapWith and its like), or by Broadcast. In local
// mode nothing travels, and closures are allowed.
package spark
