package source

// IsFormat says whether a name stands for a data source: as in format(name), or a table name `name`.`path`.
func IsFormat(name string) bool {
	_, err := formatOf(name)
	return err == nil
}
