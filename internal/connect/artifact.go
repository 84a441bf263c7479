package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// artifacts are what a client has uploaded: local data in memory, under cache/, and files in a directory of the session.
type artifacts struct {
	limit int64 // bytes of local data

	mu    sync.Mutex
	cache map[string][]byte // by hash
	size  int64
	dir   string            // made at the first file
	files map[string]string // path by name
	taken int64             // bytes of the files
	quota int64             // the most of them
}

// mostFiles is how many files a session may upload, and sessionShare how many of the largest allowed ones their bytes may be.
const (
	mostFiles    = 10_000
	sessionShare = 4
)

// cached reads uploaded local data.
func (a *artifacts) cached(hash string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if data, ok := a.cache[hash]; ok {
		return data, nil
	}
	return nil, sparkerr.New("CONNECT_INVALID_PLAN.CANNOT_FIND_CACHED_LOCAL_RELATION", "hash", hash)
}

func (a *artifacts) has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if hash, ok := strings.CutPrefix(name, "cache/"); ok {
		return a.cache[hash] != nil
	}
	return a.files[name] != ""
}

// put stores an artifact. For files it tells the kind and the path, so that the session can be told.
func (a *artifacts) put(name string, data []byte) (kind, path string, err error) {
	kind, rest, _ := strings.Cut(name, "/")
	if !filepath.IsLocal(rest) || strings.ContainsAny(name, "\\\x00") {
		return "", "", sparkerr.New("INVALID_ARTIFACT_PATH", "name", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch kind {
	case "cache":
		return "", "", a.keep(rest, data)
	case "jars", "pyfiles", "files", "archives":
		path, err = a.store(name, data)
		return kind, path, err
	}
	return "", "", sparkerr.Unsupported("artifact " + name)
}

// keep holds local data; a.mu is held. What is there already is the same, because the name is its hash.
func (a *artifacts) keep(hash string, data []byte) error {
	if a.cache[hash] != nil {
		return nil
	}
	if a.size+int64(len(data)) > a.limit {
		return sparkerr.New("CONNECT_INVALID_PLAN.LOCAL_RELATION_SIZE_LIMIT_EXCEEDED", "actualSize", itoa(a.size+int64(len(data))), "limit", itoa(a.limit))
	}
	if a.cache == nil {
		a.cache = map[string][]byte{}
	}
	if data == nil {
		data = []byte{}
	}
	a.cache[hash] = data
	a.size += int64(len(data))
	return nil
}

// store writes a file; a.mu is held. The same name with other content is an error.
func (a *artifacts) store(name string, data []byte) (string, error) {
	name, _, _ = strings.Cut(name, "#") // the alias of an archive
	if path := a.files[name]; path != "" {
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, data) {
			return path, nil
		}
		return "", sparkerr.New("ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", name)
	}
	if len(a.files) >= mostFiles || a.taken+int64(len(data)) > a.quota {
		return "", sparkerr.Internal("artifact %s: a session may upload %d files of %d bytes in all, and has %d of %d bytes", name, mostFiles, a.quota,
			len(a.files), a.taken)
	}
	if a.dir == "" {
		dir, err := os.MkdirTemp("", "firesteel-artifacts-")
		if err != nil {
			return "", err
		}
		a.dir, a.files = dir, map[string]string{}
	}
	path := filepath.Join(a.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	a.files[name] = path
	a.taken += int64(len(data))
	return path, nil
}

func (a *artifacts) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cache, a.files = nil, nil
	if a.dir != "" {
		// What cannot be removed from the temporary directory does no harm there.
		_ = os.RemoveAll(a.dir)
		a.dir = ""
	}
}

// upload collects the artifacts of one AddArtifacts stream.
type upload struct {
	session *session
	log     *audit.Log
	peer    string
	limit   int64
	name    string // of the artifact in chunks
	data    []byte
	left    int64 // chunks to come
	total   int64
	ok      bool
	sums    []*connectpb.AddArtifactsResponse_ArtifactSummary
}

// AddArtifacts takes uploaded files and local data. What does not fit its checksum is not stored, and the summary says so.
func (s *Server) AddArtifacts(stream connectpb.SparkConnectService_AddArtifactsServer) error {
	var ses *session
	var u *upload
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if ses == nil {
			if ses, err = s.sessions.get(r, true); err != nil {
				return err
			}
			u = &upload{session: ses, log: s.opts.Audit, peer: peerOf(stream.Context()), limit: s.opts.MaxArtifact}
		}
		if err := u.take(r); err != nil {
			return ses.fail(err, "")
		}
	}
	switch {
	case u == nil:
		return statusOf(handleError("FORMAT", ""), "")
	case u.left > 0:
		return ses.fail(sparkerr.Internal("the upload of artifact %s ended %d chunks early", u.name, u.left), "")
	}
	return stream.SendAndClose(&connectpb.AddArtifactsResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID, Artifacts: u.sums})
}

func (u *upload) take(r *connectpb.AddArtifactsRequest) error {
	switch k := r.GetPayload().(type) {
	case *connectpb.AddArtifactsRequest_Batch_:
		for _, a := range k.Batch.GetArtifacts() {
			u.start(a.GetName(), 1, int64(len(a.GetData().GetData())))
			if err := u.chunk(a.GetData()); err != nil {
				return err
			}
		}
		return nil
	case *connectpb.AddArtifactsRequest_BeginChunk:
		b := k.BeginChunk
		if u.left > 0 || b.GetNumChunks() < 1 || b.GetTotalBytes() < 0 || b.GetTotalBytes() > u.limit {
			return sparkerr.Internal("artifact %s: %d bytes in %d chunks while %d chunks of another one are missing", b.GetName(), b.GetTotalBytes(),
				b.GetNumChunks(), u.left)
		}
		u.start(b.GetName(), b.GetNumChunks(), b.GetTotalBytes())
		return u.chunk(b.GetInitialChunk())
	case *connectpb.AddArtifactsRequest_Chunk:
		if u.left == 0 {
			return sparkerr.Internal("a chunk without an artifact")
		}
		return u.chunk(k.Chunk)
	}
	return sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.AddArtifactsRequest", "name", "payload")
}

func (u *upload) start(name string, chunks, total int64) {
	u.name, u.left, u.total, u.data, u.ok = name, chunks, total, nil, true
}

// chunk takes a piece; after the last one the artifact is stored.
func (u *upload) chunk(c *connectpb.AddArtifactsRequest_ArtifactChunk) error {
	if int64(crc32.ChecksumIEEE(c.GetData())) != c.GetCrc() {
		u.ok = false
	}
	if int64(len(u.data)+len(c.GetData())) > u.total {
		return sparkerr.Internal("artifact %s is larger than the %d bytes announced", u.name, u.total)
	}
	u.data = append(u.data, c.GetData()...)
	if u.left--; u.left > 0 {
		return nil
	}
	u.sums = append(u.sums, &connectpb.AddArtifactsResponse_ArtifactSummary{Name: u.name, IsCrcSuccessful: u.ok})
	if !u.ok {
		return nil
	}
	a := audit.Action{Name: "artifact", User: u.session.key.user, Session: u.session.key.id, Peer: u.peer, Statement: fmt.Sprintf("%s (%d bytes)", u.name, len(u.data))}
	return u.log.Do(a, u.store)
}

// store keeps an artifact that is complete.
func (u *upload) store() error {
	kind, path, err := u.session.artifacts.put(u.name, u.data)
	u.data = nil
	if t, ok := u.session.engine.(FileTaker); ok && err == nil && path != "" {
		err = t.AddFile(kind, u.name, path)
	}
	return err
}

// ArtifactStatus tells which artifacts the session has.
func (s *Server) ArtifactStatus(_ context.Context, r *connectpb.ArtifactStatusesRequest) (*connectpb.ArtifactStatusesResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.ArtifactStatusesResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID,
		Statuses: map[string]*connectpb.ArtifactStatusesResponse_ArtifactStatus{}}
	for _, name := range r.GetNames() {
		out.Statuses[name] = &connectpb.ArtifactStatusesResponse_ArtifactStatus{Exists: ses.artifacts.has(name)}
	}
	return out, nil
}
