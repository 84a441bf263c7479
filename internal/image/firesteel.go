package image

import (
	"fmt"
	"io/fs"
	"os"
	"path"
)

// The places in Firesteel's image. Programs made for Spark's image find what they look for under SPARK_HOME.
const (
	binary    = "/opt/firesteel/bin/firesteel"
	sparkHome = "/opt/spark"
	workDir   = "/opt/spark/work-dir"
)

// sparkUser is the user of Spark's image, so that volumes and policies made for it fit.
const sparkUser = 185

const passwd = "root:x:0:0:root:/root:/sbin/nologin\nspark:x:185:185:spark:/opt/spark/work-dir:/sbin/nologin\n" +
	"nobody:x:65534:65534:nobody:/:/sbin/nologin\n"

const group = "root:x:0:\nspark:x:185:\nnobody:x:65534:\n"

// certificateFiles are where systems keep the certificates of the authorities.
var certificateFiles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem"}

// Certificates finds this machine's.
func Certificates() (string, error) {
	for _, f := range certificateFiles {
		if _, err := os.Stat(f); err == nil {
			return f, nil
		}
	}
	return "", fmt.Errorf("no certificates of authorities were found (%q): name a file", certificateFiles)
}

// Firesteel is the image of a static binary; links are the names under which the binary is also there.
func Firesteel(tag, arch, program, certificates, base string, links []string, more []File) *Image {
	dir := func(p string, mode fs.FileMode, owner int) File {
		return File{Path: p, Dir: true, Mode: mode, Owner: owner}
	}
	files := []File{
		{Path: binary, Source: program, Mode: 0o755},
		dir("/tmp", 0o777|fs.ModeSticky, 0), dir("/var/data", 0o777|fs.ModeSticky, 0), dir(workDir, 0o775, sparkUser), dir(sparkHome+"/conf", 0o755, 0),
	}
	for _, l := range links {
		folder := "bin"
		if path.Ext(l) == ".sh" {
			folder = "sbin"
		}
		files = append(files, File{Path: path.Join(sparkHome, folder, l), Link: binary})
	}
	if base == "" {
		files = append(files, File{Path: "/etc/passwd", Data: []byte(passwd), Mode: 0o644}, File{Path: "/etc/group", Data: []byte(group), Mode: 0o644},
			File{Path: "/etc/nsswitch.conf", Data: []byte("hosts: files dns\n"), Mode: 0o644})
		if certificates != "" {
			files = append(files, File{Path: certificateFiles[0], Source: certificates, Mode: 0o644})
		}
	}
	i := &Image{Tag: tag, Architecture: arch, Base: base, Layers: [][]File{files}, Config: Config{
		User: fmt.Sprintf("%d:%d", sparkUser, sparkUser), Entrypoint: []string{binary}, WorkingDir: workDir,
		Env: []string{"PATH=/opt/firesteel/bin:/opt/spark/bin:/opt/spark/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"SPARK_HOME=" + sparkHome, "HOME=" + workDir},
		ExposedPorts: map[string]struct{}{"4040/tcp": {}, "7078/tcp": {}, "7079/tcp": {}, "15002/tcp": {}},
		Labels:       map[string]string{"org.opencontainers.image.title": "firesteel", "org.opencontainers.image.licenses": "Apache-2.0"},
	}}
	if len(more) > 0 { // below the binary: it changes less often
		i.Layers = [][]File{more, files}
	}
	return i
}
