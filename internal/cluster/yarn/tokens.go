package yarn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/vfs"
)

// tokenURIs are the file systems for which an application needs tokens: the default one, that of its uploaded files, and those
// that settings name.
func tokenURIs(v *conf.Values, c hadoop.Conf, root string) []string {
	uris := append(list(v.String("spark.kerberos.access.hadoopFileSystems")), root)
	if d := hdfs.Default(c); d != "" {
		uris = append(uris, d+"/")
	}
	return uris
}

// eachHDFS calls do for every file system of Hadoop among the URIs, as a user.
func eachHDFS(c hadoop.Conf, u *hadoop.User, uris []string, do func(f *hdfs.FS, path string) error) error {
	reg, h := vfs.NewRegistry(), hdfs.New(c, u)
	defer h.Close()
	reg.Register(hdfs.Scheme, h)
	for _, uri := range uris {
		f, p, err := reg.Resolve(uri)
		if err == nil && f == vfs.FS(h) {
			err = do(h, p)
		}
		if err != nil {
			return fmt.Errorf("delegation token for %s: %w", uri, err)
		}
	}
	return nil
}

// fetchTokens gets delegation tokens which the ResourceManager may renew. The user must have tickets.
func fetchTokens(ctx context.Context, c hadoop.Conf, u *hadoop.User, uris []string) (*hadoop.Credentials, error) {
	found := hadoop.NewCredentials()
	err := eachHDFS(c, u, uris, func(f *hdfs.FS, path string) error {
		service, err := f.TokenService(path)
		if err != nil || found.Find(hadoop.KindHDFS, service) != nil {
			return err
		}
		t, err := f.DelegationToken(ctx, path, yarn.Renewer(c))
		if err == nil && t != nil {
			found.Tokens[t.Service] = t
		}
		return err
	})
	return found, err
}

// lifeOfTokens asks how long tokens live without being renewed: of those of the file system where that is shortest, by a token
// that the user renews itself. It is 0 where there are no tokens.
func lifeOfTokens(ctx context.Context, c hadoop.Conf, u *hadoop.User, uris []string) (life time.Duration, err error) {
	err = eachHDFS(c, u, uris, func(f *hdfs.FS, path string) error {
		t, err := f.DelegationToken(ctx, path, u.Name)
		if err != nil || t == nil {
			return err
		}
		end, err := f.RenewToken(ctx, path, t)
		if err != nil {
			return err
		}
		if d := time.Until(end); life == 0 || d < life {
			life = d
		}
		return nil
	})
	return life, err
}

// keeper fetches new delegation tokens before the old ones end, as long as the application runs. It needs a keytab: tickets of
// a user end as well.
type keeper struct {
	conf              hadoop.Conf
	principal, keytab string
	uris              []string
	ratio             float64
	retry             time.Duration
	spread            func(credentials []byte)

	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

// keep begins to keep the application's tokens, where there are any and a keytab.
func (m *Manager) keep(c hadoop.Conf, root string) {
	k := &keeper{conf: c, principal: m.v.String("spark.kerberos.principal"), keytab: m.v.String("spark.kerberos.keytab"),
		uris: tokenURIs(m.v, c, root), ratio: m.v.Double("spark.security.credentials.renewalRatio"),
		retry: m.v.Duration("spark.security.credentials.retryWait"), spread: m.spread}
	if !c.Kerberos() || k.principal == "" || k.keytab == "" {
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	k.cancel = cancel
	k.work.Go(func() { k.run(ctx) })
	m.keeper = k
}

// spread gives tokens to this process, to executors that run, and to those that will be started.
func (m *Manager) spread(data []byte) {
	switch {
	case m.master != nil:
		m.master.renew(data)
	case m.link != nil:
		if err := hadoop.Renew(data); err != nil {
			slog.Warn("new delegation tokens cannot be read", "error", err)
		}
		m.link.tokens(data)
	}
	m.notify(cluster.Credentials{Data: data})
}

func (k *keeper) stop() {
	k.cancel(errors.New("the application ends"))
	k.work.Wait()
}

// fetchLimit bounds one round of requests for tokens.
const fetchLimit = time.Minute

// run fetches tokens again and again. The first time it only finds out how long those last that the application was submitted
// with.
func (k *keeper) run(ctx context.Context) {
	first := true
	for {
		life, err := k.round(ctx, first)
		if ctx.Err() != nil {
			return
		}
		wait := time.Duration(float64(life) * k.ratio)
		switch {
		case err != nil:
			slog.Warn("delegation tokens cannot be fetched", "error", err, "again in", k.retry)
			wait = k.retry
		case life == 0:
			return // no file system has tokens
		default:
			first = false
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// round fetches tokens and spreads them, and tells how long they live.
func (k *keeper) round(ctx context.Context, first bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("no tokens within %v", fetchLimit))
	defer cancel()
	u, err := hadoop.KeytabUser(k.principal, k.keytab)
	if err != nil {
		return 0, err
	}
	defer u.Close()
	life, err := lifeOfTokens(ctx, k.conf, u, k.uris)
	if err != nil || first {
		return life, err
	}
	c, err := fetchTokens(ctx, k.conf, u, k.uris)
	if err != nil {
		return 0, err
	}
	k.spread(c.Bytes())
	return life, nil
}
