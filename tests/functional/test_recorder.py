# SPDX-License-Identifier: Apache-2.0

"""The record in system_metadata, without an API."""

import ddt
import fixtures
from nova import exception as nova_exception
from nova import objects

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.virt import adoption
from nova_hyperv_enlight.virt import recorder
from tests.fixtures import nova
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
RELAXED = record.Record(
    profile='minimal',
    selection=selections.Selection(features=frozenset(('relaxed',))),
)
TEXT = '1;minimal;;relaxed'
MIGRATION = objects.Migration(id=8)


@ddt.ddt
class RecorderTestCase(guest.GuestTestCase):
    def setUp(self):
        super().setUp()
        self._saved = []
        self._log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))
        self.let_save(
            lambda instance, **expected: self._saved.append(
                instance.system_metadata.get(recorder.KEY)
            )
        )

    def let_save(self, function):
        self.useFixture(
            fixtures.MonkeyPatch('nova.objects.Instance.save', function)
        )

    def guest(self, text=None):
        """Return an instance with this record."""
        instance = self.instance(WINDOWS)
        if text is not None:
            instance.system_metadata[recorder.KEY] = text
            instance.obj_reset_changes(['system_metadata'])
        return instance

    def warnings(self):
        return [record.getMessage() for record in self._log.records]

    def test_read(self):
        self.assertEqual(RELAXED, recorder.read(self.guest(TEXT)))

    @ddt.data(None, '')
    def test_read_nothing(self, text):
        self.assertIsNone(recorder.read(self.guest(text)))
        self.assertEqual([], self.warnings())

    @ddt.data('2;minimal;;relaxed', 'relaxed')
    def test_read_what_is_no_record(self, text):
        self.assertIsNone(recorder.read(self.guest(text)))
        (warning,) = self.warnings()
        self.assertTrue(warning.endswith('; it is passed over'), warning)

    @ddt.data(None, '', 'relaxed', '1;baseline;;relaxed')
    def test_write(self, text):
        recorder.write(self.guest(text), RELAXED)

        self.assertEqual([TEXT], self._saved)

    def test_write_what_is_there(self):
        recorder.write(self.guest(TEXT), RELAXED)

        self.assertEqual([], self._saved)

    def test_write_over_a_newer_one(self):
        instance = self.guest('2;minimal;;relaxed')

        recorder.write(instance, RELAXED)

        self.assertEqual([], self._saved)
        self.assertEqual(
            '2;minimal;;relaxed', instance.system_metadata[recorder.KEY]
        )

    def test_write_fails(self):
        # The database does not answer: the guest is started all the same.
        def fail(instance):
            raise OSError('no route to host')

        self.let_save(fail)

        recorder.write(self.guest(), RELAXED)

        (warning,) = self.warnings()
        self.assertIn('cannot be recorded: no route to host', warning)

    def test_what_could_not_be_saved_is_not_there(self):
        # Nova saves the instance for other reasons, and would save it too.
        def fail(instance):
            raise OSError('no route to host')

        self.let_save(fail)
        for former in (None, '1;baseline;;synic'):
            instance = self.guest(former)

            recorder.write(instance, RELAXED)

            self.assertEqual(
                former, instance.system_metadata.get(recorder.KEY)
            )
            self.assertNotIn('system_metadata', instance.obj_what_changed())

    def test_what_is_saved_is_not_saved_by_nova_again(self):
        # Nova would save all of system_metadata, as it was read before.
        instance = self.guest()

        recorder.write(instance, RELAXED)

        self.assertEqual(TEXT, instance.system_metadata[recorder.KEY])
        self.assertNotIn('system_metadata', instance.obj_what_changed())

    def test_what_nova_has_changed_is_left_to_nova(self):
        saved = []
        self.let_save(lambda instance: saved.append(instance.system_metadata))
        instance = self.guest()
        self._instances[instance.uuid] = instance.obj_clone()
        instance.system_metadata['image_hw_disk_bus'] = 'virtio'

        recorder.write(instance, RELAXED)

        self.assertEqual(
            [{'image_os_type': 'windows', recorder.KEY: TEXT}], saved
        )
        self.assertIn('system_metadata', instance.obj_what_changed())

    @ddt.data((TEXT, None), ('relaxed', None), ('2;x', '2;x'), (None, None))
    @ddt.unpack
    def test_remove(self, before, after):
        instance = self.guest(before)

        recorder.remove(instance)

        self.assertEqual(after, instance.system_metadata.get(recorder.KEY))
        self.assertEqual([None] if before != after else [], self._saved)
        self.assertEqual([], self.warnings())

    def test_remove_fails(self):
        def fail(instance):
            raise OSError('no route to host')

        self.let_save(fail)
        instance = self.guest(TEXT)

        recorder.remove(instance)

        (warning,) = self.warnings()
        self.assertIn('cannot be removed: no route to host', warning)
        self.assertEqual(TEXT, instance.system_metadata[recorder.KEY])
        self.assertNotIn('system_metadata', instance.obj_what_changed())

    def test_write_what_is_too_long(self):
        recorder.write(
            self.guest(),
            record.Record(profile='p' * 300, selection=selections.Selection()),
        )

        self.assertEqual([], self._saved)
        (warning,) = self.warnings()
        self.assertIn('characters are too many for a record', warning)

    @ddt.data((TEXT, None), ('relaxed', None), ('2;x', '2;x'), (None, None))
    @ddt.unpack
    def test_forget(self, before, after):
        instance = self.guest(before)

        recorder.forget(instance)

        self.assertEqual(after, instance.system_metadata.get(recorder.KEY))
        # Nova does.
        self.assertEqual([], self._saved)

    @ddt.data(TEXT, '2;x')
    def test_there_and_back(self, text):
        instance = self.guest(text)

        recorder.stash(instance, MIGRATION)
        instance.system_metadata[recorder.KEY] = '1;performance;;synic'
        self.assertTrue(recorder.restore(instance, MIGRATION))

        self.assertEqual(text, instance.system_metadata[recorder.KEY])
        self.assertFalse(recorder.restore(instance, MIGRATION))

    def test_there_and_back_without_a_record(self):
        instance = self.guest()

        recorder.stash(instance, MIGRATION)

        self.assertFalse(recorder.restore(instance, MIGRATION))
        self.assertNotIn(recorder.KEY, instance.system_metadata)

    def test_a_guest_that_leaves_with_nothing_brings_nothing_back(self):
        # One that was confirmed on a host without the plugin is left.
        instance = self.guest(TEXT)
        recorder.stash(instance, objects.Migration(id=7))
        del instance.system_metadata[recorder.KEY]

        recorder.stash(instance, MIGRATION)

        self.assertFalse(recorder.restore(instance, MIGRATION))
        self.assertNotIn(recorder.KEY, instance.system_metadata)

    def test_there_without_the_plugin_and_back(self):
        # What another migration left is not what it left with.
        instance = self.guest(TEXT)
        recorder.stash(instance, objects.Migration(id=7))
        instance.system_metadata[recorder.KEY] = '1;performance;;synic'

        self.assertFalse(recorder.restore(instance, MIGRATION))

        self.assertEqual(
            {'image_os_type', recorder.KEY}, set(instance.system_metadata)
        )
        self.assertEqual(
            '1;performance;;synic', instance.system_metadata[recorder.KEY]
        )

    def test_what_is_too_long_to_be_kept(self):
        # Nova could not save it, nor anything else of the instance.
        instance = self.guest('1;' + 'p' * (record.MAX_LENGTH - 4) + ';;')

        recorder.stash(instance, MIGRATION)

        self.assertFalse(recorder.restore(instance, MIGRATION))

    def test_confirm(self):
        instance = self.guest(TEXT)
        recorder.stash(instance, MIGRATION)

        recorder.confirm(instance)

        self.assertEqual(
            {'image_os_type', recorder.KEY}, set(instance.system_metadata)
        )

    def test_adopt_what_a_newer_plugin_has_recorded(self):
        # Without a question to libvirt.
        self.assertIsNone(adoption.find(self.guest('2;x'), None))

        self.assertEqual([], self.warnings())


@ddt.ddt
class WhenTestCase(guest.GuestTestCase):
    """When the driver writes a record."""

    def start(self, **options):
        self.plugin_flags(**options)
        self.start_host(base.hyperv_document('relaxed', 'vapic'))

    def recorded(self):
        """Return the record after a guest's configuration was made."""
        instance, *arguments = self.arguments(WINDOWS)
        self.driver()._get_guest_config(
            instance, *arguments, context=self.context
        )
        return instance.system_metadata.get(recorder.KEY)

    def test_what_is_written(self):
        self.start()

        self.assertEqual(
            '1;baseline;;relaxed,vapic,hypervclock', self.recorded()
        )

    def test_profile_stock(self):
        self.start(profile='stock')

        self.assertEqual(
            '1;stock;mode=stock;relaxed,vapic,spinlocks=8191,vpindex,'
            'runtime,synic,reset,frequencies,tlbflush,ipi,hypervclock',
            self.recorded(),
        )

    def test_profile_passthrough(self):
        self.start(profile='passthrough')

        self.assertEqual(
            '1;passthrough;mode=passthrough;hypervclock', self.recorded()
        )

    @ddt.data({'mode': 'shadow'}, {'enabled': False})
    def test_nothing_is_written(self, options):
        self.start(**options)

        self.assertIsNone(self.recorded())

    @ddt.data({'mode': 'shadow'}, {'enabled': False})
    def test_nothing_is_adopted(self, options):
        # It would be asked of a libvirt that does not know this guest, and
        # would warn of it.
        self.start(**options)
        log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))

        self.driver()._enlightener.adopt(self.instance(WINDOWS))

        self.assertEqual([], log.records)

    def test_guests_that_have_no_domain(self):
        # Such as one whose build has failed.
        self.start()
        log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))
        ours = self.driver()._enlightener

        ours.adopt(self.instance(WINDOWS))
        ours.save_adopted()

        self.assertEqual([], log.records)

    @ddt.data(('resize', None), ('migration', TEXT), ('cross-cell', TEXT))
    @ddt.unpack
    def test_a_revert_of_what_left_without_the_plugin(self, kind, kept):
        # A resize brought another flavor, and its record is of that; but
        # another cell has a record of its own.
        self.start()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.'
                'finish_revert_migration',
                lambda *args, **kwargs: None,
            )
        )
        instance = self.instance(WINDOWS)
        instance.system_metadata[recorder.KEY] = TEXT

        self.driver().finish_revert_migration(
            self.context,
            instance,
            None,
            objects.Migration(
                id=8,
                migration_type='resize' if kind == 'cross-cell' else kind,
                cross_cell_move=kind == 'cross-cell',
            ),
        )

        self.assertEqual(kept, instance.system_metadata.get(recorder.KEY))

    @ddt.data((True, True), (False, False))
    @ddt.unpack
    def test_live_migrations_that_are_checked(self, enabled, refused):
        self.start(enabled=enabled)
        instance = self.instance(WINDOWS)
        instance.system_metadata[recorder.KEY] = '1;baseline;;synic'
        check = self.driver()._enlightener.check_live_migration
        try:
            check(instance, 'x86_64', 'pc')
        except nova_exception.MigrationPreCheckError:
            self.assertTrue(refused)
        else:
            self.assertFalse(refused)
