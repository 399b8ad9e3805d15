# The two commands of the README: "make images" and "make test".

GO ?= go
BIN := bin/lucidbase

.PHONY: images test test-long unit lint bench lock setup FORCE

# images builds the Debian base images for both platforms into dist/; the Alpine one
# needs a registry: "bin/lucidbase build alpine-base".
images: setup $(BIN)
	$(BIN) build --relock base python-base

# test runs every test but the long tables, as root; those that need an engine fail
# without one.
test:
	./.ci/setup test
	LUCID_REQUIRE_ENGINE=1 $(GO) test -v -timeout 45m -skip '^TestLong' ./...

# test-long runs the long tables: ten builds of one digest, every source for every
# target, every suggestion.
test-long:
	./.ci/setup test
	LUCID_REQUIRE_ENGINE=1 $(GO) test -v -timeout 60m -run '^TestLong' ./internal/e2e ./lucidbase/verify/internal/pysource

# unit runs the tests that need neither root nor network.
unit:
	$(GO) test -short ./...

lint:
	./.ci/lint

# bench prints the numbers of the README's table.
bench: setup
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./internal/bench

# lock resolves every lock from the network and prints what changed.
lock: setup $(BIN)
	$(BIN) lock

setup:
	./.ci/setup

$(BIN): FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o $@ ./cmd/lucidbase
FORCE:
