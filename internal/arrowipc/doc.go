// Package arrowipc writes batches as Arrow IPC streams and reads such streams, for the client boundary. It builds the
// buffers straight from the vectors and knows the types that Spark maps to Arrow; it needs no Arrow library.
package arrowipc

import flatbuffers "github.com/google/flatbuffers/go"

// Union tags of the format's type and header unions.
const (
	typeNull             = 1
	typeInt              = 2
	typeFloat            = 3
	typeBinary           = 4
	typeUtf8             = 5
	typeBool             = 6
	typeDecimal          = 7
	typeDate             = 8
	typeTime             = 9
	typeTimestamp        = 10
	typeInterval         = 11
	typeList             = 12
	typeStruct           = 13
	typeFixedBinary      = 15
	typeFixedList        = 16
	typeMap              = 17
	typeDuration         = 18
	typeLargeBinary      = 19
	typeLargeUtf8        = 20
	typeLargeList        = 21
	headerSchema         = 1
	headerDictionary     = 2
	headerRecordBatch    = 3
	metadataV5           = 4
	continuation         = 0xFFFFFFFF
	unitSecond           = 0
	unitMilli            = 1
	unitMicro            = 2
	unitNano             = 3
	intervalYearMonth    = 0
	intervalMonthDayNano = 2
)

// slot is the vtable offset of the n-th field of a table.
func slot(n int) flatbuffers.VOffsetT { return flatbuffers.VOffsetT(4 + 2*n) }
