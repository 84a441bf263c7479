package tpch

import (
	"embed"
	"strconv"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// Queries is the number of queries.
const Queries = 22

// Query is the text of a query in Spark's SQL, without a semicolon, with the
// benchmark's validation parameters; n goes from 1 to Queries, any other
// gives the empty string. Query 11's fraction is that of scale factor 1.
func Query(n int) string {
	text, err := queryFiles.ReadFile("queries/q" + strconv.Itoa(n) + ".sql")
	if err != nil {
		return ""
	}
	return string(text)
}
