package sparkerr

import (
	_ "embed"
	"strings"
	"sync"
)

// catalogue is Spark's public list of conditions: "NAME<tab>SQLSTATE<tab>TEXT" a line, sub-conditions after their main
// one with a leading dot. testdata/conditions.py makes it from a distribution's error-conditions.json.
//
//go:embed conditions.txt
var catalogue string

// ours are the conditions that Spark does not have, each with the reason why none of its own fits.
var ours = map[string]Condition{
	// Spark has no quota for what sessions upload.
	"ARTIFACT_QUOTA_EXCEEDED": {"54000", "The artifact <name> does not fit: a session may have <files> files and <bytes> bytes of artifacts."},
	// Spark leaves archives to libraries, whose errors have no condition.
	"INVALID_ARCHIVE.DAMAGED":          {"22023", "The archive <name> cannot be unpacked. It is damaged, or not of the kind that its name says: <reason>"},
	"INVALID_ARCHIVE.ENTRY":            {"22023", "The archive <name> cannot be unpacked. The entry <entry> <reason>."},
	"INVALID_ARCHIVE.TOO_LARGE":        {"54000", "The archive <name> cannot be unpacked. It takes more than <limit> bytes, the most that it may become."},
	"INVALID_ARCHIVE.TOO_MANY_ENTRIES": {"54000", "The archive <name> cannot be unpacked. It has more than <limit> files, folders and links."},
	// Spark's executors throw errors of their libraries when a file of the application does not come.
	"FILE_NOT_DELIVERED": {"58030", "The file <name> of the application did not reach the executor: <reason>."},
	// Spark 4.2 has it, 4.3's table has it no more.
	"_LEGACY_ERROR_TEMP_1066": {"", "<database> is a system preserved database, you cannot create a database with this name."},
	// Spark's driver runs out of memory.
	"TOO_MANY_TASKS": {"54000", "A stage of <tasks> tasks is more than the driver can keep: <limit>, by its memory (spark.driver.memory). Use fewer partitions."},
	// Spark keeps no audit log. What cannot be written down there is not begun.
	"AUDIT_LOG_NOT_WRITABLE": {"58030", "The audit log <path> cannot be written, and what cannot be written there is not done: <reason>"},
}

// table reads the catalogue once, at the first error: programs that meet none do not pay for it.
var table = sync.OnceValue(readTable)

func readTable() map[string]Condition {
	t := make(map[string]Condition, strings.Count(catalogue, "\n")+len(ours))
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`)
	var main string
	for line := range strings.Lines(catalogue) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		state, text, _ := strings.Cut(rest, "\t")
		text = unescape.Replace(text)
		if name[0] != '.' {
			main = name
			t[name] = Condition{state, text}
			continue
		}
		m := t[main]
		if state == "" {
			state = m.SQLState
		}
		t[main+name] = Condition{state, m.Message + " " + text}
	}
	for name, c := range ours {
		t[name] = c
	}
	return t
}

// Conditions calls f for every condition of the catalogue, in no particular order.
func Conditions(f func(name string, c Condition)) {
	for name, c := range table() {
		f(name, c)
	}
}

// Lookup returns the row of a condition ("MAIN" or "MAIN.SUB"); the zero row if there is none.
// The text of a sub-condition follows the text of its main condition.
func Lookup(name string) Condition { return table()[name] }
