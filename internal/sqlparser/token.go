package sqlparser

// kind tells tokens apart. Keywords follow firstKeyword.
type kind uint16

const (
	tEOF         kind = iota
	tUnknown          // a character that begins no token
	tIdent            // plain word
	tQuoted           // `word`
	tString           // '…', r'…', r"…"
	tDouble           // "…": a string, or an identifier if the session says so
	tInteger          // 12
	tBigint           // 12L
	tSmallint         // 12S
	tTinyint          // 12Y
	tExponent         // 1e3, 1.5e3
	tDecimal          // 1.5
	tFloat            // 1F
	tDoubleValue      // 1D
	tBigDecimal       // 1BD
	tDollar           // $$…$$
	tSemicolon
	tLeftParen
	tRightParen
	tComma
	tDot
	tLeftBracket
	tRightBracket
	tBang
	tEq
	tNullSafeEq // <=>
	tNotEq      // <>
	tBangEq     // !=
	tLess
	tLessEq
	tGreater
	tGreaterEq
	tShiftLeft
	tShiftRight
	tShiftRightUnsigned
	tPlus
	tMinus
	tStar
	tSlash
	tPercent
	tTilde
	tAmpersand
	tPipe
	tConcat
	tPipeArrow // |>
	tHat
	tColon
	tDoubleColon
	tArrow    // ->
	tFatArrow // =>
	tHintStart
	tHintEnd
	tQuestion

	firstKeyword
)

// token is a piece of the text. Offsets are in bytes; rune, line and pos are where it starts for error messages:
// rune offset, 1-based line, 0-based position in the line in runes.
type token struct {
	kind       kind
	start, end int32
	rune       int32
	line, pos  int32
	match      int32 // of "(": index of the token that closes it, or -1
}

// punctuation spells the tokens that have one spelling; used in the hints of syntax errors.
var punctuation = [firstKeyword]string{
	tSemicolon: "';'", tLeftParen: "'('", tRightParen: "')'", tComma: "','", tDot: "'.'", tLeftBracket: "'['", tRightBracket: "']'",
	tEq: "EQ", tColon: "':'", tArrow: "'->'", tFatArrow: "'=>'", tStar: "'*'", tLess: "'<'", tGreater: "'>'", tHintEnd: "'*/'",
	tInteger: "INTEGER_VALUE", tString: "STRING_LITERAL", tIdent: "IDENTIFIER",
}

// display names a kind as hints do.
func (k kind) display() string {
	if k >= firstKeyword {
		return "'" + keywords[k-firstKeyword].name + "'"
	}
	return punctuation[k]
}

// isIdentifier says whether a token of this kind may stand as a name: any word outside of the ANSI mode.
func (k kind) isIdentifier(o *Options) bool {
	switch {
	case k == tIdent || k == tQuoted:
		return true
	case k == tDouble:
		return o.DoubleQuotedIdentifiers
	case k < firstKeyword:
		return false
	}
	return !o.EnforceReservedKeywords || keywords[k-firstKeyword].class&ansiFree != 0
}

// isStrictIdentifier is isIdentifier without the words of joins and set operations, which cannot be table aliases.
func (k kind) isStrictIdentifier(o *Options) bool {
	if !k.isIdentifier(o) {
		return false
	}
	return k < firstKeyword || o.EnforceReservedKeywords || keywords[k-firstKeyword].class&joinWord == 0
}
