package source

// IsFormat says whether a name stands for a data source: as in format(name), or a table name `name`.`path`.
func IsFormat(name string) bool {
	_, err := formatOf(name)
	return err == nil
}

// PartitionValue reads the value part of a partition directory's name; null marks the default partition.
func PartitionValue(dir string) (text string, null bool) {
	if dir == nullPartition {
		return "", true
	}
	return unescapePath(dir), false
}
