# The two commands of the README: "make images" and "make test".

GO ?= go
BIN := bin/lucidbase
# TEST runs tests from programs without what debuggers want, which link in half the time.
TEST := $(GO) test -ldflags="-s -w"
# What is tested is what is built, and the daemons that tests build share its packages.
export CGO_ENABLED := 0

.PHONY: images test test-long test-all unit lint bench lock setup FORCE

# images builds the Debian base images for both platforms into dist/; the Alpine one
# needs a registry: "bin/lucidbase build alpine-base".
images: setup $(BIN)
	$(BIN) build --relock base python-base

# test runs every test but the long tables, as root; those that need an engine fail
# without one.
test:
	./.ci/setup test
	LUCID_REQUIRE_ENGINE=1 $(TEST) -v -timeout 45m -skip '^TestLong' ./...

# test-long runs the long tables: ten builds of one digest, every source for every
# target, every suggestion.
test-long:
	./.ci/setup test
	LUCID_REQUIRE_ENGINE=1 $(TEST) -v -timeout 80m -run '^TestLong' ./internal/e2e ./internal/dockertest ./lucidbase/engine/internal/image ./lucidbase/engine/internal/load ./lucidbase/engine ./lucidbase/lucidtest ./lucidbase/rootfs/alpine ./lucidbase/verify/internal/pysource

# test-all is both in one run, which links each package's tests once, and makes once
# what tests of both stand on. Lint has vetted them.
test-all:
	./.ci/setup test
	LUCID_REQUIRE_ENGINE=1 $(TEST) -v -timeout 120m -vet=off ./...

# unit runs the tests that need neither root nor network, of the packages that have such.
unit:
	$(TEST) -short -vet=off $$($(GO) list ./... | grep -Ev '/(examples|bench|e2e)(/|$$)')

lint:
	./.ci/lint

# bench prints the numbers of the README's table.
bench:
	./.ci/setup test
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./internal/bench

# lock resolves every lock from the network and prints what changed.
lock: setup $(BIN)
	$(BIN) lock

setup:
	./.ci/setup

$(BIN): FORCE
	$(GO) build -trimpath -ldflags="-s -w" -o $@ ./cmd/lucidbase
FORCE:
