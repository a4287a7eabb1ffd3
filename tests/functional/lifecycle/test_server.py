# SPDX-License-Identifier: Apache-2.0

"""The command ``server explain``, against Nova's API and placement."""

import json

from tests.functional import cloud
from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import test_fleet

MINIMAL = {'hyperv_enlight:profile': 'minimal'}
IPI_OFF = {'hyperv_enlight_ipi': 'off'}


class Glance:
    """Serves a test's images as Glance does; a WSGI application.

    https://docs.openstack.org/api-ref/image/v2/#show-image

    :param images: Nova's stand-in for Glance.
    :ivar status: what it answers, when that is not the image.
    """

    def __init__(self, images):
        self._images = images
        self.status = None

    def __call__(self, environ, start_response):
        if self.status is not None:
            start_response(self.status, [('Content-Type', 'text/html')])
            return [b'<html><body>no</body></html>']
        name = environ['PATH_INFO'].rpartition('/')[2]
        image = self._images.show(None, name)
        start_response('200 OK', [('Content-Type', 'application/json')])
        found = {'id': image['id'], **image['properties']}
        return [json.dumps(found).encode()]


class ServerTestCase(test_fleet.FleetMixin, base.LifeTestCase):
    """A server that was booted by the plugin's driver."""

    def setUp(self):
        super().setUp()
        self.cloud = self.log_in()

    def log_in(self, user=cloud.ADMIN):
        made = super().log_in(user)
        self.images = Glance(self.glance)
        made.endpoints['image'] = made.serve(self.images) + '/v2'
        return made

    def explain(self, server, *argv):
        """Return the rows by their names, and the standard error."""
        code, out, err = self.run_program(
            'server', 'explain', server['id'], '-f', 'json', *argv
        )
        self.assertEqual(0, code, err)
        return {row['name']: row for row in json.loads(out)}, err

    def refused(self, name, *argv):
        """Return the error: the last line, after those of the services."""
        code, out, err = self.run_program('server', 'explain', name, *argv)
        self.assertEqual((2, ''), (code, out), err)
        return err.splitlines()[-1]

    def assertOn(self, names, rows, column='state'):
        on = {name for name, row in rows.items() if row[column] == 'on'}
        self.assertEqual(set(names), on)

    def test_it_decides_as_the_driver_does(self):
        self.start('one', base.POOR, guest.AMD)
        server = self.boot({**base.WINDOWS, **IPI_OFF})
        given = guest.switched_on(self.domain_xml(server))

        rows, err = self.explain(server)

        self.assertOn(given, rows)
        self.assertOn(given, rows, 'had')
        self.assertEqual('turned-off', rows['ipi']['reason'])
        self.assertIn('hyperv_enlight_ipi=off', rows['ipi']['text'])
        self.assertIn(f'Server {server["name"]} ({server["id"]}) on one', err)
        self.assertEqual(
            {'2.1', '2.53', '2.84', '2.98'}, set(self.cloud.asked['compute'])
        )
        self.assertIn('on one: profile baseline; on: relaxed, vapic', err)

    def test_what_its_next_start_gives(self):
        self.start('one')
        server = self.boot(base.WINDOWS, MINIMAL)

        rows, _ = self.explain(server, '--option', 'force_off=vapic')

        self.assertOn(set(base.MINIMAL) - {'vapic'}, rows)
        self.assertOn(base.MINIMAL, rows, 'had')

    def test_its_flavor_and_its_name(self):
        self.start('one')
        server = self.boot(base.WINDOWS, MINIMAL)

        by_name, _ = self.explain({'id': server['name']})

        self.assertOn(base.MINIMAL, by_name)
        self.assertEqual({'yes'}, {row['certain'] for row in by_name.values()})

    def test_linux(self):
        self.start('one')
        server = self.boot({'os_type': 'linux'})

        rows, err = self.explain(server)

        self.assertOn((), rows)
        self.assertIn('none of its last 20 actions has an event', err)

    def test_a_host_that_reports_nothing(self):
        self.start('one', base.RICH, guest.PLAIN)
        server = self.boot(base.WINDOWS)

        rows, err = self.explain(server)

        self.assertOn((), rows)
        self.assertIn('The host reports no CUSTOM_HYPERV_* trait', err)

    def test_what_no_api_tells(self):
        self.plugin_flags(profile='passthrough')
        self.start('one')
        server = self.boot(base.WINDOWS)

        for argv, certain in (
            ([], 'host'),
            (['--libvirt-version', '9.0.0'], 'yes'),
        ):
            rows, _ = self.explain(
                server, '--option', 'profile=passthrough', *argv
            )
            self.assertEqual('left', rows['relaxed']['reason'])
            self.assertEqual(certain, rows['relaxed']['certain'])

    def test_glance_does_not_show_the_image(self):
        self.start('one')
        server = self.boot({**base.WINDOWS, **IPI_OFF})
        self.images.status = '403 Forbidden'

        _, err = self.explain(server)
        rows, _ = self.explain(server, '--image', 'hyperv_enlight_ipi=off')

        # Nova has kept os_type, and nothing that it does not know.
        self.assertIn('Its image cannot be read in Glance', err)
        self.assertEqual('turned-off', rows['ipi']['reason'])

    def test_there_is_no_such_server(self):
        self.start('one')

        self.assertEqual(
            "The cloud 'functional' has no server 'web1'; look for it with "
            '"openstack server list --all-projects".',
            self.refused('web1'),
        )

    def test_two_of_a_name(self):
        self.start('one')
        made = [self.boot(base.WINDOWS) for _ in range(2)]
        for server in made:
            self.api.put_server(server['id'], {'server': {'name': 'web1'}})

        line = self.refused('web1')

        self.assertIn("has 2 servers 'web1'; name one by its UUID: ", line)
        for server in made:
            self.assertIn(server['id'], line)

    def test_a_server_on_no_host(self):
        self.start('one')
        server = self.boot(base.WINDOWS)
        self.flags(shelved_offload_time=0)
        self.api.post_server_action(server['id'], {'shelve': None})
        self._wait_for_state_change(server, 'SHELVED_OFFLOADED')

        self.assertIn(
            '(SHELVED_OFFLOADED) is on no host, so nothing can be decided.',
            self.refused(server['id']),
        )

    def test_a_user_without_rights(self):
        self.start('one')
        server = self.boot(base.WINDOWS)
        made = self.log_in('reader')

        self.assertIn(
            f"has no server '{server['id']}' that this user may see.",
            self.refused(server['id']),
        )
        made.project = server['tenant_id']
        self.assertIn(
            "does not show a server's host to this user; allow it the policy "
            'os_compute_api:os-extended-server-attributes.',
            self.refused(server['id']),
        )
