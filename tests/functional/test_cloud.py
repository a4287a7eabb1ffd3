# SPDX-License-Identifier: Apache-2.0

"""Reading a cloud, and the errors where it does not answer.

openstacksdk and keystoneauth are the real ones; the services answer in the
forms of their references:
https://docs.openstack.org/api-ref/compute/
https://docs.openstack.org/api-ref/placement/
"""

import json
import pathlib
import socket
import urllib.parse

import ddt
import fixtures
import testtools

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import cloud
from tests.functional import cloud as clouds

UUID = '00000000-0000-0000-0000-00000000000{}'
ASKED = 'The cloud functional cannot be asked: '
ADDRESSES = (
    'check auth_url and region_name in clouds.yaml, and the endpoints of the '
    'services.'
)
PASSWORD = 'check the user and the password in clouds.yaml.'
NEEDED = 'compute 2.53 and placement 1.18 are needed.'
ALLOWED = 'the user in clouds.yaml must be allowed to list hypervisors, '

JSON, HTML = 'application/json', 'text/html'
#: Answers: the status, the content type and the body.
ANSWERS = {
    '401': (
        '401 Unauthorized',
        JSON,
        '{"error": {"code": 401, "title": "Unauthorized", "message": '
        '"The request you have made requires authentication."}}',
    ),
    '403': (
        '403 Forbidden',
        JSON,
        '{"forbidden": {"code": 403, "message": "Policy doesn\'t allow '
        'os_compute_api:os-hypervisors:list-detail to be performed."}}',
    ),
    'placement 403': (
        '403 Forbidden',
        JSON,
        '{"errors": [{"status": 403, "title": "Forbidden", "detail": "Access '
        'was denied to this resource.\\n\\n placement:traits:list  ", '
        '"request_id": "req-1"}]}',
    ),
    '404': (
        '404 Not Found',
        HTML,
        '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n'
        '<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n',
    ),
    '406': (
        '406 Not Acceptable',
        JSON,
        '{"computeFault": {"code": 406, "message": "Version 2.53 is not '
        'supported by the API. Minimum is 2.1 and maximum is 2.38."}}',
    ),
    'placement 406': (
        '406 Not Acceptable',
        JSON,
        '{"errors": [{"status": 406, "title": "Not Acceptable", "detail": '
        '"The server could not comply with the request.\\n\\n Unacceptable '
        'version header: 1.6  ", "max_version": "1.4"}]}',
    ),
    '500': (
        '500 Internal Server Error',
        JSON,
        '{"computeFault": {"code": 500, "message": "Unexpected API Error.\\n'
        '<class \'oslo_db.exception.DBConnectionError\'>"}}',
    ),
    '503': (
        '503 Service Unavailable',
        HTML,
        '<html><body><h1>503 Service Unavailable</h1>\nNo server is available '
        'to handle this request.\n</body></html>\n',
    ),
    'a page': ('200 OK', HTML, '<html>Sign in</html>'),
    'an object': ('200 OK', JSON, '{"hello": "world"}'),
    'a list': ('200 OK', JSON, '["hypervisors"]'),
}


def hypervisor(number, **changes):
    """Return what Nova 2.53 says of a compute node."""
    return {
        'id': UUID.format(number),
        'hypervisor_hostname': f'compute{number}.example.org',
        'hypervisor_type': 'QEMU',
        'cpu_info': {'vendor': 'AMD', 'model': 'EPYC-Milan'},
        'service': {
            'host': f'compute{number}',
            'id': UUID.format(number),
            'disabled_reason': None,
        },
        **changes,
    }


def send(answer, start_response):
    """Send an answer from a WSGI application."""
    status, kind, body = answer
    start_response(status, [('Content-Type', kind)])
    return [body.encode()]


class Service:
    """A service that answers as it is told to; a WSGI application.

    :ivar answers: by the end of the path, an object, or the status, content
        type and body of an answer, or a function of the query
    :ivar version: what it says of its versions.
    """

    def __init__(self, version, **answers):
        self.answers = answers
        self.version = version

    def __call__(self, environ, start_response):
        last = environ['PATH_INFO'].rstrip('/').rpartition('/')[2]
        found = self.answers.get(last, {'versions': [self.version]})
        if callable(found):
            found = found(
                dict(urllib.parse.parse_qsl(environ.get('QUERY_STRING', '')))
            )
        if isinstance(found, dict):
            found = '200 OK', JSON, json.dumps(found)
        return send(found, start_response)


class CloudTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(clouds.RealSDK())
        self.keystone = self.useFixture(clouds.Keystone())
        self.compute = Service(
            {
                'id': 'v2.1',
                'status': 'CURRENT',
                'version': '2.96',
                'min_version': '2.1',
                'links': [],
            },
            detail={'hypervisors': []},
        )
        self.placement = Service(
            {
                'id': 'v1.0',
                'status': 'CURRENT',
                'max_version': '1.39',
                'min_version': '1.0',
                'links': [{'rel': 'self', 'href': ''}],
            },
            traits={'traits': []},
            resource_providers={'resource_providers': []},
        )
        self.keystone.endpoints.update(
            compute=self.keystone.serve(self.compute) + '/v2.1',
            placement=self.keystone.serve(self.placement),
        )

    def read(self, *args, name=clouds.NAME):
        return cloud.Cloud(name).read(*args)

    def refused(self, **kwargs):
        """Return the one-line error for a cloud that cannot be read."""
        text = str(
            self.assertRaises(exception.CloudError, self.read, **kwargs)
        )
        self.assertTrue(text.isprintable(), text)
        return text


class ReadTestCase(CloudTestCase):
    def test_pages(self):
        asked = []

        def page(query):
            asked.append(query)
            marker = query.get('marker')
            numbers = {None: (1, 2), UUID.format(2): (3,)}[marker]
            found = {'hypervisors': [hypervisor(n) for n in numbers]}
            if marker is None:
                found['hypervisors_links'] = [
                    {'rel': 'next', 'href': 'http://wrong.example.org'}
                ]
            return found

        self.compute.answers['detail'] = page

        hosts = self.read().hosts

        self.assertEqual(
            [f'compute{n}.example.org' for n in (1, 2, 3)],
            [host.name for host in hosts],
        )
        self.assertEqual([{}, {'marker': UUID.format(2)}], asked)

    def test_traits(self):
        self.compute.answers['detail'] = {
            'hypervisors': [hypervisor(1), hypervisor(2)]
        }
        self.placement.answers['traits'] = lambda query: {
            'traits': {
                ('startswith:CUSTOM_HYPERV_', 'true'): [
                    'CUSTOM_HYPERV_IPI',
                    'CUSTOM_HYPERV_STIMER_DIRECT',
                    'CUSTOM_HYPERV_NEWER',
                ]
            }[query['name'], query['associated']]
        }
        self.placement.answers['resource_providers'] = lambda query: {
            'resource_providers': {
                'CUSTOM_HYPERV_IPI': [
                    {'uuid': UUID.format(1)},
                    {'uuid': UUID.format(9)},
                ],
                'CUSTOM_HYPERV_STIMER_DIRECT': [{'uuid': UUID.format(1)}],
            }[query['required']]
        }

        found = self.read()

        self.assertEqual(
            [{'ipi', 'stimer.direct'}, set()],
            [
                {
                    name
                    for name, each in host.capabilities.features.items()
                    if each.offered
                }
                for host in found.hosts
            ],
        )
        self.assertEqual(('compute2.example.org',), found.silent)
        self.assertEqual(('CUSTOM_HYPERV_NEWER',), found.unknown)

    def test_other_kinds_of_hosts(self):
        # Drivers other than libvirt's may say nothing of the processor.
        self.compute.answers['detail'] = {
            'hypervisors': [
                hypervisor(1),
                hypervisor(2, hypervisor_type='ironic', cpu_info=None),
                hypervisor(3, cpu_info={}),
            ]
        }

        found = self.read()

        self.assertEqual(('compute2.example.org',), found.others)
        self.assertEqual(
            [model.Vendor.AMD, None], [host.vendor for host in found.hosts]
        )


@ddt.ddt
class RefusedTestCase(CloudTestCase):
    """Each is one line, which ends with what to do."""

    @ddt.data(
        ('401', 'requires authentication; ', PASSWORD),
        ('403', 'os-hypervisors:list-detail to be performed; ', ALLOWED),
        ('404', '404 Not Found; ', ADDRESSES),
        ('406', 'Minimum is 2.1 and maximum is 2.38; ', NEEDED),
        ('500', "DBConnectionError'>; ", "the service's log says why."),
        ('503', 'to handle this request; ', 'the service is down: try again'),
        ('a page', "detail answers without 'hypervisors'; ", ADDRESSES),
        ('an object', "detail answers without 'hypervisors'; ", ADDRESSES),
        ('a list', "detail answers without 'hypervisors'; ", ADDRESSES),
    )
    @ddt.unpack
    def test_compute(self, answer, why, remedy):
        self.compute.answers['detail'] = ANSWERS[answer]

        text = self.refused()

        self.assertTrue(text.startswith(ASKED), text)
        self.assertIn(why + remedy, text)
        self.assertIn(self.keystone.endpoints['compute'], text)

    @ddt.data(
        ('placement 403', ', Forbidden; ', ALLOWED),
        ('placement 406', ', Not Acceptable; ', NEEDED),
        ('an object', " answers without 'traits'; ", ADDRESSES),
    )
    @ddt.unpack
    def test_placement(self, answer, why, remedy):
        self.placement.answers['traits'] = ANSWERS[answer]

        text = self.refused()

        self.assertIn(why + remedy, text)
        self.assertIn(self.keystone.endpoints['placement'], text)

    @ddt.data('aggregates', 'services')
    def test_what_chooses_hosts(self, kind):
        self.compute.answers[f'os-{kind}'] = ANSWERS['an object']

        err = self.assertRaises(
            exception.CloudError,
            self.read,
            *('one',) if kind == 'aggregates' else (None, 'one'),
        )

        self.assertIn(f'os-{kind}', str(err))
        self.assertIn(f"answers without '{kind}'; {ADDRESSES}", str(err))

    def test_a_wrong_password(self):
        def answer(environ, start_response):
            if environ['PATH_INFO'].endswith('/auth/tokens'):
                return send(ANSWERS['401'], start_response)
            return real(environ, start_response)

        real = self.keystone.answer
        self.useFixture(
            fixtures.MonkeyPatch(
                'tests.functional.cloud.Keystone.answer',
                lambda keystone, *args: answer(*args),
            )
        )
        self.useFixture(clouds.Keystone())

        self.assertEqual(
            f'{ASKED}The request you have made requires authentication. '
            f'(HTTP 401); {PASSWORD}',
            self.refused(),
        )

    def test_nobody_listens(self):
        with socket.create_server(('127.0.0.1', 0)) as closed:
            url = f'http://127.0.0.1:{closed.getsockname()[1]}'
        self.keystone.endpoints['compute'] = f'{url}/v2.1'

        text = self.refused()

        self.assertIn(f'Unable to establish connection to {url}', text)
        self.assertTrue(text.endswith(f'; {ADDRESSES}'), text)

    @ddt.data('compute', 'placement')
    def test_no_such_service(self, kind):
        del self.keystone.endpoints[kind]

        text = self.refused()

        self.assertIn(f'public endpoint for {kind} service in here', text)
        self.assertTrue(text.endswith(f'; {ADDRESSES}'), text)


class ConfigTestCase(CloudTestCase):
    def write(self, text):
        path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'clouds.yaml'
        )
        path.write_text(text)
        self.useFixture(
            fixtures.EnvironmentVariable('OS_CLIENT_CONFIG_FILE', str(path))
        )
        return path

    def test_no_such_cloud(self):
        path = self.write('clouds: {west: {}, east: {}}')

        self.assertEqual(
            'The cloud north cannot be asked: Cloud north was not found. The '
            f'clouds in {path}: east, west.',
            self.refused(name='north'),
        )

    def test_no_clouds(self):
        self.useFixture(
            fixtures.EnvironmentVariable('OS_CLIENT_CONFIG_FILE', '/nowhere')
        )

        self.assertEqual(
            f'{ASKED}Cloud functional was not found. There is no clouds.yaml '
            'that can be read in this directory, ~/.config/openstack or '
            '/etc/openstack.',
            self.refused(),
        )

    def test_no_yaml(self):
        # Newer releases of openstacksdk pass over it, older ones do not.
        self.write('clouds: [')

        self.assertIn('clouds.yaml', self.refused())

    def test_no_address(self):
        self.write('clouds: {functional: {auth: {username: one}}}')

        text = self.refused()

        self.assertIn('auth_url', text)
        self.assertTrue(text.endswith(f'; {ADDRESSES}'), text)
