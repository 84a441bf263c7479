package memory

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The program runs on after its pages were forgotten, and has fewer of them.
func TestForgetProgram(t *testing.T) {
	resident := func() int {
		b, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(b), "RssFile:")
		if !ok {
			t.Skip("this kernel does not tell mapped files apart")
		}
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := resident()
	forgetProgram()
	if after := resident(); after >= before {
		t.Errorf("%d kB of files before, %d after", before, after)
	}
}
