package yarn

import (
	"log/slog"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/delegation"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// keep begins to keep the application's tokens, where there are any and a keytab; root is that of its uploaded files.
func (m *Manager) keep(c hadoop.Conf, root string) {
	k := &delegation.Keeper{Conf: c, Principal: m.v.String("spark.kerberos.principal"), Keytab: m.v.String("spark.kerberos.keytab"), Renewer: yarn.Renewer(c),
		URIs: delegation.URIs(c, m.v.String(hadoopFileSystems), root), Ratio: m.v.Double("spark.security.credentials.renewalRatio"),
		Retry: m.v.Duration("spark.security.credentials.retryWait"), Have: true, Spread: m.spread}
	if !c.Kerberos() || k.Principal == "" || k.Keytab == "" {
		return
	}
	k.Start()
	m.keeper = k
}

// hadoopFileSystems names file systems for which an application needs tokens.
const hadoopFileSystems = "spark.kerberos.access.hadoopFileSystems"

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
