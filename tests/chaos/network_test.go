package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// network is one namespace a worker, all at one bridge; the machine itself is at the bridge too, and runs master and driver.
type network struct {
	t      *testing.T
	name   string
	prefix string
	size   int
}

var networks atomic.Int64 // that this process has made

// networked says why there can be no network namespaces, if so.
func networked() string {
	if os.Getuid() != 0 {
		return "network namespaces need root"
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err.Error()
		}
	}
	return ""
}

func newNetwork(t *testing.T, workers int) *network {
	t.Helper()
	made := int(networks.Add(1))
	n := &network{t: t, name: fmt.Sprintf("fs%x-%x", os.Getpid()&0xffffff, made&0xff), size: workers,
		prefix: fmt.Sprintf("10.%d.%d.", 64+os.Getpid()%64, (os.Getpid()/64+made)%256)}
	if why := networked(); why != "" {
		t.Skip(why)
	}
	if out, err := exec.Command("ip", "link", "add", n.name, "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("no bridge can be made: %s", out)
	}
	t.Cleanup(func() { n.run("ip", "link", "del", n.name) })
	n.run("ip", "addr", "add", n.router()+"/24", "dev", n.name)
	n.run("ip", "link", "set", n.name, "up")
	for i := range workers {
		n.add(i)
	}
	return n
}

func (n *network) add(i int) {
	ns, port := n.space(i), fmt.Sprintf("%s-%d", n.name, i)
	n.run("ip", "netns", "add", ns)
	n.t.Cleanup(func() { n.run("ip", "netns", "del", ns) })
	n.t.Cleanup(func() { n.run("ip", "link", "del", port) })
	n.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
	n.run("ip", "link", "set", port, "master", n.name, "up")
	n.run("ip", "-n", ns, "link", "set", "lo", "up")
	n.run("ip", "-n", ns, "addr", "add", n.address(i)+"/24", "dev", "eth0")
	n.run("ip", "-n", ns, "link", "set", "eth0", "up")
}

func (n *network) run(args ...string) {
	n.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (n *network) router() string       { return n.prefix + "1" }
func (n *network) address(i int) string { return n.prefix + strconv.Itoa(10+i) }
func (n *network) space(i int) string   { return fmt.Sprintf("%s-%d", n.name, i) }

// within runs a command in the namespace of a worker.
func (n *network) within(i int) []string { return []string{"ip", "netns", "exec", n.space(i)} }

func (n *network) rule(i int, args ...string) {
	n.t.Helper()
	n.run(append(append(n.within(i), "iptables", "-w", "5"), args...)...)
}

// cut lets nothing out of a worker's namespace nor in, without a word to anybody; heal ends all rules.
func (n *network) cut(i int) {
	n.rule(i, "-A", "INPUT", "-i", "eth0", "-j", "DROP")
	n.rule(i, "-A", "OUTPUT", "-o", "eth0", "-j", "DROP")
}

func (n *network) heal(i int) {
	n.rule(i, "-F", "INPUT")
	n.rule(i, "-F", "OUTPUT")
}

// refuse resets every connection to a worker's namespace that is begun now, and those that stand when they are used.
func (n *network) refuse(i int) {
	n.t.Helper()
	reject := []string{"-j", "REJECT", "--reject-with", "tcp-reset"}
	n.rule(i, append([]string{"-A", "INPUT", "-i", "eth0", "-p", "tcp", "--syn"}, reject...)...)
	for _, port := range n.listening(i) {
		n.rule(i, append([]string{"-A", "INPUT", "-i", "eth0", "-p", "tcp", "--dport", strconv.Itoa(port)}, reject...)...)
	}
}

// listening are the ports on which somebody listens in a worker's namespace.
func (n *network) listening(i int) (ports []int) {
	n.t.Helper()
	args := append(n.within(i), "cat", "/proc/net/tcp")
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	const listens = "0A"
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != listens {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		if port, err := strconv.ParseUint(hex, 16, 16); err == nil {
			ports = append(ports, int(port))
		}
	}
	return ports
}

// refusals is how many packets were refused so.
func (n *network) refusals(i int) (all int) {
	n.t.Helper()
	args := append(n.within(i), "iptables", "-w", "5", "-L", "INPUT", "-v", "-x", "-n")
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "REJECT" {
			count, _ := strconv.Atoi(f[0])
			all += count
		}
	}
	return all
}

// networkedCluster is a cluster whose workers have addresses of their own.
func networkedCluster(t *testing.T, workers, executors int, conf ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, net: newNetwork(t, workers)}
	c.begin(workers, executors, conf)
	c.ready(executors)
	return c
}

// on are the executors of a worker.
func (c *cluster) on(i int) []int {
	var out []int
	for _, pid := range c.executors() {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)) // it may have ended
		if strings.HasPrefix(cwd, c.under("worker"+strconv.Itoa(i))+"/") {
			out = append(out, pid)
		}
	}
	return out
}

// TestCutNetwork is N01 and N03: a worker that is cut off costs a query the time to notice it. When the cut heals, its executors
// of before are told to end, and the cluster is whole again.
func TestCutNetwork(t *testing.T) {
	t.Parallel() // it mostly waits
	c := networkedCluster(t, 2, 3)
	old := c.on(1)
	c.harmed("N01 a worker is cut off", func(running context.Context) string {
		c.onShuffle(running, 1, func(string) error { return nil })
		c.net.cut(1)
		return fmt.Sprint(old)
	})
	time.Sleep(8 * time.Second) // spark.network.timeout and more
	c.net.heal(1)
	eventually(t, 30*time.Second, "the old executors end", func() bool {
		return !slices.ContainsFunc(c.executors(), func(pid int) bool { return slices.Contains(old, pid) })
	})
	eventually(t, 30*time.Second, "others come in their place", func() bool { return len(c.executors()) == 3 })
	c.harmed("after the cut", func(context.Context) string { return "" })
	c.stop()
}

// TestRefusedFetch is N04: an executor whose port is refused for a while costs repeated work, not the query.
func TestRefusedFetch(t *testing.T) {
	t.Parallel() // it mostly waits
	c := networkedCluster(t, 2, 2)
	c.net.refuse(0)
	refusals := 0
	c.harmed("N04 connections to a worker are refused", func(running context.Context) string {
		// One attempt at a stage is refused as often as a fetch is tried; the stage has four.
		const tries = 4
		for refusals <= tries && running.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			refusals = c.net.refusals(0)
		}
		c.net.heal(0)
		return fmt.Sprint(refusals)
	})
	if refusals == 0 {
		t.Error("nobody came to be refused: the case shows nothing")
	}
	c.stop()
}

// TestRefusedForever is S01: a stage that can never read its input ends its job, and the error has the last cause.
func TestRefusedForever(t *testing.T) {
	t.Parallel() // it mostly waits
	c := networkedCluster(t, 2, 2)
	for i := range 2 {
		c.net.refuse(i)
	}
	_, err := c.server.connect(t).query(timeout(t, time.Minute), shuffled)
	t.Logf("the query ended with: %v", err)
	for _, want := range []string{"has failed the maximum allowable number of times: 4", "refused", "executor ", c.net.prefix} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	c.net.heal(0)
	c.net.heal(1)
	c.harmed("after that", func(context.Context) string { return "" })
	c.stop()
}

// TestBrokenFetch is N05 and N07: connections that are reset again and again, and slow ones.
func TestBrokenFetch(t *testing.T) {
	t.Parallel() // it mostly waits
	c := networkedCluster(t, 2, 2)
	for i := range 2 {
		c.proxies = append(c.proxies, c.net.proxied(i))
	}
	c.behind("pass", "a proxy that does nothing")
	c.behind("reset 200000", "N05 connections reset after 200 kB")
	c.behind("delay 2ms", "pieces that are late")
	c.behind("throttle 500000", "N07 a slow line")
	c.behind("pass", "after that")
	c.stop()
}

// behind runs the query while the proxies do something, and demands that what it shuffles went through them.
func (c *cluster) behind(order, name string) {
	c.t.Helper()
	least, before := int64(1_000_000), int64(0)
	for _, p := range c.proxies {
		before += p.order(order)
	}
	begin := time.Now()
	c.answers(name, small, smallRows, func(context.Context) string { return order })
	passed := -before
	for _, p := range c.proxies {
		passed += p.order("pass")
	}
	c.t.Logf("%s: %d bytes, %v", name, passed, time.Since(begin).Round(10*time.Millisecond))
	if passed < least {
		c.t.Errorf("%s: only %d bytes went through the proxies: the case shows nothing", name, passed)
	}
}
