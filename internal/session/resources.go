package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The kinds of what can be added to an application.
const (
	kindFile    = "file"
	kindArchive = "archive"
)

// addGiven adds the files and archives that settings name.
func (a *App) addGiven(ctx context.Context) error {
	for _, given := range []struct {
		key     string
		archive bool
	}{{"spark.files", false}, {"spark.archives", true}} {
		for f := range strings.SplitSeq(a.Conf.String(given.key), ",") {
			if f = strings.TrimSpace(f); f == "" {
				continue
			}
			if err := a.AddFile(ctx, f, given.archive); err != nil {
				return fmt.Errorf("%s: %w", given.key, err)
			}
		}
	}
	return nil
}

// AddFile brings a file to where tasks run: see files.Depot.Add. Tasks of jobs that are started later find it, or the folder that
// an archive is unpacked in, by its name in their working folder (File).
func (a *App) AddFile(ctx context.Context, given string, archive bool) error {
	if err := a.files.Add(ctx, given, archive); err != nil {
		return err
	}
	if a.executors != nil {
		a.executors.SendFiles()
	}
	kind := kindFile
	if archive {
		kind = kindArchive
	}
	a.addResource(kind, given)
	return nil
}

// File is where a file that was added is in this process.
func (a *App) File(name string) string { return a.files.Path(name) }

// Files lists what was added, as it was given; Archives the archives.
func (a *App) Files() []string    { return a.listResources(kindFile) }
func (a *App) Archives() []string { return a.listResources(kindArchive) }

func (a *App) addResource(kind, given string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.resources == nil {
		a.resources = map[string][]string{}
	}
	if !slices.Contains(a.resources[kind], given) {
		a.resources[kind] = append(a.resources[kind], given)
	}
}

func (a *App) listResources(kind string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(slices.Values(a.resources[kind]))
}

// AddResource is ADD FILE, ARCHIVE and JAR. Of jars there is nothing but the list.
func (e *commandEnv) AddResource(ctx context.Context, kind string, paths []string) error {
	for _, p := range paths {
		if kind != kindFile && kind != kindArchive {
			e.q.s.app.addResource(kind, p)
			continue
		}
		if err := e.q.s.app.AddFile(ctx, p, kind == kindArchive); err != nil {
			return err
		}
	}
	return nil
}

// Resources is LIST FILES, ARCHIVES and JARS.
func (e *commandEnv) Resources(kind string) []string { return e.q.s.app.listResources(kind) }
