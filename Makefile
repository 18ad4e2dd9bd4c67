# The commands of the project. The work is done by tools/*.py; `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run test check proof chaos pictures clean

python = python=$$(sh tools/find_python.sh) && "$$python" -m tools.
pytest = .venv/bin/python -m pytest

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

run: ## Start the simulator and the application on http://127.0.0.1:8000 (PORT=... for another port)
	@$(python)setup run
	@exec .venv/bin/python -m tools.run

test: ## Run every test
	@$(python)setup test
	@$(pytest) -n 2 --dist loadscope -m "not proof"

check: ## Lint, types, who may import whom, unit and architecture tests: the fast loop
	@$(python)setup test
	@.venv/bin/python -m tools.check

proof: ## Run the long variants: every property with many more examples, and the tests marked `proof`
	@$(python)setup test
	@HYPOTHESIS_PROFILE=proof $(pytest) -n 2 -m "proof or hypothesis" --timeout 3600

chaos: ## Judge N=1000 random schedules of faults, crashes and clocks on all cores, or one alone: SEED=123
	@$(python)setup test
	@.venv/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED),--count $(or $(N),1000))

pictures: ## Take the README's pictures anew, of the real desk on the simulator
	@$(python)setup test
	@.venv/bin/python -m tests.browser.pictures

load: ## Put a bounded load on a desk of its own and print what each page took (ARGS="--users 8 --seconds 30")
	@$(python)setup test
	@.venv/bin/python -m tests.load.load_test $(ARGS)

clean: ## Remove what the commands built; keeps .env and instance/
	@rm -rf .venv node_modules .cache app/static/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
