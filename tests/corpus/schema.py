# SPDX-License-Identifier: Apache-2.0

"""libvirt's schema, for what others wrote and for parts of a domain."""

from nova_hyperv_enlight.domxml import schema
from nova_hyperv_enlight import exception

INSTALLED = schema.INSTALLED

_DOMAIN = (
    '<domain type="kvm"><name>x</name><memory>1</memory>'
    '<os><type>hvm</type></os>{}</domain>'
)


class Schema(schema.Schema):
    """The same schema; what is not XML is an error like any other."""

    def error(self, text):
        """Return what is wrong with a domain, None if it is valid."""
        try:
            error = super().error(text)
        except exception.MalformedDocument as err:
            return str(err)
        # Without the line, which only this document has.
        return None if error is None else error.partition(': ')[2]

    def error_of_parts(self, text):
        """Return the same of parts of a domain."""
        return self.error(_DOMAIN.format(text))
