# SPDX-License-Identifier: Apache-2.0

import ddt

from tests.unit.cmd import base


@ddt.ddt
class RefuseTestCase(base.ExplainTestCase):
    @ddt.data(
        (
            'unknown=1',
            "'unknown' is not an option. Allowed are enabled, mode, ",
        ),
        (
            'profile=fastest',
            "'fastest' is not known. Allowed are none, stock, ",
        ),
        ('spinlock_retries=17', 'a whole number from 4095 to 4294967295'),
        ('vendor_id=a,b', '1 to 12 printable ASCII characters'),
        ('mode=dry', "'dry'"),
        ('enabled=maybe', "'maybe'"),
        (
            'force_on=synch',
            "'synch' is not known. Did you mean synic? Allowed are relaxed, ",
        ),
        ('profiles_file=/absent', 'profiles_file: /absent: '),
    )
    @ddt.unpack
    def test_option(self, option, message):
        self.assertRefused(
            self.call_explain('--option', option),
            f'[hyperv_enlight] {option.partition("=")[0]}: ',
            message,
        )

    @ddt.data(
        ('hyperv_enlight:stimr=on', 'Did you mean hyperv_enlight:stimer?'),
        ('hyperv_enlight:stimer=yes', 'allowed are on and off.'),
        ('hyperv_enlight:spinlocks.retries=1', 'a whole number from 4095'),
        ('hyperv_enlight:banana=on', 'valid. Allowed are hyperv_enlight:p'),
        ('hyperv_enlight:profile=fast', 'The profiles are none, stock, '),
        ('hyperv_enlight:profile=minmal', 'Did you mean minimal? The pro'),
    )
    @ddt.unpack
    def test_spec(self, spec, allowed):
        self.assertRefused(
            self.call_explain('--spec', spec),
            'flavor',
            f'{spec} is not valid',
            allowed,
        )

    @ddt.data(
        ('hyperv_enlight_stimr=on', 'Did you mean hyperv_enlight_stimer?'),
        ('hyperv_enlight_ipi=1', 'allowed are on and off.'),
        ('hyperv_enlight_evmcs=on', "may not switch 'evmcs' here; "),
        ('hyperv_enlight_profile=passthrough', 'profile:passthrough is list'),
    )
    @ddt.unpack
    def test_image(self, image, reason):
        self.assertRefused(
            self.call_explain('--image', image), 'image', reason
        )

    def test_what_the_host_cannot_deliver(self):
        self.assertRefused(
            self.call_explain('--spec', 'hyperv_enlight:evmcs=on'),
            "'evmcs', which the flavor asks for (hyperv_enlight:evmcs=on), "
            'is not available on this host: ',
        )

    def test_a_conflict(self):
        self.assertRefused(
            self.call_explain(
                '--spec',
                'hyperv_enlight:stimer=on',
                '--image',
                'hyperv_enlight_synic=off',
            ),
            "'stimer' (flavor) requires 'synic', which the image turned off.",
        )

    @ddt.data(
        ('--image', 'os_type', "'os_type' is not of the form KEY=VALUE"),
        ('--spec', '=on', "'=on' is not of the form KEY=VALUE"),
        ('--option', '', "'' is not of the form KEY=VALUE"),
    )
    @ddt.unpack
    def test_no_key_and_value(self, argument, text, message):
        result = self.call_explain(argument, text)

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn(message, result.err)

    def test_a_key_twice(self):
        result = self.call_explain('--image', 'a=1', '--image', 'a=2')

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('a is there twice', result.err)

    @ddt.data('[hyperv_enlight\n', 'profile = none\n')
    def test_no_configuration(self, text):
        conf = self.write('nova.conf', text)

        self.assertRefused(
            self.call_explain('--config-file', conf), '--config-file', conf
        )

    def test_an_absent_configuration(self):
        self.assertRefused(
            self.call_explain('--config-file', '/absent.conf'), '/absent.conf'
        )
