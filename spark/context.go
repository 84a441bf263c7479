package spark

// SparkContext is the door to RDDs.
type SparkContext struct{ session *Session }

func newContext(s *Session) *SparkContext { return &SparkContext{session: s} }
func (c *SparkContext) stop()             {}
