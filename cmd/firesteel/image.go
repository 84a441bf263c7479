package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/firesteel/firesteel/internal/image"
	"github.com/firesteel/firesteel/internal/session"
)

// runImage writes a container image of a static binary, without a daemon.
func runImage(_ context.Context, args []string) error {
	f := newFlags("image", "--output FILE [flags]")
	output := f.StringP("output", "o", "", "the tar file to write: for docker load, podman load, ctr images import, skopeo, crane push")
	tag := f.String("tag", "firesteel:"+session.Version, "name and tag of the image")
	binary := f.String("binary", "", "the static binary (default this one); a Go application's own binary is one, too")
	arch := f.String("arch", runtime.GOARCH, "architecture of the binary")
	certificates := f.String("certificates", "", "file with the certificates of authorities (default this machine's)")
	base := f.String("base", "", "image to build on, a file of docker save or skopeo copy … docker-archive:FILE (default an empty one)")
	add := f.StringArray("add", nil, "more content, PATH-IN-IMAGE=FILE-OR-FOLDER; may be given many times")
	if err := f.parse(args); err != nil {
		return err
	}
	if *output == "" || f.NArg() > 0 {
		return usageError{errors.New("image takes --output and flags only")}
	}
	var err error
	if *binary == "" {
		if *binary, err = os.Executable(); err != nil {
			return err
		}
	}
	if *certificates == "" && *base == "" {
		if *certificates, err = image.Certificates(); err != nil {
			return fmt.Errorf("%w (--certificates)", err)
		}
	}
	var more []image.File
	for _, a := range *add {
		at, source, ok := strings.Cut(a, "=")
		if !ok || !strings.HasPrefix(at, "/") {
			return usageError{fmt.Errorf("--add takes /PATH-IN-IMAGE=FILE-OR-FOLDER, not %q", a)}
		}
		files, err := image.Tree(source, at)
		if err != nil {
			return err
		}
		more = append(more, files...)
	}
	var links []string
	for _, c := range commands() {
		links = append(links, c.links...)
	}
	for _, c := range scripts() {
		links = append(links, c.link)
	}
	return image.Firesteel(*tag, *arch, *binary, *certificates, *base, links, more).Write(*output)
}
