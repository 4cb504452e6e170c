# Two commands: `make lab` and `make test`. The work is done in tools/ and by labkit.

.DEFAULT_GOAL := help
.PHONY: help lab hub test test-site test-browsers test-hub test-nodes test-engines bench bench-class site docs lint down clean env env-hub env-test

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

lab: env ## set everything up and open JupyterLab; ARGS="--no-browser --port 8899" go to it
	@.venv/bin/labkit lab $(ARGS)

hub: env-hub ## try a class on this machine: JupyterHub with three test accounts
	@mkdir -p build/hub && cd build/hub && "$(CURDIR)/.venv/bin/python" "$(CURDIR)/deploy/jupyterhub/hub.py" try $(ARGS)

test: env-test ## set everything up and run every test; ARGS="-k settled" go to pytest
	@tools/test.sh $(ARGS)

test-site: env-test ## run all that is tested of the site in Chromium, all six notebooks: minutes
	@tools/test.sh -m "browser and not engine" tests/browser/test_site.py tests/browser/test_site_kept.py

test-browsers: env-test ## run the site in Firefox and WebKit, which are installed if need be
	@tools/test_browsers.sh $(ARGS)

test-hub: env-test ## a class of three on a real hub, in three browsers: minutes
	@tools/test.sh -m hub tests/hub $(ARGS)

test-nodes: env-test ## what three real nodes do that are disturbed in mid-update: minutes
	@tools/test.sh -m nodes tests/engines

test-engines: env-test ## run the tests that need an engine on Docker Engine 20.10, 26 and 28
	@tools/test_engines.sh $(ARGS)

bench: env-test ## measure labkit beside `watch docker service ps`; ARGS=watching for one
	@tools/bench.sh $(ARGS)

bench-class: env-test ## measure a class of thirty at a hub: ten minutes; ARGS="--learners 5" for fewer
	@.venv/bin/python -m benchmarks.classroom $(ARGS)

site: env-test ## build the lesson as a site, build/site/; ARGS=--serve shows it
	@.venv/bin/python site/build.py $(ARGS)

docs: env-test ## build the home page and the documentation alone, build/docs/
	@.venv/bin/python site/documentation.py build/docs && echo build/docs/index.html

lint: env-test ## ruff and mypy only
	@.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy

down: ## remove stack and engine of the lab; your files in lab/ stay
	@test ! -x .venv/bin/labkit || .venv/bin/labkit down $(ARGS)

clean: ## the same, and delete images and environment too
	@test ! -x .venv/bin/labkit || .venv/bin/labkit down --all
	rm -rf .mypy_cache .ruff_cache .pytest_cache
	@# twice where a file came while the first was at it: uv's packages are compiled for a while
	rm -rf .venv 2>/dev/null || { sleep 1; rm -rf .venv; }

env:
	@tools/bootstrap.sh lab

env-hub:
	@tools/bootstrap.sh hub

env-test:
	@tools/bootstrap.sh test
