package mesos

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// maxRecord bounds an event; thousands of offers fit.
const maxRecord = 64 << 20

// maxLength bounds the decimal length before a record.
const maxLength = 12

// readRecord reads one record of a RecordIO stream: its decimal length, a newline, and so many bytes. At the end of the
// stream it is io.EOF, in the middle of a record io.ErrUnexpectedEOF.
func readRecord(r *bufio.Reader) ([]byte, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer // it grows with what arrives, not with what is promised
	if _, err := io.CopyN(&b, r, n); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b.Bytes(), nil
}

func readLength(r *bufio.Reader) (int64, error) {
	var digits []byte
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF && len(digits) > 0:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case c == '\n':
			n, err := strconv.ParseUint(string(digits), 10, 63)
			if err != nil || n > maxRecord {
				return 0, fmt.Errorf("a record of the stream has the length %q", digits)
			}
			return int64(n), nil
		case len(digits) == maxLength:
			return 0, fmt.Errorf("a record of the stream begins with %q, which is no length", digits)
		}
		digits = append(digits, c)
	}
}
