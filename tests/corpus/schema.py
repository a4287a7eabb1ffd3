# SPDX-License-Identifier: Apache-2.0

"""libvirt's schema, the installed one or another."""

from lxml import etree

#: Where Debian, Fedora and libvirt's own build lay it.
INSTALLED = '/usr/share/libvirt/schemas/domain.rng'

_DOMAIN = (
    '<domain type="kvm"><name>x</name><memory>1</memory>'
    '<os><type>hvm</type></os>{}</domain>'
)


class Schema:
    """Says whether a domain is valid.

    :param path: the file, domain.rng beside what it includes.
    """

    def __init__(self, path):
        self._schema = etree.RelaxNG(file=str(path))

    def error(self, text):
        """Return what is wrong with a domain, None if it is valid."""
        try:
            document = etree.fromstring(text.encode())
        except etree.XMLSyntaxError as err:
            return str(err)
        if self._schema.validate(document):
            return None
        return self._schema.error_log.last_error.message

    def error_of_parts(self, text):
        """Return the same of parts of a domain."""
        return self.error(_DOMAIN.format(text))
