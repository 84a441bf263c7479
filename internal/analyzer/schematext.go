package analyzer

import (
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Functions that take a schema as text read it with the SQL parser: a type, or a list of columns.
func init() {
	function.ParseSchemaText = func(text string) (types.Type, error) {
		if t, err := sqlparser.ParseType(text); err == nil {
			return t, nil
		}
		s, err := sqlparser.ParseSchema(text)
		if err != nil {
			return types.Null, err
		}
		return s.Type(), nil
	}
}
