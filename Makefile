# The two commands are `make demo` and `make test`; both start from a Rust toolchain, git, make and a C compiler.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
export TOOLS := $(TARGET)/tools
export PATH := $(TOOLS)/bin:$(PATH)
CARGO := cargo --locked

.PHONY: help demo test bench abuse build dist release check lint rust editor release-interface install

help:
	@echo 'make demo    build, then play the whole story against a real server (seconds after the build)'
	@echo 'make test    install what tests need, then format, lints, docs and every test on SQLite and PostgreSQL'
	@echo 'make bench   measure the redactor, `secrets run`, and the server against a raw tonic echo (about five minutes)'
	@echo 'make abuse   measure what a calm caller notices of attackers (about half an hour)'
	@echo 'make build   release binaries in target/release'
	@echo 'make dist    a Debian package and a tarball of them in target/dist, with completions, manual and checksums'
	@echo 'make release all that is published, in target/dist: that, static programs for x86-64 and arm64, wheels and npm packages'
	@echo 'make check   the quick part of `make test`: format, lints, docs of the crates you changed and what depends on them'
	@echo 'make editor  generate what the clients in other languages import, so that an editor resolves every source'

demo:
	$(CARGO) build --bins
	deploy/demo/run $(TARGET)/debug

# Tests wait for processes and timers much of their time: three for two processors.
test: export RUST_TEST_THREADS ?= $(shell expr $$(nproc) '*' 3 / 2)
test: install lint
	deploy/dev/with-postgres --no-fsync $(CARGO) test --workspace
	secrets-client/bindings/python/test
	secrets-client/bindings/node/test/run

# In /var/tmp, which is on a disk where /tmp may be memory: what is measured is durable.
bench: install
	deploy/dev/install bench
	$(CARGO) bench --package secrets-core --bench redact
	$(CARGO) build --release --package secrets-server
	$(CARGO) bench --package secrets-client --bench run
	TMPDIR=/var/tmp deploy/dev/with-postgres $(CARGO) bench --package secrets-server --bench load

# PostgreSQL is on the processor of the servers and the calm caller; the attackers have another.
abuse: install
	$(CARGO) bench --no-run --package secrets-server --bench abuse
	TMPDIR=/var/tmp taskset --cpu-list 0 deploy/dev/with-postgres $(CARGO) bench --package secrets-server --bench abuse

build:
	SECRETS_VERSION="$$(deploy/dist/version)" $(CARGO) build --release --bins

dist: build
	deploy/dist/package $(TARGET)/release $(TARGET)/dist

release: install dist
	deploy/dev/install dist
	deploy/dist/static
	set -e; for architecture in x86_64 aarch64; do \
	  deploy/dist/try $(TARGET)/$$architecture-unknown-linux-musl/release $$architecture; \
	  HOST_PROGRAMS=$(TARGET)/release deploy/dist/package $(TARGET)/$$architecture-unknown-linux-musl/release $(TARGET)/dist $$architecture; \
	done
	deploy/dist/clients $(TARGET)/dist

check: packages = $(shell deploy/dev/touched || echo --workspace)
check: rust

lint: packages = --workspace
lint: rust
	cd proto && buf lint && buf breaking --against released.binpb
	deploy/dev/check-dependencies

rust:
	cargo fmt --all --check
	$(if $(packages),$(CARGO) clippy $(packages) --all-targets -- -D warnings)
	$(if $(packages),RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(packages) --no-deps)

# The stubs of the clients in other languages are generated, so that an editor finds them missing in a new clone.
editor: install
	set -e; for client in secrets-client/sdk/*/; do $${client}test/build; done

# At a release: from now on `make lint` holds the interface to what it is today.
release-interface: install
	cd proto && buf build --exclude-source-info --output released.binpb

install:
	deploy/dev/install
