package goshell

import (
	"go/scanner"
	"go/token"
	"strings"
)

// Complete says whether a text that is being typed can be run: no bracket, string or comment is open, and its last line does
// not go on. An empty line ends a text that cannot be right anyway.
func Complete(text string) bool {
	if strings.HasSuffix(text, "\n\n") {
		return true
	}
	var s scanner.Scanner
	open, ended := 0, false
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(text)), []byte(text), func(_ token.Position, msg string) {
		ended = ended || strings.HasPrefix(msg, "raw string literal not") || strings.HasPrefix(msg, "comment not")
	}, scanner.ScanComments)
	last := token.SEMICOLON
	for {
		_, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return !ended && open <= 0 && !continues(last)
		case token.LPAREN, token.LBRACE, token.LBRACK:
			open++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			open--
		}
		if tok != token.COMMENT {
			last = tok
		}
	}
}

// continues says whether something must follow a token. The scanner puts a semicolon after a line that may end.
func continues(t token.Token) bool {
	return t != token.SEMICOLON && t != token.EOF
}
