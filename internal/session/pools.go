package session

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/scheduler"
)

// pools sets how jobs share the slots: by spark.scheduler.mode, and with FAIR by the pools of the allocation file. Where
// no mode was given, sessions share fairly and the jobs of each run first in, first out: one alone sees Spark's FIFO.
func (a *App) pools(c *scheduler.Config) error {
	mode, given := a.Conf.Given("spark.scheduler.mode")
	switch {
	case !given:
		c.Fair, a.poolBySession = true, true
		return nil
	case !c.Fair && !strings.EqualFold(mode, "FIFO"):
		return fmt.Errorf("spark.scheduler.mode is FIFO or FAIR, not %q", mode)
	case !c.Fair:
		return nil
	}
	path, err := allocationFile(a.Conf)
	if err != nil || path == "" {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the pools of spark.scheduler.allocation.file cannot be read: %w", err)
	}
	defer f.Close()
	if c.Pools, err = readPools(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// allocationFile is where the pools are described: a setting, or fairscheduler.xml in the configuration folder.
func allocationFile(v *conf.Values) (string, error) {
	if path, ok := v.Given("spark.scheduler.allocation.file"); ok {
		return strings.TrimPrefix(strings.TrimPrefix(path, "file://"), "file:"), nil
	}
	dir := os.Getenv("SPARK_CONF_DIR")
	if dir == "" {
		return "", nil
	}
	path := filepath.Join(dir, "fairscheduler.xml")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return path, nil
}

// maxPoolsFile bounds an allocation file.
const maxPoolsFile = 4 << 20

// readPools reads an allocation file of Spark's form. What a pool leaves out, or spells wrong, is FIFO, weight 1, share 0.
func readPools(r io.Reader) ([]scheduler.PoolConfig, error) {
	var file struct {
		XMLName xml.Name `xml:"allocations"`
		Pools   []struct {
			Name   string `xml:"name,attr"`
			Mode   string `xml:"schedulingMode"`
			Weight string `xml:"weight"`
			Share  string `xml:"minShare"`
		} `xml:"pool"`
	}
	if err := xml.NewDecoder(io.LimitReader(r, maxPoolsFile)).Decode(&file); err != nil {
		return nil, fmt.Errorf("this is no allocation file: %w", err)
	}
	var out []scheduler.PoolConfig
	for _, p := range file.Pools {
		if p.Name == "" {
			return nil, errors.New("a pool has no name")
		}
		out = append(out, scheduler.PoolConfig{
			Name: p.Name, Fair: strings.EqualFold(strings.TrimSpace(p.Mode), "FAIR"), Weight: number(p.Weight, 1), MinShare: number(p.Share, 0)})
	}
	return out, nil
}

func number(s string, otherwise int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// pool is the pool that the session's jobs run in.
func (q *query) pool() string {
	if p, ok := q.values.Given("spark.scheduler.pool"); ok {
		return p
	}
	if q.s.app.poolBySession {
		return "session " + q.s.ID
	}
	return scheduler.DefaultPool
}
