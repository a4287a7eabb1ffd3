# SPDX-License-Identifier: Apache-2.0

import configparser
import pathlib
import re

import testtools
import yaml

TOP = pathlib.Path(__file__).parents[3]
#: A job of openstack-zuul-jobs runs the environment that its name ends in.
OPENSTACK = 'openstack-tox-'


class ZuulTestCase(testtools.TestCase):
    """Zuul knows of tox.ini only what .zuul.yaml says."""

    def setUp(self):
        super().setUp()
        found = yaml.safe_load((TOP / '.zuul.yaml').read_text())
        self.own = {
            item['job']['name']: item['job'] for item in found if 'job' in item
        }
        (self.project,) = [
            item['project'] for item in found if 'project' in item
        ]

    def environment(self, job):
        """Return the tox environment that a job runs."""
        if job in self.own:
            self.assertEqual('openstack-tox', self.own[job]['parent'])
            return self.own[job]['vars']['tox_envlist']
        self.assertTrue(job.startswith(OPENSTACK), job)
        return job.removeprefix(OPENSTACK)

    def environments(self, queue):
        return [self.environment(job) for job in self.project[queue]['jobs']]

    def pythons(self):
        """Return tox's name for each Python that is supported."""
        text = (TOP / 'pyproject.toml').read_text()
        return {
            f'py3{minor}'
            for minor in re.findall(
                r'"Programming .* Python :: 3\.(\d+)"', text
            )
        }

    def test_each_environment_is_there(self):
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(TOP / 'tox.ini')
        there = {
            section.removeprefix('testenv:') for section in tox.sections()
        }

        for environment in self.environments('check'):
            self.assertIn(environment, there | self.pythons())

    def test_what_is_checked_is_gated(self):
        self.assertEqual(self.project['check'], self.project['gate'])

    def test_each_own_job_runs(self):
        self.assertEqual(
            set(), set(self.own) - set(self.project['check']['jobs'])
        )

    def test_make_check_and_each_python(self):
        makefile = (TOP / 'Makefile').read_text()
        check = set(re.search('^CHECK = (.*)$', makefile, re.M)[1].split())

        self.assertEqual(
            sorted(check - {'py3'} | self.pythons()),
            sorted(self.environments('check')),
        )
