// Package functions has a Go function for every row of the function table: the functions of Spark SQL, for frames.
//
//	df.Select(functions.Upper(spark.Col("name")), functions.Round(spark.Col("price"), 2))
//
// Arguments are columns, or Go values as literals (see spark.Lit): a string is a text, not the name of a column. The file
// functions_gen.go is made from the table; a test says when it is not current.
package functions

import "github.com/firesteel/firesteel/spark"

// Col, Cols, Lit, Expr, Lambda and Call (spark.Fn) are here for programs that import this package only.
var (
	Col    = spark.Col
	Cols   = spark.Cols
	Lit    = spark.Lit
	Expr   = spark.Expr
	Lambda = spark.Lambda
	Call   = spark.Fn
)

// CountAll counts rows: count(*).
func CountAll() spark.Column { return spark.Fn("count", spark.Lit(1)) }

// CountDistinct counts the distinct combinations of values that have no null.
func CountDistinct(cols ...any) spark.Column { return Count(cols...).Distinct() }

// SumDistinct adds up the distinct values.
func SumDistinct(col any) spark.Column { return Sum(col).Distinct() }

// Broadcast hints that a frame is small enough to be sent to every task of a join.
func Broadcast(d *spark.DataFrame) *spark.DataFrame { return d.Hint("broadcast") }

// call calls a row of the table.
func call(name string, args []any, more ...any) spark.Column {
	return spark.Fn(name, append(args, more...)...)
}
