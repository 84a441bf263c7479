package eventlog

import (
	"github.com/firesteel/firesteel/internal/event"
)

type connectService struct {
	Event string
	Host  string `json:"hostAddress"`
	Port  int    `json:"bindingPort"`
	Time  int64  `json:"eventTime"`
}

type connectSession struct {
	Event   string
	Session string   `json:"sessionId"`
	User    string   `json:"userId"`
	Time    int64    `json:"eventTime"`
	Extra   struct{} `json:"extraTags"`
}

type connectStarted struct {
	Event     string
	JobTag    string   `json:"jobTag"`
	Operation string   `json:"operationId"`
	Time      int64    `json:"eventTime"`
	Session   string   `json:"sessionId"`
	User      string   `json:"userId"`
	UserName  string   `json:"userName"`
	Statement string   `json:"statementText"`
	Tags      []string `json:"sparkSessionTags"`
	Extra     struct{} `json:"extraTags"`
}

type connectOperation struct {
	Event     string
	JobTag    string   `json:"jobTag"`
	Operation string   `json:"operationId"`
	Time      int64    `json:"eventTime"`
	Error     *string  `json:"errorMessage,omitempty"`
	Rows      *int64   `json:"producedRowCount,omitempty"`
	Extra     struct{} `json:"extraTags"`
}

// connectForm is the form of what clients of Connect do.
func (e *encoder) connectForm(name string, ev event.Event) any {
	switch ev := ev.(type) {
	case event.ConnectService:
		return connectService{name, ev.Host, ev.Port, millis(ev.Time)}
	case event.ConnectSession:
		return connectSession{Event: name, Session: ev.Session, User: ev.User, Time: millis(ev.Time)}
	case event.ConnectOperationStarted:
		f := connectStarted{Event: name, JobTag: ev.JobTag, Operation: ev.Operation, Time: millis(ev.Time), Session: ev.Session, User: ev.User,
			UserName: ev.User, Statement: e.describe(ev.Statement), Tags: ev.Tags}
		if f.Tags == nil {
			f.Tags = []string{}
		}
		return f
	case event.ConnectOperation:
		f := connectOperation{Event: name, JobTag: ev.JobTag, Operation: ev.Operation, Time: millis(ev.Time)}
		switch ev.State {
		case event.ConnectFailed:
			text := e.redactText(ev.Err.Error())
			f.Error = &text
		case event.ConnectFinished:
			f.Rows = &ev.Rows
		}
		return f
	}
	return nil
}
