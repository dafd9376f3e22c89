# Gatehouse: what people run here. `make` lists it.
# Each target works as root and as an ordinary user; sudo is asked for only when
# PostgreSQL has to be installed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BINARY := bin/gatehouse
# Packages for `make test` and `make lint`; flags for go test in TESTFLAGS.
PKG ?= ./...
TESTFLAGS ?=
# How often `make hunt` tries each property; `make test` tries it 100 times.
CHECKS ?= 1000
BENCHFLAGS ?=
FAULTFLAGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install PostgreSQL if this machine has none
	@scripts/setup

.PHONY: build
build: ## Build bin/gatehouse
	go build -ldflags '-X main.version=$(VERSION)' -o $(BINARY) ./cmd/gatehouse

.PHONY: demo
demo: setup build ## From nothing to the first answer; serves until Ctrl-C
	@exec $(BINARY) demo

.PHONY: dev
dev: setup build ## Run every service, empty, on a local PostgreSQL
	@exec $(BINARY) dev

.PHONY: test
test: setup build ## Run the tests; PKG=./internal/run/... for some, TESTFLAGS=-race
	@scripts/test $(TESTFLAGS) $(PKG)

.PHONY: hunt
hunt: setup build ## Try every property 1,000 times; CHECKS=5000 PKG=./internal/run/... for others
	@scripts/hunt $(CHECKS) $(PKG)

.PHONY: bench
bench: setup build ## Measure the promised figures beside their limits; BENCHFLAGS='-run pipeline'
	go build -o bin/ ./test/bench/cmd/bench ./test/bench/cmd/benchworker
	cd test/bench/peers && go build -o ../../../bin/benchpeer ./openfga
	@bin/bench $(BENCHFLAGS)

.PHONY: fault
fault: setup build ## Break a running Gatehouse 1,000 times and look what is lost; FAULTFLAGS='-faults 100'
	go build -o bin/ ./test/fault/cmd/fault
	@bin/fault $(FAULTFLAGS)

.PHONY: lint
lint: ## Check style and common mistakes; .golangci.yaml says what and why
	go tool -modfile=tools/lint/go.mod golangci-lint run $(PKG)

.PHONY: format
format: ## Format the source as lint wants it
	go tool -modfile=tools/lint/go.mod golangci-lint fmt

.PHONY: generate
generate: ## Write generated code and documents anew
	go generate ./...

.PHONY: verify
verify: ## Fail if generated files are not up to date
	@scripts/verify

.PHONY: clean
clean: ## Remove what was built, and the local data of demo and dev
	rm -rf bin .gatehouse
