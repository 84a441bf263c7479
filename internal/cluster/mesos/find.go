package mesos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// masters is how a master is found: host:port of one that is given, or the leading one that ZooKeeper knows.
type masters struct {
	address string   // "": ask ZooKeeper
	keepers []string // of ZooKeeper
	login   string   // user:password there
	path    string
}

// parseTarget reads what comes after mesos://.
func parseTarget(target string) (masters, error) {
	if rest, ok := strings.CutPrefix(target, "zk://"); ok {
		return parseKeepers(target, rest)
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil && !strings.Contains(target, ":") {
		host, port, err = target, "5050", nil
	}
	if err != nil || host == "" || strings.ContainsAny(target, "/@ ") {
		return masters{}, fmt.Errorf("master mesos://%s: not of the form mesos://host:port or mesos://zk://host:port,…/path", target)
	}
	return masters{address: net.JoinHostPort(host, port)}, nil
}

func parseKeepers(target, rest string) (m masters, err error) {
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		m.login, rest = rest[:at], rest[at+1:]
	}
	hosts, path, ok := strings.Cut(rest, "/")
	for _, h := range strings.Split(hosts, ",") {
		if !strings.Contains(h, ":") {
			h += ":2181"
		}
		if host, _, err := net.SplitHostPort(h); err != nil || host == "" || strings.ContainsAny(h, " /") {
			ok = false
		}
		m.keepers = append(m.keepers, h)
	}
	if m.path = "/" + strings.Trim(path, "/"); !ok || m.path == "/" {
		return m, fmt.Errorf("master mesos://%s: not of the form mesos://zk://host:port,…/path", target)
	}
	return m, nil
}

// The limits of asking ZooKeeper.
const (
	keeperSession = 10 * time.Second
	keeperLimit   = 10 * time.Second
)

// errNoLeader says that ZooKeeper knows no master now.
var errNoLeader = errors.New("ZooKeeper knows no leading Mesos master")

// find says where a master is now.
func (m *masters) find(ctx context.Context) (string, error) {
	if m.address != "" {
		return m.address, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, keeperLimit, fmt.Errorf("ZooKeeper (%s) did not answer within %s", strings.Join(m.keepers, ","), keeperLimit))
	defer cancel()
	type found struct {
		host string
		err  error
	}
	c, _, err := zk.Connect(m.keepers, keeperSession, zk.WithLogInfo(false), zk.WithLogger(silence{}))
	if err != nil {
		return "", err
	}
	answer := make(chan found, 1)
	go func() {
		host, err := m.ask(c)
		answer <- found{host, err}
	}()
	select {
	case f := <-answer:
		c.Close()
		return f.host, f.err
	case <-ctx.Done():
		c.Close() // which ends the question
		<-answer
		return "", context.Cause(ctx)
	}
}

// silence takes the library's log: what matters is in errors.
type silence struct{}

func (silence) Printf(string, ...any) {}

// nodes begins the names of the nodes of masters; a number follows that counts up. The lowest one leads.
const nodes = "json.info_"

func (m *masters) ask(c *zk.Conn) (string, error) {
	if m.login != "" {
		if err := c.AddAuth("digest", []byte(m.login)); err != nil {
			return "", err
		}
	}
	children, _, err := c.Children(m.path)
	if err != nil {
		return "", fmt.Errorf("ZooKeeper, %s: %w", m.path, err)
	}
	children = slices.DeleteFunc(children, func(s string) bool { return !strings.HasPrefix(s, nodes) })
	if len(children) == 0 {
		return "", errNoLeader
	}
	data, _, err := c.Get(m.path + "/" + slices.Min(children))
	if err != nil {
		return "", fmt.Errorf("ZooKeeper, %s: %w", m.path, err)
	}
	return leader(data)
}

// leader reads what a master writes of itself.
func leader(data []byte) (string, error) {
	var info struct {
		Address struct {
			Hostname, IP string
			Port         int
		}
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return "", fmt.Errorf("what the Mesos master wrote to ZooKeeper cannot be read: %w", err)
	}
	host := cmp.Or(info.Address.Hostname, info.Address.IP)
	if host == "" || info.Address.Port <= 0 {
		return "", errNoLeader
	}
	return net.JoinHostPort(host, strconv.Itoa(info.Address.Port)), nil
}
