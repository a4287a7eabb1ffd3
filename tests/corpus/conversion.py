# SPDX-License-Identifier: Apache-2.0

"""Converts a document to every notation and back."""

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import convert
from nova_hyperv_enlight.notation import names
from nova_hyperv_enlight.notation import statement
from tests.corpus import findings

LIBVIRT = 'libvirt'


def words(selection):
    return set(names.words(selection))


def _silent(selection, target):
    """Return what a notation may leave out without a word."""
    mode = selection.mode
    if target not in (LIBVIRT, 'virt-xml'):
        mode = statement.mode_but_libvirts(selection)
    if mode is not profiles.Mode.CUSTOM:
        return set()
    return {f'{name}=off' for name in selection.off}


def check(source, text, schema):
    """Yield what is wrong with the conversions of a text.

    :param source: the name of its notation.
    :param text: the text.
    :param schema: libvirt's, None to leave validity out.
    :returns: the kind, what was done, and the reason, of each.
    """
    try:
        reading = convert.NOTATIONS[source].read(text)
    except exception.EnlightException as err:
        yield findings.Kind.REFUSED, f'convert --from {source}', str(err)
        return
    except Exception as err:
        yield findings.Kind.CRASH, f'convert --from {source}', repr(err)
        return
    for loss in reading.losses:
        yield (
            findings.Kind.LOSS,
            f'convert --from {source}',
            f'{loss.word}: {loss.reason}',
        )
    for target in convert.NOTATIONS:
        command = f'convert --from {source} --to {target}'
        try:
            for kind, reason in _check(reading, source, text, target, schema):
                yield kind, command, reason
        except Exception as err:
            yield findings.Kind.CRASH, command, repr(err)


def _check(reading, source, text, target, schema):
    there = convert.convert(text, source, target)
    if convert.convert(text, source, target) != there:
        yield findings.Kind.UNSTABLE, 'twice is not the same'
    for loss in there.losses[len(reading.losses) :]:
        yield findings.Kind.LOSS, f'{loss.word}: {loss.reason}'
    back = convert.NOTATIONS[target].read(there.text)
    lost = {loss.word for loss in there.losses}
    said = words(reading.selection)
    silent = _silent(reading.selection, target)
    missing = said - lost - silent - words(back.selection)
    more = words(back.selection) - said
    if missing:
        yield findings.Kind.DROPPED, ' '.join(sorted(missing))
    if more:
        yield findings.Kind.CHANGED, f'more: {" ".join(sorted(more))}'
    again = convert.NOTATIONS[target].write(back.selection)
    if again.text != there.text:
        yield findings.Kind.UNSTABLE, 'read and written again it differs'
    if target == LIBVIRT and schema is not None:
        error = schema.error_of_parts(there.text)
        if error is not None:
            yield findings.Kind.INVALID, error
