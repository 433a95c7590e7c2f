# Two commands: `make demo` shows the main job, `make test` runs everything that can be tested.
# Caches live outside the checkout, so that a fresh clone builds only what is its own.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/plannt
export CARGO_TARGET_DIR ?= $(CACHE)/target
PART := ./scripts/part

.DEFAULT_GOAL := help
.PHONY: help build demo test test-rust test-python test-node test-swift test-kotlin test-mcp across parity conformance mutants fuzz no-std e2e bench check deny tools

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build the `plannt` binary and say where it is
	@cargo build --locked --package plannt
	@echo "$(CARGO_TARGET_DIR)/debug/plannt"

demo: ## Build, start a network, a service and a client, and pay for one request
	@cargo build --locked --package plannt
	@"$(CARGO_TARGET_DIR)/debug/plannt" demo

test: ## Every test, with the minutes of each part
	@$(PART) --all test-rust test-python test-node test-swift test-kotlin test-mcp across parity conformance mutants fuzz no-std e2e deny

check: ## Format, lints and unit tests: what to run before each commit
	@$(PART) format cargo fmt --all --check
	@$(PART) clippy cargo clippy --locked --workspace --all-targets --all-features --quiet -- -D warnings
	@$(PART) clippy-e2e cargo clippy --locked --workspace --all-features --test e2e --quiet -- -D warnings
	@$(PART) docs env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps --quiet
	@$(PART) unit cargo test --locked --workspace --all-features --lib --bins --quiet

test-rust: tools ## Format, lints, and all Rust tests: unit, property, doc, and acceptance over real sockets
	@$(PART) format cargo fmt --all --check
	@$(PART) clippy cargo clippy --locked --workspace --all-targets --all-features --quiet -- -D warnings
	@$(PART) docs env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps --quiet
	@$(PART) rust cargo test --locked --workspace --all-features
	@$(PART) core-minimal cargo test --locked --package plannt-core --no-default-features --features std

test-python: ## Python's package: style, types, tests against the real service, and its wheel in an empty environment
	@$(PART) python --needs python3 ./scripts/python

test-node: ## Node's package: style, types, tests, and its tarballs in empty folders
	@$(PART) node --needs node ./scripts/node

test-swift: ## Swift's package: style, DocC, all vectors, payments against the real service, memory, and its README
	@$(PART) swift ./scripts/swift

test-kotlin: ## Kotlin's package: style, all vectors, payments against the real service in Kotlin and Java, memory, its README, and the AAR's form
	@$(PART) kotlin ./scripts/kotlin

test-mcp: ## The MCP server, driven by the official Python and TypeScript SDKs
	@$(PART) mcp-python --needs python3 ./scripts/mcp python
	@$(PART) mcp-typescript --needs node ./scripts/mcp typescript

across: ## Each language's agent pays the other's service
	@$(PART) across --needs node ./scripts/across

parity: ## Each item of the core is in each language, or a reason why not, as docs/PARITY.md says
	@$(PART) parity --needs python3 ./scripts/parity --check

conformance: ## The vectors: fresh from their oracle, and answered by the binary and by an adapter program
	@$(PART) oracle --needs python3 python3 conformance/oracle/generate --check
	@cargo build --locked --quiet --package plannt
	@$(PART) vectors "$(CARGO_TARGET_DIR)/debug/plannt" conformance run --codes
	@$(PART) adapter --needs python3 "$(CARGO_TARGET_DIR)/debug/plannt" conformance run --codes -- python3 conformance/examples/adapter.py

mutants: ## Builds that are broken on purpose, each of which a vector or a check over the wire must catch
	@$(PART) mutants --needs python3 python3 conformance/mutants/check

fuzz: ## Every fuzz target over its seeds and for some seconds; longer with scripts/fuzz SECONDS
	@$(PART) fuzz ./scripts/fuzz

no-std: ## The core on bare metal: built without std, run on an emulated board, and measured
	@$(PART) no-std ./scripts/no-std

e2e: ## A network of real nodes (btcd, two lnd), paid cycles on it, and every fault of docs/FAULTS.md
	@$(PART) clippy-e2e cargo clippy --locked --workspace --all-features --test e2e --quiet -- -D warnings
	@$(PART) e2e ./e2e/run

bench: ## The core beside other macaroon libraries, and whether its time tells anything: writes docs/BENCHMARKS.md
	@./bench/run

deny: ## Bans, licences and sources of every dependency
	@$(PART) deny ./scripts/deny

tools:
	@./scripts/tools curl jq strace
