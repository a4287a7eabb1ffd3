# SPDX-License-Identifier: Apache-2.0

"""Clouds that openstacksdk can log in to."""

import collections
import json

import fixtures
from keystoneauth1 import fixture as ksa_fixture
from openstack import proxy
from openstack import service_description
from oslo_utils import uuidutils
from placement import deploy
from wsgi_intercept import interceptor
import yaml

# Taken before Nova's fixtures replace them.
_REAL_FUNCTIONS = {
    (proxy.Proxy, 'get_endpoint'): proxy.Proxy.get_endpoint,
    (service_description.ServiceDescription, '_make_proxy'): (
        service_description.ServiceDescription._make_proxy
    ),
}

#: The cloud's name in clouds.yaml.
NAME = 'functional'
#: The user of the cloud who may ask what the plugin asks.
ADMIN = 'admin'


class RealSDK(fixtures.Fixture):
    """Give openstacksdk back what Nova's fixtures replace.

    Only for a while: without the replacement Nova's services do not start.
    """

    def _setUp(self):
        for (owner, name), function in _REAL_FUNCTIONS.items():
            self.useFixture(fixtures.MockPatchObject(owner, name, function))


class Keystone(fixtures.Fixture):
    """A stand-in for Keystone, and a clouds.yaml with one cloud of it.

    It gives any user a token that is the user's name, and a real service
    catalog.

    :param user: who logs in
    :ivar endpoints: the URL of each type of service
    """

    def __init__(self, user=ADMIN):
        super().__init__()
        self.endpoints = {}
        self._user = user

    def _setUp(self):
        self._url = self.serve(self.answer) + '/v3'
        path = f'{self.useFixture(fixtures.TempDir()).path}/clouds.yaml'
        with open(path, 'w', encoding='utf-8') as stream:
            yaml.safe_dump({'clouds': {NAME: self._cloud()}}, stream)
        self.useFixture(
            fixtures.EnvironmentVariable('OS_CLIENT_CONFIG_FILE', path)
        )

    def serve(self, app, path=''):
        """Serve a WSGI application until the end; return its URL."""
        # wsgi-intercept tells servers apart by their names.
        url = f'http://{uuidutils.generate_uuid()}{path}'
        server = interceptor.RequestsInterceptor(lambda: app, url=url)
        server.install_intercept()
        self.addCleanup(server.uninstall_intercept)
        return url

    def _cloud(self):
        return {
            'region_name': 'here',
            'auth': {
                'auth_url': self._url,
                'username': self._user,
                'password': 'any',
                'project_name': 'project',
                'user_domain_id': 'default',
                'project_domain_id': 'default',
            },
        }

    def answer(self, environ, start_response):
        """Answer as Keystone does; a WSGI application."""
        headers = [('Content-Type', 'application/json')]
        if environ['PATH_INFO'].endswith('/auth/tokens'):
            token = ksa_fixture.V3Token(user_name=self._user)
            token.set_project_scope()
            for kind, url in self.endpoints.items():
                service = token.add_service(kind)
                service.add_standard_endpoints(public=url, region='here')
            headers.append(('X-Subject-Token', self._user))
            start_response('201 Created', headers)
            return [json.dumps(token).encode()]
        found = ksa_fixture.V3Discovery(self._url)
        start_response('200 OK', headers)
        return [json.dumps({'version': found}).encode()]


class Cloud(Keystone):
    """Serve a test's Nova and placement, with a Keystone in front of them.

    :param api: Nova's ``OSAPIFixture``
    :param placement: placement's fixture
    :param user: who logs in
    :ivar asked: the microversions of each service's requests
    :ivar project: the project that Nova takes the user for a member of
    """

    def __init__(self, api, placement, user=ADMIN):
        super().__init__(user)
        self.asked = collections.defaultdict(list)
        self.project = 'project'
        self._api = api
        self._placement = deploy.loadapp(placement.conf_fixture.conf)

    def _setUp(self):
        super()._setUp()
        self.endpoints['compute'] = self.serve(self._compute) + '/v2.1'
        self.endpoints['placement'] = self.serve(self._placed, '/placement')

    def _compute(self, environ, start_response):
        # What Keystone's middleware would do.
        user = environ.get('HTTP_X_AUTH_TOKEN', 'nobody')
        environ.update(
            HTTP_X_AUTH_USER=user,
            HTTP_X_AUTH_PROJECT_ID=self.project,
            HTTP_X_ROLES='admin' if user == ADMIN else 'reader',
        )
        self._note('compute', environ)
        return self._api.app()(environ, start_response)

    def _placed(self, environ, start_response):
        self._note('placement', environ)
        return self._placement(environ, start_response)

    def _note(self, service, environ):
        version = environ.get('HTTP_OPENSTACK_API_VERSION')
        if version:
            self.asked[service].append(version.removeprefix(f'{service} '))
