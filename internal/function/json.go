package function

import (
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/jsonval"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, jsonRows) }

// ParseSchemaText reads a schema or type in SQL's form ("a INT, b STRING", "ARRAY<INT>"); set by the analyzer, which knows the parser.
var ParseSchemaText func(text string) (types.Type, error)

func jsonRows() []*Row {
	names := types.Array(types.String, true)
	return group("json_funcs",
		fn("get_json_object", "1.5.0", "get_json_object(json, path): what the path finds in the JSON text.", sig(to(types.String), tStr, tStr).nullable(), getJSONObject,
			`get_json_object('{"a":"b"}', '$.a')`, "b", `get_json_object('[{"a":"b"},{"a":"c"}]', '$[*].a')`, `["b","c"]`).total(),
		fn("json_array_length", "3.1.0", "json_array_length(json): the number of elements of a JSON array.", sig(to(types.Int), tStr).nullable(), jsonArrayLength,
			"json_array_length('[1,2,3,4]')", "4").total(),
		fn("json_object_keys", "3.1.0", "json_object_keys(json): the names of the fields of a JSON object.", sig(to(names), tStr).nullable(), jsonObjectKeys,
			`json_object_keys('{"a":1,"b":{"c":2}}')`, "[a, b]").total(),
		fn("from_json", "2.2.0", "from_json(json, schema[, options]): the value of the JSON text by a schema.", nil, fromJSON, `from_json('{"a":1, "b":0.8}', 'a INT, b DOUBLE')`, "{1, 0.8}").
			binds(bindFromText("from_json")),
		fn("to_json", "2.2.0", "to_json(expr[, options]): the struct, array or map as JSON.", nil, toJSON, "to_json(named_struct('a', 1, 'b', 2))", `{"a":1,"b":2}`).binds(bindToJSON),
		boundRow("schema_of_json", "2.4.0", "schema_of_json(json[, options]): the schema of a JSON text, in SQL's form.", bindSchemaOfJSON, schemaOfJSON, `schema_of_json('[{"col":0}]')`,
			"ARRAY<STRUCT<col: BIGINT>>"),
	)
}

func getJSONObject(*expr.Call) (kernel.Func, error) {
	var d jsonval.Doc
	var path *jsonval.Path
	last, valid := "", false
	return kernel.Text2(func(_ *kernel.Ctx, dst []byte, s, p string) ([]byte, bool, error) {
		if path == nil && !valid || p != last {
			last = strings.Clone(p)
			path, valid = jsonval.ParsePath(last)
			valid = true
		}
		if path == nil || !d.Parse(s) {
			return dst, false, nil
		}
		at := len(dst)
		dst, ok := path.Append(dst, &d)
		if !ok {
			dst = dst[:at]
		}
		return dst, ok, nil
	}), nil
}

func jsonArrayLength(c *expr.Call) (kernel.Func, error) {
	var d jsonval.Doc
	return kernel.Each1(c.T, func(_ *kernel.Ctx, s string) (int32, bool, error) {
		if !d.Parse(s) || d.Kind(0) != jsonval.Array {
			return 0, false, nil
		}
		n := int32(0)
		for k := d.First(0); k >= 0; k = d.Next(k) {
			n++
		}
		return n, true, nil
	}), nil
}

func jsonObjectKeys(c *expr.Call) (kernel.Func, error) {
	var d jsonval.Doc
	return kernel.EachRow(c.T, func(_ *kernel.Ctx, row []any) (any, error) {
		if !d.Parse(row[0].(string)) || d.Kind(0) != jsonval.Object {
			return nil, nil
		}
		out := []any{}
		for k := d.First(0); k >= 0; k = d.Next(k) {
			out = append(out, strings.Clone(d.Key(k)))
		}
		return out, nil
	}), nil
}

// textOptions are the options of from_json and its kin; names in any case.
type textOptions map[string]string

func (o textOptions) get(name, otherwise string) string {
	if v, ok := o[strings.ToLower(name)]; ok {
		return v
	}
	return otherwise
}
func (o textOptions) is(name string, otherwise bool) bool {
	v, ok := o[strings.ToLower(name)]
	if !ok {
		return otherwise
	}
	return strings.EqualFold(v, "true")
}

// optionsOf reads the options of a bound call: its last argument when that is a map.
func optionsOf(c *expr.Call) textOptions {
	o := textOptions{}
	if len(c.Args) < 2 {
		return o
	}
	l, ok := c.Args[len(c.Args)-1].(*expr.Literal)
	if !ok {
		return o
	}
	m, _ := l.Value.(types.MapValue)
	for i, k := range m.Keys {
		v, _ := m.Values[i].(string)
		o[strings.ToLower(k.(string))] = v
	}
	return o
}

var optionsType = types.Map(types.String, types.String, true)

// foldOptions makes the options argument a constant.
func foldOptions(env *BindEnv, e expr.Expr) (expr.Expr, error) {
	t := e.Type()
	if t.Kind != types.MapKind || t.Key().Kind != types.StringKind && t.Key().Kind != types.NullKind || t.Elem().Kind != types.StringKind && t.Elem().Kind != types.NullKind {
		if t.Kind == types.MapKind {
			return nil, sparkerr.New("INVALID_OPTIONS.NON_STRING_TYPE", "mapType", quoted(t.SQL()))
		}
		return nil, sparkerr.New("INVALID_OPTIONS.NON_MAP_FUNCTION")
	}
	if !Foldable(e) {
		return nil, sparkerr.New("INVALID_OPTIONS.NON_MAP_FUNCTION")
	}
	v, err := env.Fold(e)
	if err != nil {
		return nil, err
	}
	return expr.NewLiteral(v, optionsType), nil
}

// foldSchema reads the schema argument.
func foldSchema(env *BindEnv, e expr.Expr) (types.Type, error) {
	if !Foldable(e) || e.Type().Kind != types.StringKind {
		return types.Null, sparkerr.New("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", quoted(e.SQL()))
	}
	v, err := env.Fold(e)
	if err != nil {
		return types.Null, err
	}
	text, ok := v.(string)
	if !ok {
		return types.Null, sparkerr.New("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", quoted(e.SQL()))
	}
	if s := types.TrimAll(text); strings.HasPrefix(s, "{") || strings.HasPrefix(s, `"`) {
		if t, err := types.ParseJSON(s); err == nil {
			return t, nil
		}
	}
	if ParseSchemaText == nil {
		return types.Null, sparkerr.Unsupported("schemas as text")
	}
	return ParseSchemaText(text)
}

// bindFromText binds from_json and from_csv: the result has the schema's type, all of it nullable.
func bindFromText(name string) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 3); err != nil {
			return nil, err
		}
		r, _ := Lookup(name)
		t, err := foldSchema(env, call.Args[1])
		if err != nil {
			return nil, err
		}
		if name == "from_csv" && t.Kind != types.StructKind {
			return nil, sparkerr.New("INVALID_SCHEMA.NON_STRUCT_TYPE", "inputSchema", quoted(call.Args[1].SQL()), "dataType", quoted(t.SQL()))
		}
		in, ok := tStr.implicit(call.Args[0].Type(), false)
		if !ok || call.Args[0].Type().Kind != types.StringKind && call.Args[0].Type().Kind != types.NullKind {
			return nil, wrongType(call, 0, tStr, call.Args[0])
		}
		args := []expr.Expr{castTo(env, call.Args[0], in)}
		if len(call.Args) == 3 {
			o, err := foldOptions(env, call.Args[2])
			if err != nil {
				return nil, err
			}
			args = append(args, o)
		}
		c := r.call(env, call, asNullable(t), name == "from_json" || args[0].Nullable(), args...)
		switch mode := strings.ToUpper(optionsOf(c).get("mode", "PERMISSIVE")); mode {
		case "PERMISSIVE", "FAILFAST":
		default:
			return nil, sparkerr.New("PARSE_MODE_UNSUPPORTED", "funcName", types.Quote(name), "mode", mode)
		}
		return c, nil
	}
}

// asNullable is t with all parts nullable.
func asNullable(t types.Type) types.Type {
	switch t.Kind {
	case types.ArrayKind:
		return types.Array(asNullable(t.Elem()), true)
	case types.MapKind:
		return types.Map(asNullable(t.Key()), asNullable(t.Elem()), true)
	case types.StructKind:
		fields := append([]types.Field{}, t.Fields()...)
		for i := range fields {
			fields[i].Type, fields[i].Nullable = asNullable(fields[i].Type), true
		}
		return types.Struct(fields...)
	}
	return t
}

func fromJSON(call *expr.Call) (kernel.Func, error) {
	o := optionsOf(call)
	r := &jsonReader{t: call.T, failFast: strings.EqualFold(o.get("mode", ""), "FAILFAST"), corrupt: -1}
	r.scalar.init(o)
	r.doc.Options = jsonval.Options{Unquoted: o.is("allowUnquotedFieldNames", false), LeadingZeros: o.is("allowNumericLeadingZeros", false), NoQuotes: !o.is("allowSingleQuotes", true),
		Comments: o.is("allowComments", false), AnyEscape: o.is("allowBackslashEscapingAnyCharacter", false), Controls: o.is("allowUnquotedControlChars", false),
		NoSpecial: !o.is("allowNonNumericNumbers", true)}
	if call.T.Kind == types.StructKind {
		for i, f := range call.T.Fields() {
			if f.Name == o.get("columnNameOfCorruptRecord", "_corrupt_record") && f.Type.Kind == types.StringKind {
				r.corrupt = i
			}
		}
	}
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
		s, ok := row[0].(string)
		if !ok || types.TrimAll(s) == "" {
			return nil, nil
		}
		return r.read(c, s)
	}), nil
}

func bindToJSON(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup("to_json")
	a := call.Args[0]
	if t := a.Type(); !t.IsNested() && t.Kind != types.VariantKind && t.Kind != types.NullKind {
		return nil, mismatch("INVALID_JSON_ROOT_FIELD", call)
	}
	args := []expr.Expr{a}
	if len(call.Args) == 2 {
		o, err := foldOptions(env, call.Args[1])
		if err != nil {
			return nil, err
		}
		args = append(args, o)
	}
	return r.call(env, call, types.String, a.Nullable(), args...), nil
}

func toJSON(call *expr.Call) (kernel.Func, error) {
	o := optionsOf(call)
	w := &jsonWriter{t: call.Args[0].Type(), options: o}
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		w.c = c
		w.skipNulls = o.is("ignoreNullFields", c.Conf == nil || c.Conf("spark.sql.jsonGenerator.ignoreNullFields") != "false")
		var failed error
		v := kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
			if args[0].Null(i) || failed != nil {
				return dst, false
			}
			dst, err := w.append(dst, w.t, args[0].ValueAt(i))
			failed = err
			return dst, err == nil
		})
		return v, failed
	}, nil
}

func bindSchemaOfJSON(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup(rowName(call))
	a := call.Args[0]
	if !Foldable(a) || a.Type().Kind != types.StringKind {
		return nil, notConstant(call, "json", types.String, a)
	}
	args := []expr.Expr{a}
	if len(call.Args) == 2 {
		o, err := foldOptions(env, call.Args[1])
		if err != nil {
			return nil, err
		}
		args = append(args, o)
	}
	return r.call(env, call, types.String, false, args...), nil
}

func schemaOfJSON(call *expr.Call) (kernel.Func, error) {
	o := optionsOf(call)
	d := jsonval.Doc{Options: jsonval.Options{Unquoted: o.is("allowUnquotedFieldNames", false), LeadingZeros: o.is("allowNumericLeadingZeros", false), NoQuotes: !o.is("allowSingleQuotes", true)}}
	return kernel.EachRow(call.T, func(_ *kernel.Ctx, row []any) (any, error) {
		s, _ := row[0].(string)
		if !d.Parse(s) {
			return nil, sparkerr.New("_LEGACY_ERROR_TEMP_0063", "msg", "malformed JSON: "+s)
		}
		return knownTypes(inferJSON(&d, 0)).SQL(), nil
	}), nil
}

// inferJSON is the type that a JSON value suggests; VOID for null.
func inferJSON(d *jsonval.Doc, v int32) types.Type {
	switch d.Kind(v) {
	case jsonval.True, jsonval.False:
		return types.Boolean
	case jsonval.Integer:
		if _, ok := types.ParseLong(d.Raw(v), -1<<63, 1<<63-1, false); ok {
			return types.Long
		}
		if n := len(strings.TrimPrefix(d.Raw(v), "-")); n <= types.MaxPrecision {
			return types.Decimal(n, 0)
		}
		return types.Double
	case jsonval.Real:
		return types.Double
	case jsonval.Text:
		return types.String
	case jsonval.Array:
		elem := types.Null
		for k := d.First(v); k >= 0; k = d.Next(k) {
			elem = mergeJSON(elem, inferJSON(d, k))
		}
		return types.Array(elem, true)
	case jsonval.Object:
		var fields []types.Field
		for k := d.First(v); k >= 0; k = d.Next(k) {
			fields = append(fields, types.Field{Name: strings.Clone(d.Key(k)), Type: inferJSON(d, k), Nullable: true})
		}
		sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
		return types.Struct(fields...)
	}
	return types.Null
}

// mergeJSON is the type of values of both types.
func mergeJSON(a, b types.Type) types.Type {
	switch {
	case a.Kind == types.NullKind:
		return b
	case b.Kind == types.NullKind, a.Equal(b):
		return a
	case a.Kind == types.ArrayKind && b.Kind == types.ArrayKind:
		return types.Array(mergeJSON(a.Elem(), b.Elem()), true)
	case a.Kind == types.StructKind && b.Kind == types.StructKind:
		fields := append([]types.Field{}, a.Fields()...)
	next:
		for _, f := range b.Fields() {
			for i := range fields {
				if fields[i].Name == f.Name {
					fields[i].Type = mergeJSON(fields[i].Type, f.Type)
					continue next
				}
			}
			fields = append(fields, f)
		}
		sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
		return types.Struct(fields...)
	case a.IsNumeric() && b.IsNumeric():
		if t, ok := types.Wider(a, b); ok {
			return t
		}
		return types.Double
	}
	return types.String
}

// knownTypes puts text in the place of parts whose type is unknown.
func knownTypes(t types.Type) types.Type {
	switch t.Kind {
	case types.NullKind:
		return types.String
	case types.ArrayKind:
		return types.Array(knownTypes(t.Elem()), true)
	case types.StructKind:
		fields := append([]types.Field{}, t.Fields()...)
		for i := range fields {
			fields[i].Type = knownTypes(fields[i].Type)
		}
		return types.Struct(fields...)
	}
	return t
}
