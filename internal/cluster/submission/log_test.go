package submission

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// keeper has the log of one driver, and does nothing else.
type keeper struct{ Server }

func (keeper) Log(_ context.Context, id, stream string) (io.ReadCloser, error) {
	if id != "driver-1" {
		return nil, errors.New("there is no " + id)
	}
	return io.NopCloser(strings.NewReader(stream + " of it")), nil
}

func TestLogs(t *testing.T) {
	s := httptest.NewServer(Handler(keeper{}, nil))
	defer s.Close()
	c := Client{Address: s.Listener.Addr().String()}
	var out strings.Builder
	if err := c.Log(t.Context(), "driver-1", "stderr", &out); err != nil || out.String() != "stderr of it" {
		t.Errorf("%q, %v", out.String(), err)
	}
	var refused *Error
	if err := c.Log(t.Context(), "driver-2", "stderr", &out); !errors.As(err, &refused) || refused.Message != "there is no driver-2" {
		t.Errorf("%v", err)
	}
}
