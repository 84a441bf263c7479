package source

// Format says why data of a format cannot be read or written; nil: it can. The name is one as in format(name), or in a table
// name `name`.`path`. A format that is not known is DATA_SOURCE_NOT_FOUND, one that is not built an error that names it.
func Format(name string) error {
	_, err := formatOf(name)
	return err
}

// PartitionValue reads the value part of a partition directory's name; null marks the default partition.
func PartitionValue(dir string) (text string, null bool) {
	if dir == nullPartition {
		return "", true
	}
	return unescapePath(dir), false
}
