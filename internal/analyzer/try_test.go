package analyzer

import (
	"bufio"
	"fmt"
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	f, err := os.Open(os.Getenv("TRY"))
	if err != nil {
		t.Skip()
	}
	ctx := testContext(t)
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if s.Text() == "" {
			continue
		}
		p, err := analyze(t, ctx, s.Text())
		fmt.Println(">>", s.Text())
		if err != nil {
			fmt.Println("   !!", err)
			continue
		}
		names := []string{}
		for _, c := range p.Output() {
			names = append(names, c.Name+":"+c.T.String())
		}
		fmt.Printf("   %q\n   %s\n", names, briefly(p))
	}
}
