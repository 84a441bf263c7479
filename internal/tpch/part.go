package tpch

import "strconv"

// Parts and which suppliers offer them.

const (
	parts            = 200000
	suppliersPerPart = 4
)

// retailPrice is p_retailprice of a part, in hundredths.
func retailPrice(part int64) int64 {
	return 90000 + part/10%20001 + part%1000*100
}

// supplierOf is the key of the nth of the four suppliers, from 0, of a part,
// of count suppliers in all.
func supplierOf(part, n, count int64) int64 {
	return (part+n*(count/suppliersPerPart+(part-1)/count))%count + 1
}

// manufacturers are the values of p_mfgr.
func manufacturers() []string {
	names := make([]string, 5)
	for i := range names {
		names[i] = "Manufacturer#" + strconv.Itoa(i+1)
	}
	return names
}

// brands are the values of p_brand, five of each manufacturer.
func brands() []string {
	names := make([]string, 25)
	for i := range names {
		names[i] = "Brand#" + strconv.Itoa(i/5+1) + strconv.Itoa(i%5+1)
	}
	return names
}

// openPart begins the table part at a row.
func openPart(t *Table, _ float64, first int64) source {
	return &partSource{
		table: t, next: first,
		names:        newPartNames(first),
		manufacturer: stream{1, 1}.at(first),
		brand:        stream{46831694, 1}.at(first),
		kind:         stream{1841581359, 1}.at(first),
		size:         stream{1193163244, 1}.at(first),
		container:    stream{727633698, 1}.at(first),
		comments:     newComments(stream{804159733, 2}, first, 14),
	}
}

type partSource struct {
	table                                      *Table
	next                                       int64
	names                                      partNames
	manufacturer, brand, kind, size, container seed
	comments                                   comments
}

func (s *partSource) fill(b *Batch, n int) {
	b.reset(s.table, n)
	c := b.Columns
	s.manufacturer = drawCodes(c[2].Int32, s.manufacturer, 5)
	s.brand = drawCodes(c[3].Int32, s.brand, 5)
	s.kind = drawCodes(c[4].Int32, s.kind, len(partTypes))
	s.size = drawCodes(c[5].Int32, s.size, 50)
	s.container = drawCodes(c[6].Int32, s.container, len(containers))
	name := &c[1]
	for i := range n {
		key := s.next + int64(i) + 1
		c[0].Int64[i] = key
		name.Text = s.names.append(name.Text)
		name.Ends[i] = int32(len(name.Text))
		c[3].Int32[i] += c[2].Int32[i] * 5
		c[5].Int32[i]++
		c[7].Int64[i] = retailPrice(key)
	}
	s.comments.fill(&c[8])
	s.next += int64(n)
}

// partNames draws names of five different colors: the first five of a
// shuffle, of which the stream reserves all draws.
type partNames struct {
	seed  seed
	rest  factor
	order [92]uint8 // the colors in their own order between draws
}

const nameWords = 5

// newPartNames positions the names on a row.
func newPartNames(first int64) partNames {
	all := int64(len(colors))
	p := partNames{seed: stream{709314158, all}.at(first), rest: draws(all - nameWords)}
	for i := range p.order {
		p.order[i] = uint8(i)
	}
	return p
}

// append draws one name to the end of dst.
func (p *partNames) append(dst []byte) []byte {
	var swapped [nameWords]int
	for i := range nameWords {
		p.seed = p.seed.next()
		j := i + int(p.seed.below(float64(len(p.order)-i)))
		p.order[i], p.order[j] = p.order[j], p.order[i]
		swapped[i] = j
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, colors[p.order[i]]...)
	}
	for i := nameWords - 1; i >= 0; i-- {
		j := swapped[i]
		p.order[i], p.order[j] = p.order[j], p.order[i]
	}
	p.seed = p.seed.jump(p.rest)
	return dst
}

// openPartSupp begins the table partsupp at a part.
func openPartSupp(t *Table, sf float64, first int64) source {
	return &partSuppSource{
		table: t, next: first, suppliers: scaled(suppliers, sf),
		quantity: stream{1671059989, suppliersPerPart}.at(first),
		cost:     stream{1051288424, suppliersPerPart}.at(first),
		comments: newComments(stream{1961692154, 2 * suppliersPerPart}, first, 124),
	}
}

type partSuppSource struct {
	table          *Table
	next           int64
	suppliers      int64
	quantity, cost seed
	comments       comments
}

func (s *partSuppSource) fill(b *Batch, n int) {
	b.reset(s.table, n*suppliersPerPart)
	c := b.Columns
	for i := range b.Rows {
		part := s.next + int64(i/suppliersPerPart) + 1
		c[0].Int64[i] = part
		c[1].Int64[i] = supplierOf(part, int64(i%suppliersPerPart), s.suppliers)
		s.quantity, s.cost = s.quantity.next(), s.cost.next()
		c[2].Int32[i] = 1 + s.quantity.below(9999)
		c[3].Int64[i] = 100 + int64(s.cost.below(99901))
	}
	s.comments.fill(&c[4])
	s.next += int64(n)
}
