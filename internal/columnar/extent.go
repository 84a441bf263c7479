package columnar

// RowsWithin is how many rows of b from a given one on take about so many bytes when they are copied: at least one, at most
// those up to the end.
func (b *Batch) RowsWithin(from, end int, bytes int64) int {
	fixed := int64(0)
	var texts []*Vector
	for i := range b.Cols {
		if v := &b.Cols[i]; longTexts(v) {
			texts = append(texts, v)
			fixed += int64(View16.Width())
		} else {
			fixed += rowWidth(v)
		}
	}
	if len(texts) == 0 {
		return int(min(max(bytes/max(fixed, 1), 1), int64(end-from)))
	}
	n := 0
	for bytes > 0 && from+n < end {
		bytes -= fixed
		for _, v := range texts {
			bytes -= textLen(v, from+n)
		}
		n++
	}
	return max(n, 1)
}

// longTexts says whether the texts of a vector have to be looked at one by one: constants and small dictionaries are
// written once.
func longTexts(v *Vector) bool {
	return LayoutOf(v.Type) == View16 && (v.Form == Flat || v.Form == Dict && v.Dict.N > v.N)
}

func textLen(v *Vector, row int) int64 {
	if v.Form == Dict {
		v, row = v.Dict, int(v.Codes[row])
	}
	if w := &Of[View](v.Data)[row]; w.Len > InlineMax {
		return int64(w.Len)
	}
	return 0
}

// rowWidth is what a row of a vector takes on average.
func rowWidth(v *Vector) int64 {
	l := LayoutOf(v.Type)
	switch {
	case v.Form == Const || v.N == 0:
		return 0
	case v.Form == Dict:
		return 4
	case l < List:
		return int64(l.Width())
	}
	return v.Bytes() / int64(v.N)
}
