# SPDX-License-Identifier: Apache-2.0

"""What the package does not do with the rights that it has."""

import ast
import pathlib

import ddt

import nova_hyperv_enlight
from tests.unit import base

PACKAGE = pathlib.Path(nova_hyperv_enlight.__file__).parent
#: What starts a program, or becomes somebody else.
MODULES = {
    *('subprocess', 'pty', 'popen2', 'commands', 'pipes', 'pexpect'),
    *('oslo_concurrency', 'oslo_privsep', 'multiprocessing', 'ctypes'),
    *('pickle', 'marshal', 'shelve', 'dill'),
}
FUNCTIONS = {
    *('system', 'popen', 'fork', 'forkpty', 'posix_spawn', 'posix_spawnp'),
    *('startfile', 'execv', 'execve', 'execvp', 'execvpe', 'execl', 'execle'),
    *('execlp', 'execlpe', 'spawnv', 'spawnve', 'spawnvp', 'spawnl'),
    *('setuid', 'seteuid', 'setgid', 'setegid', 'setreuid', 'setresuid'),
    *('eval', 'exec', '__import__'),
}
SOURCES = {
    str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob('*.py')
}


def used(tree):
    """Yield the top-level modules and the functions that code uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition('.')[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or '').partition('.')[0]
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield f'{node.func.id}()'
            elif isinstance(node.func, ast.Attribute) and isinstance(
                node.func.value, ast.Name
            ):
                yield f'{node.func.value.id}.{node.func.attr}()'


FORBIDDEN = {
    *MODULES,
    *(f'{name}()' for name in FUNCTIONS),
    *(f'os.{name}()' for name in FUNCTIONS),
}


@ddt.ddt
class SourceTestCase(base.TestCase):
    @ddt.data(*sorted(SOURCES))
    def test_starts_no_program(self, name):
        tree = ast.parse(SOURCES[name].read_text())
        self.assertEqual(set(), FORBIDDEN & set(used(tree)))

    @ddt.data(
        'import subprocess',
        'from subprocess import run',
        'import os\nos.system("true")',
        'eval("1")',
        'import multiprocessing.pool',
    )
    def test_such_code_is_found(self, text):
        self.assertTrue(FORBIDDEN & set(used(ast.parse(text))))

    def test_no_word_of_sudo(self):
        found = [
            name
            for name, path in SOURCES.items()
            if 'sudo' in path.read_text() or 'shell=True' in path.read_text()
        ]
        self.assertEqual([], found)
