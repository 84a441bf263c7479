package hadoop

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"strings"
	"sync"

	krb "github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// User is who calls services. Its methods may be called by several goroutines.
type User struct {
	// Name is the user that services see; with Kerberos a principal.
	Name string
	// Real is who acts for Name ("" if Name acts itself): an impersonation that services must allow.
	Real string

	mu      sync.Mutex
	tokens  *Credentials
	krb     *krb.Client
	process bool // the process's user, to whom renewed tokens are given
}

// renewed are the newest tokens of this process.
var renewed struct {
	sync.Mutex
	tokens *Credentials
}

// Renew gives the process's user, wherever it is used, tokens in place of older ones.
func Renew(credentials []byte) error {
	c, err := ParseCredentials(credentials)
	if err != nil {
		return err
	}
	renewed.Lock()
	defer renewed.Unlock()
	renewed.tokens = c
	return nil
}

// newest are the tokens that were renewed for the user, if any.
func (u *User) newest() *Credentials {
	renewed.Lock()
	defer renewed.Unlock()
	if !u.process || renewed.tokens == nil {
		return NewCredentials()
	}
	return renewed.tokens
}

// currentName is the user of HADOOP_USER_NAME, else the application's, else that of the process: executors go to file systems as
// the application's user, whoever they run as.
func currentName() string {
	for _, key := range []string{"HADOOP_USER_NAME", "SPARK_USER"} {
		if n := os.Getenv(key); n != "" {
			return n
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// CurrentUser is the process's user, with the tokens of HADOOP_TOKEN_FILE_LOCATION, and, where services want Kerberos and
// there are no tokens for them, the tickets of KRB5CCNAME. Tokens that were given by Renew count like those of the file.
func CurrentUser(c Conf) (*User, error) {
	tokens, err := LoadCredentials()
	if err != nil {
		return nil, err
	}
	u := &User{Name: currentName(), tokens: tokens, process: true}
	if c.Kerberos() {
		if err := u.loginCache(); err != nil && len(tokens.Tokens) == 0 && len(u.newest().Tokens) == 0 {
			return nil, fmt.Errorf("services want Kerberos, there is no keytab, and no tickets: %w", err)
		}
	}
	return u, nil
}

// Proxy is a user whom u impersonates (--proxy-user).
func (u *User) Proxy(name string) *User {
	u.mu.Lock()
	defer u.mu.Unlock()
	return &User{Name: name, Real: u.Name, tokens: NewCredentials(), krb: u.krb}
}

// Short is the name without realm and host, as file systems show it.
func (u *User) Short() string {
	name, _, _ := strings.Cut(u.Name, "@")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// Token gives the user's token of a kind, and of a service unless that is ""; nil if there is none.
func (u *User) Token(kind, service string) *Token {
	if t := u.newest().Find(kind, service); t != nil {
		return t
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tokens.Find(kind, service)
}

// Credentials is a copy of the tokens that the user has, without those that prove an application attempt to the
// ResourceManager: those belong to the application master alone.
func (u *User) Credentials() *Credentials {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := NewCredentials()
	for alias, t := range u.tokens.Tokens {
		if t.Kind != KindAMRM {
			out.Tokens[alias] = t
		}
	}
	maps.Copy(out.Tokens, u.newest().Tokens)
	maps.Copy(out.Secrets, u.tokens.Secrets)
	return out
}

// AddToken gives the user a token.
func (u *User) AddToken(alias string, t *Token) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tokens == nil {
		u.tokens = NewCredentials()
	}
	u.tokens.Tokens[alias] = t
}

// ReplaceToken gives the user a token in place of all of its kind.
func (u *User) ReplaceToken(t *Token) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for alias, old := range u.tokens.Tokens {
		if old.Kind == t.Kind {
			delete(u.tokens.Tokens, alias)
		}
	}
	u.tokens.Tokens[t.Kind] = t
}

// ErrNoTickets says that there are no Kerberos tickets.
var ErrNoTickets = errors.New("no Kerberos credentials: give --principal and --keytab, or run kinit")

func krb5Config() (*config.Config, error) {
	name := os.Getenv("KRB5_CONFIG")
	if name == "" {
		name = "/etc/krb5.conf"
	}
	c, err := config.Load(name)
	var unsupported config.UnsupportedDirective
	if err != nil && !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// KeytabUser is a user who has no tokens, but tickets by a keytab file: one who may ask for tokens.
func KeytabUser(principal, keytabFile string) (*User, error) {
	u := &User{tokens: NewCredentials()}
	return u, u.Login(principal, keytabFile)
}

// Login gets tickets for a principal with the keys of a keytab file. They are renewed as needed.
func (u *User) Login(principal, keytabFile string) error {
	c, err := krb5Config()
	if err != nil {
		return err
	}
	keytabFile = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(keytabFile, "local:"), "file:"), "//") // as Spark has it, too
	kt, err := keytab.Load(keytabFile)
	if err != nil {
		return fmt.Errorf("keytab %s: %w", keytabFile, err)
	}
	name, realm, ok := strings.Cut(principal, "@")
	if !ok {
		realm = c.LibDefaults.DefaultRealm
	}
	k := krb.NewWithKeytab(name, realm, kt, c, krb.DisablePAFXFAST(true))
	if err := k.Login(); err != nil {
		return fmt.Errorf("Kerberos login of %s: %w", principal, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.krb, u.Name = k, name+"@"+realm
	return nil
}

// loginCache takes the tickets of a credential cache file.
func (u *User) loginCache() error {
	name := strings.TrimPrefix(os.Getenv("KRB5CCNAME"), "FILE:")
	if name == "" {
		name = fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid())
	}
	cache, err := credentials.LoadCCache(name)
	if err != nil {
		return errors.Join(ErrNoTickets, err)
	}
	c, err := krb5Config()
	if err != nil {
		return err
	}
	k, err := krb.NewFromCCache(cache, c, krb.DisablePAFXFAST(true))
	if err != nil {
		return err
	}
	u.krb, u.Name = k, k.Credentials.UserName()+"@"+k.Credentials.Realm()
	return nil
}

// Close gives up tickets.
func (u *User) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.krb != nil && u.Real == "" {
		u.krb.Destroy()
		u.krb = nil
	}
}

// HasTickets says whether the user can prove itself by Kerberos.
func (u *User) HasTickets() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.krb != nil
}

func (u *User) ticket(spn string) (*krb.Client, messages.Ticket, types.EncryptionKey, error) {
	u.mu.Lock()
	k := u.krb
	u.mu.Unlock()
	if k == nil {
		return nil, messages.Ticket{}, types.EncryptionKey{}, ErrNoTickets
	}
	t, key, err := k.GetServiceTicket(spn)
	if err != nil {
		return nil, t, key, fmt.Errorf("Kerberos ticket for %s: %w", spn, err)
	}
	return k, t, key, nil
}

// UserFor is the user that settings ask for: spark.kerberos.principal and keytab log in; else the process's user. In a
// container, which has tokens in place of the keytab, it is the process's user.
func UserFor(c Conf, settings map[string]string) (*User, error) {
	keytabFile, principal := settings["spark.kerberos.keytab"], settings["spark.kerberos.principal"]
	if !c.Kerberos() || keytabFile == "" || os.Getenv(TokenFile) != "" {
		return CurrentUser(c)
	}
	tokens, err := LoadCredentials()
	if err != nil {
		return nil, err
	}
	u := &User{Name: currentName(), tokens: tokens}
	return u, u.Login(principal, keytabFile)
}
