// Package delegation gets Hadoop's delegation tokens for an application, by which its executors prove themselves to file systems without
// the keys of its user, and keeps them new as long as the application runs.
package delegation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/vfs"
)

// URIs are the file systems for which an application needs tokens: the default one, those that settings name
// (spark.kerberos.access.hadoopFileSystems), and more.
func URIs(c hadoop.Conf, named string, more ...string) []string {
	uris := more
	for uri := range strings.SplitSeq(named, ",") {
		if uri = strings.TrimSpace(uri); uri != "" {
			uris = append(uris, uri)
		}
	}
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

// Fetch gets delegation tokens, which the renewer may renew. The user must have tickets.
func Fetch(ctx context.Context, c hadoop.Conf, u *hadoop.User, renewer string, uris []string) (*hadoop.Credentials, error) {
	found := hadoop.NewCredentials()
	err := eachHDFS(c, u, uris, func(f *hdfs.FS, path string) error {
		service, err := f.TokenService(path)
		if err != nil || found.Find(hadoop.KindHDFS, service) != nil {
			return err
		}
		t, err := f.DelegationToken(ctx, path, renewer)
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

// Keeper fetches new delegation tokens before the old ones end, as long as the application runs. It needs a keytab: tickets of
// a user end as well.
type Keeper struct {
	Conf              hadoop.Conf
	Principal, Keytab string
	Renewer           string
	URIs              []string
	Ratio             float64       // of their life after which tokens are replaced (spark.security.credentials.renewalRatio)
	Retry             time.Duration // after a failure (spark.security.credentials.retryWait)
	// Have says that there are tokens which were fetched just now.
	Have bool
	// Spread gives tokens to whoever needs them.
	Spread func(credentials []byte)

	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

// Start begins.
func (k *Keeper) Start() {
	ctx, cancel := context.WithCancelCause(context.Background())
	k.cancel = cancel
	k.work.Go(func() { k.run(ctx) })
}

// Stop ends it.
func (k *Keeper) Stop() {
	k.cancel(errors.New("the application ends"))
	k.work.Wait()
}

// Limit bounds one round of requests for tokens.
const Limit = time.Minute

// run fetches tokens again and again. The first time it only finds out how long those last that there are.
func (k *Keeper) run(ctx context.Context) {
	first := k.Have
	for {
		life, err := k.round(ctx, first)
		if ctx.Err() != nil {
			return
		}
		wait := time.Duration(float64(life) * k.Ratio)
		switch {
		case err != nil:
			slog.Warn("delegation tokens cannot be fetched", "error", err, "again in", k.Retry)
			wait = k.Retry
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
func (k *Keeper) round(ctx context.Context, first bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Limit, fmt.Errorf("no tokens within %v", Limit))
	defer cancel()
	u, err := hadoop.KeytabUser(k.Principal, k.Keytab)
	if err != nil {
		return 0, err
	}
	defer u.Close()
	life, err := lifeOfTokens(ctx, k.Conf, u, k.URIs)
	if err != nil || first {
		return life, err
	}
	c, err := Fetch(ctx, k.Conf, u, k.Renewer, k.URIs)
	if err != nil {
		return 0, err
	}
	k.Spread(c.Bytes())
	return life, nil
}
