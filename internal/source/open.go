package source

import (
	"context"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// formatOf finds a format of files by one of the names that users give it.
func formatOf(provider string) (fileFormat, error) {
	switch p := strings.ToLower(provider); p {
	case "parquet", "org.apache.spark.sql.parquet", "org.apache.spark.sql.execution.datasources.parquet":
		return parquetFormat{}, nil
	case "csv", "org.apache.spark.sql.execution.datasources.csv", "com.databricks.spark.csv":
		return csvFormat{}, nil
	case "json", "org.apache.spark.sql.json", "org.apache.spark.sql.execution.datasources.json":
		return jsonFormat{}, nil
	case "text", "org.apache.spark.sql.execution.datasources.text":
		return lineFormat{}, nil
	case "binaryfile":
		return binaryFormat{}, nil
	case "orc", "avro", "delta", "iceberg", "hudi", "xml", "jdbc", "kafka":
		return nil, sparkerr.Unsupported("data source " + p)
	}
	return nil, sparkerr.New("DATA_SOURCE_NOT_FOUND", "provider", provider)
}

// Open finds a table's files and its schema. The table's schema, when it has one, is taken as it is; columns that a file
// lacks read as null. The relation may be used by several goroutines.
func Open(ctx context.Context, t *catalog.Table, env *Env) (Relation, error) {
	f, err := formatOf(t.Provider)
	if err != nil {
		return nil, err
	}
	return openFiles(ctx, t, f, env)
}
