package kernel

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// ErrWide says that the rows of a batch make too much text to be computed at once: fewer rows are to be tried. Only who sets
// Ctx.Heap meets it.
var ErrWide = errors.New("the batch makes too much text")

// Room refuses a value of n bytes before a function makes it, if it is larger than a value may be.
func Room(function string, n int64) error {
	if most := columnar.MaxValue(); n > most {
		return &TooLargeError{Function: function, Bytes: n, Most: most}
	}
	return nil
}

// TooLargeError says that a function would make a value that is larger than memory allows.
type TooLargeError struct {
	Function    string
	Bytes, Most int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s would make a value of %d bytes; one may have %d", e.Function, e.Bytes, e.Most)
}

// tooLarge is the error of a row: UNABLE_TO_ACQUIRE_MEMORY, which says which row it is.
func (c *Ctx) tooLarge(err error, row int) error {
	var e *TooLargeError
	if !errors.As(err, &e) {
		return err
	}
	by := "a quarter of the process's memory: raise spark.driver.memory or spark.executor.memory"
	if e.Most == columnar.MaxValueLen {
		by = "the most that there is"
	}
	detail := fmt.Sprintf("0 (%s would make a value of %d bytes in row %d of partition %d; a value may have %d bytes, %s)",
		e.Function, e.Bytes, c.RowBase+int64(row)+1, c.Partition, e.Most, by)
	return sparkerr.New("UNABLE_TO_ACQUIRE_MEMORY", "requestedBytes", strconv.FormatInt(e.Bytes, 10), "receivedBytes", detail)
}

// full says that a heap of texts has grown too large: for this batch, or for the offsets that views have.
func (o *textOut) full(row int) error {
	if n := len(o.text); n > math.MaxUint32 {
		return o.c.tooLarge(&TooLargeError{Function: "the texts of a batch", Bytes: int64(n), Most: math.MaxUint32}, row)
	} else if o.c.Heap > 0 && n > o.c.Heap && len(o.views) > 1 {
		return ErrWide
	}
	return nil
}
