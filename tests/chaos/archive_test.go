package chaos

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// uploadChunks sends an artifact in pieces.
func (c *client) uploadChunks(ctx context.Context, name string, data []byte) error {
	const piece = 1 << 20
	st, err := c.rpc.AddArtifacts(ctx)
	if err != nil {
		return err
	}
	n := (len(data) + piece - 1) / piece
	for i := range n {
		b := data[i*piece : min((i+1)*piece, len(data))]
		chunk := &connectpb.AddArtifactsRequest_ArtifactChunk{Data: b, Crc: int64(crc32.ChecksumIEEE(b))}
		r := &connectpb.AddArtifactsRequest{SessionId: c.id, UserContext: c.context()}
		if r.Payload = (&connectpb.AddArtifactsRequest_Chunk{Chunk: chunk}); i == 0 {
			r.Payload = &connectpb.AddArtifactsRequest_BeginChunk{BeginChunk: &connectpb.AddArtifactsRequest_BeginChunkedArtifact{Name: name,
				TotalBytes: int64(len(data)), NumChunks: int64(n), InitialChunk: chunk}}
		}
		if err := st.Send(r); err != nil {
			break // the answer says why
		}
	}
	_, err = st.CloseAndRecv()
	return err
}

// TestArchives is C09 for a server: archives are unpacked in the session's folder, and nothing that one says makes the server write
// elsewhere, or more than it may.
func TestArchives(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}})
	s.alive(t)
	c := s.connect(t)
	ctx := timeout(t, time.Minute)
	zipped := func(name string, mode fs.FileMode, write func(io.Writer)) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if write(f); z.Close() != nil {
			t.Fatal("a zip file cannot be made")
		}
		return b.Bytes()
	}
	text := func(s string) func(io.Writer) { return func(w io.Writer) { _, _ = io.WriteString(w, s) } } // into memory
	tarred := func(h *tar.Header) []byte {
		var b bytes.Buffer
		g := gzip.NewWriter(&b)
		w := tar.NewWriter(g)
		if w.WriteHeader(h) != nil || w.Close() != nil || g.Close() != nil {
			t.Fatal("a tar file cannot be made")
		}
		return b.Bytes()
	}
	bomb := zipped("zeros", 0o600, func(w io.Writer) {
		for range 512 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	for _, a := range []struct {
		name, condition string
		data            []byte
	}{
		{"archives/good.zip#env", "", zipped("lib/x.py", 0o600, text("x = 1"))},
		{"archives/absolute.zip", "", zipped("/absolute", 0o600, text("x"))},
		{"archives/dots.zip", "INVALID_ARCHIVE.ENTRY", zipped("../../../../../../../../../../../../tmp/firesteel-escaped", 0o600, text("x"))},
		{"archives/link.zip", "INVALID_ARCHIVE.ENTRY", zipped("l", fs.ModeSymlink|0o777, text("/etc"))},
		{"archives/link.tgz", "INVALID_ARCHIVE.ENTRY", tarred(&tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../.."})},
		{"archives/hard.tar.gz", "INVALID_ARCHIVE.ENTRY", tarred(&tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"})},
		{"archives/device.tgz", "INVALID_ARCHIVE.ENTRY", tarred(&tar.Header{Name: "zero", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5})},
		{"archives/bomb.zip", "INVALID_ARCHIVE.TOO_LARGE", bomb},
		{"archives/alias.zip#../../../escaped", "INVALID_ARTIFACT_PATH", zipped("x", 0o600, text("x"))},
	} {
		if err := c.uploadChunks(ctx, a.name, a.data); a.condition == "" && err != nil || a.condition != "" && condition(err) != a.condition {
			t.Errorf("%s: %v", a.name, err)
		}
	}
	var files []string
	for _, dir := range []string{s.local, s.dir} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if _, rel, ok := strings.Cut(path, "/files/"); ok {
					path = rel
				}
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		return strings.Contains(f, "/uploads/archives/") || strings.Contains(f, "/_firesteel_catalog/")
	})
	if got := strings.Join(files, " "); got != "absolute.zip/absolute env/lib/x.py" {
		t.Errorf("the server's folders have %s", got)
	}
	if _, err := os.Stat("/tmp/firesteel-escaped"); err == nil {
		t.Error("an archive has written outside")
	}
	if _, peak := s.memory(); peak > 256<<20 {
		t.Errorf("%d MB resident", peak>>20)
	} else {
		t.Logf("a bomb of %d bytes, %d MB resident at most", len(bomb), peak>>20)
	}
	if err := c.release(ctx); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.local, "*", "*", "firesteel-artifacts-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	s.alive(t)
}
