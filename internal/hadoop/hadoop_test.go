package hadoop

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/hadoop/pb/pbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMessages(t *testing.T) {
	pbtest.Check(t, map[string]any{
		"RpcRequestHeaderProto": &requestHeader{}, "RequestHeaderProto": &methodHeader{}, "RpcResponseHeaderProto": &responseHeader{},
		"IpcConnectionContextProto": &connectionContext{}, "UserInformationProto": &userInformation{}, "RpcSaslProto": &saslMessage{},
		"SaslAuth": &saslAuth{}, "TokenProto": &Token{}, "CredentialsProto": &credentialsMessage{}, "CredentialsKVProto": &credentialsEntry{},
	})
}

func TestConf(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("core-site.xml", `<?xml version="1.0"?><configuration><property><name>fs.defaultFS</name><value>hdfs://nn</value><final>true</final></property>
		<property><name>base</name><value>/d</value></property><property><name>loop</name><value>${loop}x</value></property></configuration>`)
	write("yarn-site.xml", `<configuration><property><name>fs.defaultFS</name><value>file:///</value></property>
		<property><name>dirs</name><value> ${base}/a, ${base}/b </value></property><property><name>t</name><value>90s</value></property>
		<property><name>ms</name><value>1500</value></property></configuration>`)
	t.Setenv("HADOOP_CONF_DIR", dir)
	t.Setenv("YARN_CONF_DIR", "")
	c, err := LoadConf(map[string]string{"spark.hadoop.extra": "1", "spark.other": "2"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Get("fs.defaultFS", ""); got != "hdfs://nn" {
		t.Errorf("a final property was replaced by %q", got)
	}
	if got := c.List("dirs"); !reflect.DeepEqual(got, []string{"/d/a", "/d/b"}) {
		t.Errorf("dirs %q", got)
	}
	if c.Duration("t", 0) != 90*time.Second || c.Duration("ms", 0) != 1500*time.Millisecond || c.Int("extra", 0) != 1 || c.Int("none", 7) != 7 {
		t.Errorf("numbers: %v", c)
	}
	_ = c.Get("loop", "") // it ends
	again := Conf{}
	if err := again.parse(c.XML(), map[string]bool{}); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("written and read again: %v, %v", again, err)
	}
	write("core-site.xml", "<configuration><property>")
	if _, err := LoadConf(nil); err == nil {
		t.Error("a broken file was taken")
	}
}

// recorded is a credentials file as Hadoop 3.5.0 gives it to application masters: one AMRM token without alias and service.
const recorded = "48445453000100" + "1a0a0e0a0a080110e8c2d7e7f93310011095a2f7f2fdffffffff01" // identifier of 26 bytes
const recordedRest = "140102030405060708090a0b0c0d0e0f1011121314" + "10" + "5941524e5f414d5f524d5f544f4b454e" + "00" + "00"

func TestCredentials(t *testing.T) {
	data, err := hex.DecodeString(recorded + recordedRest)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCredentials(data)
	if err != nil {
		t.Fatal(err)
	}
	tok := c.Find(KindAMRM, "")
	if tok == nil || len(tok.Identifier) != 26 || len(tok.Password) != 20 {
		t.Fatalf("token %v", tok)
	}
	if !bytes.Equal(c.Bytes(), data) {
		t.Errorf("written again it is %x", c.Bytes())
	}
	u := &User{tokens: c}
	u.AddToken("nn", &Token{Identifier: make([]byte, 300), Password: []byte{1}, Kind: KindHDFS, Service: "ha-hdfs:x"})
	given := u.Credentials()
	if given.Find(KindAMRM, "") != nil || given.Find(KindHDFS, "ha-hdfs:x") == nil {
		t.Error("containers get the wrong tokens")
	}
	if again, err := ParseCredentials(given.Bytes()); err != nil || !reflect.DeepEqual(again, given) {
		t.Errorf("%v, %v", again, err)
	}
	u.ReplaceToken(&Token{Kind: KindAMRM, Password: []byte("new")})
	if got := u.Token(KindAMRM, ""); string(got.Password) != "new" {
		t.Errorf("token %v after its replacement", got)
	}
}

func TestVint(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 127, 128, -112, -113, 255, 256, 1 << 40, -1 << 40, 1<<63 - 1, -1 << 63} {
		r := writableReader{b: appendVint(nil, n)}
		if got := r.vint(); got != n || r.bad || len(r.b) > 0 {
			t.Errorf("%d came back as %d", n, got)
		}
	}
}

func FuzzCredentials(f *testing.F) {
	data, _ := hex.DecodeString(recorded + recordedRest)
	f.Add(data)
	f.Add(append([]byte("HDTS\x01"), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseCredentials(b); err == nil {
			if _, err := ParseCredentials(c.Bytes()); err != nil {
				t.Error(err)
			}
		}
	})
}

// The example of RFC 2831, section 4.
func TestDigest(t *testing.T) {
	d := NewDigest("chris", "secret", "imap", "elwood.innosoft.com")
	d.realm, d.nonce, d.cnonce = "elwood.innosoft.com", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk"
	if got := d.response("AUTHENTICATE:"); got != "d388dad90d4bbd760a152321f2143af7" {
		t.Errorf("response %s", got)
	}
	if err := d.Verify([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffd")); err != nil {
		t.Error(err)
	}
	if d.Verify([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffe")) == nil {
		t.Error("a server that does not know the secret was believed")
	}
	for _, bad := range []string{"", `realm="x"`, `nonce="a",algorithm=md5`, `nonce="a`, `nonce="a",algorithm=md5-sess,qop="auth-conf"`} {
		if _, err := d.Answer([]byte(bad)); err == nil {
			t.Errorf("the challenge %q was answered", bad)
		}
	}
}

func FuzzDirectives(f *testing.F) {
	f.Add(`realm="default",nonce="a\"b",qop="auth,auth-int",charset=utf-8,algorithm=md5-sess`)
	f.Fuzz(func(t *testing.T, s string) { _, _ = directives(s) })
}

// Renewed tokens take the place of those that the process was started with, for users that are the process's only.
func TestRenew(t *testing.T) {
	t.Setenv(TokenFile, "")
	t.Cleanup(func() { renewed.tokens = nil })
	token := func(password string) *Token {
		return &Token{Identifier: []byte("i"), Password: []byte(password), Kind: KindHDFS, Service: "1.2.3.4:8020"}
	}
	u, err := CurrentUser(Conf{})
	if err != nil {
		t.Fatal(err)
	}
	u.AddToken("1.2.3.4:8020", token("old"))
	u.AddToken("", &Token{Kind: KindAMRM})
	other := &User{Name: "other"}
	c := NewCredentials()
	c.Tokens["1.2.3.4:8020"] = token("new")
	if err := Renew(c.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := u.Token(KindHDFS, "1.2.3.4:8020"); got == nil || string(got.Password) != "new" {
		t.Errorf("%+v", got)
	}
	if all := u.Credentials().Tokens; len(all) != 1 || string(all["1.2.3.4:8020"].Password) != "new" {
		t.Errorf("%+v", all)
	}
	if u.Token(KindAMRM, "") == nil || other.Token(KindHDFS, "") != nil {
		t.Error("tokens of others")
	}
	if err := Renew([]byte("nonsense")); err == nil {
		t.Error("nonsense was taken")
	}
}
