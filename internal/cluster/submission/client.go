package submission

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Client asks a server, whose address is host:port.
type Client struct{ Address string }

// askLimit is how long a server may take to answer.
const askLimit = 30 * time.Second

// Error is the answer of a server that does not take a request.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("the server answered %d: %s", e.Code, e.Message) }

// Create submits a driver.
func (c Client) Create(ctx context.Context, q Request) (Reply, error) {
	q.Action, q.ClientSparkVersion = "CreateSubmissionRequest", ServerVersion
	r, err := c.ask(ctx, http.MethodPost, "create", &q)
	return r.reply(), err
}

// Kill ends a driver.
func (c Client) Kill(ctx context.Context, id string) (Reply, error) {
	r, err := c.ask(ctx, http.MethodPost, "kill/"+id, nil)
	return r.reply(), err
}

// Status says what is known of a driver.
func (c Client) Status(ctx context.Context, id string) (State, error) {
	r, err := c.ask(ctx, http.MethodGet, "status/"+id, nil)
	return State{r.reply().OK, r.State, r.Worker, r.Place, r.text()}, err
}

// Log writes what a driver has written so far to stdout or stderr, where the server has that.
func (c Client) Log(ctx context.Context, id, stream string, out io.Writer) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Address+"/"+Version+"/submissions/log/"+url.PathEscape(id)+"/"+stream, http.NoBody)
	if err != nil {
		return err
	}
	q.Close = true // the only request for a while
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusOK {
		_, err = io.Copy(out, a.Body)
		return err
	}
	var r response
	b, err := io.ReadAll(io.LimitReader(a.Body, maxMessage))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return err
	}
	return &Error{a.StatusCode, r.text()}
}

func (r *response) reply() Reply { return Reply{r.Success != nil && *r.Success, r.ID, r.text()} }

func (r *response) text() string {
	if r.Message == nil {
		return ""
	}
	return *r.Message
}

func (c Client) ask(ctx context.Context, method, path string, body any) (r response, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askLimit, fmt.Errorf("the server did not answer within %s", askLimit))
	defer cancel()
	var in io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return r, err
		}
		in = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+c.Address+"/"+Version+"/submissions/"+path, in)
	if err != nil {
		return r, err
	}
	q.Header.Set("Content-Type", "application/json;charset=UTF-8")
	q.Close = true // the only request for a while
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return r, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(io.LimitReader(a.Body, maxMessage))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s answers in no form of the submission protocol: %w", c.Address, err)
	}
	if r.Action == "ErrorResponse" || a.StatusCode != http.StatusOK {
		return r, &Error{a.StatusCode, r.text()}
	}
	return r, nil
}
