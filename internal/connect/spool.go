package connect

import (
	"crypto/cipher"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// A Spool keeps the responses that slow clients have not read yet on a disk, so that their queries end and free what they
// hold.
type Spool struct {
	// Create makes an empty file. The operation removes its name at once: the file goes with the process.
	Create func() (*os.File, error)
	Seal   cipher.AEAD // encrypts what is written, if it is set; it makes its own nonces
}

const (
	// spoolAfter is how long a producer waits for its client before it writes to a file.
	spoolAfter = time.Second
	// maxSpool is how much is kept for one client. A producer that has more waits.
	maxSpool = 16 << 30
)

// spoolFile are the responses of one operation that lie on a disk; op.mu guards it. It may be nil.
type spoolFile struct {
	Spool
	f      *os.File
	end    int64
	broken bool // a disk that failed is not tried again
}

// add writes a response, and says whether it could.
func (s *spoolFile) add(m *connectpb.ExecutePlanResponse) (r *response, ok bool) {
	if s == nil || s.broken || s.Create == nil || s.end > maxSpool {
		return nil, false
	}
	data, err := proto.Marshal(m)
	if err == nil && s.f == nil {
		err = s.open()
	}
	if err != nil {
		s.broken = true
		return nil, false
	}
	if s.Seal != nil {
		data = s.Seal.Seal(nil, nil, data, nil)
	}
	if _, err := s.f.WriteAt(data, s.end); err != nil {
		s.broken = true
		return nil, false
	}
	r = &response{id: m.ResponseId, at: s.end, stored: len(data)}
	s.end += int64(len(data))
	return r, true
}

func (s *spoolFile) open() error {
	f, err := s.Create()
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close() // the first error says why
		return err
	}
	s.f = f
	return nil
}

// read gives a response back.
func (s *spoolFile) read(r *response) (*connectpb.ExecutePlanResponse, error) {
	data := make([]byte, r.stored)
	if _, err := s.f.ReadAt(data, r.at); err != nil {
		return nil, fmt.Errorf("reading results that were kept for the client failed: %w", err)
	}
	if s.Seal != nil {
		var err error
		if data, err = s.Seal.Open(data[:0], nil, data, nil); err != nil {
			return nil, fmt.Errorf("results that were kept for the client are damaged: %w", err)
		}
	}
	m := &connectpb.ExecutePlanResponse{}
	return m, proto.Unmarshal(data, m)
}

// close gives the space back. Nothing can be added afterwards.
func (s *spoolFile) close() {
	if s == nil {
		return
	}
	s.broken = true
	if s.f != nil {
		_ = s.f.Close() // nothing is written that anybody needs
	}
}
