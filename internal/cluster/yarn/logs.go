package yarn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/hadoop/tfile"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/vfs"
)

// NoLogsError says that the logs of an application that has ended are not where NodeManagers put them.
type NoLogsError struct{ ID, Dir string }

func (e *NoLogsError) Error() string {
	return fmt.Sprintf("there are no logs of %s in %s: they come some seconds after the end, where yarn.log-aggregation-enable is set", e.ID, e.Dir)
}

// Logs prints what the containers of an application wrote: from the nodes while it runs, and from where those put it at the end.
func Logs(ctx context.Context, settings map[string]string, id string, out io.Writer) error {
	c, r, err := find(ctx, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	if !r.Ended() {
		return c.liveLogs(ctx, r, out)
	}
	return c.storedLogs(ctx, r, out)
}

// logHead and logTail are as yarn logs prints them.
func logHead(out io.Writer, container, node, name string) error {
	_, err := fmt.Fprintf(out, "Container: %s on %s\nLogType:%s\nLog Contents:\n", container, node, name)
	return err
}

func logTail(out io.Writer, name string) error {
	_, err := fmt.Fprintf(out, "\nEnd of LogType:%s\n%s\n\n", name, strings.Repeat("*", 79))
	return err
}

// logLimit bounds the request for one log of a container that runs.
const logLimit = 30 * time.Second

// liveLogs asks the nodes for the logs of the containers that run.
func (c *client) liveLogs(ctx context.Context, r *yarn.Report, out io.Writer) error {
	if r.Attempt == nil {
		return nil // nothing runs yet
	}
	containers, err := c.rm.Containers(ctx, r.Attempt)
	if err != nil {
		return err
	}
	for _, x := range containers {
		if x.ID == nil || x.Node == nil || x.HTTP == "" {
			continue
		}
		for _, name := range []string{"stderr", "stdout"} {
			if err := logHead(out, x.ID.String(), x.Node.Addr(), name); err != nil {
				return err
			}
			url := strings.TrimRight(x.HTTP, "/") + "/ws/v1/node/containerlogs/" + x.ID.String() + "/" + name
			if !strings.Contains(url, "://") {
				url = "http://" + url
			}
			if err := copyPage(ctx, url, out); err != nil {
				return fmt.Errorf("the log %s of %s: %w", name, x.ID, err)
			}
			if err := logTail(out, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyPage(ctx context.Context, url string, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, logLimit, fmt.Errorf("no log within %v", logLimit))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(out, resp.Body)
	return err
}

// storedLogs reads the logs that NodeManagers stored: a file for each node.
func (c *client) storedLogs(ctx context.Context, r *yarn.Report, out io.Writer) error {
	reg, h := vfs.NewRegistry(), hdfs.New(c.conf, c.user)
	defer h.Close()
	reg.Register(hdfs.Scheme, h)
	dirs := c.logDirs(r.User)
	for _, dir := range dirs {
		f, p, err := reg.Resolve(dir)
		if err != nil {
			return err
		}
		files, err := f.List(ctx, p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := storedLog(ctx, f, file, out); err != nil {
				return fmt.Errorf("%s: %w", f.URI(file.Path), err)
			}
		}
		return nil
	}
	return &NoLogsError{c.id.String(), dirs[0]}
}

// logDirs are the folders in which an application's logs may lie: that of Hadoop since 3.3, and that before it.
func (c *client) logDirs(user string) []string {
	root := c.conf.Get("yarn.nodemanager.remote-app-log-dir", "/tmp/logs")
	if strings.HasPrefix(root, "/") {
		root = hdfs.Default(c.conf) + root
	}
	suffix := c.conf.Get("yarn.nodemanager.remote-app-log-dir-suffix", "logs")
	home := strings.TrimRight(root, "/") + "/" + user + "/"
	return []string{fmt.Sprintf("%sbucket-%s-tfile/%04d/%s", home, suffix, c.id.ID%10000, c.id), home + suffix + "/" + c.id.String()}
}

// storedLog prints the logs of one node.
func storedLog(ctx context.Context, f vfs.FS, file vfs.Info, out io.Writer) error {
	if file.IsDir || strings.HasSuffix(file.Path, ".tmp") { // that is being written
		return nil
	}
	in, err := f.Open(ctx, file.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	node := vfs.Base(file.Path)
	return tfile.Each(in, in.Info().Size, func(key string, value io.Reader) error {
		if len(key) < 2 || !strings.HasPrefix(key[2:], "container_") {
			return nil // about the file: version, owner, who may read it
		}
		return containerLogs(key[2:], node, value, out)
	})
}

// containerLogs prints the logs of one container: names, sizes as text, contents.
func containerLogs(container, node string, in io.Reader, out io.Writer) error {
	for {
		name, err := javaText(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := javaText(in)
		if err != nil {
			return fmt.Errorf("the log %s of %s: %w", name, container, err)
		}
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %w", tfile.ErrFormat, err)
		}
		if err := logHead(out, container, node, name); err != nil {
			return err
		}
		if _, err := io.CopyN(out, in, size); err != nil {
			return fmt.Errorf("the log %s of %s: %w", name, container, err)
		}
		if err := logTail(out, name); err != nil {
			return err
		}
	}
}

// javaText reads a text with its length in two bytes; io.EOF at the end.
func javaText(in io.Reader) (string, error) {
	var n [2]byte
	if _, err := io.ReadFull(in, n[:]); err != nil {
		return "", err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(in, b)
	return string(b), err
}
