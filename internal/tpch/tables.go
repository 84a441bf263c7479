// Package tpch generates the eight tables of the TPC-H benchmark, equal row
// for row to the reference generator's, and holds the benchmark's 22 queries.
//
// Rows come in column batches from a [Reader], which can begin at any unit of
// a table, so that parts of a table can be made in parallel. [Run] writes
// tables as Parquet files.
package tpch

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the type of a column.
type Kind uint8

const (
	Int64   Kind = iota // Vector.Int64
	Int32               // Vector.Int32
	Decimal             // Vector.Int64: decimal(15,2), the unscaled value
	Date                // Vector.Int32: days since 1970-01-01
	Coded               // Vector.Int32: positions in Column.Values, a string
	Text                // Vector.Text and Vector.Ends: a string
)

// Column describes one column; none holds nulls.
type Column struct {
	Name   string
	Kind   Kind
	Values []string // of a Coded column, all values it may take
	// repetitive says that a dictionary makes the column smaller on disk.
	repetitive bool
}

// Table describes one table. A unit is what the random streams advance by: a
// row, but the rows of one part for partsupp, of one order for lineitem.
type Table struct {
	Name    string
	Columns []Column

	baseUnits     int64 // at scale factor 1
	fixed         bool  // the number of units is the same at all scales
	unitsPerBatch int64
	rowsPerUnit   int64 // on average
	open          func(t *Table, sf float64, first int64) source
}

// source generates the rows of a table from some unit on.
type source interface {
	// fill replaces the batch by the rows of the next units.
	fill(b *Batch, units int)
}

var (
	// ErrUnknownTable says that a name is none of the eight tables'.
	ErrUnknownTable = errors.New("tpch: unknown table")
	// ErrScaleFactor says that a scale factor is out of range.
	ErrScaleFactor = errors.New("tpch: scale factor out of range")
)

// The scale factors served. The least one leaves one supplier.
const (
	MinScaleFactor = 0.0001
	MaxScaleFactor = 100000
)

const (
	batchUnits = 20000 // rows of a batch, which is a data page in Parquet
	partUnits  = batchUnits / suppliersPerPart
	orderUnits = 5000 // four lines on average
)

var tables = []*Table{
	{Name: "region", fixed: true, baseUnits: 5, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openRegion,
		Columns: []Column{
			{Name: "r_regionkey", Kind: Int64},
			{Name: "r_name", Kind: Coded, Values: regionNames},
			{Name: "r_comment", Kind: Text},
		}},
	{Name: "nation", fixed: true, baseUnits: 25, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openNation,
		Columns: []Column{
			{Name: "n_nationkey", Kind: Int64},
			{Name: "n_name", Kind: Coded, Values: nationNames()},
			{Name: "n_regionkey", Kind: Int64, repetitive: true},
			{Name: "n_comment", Kind: Text},
		}},
	{Name: "supplier", baseUnits: suppliers, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openSupplier,
		Columns: []Column{
			{Name: "s_suppkey", Kind: Int64},
			{Name: "s_name", Kind: Text},
			{Name: "s_address", Kind: Text},
			{Name: "s_nationkey", Kind: Int64, repetitive: true},
			{Name: "s_phone", Kind: Text},
			{Name: "s_acctbal", Kind: Decimal},
			{Name: "s_comment", Kind: Text},
		}},
	{Name: "customer", baseUnits: customers, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openCustomer,
		Columns: []Column{
			{Name: "c_custkey", Kind: Int64},
			{Name: "c_name", Kind: Text},
			{Name: "c_address", Kind: Text},
			{Name: "c_nationkey", Kind: Int64, repetitive: true},
			{Name: "c_phone", Kind: Text},
			{Name: "c_acctbal", Kind: Decimal},
			{Name: "c_mktsegment", Kind: Coded, Values: segments},
			{Name: "c_comment", Kind: Text},
		}},
	{Name: "part", baseUnits: parts, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openPart,
		Columns: []Column{
			{Name: "p_partkey", Kind: Int64},
			{Name: "p_name", Kind: Text},
			{Name: "p_mfgr", Kind: Coded, Values: manufacturers()},
			{Name: "p_brand", Kind: Coded, Values: brands()},
			{Name: "p_type", Kind: Coded, Values: partTypes},
			{Name: "p_size", Kind: Int32, repetitive: true},
			{Name: "p_container", Kind: Coded, Values: containers},
			{Name: "p_retailprice", Kind: Decimal},
			{Name: "p_comment", Kind: Text},
		}},
	{Name: "partsupp", baseUnits: parts, unitsPerBatch: partUnits, rowsPerUnit: suppliersPerPart, open: openPartSupp,
		Columns: []Column{
			{Name: "ps_partkey", Kind: Int64},
			{Name: "ps_suppkey", Kind: Int64, repetitive: true},
			{Name: "ps_availqty", Kind: Int32, repetitive: true},
			{Name: "ps_supplycost", Kind: Decimal},
			{Name: "ps_comment", Kind: Text},
		}},
	{Name: "orders", baseUnits: orders, unitsPerBatch: batchUnits, rowsPerUnit: 1, open: openOrders,
		Columns: []Column{
			{Name: "o_orderkey", Kind: Int64},
			{Name: "o_custkey", Kind: Int64},
			{Name: "o_orderstatus", Kind: Coded, Values: orderStatus},
			{Name: "o_totalprice", Kind: Decimal},
			{Name: "o_orderdate", Kind: Date, repetitive: true},
			{Name: "o_orderpriority", Kind: Coded, Values: priorities},
			{Name: "o_clerk", Kind: Text, repetitive: true},
			{Name: "o_shippriority", Kind: Int32, repetitive: true},
			{Name: "o_comment", Kind: Text},
		}},
	{Name: "lineitem", baseUnits: orders, unitsPerBatch: orderUnits, rowsPerUnit: 4, open: openLineItem,
		Columns: []Column{
			{Name: "l_orderkey", Kind: Int64},
			{Name: "l_partkey", Kind: Int64},
			{Name: "l_suppkey", Kind: Int64, repetitive: true},
			{Name: "l_linenumber", Kind: Int32, repetitive: true},
			{Name: "l_quantity", Kind: Decimal, repetitive: true},
			{Name: "l_extendedprice", Kind: Decimal},
			{Name: "l_discount", Kind: Decimal, repetitive: true},
			{Name: "l_tax", Kind: Decimal, repetitive: true},
			{Name: "l_returnflag", Kind: Coded, Values: returnFlags},
			{Name: "l_linestatus", Kind: Coded, Values: lineStatus},
			{Name: "l_shipdate", Kind: Date, repetitive: true},
			{Name: "l_commitdate", Kind: Date, repetitive: true},
			{Name: "l_receiptdate", Kind: Date, repetitive: true},
			{Name: "l_shipinstruct", Kind: Coded, Values: instructions},
			{Name: "l_shipmode", Kind: Coded, Values: shipModes},
			{Name: "l_comment", Kind: Text},
		}},
}

// Tables are the eight tables, each after those it refers to. The result is
// shared and must not be changed.
func Tables() []*Table { return tables }

// Lookup finds a table by name, in any case.
func Lookup(name string) (*Table, error) {
	for _, t := range tables {
		if strings.EqualFold(t.Name, name) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownTable, name)
}

// Units is the number of units of the table at a scale factor.
func (t *Table) Units(sf float64) int64 {
	if t.fixed {
		return t.baseUnits
	}
	return scaled(t.baseUnits, sf)
}

// scaled is base*sf, less than a millionth of a row short counting as whole.
func scaled(base int64, sf float64) int64 {
	return int64(float64(base)*sf + 1e-6)
}

// CheckScaleFactor reports whether tables can be made at a scale factor; the
// error is an ErrScaleFactor.
func CheckScaleFactor(sf float64) error {
	if !(sf >= MinScaleFactor && sf <= MaxScaleFactor) {
		return fmt.Errorf("%w: %v is not within %v to %v", ErrScaleFactor, sf, MinScaleFactor, MaxScaleFactor)
	}
	return nil
}

// Reader generates a range of a table's units. It is not safe for concurrent
// use; readers are independent of each other.
type Reader struct {
	table *Table
	src   source
	left  int64
}

// NewReader reads count units from first, the first unit being 0; the range
// is cut at the table's end. The error is an ErrScaleFactor.
func (t *Table) NewReader(sf float64, first, count int64) (*Reader, error) {
	if err := CheckScaleFactor(sf); err != nil {
		return nil, err
	}
	units := t.Units(sf)
	first = min(max(first, 0), units)
	return &Reader{table: t, src: t.open(t, sf, first), left: min(max(count, 0), units-first)}, nil
}

// Next replaces the batch's content by the next rows, about 20 000, and
// reports whether there were any. The batch's memory is used again.
func (r *Reader) Next(b *Batch) bool {
	if r.left == 0 {
		b.Rows = 0
		return false
	}
	n := min(r.left, r.table.unitsPerBatch)
	r.left -= n
	r.src.fill(b, int(n))
	return true
}
