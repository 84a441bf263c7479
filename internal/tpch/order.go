package tpch

// Orders and their lines. Both tables draw from the streams of order dates,
// line counts, quantities, discounts, taxes, part keys and ship dates, so
// that either can be made without the other.

const (
	orders = 1500000
	clerks = 1000

	firstDate   = 8035 // 1992-01-01
	orderDates  = 2406 // dates of orders, the first being firstDate
	currentDate = firstDate + 1263
	shipDays    = 121
)

var (
	orderDateStream = stream{1066728069, 1}
	lineCountStream = stream{1434868289, 1}
	quantityStream  = stream{209208115, linesPerOrder}
	discountStream  = stream{554590007, linesPerOrder}
	taxStream       = stream{721958466, linesPerOrder}
	partKeyStream   = stream{1808217256, linesPerOrder}
	shipDateStream  = stream{1769349045, linesPerOrder}
)

// orderStatus are the values of o_orderstatus: all lines shipped, none, some.
var orderStatus = []string{"F", "O", "P"}

// orderKey is the key of an order counted from 1: of 32 keys only the first
// eight are used.
func orderKey(order int64) int64 {
	return order>>3<<5 | order&7
}

// openOrders begins the table orders at a row.
func openOrders(t *Table, sf float64, first int64) source {
	return &orderSource{
		table: t, next: first, customers: scaled(customers, sf),
		date:     orderDateStream.at(first),
		customer: newKeyStream(stream{851767375, 1}, first, sf, scaled(customers, sf)),
		priority: stream{591449447, 1}.at(first),
		clerk:    stream{1171034773, 1}.at(first),
		clerks:   float64(max(int64(clerks), scaled(clerks, sf))),
		comments: newComments(stream{276090261, 2}, first, 49),
		lines:    lineCountStream.at(first),
		quantity: quantityStream.at(first),
		discount: discountStream.at(first),
		tax:      taxStream.at(first),
		part:     newKeyStream(partKeyStream, first, sf, scaled(parts, sf)),
		ship:     shipDateStream.at(first),
	}
}

type orderSource struct {
	table           *Table
	next            int64
	customers       int64
	date            seed
	customer        keyStream
	priority, clerk seed
	clerks          float64
	comments        comments

	lines, quantity, discount, tax, ship seed
	part                                 keyStream
}

func (s *orderSource) fill(b *Batch, n int) {
	b.reset(s.table, n)
	c := b.Columns
	clerk := &c[6]
	for i := range n {
		c[0].Int64[i] = orderKey(s.next + int64(i) + 1)
		c[1].Int64[i] = s.drawCustomer()
		s.date = s.date.next()
		c[4].Int32[i] = firstDate + s.date.below(orderDates)
		c[2].Int32[i], c[3].Int64[i] = s.drawLines(c[4].Int32[i])
		s.clerk = s.clerk.next()
		clerk.Text = appendPadded(append(clerk.Text, "Clerk#"...), 1+int64(s.clerk.below(s.clerks)), 9)
		clerk.Ends[i] = int32(len(clerk.Text))
	}
	s.comments.fill(&c[8])
	s.priority = drawCodes(c[5].Int32, s.priority, len(priorities))
	clear(c[7].Int32)
	s.next += int64(n)
}

// drawCustomer draws a customer's key. A third of the customers, those whose
// key is a multiple of three, have no orders.
func (s *orderSource) drawCustomer() int64 {
	key := s.customer.next()
	for step := int64(1); key%3 == 0; step = -step {
		key = min(key+step, s.customers)
	}
	return key
}

// drawLines goes through the lines of the next order: its status and total
// price in hundredths.
func (s *orderSource) drawLines(date int32) (status int32, total int64) {
	s.lines = s.lines.next()
	n := int(1 + s.lines.below(linesPerOrder))
	shipped := 0
	for range n {
		s.quantity, s.discount, s.tax, s.ship = s.quantity.next(), s.discount.next(), s.tax.next(), s.ship.next()
		price := retailPrice(s.part.next()) * int64(1+s.quantity.below(50))
		net := price * int64(100-s.discount.below(11)) / 100
		total += net * int64(100+s.tax.below(9)) / 100
		if date+1+s.ship.below(shipDays) <= currentDate {
			shipped++
		}
	}
	rest := leftover[linesPerOrder-n]
	s.quantity, s.discount, s.tax, s.ship = s.quantity.jump(rest), s.discount.jump(rest), s.tax.jump(rest), s.ship.jump(rest)
	s.part.finish(n)
	switch shipped {
	case n:
		return 0, total
	case 0:
		return 1, total
	}
	return 2, total
}

// finish jumps over the draws that an order of n lines has left.
func (k *keyStream) finish(n int) {
	if k.wide {
		k.skip(int64(linesPerOrder - n))
		return
	}
	k.state = int64(seed(k.state).jump(leftover[linesPerOrder-n]))
}
