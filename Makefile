# The two commands of the README, and what they stand on. `make demo ARGS="--exit"` passes arguments on.

.PHONY: demo test deps lint openapi

ARGS ?=

## Shows the main job on this machine: a sandbox, a server, one campaign through all phases.
demo: deps
	cargo run --release -- demo $(ARGS)

## Runs every test.
test: deps
	cargo test --workspace

## Installs what this machine lacks.
deps:
	@scripts/deps

## What CI asks of the source.
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

## Writes the API's description.
openapi:
	cargo run --release -- openapi
