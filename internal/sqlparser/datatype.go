package sqlparser

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// dataType takes a type.
func (p *parser) dataType() types.Type {
	p.enter()
	defer p.leave()
	start := p.i
	switch p.kind() {
	case kwArray:
		p.i++
		if p.kind() != tLess {
			p.failAt(start, "INCOMPLETE_TYPE_DEFINITION.ARRAY", "elementType", "<INT>")
		}
		p.i++
		t := types.Array(p.dataType(), true)
		p.closeAngle()
		return t
	case kwMap:
		p.i++
		if p.kind() != tLess {
			p.failAt(start, "INCOMPLETE_TYPE_DEFINITION.MAP")
		}
		p.i++
		k := p.dataType()
		p.expect(tComma)
		t := types.Map(k, p.dataType(), true)
		p.closeAngle()
		return t
	case kwStruct:
		return p.structType()
	}
	return p.primitiveType()
}

// closeAngle takes one '>', also from a '>>' or '>>>'.
func (p *parser) closeAngle() {
	width := 0
	switch p.kind() {
	case tGreater:
		width = 1
	case tShiftRight:
		width = 2
	case tShiftRightUnsigned:
		width = 3
	default:
		p.failExpecting(tGreater)
	}
	if p.taken++; p.taken == width {
		p.taken = 0
		p.i++
	}
}

func (p *parser) structType() types.Type {
	start := p.i
	p.i++
	if p.accept(tNotEq) { // STRUCT<>
		return types.Struct()
	}
	if p.kind() != tLess {
		p.failAt(start, "INCOMPLETE_TYPE_DEFINITION.STRUCT")
	}
	p.i++
	var fields []types.Field
	for p.kind() != tGreater {
		name := p.name()
		p.accept(tColon)
		f := types.Field{Name: name, Type: p.dataType(), Nullable: true}
		if p.taken == 0 {
			p.columnNotes(&f)
		}
		fields = append(fields, f)
		if p.taken > 0 || !p.accept(tComma) {
			break
		}
	}
	p.closeAngle()
	return types.Struct(fields...)
}

// columnNotes takes NOT NULL and COMMENT behind a column's type.
func (p *parser) columnNotes(f *types.Field) {
	if p.kind() == kwNot || p.kind() == tBang {
		p.not()
		p.expect(kwNull)
		f.Nullable = false
	}
	if p.kind() == kwComment && p.isString(1) {
		p.i++
		f.Metadata = commentMetadata(p.stringLiteral())
	}
}

// commentMetadata is a column's comment as metadata.
func commentMetadata(s string) string { return `{"comment":` + jsonString(s) + `}` }

// columnTypes takes name type [NOT NULL] [COMMENT 'text'], separated by commas.
func (p *parser) columnTypes() []types.Field {
	list := []types.Field{p.columnType()}
	for p.accept(tComma) {
		list = append(list, p.columnType())
	}
	return list
}

func (p *parser) columnType() types.Field {
	f := types.Field{Name: p.name(), Nullable: true}
	f.Type = p.dataType()
	p.columnNotes(&f)
	return f
}

// plainType is the type that a single word stands for.
func plainType(k kind) (types.Type, bool) {
	switch k {
	case kwBoolean:
		return types.Boolean, true
	case kwTinyint, kwByte:
		return types.Byte, true
	case kwSmallint, kwShort:
		return types.Short, true
	case kwInt, kwInteger:
		return types.Int, true
	case kwBigint, kwLong:
		return types.Long, true
	case kwFloat, kwReal:
		return types.Float, true
	case kwDouble:
		return types.Double, true
	case kwDate:
		return types.Date, true
	case kwTimestampLtz:
		return types.Timestamp, true
	case kwTimestampNtz:
		return types.TimestampNTZ, true
	case kwBinary:
		return types.Binary, true
	case kwVoid:
		return types.Null, true
	case kwVariant:
		return types.Variant, true
	}
	return types.Null, false
}

func (p *parser) primitiveType() types.Type {
	start := p.i
	k := p.kind()
	if t, ok := plainType(k); ok {
		p.i++
		if p.kind() == tLeftParen {
			p.unknownType(start)
		}
		return t
	}
	switch k {
	case kwString:
		p.i++
		return p.collated(start, types.String)
	case kwChar, kwCharacter, kwVarchar:
		return p.charType(k)
	case kwDecimal, kwDec, kwNumeric:
		return p.decimalType()
	case kwInterval:
		return p.intervalType()
	case kwTimestamp:
		return p.timestampType()
	case kwTime:
		return p.timeType()
	case kwGeography, kwGeometry:
		if p.at(1) == tLeftParen {
			p.i += 3
			p.expect(tRightParen)
			p.unsupported(start, "the type "+strings.ToUpper(p.word(start)))
		}
	}
	if !p.isName(0) {
		p.fail()
	}
	p.identifier()
	p.unknownType(start)
	return types.Null
}

// unknownType refuses a type's name, with its arguments if it has some.
func (p *parser) unknownType(start int) {
	if p.accept(tLeftParen) {
		p.integer()
		for p.accept(tComma) {
			p.integer()
		}
		p.expect(tRightParen)
	}
	p.failAt(start, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(strings.Trim(p.source(start), "`"))+`"`)
}

func (p *parser) charType(k kind) types.Type {
	start := p.i
	p.i++
	if !p.accept(tLeftParen) {
		name := "CHAR"
		switch k {
		case kwVarchar:
			name = "VARCHAR"
		case kwCharacter:
			name = "CHARACTER"
		}
		p.failAt(start, "DATATYPE_MISSING_SIZE", "type", `"`+name+`"`)
	}
	n := p.integer()
	p.expect(tRightParen)
	t := types.Varchar(n)
	if k != kwVarchar {
		t = types.Char(n)
	}
	return p.collated(start, t)
}

// collated takes COLLATE behind a string type.
func (p *parser) collated(start int, t types.Type) types.Type {
	if p.accept(kwCollate) {
		name := strings.ToUpper(strings.Join(p.multipart(), "."))
		if name != "UTF8_BINARY" {
			t.Collation = name
		}
	}
	return t
}

func (p *parser) decimalType() types.Type {
	p.i++
	precision, scale := 10, 0
	if p.accept(tLeftParen) {
		precision = p.integer()
		if p.accept(tComma) {
			scale = p.integer()
		}
		p.expect(tRightParen)
	}
	switch {
	case precision > types.MaxPrecision:
		e := sparkerr.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(precision), "maxPrecision", "38")
		e.Class = sparkerr.ArithmeticException
		panic(bailout{e})
	case scale > precision:
		e := sparkerr.New("DECIMAL_SCALE_EXCEEDS_PRECISION", "scale", strconv.Itoa(scale), "precision", strconv.Itoa(precision))
		e.Class = sparkerr.ParseException
		panic(bailout{e})
	}
	return types.Decimal(precision, scale)
}

func (p *parser) intervalType() types.Type {
	p.i++
	from := p.unitAhead(0)
	switch from {
	case year, month, day, hour, minute, second:
	default:
		return types.Calendar
	}
	if strings.HasSuffix(strings.ToLower(p.word(p.i)), "s") {
		return types.Calendar
	}
	p.i++
	to := from
	if p.kind() == kwTo {
		to = p.unitAhead(1)
		if to.yearMonth() != from.yearMonth() || to == noUnit {
			p.fail()
		}
		p.i += 2
		if to <= from {
			p.failAt(p.i-4, "_LEGACY_ERROR_TEMP_1224", "startFieldName", from.String(), "endFieldName", to.String())
		}
	}
	kind := types.DayTimeKind
	if from.yearMonth() {
		kind = types.YearMonthKind
	}
	return types.Type{Kind: kind, From: from.field(), To: to.field()}
}

func (p *parser) timestampType() types.Type {
	p.i++
	switch {
	case p.accepts(kwWithout, kwTime, kwZone):
		return types.TimestampNTZ
	case p.accepts(kwWith, kwLocal, kwTime, kwZone):
		return types.Timestamp
	case p.o.TimestampNTZ:
		return types.TimestampNTZ
	}
	return types.Timestamp
}

func (p *parser) timeType() types.Type {
	t := types.Time
	p.i++
	if p.accept(tLeftParen) {
		n := p.integer()
		p.expect(tRightParen)
		if n > 6 {
			e := sparkerr.New("UNSUPPORTED_TIME_PRECISION", "precision", strconv.Itoa(n))
			e.Class = sparkerr.SparkException
			panic(bailout{e})
		}
		t.Precision = uint8(n)
	}
	p.accepts(kwWithout, kwTime, kwZone)
	return t
}
