// Package files brings what an application was given by its name (spark.files, spark.archives, AddFile) to where its tasks run.
//
// # Contract
//
// The driver has a Depot. A file is copied into it when it is added, and known by its size and checksum from then on: what becomes of
// the original changes nothing. Executors are told the list (Depot.All), in order with their tasks, and get from the driver what they
// have not got (Depot.Open) into their working folder (Folder), before their next task begins. A file is there whole and as it was
// added, or the task fails and says which one is not.
//
// A name is that of one entry of the folder; what is in the folder already is never written over. Both sides check that, and neither
// takes more bytes than were announced.
package files

import (
	"fmt"
	"path"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// File is a file of an application, as executors are told of it.
type File struct {
	Number  int    // from 0, in the order in which they were added
	Name    string // in the folder
	Archive string // the name that says how it is packed; "": it stays as it is, else Name is a folder with what is in it
	Size    int64
	Sum     []byte // SHA-256
}

// Block is the name under which the driver serves it.
func (f *File) Block() string { return fmt.Sprintf("%s%d", blockPrefix, f.Number) }

const blockPrefix = "file_"

// Limits of one application.
const (
	mostFiles   = 10_000
	mostEntries = 1_000_000 // of an archive
	mostBytes   = 64 << 30  // of an archive, unpacked
	mostName    = 255
)

// Keys are the settings that name files of an application, separated by commas.
var Keys = []string{"spark.submit.pyFiles", "spark.files", "spark.archives"}

// Rewrite changes the addresses in a list of files, and keeps the names that are given after them. Those of files that are on all
// machines (local:) stay.
func Rewrite(list string, change func(address string) (string, error)) (string, error) {
	var out []string
	for f := range strings.SplitSeq(list, ",") {
		f = strings.TrimSpace(f)
		address, name, named := strings.Cut(f, "#")
		if address == "" {
			continue
		}
		if !strings.HasPrefix(f, "local:") {
			var err error
			if address, err = change(address); err != nil {
				return "", err
			}
		}
		if named {
			address += "#" + name
		}
		out = append(out, address)
	}
	return strings.Join(out, ","), nil
}

// parse reads "address#name". An address that begins with local: is that of a file which is on all machines, where it stays.
func parse(given string) (address, name string, there bool, err error) {
	address, name, _ = strings.Cut(strings.TrimSpace(given), "#")
	if strings.HasPrefix(address, "local:") {
		return address, "", true, nil
	}
	if name == "" {
		from := address
		if strings.HasPrefix(from, "http") {
			from, _, _ = strings.Cut(from, "?")
		}
		name = path.Base(strings.TrimRight(from, "/"))
	}
	return address, name, false, check(name)
}

// check refuses names that are not those of one entry of a folder.
func check(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > mostName || strings.ContainsAny(name, "/\\\x00") {
		return sparkerr.New("INVALID_ARTIFACT_PATH", "name", name)
	}
	return nil
}
