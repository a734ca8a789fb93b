# Each target installs what it needs (Debian 12 and 13, Ubuntu 24.04; root or sudo) and works in .work/ and target/.
# The work is done by the scripts in tests/testbed/; see the README there.

.PHONY: demo build test chaos lint bench fuzz docs package clean
.DEFAULT_GOAL := build

# The extension: target/release/libposthorn.so
build:
	@tests/testbed/build.sh

# A running WordPress with Posthorn, a CRM and a receiver page. FRESH=1 starts again from nothing.
demo:
	@tests/testbed/demo.sh

# Everything; STAGES="rust ext wordpress browser readme" picks some.
test:
	@tests/testbed/test.sh

# Kills and faults for as long as it takes; writes bench/CHAOS.md. KILLS=5000 SEED=7 choose.
chaos:
	@tests/testbed/chaos.sh

lint:
	@tests/testbed/lint.sh

bench:
	@tests/testbed/bench.sh

# Fuzzes what reads outside input: TIME=60 seconds a target, TARGETS="url rows" picks some.
TIME ?= 60
fuzz:
	@SECONDS_EACH=$(TIME) tests/testbed/fuzz.sh $(TARGETS)

# docs/events.md and docs/asyncapi.json, from src/catalogue.toml.
docs:
	@WRITE_DOCS=1 cargo test --quiet --locked --test it reference

# dist/: the plugin's zip, and the extension with its ini file and service.
package:
	@tests/testbed/package.sh

clean:
	@tests/testbed/clean.sh
