# SPDX-License-Identifier: Apache-2.0

"""A libvirt whose guests can be defined anew."""

import re

from tests.unit.domains import guests

#: What stands in a guest's document only for who asks for it.
SECRET = ' passwd="secret"'
INACTIVE, SECURE = 2, 1


def document(name='win', **changes):
    """Return a document with a password in it; see guests.document."""
    text = guests.document(name, **changes)
    return text.replace(
        '</domain>',
        f'  <devices><graphics type="vnc"{SECRET}/></devices>\n</domain>',
    )


class Domain:
    """A domain.

    :ivar xml: what it is next started with, with passwords.
    :ivar calls: the names of the calls that were made.
    """

    def __init__(self, xml, active=0, persistent=1, saved=0):
        self.xml = xml
        self.calls = []
        self._states = {
            'isActive': active,
            'isPersistent': persistent,
            'hasManagedSaveImage': saved,
        }
        self.failing = {}

    def _call(self, name):
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]

    def name(self):
        return re.search('<name>(.*)</name>', self.xml)[1]

    def isActive(self):
        self._call('isActive')
        return self._states['isActive']

    def isPersistent(self):
        self._call('isPersistent')
        return self._states['isPersistent']

    def hasManagedSaveImage(self, flags=0):
        self._call('hasManagedSaveImage')
        return self._states['hasManagedSaveImage']

    def XMLDesc(self, flags=0):
        self._call('XMLDesc')
        if not flags & INACTIVE:
            raise AssertionError('the live document is none of our business')
        return self.xml if flags & SECURE else self.xml.replace(SECRET, '')


class Libvirt:
    """The domains of a connection.

    :ivar defined: the documents that were defined.
    :ivar keeps: what libvirt makes of a document; raises to refuse it.
    """

    def __init__(self, *domains):
        self.domains = {each.name(): each for each in domains}
        self.defined = []
        self.keeps = lambda xml: xml

    def listAllDomains(self, flags=0):
        return list(self.domains.values())

    def lookupByName(self, name):
        if name not in self.domains:
            raise guests.Failed(f'no domain {name!r}', 42)
        return self.domains[name]

    def defineXML(self, xml):
        kept = self.keeps(xml)
        name = re.search('<name>(.*)</name>', xml)[1]
        self.defined.append(xml)
        self.domains[name].xml = kept
        return self.domains[name]
