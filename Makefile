# SPDX-License-Identifier: Apache-2.0
#
# Everything here can be run through tox alone. The targets also see to tox
# itself and, with apt and as root, to the system packages of bindep.txt.
#
# PYTHON=...  the Python to use, 3.10 or newer (python3)
# ARGS=...    what the demo, the lab, the cloud and the benchmarks are given
#
# The version comes from git. In a source tree without git, give one:
#     PBR_VERSION=X.Y.Z make check

PYTHON ?= python3
ARGS ?=
TOX = .venv/bin/tox run

# What is run for every change, and what CI runs beside it.
CHECK = py3 functional real install pep8 docs releasenotes
CI = nova33-functional lab-tests

# Every directory that environments are installed in, by one that uses it; the
# slowest first.
CHECK_INSTALLED = functional py3 pep8 docs
CI_INSTALLED = nova33-functional

# The directories that hold the tests of each.
CHECK_DIRS = . tests/functional tests/real tests/install
CI_DIRS = .tox/nova33/tests/eventlet .tox/nova33/tests/threads tests/lab

# Every release of Nova that is supported, each with Pythons of its own; those
# that pyenv has are found too, after the one to use.
MATRIX = nova29 nova30 nova31 nova32 nova33 nova34
PYTHONS = $(wildcard $(shell pyenv root 2>/dev/null)/versions/3.1[0-9]*/bin/python3)
DISCOVER = $(if $(PYTHONS),--discover .venv/bin/python $(PYTHONS))

comma := ,
empty :=
space := $(empty) $(empty)
list = $(subst $(space),$(comma),$(strip $(1)))

export PYTHON

# Nova 32 and newer need Python 3.11.
ifeq ($(shell $(PYTHON) -c 'import sys; print(sys.version_info < (3, 11))'),True)
export TOX_CONSTRAINTS_FILE ?= $(CURDIR)/constraints/nova31.txt
endif

.PHONY: help
help:
	@echo 'make demo         boot a Windows image and show what it got'
	@echo 'make check        run the tests and the style checks'
	@echo 'make ci           run what CI runs beside that'
	@echo 'make matrix       run the tests with every release of Nova'
	@echo 'make lab          run on an emulated host that offers everything'
	@echo 'make cloud        set a whole cloud up on this machine'
	@echo 'make hosts        run the tests on hosts of newer Debian releases'
	@echo 'make bench        measure the plugin against stock Nova'
	@echo 'make docs         build the documentation'
	@echo 'make constraints  resolve constraints.txt anew'
	@echo 'make clean        remove what was made'

# Without the system packages the demo goes on, on the fake libvirt that
# Nova's own tests use.
.PHONY: demo
demo:
	@tools/bootstrap test; status=$$?; \
	case $$status in \
	    0) environment=demo ;; \
	    3) environment=demo-fake ;; \
	    *) exit $$status ;; \
	esac; \
	echo 'The first time, Nova is installed now: a minute or two.'; \
	$(TOX) -qq -e $$environment -- $(ARGS)

# Installing two at a time saves a minute; what fails there, fails again below.
# tox goes on after a failure, and its status is that of the worst.
run = rm -rf $(addsuffix /.stestr,$($(1)_DIRS)) .tox/$(1).json; \
    $(TOX)-parallel -q $(DISCOVER) --parallel 2 --parallel-no-spinner \
        --notest -e $(call list,$($(1)_INSTALLED)) || true; \
    $(TOX) $(DISCOVER) --result-json .tox/$(1).json -e $(call list,$($(1)))
verdict = .venv/bin/python tools/verdict.py \
    $(foreach one,$(1),--tox .tox/$(one).json) $(foreach one,$(1),$($(one)_DIRS))

.PHONY: check
check:
	@tools/bootstrap test package doc || [ $$? -eq 3 ]
	@$(call run,CHECK); status=$$?; $(call verdict,CHECK) && exit $$status

# What .ci/run adds, without a verdict, and then the one on all of it.
.PHONY: ci
ci:
	@tools/bootstrap test lab || [ $$? -eq 3 ]
	@$(call run,CI)

.PHONY: verdict
verdict:
	@$(call verdict,CHECK CI)

.PHONY: matrix
matrix:
	@tools/bootstrap test || [ $$? -eq 3 ]
	@rm -rf $(MATRIX:%=.tox/%/tests)
	@$(TOX) $(DISCOVER) -e $(call list,$(MATRIX)); \
	status=$$?; .venv/bin/python tools/verdict.py .tox/nova[0-9][0-9]/tests/* \
	&& exit $$status

.PHONY: lab
lab:
	@tools/bootstrap test lab
	@$(TOX) -q -e lab -- $(ARGS)

.PHONY: cloud
cloud:
	@tools/bootstrap cloud
	@$(TOX) -q -e cloud -- $(ARGS)

.PHONY: hosts
hosts:
	@tools/bootstrap test lab
	@rm -rf tests/hosts/.stestr
	@$(TOX) -e hosts -- $(ARGS); status=$$?; \
	.venv/bin/python tools/verdict.py tests/hosts && exit $$status

.PHONY: bench
bench:
	@tools/bootstrap test
	@$(TOX) -q -e bench -- $(ARGS)

.PHONY: docs
docs:
	@tools/bootstrap doc || [ $$? -eq 3 ]
	@$(TOX) -e docs,releasenotes

.PHONY: constraints
constraints:
	@tools/bootstrap test
	@tools/constraints

.PHONY: clean
clean:
	rm -rf .hypothesis .mypy_cache .ruff_cache .tox .venv build cover dist
	rm -rf doc/build $(addsuffix /.stestr,$(CHECK_DIRS) \
	    tests/lab tests/hosts)
