package parquet

// Physical is a Parquet physical type.
type Physical int32

// The physical types.
const (
	BooleanType Physical = iota
	Int32Type
	Int64Type
	Int96Type
	FloatType
	DoubleType
	ByteArrayType
	FixedType
)

func (p Physical) String() string {
	names := [...]string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BINARY", "FIXED_LEN_BYTE_ARRAY"}
	if p < 0 || int(p) >= len(names) {
		return "UNKNOWN"
	}
	return names[p]
}

// Repetition of a schema element.
type Repetition int32

// The repetitions.
const (
	Required Repetition = iota
	Optional
	Repeated
)

// Encoding of pages.
type Encoding int32

// The encodings.
const (
	Plain           Encoding = 0
	PlainDictionary Encoding = 2
	RLE             Encoding = 3
	BitPacked       Encoding = 4
	DeltaBinary     Encoding = 5
	DeltaLength     Encoding = 6
	DeltaByteArray  Encoding = 7
	RLEDictionary   Encoding = 8
	ByteStreamSplit Encoding = 9
)

// Codec compresses pages.
type Codec int32

// The codecs.
const (
	Uncompressed Codec = iota
	Snappy
	Gzip
	LZO
	Brotli
	LZ4Hadoop
	Zstd
	LZ4Raw
)

// Converted types of the old annotation; -1 is none.
const (
	convNone = iota - 1
	convUTF8
	convMap
	convMapKeyValue
	convList
	convEnum
	convDecimal
	convDate
	convTimeMillis
	convTimeMicros
	convTimestampMillis
	convTimestampMicros
	convUint8
	convUint16
	convUint32
	convUint64
	convInt8
	convInt16
	convInt32
	convInt64
	convJSON
	convBSON
	convInterval
)

// logicalKind is the member of the LogicalType union that is set.
type logicalKind int16

const (
	logicalNone      logicalKind = 0
	logicalString    logicalKind = 1
	logicalMap       logicalKind = 2
	logicalList      logicalKind = 3
	logicalEnum      logicalKind = 4
	logicalDecimal   logicalKind = 5
	logicalDate      logicalKind = 6
	logicalTime      logicalKind = 7
	logicalTimestamp logicalKind = 8
	logicalInteger   logicalKind = 10
	logicalUnknown   logicalKind = 11
	logicalJSON      logicalKind = 12
	logicalBSON      logicalKind = 13
	logicalUUID      logicalKind = 14
	logicalFloat16   logicalKind = 15
	logicalVariant   logicalKind = 16
)

// timeUnit is the member of the TimeUnit union.
type timeUnit int16

const (
	millis timeUnit = 1
	micros timeUnit = 2
	nanos  timeUnit = 3
)

// logical is the annotation of an element, the old converted types translated.
type logical struct {
	kind             logicalKind
	scale, precision int32
	utc              bool
	unit             timeUnit
	bits             int8
	signed           bool
}

// element is a node of the schema as stored.
type element struct {
	phys      Physical // -1 for groups
	length    int32
	rep       Repetition
	name      string
	kids      int32
	converted int32
	scale     int32
	precision int32
	id        int32
	logical   logical
}

// Statistics of a column chunk; nil bounds are absent.
type Statistics struct {
	Min, Max  []byte
	Nulls     int64 // -1 unknown
	Distinct  int64 // -1 unknown
	oldMin    []byte
	oldMax    []byte
	hasValues bool
}

// Chunk is the metadata of one column of one row group.
type Chunk struct {
	Codec            Codec
	Values           int64
	Compressed       int64
	Uncompressed     int64
	Data, Dictionary int64 // offsets of the first data page and of the dictionary page; Dictionary 0: none
	Stats            Statistics
	Phys             Physical
	file             bool
	encrypted        bool
	allDictionary    bool // all data pages are dictionary encoded, as the encoding statistics say
	offsetIndex      span
	columnIndex      span
	bloom            span
}

type span struct {
	off int64
	len int32
}

// RowGroup is the metadata of a row group.
type RowGroup struct {
	Rows    int64
	Bytes   int64
	Columns []Chunk
}

// footer is the file's metadata as stored.
type footer struct {
	elements  []element
	rows      int64
	groups    []RowGroup
	keys      map[string]string
	createdBy string
	encrypted bool
	orders    int
}

func readFooter(r *thrift, f *footer) {
	f.keys = map[string]string{}
	r.fields(func(id int16, typ byte) {
		switch id {
		case 2:
			f.elements = structs(r, typ, readElement)
		case 3:
			f.rows = r.i64()
		case 4:
			f.groups = structs(r, typ, readRowGroup)
		case 5:
			for _, kv := range structs(r, typ, readKeyValue) {
				f.keys[kv[0]] = kv[1]
			}
		case 6:
			f.createdBy = string(r.binary())
		case 8:
			f.encrypted = true
			r.skip(typ, false)
		default:
			r.skip(typ, false)
		}
	})
}

func readKeyValue(r *thrift, kv *[2]string) {
	r.fields(func(id int16, typ byte) {
		if typ == tBinary && (id == 1 || id == 2) {
			kv[id-1] = string(r.binary())
			return
		}
		r.skip(typ, false)
	})
}

func readElement(r *thrift, e *element) {
	e.phys, e.converted, e.id = -1, convNone, -1
	r.fields(func(id int16, typ byte) {
		switch id {
		case 1:
			e.phys = Physical(r.i32())
		case 2:
			e.length = r.i32()
		case 3:
			e.rep = Repetition(r.i32())
		case 4:
			e.name = string(r.binary())
		case 5:
			e.kids = r.i32()
		case 6:
			e.converted = r.i32()
		case 7:
			e.scale = r.i32()
		case 8:
			e.precision = r.i32()
		case 9:
			e.id = r.i32()
		case 10:
			readLogical(r, &e.logical)
		default:
			r.skip(typ, false)
		}
	})
	if e.logical.kind == logicalNone {
		e.logical = fromConverted(e)
	}
}

func readLogical(r *thrift, l *logical) {
	r.fields(func(id int16, _ byte) {
		l.kind = logicalKind(id)
		r.fields(func(sub int16, t byte) { readLogicalParam(r, l, sub, t) })
	})
}

func readLogicalParam(r *thrift, l *logical, id int16, typ byte) {
	switch {
	case l.kind == logicalDecimal && id == 1 && typ == tI32:
		l.scale = r.i32()
	case l.kind == logicalDecimal && id == 2 && typ == tI32:
		l.precision = r.i32()
	case (l.kind == logicalTime || l.kind == logicalTimestamp) && id == 1:
		l.utc = r.bool(typ)
		r.skip(typ, false)
	case (l.kind == logicalTime || l.kind == logicalTimestamp) && id == 2 && typ == tStruct:
		r.fields(func(unit int16, t byte) {
			l.unit = timeUnit(unit)
			r.skip(t, false)
		})
	case l.kind == logicalInteger && id == 1 && typ == tByte:
		l.bits = int8(r.byte())
	case l.kind == logicalInteger && id == 2:
		l.signed = r.bool(typ)
		r.skip(typ, false)
	default:
		r.skip(typ, false)
	}
}

// fromConverted translates the old annotations.
func fromConverted(e *element) logical {
	integer := func(bits int8, signed bool) logical { return logical{kind: logicalInteger, bits: bits, signed: signed} }
	switch e.converted {
	case convUTF8:
		return logical{kind: logicalString}
	case convMap, convMapKeyValue:
		return logical{kind: logicalMap}
	case convList:
		return logical{kind: logicalList}
	case convEnum:
		return logical{kind: logicalEnum}
	case convDecimal:
		return logical{kind: logicalDecimal, scale: e.scale, precision: e.precision}
	case convDate:
		return logical{kind: logicalDate}
	case convTimeMillis:
		return logical{kind: logicalTime, unit: millis, utc: true}
	case convTimeMicros:
		return logical{kind: logicalTime, unit: micros, utc: true}
	case convTimestampMillis:
		return logical{kind: logicalTimestamp, unit: millis, utc: true}
	case convTimestampMicros:
		return logical{kind: logicalTimestamp, unit: micros, utc: true}
	case convUint8, convUint16, convUint32, convUint64:
		return integer(8<<(e.converted-convUint8), false)
	case convInt8, convInt16, convInt32, convInt64:
		return integer(8<<(e.converted-convInt8), true)
	case convJSON:
		return logical{kind: logicalJSON}
	case convBSON:
		return logical{kind: logicalBSON}
	}
	return logical{}
}

func readRowGroup(r *thrift, g *RowGroup) {
	r.fields(func(id int16, typ byte) {
		switch id {
		case 1:
			g.Columns = structs(r, typ, readChunk)
		case 2:
			g.Bytes = r.i64()
		case 3:
			g.Rows = r.i64()
		default:
			r.skip(typ, false)
		}
	})
}

func readChunk(r *thrift, c *Chunk) {
	c.Stats.Nulls, c.Stats.Distinct = -1, -1
	r.fields(func(id int16, typ byte) {
		switch id {
		case 1:
			c.file = len(r.binary()) > 0
		case 3:
			readChunkMeta(r, c)
		case 4:
			c.offsetIndex.off = r.i64()
		case 5:
			c.offsetIndex.len = r.i32()
		case 6:
			c.columnIndex.off = r.i64()
		case 7:
			c.columnIndex.len = r.i32()
		case 8, 9:
			c.encrypted = true
			r.skip(typ, false)
		default:
			r.skip(typ, false)
		}
	})
}

func readChunkMeta(r *thrift, c *Chunk) {
	r.fields(func(id int16, typ byte) {
		switch id {
		case 1:
			c.Phys = Physical(r.i32())
		case 4:
			c.Codec = Codec(r.i32())
		case 5:
			c.Values = r.i64()
		case 6:
			c.Uncompressed = r.i64()
		case 7:
			c.Compressed = r.i64()
		case 9:
			c.Data = r.i64()
		case 11:
			c.Dictionary = r.i64()
		case 12:
			readStatistics(r, &c.Stats)
		case 13:
			readEncodingStats(r, typ, c)
		case 14:
			c.bloom.off = r.i64()
		case 15:
			c.bloom.len = r.i32()
		default:
			r.skip(typ, false)
		}
	})
}

func readEncodingStats(r *thrift, typ byte, c *Chunk) {
	type stat struct{ page, encoding, count int32 }
	all, data := true, false
	for _, s := range structs(r, typ, func(r *thrift, s *stat) {
		r.fields(func(id int16, typ byte) {
			switch id {
			case 1:
				s.page = r.i32()
			case 2:
				s.encoding = r.i32()
			case 3:
				s.count = r.i32()
			default:
				r.skip(typ, false)
			}
		})
	}) {
		if pageKind(s.page) == dataPage || pageKind(s.page) == dataPageV2 {
			data = true
			all = all && (Encoding(s.encoding) == PlainDictionary || Encoding(s.encoding) == RLEDictionary)
		}
	}
	c.allDictionary = data && all
}

func readStatistics(r *thrift, s *Statistics) {
	r.fields(func(id int16, typ byte) {
		switch {
		case id == 1 && typ == tBinary:
			s.oldMax = r.binary()
		case id == 2 && typ == tBinary:
			s.oldMin = r.binary()
		case id == 3:
			s.Nulls = r.i64()
		case id == 4:
			s.Distinct = r.i64()
		case id == 5 && typ == tBinary:
			s.Max = r.binary()
		case id == 6 && typ == tBinary:
			s.Min = r.binary()
		default:
			r.skip(typ, false)
		}
	})
	s.hasValues = s.Min != nil && s.Max != nil
}

type pageKind int32

const (
	dataPage       pageKind = 0
	indexPage      pageKind = 1
	dictionaryPage pageKind = 2
	dataPageV2     pageKind = 3
)

// pageHeader precedes each page.
type pageHeader struct {
	kind         pageKind
	uncompressed int32
	compressed   int32
	values       int32 // levels, nulls included
	nulls        int32 // v2
	rows         int32 // v2
	encoding     Encoding
	defEncoding  Encoding // v1
	repEncoding  Encoding // v1
	defLen       int32    // v2
	repLen       int32    // v2
	plainBody    bool     // v2: values are not compressed
}

// read parses a header; it allocates nothing, for this runs once a page.
func (h *pageHeader) read(r *thrift) {
	*h = pageHeader{}
	var id int16
	for !r.bad {
		typ, ok := r.next(&id)
		if !ok {
			return
		}
		switch {
		case id == 1 && typ == tI32:
			h.kind = pageKind(r.i32())
		case id == 2 && typ == tI32:
			h.uncompressed = r.i32()
		case id == 3 && typ == tI32:
			h.compressed = r.i32()
		case (id == 5 || id == 7) && typ == tStruct:
			h.readV1(r)
		case id == 8 && typ == tStruct:
			h.readV2(r)
		default:
			r.skip(typ, false)
		}
	}
}

// next reads a field header of the struct whose last field was id; false at its end.
func (r *thrift) next(id *int16) (typ byte, ok bool) {
	c := r.byte()
	if c == tStop || r.bad {
		return 0, false
	}
	if d := c >> 4; d != 0 {
		*id += int16(d)
	} else {
		*id = int16(r.i64())
	}
	return c & 15, true
}

// readV1 reads a data page header, or a dictionary page header: its first two fields are the same.
func (h *pageHeader) readV1(r *thrift) {
	var id int16
	for !r.bad {
		typ, ok := r.next(&id)
		if !ok {
			return
		}
		switch {
		case typ != tI32:
			r.skip(typ, false)
		case id == 1:
			h.values = r.i32()
		case id == 2:
			h.encoding = Encoding(r.i32())
		case id == 3:
			h.defEncoding = Encoding(r.i32())
		case id == 4:
			h.repEncoding = Encoding(r.i32())
		default:
			r.skip(typ, false)
		}
	}
}

func (h *pageHeader) readV2(r *thrift) {
	var id int16
	for !r.bad {
		typ, ok := r.next(&id)
		if !ok {
			return
		}
		switch {
		case id == 7:
			h.plainBody = typ == tFalse
		case typ != tI32:
			r.skip(typ, false)
		case id == 1:
			h.values = r.i32()
		case id == 2:
			h.nulls = r.i32()
		case id == 3:
			h.rows = r.i32()
		case id == 4:
			h.encoding = Encoding(r.i32())
		case id == 5:
			h.defLen = r.i32()
		case id == 6:
			h.repLen = r.i32()
		default:
			r.skip(typ, false)
		}
	}
}
