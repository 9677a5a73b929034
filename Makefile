# Lamppost: one Makefile for everything. `make help` explains the targets.
#
# Sources are found by wildcard, one static library for each component; a process is its library plus
# its main.c. Knobs: V=1 (show commands), WERROR=1, SANITIZE=address,undefined, BUILD=folder, STATE=folder.

V ?= 0
WERROR ?= 0
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),-sanitized)
STATE ?= ./var
PREFIX ?= /usr/local
DEMO_SECONDS ?=
SOAK_SECONDS ?= 600
SEEDS ?= 5
FIRST_SEED ?= 1
CC = gcc
Q = $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' "$(1)" "$(2)")

PKGS := libuv libsodium libcrypto libssl sqlite3 yaml-0.1 jansson libprotobuf-c libcurl libmosquitto libqrencode
VERSION := $(shell cat VERSION)

# What gcc guesses from a value's course depends on how far it optimises: the ordinary build judges these.
FLOW_WARN := $(addprefix -Wno-,maybe-uninitialized format-truncation format-overflow stringop-overflow stringop-overread \
        stringop-truncation array-bounds)
WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wconversion -Wno-sign-conversion -Wformat=2 \
        -Wimplicit-fallthrough $(if $(SANITIZE),$(FLOW_WARN)) $(if $(filter 1,$(WERROR)),-Werror)
HARDEN := -fstack-protector-strong -fPIE -ftrivial-auto-var-init=zero $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3)
CFLAGS ?= $(if $(SANITIZE),-O1 -g1,-O2 -g)
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)/gen $(WARN) $(HARDEN) $(CFLAGS) \
        $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
        $(if $(MUTANT),-DMUTANT=$(MUTANT)) -DLAMPPOST_VERSION='"$(VERSION)"'
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread
LDFLAGS := -pie -Wl,-z,relro,-z,now,--as-needed $(if $(SANITIZE),-fsanitize=$(SANITIZE))

# Components. The order is the link order, dependants first.
COMMONS := backend proto text db io lorawan crypto base
PROCESSES := gateway-bridge network-server join-server application-server
SUBDIRS = $(sort $(dir $(wildcard $(1)/*.c $(1)/*/*.c $(1)/*/*/*.c)))
sources = $(filter-out $(1)/main.c,$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$(1)))
GEN_PROTO := $(patsubst %.proto,$(BUILD)/gen/%.pb-c.c,$(wildcard common/proto/*.proto gateway-bridge/*.proto))
GEN_MIGRATIONS := $(patsubst migrations/%/,$(BUILD)/gen/migrations/%.c,$(wildcard migrations/*/))
LIBS := $(COMMONS:%=$(BUILD)/lib/common-%.a)
PROGRAMS := $(PROCESSES:%=$(BUILD)/bin/%) $(BUILD)/bin/lamppost $(BUILD)/bin/lamppost-sim

.PHONY: soak mutants radio-report vectors all deps deps-test demo run test test-fast test-process test-programs bench bench-flood bench-gateways bench-join lint format install clean help
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

## all: build every program into $(BUILD)/bin
all: $(PROGRAMS)
	@:

# --- libraries -------------------------------------------------------------------------------------------------
define common_lib
$(BUILD)/lib/common-$(1).a: $(call objects,common/$(1))
endef
$(foreach c,$(COMMONS),$(eval $(call common_lib,$(c))))
$(BUILD)/lib/common-proto.a: $(patsubst %.c,%.o,$(filter $(BUILD)/gen/common/proto/%,$(GEN_PROTO)))
$(BUILD)/lib/gateway-bridge.a: $(patsubst %.c,%.o,$(filter $(BUILD)/gen/gateway-bridge/%,$(GEN_PROTO)))
$(BUILD)/lib/common-db.a: $(GEN_MIGRATIONS:%.c=%.o)
$(BUILD)/lib/common-text.a: $(BUILD)/gen/regions.o
define process_lib
$(BUILD)/lib/$(1).a: $(call objects,$(1))
endef
$(foreach p,$(PROCESSES) cli simulator,$(eval $(call process_lib,$(p))))
$(BUILD)/lib/harness.a: $(call objects,tests/harness)

%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcsD $@ $^

$(BUILD)/obj/%.o: %.c | $(GEN_PROTO)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -include common/base/banned.h -MMD -MP -c -o $@ $<
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-conversion $(PKG_CFLAGS) -c -o $@ $<
$(BUILD)/gen/%.pb-c.c: %.proto
	$(call say,PROTOC,$<)
	@mkdir -p $(BUILD)/gen
	$(Q)protoc-c --c_out=$(BUILD)/gen $<
$(BUILD)/gen/migrations/%.c: migrations/embed.sh $(wildcard migrations/*/*.sql)
	$(call say,EMBED,migrations/$*)
	@mkdir -p $(@D)
	$(Q)sh migrations/embed.sh $* > $@

$(BUILD)/gen/regions.c: common/text/embed_regions.sh $(wildcard common/lorawan/regions/*.yaml)
	$(call say,EMBED,common/lorawan/regions)
	@mkdir -p $(@D)
	$(Q)sh common/text/embed_regions.sh > $@

# --- programs --------------------------------------------------------------------------------------------------
$(PROCESSES:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/obj/%/main.o $(BUILD)/lib/%.a $(LIBS)
$(BUILD)/bin/lamppost: $(BUILD)/obj/cli/main.o $(BUILD)/lib/cli.a $(LIBS)
$(BUILD)/bin/lamppost-sim: $(BUILD)/obj/simulator/main.o $(BUILD)/lib/simulator.a $(LIBS)
$(BUILD)/bin/%:
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PKG_LIBS)

# --- tests -----------------------------------------------------------------------------------------------------
# A test file is a program of its own. tests/unit/lorawan links base and crypto alone, so that the layers are
# proved by the linker; tests/simulation links the cores and no io.
UNIT := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c))
SIMULATION := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/simulation/test_*.c))
PROCESS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/process/test_*.c))
RUNNERS := $(patsubst tests/vectors/%.c,$(BUILD)/tests/%,$(wildcard tests/vectors/run-*.c))
FUZZ := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/bench_*.c))
TESTS := $(UNIT) $(SIMULATION) $(PROCESS) $(RUNNERS) $(FUZZ) $(BENCH)
PURE_LIBS := $(BUILD)/lib/harness.a $(foreach c,lorawan crypto base,$(BUILD)/lib/common-$(c).a)
$(BUILD)/tests/unit/base/% $(BUILD)/tests/unit/crypto/% $(BUILD)/tests/unit/lorawan/%: TEST_LIBS = $(PURE_LIBS)
$(BUILD)/tests/%: TEST_LIBS = $(BUILD)/lib/harness.a $(PROCESSES:%=$(BUILD)/lib/%.a) \
	$(BUILD)/lib/simulator.a $(BUILD)/lib/cli.a $(LIBS)
$(UNIT) $(SIMULATION) $(PROCESS) $(FUZZ) $(BENCH): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o
$(RUNNERS): $(BUILD)/tests/%: $(BUILD)/obj/tests/vectors/%.o
$(BUILD)/tests/run-vectors: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/vectors/vectors_*.c))
$(BUILD)/tests/unit/lorawan/test_vector_runner: | $(BUILD)/tests/run-vectors
$(FUZZ): $(BUILD)/obj/tests/fuzz/main_replay.o
$(BUILD)/tests/simulation/test_study: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/study/study_*.c))
$(BUILD)/tests/simulation/test_world $(BUILD)/tests/simulation/test_rejoin $(BUILD)/tests/simulation/test_stations $(BUILD)/tests/simulation/test_storm_servers: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/simulation/world/*.c))
$(BUILD)/tests/simulation/test_storm: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/simulation/storm/*.c))
STUDY := $(BUILD)/tests/study/report
$(STUDY): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/study/*.c)) $(BUILD)/lib/network-server.a $(BUILD)/lib/simulator.a $(LIBS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PKG_LIBS)
$(TESTS): $(BUILD)/lib/harness.a $(PROCESSES:%=$(BUILD)/lib/%.a) $(BUILD)/lib/simulator.a $(BUILD)/lib/cli.a $(LIBS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBS) -Wl,--end-group $(PKG_LIBS) -lcmocka

## test: install the tests' packages, build, run every layer (unit, vectors, simulation, process, sanitized)
test: deps deps-test
	$(Q)bash tests/run.sh
## test-fast: build and run unit tests, vector runners, the fuzz corpus and simulation; installs nothing
test-fast: $(UNIT) $(RUNNERS) $(FUZZ) $(SIMULATION)
	$(Q)bash tests/run-layers.sh $(BUILD) fast
## test-process: build and run the process tests; installs nothing
test-process: $(PROGRAMS) $(PROCESS)
	$(Q)bash tests/run-layers.sh $(BUILD) process
## vectors: the specification's test vectors, every file of tests/vectors
vectors: $(BUILD)/tests/run-vectors
	$(Q)$(BUILD)/tests/run-vectors tests/vectors/*.json
test-programs: $(PROGRAMS) $(TESTS)
## soak: worlds under a virtual clock with new seeds, for SOAK_SECONDS (600); stops at the first that is broken
soak: $(BUILD)/tests/simulation/test_world
	$(Q)$(BUILD)/tests/simulation/test_world soak $(SOAK_SECONDS) 2>$(BUILD)/soak.log || { tail -n 3 $(BUILD)/soak.log; exit 1; }
## radio-report: compare the ADR algorithms in simulated cities; writes docs/radio-report.md (SEEDS=5, FIRST_SEED=1)
radio-report: $(STUDY)
	$(Q)$(STUDY) docs $(SEEDS) $(FIRST_SEED) $$(nproc)
## mutants: faults built in on purpose, each of which the worlds or the regions must notice
mutants: $(BUILD)/tests/simulation/test_world $(BUILD)/tests/simulation/test_regions
	$(Q)bash tests/simulation/mutants.sh $(BUILD)

## lint: include table, clang-format, cppcheck, clang-tidy, and the rules' own tests
lint: deps-test $(GEN_PROTO)
	$(Q)bash tests/lint/lint.sh
## format: rewrite every source with clang-format
format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

# --- running ---------------------------------------------------------------------------------------------------
## deps: install what the build and the product need (Debian packages; sudo where not root)
deps:
	$(Q)sh packaging/deps.sh build
## deps-test: install what the tests need
deps-test:
	$(Q)sh packaging/deps.sh build test
## demo: the whole network on loopback with five simulated sensors (DEMO_SECONDS=40 ends by itself)
demo: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)DEMO_SECONDS=$(DEMO_SECONDS) bash simulator/demo.sh $(BUILD)
## run: the real thing, state in $(STATE)
run: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)$(BUILD)/bin/lamppost up --state $(STATE)
## bench: uplinks/s through the whole path to an MQTT subscriber
bench: deps deps-test
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(PROGRAMS) $(BENCH)
	$(Q)bash tests/bench/bench.sh $(BUILD)
## bench-flood: what a flood costs the gateway bridge, and from which rate on others lose anything
bench-flood: deps deps-test
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/bin/gateway-bridge $(BUILD)/tests/bench/bench_flood
	$(Q)$(BUILD)/tests/bench/bench_flood
## bench-gateways: memory and CPU of 2,000 Basics Stations over TLS, and how soon they are back (into $(BUILD)/bench-gateways.json)
bench-gateways: deps deps-test
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/bin/gateway-bridge $(BUILD)/tests/bench/bench_gateways
	$(Q)$(BUILD)/tests/bench/bench_gateways --json $(BUILD)/bench-gateways.json
## bench-join: joins/s through bridge, network and join server, a million devices in join.db (into $(BUILD)/bench-join.json)
bench-join: deps deps-test
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(PROGRAMS) $(BUILD)/tests/bench/bench_join
	$(Q)$(BUILD)/tests/bench/bench_join --json $(BUILD)/bench-join.json
## bench-storm: a join storm of 10,000 devices at 20 gateways in us915 and eu868, ours against first come (SEEDS=5)
bench-storm: $(BUILD)/tests/simulation/test_storm
	$(Q)$(BUILD)/tests/simulation/test_storm report $(SEEDS)
## man: the pages of the manual, made from the same rows as the help, into $(BUILD)/man
man: all
	$(call say,MAN,$(BUILD)/man)
	$(Q)sh packaging/manual.sh $(BUILD)
## install: programs, manual, completion and regions under $(PREFIX)
install: man
	install -D -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	for s in 1 5 8; do install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$$s $(BUILD)/man/*.$$s; done
	sh packaging/completion.sh $(BUILD) $(DESTDIR)$(PREFIX)/share
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lamppost/regions common/lorawan/regions/*.yaml
## clean: remove everything that was built
clean:
	rm -rf build build-sanitized
## help: this list
help:
	@grep -hE '^## ' Makefile | sed -E 's/^## ([a-z-]+): /  \1\t/' | expand -t 18

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
