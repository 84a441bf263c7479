package spark

import "context"

// SQLContext is the door to SQL of programs that are older than sessions: a thin layer over a Session.
type SQLContext struct{ *Session }

// NewSQLContext is the SQL context of an application.
func NewSQLContext(sc *SparkContext) *SQLContext { return &SQLContext{sc.session} }

// NewSession is another context of the same application: settings and temporary views of its own.
func (c *SQLContext) NewSession() *SQLContext { return &SQLContext{c.Session.NewSession()} }

// SetConf changes a setting of the session.
func (c *SQLContext) SetConf(key, value string) error { return c.Conf().Set(key, value) }

// GetConf is the value of a setting.
func (c *SQLContext) GetConf(key string) (string, error) { return c.Conf().Get(key) }

// RegisterDataFrameAsTable makes a frame a temporary view.
func (c *SQLContext) RegisterDataFrameAsTable(d *DataFrame, name string) error {
	return d.CreateOrReplaceTempView(name)
}

// CacheTable keeps the rows of a table when they are first computed.
func (c *SQLContext) CacheTable(ctx context.Context, name string) error {
	return c.Catalog().CacheTable(ctx, name)
}

// UncacheTable ends CacheTable.
func (c *SQLContext) UncacheTable(ctx context.Context, name string) error {
	return c.Catalog().UncacheTable(ctx, name)
}

// HiveContext is an SQLContext whose tables are in the persistent catalog, which is the case anyway.
type HiveContext struct{ *SQLContext }

// NewHiveContext is the Hive context of an application.
func NewHiveContext(sc *SparkContext) *HiveContext { return &HiveContext{NewSQLContext(sc)} }

// RefreshTable forgets what is known about the files of a table.
func (c *HiveContext) RefreshTable(ctx context.Context, name string) error {
	return c.Catalog().RefreshTable(ctx, name)
}
