package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/cluster/submission"
)

// statusPages are the master's page for people and, at /json/, for programs in Spark's form.
func (m *Master) statusPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		v, state, err := m.status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		data := map[string]any{"URL": m.URL(), "REST": m.rest, "View": v, "State": state}
		if state == "STANDBY" {
			data["Leader"] = m.standing().Leader
		}
		render(w, masterPage, data)
	})
	mux.HandleFunc("GET /json/{$}", func(w http.ResponseWriter, r *http.Request) {
		v, state, err := m.status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		writeJSON(w, http.StatusOK, m.json(v, state))
	})
	mux.HandleFunc("POST /workers/kill", m.decommissionHosts)
	mux.HandleFunc("POST /workers/kill/{$}", m.decommissionHosts)
	return mux
}

// decommissionHosts takes the workers of machines out of service, as POST /workers/kill?host=…&host=… asks.
func (m *Master) decommissionHosts(w http.ResponseWriter, r *http.Request) {
	if !m.mayDecommission(r) {
		m.o.Audit.Refuse(audit.Action{Name: "decommission", Peer: r.RemoteAddr}, "it is not allowed from here")
		http.Error(w, "Decommissioning is not allowed from here (spark.master.ui.decommission.allow.mode)", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil || len(r.Form["host"]) == 0 {
		http.Error(w, "Expected parameter \"host\" but none is given", http.StatusBadRequest)
		return
	}
	hosts := r.Form["host"]
	reply, err := m.audited(r.Context(), r.RemoteAddr, core.Decommission{Hosts: hosts}, func(a core.Ask) core.Event { return core.Decommission{Ask: a, Hosts: hosts} })
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"decommissioned": append([]string{}, reply.Workers...)})
}

// mayDecommission says whether a request comes from where it may. Pages of other sites may not have it sent by a reader's browser.
func (m *Master) mayDecommission(r *http.Request) bool {
	if submission.FromPage(r) {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	switch strings.ToUpper(m.o.Decommission) {
	case "ALLOW":
		return true
	case "", "LOCAL":
		ip := net.ParseIP(host)
		return err == nil && ip != nil && (ip.IsLoopback() || host == m.o.Host)
	}
	return false
}

// status is the state of the cluster, of which a standby knows nothing, and how Spark calls the master's own.
func (m *Master) status(ctx context.Context) (core.View, string, error) {
	v, err := m.View(ctx)
	var standby *StandbyError
	switch {
	case errors.As(err, &standby):
		return core.View{}, "STANDBY", nil
	case v.Recovering:
		return v, "RECOVERING", err
	}
	return v, "ALIVE", err
}

func render(w http.ResponseWriter, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = t.Execute(w, data) // the reader is gone
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader is gone
}

// json is the state in the form of Spark's master.
func (m *Master) json(v core.View, state string) map[string]any {
	cores, used, memory, memoryUsed, alive := 0, 0, int64(0), int64(0), 0
	workers := []any{}
	for _, w := range v.Workers {
		if w.State == "ALIVE" {
			alive++
			cores += w.Cores
			used += w.Cores - w.CoresFree
			memory += w.Memory
			memoryUsed += w.Memory - w.MemoryFree
		}
		workers = append(workers, map[string]any{"id": w.ID, "host": w.Host, "port": w.Port, "webuiaddress": w.WebUI, "cores": w.Cores,
			"coresused": w.Cores - w.CoresFree, "coresfree": w.CoresFree, "memory": w.Memory >> 20, "memoryused": (w.Memory - w.MemoryFree) >> 20,
			"memoryfree": w.MemoryFree >> 20, "state": w.State, "lastheartbeat": w.Heartbeat.UnixMilli()})
	}
	return map[string]any{"url": m.URL(), "workers": workers, "aliveworkers": alive, "cores": cores, "coresused": used, "memory": memory >> 20,
		"memoryused": memoryUsed >> 20, "activeapps": appsJSON(v.Apps), "completedapps": appsJSON(v.EndedApps),
		"activedrivers": driversJSON(v.ActiveDrivers), "completeddrivers": driversJSON(v.EndedDrivers), "status": state}
}

func appsJSON(apps []core.AppView) []any {
	out := []any{}
	for _, a := range apps {
		end := time.Now()
		if !a.Ended.IsZero() {
			end = a.Ended
		}
		out = append(out, map[string]any{"id": a.ID, "name": a.Name, "user": a.User, "starttime": a.Begun.UnixMilli(), "cores": a.Cores,
			"memoryperexecutor": a.MemoryPer >> 20, "memoryperslave": a.MemoryPer >> 20, "state": a.State, "duration": end.Sub(a.Begun).Milliseconds(),
			"submitdate": a.Begun.Format(time.ANSIC)})
	}
	return out
}

func driversJSON(drivers []core.DriverView) []any {
	out := []any{}
	for _, d := range drivers {
		out = append(out, map[string]any{"id": d.ID, "starttime": d.Begun.UnixMilli(), "state": d.State, "cores": d.Cores, "memory": d.Memory >> 20,
			"submitdate": d.Begun.Format(time.ANSIC), "worker": d.Worker, "mainclass": d.Resource})
	}
	return out
}

const style = `<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse;margin-bottom:2em}td,th{border:1px solid #ccc;padding:.3em .7em;text-align:left}th{background:#eee}</style>`

var functions = template.FuncMap{"mib": func(n int64) int64 { return n >> 20 }, "time": func(t time.Time) string { return t.Format("2006/01/02 15:04:05") },
	"minus": func(a, b int) int { return a - b }}

var masterPage = template.Must(template.New("master").Funcs(functions).Parse(`<!doctype html><html lang="en"><head><title>Firesteel master at {{.URL}}</title>` + style + `</head><body>
<h1>Firesteel master at {{.URL}}</h1><p>Status: {{.State}}{{if .Leader}} · leader: {{.Leader}}{{end}}{{if .REST}} · submissions: {{.REST}}{{end}}</p>
<h2>Workers ({{len .View.Workers}})</h2><table><tr><th>Worker</th><th>Host</th><th>State</th><th>Cores</th><th>Memory</th></tr>
{{range .View.Workers}}<tr><td>{{.ID}}</td><td>{{.Host}}</td><td>{{.State}}</td><td>{{.Cores}} ({{minus .Cores .CoresFree}} used)</td><td>{{mib .Memory}} MiB ({{mib .MemoryFree}} free)</td></tr>{{end}}</table>
<h2>Running applications ({{len .View.Apps}})</h2>{{template "apps" .View.Apps}}
<h2>Running drivers ({{len .View.ActiveDrivers}})</h2>{{template "drivers" .View.ActiveDrivers}}
<h2>Completed applications ({{len .View.EndedApps}})</h2>{{template "apps" .View.EndedApps}}
<h2>Completed drivers ({{len .View.EndedDrivers}})</h2>{{template "drivers" .View.EndedDrivers}}
</body></html>
{{define "apps"}}<table><tr><th>Application</th><th>Name</th><th>User</th><th>State</th><th>Executors</th><th>Cores</th><th>Memory per executor</th><th>Submitted</th></tr>
{{range .}}<tr><td>{{.ID}}</td><td>{{.Name}}</td><td>{{.User}}</td><td>{{.State}}</td><td>{{.Executors}}</td><td>{{.Cores}}</td><td>{{mib .MemoryPer}} MiB</td><td>{{time .Begun}}</td></tr>{{end}}</table>{{end}}
{{define "drivers"}}<table><tr><th>Driver</th><th>State</th><th>Worker</th><th>Program</th><th>Cores</th><th>Memory</th><th>Submitted</th><th>Note</th></tr>
{{range .}}<tr><td>{{.ID}}</td><td>{{.State}}</td><td>{{.Worker}}</td><td>{{.Resource}}</td><td>{{.Cores}}</td><td>{{mib .Memory}} MiB</td><td>{{time .Begun}}</td><td>{{.Reason}}</td></tr>{{end}}</table>{{end}}`))

var workerPage = template.Must(template.New("worker").Funcs(functions).Parse(`<!doctype html><html lang="en"><head><title>Firesteel worker {{.ID}}</title>` + style + `</head><body>
<h1>Firesteel worker {{.ID}}</h1><p>Master: {{.Master}} · {{.Cores}} cores · {{mib .Memory}} MiB</p>
<h2>Executors ({{len .Executors}})</h2><table><tr><th>Application</th><th>Executor</th><th>Cores</th><th>Memory</th></tr>
{{range .Executors}}<tr><td>{{.App}}</td><td>{{.ID}}</td><td>{{.Cores}}</td><td>{{mib .Memory}} MiB</td></tr>{{end}}</table>
<h2>Drivers ({{len .Drivers}})</h2><ul>{{range .Drivers}}<li>{{.}}</li>{{end}}</ul></body></html>`))

// statusPage is the worker's page.
func (w *Worker) statusPage() http.Handler {
	data := func() map[string]any {
		e := w.registration().(core.WorkerRegistered)
		drivers := []string{} // their settings and environments are nobody's business
		for _, d := range e.Drivers {
			drivers = append(drivers, d.ID)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return map[string]any{"ID": w.id, "Master": w.peer.Master, "Cores": w.o.Cores, "Memory": w.o.Memory, "Executors": e.Executors, "Drivers": drivers}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) { render(rw, workerPage, data()) })
	mux.HandleFunc("GET /json/{$}", func(rw http.ResponseWriter, _ *http.Request) {
		d := data()
		writeJSON(rw, http.StatusOK, map[string]any{"id": d["ID"], "masterurl": "spark://" + w.peer.Master, "cores": w.o.Cores, "memory": w.o.Memory >> 20,
			"executors": d["Executors"], "drivers": d["Drivers"]})
	})
	return mux
}
