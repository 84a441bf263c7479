package hadoop

import (
	"fmt"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

// gssapiClient is the client's side of SASL GSSAPI (RFC 4752) by Kerberos, with mutual authentication.
type gssapiClient struct {
	user         *User
	spn, service string

	session  types.EncryptionKey
	acceptor bool // the server gave a key of its own
	replied  bool
	done     bool
}

// Security layers of RFC 4752.
const (
	layerNone      = 1
	layerIntegrity = 2
	layerPrivacy   = 4
)

func (g *gssapiClient) start([]byte) ([]byte, error) {
	k, ticket, key, err := g.user.ticket(g.spn)
	if err != nil {
		return nil, err
	}
	g.session = key
	t, err := spnego.NewKRB5TokenAPREQ(k, ticket, key, []int{gssapi.ContextFlagMutual, gssapi.ContextFlagInteg, gssapi.ContextFlagConf},
		[]int{flags.APOptionMutualRequired})
	if err != nil {
		return nil, err
	}
	return t.Marshal()
}

func (g *gssapiClient) step(challenge []byte) ([]byte, error) {
	if !g.replied {
		g.replied = true
		return []byte{}, g.reply(challenge) // an answer without content, but one
	}
	return g.layer(challenge)
}

// reply checks the server's AP-REP, which proves that it has the service's key.
func (g *gssapiClient) reply(challenge []byte) error {
	var t spnego.KRB5Token
	if err := t.Unmarshal(challenge); err != nil {
		return &AuthError{g.service, "a reply that is no Kerberos token: " + err.Error()}
	}
	if t.IsKRBError() {
		return &AuthError{g.service, t.KRBError.Error()}
	}
	if !t.IsAPRep() {
		return &AuthError{g.service, "a Kerberos token that is no reply"}
	}
	plain, err := crypto.DecryptEncPart(t.APRep.EncPart, g.session, keyusage.AP_REP_ENCPART)
	if err != nil {
		return &AuthError{g.service, "the service did not prove that it has its key: " + err.Error()}
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(plain); err != nil {
		return &AuthError{g.service, "a malformed Kerberos reply: " + err.Error()}
	}
	if part.Subkey.KeyType != 0 {
		g.session, g.acceptor = part.Subkey, true
	}
	return nil
}

// layer chooses the security layer: none.
func (g *gssapiClient) layer(challenge []byte) ([]byte, error) {
	var offer gssapi.WrapToken
	if err := offer.Unmarshal(challenge, true); err != nil {
		return nil, &AuthError{g.service, "a malformed offer of security layers: " + err.Error()}
	}
	if ok, err := offer.Verify(g.session, keyusage.GSSAPI_ACCEPTOR_SEAL); !ok {
		return nil, &AuthError{g.service, fmt.Sprint("an offer of security layers that is not the service's: ", err)}
	}
	if len(offer.Payload) != 4 {
		return nil, &AuthError{g.service, "an offer of security layers of another length"}
	}
	if mask := offer.Payload[0]; mask&layerNone == 0 {
		kind := "integrity"
		if mask&layerIntegrity == 0 && mask&layerPrivacy != 0 {
			kind = "privacy"
		}
		return nil, protection(g.service, kind)
	}
	g.done = true
	etype, err := crypto.GetEtype(g.session.KeyType)
	if err != nil {
		return nil, err
	}
	answer := gssapi.WrapToken{EC: uint16(etype.GetHMACBitLength() / 8), Payload: []byte{layerNone, 0, 0, 0}}
	if g.acceptor {
		answer.Flags |= 0x04
	}
	if err := answer.SetCheckSum(g.session, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, err
	}
	return answer.Marshal()
}

func (g *gssapiClient) finish([]byte) error {
	if !g.done {
		return &AuthError{g.service, "it agreed before it had proved itself"}
	}
	return nil
}
