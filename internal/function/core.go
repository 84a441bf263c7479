package function

func init() {
	groups = append(groups, predicateRows, conditionalRows)
}
