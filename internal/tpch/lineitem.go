package tpch

// returnFlags are the values of l_returnflag: returned, accepted, and not yet
// received; the first two are drawn.
var returnFlags = []string{"R", "A", "N"}

// lineStatus are the values of l_linestatus: shipped, open.
var lineStatus = []string{"F", "O"}

const notReceived = 2

// openLineItem begins the table lineitem at an order.
func openLineItem(t *Table, sf float64, first int64) source {
	own := func(seed seed) seedOf { return seedOf{stream{seed, linesPerOrder}.at(first)} }
	return &lineSource{
		table: t, next: first, suppliers: scaled(suppliers, sf),
		date:     orderDateStream.at(first),
		count:    lineCountStream.at(first),
		quantity: seedOf{quantityStream.at(first)},
		discount: seedOf{discountStream.at(first)},
		tax:      seedOf{taxStream.at(first)},
		part:     newKeyStream(partKeyStream, first, sf, scaled(parts, sf)),
		supplier: own(2095021727),
		ship:     seedOf{shipDateStream.at(first)},
		commit:   own(904914315),
		receipt:  own(373135028),
		flag:     own(717419739),
		instruct: own(1371272478),
		mode:     own(675466456),
		comments: newComments(stream{1095462486, 2 * linesPerOrder}, first, 27),
	}
}

// lineSource makes lineitem column by column.
type lineSource struct {
	table     *Table
	next      int64
	suppliers int64

	date, count             seed
	quantity, discount, tax seedOf
	supplier                seedOf
	ship, commit, receipt   seedOf
	flag, instruct, mode    seedOf
	part                    keyStream
	comments                comments
	dates                   []int32 // of the batch's orders
	counts                  []int32 // lines of the batch's orders
	cuts                    []cut   // comments of the batch
}

// seedOf is a stream that owns linesPerOrder draws per order.
type seedOf struct{ seed seed }

// int32s draws a number below span, plus least, for every line.
func (s *seedOf) int32s(dst []int32, counts []int32, least, span int32) {
	at, state, width := 0, s.seed, float64(span)
	for _, n := range counts {
		order := dst[at : at+int(n)]
		for i := range order {
			state = state.next()
			order[i] = least + state.below(width)
		}
		at += int(n)
		state = state.jump(leftover[linesPerOrder-n])
	}
	s.seed = state
}

// int64s draws a number below span, plus least, times unit, for every line.
func (s *seedOf) int64s(dst []int64, counts []int32, least, span int32, unit int64) {
	at, state, width := 0, s.seed, float64(span)
	for _, n := range counts {
		order := dst[at : at+int(n)]
		for i := range order {
			state = state.next()
			order[i] = int64(least+state.below(width)) * unit
		}
		at += int(n)
		state = state.jump(leftover[linesPerOrder-n])
	}
	s.seed = state
}

func (s *lineSource) fill(b *Batch, orders int) {
	rows := s.drawOrders(orders)
	b.reset(s.table, rows)
	c := b.Columns
	s.fillKeys(c)
	s.supplierAndPrice(c)
	s.discount.int64s(c[6].Int64, s.counts, 0, 11, 1)
	s.tax.int64s(c[7].Int64, s.counts, 0, 9, 1)
	s.fillDates(c)
	s.fillFlags(c)
	s.instruct.int32s(c[13].Int32, s.counts, 0, int32(len(instructions)))
	s.mode.int32s(c[14].Int32, s.counts, 0, int32(len(shipModes)))
	s.fillComments(&c[15])
	s.next += int64(orders)
}

// drawOrders draws date and line count of the batch's orders, and tells the
// number of lines.
func (s *lineSource) drawOrders(n int) int {
	s.dates, s.counts = sized(s.dates, n), sized(s.counts, n)
	s.date = drawCodes(s.dates, s.date, orderDates)
	s.count = drawCodes(s.counts, s.count, linesPerOrder)
	rows := 0
	for i := range n {
		s.dates[i] += firstDate
		s.counts[i]++
		rows += int(s.counts[i])
	}
	return rows
}

// fillKeys makes l_orderkey, l_partkey and l_linenumber.
func (s *lineSource) fillKeys(c []Vector) {
	row := 0
	for i, n := range s.counts {
		key := orderKey(s.next + int64(i) + 1)
		for line := range n {
			c[0].Int64[row] = key
			c[1].Int64[row] = s.part.next()
			c[3].Int32[row] = line + 1
			row++
		}
		s.part.finish(int(n))
	}
}

// supplierAndPrice makes l_suppkey, l_quantity and l_extendedprice.
func (s *lineSource) supplierAndPrice(c []Vector) {
	part, supplier, quantity, price := c[1].Int64, c[2].Int64, c[4].Int64, c[5].Int64
	s.supplier.int64s(supplier, s.counts, 0, suppliersPerPart, 1)
	s.quantity.int64s(quantity, s.counts, 1, 50, 100)
	for i, p := range part {
		supplier[i] = supplierOf(p, supplier[i], s.suppliers)
		price[i] = retailPrice(p) * (quantity[i] / 100)
	}
}

// fillDates makes l_shipdate, l_commitdate and l_receiptdate.
func (s *lineSource) fillDates(c []Vector) {
	ship, commit, receipt := c[10].Int32, c[11].Int32, c[12].Int32
	s.ship.int32s(ship, s.counts, 1, shipDays)
	s.commit.int32s(commit, s.counts, 30, 61)
	s.receipt.int32s(receipt, s.counts, 1, 30)
	row := 0
	for i, n := range s.counts {
		for range n {
			ship[row] += s.dates[i]
			commit[row] += s.dates[i]
			receipt[row] += ship[row]
			row++
		}
	}
}

// fillFlags makes l_returnflag, of which only received lines draw, and
// l_linestatus.
func (s *lineSource) fillFlags(c []Vector) {
	flag, status, ship, receipt := c[8].Int32, c[9].Int32, c[10].Int32, c[12].Int32
	row, state := 0, s.flag.seed
	for _, n := range s.counts {
		rest := int32(linesPerOrder)
		for range n {
			flag[row] = notReceived
			if receipt[row] <= currentDate {
				state = state.next()
				flag[row] = state.below(notReceived)
				rest--
			}
			status[row] = 0
			if ship[row] > currentDate {
				status[row] = 1
			}
			row++
		}
		state = state.jump(leftover[rest])
	}
	s.flag.seed = state
}

// fillComments makes l_comment.
func (s *lineSource) fillComments(v *Vector) {
	s.cuts = sized(s.cuts, len(v.Ends))
	at := 0
	for _, n := range s.counts {
		s.comments.draw(s.cuts[at : at+int(n)])
		s.comments.seed = s.comments.seed.jump(leftover[2*(linesPerOrder-n)])
		at += int(n)
	}
	pool().fill(v, s.cuts)
}
