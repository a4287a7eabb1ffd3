# SPDX-License-Identifier: Apache-2.0

"""libvirt's RELAX NG schema of domain XML."""

import os

from lxml import etree

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import parsing

#: Where Debian, Fedora and libvirt's own build put it.
INSTALLED = '/usr/share/libvirt/schemas/domain.rng'


class Schema:
    """Says whether domain XML is valid.

    :param path: libvirt's ``domain.rng``, beside the files that it includes.
    :ivar path: the same, for messages.
    :raises MalformedDocument: it cannot be read, or is no schema.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            with open(self.path, 'rb'):
                # lxml does not tell a missing file from a bad one.
                pass
            self._schema = etree.RelaxNG(file=self.path)
        except OSError as err:
            raise exception.MalformedDocument(
                document=self.path, reason=err.strerror
            ) from err
        except etree.LxmlError as err:
            raise exception.MalformedDocument(
                document=self.path, reason=f'it is no RELAX NG schema: {err}'
            ) from err

    def error(self, text: str | bytes) -> str | None:
        """Return what is wrong with the XML of a domain, None if it is valid.

        :returns: a sentence without a full stop, with the line.
        :raises MalformedDocument: it is not XML, or not a domain's.
        """
        root = parsing.parse(text, 'domain', 'the domain')
        if self._schema.validate(root):
            return None
        message = self._schema.error_log.last_error.message
        # libxml2 names the outermost element where their order is free.
        found = self._misfit(root)
        if found is not root:
            message = f'<{found.tag}> does not fit'
        return exception.printable(f'line {found.sourceline}: {message}')

    def _misfit(self, root: etree._Element) -> etree._Element:
        """Return the innermost element without which a domain is valid.

        :returns: the root where there is no such element, or more than one.
        """
        found = root
        while True:
            for child in found.iterchildren(etree.Element):
                place = found.index(child)
                found.remove(child)
                valid = self._schema.validate(root)
                found.insert(place, child)
                if valid:
                    found = child
                    break
            else:
                return found
