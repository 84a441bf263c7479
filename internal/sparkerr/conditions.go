package sparkerr

// conditions is the catalogue: main conditions by name, sub-conditions by "MAIN.SUB" with the whole text.
var conditions = map[string]Condition{
	"INTERNAL_ERROR":                      {"XX000", "<message>"},
	"UNSUPPORTED_CALL.WITHOUT_SUGGESTION": {"0A000", "Cannot call the method \"<methodName>\" of the class \"<className>\"."},
}
