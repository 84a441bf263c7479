package source

import (
	"context"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// formatOf finds a format of files by one of the names that users give it.
func formatOf(provider string) (fileFormat, error) {
	switch strings.ToLower(provider) {
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
	}
	if name, ok := notBuilt(provider); ok {
		return nil, sparkerr.Unsupported("data source " + name)
	}
	return nil, sparkerr.New("DATA_SOURCE_NOT_FOUND", "provider", provider)
}

// notBuilt finds the plain name of a format that users of Spark know and that there is nothing for here.
func notBuilt(provider string) (name string, ok bool) {
	p := strings.ToLower(provider)
	for _, prefix := range []string{"org.apache.spark.sql.execution.datasources.", "org.apache.spark.sql.", "com.databricks.spark."} {
		p = strings.TrimPrefix(p, prefix)
	}
	switch p {
	case "orc", "avro", "xml", "delta", "iceberg", "hudi", "jdbc", "kafka", "rate", "socket", "image", "libsvm", "protobuf":
		return p, true
	case "org.apache.iceberg.spark.source.icebergsource":
		return "iceberg", true
	case "io.delta.sql.deltadatasource":
		return "delta", true
	}
	return "", false
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
