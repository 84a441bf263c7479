package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func entries(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	out, in := map[string][]byte{}, tar.NewReader(r)
	for {
		h, err := in.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeSymlink {
			data = []byte("-> " + h.Linkname)
		}
		out[h.Name] = data
	}
}

func write(t *testing.T, i *Image) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := i.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) (all map[string][]byte, cfg config, layers []map[string][]byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all = entries(t, bytes.NewReader(data))
	var docker []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(all["manifest.json"], &docker); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[docker[0].Config], &cfg); err != nil {
		t.Fatal(err)
	}
	for n, l := range docker[0].Layers {
		var r io.Reader = bytes.NewReader(all[l])
		if z, err := gzip.NewReader(bytes.NewReader(all[l])); err == nil {
			r = z
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(plain); cfg.RootFS.DiffIDs[n] != "sha256:"+hex.EncodeToString(sum[:]) {
			t.Errorf("layer %d has another id", n)
		}
		layers = append(layers, entries(t, bytes.NewReader(plain)))
	}
	return all, cfg, layers
}

func sample(t *testing.T) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(f, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFiresteel(t *testing.T) {
	p := sample(t)
	all, cfg, layers := read(t, write(t, Firesteel("r.example/fs:1", "amd64", p, p, "", []string{"spark-submit", "start-connect-server.sh"}, nil)))
	l := layers[0]
	if string(l["opt/firesteel/bin/firesteel"]) != "program" || string(l["opt/spark/bin/spark-submit"]) != "-> "+binary ||
		string(l["opt/spark/sbin/start-connect-server.sh"]) != "-> "+binary || !strings.Contains(string(l["etc/passwd"]), "spark:x:185") || l["tmp/"] == nil {
		t.Errorf("layer %q", l)
	}
	if cfg.Config.User != "185:185" || !slices.Equal(cfg.Config.Entrypoint, []string{binary}) || cfg.Architecture != "amd64" {
		t.Errorf("configuration %+v", cfg)
	}
	for name, data := range all {
		if digest, ok := strings.CutPrefix(name, "blobs/sha256/"); ok {
			if sum := sha256.Sum256(data); digest != hex.EncodeToString(sum[:]) {
				t.Errorf("%s holds something else", name)
			}
		}
	}
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(all["index.json"], &index); err != nil || index.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "1" ||
		all["blobs/sha256/"+strings.TrimPrefix(index.Manifests[0].Digest, "sha256:")] == nil {
		t.Errorf("index %s: %v", all["index.json"], err)
	}
}

func TestTheSameInputGivesTheSameImage(t *testing.T) {
	p := sample(t)
	var images [2][]byte
	for n := range images {
		var err error
		if images[n], err = os.ReadFile(write(t, Firesteel("fs:1", "amd64", p, p, "", []string{"a", "b"}, nil))); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("two images of the same input differ")
	}
}

func TestBase(t *testing.T) {
	p := sample(t)
	base := write(t, &Image{Tag: "base:1", Architecture: "amd64", Config: Config{Env: []string{"PATH=/usr/bin", "LANG=C"}, Cmd: []string{"python3"}, User: "root"},
		Layers: [][]File{{{Path: "/usr/bin/python3", Data: []byte("python"), Mode: 0o755}}}})
	_, cfg, layers := read(t, write(t, Firesteel("fs:1", "amd64", p, p, base, nil, []File{{Path: "/extra", Data: []byte("x"), Mode: 0o644}})))
	if len(layers) != 3 || string(layers[0]["usr/bin/python3"]) != "python" || string(layers[1]["extra"]) != "x" || layers[2]["etc/passwd"] != nil {
		t.Errorf("layers %q", layers)
	}
	if !slices.Contains(cfg.Config.Env, "LANG=C") || slices.Contains(cfg.Config.Env, "PATH=/usr/bin") || cfg.Config.Cmd != nil || cfg.Config.User != "185:185" {
		t.Errorf("configuration %+v", cfg.Config)
	}
	if err := Firesteel("fs:1", "arm64", p, p, base, nil, nil).Write(filepath.Join(t.TempDir(), "i.tar")); err == nil {
		t.Error("a base for another architecture was taken")
	}
	if err := Firesteel("fs:1", "arm64", p, p, p, nil, nil).Write(filepath.Join(t.TempDir(), "i.tar")); err == nil {
		t.Error("a base that is no image was taken")
	}
}

// TestRootBase: a root file system as debootstrap and mmdebstrap write it is a base, too.
func TestRootBase(t *testing.T) {
	p := sample(t)
	root := filepath.Join(t.TempDir(), "root.tar")
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range map[string]string{"./etc/passwd": "root:x:0:0", "./usr/bin/python3": "python"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), os.WriteFile(root, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, cfg, layers := read(t, write(t, Firesteel("fs:1", "amd64", p, p, root, nil, nil)))
	if len(layers) != 2 || string(layers[0]["./usr/bin/python3"]) != "python" || layers[1]["etc/passwd"] != nil || cfg.Architecture != "amd64" {
		t.Errorf("layers %q, configuration %+v", layers, cfg)
	}
}

func TestTree(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{os.Mkdir(filepath.Join(dir, "lib"), 0o755), os.WriteFile(filepath.Join(dir, "lib", "a.py"), []byte("a"), 0o600),
		os.Symlink("a.py", filepath.Join(dir, "lib", "b.py"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := Tree(dir, "/opt/x")
	if err != nil {
		t.Fatal(err)
	}
	_, _, layers := read(t, write(t, &Image{Tag: "x:1", Architecture: "amd64", Layers: [][]File{files}}))
	if string(layers[0]["opt/x/lib/a.py"]) != "a" || string(layers[0]["opt/x/lib/b.py"]) != "-> a.py" || layers[0]["opt/"] == nil {
		t.Errorf("layer %q", layers[0])
	}
	for _, bad := range []string{"relative", "/a/../b", "/a/"} {
		if err := (&Image{Tag: "x:1", Layers: [][]File{{{Path: bad}}}}).Write(filepath.Join(t.TempDir(), "i.tar")); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
