// Package image makes container images without a daemon: files in, one tar file out that is an OCI layout and a Docker
// archive at the same time (docker load, podman load, ctr images import, skopeo, crane push take it).
//
// The same input gives the same bytes: entries are sorted and have the time of the epoch.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"compress/gzip"
)

// Image is what an image should be.
type Image struct {
	Tag          string // name:tag
	Architecture string // of GOARCH
	Config       Config
	Layers       [][]File // ours, above those of the base
	// Base is a Docker archive (docker save) or the tar file of a root file system (debootstrap, mmdebstrap) to build on; "" for
	// an empty image.
	Base string
}

// Config is what a container of the image starts as. What it leaves empty comes from the base.
type Config struct {
	User         string              `json:"User,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	WorkingDir   string              `json:"WorkingDir,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Labels       map[string]string   `json:"Labels,omitempty"`
	StopSignal   string              `json:"StopSignal,omitempty"`
}

// blob is a piece of the image: in memory, or a file with so many bytes of it from an offset.
type blob struct {
	digest string // hex of SHA-256
	diff   string // for layers: of the content before compression
	size   int64
	data   []byte
	file   string
	kind   string
}

// The media types.
const (
	layerGzip  = "application/vnd.oci.image.layer.v1.tar+gzip"
	layerPlain = "application/vnd.oci.image.layer.v1.tar"
	configType = "application/vnd.oci.image.config.v1+json"
	manifest   = "application/vnd.oci.image.manifest.v1+json"
	indexType  = "application/vnd.oci.image.index.v1+json"
)

type config struct {
	Created      string  `json:"created,omitempty"`
	Architecture string  `json:"architecture"`
	OS           string  `json:"os"`
	Config       Config  `json:"config"`
	RootFS       rootFS  `json:"rootfs"`
	History      []entry `json:"history,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type entry struct {
	Created    string `json:"created,omitempty"`
	CreatedBy  string `json:"created_by,omitempty"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Write writes the image to a file. Scratch space is taken beside it.
func (i *Image) Write(path string) (err error) {
	scratch, err := os.MkdirTemp(dirOf(path), ".image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) // what cannot be removed is scratch
	cfg := &config{Architecture: i.Architecture, OS: "linux", RootFS: rootFS{Type: "layers"}}
	var layers []blob
	if i.Base != "" {
		if layers, err = readBase(i.Base, scratch, cfg); err != nil {
			return fmt.Errorf("the base image %s: %w", i.Base, err)
		}
	}
	for n, files := range i.Layers {
		b, err := writeLayer(fmt.Sprintf("%s/layer-%d", scratch, n), files)
		if err != nil {
			return err
		}
		layers = append(layers, b)
		cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, "sha256:"+b.diff)
		cfg.History = append(cfg.History, entry{Created: epoch, CreatedBy: "firesteel image"})
	}
	cfg.Config.over(i.Config)
	return i.pack(path, cfg, layers)
}

const epoch = "1970-01-01T00:00:00Z"

func dirOf(path string) string {
	if at := strings.LastIndexByte(path, '/'); at >= 0 {
		return path[:at+1]
	}
	return "."
}

// over puts what is set in c over the base's.
func (b *Config) over(c Config) {
	if c.User != "" {
		b.User = c.User
	}
	for _, kv := range c.Env {
		name, _, _ := strings.Cut(kv, "=")
		b.Env = slices.DeleteFunc(b.Env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		b.Env = append(b.Env, kv)
	}
	if c.Entrypoint != nil {
		b.Entrypoint, b.Cmd = c.Entrypoint, c.Cmd
	}
	if c.WorkingDir != "" {
		b.WorkingDir = c.WorkingDir
	}
	if c.ExposedPorts != nil {
		b.ExposedPorts = c.ExposedPorts
	}
	if c.StopSignal != "" {
		b.StopSignal = c.StopSignal
	}
	for k, v := range c.Labels {
		if b.Labels == nil {
			b.Labels = map[string]string{}
		}
		b.Labels[k] = v
	}
}

// pack writes the tar file: the blobs, and the two tables of contents.
func (i *Image) pack(path string, cfg *config, layers []blob) (err error) {
	c := inMemory(configType, cfg)
	type ociManifest struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        *descriptor  `json:"config,omitempty"`
		Layers        []descriptor `json:"layers,omitempty"`
		Manifests     []descriptor `json:"manifests,omitempty"`
	}
	m := ociManifest{SchemaVersion: 2, MediaType: manifest, Config: c.descriptor()}
	docker := struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{c.path(), []string{i.Tag}, nil}
	for _, l := range layers {
		m.Layers = append(m.Layers, *l.descriptor())
		docker.Layers = append(docker.Layers, l.path())
	}
	mb := inMemory(manifest, m)
	d := mb.descriptor()
	_, tag, _ := strings.Cut(i.Tag[strings.LastIndexByte(i.Tag, '/')+1:], ":")
	d.Annotations = map[string]string{"io.containerd.image.name": i.Tag, "org.opencontainers.image.ref.name": tag}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	t := tar.NewWriter(out)
	w := &packer{t: t, seen: map[string]bool{}}
	w.raw("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	w.raw("index.json", marshal(ociManifest{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{*d}}))
	w.raw("manifest.json", marshal([]any{docker}))
	for _, b := range append([]blob{c, mb}, layers...) {
		w.blob(b)
	}
	if w.err == nil {
		w.err = t.Close()
	}
	if err := out.Close(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		_ = os.Remove(path) // it is no image
	}
	return w.err
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	return data
}

func inMemory(kind string, v any) blob {
	data := marshal(v)
	sum := sha256.Sum256(data)
	return blob{digest: hex.EncodeToString(sum[:]), size: int64(len(data)), data: data, kind: kind}
}

func (b *blob) path() string { return "blobs/sha256/" + b.digest }

func (b *blob) descriptor() *descriptor {
	return &descriptor{MediaType: b.kind, Digest: "sha256:" + b.digest, Size: b.size}
}

// packer writes a tar file and keeps the first error.
type packer struct {
	t    *tar.Writer
	seen map[string]bool
	err  error
}

func (p *packer) header(name string, size int64) {
	if p.err == nil {
		p.err = p.t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg})
	}
}

func (p *packer) raw(name string, data []byte) {
	p.header(name, int64(len(data)))
	if p.err == nil {
		_, p.err = p.t.Write(data)
	}
}

func (p *packer) blob(b blob) {
	if p.err != nil || p.seen[b.digest] {
		return
	}
	p.seen[b.digest] = true
	if b.file == "" {
		p.raw(b.path(), b.data)
		return
	}
	p.header(b.path(), b.size)
	if p.err == nil {
		p.err = copyFile(p.t, b.file)
	}
}

func copyFile(to io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

// writeLayer writes the files as a compressed layer.
func writeLayer(path string, files []File) (b blob, err error) {
	out, err := os.Create(path)
	if err != nil {
		return b, err
	}
	defer out.Close()
	digest, diff, size := sha256.New(), sha256.New(), &counter{}
	z, err := gzip.NewWriterLevel(io.MultiWriter(out, digest, size), gzip.BestSpeed)
	if err != nil {
		return b, err
	}
	t := tar.NewWriter(io.MultiWriter(z, diff))
	if err := addFiles(t, files); err != nil {
		return b, err
	}
	if err := t.Close(); err != nil {
		return b, err
	}
	if err := z.Close(); err != nil {
		return b, err
	}
	return blob{digest: sum(digest), diff: sum(diff), size: size.n, file: path, kind: layerGzip}, out.Close()
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// readBase unpacks a Docker archive's configuration into cfg and its layers into scratch.
func readBase(path, scratch string, cfg *config) ([]blob, error) {
	var contents []struct {
		Config string
		Layers []string
	}
	small, err := pick(path, func(name string) bool { return name == "manifest.json" }, "")
	if err != nil {
		return nil, err
	}
	if _, ok := small["manifest.json"]; !ok {
		return readRoot(path, scratch, cfg)
	}
	if err := json.Unmarshal(small["manifest.json"].data, &contents); err != nil || len(contents) != 1 {
		return nil, fmt.Errorf("it is not a Docker archive of one image (make one with docker save or skopeo copy … docker-archive:FILE)")
	}
	m := contents[0]
	small, err = pick(path, func(name string) bool { return name == m.Config }, "")
	if err != nil {
		return nil, err
	}
	arch := cfg.Architecture
	if err := json.Unmarshal(small[m.Config].data, cfg); err != nil {
		return nil, err
	}
	if cfg.Architecture != arch {
		return nil, fmt.Errorf("it is for %s, not %s", cfg.Architecture, arch)
	}
	found, err := pick(path, func(name string) bool { return slices.Contains(m.Layers, name) }, scratch)
	if err != nil {
		return nil, err
	}
	var out []blob
	for _, name := range m.Layers {
		b, ok := found[name]
		if !ok {
			return nil, fmt.Errorf("the layer %s is missing", name)
		}
		out = append(out, b)
	}
	return out, nil
}

// readRoot takes the tar file of a root file system as the only layer.
func readRoot(path, scratch string, cfg *config) ([]blob, error) {
	found, err := pick(path, func(name string) bool { return name == "etc/passwd" }, "")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it is neither a Docker archive nor the tar file of a root file system: there is no manifest.json and no etc/passwd in it")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := keepLayer(f, scratch+"/base")
	if err != nil {
		return nil, err
	}
	cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, "sha256:"+b.digest)
	return []blob{b}, nil
}

// pick reads entries of a tar file: into memory, or if a folder is given into files of it.
func pick(path string, want func(name string) bool, folder string) (map[string]blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, t := map[string]blob{}, tar.NewReader(f)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag != tar.TypeReg || !want(name) {
			continue
		}
		b := blob{}
		if folder == "" {
			b.data, err = io.ReadAll(io.LimitReader(t, 64<<20))
		} else {
			b, err = keepLayer(t, fmt.Sprintf("%s/base-%d", folder, len(out)))
		}
		if err != nil {
			return nil, err
		}
		out[name] = b
	}
}

func keepLayer(from io.Reader, path string) (blob, error) {
	f, err := os.Create(path)
	if err != nil {
		return blob{}, err
	}
	defer f.Close()
	digest, size, first := sha256.New(), &counter{}, make([]byte, 2)
	n, err := io.ReadFull(from, first)
	if err != nil && err != io.ErrUnexpectedEOF {
		return blob{}, err
	}
	all := io.MultiReader(bytes.NewReader(first[:n]), from)
	if _, err := io.Copy(io.MultiWriter(f, digest, size), all); err != nil {
		return blob{}, err
	}
	b := blob{digest: sum(digest), size: size.n, file: path, kind: layerPlain}
	if bytes.Equal(first, []byte{0x1f, 0x8b}) {
		b.kind = layerGzip
	}
	return b, f.Close()
}
