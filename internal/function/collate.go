package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, pathRows) }

func pathRows() []*Row {
	collation := fn("collation", "4.0.0", "collation(str): the full name of the text's collation.", sig(to(types.String), tStr).never(), func(call *expr.Call) (kernel.Func, error) {
		name := call.Args[0].Type().Collation
		if name == "" {
			name = "UTF8_BINARY"
		}
		return constantText("SYSTEM.BUILTIN." + strings.ToUpper(name)), nil
	}, "collation('a')", "SYSTEM.BUILTIN.UTF8_BINARY").seesNulls().total()
	return append(group("string_funcs", collation), group("misc_funcs",
		fixedText("current_path", "4.2.0", "current_path(): where names of functions are looked up.", func(c *kernel.Ctx) string {
			return "system.builtin,system.session," + c.Catalog + "." + c.Database
		}).examples([]string{"current_path()", "system.builtin,system.session,spark_catalog.default"}))...)
}
