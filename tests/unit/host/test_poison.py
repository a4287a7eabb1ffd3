# SPDX-License-Identifier: Apache-2.0

import importlib
import logging
import os
import pathlib
import socket
import subprocess
import sys
import threading

import ddt
import testtools

from tests.unit import base


def import_afresh(name):
    """Import a module that may be loaded already."""
    loaded = sys.modules.pop(name, None)
    try:
        importlib.import_module(name)
    finally:
        if loaded is not None:
            sys.modules[name] = loaded


def connect():
    with socket.socket() as client:
        client.connect(('127.0.0.1', 9))


TOUCHES = {
    'open': lambda: open('/sys/kernel/notes'),
    'os_open': lambda: os.open('/dev/kvm', os.O_RDONLY),
    'bytes': lambda: os.open(b'/dev/kvm', os.O_RDONLY),
    'detour': lambda: open('/dev/../sys/kernel/notes'),
    'pathlib': lambda: pathlib.Path('/sys/kernel/notes').read_text(),
    'listdir': lambda: os.listdir('/sys'),
    'scandir': lambda: list(os.scandir('/sys/module')),
    'run': lambda: subprocess.run(['true']),
    'system': lambda: os.system('true'),
    'connect': connect,
    'libvirt': lambda: import_afresh('libvirt'),
    'nova': lambda: import_afresh('nova.conf'),
}


@ddt.ddt
class PoisonTestCase(testtools.TestCase):
    """A unit test that touches the host fails."""

    def run_case(self, body):
        class Case(base.TestCase):
            def test(self):
                body(self)

        result = testtools.TestResult()
        Case('test').run(result)
        self.assertEqual((1, []), (result.testsRun, result.errors))
        return [text for _, text in result.failures]

    def assertPoisoned(self, failures):
        self.assertIn('HostTouched: A unit test must not do this', *failures)

    @ddt.data(*TOUCHES)
    def test_touch(self, name):
        self.assertPoisoned(self.run_case(lambda case: TOUCHES[name]()))

    @ddt.data(*TOUCHES)
    def test_touch_passed_over(self, name):
        def body(case):
            case.assertRaises(base.HostTouched, TOUCHES[name])

        self.assertPoisoned(self.run_case(body))

    def test_touch_in_a_thread(self):
        def body(case):
            worker = threading.Thread(target=swallow)
            worker.start()
            worker.join()

        def swallow():
            try:
                os.listdir('/sys')
            except base.HostTouched:
                pass

        self.assertPoisoned(self.run_case(body))

    def test_own_files(self):
        def body(case):
            path = case.make_dir() / 'sys' / 'dev'
            path.mkdir(parents=True)
            (path / 'kvm').write_text('fine')
            case.assertEqual(['kvm'], os.listdir(path))
            case.assertEqual('fine', (path / 'kvm').read_text())

        self.assertEqual([], self.run_case(body))

    def test_afterwards(self):
        self.run_case(lambda case: None)
        self.assertNotEqual([], os.listdir('/sys'))


class LogTestCase(base.TestCase):
    """What is logged can be looked at, down to the details."""

    def test_log(self):
        logging.getLogger('nova_hyperv_enlight.some').debug('a detail')
        self.assertEqual('a detail\n', self.log.output)
