# What a newcomer types first: make run, make test.
GO      ?= go
PYTHON  ?= python3
VENV    ?= .venv
SF      ?= 0.1
export CGO_ENABLED = 0

.PHONY: build run test unit race lint integration deep chaos bench portability clusters clusters-quick cross clean

build: bin/firesteel

bin/firesteel: FORCE
	$(GO) build -o $@ ./cmd/firesteel
FORCE:

# The Python client: a user's own PySpark, from the registry.
$(VENV)/client-%/.done: scripts/requirements-%.txt
	rm -rf $(VENV)/client-$*
	$(PYTHON) -m venv $(VENV)/client-$*
	$(VENV)/client-$*/bin/pip -q install -r $<
	touch $@

data/tpch-%/.done: | bin/firesteel
	bin/firesteel tpch --scale-factor $* --output data/tpch-$*
	touch $@

# A PySpark program, unchanged, on the embedded local engine.
run: bin/firesteel $(VENV)/client-4.2/.done data/tpch-$(SF)/.done
	PATH="$(CURDIR)/$(VENV)/client-4.2/bin:$$PATH" bin/firesteel submit --master 'local[*]' examples/python/shipping_priority.py data/tpch-$(SF)

# With FIRESTEEL_CLUSTERS_CACHE the real clusters that are in it take part.
test: lint unit race integration $(if $(FIRESTEEL_CLUSTERS_CACHE),clusters-quick)

lint:
	@test -z "$$(gofmt -l cmd internal examples)" || { gofmt -l cmd internal examples; echo 'gofmt would change these files'; exit 1; }
	$(GO) vet ./...

unit:
	$(GO) test ./...

# The rooms in which goroutines meet. The race detector needs cgo; the product does not.
race:
	CGO_ENABLED=1 $(GO) test -race -short ./internal/driver/... ./internal/cluster/... ./internal/audit/... ./internal/rpc/... ./internal/exec/... ./internal/memory/... ./internal/shuffle/... ./internal/session/... ./internal/connect/...

# Real PySpark clients against the real binary.
integration: bin/firesteel $(VENV)/client-4.2/.done $(VENV)/client-4.3/.done data/tpch-0.1/.done
	for v in 4.2 4.3; do FIRESTEEL=bin/firesteel TPCH=data/tpch-0.1 $(VENV)/client-$$v/bin/python -m pytest -q -p no:cacheprovider tests/pyspark || exit 1; done

# The long suites: many seeds of the scheduler's simulator, longer fuzzing.
deep:
	FIRESTEEL_DEEP=1 $(GO) test -timeout 60m ./internal/scheduler/... ./internal/connect/host
	$(GO) test -run '^$$' -fuzz Fuzz -fuzztime 60s ./internal/sqlparser
	$(GO) test -run '^$$' -fuzz FuzzPlans -fuzztime 300s -fuzzminimizetime 10x ./internal/connect/host

# Real processes that are killed, stopped and starved on purpose; docs/faults.md lists the cases. CHAOS is how long the
# cluster is harmed.
CHAOS ?= 30m
chaos: bin/firesteel
	FIRESTEEL=$(CURDIR)/bin/firesteel FIRESTEEL_DEEP=1 FIRESTEEL_CHAOS_TIME=$(CHAOS) $(GO) test -v -timeout 90m ./tests/chaos

# Real clusters on this machine, started by scripts/clusters, with whole applications on them and everything that can break.
# What cannot be had is named and skipped. clusters-quick is the part for each change: under five minutes when the clusters are
# in the cache (FIRESTEEL_CLUSTERS_CACHE).
clusters: $(VENV)/client-4.2/.done data/tpch-0.1/.done
	scripts/clusters/run full

clusters-quick: $(VENV)/client-4.2/.done data/tpch-0.1/.done
	scripts/clusters/run quick

# One PySpark and one Go program on every master that can be had here; those that cannot are named.
portability: $(VENV)/client-4.2/.done data/tpch-0.1/.done
	scripts/portability/run

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...

cross:
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/firesteel
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/firesteel

clean:
	rm -rf bin data
