package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/firesteel/firesteel/internal/archive"
	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// artifacts are what a client has uploaded: local data in memory, under cache/, and files in a folder of the session.
type artifacts struct {
	session string
	limit   int64                  // bytes of local data
	quota   int64                  // bytes of files, those in archives included
	parent  func() (string, error) // where the folder is made; nil: the system's folder of temporary files

	mu      sync.Mutex
	cache   map[string][]byte // by hash
	size    int64             // bytes of local data, those that are on their way included
	dir     string            // made at the first file
	files   map[string]string // path by name
	entries int               // files, folders and links, those in archives included
	taken   int64             // their bytes, those that are on their way included
	closed  bool
}

// In the folder, uploads holds files by their names, as they came, and files what functions of users find by SparkFiles: flat, as
// Spark's executors have it, files and modules by their own names and each archive unpacked in a folder of its own or its alias's name.
const (
	uploadsFolder = "uploads"
	filesFolder   = "files"
)

// mostFiles is how many files a session may upload, mostEntries how many files, folders and links it may have when archives are
// unpacked, and sessionShare how many of the largest allowed uploads all their bytes may be.
const (
	mostFiles    = 10_000
	mostEntries  = 250_000
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

// quotaError is the refusal of what does not fit.
func (a *artifacts) quotaError(name string) error {
	return sparkerr.New("ARTIFACT_QUOTA_EXCEEDED", "name", name, "files", itoa(mostFiles), "bytes", itoa(a.quota))
}

// reserve takes room for an artifact of a size that is announced.
func (a *artifacts) reserve(name string, n int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !strings.HasPrefix(name, "cache/"):
		if a.taken+n > a.quota || len(a.files) >= mostFiles {
			return a.quotaError(name)
		}
		a.taken += n
	case a.size+n > a.limit:
		return sparkerr.New("CONNECT_INVALID_PLAN.LOCAL_RELATION_SIZE_LIMIT_EXCEEDED", "actualSize", itoa(a.size+n), "limit", itoa(a.limit))
	default:
		a.size += n
	}
	return nil
}

// giveBack frees the room of an artifact that is not kept.
func (a *artifacts) giveBack(name string, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.HasPrefix(name, "cache/") {
		a.size -= n
	} else {
		a.taken -= n
	}
}

// folder is the session's folder, with what all have in it; a.mu is held.
func (a *artifacts) folder() (string, error) {
	if a.closed {
		return "", sparkerr.New("INVALID_HANDLE.SESSION_CLOSED", "handle", a.session)
	}
	if a.dir != "" {
		return a.dir, nil
	}
	parent, err := "", error(nil)
	if a.parent != nil {
		if parent, err = a.parent(); err != nil {
			return "", err
		}
	}
	dir, err := os.MkdirTemp(parent, "firesteel-artifacts-")
	if err != nil {
		return "", err
	}
	a.dir, a.files = dir, map[string]string{}
	return dir, errors.Join(os.Mkdir(filepath.Join(dir, uploadsFolder), 0o700), os.Mkdir(filepath.Join(dir, filesFolder), 0o700))
}

// stage makes a file for an upload, which has no name yet.
func (a *artifacts) stage() (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, "upload-")
}

// keep holds local data; kept says that it is new. What is there already is the same, because the name is its hash.
func (a *artifacts) keep(hash string, data []byte) (kept bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.cache[hash] != nil {
		return false
	}
	if a.cache == nil {
		a.cache = map[string][]byte{}
	}
	if data == nil {
		data = []byte{}
	}
	a.cache[hash] = data
	return true
}

// put gives a staged file its name, and puts it where functions find it: path. The same again is as if it had not come; the same
// name with other content is an error.
func (a *artifacts) put(ctx context.Context, n artifactName, staged *os.File, size int64) (path string, kept bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.folder(); err != nil { // it was closed
		return "", false, err
	}
	if old := a.files[n.stored()]; old != "" {
		if same, err := sameContent(old, staged); !same || err != nil {
			return "", false, errors.Join(err, sparkerr.New("ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", n.stored()))
		}
		return a.found(n), false, nil
	}
	if len(a.files) >= mostFiles || a.entries >= mostEntries {
		return "", false, a.quotaError(n.stored())
	}
	stored, path := filepath.Join(a.dir, uploadsFolder, filepath.FromSlash(n.stored())), a.found(n)
	if err := a.free(n, stored); err != nil {
		return "", false, err
	}
	if path != stored {
		if err := a.expose(ctx, n, staged, size, path); err != nil {
			return "", false, err
		}
	}
	if err := os.Rename(staged.Name(), stored); err != nil {
		return "", false, err
	}
	a.files[n.stored()] = stored
	a.entries++
	return path, true, nil
}

// found is where an artifact is found; a.mu is held.
func (a *artifacts) found(n artifactName) string {
	if n.kind == "jars" {
		return filepath.Join(a.dir, uploadsFolder, filepath.FromSlash(n.stored()))
	}
	return filepath.Join(a.dir, filesFolder, filepath.FromSlash(n.shown()))
}

// expose puts a file, or what an archive has in it, where functions find it; a.mu is held. What no unpacker knows is put there as it is.
func (a *artifacts) expose(ctx context.Context, n artifactName, staged *os.File, size int64, path string) error {
	if err := a.free(n, path); err != nil {
		return err
	}
	if n.kind != "archives" || !archive.Is(n.rest) {
		return os.Link(staged.Name(), path)
	}
	made, err := archive.Unpack(ctx, n.rest, staged, size, path, archive.Limits{Entries: mostEntries - a.entries, Bytes: a.quota - a.taken})
	a.taken += made.Bytes
	a.entries += made.Entries
	return err
}

// free makes the folders above a path where nothing may be yet.
func (a *artifacts) free(n artifactName, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return sparkerr.New("ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", n.text)
	}
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if errors.Is(err, syscall.ENOTDIR) {
		return sparkerr.New("INVALID_ARTIFACT_PATH", "name", n.text)
	}
	return err
}

// sameContent compares a stored file with one that was uploaded.
func sameContent(stored string, staged *os.File) (bool, error) {
	f, err := os.Open(stored)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if _, err := staged.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err1 := io.ReadFull(f, x)
		m, err2 := io.ReadFull(staged, y)
		switch {
		case !bytes.Equal(x[:n], y[:m]):
			return false, nil
		case err1 == nil && err2 == nil:
		case (errors.Is(err1, io.EOF) || errors.Is(err1, io.ErrUnexpectedEOF)) && (errors.Is(err2, io.EOF) || errors.Is(err2, io.ErrUnexpectedEOF)):
			return true, nil
		default:
			return false, errors.Join(err1, err2)
		}
	}
}

func (a *artifacts) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed, a.cache, a.files = true, nil, nil
	if a.dir != "" {
		// What cannot be removed from the temporary directory does no harm there.
		_ = os.RemoveAll(a.dir)
		a.dir = ""
	}
}

// artifactName is a name that a client gives: kind/rest, and for archives #alias.
type artifactName struct{ text, kind, rest, alias string }

// nameOf reads a name. It must not lead outside.
func nameOf(text string) (artifactName, error) {
	n := artifactName{text: text}
	n.kind, n.rest, _ = strings.Cut(text, "/")
	if n.kind == "archives" {
		n.rest, n.alias, _ = strings.Cut(n.rest, "#")
	}
	if !inside(n.rest) || n.alias != "" && !inside(n.alias) || strings.Contains(n.alias, "#") {
		return n, sparkerr.New("INVALID_ARTIFACT_PATH", "name", text)
	}
	if n.rest = path.Clean(n.rest); n.alias != "" {
		n.alias = path.Clean(n.alias)
	}
	switch n.kind {
	case "cache", "jars", "pyfiles", "files", "archives":
		return n, nil
	}
	return n, sparkerr.Unsupported("artifact " + text)
}

// inside says whether a name is one of a file below a folder.
func inside(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > mostName {
			return false
		}
	}
	return filepath.IsLocal(name) && path.Clean(name) != "." && len(name) <= 4*mostName && !strings.ContainsAny(name, "\\\x00")
}

// mostName is how long a name of a file may be, in bytes.
const mostName = 255

// stored is the name under which the upload itself is kept; shown is the one under which functions find it.
func (n artifactName) stored() string { return n.kind + "/" + n.rest }

func (n artifactName) shown() string {
	if n.alias != "" {
		return n.alias
	}
	return path.Base(n.rest)
}

// upload collects the artifacts of one AddArtifacts stream.
type upload struct {
	ctx     context.Context
	session *session
	log     *audit.Log
	peer    string
	limit   int64
	name    artifactName // of the artifact that is on its way
	data    []byte       // of local data
	file    *os.File     // of files
	size    int64        // so far
	left    int64        // chunks to come
	total   int64        // announced and reserved
	ok      bool
	sums    []*connectpb.AddArtifactsResponse_ArtifactSummary
}

// AddArtifacts takes uploaded files and local data. What does not fit its checksum is not stored, and the summary says so.
func (s *Server) AddArtifacts(stream connectpb.SparkConnectService_AddArtifactsServer) error {
	var u *upload
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if u == nil {
			ses, err := s.sessions.get(r, true)
			if err != nil {
				return err
			}
			ctx, stop := context.WithCancel(stream.Context())
			defer stop()
			defer context.AfterFunc(s.base, stop)()
			u = &upload{ctx: ctx, session: ses, log: s.opts.Audit, peer: peerOf(stream.Context()), limit: s.opts.MaxArtifact}
			defer u.drop()
		}
		if err := u.take(r); err != nil {
			return u.session.fail(err, "")
		}
	}
	switch {
	case u == nil:
		return statusOf(handleError("FORMAT", ""), "")
	case u.left > 0:
		return u.session.fail(sparkerr.Internal("the upload of artifact %s ended %d chunks early", u.name.text, u.left), "")
	}
	return stream.SendAndClose(&connectpb.AddArtifactsResponse{SessionId: u.session.key.id, ServerSideSessionId: u.session.serverID, Artifacts: u.sums})
}

func (u *upload) take(r *connectpb.AddArtifactsRequest) error {
	switch k := r.GetPayload().(type) {
	case *connectpb.AddArtifactsRequest_Batch_:
		if u.left > 0 {
			return sparkerr.Internal("artifacts while %d chunks of %s are missing", u.left, u.name.text)
		}
		for _, a := range k.Batch.GetArtifacts() {
			if err := u.start(a.GetName(), 1, int64(len(a.GetData().GetData()))); err != nil {
				return err
			}
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
		if err := u.start(b.GetName(), b.GetNumChunks(), b.GetTotalBytes()); err != nil {
			return err
		}
		return u.chunk(b.GetInitialChunk())
	case *connectpb.AddArtifactsRequest_Chunk:
		if u.left == 0 {
			return sparkerr.Internal("a chunk without an artifact")
		}
		return u.chunk(k.Chunk)
	}
	return sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.AddArtifactsRequest", "name", "payload")
}

// start begins an artifact, for which room is reserved.
func (u *upload) start(name string, chunks, total int64) error {
	n, err := nameOf(name)
	if err != nil {
		return err
	}
	a := &u.session.artifacts
	if err := a.reserve(n.stored(), total); err != nil {
		return err
	}
	u.name, u.left, u.total, u.size, u.ok = n, chunks, total, 0, true
	if n.kind != "cache" {
		u.file, err = a.stage()
	}
	return err
}

// drop forgets the artifact that is on its way, if there is one.
func (u *upload) drop() {
	if u.name.text != "" {
		u.session.artifacts.giveBack(u.name.stored(), u.total)
	}
	if u.file != nil {
		// It goes with the session's folder, if it cannot be removed now.
		_, _ = u.file.Close(), os.Remove(u.file.Name())
	}
	u.name, u.data, u.file = artifactName{}, nil, nil
}

// chunk takes a piece; after the last one the artifact is stored.
func (u *upload) chunk(c *connectpb.AddArtifactsRequest_ArtifactChunk) error {
	if int64(crc32.ChecksumIEEE(c.GetData())) != c.GetCrc() {
		u.ok = false
	}
	if u.size += int64(len(c.GetData())); u.size > u.total {
		return sparkerr.Internal("artifact %s is larger than the %d bytes announced", u.name.text, u.total)
	}
	if u.file == nil {
		u.data = append(u.data, c.GetData()...)
	} else if _, err := u.file.Write(c.GetData()); err != nil {
		return err
	}
	if u.left--; u.left > 0 {
		return nil
	}
	u.sums = append(u.sums, &connectpb.AddArtifactsResponse_ArtifactSummary{Name: u.name.text, IsCrcSuccessful: u.ok})
	defer u.drop()
	if !u.ok {
		return nil
	}
	a := audit.Action{Name: "artifact", User: u.session.key.user, Session: u.session.key.id, Peer: u.peer, Statement: fmt.Sprintf("%s (%d bytes)", u.name.text, u.size)}
	return u.log.Do(a, u.store)
}

// store keeps an artifact that is complete.
func (u *upload) store() error {
	all := &u.session.artifacts
	all.giveBack(u.name.stored(), u.total-u.size) // who announced more sends less
	u.total = u.size
	if u.file == nil {
		if all.keep(u.name.rest, u.data) {
			u.name.text = "" // its room stays taken
		}
		return nil
	}
	path, kept, err := all.put(u.ctx, u.name, u.file, u.size)
	if t, ok := u.session.engine.(FileTaker); ok && err == nil {
		err = t.AddFile(u.name.kind, u.name.text, path)
	}
	if kept {
		u.name.text = "" // its room stays taken
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
