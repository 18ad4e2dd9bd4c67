# The commands of the project. The work is done by tools/*.py; `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run test check proof chaos chaos-process pictures load soak bench clean

python = python=$$(sh tools/find_python.sh) && "$$python" -m tools.
unexport PYTHONDONTWRITEBYTECODE  # where it is set, each program that is started compiles every module of ours anew
pytest = .venv/bin/python -m pytest

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

run: ## Start the simulator and the application on http://127.0.0.1:8000 (PORT=... for another port)
	@$(python)setup run
	@exec .venv/bin/python -m tools.run

test: ## Run every test
	@$(python)setup test
	@$(pytest) -n 3 --dist loadscope --no-loadscope-reorder -m "not proof"

check: ## Lint, types, who may import whom, unit and architecture tests: the fast loop
	@$(python)setup test
	@.venv/bin/python -m tools.check

proof: ## Run the long variants: every property with many more examples, and the tests marked `proof`
	@$(python)setup test
	@HYPOTHESIS_PROFILE=proof $(pytest) -n 2 -m "proof or hypothesis" --timeout 3600

chaos: ## Judge N=1000 random schedules of faults, crashes and clocks on all cores, or one alone: SEED=123
	@$(python)setup test
	@.venv/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED),--count $(or $(N),1000))

chaos-process: ## Kill, suspend and cut off N=40 times real engines and gateways while orders go out (ARGS=--quick)
	@$(python)setup test
	@.venv/bin/python -m tests.chaos_process --count $(or $(N),40) --rigs $(or $(RIGS),2) --seed $(or $(SEED),1) $(ARGS)

pictures: ## Take the README's pictures anew, of the real desk on the simulator
	@$(python)setup test
	@.venv/bin/python -m tests.browser.pictures

load: ## Put a bounded load on a desk of its own and print what each page took (ARGS="--users 8 --seconds 30")
	@$(python)setup test
	@.venv/bin/python -m tests.load.load_test $(ARGS)

soak: ## Keep a desk at 1,500 ticks a second with 100 browsers, some stuck; print a verdict (ARGS="--minutes 20")
	@$(python)setup test
	@.venv/bin/python -m tests.load.soak $(ARGS)

bench: ## Measure the desk beside plain clients in one run, as a table and bench/results/latest.json (ARGS="--accounts 10")
	@$(python)setup test
	@.venv/bin/python -m bench $(ARGS)

clean: ## Remove what the commands built; keeps .env and instance/
	@rm -rf .venv node_modules .cache app/static/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
