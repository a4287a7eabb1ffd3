# SPDX-License-Identifier: Apache-2.0

"""Lets several tox environments live in one directory.

tox recreates a directory that another environment's name is written in.
Nova takes a minute to install, so the environments that need it share one
directory; all they differ in is their commands.
"""

from tox import plugin
from tox.tox_env import info
from tox.tox_env.python.virtual_env import runner
from tox.tox_env import register


class SharedInfo(info.Info):
    """The record of an environment's state, without the name."""

    def compare(self, value, section, sub_section=None):
        if section == 'ToxEnv':
            value = {**value, 'name': 'shared'}
        return super().compare(value, section, sub_section)


class SharedRunner(runner.VirtualEnvRunner):
    """A virtual environment that others use under their own names."""

    @staticmethod
    def id():
        return 'shared'

    @property
    def cache(self):
        return SharedInfo(self.env_dir)


@plugin.impl
def tox_register_tox_env(register: register.ToxEnvRegister):
    register.add_run_env(SharedRunner)
