package sparkerr

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNamedConditionsExist wants that every condition that code names as a whole is in the table: others have no text.
func TestNamedConditionsExist(t *testing.T) {
	named := 0
	visit := func(files *token.FileSet, path string) error {
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := conditionOf(call)
			if !ok || strings.HasSuffix(name, ".") { // the other half is computed
				return true
			}
			named++
			if c := Lookup(name); c.Message == "" && c.SQLState == "" {
				t.Errorf("%s: there is no condition %s", files.Position(call.Pos()), name)
			}
			return true
		})
		return nil
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		return visit(token.NewFileSet(), path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 500 {
		t.Errorf("only %d were found", named)
	}
}

// conditionOf is the condition that a call of sparkerr.New or analyzer's fail names.
func conditionOf(call *ast.CallExpr) (string, bool) {
	at := -1
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "sparkerr" && f.Sel.Name == "New" {
			at = 0
		}
	case *ast.Ident:
		if f.Name == "fail" {
			at = 1
		}
	}
	if at < 0 || at >= len(call.Args) {
		return "", false
	}
	l, ok := call.Args[at].(*ast.BasicLit)
	if b, sum := call.Args[at].(*ast.BinaryExpr); sum {
		l, ok = b.X.(*ast.BasicLit)
	}
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	name, err := strconv.Unquote(l.Value)
	return name, err == nil
}
