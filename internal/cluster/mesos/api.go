package mesos

import "encoding/json"

// The messages of the v1 scheduler API, as far as they are used. Names are those of its JSON form.

type ident struct {
	Value string `json:"value"`
}

// received is an event of the master.
type received struct {
	Type       string         `json:"type"`
	Subscribed *subscribedMsg `json:"subscribed"`
	Offers     *struct {
		Offers []offer `json:"offers"`
	} `json:"offers"`
	Update *struct {
		Status status `json:"status"`
	} `json:"update"`
	Failure *failureMsg `json:"failure"`
	Error   *errorMsg   `json:"error"`
}

type errorMsg struct {
	Message string `json:"message"`
}

type subscribedMsg struct {
	FrameworkID ident   `json:"framework_id"`
	Heartbeat   float64 `json:"heartbeat_interval_seconds"`
}

// failureMsg tells of an agent that was removed, or of an executor on it that ended.
type failureMsg struct {
	AgentID    *ident `json:"agent_id"`
	ExecutorID *ident `json:"executor_id"`
}

type offer struct {
	ID         ident       `json:"id"`
	AgentID    ident       `json:"agent_id"`
	Hostname   string      `json:"hostname"`
	Resources  []resource  `json:"resources"`
	Attributes []attribute `json:"attributes"`
}

type scalar struct {
	Value float64 `json:"value"`
}

type span struct {
	Begin uint64 `json:"begin"`
	End   uint64 `json:"end"`
}

type ranges struct {
	Range []span `json:"range"`
}

// resource is part of an offer or of what a task takes. What is only handed back to the master is kept as it came.
type resource struct {
	Name           string          `json:"name"`
	Type           string          `json:"type"`
	Scalar         *scalar         `json:"scalar,omitempty"`
	Ranges         *ranges         `json:"ranges,omitempty"`
	Role           string          `json:"role,omitempty"`
	Reservation    json.RawMessage `json:"reservation,omitempty"`
	Reservations   json.RawMessage `json:"reservations,omitempty"`
	AllocationInfo json.RawMessage `json:"allocation_info,omitempty"`
	ProviderID     json.RawMessage `json:"provider_id,omitempty"`
	Disk           json.RawMessage `json:"disk,omitempty"`
	Revocable      json.RawMessage `json:"revocable,omitempty"`
}

type attribute struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	Scalar *scalar `json:"scalar"`
	Ranges *ranges `json:"ranges"`
	Text   *struct {
		Value string `json:"value"`
	} `json:"text"`
}

// status is the state of a task.
type status struct {
	TaskID  ident  `json:"task_id"`
	AgentID *ident `json:"agent_id"`
	State   string `json:"state"`
	Source  string `json:"source"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	UUID    string `json:"uuid"` // base64; given when an acknowledgement is owed
}

// call is what the framework says to the master.
type call struct {
	FrameworkID *ident           `json:"framework_id,omitempty"`
	Type        string           `json:"type"`
	Subscribe   *subscribeCall   `json:"subscribe,omitempty"`
	Accept      *acceptCall      `json:"accept,omitempty"`
	Decline     *declineCall     `json:"decline,omitempty"`
	Kill        *killCall        `json:"kill,omitempty"`
	Acknowledge *acknowledgeCall `json:"acknowledge,omitempty"`
	Reconcile   *reconcileCall   `json:"reconcile,omitempty"`
}

type subscribeCall struct {
	FrameworkInfo frameworkInfo `json:"framework_info"`
}

type capability struct {
	Type string `json:"type"`
}

type label struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

type labels struct {
	Labels []label `json:"labels"`
}

type frameworkInfo struct {
	User            string       `json:"user"`
	Name            string       `json:"name"`
	ID              *ident       `json:"id,omitempty"`
	Roles           []string     `json:"roles"`
	Capabilities    []capability `json:"capabilities"`
	FailoverTimeout float64      `json:"failover_timeout"`
	Checkpoint      bool         `json:"checkpoint"`
	Hostname        string       `json:"hostname,omitempty"`
	WebUI           string       `json:"webui_url,omitempty"`
	Principal       string       `json:"principal,omitempty"`
	Labels          *labels      `json:"labels,omitempty"`
}

type filters struct {
	RefuseSeconds float64 `json:"refuse_seconds"`
}

type acceptCall struct {
	OfferIDs   []ident     `json:"offer_ids"`
	Operations []operation `json:"operations"`
	Filters    filters     `json:"filters"`
}

type operation struct {
	Type   string `json:"type"`
	Launch struct {
		TaskInfos []taskInfo `json:"task_infos"`
	} `json:"launch"`
}

type declineCall struct {
	OfferIDs []ident `json:"offer_ids"`
	Filters  filters `json:"filters"`
}

type killCall struct {
	TaskID  ident  `json:"task_id"`
	AgentID *ident `json:"agent_id,omitempty"`
}

type acknowledgeCall struct {
	AgentID ident  `json:"agent_id"`
	TaskID  ident  `json:"task_id"`
	UUID    string `json:"uuid"`
}

type reconcileCall struct {
	Tasks []killCall `json:"tasks"` // of the same form; empty: all
}

type taskInfo struct {
	Name       string      `json:"name"`
	TaskID     ident       `json:"task_id"`
	AgentID    ident       `json:"agent_id"`
	Resources  []resource  `json:"resources"`
	Command    command     `json:"command"`
	KillPolicy *killPolicy `json:"kill_policy,omitempty"`
	Labels     *labels     `json:"labels,omitempty"`
}

type killPolicy struct {
	GracePeriod struct {
		Nanoseconds int64 `json:"nanoseconds"`
	} `json:"grace_period"`
}

type command struct {
	Value       string      `json:"value"`
	Shell       bool        `json:"shell"`
	URIs        []uri       `json:"uris,omitempty"`
	User        string      `json:"user,omitempty"`
	Environment environment `json:"environment"`
}

type uri struct {
	Value      string `json:"value"`
	Executable bool   `json:"executable,omitempty"`
	Extract    bool   `json:"extract"`
	Cache      bool   `json:"cache"`
}

type environment struct {
	Variables []variable `json:"variables"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
