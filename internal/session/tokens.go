package session

import (
	"context"
	"fmt"

	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/delegation"
)

// delegate gives executors tokens by which they prove themselves to Hadoop's file systems, where those want Kerberos: they have
// no keys. With a keytab it gives them new ones as long as the application runs. That there is nobody to get tokens for is no error
// unless a keytab was given: the application may need none.
func (a *App) delegate(ctx context.Context, to driver.Executors) error {
	settings := a.Conf.All()
	c, err := hadoop.LoadConf(settings)
	if err != nil || !c.Kerberos() {
		return err
	}
	keytab := settings["spark.kerberos.keytab"]
	u, err := hadoop.UserFor(c, settings)
	if err != nil {
		if keytab != "" {
			return err
		}
		a.log.Warn("executors get no tokens for Hadoop's file systems", "reason", err)
		return nil
	}
	defer u.Close()
	k := &delegation.Keeper{Conf: c, Principal: settings["spark.kerberos.principal"], Keytab: keytab, Renewer: u.Short(),
		URIs: delegation.URIs(c, settings["spark.kerberos.access.hadoopFileSystems"]), Ratio: a.Conf.Double("spark.security.credentials.renewalRatio"),
		Retry: a.Conf.Duration("spark.security.credentials.retryWait"), Spread: to.SendCredentials}
	found, err := a.tokens(ctx, u, k)
	if err != nil {
		a.log.Warn("executors get no tokens for Hadoop's file systems yet", "reason", err)
	} else if len(found.Tokens) > 0 {
		a.log.Info("executors get tokens for Hadoop's file systems", "user", u.Name, "tokens", len(found.Tokens))
		k.Have = true
		to.SendCredentials(found.Bytes())
	}
	if keytab != "" && u.HasTickets() {
		k.Start()
		a.keeper = k
	}
	return nil
}

// tokens are those that the user gets, or those that this process was started with.
func (a *App) tokens(ctx context.Context, u *hadoop.User, k *delegation.Keeper) (*hadoop.Credentials, error) {
	if !u.HasTickets() {
		return u.Credentials(), nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, delegation.Limit, fmt.Errorf("no tokens within %v", delegation.Limit))
	defer cancel()
	return delegation.Fetch(ctx, k.Conf, u, k.Renewer, k.URIs)
}
