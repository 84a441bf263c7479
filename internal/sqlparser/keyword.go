package sqlparser

// The keywords of Spark 4.2 in alphabetical order; keywordNames follows the same order.
const (
	kwAdd kind = iota + firstKeyword
	kwAfter
	kwAggregate
	kwAll
	kwAlter
	kwAlways
	kwAnalyze
	kwAnd
	kwAnti
	kwAny
	kwAnyValue
	kwApprox
	kwArchive
	kwArray
	kwAs
	kwAsc
	kwAsensitive
	kwAt
	kwAtomic
	kwAuthorization
	kwBegin
	kwBernoulli
	kwBetween
	kwBigint
	kwBinary
	kwBinding
	kwBoolean
	kwBoth
	kwBucket
	kwBuckets
	kwBy
	kwByte
	kwCache
	kwCall
	kwCalled
	kwCascade
	kwCase
	kwCast
	kwCatalog
	kwCatalogs
	kwChange
	kwChanges
	kwChar
	kwCharacter
	kwCheck
	kwClear
	kwClose
	kwCluster
	kwClustered
	kwCodegen
	kwCollate
	kwCollation
	kwCollations
	kwCollection
	kwColumn
	kwColumns
	kwComment
	kwCommit
	kwCompact
	kwCompactions
	kwCompensation
	kwCompute
	kwConcatenate
	kwCondition
	kwConstraint
	kwContains
	kwContinue
	kwCost
	kwCreate
	kwCross
	kwCube
	kwCurrent
	kwCurrentDatabase
	kwCurrentDate
	kwCurrentPath
	kwCurrentSchema
	kwCurrentTime
	kwCurrentTimestamp
	kwCurrentUser
	kwCursor
	kwData
	kwDatabase
	kwDatabases
	kwDate
	kwDateadd
	kwDatediff
	kwDateAdd
	kwDateDiff
	kwDay
	kwDayofyear
	kwDays
	kwDbproperties
	kwDec
	kwDecimal
	kwDeclare
	kwDefault
	kwDefaultPath
	kwDefined
	kwDefiner
	kwDelay
	kwDelete
	kwDelimited
	kwDesc
	kwDescribe
	kwDeterministic
	kwDfs
	kwDirectories
	kwDirectory
	kwDistance
	kwDistinct
	kwDistribute
	kwDiv
	kwDo
	kwDouble
	kwDrop
	kwElse
	kwElseif
	kwEnd
	kwEnforced
	kwEscape
	kwEscaped
	kwEvolution
	kwExact
	kwExcept
	kwExchange
	kwExclude
	kwExclusive
	kwExecute
	kwExists
	kwExit
	kwExplain
	kwExport
	kwExtend
	kwExtended
	kwExternal
	kwExtract
	kwFalse
	kwFetch
	kwFields
	kwFileformat
	kwFilter
	kwFirst
	kwFloat
	kwFlow
	kwFollowing
	kwFor
	kwForeign
	kwFormat
	kwFormatted
	kwFound
	kwFrom
	kwFull
	kwFunction
	kwFunctions
	kwGenerated
	kwGeography
	kwGeometry
	kwGlobal
	kwGrant
	kwGroup
	kwGrouping
	kwHandler
	kwHaving
	kwHour
	kwHours
	kwIdentified
	kwIdentifier
	kwIdentity
	kwIf
	kwIgnore
	kwIlike
	kwImmediate
	kwImport
	kwIn
	kwInclude
	kwInclusive
	kwIncrement
	kwIndex
	kwIndexes
	kwInner
	kwInpath
	kwInput
	kwInputformat
	kwInsensitive
	kwInsert
	kwInt
	kwInteger
	kwIntersect
	kwInterval
	kwInto
	kwInvoker
	kwIs
	kwItems
	kwIterate
	kwJoin
	kwJson
	kwKey
	kwKeys
	kwLanguage
	kwLast
	kwLateral
	kwLazy
	kwLeading
	kwLeave
	kwLeft
	kwLevel
	kwLike
	kwLimit
	kwLines
	kwList
	kwLoad
	kwLocal
	kwLocation
	kwLock
	kwLocks
	kwLogical
	kwLong
	kwLoop
	kwMacro
	kwMap
	kwMatched
	kwMaterialized
	kwMax
	kwMeasure
	kwMerge
	kwMetrics
	kwMicrosecond
	kwMicroseconds
	kwMillisecond
	kwMilliseconds
	kwMinus
	kwMinute
	kwMinutes
	kwModifies
	kwMonth
	kwMonths
	kwMsck
	kwName
	kwNamespace
	kwNamespaces
	kwNanosecond
	kwNanoseconds
	kwNatural
	kwNearest
	kwNext
	kwNo
	kwNone
	kwNorely
	kwNot
	kwNull
	kwNulls
	kwNumeric
	kwOf
	kwOffset
	kwOn
	kwOnly
	kwOpen
	kwOption
	kwOptions
	kwOr
	kwOrder
	kwOut
	kwOuter
	kwOutputformat
	kwOver
	kwOverlaps
	kwOverlay
	kwOverwrite
	kwPartition
	kwPartitioned
	kwPartitions
	kwPath
	kwPercent
	kwPivot
	kwPlacing
	kwPosition
	kwPreceding
	kwPrimary
	kwPrincipals
	kwProcedure
	kwProcedures
	kwProperties
	kwPurge
	kwQualify
	kwQuarter
	kwQuery
	kwRange
	kwRead
	kwReads
	kwReal
	kwRecordreader
	kwRecordwriter
	kwRecover
	kwRecursion
	kwRecursive
	kwReduce
	kwReferences
	kwRefresh
	kwRegexp
	kwRely
	kwRename
	kwRepair
	kwRepeat
	kwRepeatable
	kwReplace
	kwReset
	kwRespect
	kwRestrict
	kwReturn
	kwReturns
	kwRevoke
	kwRight
	kwRlike
	kwRole
	kwRoles
	kwRollback
	kwRollup
	kwRow
	kwRows
	kwSchema
	kwSchemas
	kwSecond
	kwSeconds
	kwSecurity
	kwSelect
	kwSemi
	kwSeparated
	kwSerde
	kwSerdeproperties
	kwSessionUser
	kwSet
	kwSets
	kwShort
	kwShow
	kwSimilarity
	kwSingle
	kwSkewed
	kwSmallint
	kwSome
	kwSort
	kwSorted
	kwSource
	kwSpecific
	kwSql
	kwSqlexception
	kwSqlstate
	kwStart
	kwStatistics
	kwStored
	kwStratify
	kwStream
	kwStreaming
	kwString
	kwStruct
	kwSubstr
	kwSubstring
	kwSync
	kwSystem
	kwSystemPath
	kwSystemTime
	kwSystemVersion
	kwTable
	kwTables
	kwTablesample
	kwTarget
	kwTblproperties
	kwTemp
	kwTemporary
	kwTerminated
	kwThen
	kwTime
	kwTimediff
	kwTimestamp
	kwTimestampadd
	kwTimestampdiff
	kwTimestampLtz
	kwTimestampNtz
	kwTinyint
	kwTo
	kwTouch
	kwTrailing
	kwTransaction
	kwTransactions
	kwTransform
	kwTrim
	kwTrue
	kwTruncate
	kwTryCast
	kwType
	kwUnarchive
	kwUnbounded
	kwUncache
	kwUnion
	kwUnique
	kwUnknown
	kwUnlock
	kwUnpivot
	kwUnset
	kwUntil
	kwUpdate
	kwUse
	kwUser
	kwUsing
	kwValue
	kwValues
	kwVar
	kwVarchar
	kwVariable
	kwVariant
	kwVersion
	kwView
	kwViews
	kwVoid
	kwWatermark
	kwWeek
	kwWeeks
	kwWhen
	kwWhere
	kwWhile
	kwWindow
	kwWith
	kwWithin
	kwWithout
	kwYear
	kwYears
	kwZone

	lastKeyword = iota + firstKeyword - 1
)

// class says where a keyword may be an identifier.
type class uint8

const (
	ansiFree class = 1 << iota // not reserved when spark.sql.ansi.enforceReservedKeywords is set
	joinWord                   // never a table alias outside of that mode (Spark's strictNonReserved)
)

// keyword is one row of the table.
type keyword struct {
	name  string
	class class
}

// keywords is indexed by kind - firstKeyword.
var keywords = [...]keyword{
	{"ADD", ansiFree},
	{"AFTER", ansiFree},
	{"AGGREGATE", ansiFree},
	{"ALL", 0},
	{"ALTER", ansiFree},
	{"ALWAYS", ansiFree},
	{"ANALYZE", ansiFree},
	{"AND", 0},
	{"ANTI", ansiFree | joinWord},
	{"ANY", 0},
	{"ANY_VALUE", ansiFree},
	{"APPROX", ansiFree},
	{"ARCHIVE", ansiFree},
	{"ARRAY", ansiFree},
	{"AS", 0},
	{"ASC", ansiFree},
	{"ASENSITIVE", ansiFree},
	{"AT", ansiFree},
	{"ATOMIC", ansiFree},
	{"AUTHORIZATION", 0},
	{"BEGIN", ansiFree},
	{"BERNOULLI", ansiFree},
	{"BETWEEN", ansiFree},
	{"BIGINT", ansiFree},
	{"BINARY", ansiFree},
	{"BINDING", ansiFree},
	{"BOOLEAN", ansiFree},
	{"BOTH", 0},
	{"BUCKET", ansiFree},
	{"BUCKETS", ansiFree},
	{"BY", ansiFree},
	{"BYTE", ansiFree},
	{"CACHE", ansiFree},
	{"CALL", 0},
	{"CALLED", ansiFree},
	{"CASCADE", ansiFree},
	{"CASE", 0},
	{"CAST", 0},
	{"CATALOG", ansiFree},
	{"CATALOGS", ansiFree},
	{"CHANGE", ansiFree},
	{"CHANGES", ansiFree},
	{"CHAR", ansiFree},
	{"CHARACTER", ansiFree},
	{"CHECK", 0},
	{"CLEAR", ansiFree},
	{"CLOSE", ansiFree},
	{"CLUSTER", ansiFree},
	{"CLUSTERED", ansiFree},
	{"CODEGEN", ansiFree},
	{"COLLATE", 0},
	{"COLLATION", 0},
	{"COLLATIONS", 0},
	{"COLLECTION", ansiFree},
	{"COLUMN", 0},
	{"COLUMNS", ansiFree},
	{"COMMENT", ansiFree},
	{"COMMIT", ansiFree},
	{"COMPACT", ansiFree},
	{"COMPACTIONS", ansiFree},
	{"COMPENSATION", ansiFree},
	{"COMPUTE", ansiFree},
	{"CONCATENATE", ansiFree},
	{"CONDITION", ansiFree},
	{"CONSTRAINT", 0},
	{"CONTAINS", ansiFree},
	{"CONTINUE", ansiFree},
	{"COST", ansiFree},
	{"CREATE", 0},
	{"CROSS", joinWord},
	{"CUBE", ansiFree},
	{"CURRENT", ansiFree},
	{"CURRENT_DATABASE", ansiFree},
	{"CURRENT_DATE", 0},
	{"CURRENT_PATH", 0},
	{"CURRENT_SCHEMA", 0},
	{"CURRENT_TIME", 0},
	{"CURRENT_TIMESTAMP", 0},
	{"CURRENT_USER", 0},
	{"CURSOR", ansiFree},
	{"DATA", ansiFree},
	{"DATABASE", ansiFree},
	{"DATABASES", ansiFree},
	{"DATE", ansiFree},
	{"DATEADD", ansiFree},
	{"DATEDIFF", ansiFree},
	{"DATE_ADD", ansiFree},
	{"DATE_DIFF", ansiFree},
	{"DAY", ansiFree},
	{"DAYOFYEAR", ansiFree},
	{"DAYS", ansiFree},
	{"DBPROPERTIES", ansiFree},
	{"DEC", ansiFree},
	{"DECIMAL", ansiFree},
	{"DECLARE", ansiFree},
	{"DEFAULT", ansiFree},
	{"DEFAULT_PATH", ansiFree},
	{"DEFINED", ansiFree},
	{"DEFINER", ansiFree},
	{"DELAY", ansiFree},
	{"DELETE", ansiFree},
	{"DELIMITED", ansiFree},
	{"DESC", ansiFree},
	{"DESCRIBE", ansiFree},
	{"DETERMINISTIC", ansiFree},
	{"DFS", ansiFree},
	{"DIRECTORIES", ansiFree},
	{"DIRECTORY", ansiFree},
	{"DISTANCE", ansiFree},
	{"DISTINCT", 0},
	{"DISTRIBUTE", ansiFree},
	{"DIV", ansiFree},
	{"DO", ansiFree},
	{"DOUBLE", ansiFree},
	{"DROP", ansiFree},
	{"ELSE", 0},
	{"ELSEIF", ansiFree},
	{"END", 0},
	{"ENFORCED", ansiFree},
	{"ESCAPE", 0},
	{"ESCAPED", ansiFree},
	{"EVOLUTION", ansiFree},
	{"EXACT", ansiFree},
	{"EXCEPT", joinWord},
	{"EXCHANGE", ansiFree},
	{"EXCLUDE", ansiFree},
	{"EXCLUSIVE", ansiFree},
	{"EXECUTE", 0},
	{"EXISTS", ansiFree},
	{"EXIT", ansiFree},
	{"EXPLAIN", ansiFree},
	{"EXPORT", ansiFree},
	{"EXTEND", ansiFree},
	{"EXTENDED", ansiFree},
	{"EXTERNAL", ansiFree},
	{"EXTRACT", ansiFree},
	{"FALSE", 0},
	{"FETCH", 0},
	{"FIELDS", ansiFree},
	{"FILEFORMAT", ansiFree},
	{"FILTER", 0},
	{"FIRST", ansiFree},
	{"FLOAT", ansiFree},
	{"FLOW", ansiFree},
	{"FOLLOWING", ansiFree},
	{"FOR", 0},
	{"FOREIGN", 0},
	{"FORMAT", ansiFree},
	{"FORMATTED", ansiFree},
	{"FOUND", ansiFree},
	{"FROM", 0},
	{"FULL", joinWord},
	{"FUNCTION", ansiFree},
	{"FUNCTIONS", ansiFree},
	{"GENERATED", ansiFree},
	{"GEOGRAPHY", ansiFree},
	{"GEOMETRY", ansiFree},
	{"GLOBAL", ansiFree},
	{"GRANT", 0},
	{"GROUP", 0},
	{"GROUPING", ansiFree},
	{"HANDLER", ansiFree},
	{"HAVING", 0},
	{"HOUR", ansiFree},
	{"HOURS", ansiFree},
	{"IDENTIFIED", ansiFree},
	{"IDENTIFIER", ansiFree},
	{"IDENTITY", ansiFree},
	{"IF", ansiFree},
	{"IGNORE", ansiFree},
	{"ILIKE", ansiFree},
	{"IMMEDIATE", ansiFree},
	{"IMPORT", ansiFree},
	{"IN", 0},
	{"INCLUDE", ansiFree},
	{"INCLUSIVE", ansiFree},
	{"INCREMENT", ansiFree},
	{"INDEX", ansiFree},
	{"INDEXES", ansiFree},
	{"INNER", joinWord},
	{"INPATH", ansiFree},
	{"INPUT", ansiFree},
	{"INPUTFORMAT", ansiFree},
	{"INSENSITIVE", ansiFree},
	{"INSERT", ansiFree},
	{"INT", ansiFree},
	{"INTEGER", ansiFree},
	{"INTERSECT", joinWord},
	{"INTERVAL", ansiFree},
	{"INTO", 0},
	{"INVOKER", ansiFree},
	{"IS", 0},
	{"ITEMS", ansiFree},
	{"ITERATE", ansiFree},
	{"JOIN", joinWord},
	{"JSON", ansiFree},
	{"KEY", ansiFree},
	{"KEYS", ansiFree},
	{"LANGUAGE", ansiFree},
	{"LAST", ansiFree},
	{"LATERAL", joinWord},
	{"LAZY", ansiFree},
	{"LEADING", 0},
	{"LEAVE", ansiFree},
	{"LEFT", joinWord},
	{"LEVEL", ansiFree},
	{"LIKE", ansiFree},
	{"LIMIT", ansiFree},
	{"LINES", ansiFree},
	{"LIST", ansiFree},
	{"LOAD", ansiFree},
	{"LOCAL", ansiFree},
	{"LOCATION", ansiFree},
	{"LOCK", ansiFree},
	{"LOCKS", ansiFree},
	{"LOGICAL", ansiFree},
	{"LONG", ansiFree},
	{"LOOP", ansiFree},
	{"MACRO", ansiFree},
	{"MAP", ansiFree},
	{"MATCHED", ansiFree},
	{"MATERIALIZED", ansiFree},
	{"MAX", ansiFree},
	{"MEASURE", ansiFree},
	{"MERGE", ansiFree},
	{"METRICS", ansiFree},
	{"MICROSECOND", ansiFree},
	{"MICROSECONDS", ansiFree},
	{"MILLISECOND", ansiFree},
	{"MILLISECONDS", ansiFree},
	{"MINUS", ansiFree | joinWord},
	{"MINUTE", ansiFree},
	{"MINUTES", ansiFree},
	{"MODIFIES", ansiFree},
	{"MONTH", ansiFree},
	{"MONTHS", ansiFree},
	{"MSCK", ansiFree},
	{"NAME", ansiFree},
	{"NAMESPACE", ansiFree},
	{"NAMESPACES", ansiFree},
	{"NANOSECOND", ansiFree},
	{"NANOSECONDS", ansiFree},
	{"NATURAL", joinWord},
	{"NEAREST", ansiFree},
	{"NEXT", ansiFree},
	{"NO", ansiFree},
	{"NONE", ansiFree},
	{"NORELY", ansiFree},
	{"NOT", 0},
	{"NULL", 0},
	{"NULLS", ansiFree},
	{"NUMERIC", ansiFree},
	{"OF", ansiFree},
	{"OFFSET", 0},
	{"ON", joinWord},
	{"ONLY", 0},
	{"OPEN", ansiFree},
	{"OPTION", ansiFree},
	{"OPTIONS", ansiFree},
	{"OR", 0},
	{"ORDER", 0},
	{"OUT", ansiFree},
	{"OUTER", 0},
	{"OUTPUTFORMAT", ansiFree},
	{"OVER", ansiFree},
	{"OVERLAPS", 0},
	{"OVERLAY", ansiFree},
	{"OVERWRITE", ansiFree},
	{"PARTITION", ansiFree},
	{"PARTITIONED", ansiFree},
	{"PARTITIONS", ansiFree},
	{"PATH", ansiFree},
	{"PERCENT", ansiFree},
	{"PIVOT", ansiFree},
	{"PLACING", ansiFree},
	{"POSITION", ansiFree},
	{"PRECEDING", ansiFree},
	{"PRIMARY", 0},
	{"PRINCIPALS", ansiFree},
	{"PROCEDURE", ansiFree},
	{"PROCEDURES", ansiFree},
	{"PROPERTIES", ansiFree},
	{"PURGE", ansiFree},
	{"QUALIFY", ansiFree},
	{"QUARTER", ansiFree},
	{"QUERY", ansiFree},
	{"RANGE", ansiFree},
	{"READ", ansiFree},
	{"READS", ansiFree},
	{"REAL", ansiFree},
	{"RECORDREADER", ansiFree},
	{"RECORDWRITER", ansiFree},
	{"RECOVER", ansiFree},
	{"RECURSION", ansiFree},
	{"RECURSIVE", 0},
	{"REDUCE", ansiFree},
	{"REFERENCES", 0},
	{"REFRESH", ansiFree},
	{"REGEXP", ansiFree},
	{"RELY", ansiFree},
	{"RENAME", ansiFree},
	{"REPAIR", ansiFree},
	{"REPEAT", ansiFree},
	{"REPEATABLE", ansiFree},
	{"REPLACE", ansiFree},
	{"RESET", ansiFree},
	{"RESPECT", ansiFree},
	{"RESTRICT", ansiFree},
	{"RETURN", ansiFree},
	{"RETURNS", ansiFree},
	{"REVOKE", ansiFree},
	{"RIGHT", joinWord},
	{"RLIKE", ansiFree},
	{"ROLE", ansiFree},
	{"ROLES", ansiFree},
	{"ROLLBACK", ansiFree},
	{"ROLLUP", ansiFree},
	{"ROW", ansiFree},
	{"ROWS", ansiFree},
	{"SCHEMA", ansiFree},
	{"SCHEMAS", ansiFree},
	{"SECOND", ansiFree},
	{"SECONDS", ansiFree},
	{"SECURITY", ansiFree},
	{"SELECT", 0},
	{"SEMI", ansiFree | joinWord},
	{"SEPARATED", ansiFree},
	{"SERDE", ansiFree},
	{"SERDEPROPERTIES", ansiFree},
	{"SESSION_USER", 0},
	{"SET", ansiFree},
	{"SETS", ansiFree},
	{"SHORT", ansiFree},
	{"SHOW", ansiFree},
	{"SIMILARITY", ansiFree},
	{"SINGLE", ansiFree},
	{"SKEWED", ansiFree},
	{"SMALLINT", ansiFree},
	{"SOME", 0},
	{"SORT", ansiFree},
	{"SORTED", ansiFree},
	{"SOURCE", ansiFree},
	{"SPECIFIC", ansiFree},
	{"SQL", 0},
	{"SQLEXCEPTION", ansiFree},
	{"SQLSTATE", ansiFree},
	{"START", ansiFree},
	{"STATISTICS", ansiFree},
	{"STORED", ansiFree},
	{"STRATIFY", ansiFree},
	{"STREAM", ansiFree},
	{"STREAMING", ansiFree},
	{"STRING", ansiFree},
	{"STRUCT", ansiFree},
	{"SUBSTR", ansiFree},
	{"SUBSTRING", ansiFree},
	{"SYNC", ansiFree},
	{"SYSTEM", ansiFree},
	{"SYSTEM_PATH", ansiFree},
	{"SYSTEM_TIME", ansiFree},
	{"SYSTEM_VERSION", ansiFree},
	{"TABLE", 0},
	{"TABLES", ansiFree},
	{"TABLESAMPLE", ansiFree},
	{"TARGET", ansiFree},
	{"TBLPROPERTIES", ansiFree},
	{"TEMP", ansiFree},
	{"TEMPORARY", ansiFree},
	{"TERMINATED", ansiFree},
	{"THEN", 0},
	{"TIME", 0},
	{"TIMEDIFF", ansiFree},
	{"TIMESTAMP", ansiFree},
	{"TIMESTAMPADD", ansiFree},
	{"TIMESTAMPDIFF", ansiFree},
	{"TIMESTAMP_LTZ", ansiFree},
	{"TIMESTAMP_NTZ", ansiFree},
	{"TINYINT", ansiFree},
	{"TO", 0},
	{"TOUCH", ansiFree},
	{"TRAILING", 0},
	{"TRANSACTION", ansiFree},
	{"TRANSACTIONS", ansiFree},
	{"TRANSFORM", ansiFree},
	{"TRIM", ansiFree},
	{"TRUE", ansiFree},
	{"TRUNCATE", ansiFree},
	{"TRY_CAST", ansiFree},
	{"TYPE", ansiFree},
	{"UNARCHIVE", ansiFree},
	{"UNBOUNDED", ansiFree},
	{"UNCACHE", ansiFree},
	{"UNION", joinWord},
	{"UNIQUE", 0},
	{"UNKNOWN", 0},
	{"UNLOCK", ansiFree},
	{"UNPIVOT", ansiFree},
	{"UNSET", ansiFree},
	{"UNTIL", ansiFree},
	{"UPDATE", ansiFree},
	{"USE", ansiFree},
	{"USER", 0},
	{"USING", joinWord},
	{"VALUE", ansiFree},
	{"VALUES", ansiFree},
	{"VAR", ansiFree},
	{"VARCHAR", ansiFree},
	{"VARIABLE", ansiFree},
	{"VARIANT", ansiFree},
	{"VERSION", ansiFree},
	{"VIEW", ansiFree},
	{"VIEWS", ansiFree},
	{"VOID", ansiFree},
	{"WATERMARK", ansiFree},
	{"WEEK", ansiFree},
	{"WEEKS", ansiFree},
	{"WHEN", 0},
	{"WHERE", 0},
	{"WHILE", ansiFree},
	{"WINDOW", ansiFree},
	{"WITH", 0},
	{"WITHIN", 0},
	{"WITHOUT", ansiFree},
	{"YEAR", ansiFree},
	{"YEARS", ansiFree},
	{"ZONE", ansiFree},
}

// letterStart[c-'A'] is the first keyword that begins with c or a later letter.
var letterStart = [27]kind{
	kwAdd,
	kwBegin,
	kwCache,
	kwData,
	kwElse,
	kwFalse,
	kwGenerated,
	kwHandler,
	kwIdentified,
	kwJoin,
	kwKey,
	kwLanguage,
	kwMacro,
	kwName,
	kwOf,
	kwPartition,
	kwQualify,
	kwRange,
	kwSchema,
	kwTable,
	kwUnarchive,
	kwValue,
	kwWatermark,
	kwYear,
	kwYear,
	kwZone,
	lastKeyword + 1,
}

// lookupKeyword finds the kind of an upper-case word; tIdent if it is no keyword.
func lookupKeyword(word []byte) kind {
	c := word[0]
	if c < 'A' || c > 'Z' {
		return tIdent
	}
	lo, hi := letterStart[c-'A'], letterStart[c-'A'+1]
	for lo < hi {
		mid := (lo + hi) / 2
		switch name := keywords[mid-firstKeyword].name; {
		case name == string(word):
			return spelling(mid)
		case name < string(word):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return tIdent
}

// spelling maps the second spellings of keywords to the first.
func spelling(k kind) kind {
	switch k {
	case kwTemp:
		return kwTemporary
	case kwRegexp:
		return kwRlike
	}
	return k
}
