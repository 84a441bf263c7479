package yarn

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// Submission is an application that is to run in cluster mode.
type Submission struct {
	Conf    map[string]string // the spark.* settings
	Binary  string            // firesteel
	Program string            // a file here, one that containers can reach, or local:/path on the nodes
	Args    []string
}

// Submit starts an application whose driver runs in its application master's container and, unless
// spark.yarn.submit.waitAppCompletion is off, reports it to out until it has ended. An application that did not succeed is
// an *EndedError. When ctx ends the application goes on.
func Submit(ctx context.Context, s Submission, out io.Writer) error {
	v := conf.NewValues(s.Conf)
	c, err := newClient(ctx, v)
	if err != nil {
		return err
	}
	defer c.close()
	e := cluster.Executor{Memory: v.Bytes("spark.executor.memory"), Cores: int(v.Int("spark.executor.cores"))}
	if err := c.check(true, &e); err != nil {
		return err
	}
	st, err := newStaging(ctx, v, c.conf, c.user, c.id)
	if err != nil {
		return err
	}
	defer st.close()
	if err := s.start(ctx, c, st); err != nil {
		return errors.Join(err, st.remove(context.WithoutCancel(ctx)))
	}
	fmt.Fprintf(out, "Submitted application %s\n", c.id)
	if !v.Bool("spark.yarn.submit.waitAppCompletion") {
		r, err := c.rm.Report(ctx, c.id)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Application report for %s (state: %s)\n", c.id, r.StateName())
		detail(out, r)
		return nil
	}
	r, err := c.follow(ctx, out)
	if err != nil {
		return err
	}
	return errors.Join(outcome(r), c.tidy(ctx, v))
}

// tidy removes the files of an application that has ended; its master did that already unless it was killed.
func (c *client) tidy(ctx context.Context, v *conf.Values) error {
	if v.Bool("spark.yarn.preserve.staging.files") {
		return nil
	}
	root, err := stagingRoot(v, c.conf, c.user, c.id)
	if err != nil {
		return err
	}
	return removeStaging(ctx, c.conf, c.user, root)
}

// start uploads and submits.
func (s *Submission) start(ctx context.Context, c *client, st *staging) error {
	sp, err := stage(ctx, c, st, s.Binary)
	if err != nil {
		return err
	}
	sp.ProgramArgs = s.Args
	if keytab := c.v.String("spark.kerberos.keytab"); keytab != "" && c.conf.Kerberos() { // the driver renews its tokens with it
		if err := st.claim(keytabLink, keytab); err != nil {
			return err
		}
		if _, err := st.upload(ctx, keytab, keytabLink, false, 0o600); err != nil {
			return fmt.Errorf("the keytab: %w", err)
		}
	}
	if rest, ok := strings.CutPrefix(s.Program, "local:"); ok {
		sp.Program = "/" + strings.TrimLeft(rest, "/")
	} else if sp.Program, err = s.program(ctx, st); err != nil {
		return err
	}
	if err := st.spec(ctx, sp); err != nil {
		return err
	}
	secret, err := secretOf(c.v)
	if err != nil {
		return err
	}
	launch, err := c.masterLaunch(st, sp, secret)
	if err != nil {
		return err
	}
	return c.rm.Submit(ctx, c.submission(true, launch))
}

// program makes the application's file a resource; one that is a program of its own must be executable.
func (s *Submission) program(ctx context.Context, st *staging) (string, error) {
	r, err := st.add(ctx, s.Program, false)
	if err != nil {
		return "", fmt.Errorf("the application: %w", err)
	}
	if r == nil { // it is among --files too
		return st.linkOf(s.Program), nil
	}
	return r.Link, nil
}

func secretOf(v *conf.Values) (string, error) {
	if s := v.String("spark.authenticate.secret"); s != "" {
		return s, nil
	}
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// find asks about an application by its id.
func find(ctx context.Context, settings map[string]string, id string) (*client, *yarn.Report, error) {
	app, err := yarn.ParseApplicationID(id)
	if err != nil {
		return nil, nil, err
	}
	v := conf.NewValues(settings)
	c, u, err := open(v)
	if err != nil {
		return nil, nil, err
	}
	cl := &client{v: v, conf: c, user: u, rm: yarn.NewClient(c, u), id: app}
	r, err := cl.rm.Report(ctx, app)
	if err != nil {
		cl.close()
		return nil, nil, err
	}
	return cl, r, nil
}

// Status prints the state of an application.
func Status(ctx context.Context, settings map[string]string, id string, out io.Writer) error {
	c, r, err := find(ctx, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	fmt.Fprintf(out, "Application report for %s (state: %s)\n", id, r.StateName())
	detail(out, r)
	return nil
}

// Kill ends an application.
func Kill(ctx context.Context, settings map[string]string, id string, out io.Writer) error {
	c, r, err := find(ctx, settings, id)
	if err != nil {
		return err
	}
	defer c.close()
	if r.Ended() {
		return fmt.Errorf("%s: %w (%s)", id, errAlready, r.FinalName())
	}
	if err := c.rm.Kill(ctx, c.id, "killed by "+c.user.Short()); err != nil {
		return err
	}
	fmt.Fprintf(out, "Killed application %s\n", id)
	return c.tidy(ctx, c.v)
}
