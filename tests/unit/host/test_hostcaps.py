# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import hostcaps
from tests.unit import base


def document(cpu):
    return f'<capabilities><host><cpu>{cpu}</cpu></host></capabilities>'


@ddt.ddt
class TscTestCase(base.TestCase):
    """The host's time stamp counter."""

    @ddt.unpack
    @ddt.data(
        (
            "<counter name='tsc' frequency='2794748000' scaling='yes'/>",
            2794748000,
        ),
        ("<counter name='tsc' frequency='1'/>", 1),
        (
            "<counter name='other' frequency='7'/>"
            "<counter name='tsc' frequency='8'/>",
            8,
        ),
        ("<counter name='other' frequency='7'/>", None),
        ("<counter name='tsc'/>", None),
        ("<counter name='tsc' frequency=''/>", None),
        ("<counter name='tsc' frequency='fast'/>", None),
        ("<counter name='tsc' frequency='-1'/>", None),
        ("<counter name='tsc' frequency='2.5'/>", None),
        ('', None),
    )
    def test_frequency(self, cpu, hertz):
        self.assertEqual(hertz, hostcaps.tsc(document(cpu)).frequency)

    @ddt.unpack
    @ddt.data(
        ("<counter name='tsc' frequency='1' scaling='yes'/>", True),
        ("<counter name='tsc' frequency='1' scaling='no'/>", False),
        ("<counter name='tsc' frequency='1' scaling=''/>", None),
        ("<counter name='tsc' frequency='1'/>", None),
        ("<counter name='other' scaling='yes'/>", None),
        ('', None),
    )
    def test_scaling(self, cpu, scaling):
        self.assertIs(scaling, hostcaps.tsc(document(cpu)).scaling)

    def test_frequency_of_the_guests_below(self):
        text = (
            '<capabilities><host/><guest><cpu>'
            "<counter name='tsc' frequency='9'/></cpu></guest></capabilities>"
        )
        self.assertEqual(hostcaps.Tsc(), hostcaps.tsc(text))

    @ddt.data('', '<capabilities>', '<domainCapabilities/>', b'\xff')
    def test_malformed(self, text):
        error = self.assertRaises(
            exception.MalformedDocument, hostcaps.tsc, text
        )
        self.assertIn('capabilities cannot be read: ', str(error))
