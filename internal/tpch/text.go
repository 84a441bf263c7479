package tpch

import "sync"

// Comments are cut out of one long text, made by a small grammar. The text
// has 300 MiB; it is kept as one byte per word (about a seventh) with an index
// from text positions to words.
const (
	poolBytes  = 300 << 20
	poolSeed   = seed(933588178)
	markStride = 64 // text bytes per index entry
	markBits   = 5  // bits of an index entry for the position in the word
	wordBytes  = 24 // room per word, more than the longest
)

// word is a word of the text with the blank before it, or a punctuation mark.
type word struct {
	text [wordBytes]byte
	size uint32
}

// textPool is the text. It is immutable once built and safe for concurrent use.
type textPool struct {
	vocabulary [256]word
	words      []uint8
	// marks[k] locates text byte k*markStride: number of the word that holds
	// it, and the byte's position in that word in the low markBits.
	marks []uint32
}

// pool builds the text at first use (a fraction of a second, 65 MB) and keeps it.
var pool = sync.OnceValue(newTextPool)

// grammar holds, for each distribution, the words by random number.
type grammar struct {
	nouns, verbs, adverbs, adjectives, prepositions, auxiliaries, terminators []uint8
	sentences, nounPhrases, verbPhrases                                       []string
	comma                                                                     uint8
}

// spread repeats each entry by its weight.
func spread[T any](entries []weighted, value func(weighted) T) []T {
	var out []T
	for _, e := range entries {
		for range e.weight {
			out = append(out, value(e))
		}
	}
	return out
}

// newGrammar numbers all words and fills the vocabulary.
func newGrammar(vocabulary *[256]word) *grammar {
	count := 0
	add := func(text string) uint8 {
		vocabulary[count].size = uint32(copy(vocabulary[count].text[:], text))
		count++
		return uint8(count - 1)
	}
	number := func(entries []weighted, before, after string) []uint8 {
		var out []uint8
		for _, e := range entries {
			id := add(before + e.text + after)
			for range e.weight {
				out = append(out, id)
			}
		}
		return out
	}
	letters := func(e weighted) string {
		out := make([]byte, 0, len(e.text))
		for _, c := range []byte(e.text) {
			if c != ' ' {
				out = append(out, c)
			}
		}
		return string(out)
	}
	return &grammar{
		nouns:        number(nouns, " ", ""),
		verbs:        number(verbs, " ", ""),
		adverbs:      number(adverbs, " ", ""),
		adjectives:   number(adjectives, " ", ""),
		prepositions: number(prepositions, " ", " the"),
		auxiliaries:  number(auxiliaries, " ", ""),
		terminators:  number(terminators, "", ""),
		comma:        add(","),
		sentences:    spread(sentences, letters),
		nounPhrases:  spread(nounPhrases, letters),
		verbPhrases:  spread(verbPhrases, letters),
	}
}

// writer makes the text word by word.
type writer struct {
	*grammar
	pool  *textPool
	seed  seed
	size  uint32 // text bytes so far
	words int    // words so far
	marks uint32 // index entries so far
}

// pick draws one entry of a spread distribution.
func pick[T any](w *writer, from []T) T {
	w.seed = w.seed.next()
	return from[w.seed.below(float64(len(from)))]
}

// put appends one word.
func (w *writer) put(id uint8) {
	p := w.pool
	begin := w.size
	w.size += p.vocabulary[id].size
	if mark := w.marks*markStride + 1; mark < w.size {
		p.marks[w.marks] = uint32(w.words)<<markBits | (mark - begin)
		w.marks++
	}
	p.words[w.words] = id
	w.words++
}

// checkpoint is the state of the writer between two sentences.
type checkpoint struct {
	seed  seed
	size  uint32 // text bytes before
	words int    // words before
}

// checkpoints divide the text into segments that can be written in parallel.
// All but the first, which is known, come from writing the text in one go.
var checkpoints = [...]checkpoint{
	{poolSeed, 0, 0},
	{374858592, 39321619, 5513121},
	{123793686, 78643223, 11024558},
	{1062410537, 117964817, 16536522},
	{400078567, 157286442, 22048632},
	{1105413057, 196608019, 27559791},
	{1407925218, 235929648, 33071668},
	{42055684, 275251227, 38582392},
	{0, poolBytes + 1, poolWords},
}

// poolWords is the number of words up to the end of the last sentence.
const poolWords = 44093402

// newTextPool makes the whole text.
func newTextPool() *textPool {
	p := &textPool{words: make([]uint8, poolWords), marks: make([]uint32, markBefore(poolBytes+1+wordBytes*markStride))}
	g := newGrammar(&p.vocabulary)
	var wg sync.WaitGroup
	for i := range len(checkpoints) - 1 {
		wg.Go(func() { newWriter(p, g, checkpoints[i]).writeUntil(checkpoints[i+1].size) })
	}
	wg.Wait()
	return p
}

// markBefore is the number of index entries for the text before a position.
// The first word has no blank before it: the text begins behind it, at 1.
func markBefore(size uint32) uint32 { return (size + markStride - 2) / markStride }

func newWriter(p *textPool, g *grammar, from checkpoint) *writer {
	return &writer{grammar: g, pool: p, seed: from.seed, size: from.size, words: from.words, marks: markBefore(from.size)}
}

// writeUntil appends sentences up to a size.
func (w *writer) writeUntil(size uint32) {
	for w.size < size {
		w.sentence()
	}
}

// sentence appends one sentence.
func (w *writer) sentence() {
	for _, part := range []byte(pick(w, w.sentences)) {
		switch part {
		case 'N':
			w.nounPhrase()
		case 'V':
			w.verbPhrase()
		case 'P':
			w.put(pick(w, w.prepositions))
			w.nounPhrase()
		case 'T':
			w.put(pick(w, w.terminators))
		}
	}
}

// nounPhrase appends one noun phrase.
func (w *writer) nounPhrase() {
	for _, part := range []byte(pick(w, w.nounPhrases)) {
		switch part {
		case 'N':
			w.put(pick(w, w.nouns))
		case 'J':
			w.put(pick(w, w.adjectives))
		case 'D':
			w.put(pick(w, w.adverbs))
		case ',':
			w.put(w.comma)
		}
	}
}

// verbPhrase appends one verb phrase.
func (w *writer) verbPhrase() {
	for _, part := range []byte(pick(w, w.verbPhrases)) {
		switch part {
		case 'V':
			w.put(pick(w, w.verbs))
		case 'X':
			w.put(pick(w, w.auxiliaries))
		case 'D':
			w.put(pick(w, w.adverbs))
		}
	}
}

// cut is a piece of the text.
type cut struct{ begin, size int32 }

// cutBlock is the number of cuts looked up at a time. Nearly every look-up
// misses the processor's caches; as those of a block do not depend on each
// other, their misses overlap.
const cutBlock = 64

// fill replaces the strings of v by the pieces of the text.
func (p *textPool) fill(v *Vector, cuts []cut) {
	v.Text = v.Text[:0]
	for len(cuts) > 0 {
		n := min(len(cuts), cutBlock)
		p.fillBlock(v, cuts[:n], len(v.Ends)-len(cuts))
		cuts = cuts[n:]
	}
}

// fillBlock appends at most cutBlock pieces, the first being row's.
func (p *textPool) fillBlock(v *Vector, cuts []cut, row int) {
	var marks [cutBlock]uint32
	size := wordBytes
	for i, c := range cuts {
		marks[i] = p.marks[c.begin/markStride]
		size += int(c.size)
	}
	var first [cutBlock]uint8
	for i := range cuts {
		first[i] = p.words[marks[i]>>markBits]
	}
	begin := len(v.Text)
	text := grow(v.Text, size)
	for i, c := range cuts {
		skip := uint32(c.begin%markStride) + marks[i]&(1<<markBits-1)
		p.copy(text[begin:begin+int(c.size)+wordBytes], int(marks[i]>>markBits), first[i], skip, int(c.size))
		begin += int(c.size)
		v.Ends[row+i] = int32(begin)
	}
	v.Text = text[:begin]
}

// copy writes size text bytes to out, from skip bytes behind the begin of the
// word at a place, which is the given one. It may write wordBytes more.
func (p *textPool) copy(out []byte, at int, id uint8, skip uint32, size int) {
	w := &p.vocabulary[id]
	for skip >= w.size {
		skip -= w.size
		at++
		w = &p.vocabulary[p.words[at]]
	}
	n := copy(out, w.text[skip:w.size])
	for n < size {
		at++
		w = &p.vocabulary[p.words[at]]
		*(*[wordBytes]byte)(out[n:]) = w.text
		n += int(w.size)
	}
}

// grow makes sure that n more bytes fit, and returns dst with the room.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) < n {
		bigger := make([]byte, len(dst), 2*cap(dst)+n)
		copy(bigger, dst)
		dst = bigger
	}
	return dst[:len(dst)+n]
}

// comments draws comments: a place in the text and a length, two draws each.
type comments struct {
	seed     seed
	places   float64
	shortest int32
	sizes    float64
	cuts     []cut // scratch
}

// newComments positions a stream on a row; the lengths go from 0.4 to 1.6
// times the average.
func newComments(s stream, row int64, average float64) comments {
	shortest, longest := int32(average*0.4), int32(average*1.6)
	return comments{
		seed:     s.at(row),
		places:   float64(poolBytes - longest + 1),
		shortest: shortest, sizes: float64(longest - shortest + 1),
	}
}

// draw draws one comment per cut.
func (c *comments) draw(cuts []cut) {
	s := c.seed
	for i := range cuts {
		s = s.next()
		begin := s.below(c.places)
		s = s.next()
		cuts[i] = cut{begin, c.shortest + s.below(c.sizes)}
	}
	c.seed = s
}

// fill draws the comments of all rows of v.
func (c *comments) fill(v *Vector) {
	c.cuts = sized(c.cuts, len(v.Ends))
	c.draw(c.cuts)
	pool().fill(v, c.cuts)
}
