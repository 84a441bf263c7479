package tpch

// Suppliers and customers, with the tables of regions and nations.

const (
	suppliers = 10000
	customers = 150000

	// balances are drawn from -999.99 to 9999.99.
	leastBalance = -99999
	balances     = 999999 + 99999 + 1
)

// openRegion begins the table region at a row.
func openRegion(t *Table, _ float64, first int64) source {
	return &placeSource{table: t, next: first,
		comments: newComments(stream{1500869201, 2}, first, 72)}
}

// openNation begins the table nation at a row.
func openNation(t *Table, _ float64, first int64) source {
	return &placeSource{table: t, next: first,
		comments: newComments(stream{606179079, 2}, first, 72)}
}

// nationNames are the values of n_name, by key.
func nationNames() []string {
	names := make([]string, len(nations))
	for i, n := range nations {
		names[i] = n.name
	}
	return names
}

// placeSource makes region and nation.
type placeSource struct {
	table    *Table
	next     int64
	comments comments
}

func (s *placeSource) fill(b *Batch, n int) {
	b.reset(s.table, n)
	for i := range n {
		key := s.next + int64(i)
		b.Columns[0].Int64[i] = key
		b.Columns[1].Int32[i] = int32(key)
		if len(b.Columns) == 4 {
			b.Columns[2].Int64[i] = nations[key].region
		}
	}
	s.comments.fill(&b.Columns[len(b.Columns)-1])
	s.next += int64(n)
}

// addresses draws strings of 10 to 40 letters, digits, blanks and commas.
type addresses struct{ seed seed }

const (
	addressDraws   = 9
	addressLetters = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"
)

// append draws one address to the end of dst. A draw over the full 31 bits,
// whose range is negative by overflow, serves five letters.
func (a *addresses) append(dst []byte) []byte {
	first := a.seed
	s := first.next()
	size := int(10 + s.below(31))
	var bits int64
	for i := range size {
		if i%5 == 0 {
			s = s.next()
			bits = int64(s.below(-1 << 31))
		}
		dst = append(dst, addressLetters[bits&63])
		bits >>= 6
	}
	a.seed = first.jump(leftover[addressDraws])
	return dst
}

// phones draws phone numbers.
type phones struct{ seed seed }

// append draws one phone number of a nation to the end of dst.
func (p *phones) append(dst []byte, nation int64) []byte {
	s := p.seed.next()
	dst = appendPadded(dst, 10+nation, 2)
	dst = appendPadded(append(dst, '-'), int64(100+s.below(900)), 3)
	s = s.next()
	dst = appendPadded(append(dst, '-'), int64(100+s.below(900)), 3)
	s = s.next()
	dst = appendPadded(append(dst, '-'), int64(1000+s.below(9000)), 4)
	p.seed = s
	return dst
}

// party is what suppliers and customers share.
type party struct {
	table     *Table
	next      int64
	prefix    string
	nation    seed
	balance   seed
	addresses addresses
	phones    phones
	comments  comments
}

// fill makes key, name, address, nation, phone, balance, and the comment in
// the last column.
func (p *party) fill(b *Batch, n int) {
	b.reset(p.table, n)
	key, name, address, nation, phone, balance := &b.Columns[0], &b.Columns[1], &b.Columns[2], &b.Columns[3], &b.Columns[4], &b.Columns[5]
	for i := range n {
		k := p.next + int64(i) + 1
		key.Int64[i] = k
		name.Text = appendPadded(append(name.Text, p.prefix...), k, 9)
		name.Ends[i] = int32(len(name.Text))
		address.Text = p.addresses.append(address.Text)
		address.Ends[i] = int32(len(address.Text))
		p.nation = p.nation.next()
		nation.Int64[i] = int64(p.nation.below(25))
		phone.Text = p.phones.append(phone.Text, nation.Int64[i])
		phone.Ends[i] = int32(len(phone.Text))
		p.balance = p.balance.next()
		balance.Int64[i] = leastBalance + int64(p.balance.below(balances))
	}
	p.comments.fill(&b.Columns[len(b.Columns)-1])
	p.next += int64(n)
}

// openCustomer begins the table customer at a row.
func openCustomer(t *Table, _ float64, first int64) source {
	return &customerSource{
		party: party{
			table: t, next: first, prefix: "Customer#",
			addresses: addresses{stream{881155353, addressDraws}.at(first)},
			nation:    stream{1489529863, 1}.at(first),
			phones:    phones{stream{1521138112, 3}.at(first)},
			balance:   stream{298370230, 1}.at(first),
			comments:  newComments(stream{1335826707, 2}, first, 73),
		},
		segment: stream{1140279430, 1}.at(first),
	}
}

type customerSource struct {
	party
	segment seed
}

func (s *customerSource) fill(b *Batch, n int) {
	s.party.fill(b, n)
	s.segment = drawCodes(b.Columns[6].Int32, s.segment, len(segments))
}

// drawCodes draws one number below span per element.
func drawCodes(dst []int32, s seed, span int) seed {
	for i := range dst {
		s = s.next()
		dst[i] = s.below(float64(span))
	}
	return s
}

// openSupplier begins the table supplier at a row.
func openSupplier(t *Table, _ float64, first int64) source {
	return &supplierSource{
		party: party{
			table: t, next: first, prefix: "Supplier#",
			addresses: addresses{stream{706178559, addressDraws}.at(first)},
			nation:    stream{110356601, 1}.at(first),
			phones:    phones{stream{884434366, 3}.at(first)},
			balance:   stream{962338209, 1}.at(first),
			comments:  newComments(stream{1341315363, 2}, first, 63),
		},
		chosen: stream{202794285, 1}.at(first),
		gap:    stream{263032577, 1}.at(first),
		place:  stream{715851524, 1}.at(first),
		kind:   stream{753643799, 1}.at(first),
	}
}

// supplierSource adds the remarks on some suppliers to the comments.
type supplierSource struct {
	party
	chosen, gap, place, kind seed
}

const (
	remarkSubject   = "Customer "
	remarkComplaint = "Complaints"
	remarkPraise    = "Recommends"
	remarkSize      = len(remarkSubject) + len(remarkComplaint)
)

func (s *supplierSource) fill(b *Batch, n int) {
	s.party.fill(b, n)
	comment := &b.Columns[6]
	for i := range n {
		s.chosen, s.gap, s.place, s.kind = s.chosen.next(), s.gap.next(), s.place.next(), s.kind.next()
		if s.chosen.below(suppliers) < 10 {
			s.remark(comment.String(i))
		}
	}
}

// remark writes a complaint or a praise over a comment: the subject, some
// text left as it was, and the verb. It leaves the comment's length.
func (s *supplierSource) remark(comment []byte) {
	free := len(comment) - remarkSize
	gap := int(s.gap.below(float64(free + 1)))
	place := int(s.place.below(float64(free - gap + 1)))
	verb := remarkPraise
	if s.kind.below(101) < 50 {
		verb = remarkComplaint
	}
	copy(comment[place:], remarkSubject)
	copy(comment[place+len(remarkSubject)+gap:], verb)
}
