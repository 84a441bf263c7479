package hdfs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
)

const nameNodePort = "8020"

// nameNode is one cluster's NameNode, or its pair of them.
type nameNode struct {
	conf   hadoop.Conf
	user   *hadoop.User
	rpc    *hadoop.Client
	token  string // the service of its delegation tokens
	client string // name of this client, which holds the leases

	defaultsOnce sync.Mutex
	defaults     *serverDefaults

	mu      sync.Mutex
	writers int
	renewer sync.WaitGroup
	stop    chan struct{}
}

// NameNodes gives the addresses of a URI's authority: itself, or those of the nameservice of that name.
func nameNodes(c hadoop.Conf, authority string) (addrs []string, tokenService string) {
	for _, nn := range c.List("dfs.ha.namenodes." + authority) {
		if a := c.Get("dfs.namenode.rpc-address."+authority+"."+nn, ""); a != "" {
			addrs = append(addrs, withPort(a))
		}
	}
	if len(addrs) > 0 {
		return addrs, "ha-hdfs:" + authority
	}
	if a := c.Get("dfs.namenode.rpc-address."+authority, ""); a != "" {
		authority = a
	}
	a := withPort(authority)
	return []string{a}, tokenService0(c, a)
}

// tokenService0 is how Hadoop writes the service of a token: the IP address, or the name if so configured.
func tokenService0(c hadoop.Conf, addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !c.Bool("hadoop.security.token.service.use_ip", true) {
		return strings.ToLower(addr)
	}
	if ips, err := net.LookupIP(host); err == nil && len(ips) > 0 {
		host = ips[0].String()
		for _, ip := range ips {
			if v4 := ip.To4(); v4 != nil {
				host = v4.String()
				break
			}
		}
	}
	return net.JoinHostPort(host, port)
}

func withPort(a string) string {
	if _, _, err := net.SplitHostPort(a); err == nil {
		return a
	}
	return net.JoinHostPort(a, nameNodePort)
}

func newNameNode(c hadoop.Conf, u *hadoop.User, authority string) (*nameNode, error) {
	addrs, service := nameNodes(c, authority)
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	return &nameNode{conf: c, user: u, token: service, client: "firesteel-" + hex.EncodeToString(id[:]),
		rpc: hadoop.NewClient(c, u, hadoop.Service{
			Protocol: "org.apache.hadoop.hdfs.protocol.ClientProtocol", Addrs: addrs,
			Principal: c.Get("dfs.namenode.kerberos.principal", ""), TokenKind: hadoop.KindHDFS, TokenService: service,
		})}, nil
}

func (n *nameNode) call(ctx context.Context, method string, request, response any) error {
	return n.rpc.Call(ctx, method, request, response, true)
}

// change calls what must not be carried out twice. (A renamed file is not there the second time.)
func (n *nameNode) change(ctx context.Context, method string, request, response any) error {
	return n.rpc.Call(ctx, method, request, response, false)
}

func (n *nameNode) stat(ctx context.Context, path string) (*fileStatus, error) {
	var r statusResponse
	if err := n.call(ctx, "getFileInfo", &srcRequest{path}, &r); err != nil {
		return nil, pathError("stat", path, err)
	}
	if r.Status == nil {
		return nil, notExist("stat", path)
	}
	return r.Status, nil
}

func (n *nameNode) list(ctx context.Context, path string) ([]*fileStatus, error) {
	var out []*fileStatus
	after := []byte{}
	for {
		var r listingResponse
		if err := n.call(ctx, "getListing", &listingRequest{Src: path, After: after}, &r); err != nil {
			return nil, pathError("list", path, err)
		}
		if r.Listing == nil {
			return nil, notExist("list", path)
		}
		out = append(out, r.Listing.Files...)
		if r.Listing.Remaining == 0 || len(r.Listing.Files) == 0 {
			return out, nil
		}
		after = r.Listing.Files[len(r.Listing.Files)-1].Path
	}
}

func (n *nameNode) locations(ctx context.Context, path string, off, length int64) (*locatedBlocks, error) {
	var r locationsResponse
	if err := n.call(ctx, "getBlockLocations", &locationsRequest{path, uint64(off), uint64(length)}, &r); err != nil {
		return nil, pathError("open", path, err)
	}
	if r.Locations == nil {
		return nil, notExist("open", path)
	}
	return r.Locations, nil
}

// serverDefaults are asked for once.
func (n *nameNode) serverDefaults(ctx context.Context) (*serverDefaults, error) {
	n.defaultsOnce.Lock()
	defer n.defaultsOnce.Unlock()
	if n.defaults == nil {
		var r defaultsResponse
		if err := n.call(ctx, "getServerDefaults", &empty{}, &r); err != nil {
			return nil, err
		}
		if r.Defaults == nil {
			r.Defaults = &serverDefaults{BlockSize: 128 << 20, BytesPerChecksum: 512, PacketSize: 64 << 10, Replication: 3, Checksum: sumCRC32C}
		}
		n.defaults = r.Defaults
	}
	return n.defaults, nil
}

// leaseInterval is well below the 60 s after which another client may take over a file.
const leaseInterval = 30 * time.Second

// opened counts a file that is being written; while there are any, the leases are renewed.
func (n *nameNode) opened() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.writers++; n.writers == 1 {
		stop := make(chan struct{})
		n.stop = stop
		n.renewer.Go(func() { n.renew(stop) })
	}
}

func (n *nameNode) closed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.writers--; n.writers == 0 {
		close(n.stop)
	}
}

func (n *nameNode) renew(stop chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(leaseInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// A lease that was not renewed shows when its file is written to.
			_ = n.call(ctx, "renewLease", &leaseRequest{n.client}, &empty{})
		case <-stop:
			return
		}
	}
}

func (n *nameNode) close() {
	n.rpc.Close()
	n.renewer.Wait()
}

// delegationToken gets a token for containers.
func (n *nameNode) delegationToken(ctx context.Context, renewer string) (*hadoop.Token, error) {
	var r delegationResponse
	if err := n.call(ctx, "getDelegationToken", &delegationRequest{renewer}, &r); err != nil {
		return nil, err
	}
	if r.Token != nil {
		r.Token.Service = n.token
	}
	return r.Token, nil
}

// renewToken makes a token live on and tells until when. Only its renewer may.
func (n *nameNode) renewToken(ctx context.Context, t *hadoop.Token) (time.Time, error) {
	var r renewResponse
	if err := n.call(ctx, "renewDelegationToken", &renewRequest{t}, &r); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(r.Expiry)), nil
}
