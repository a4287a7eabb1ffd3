# SPDX-License-Identifier: Apache-2.0

"""Renders the package's catalogue, so that it is written down once.

* ``.. enlightenments::`` gives each enlightenment a section.
* ``.. enlightenments-table::`` gives each a row.
* ``.. profiles::`` gives each built-in profile a row.
* ``.. profile-matrix::`` gives each enlightenment a row and each profile a
  column.
* ``.. properties::`` gives each extra spec and image property a row.
* ``.. windows-releases::`` gives each release of Windows a row.
"""

from docutils import nodes
from docutils import statemachine
from sphinx.util import docutils
from sphinx.util import nodes as sphinx_nodes

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.policy import request

#: Where the files of other projects are read, by the projects' names.
SOURCES = {
    'Linux': (
        'https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git'
        '/tree/'
    ),
    'QEMU': 'https://gitlab.com/qemu-project/qemu/-/blob/master/',
}

#: What a profile says that leaves the rest to another program.
DECIDES = {
    profiles.Mode.STOCK: ':left:`Nova`',
    profiles.Mode.HOST_MODEL: ':left:`libvirt`',
    profiles.Mode.PASSTHROUGH: ':left:`QEMU`',
}


def label(name):
    return 'enlightenment-' + name.replace('.', '-').replace('_', '-')


def link(name):
    return f':ref:`{name} <{label(name)}>`'


def spelled(word):
    """Return an extra spec and an image property of the same meaning."""
    return (
        request.SPEC_PREFIX + word,
        request.PROPERTY_PREFIX + word.replace('.', '_'),
    )


def links(names):
    return ', '.join(link(name) for name in names)


def domain_xml(entry):
    """Return where libvirt's domain XML holds it, as people write it."""
    value = entry.value
    extra = f" {value.attribute}='{value.default}'" if value else ''
    if entry.placement is model.Placement.TIMER:
        return f"<clock><timer name='{entry.element}' present='yes'/>"
    if entry.parent:
        return (
            f"<features><hyperv><{entry.parent} state='on'>"
            f"<{entry.element} state='on'/>"
        )
    return f"<features><hyperv><{entry.element} state='on'{extra}/>"


def kubevirt(entry):
    """Return where a virtual machine of KubeVirt's holds it."""
    if entry.kubevirt is None:
        return 'not known to it'
    if entry.placement is model.Placement.TIMER:
        return f'``clock.timer.{entry.kubevirt}``'
    return f'``features.hyperv.{entry.kubevirt}``'


def source(text):
    """Return a source of a fact, as a link where it names a file."""
    for name, address in SOURCES.items():
        if text.startswith(f'{name} '):
            path = text.removeprefix(f'{name} ').partition(',')[0]
            return f'`{text} <{address}{path}>`__'
    return text


def requires(entry):
    parts = [links(entry.requires)] if entry.requires else []
    for vendor, names in entry.requires_on:
        parts.append(f'on {vendor.value} {links(names)}')
    return '; '.join(parts)


def hardware(entry):
    parts = [f'{vendor.value} only' for vendor in entry.vendors]
    for vendor, needed in entry.hardware:
        parts.append(f'on {vendor.value} {needed.value}')
    return '; '.join(parts)


def bits(entry):
    """Return the CPUID bits that a guest sees."""
    parts = []
    for seen in entry.cpuid:
        numbers = ', '.join(
            str(bit) for bit in range(32) if seen.bits & 1 << bit
        )
        parts.append(
            f'{seen.leaf:#010x} {seen.register.value.upper()} bit {numbers} '
            f'({seen.section})'
        )
    return '; '.join(parts)


def fields(entry):
    """Return the facts of an entry; those that it lacks are empty."""
    value = entry.value
    return {
        'Domain XML': f'``{domain_xml(entry)}``',
        'QEMU flag': f'``{entry.qemu_flag}``',
        'KubeVirt': kubevirt(entry),
        'First release': (
            f'libvirt {model.version_text(entry.min_libvirt)}, '
            f'QEMU {model.version_text(entry.min_qemu)}'
        ),
        'Requires': requires(entry),
        'Host': hardware(entry),
        'Trait': f'``{entry.trait}``',
        'Value': (
            f'``{value.attribute}``: {value.allowed}; by default '
            f'``{value.default}``'
            if value
            else ''
        ),
        'CPUID': bits(entry),
        'Without it': f'{entry.cost}.',
        'Live migration': entry.migration,
        'In this plugin since': entry.since,
        'Sources': ' | '.join(map(source, entry.ref)),
    }


def section(entry):
    """Yield the lines of an enlightenment's section."""
    yield from (f'.. _{label(entry.name)}:', '')
    yield from (entry.name, '-' * len(entry.name), '')
    yield from (entry.summary, '')
    for name, text in fields(entry).items():
        if text:
            yield f':{name}: {text}'
    yield ''


def table(title, header, rows, options=()):
    """Yield the lines of a table.

    :param options: further options of its directive, as ``name: value``.
    """
    yield from (f'.. list-table:: {title}', '   :header-rows: 1')
    yield from (f'   :{option}' for option in options)
    yield ''
    for row in (header, *rows):
        for place, cell in enumerate(row):
            yield f'   {" " if place else "*"} - {cell}'
    yield ''


class CatalogueDirective(docutils.SphinxDirective):
    """A directive whose text is made from the catalogue."""

    def lines(self):
        raise NotImplementedError

    def run(self):
        content = statemachine.StringList()
        source = f'{self.env.docname}, from the catalogue'
        for line in self.lines():
            content.append(line, source)
        node = nodes.section(document=self.state.document)
        sphinx_nodes.nested_parse_with_titles(self.state, content, node)
        return node.children


class Enlightenments(CatalogueDirective):
    """A section for each enlightenment."""

    def lines(self):
        for entry in enlightenments.ENLIGHTENMENTS.values():
            yield from section(entry)


class EnlightenmentsTable(CatalogueDirective):
    """A row for each enlightenment."""

    def lines(self):
        return table(
            'Enlightenments',
            ('Name', 'QEMU flag', 'libvirt', 'QEMU', 'Requires'),
            [
                (
                    link(entry.name),
                    f'``{entry.qemu_flag}``',
                    model.version_text(entry.min_libvirt),
                    model.version_text(entry.min_qemu),
                    requires(entry),
                )
                for entry in enlightenments.ENLIGHTENMENTS.values()
            ],
        )


class Properties(CatalogueDirective):
    """A row for each extra spec and image property."""

    def lines(self):
        rows = [
            (
                f'``{spec}``, ``{image}``',
                'a profile',
                'The set that the guest gets.',
            )
            for spec, image in [spelled('profile')]
        ]
        for name, entry in enlightenments.ENLIGHTENMENTS.items():
            spec, image = spelled(name)
            rows.append((f'``{spec}``, ``{image}``', 'on, off', entry.summary))
        for name, entry in enlightenments.VALUES.items():
            spec, image = spelled(name)
            rows.append(
                (
                    f'``{spec}``, ``{image}``',
                    entry.value.allowed,
                    f'What {link(entry.name)} carries; turns it on.',
                )
            )
        return table(
            'Extra specs and image properties',
            ('Extra spec, image property', 'Values', 'What it does'),
            rows,
            options=('widths: 45 15 40',),
        )


class Profiles(CatalogueDirective):
    """A row for each built-in profile."""

    def lines(self):
        return table(
            'Profiles',
            ('Profile', 'What it is'),
            [
                (f'``{profile.name}``', profile.summary)
                for profile in profiles.PROFILES.values()
            ],
        )


def state(profile, name):
    """Say whether a profile turns an enlightenment on, or who decides."""
    if name in profile.features:
        return ':on:`on`'
    return DECIDES.get(profile.mode, ':off:`off`')


class ProfileMatrix(CatalogueDirective):
    """A row for each enlightenment and a column for each profile."""

    def lines(self):
        for role in ('on', 'off', 'left'):
            yield from (f'.. role:: {role}', f'   :class: cell-{role}', '')
        yield from table(
            'What each profile turns on',
            ('Enlightenment', *profiles.PROFILES),
            [
                (
                    link(name),
                    *(
                        state(profile, name)
                        for profile in profiles.PROFILES.values()
                    ),
                )
                for name in enlightenments.ENLIGHTENMENTS
            ],
            options=('class: matrix',),
        )


def removed(rule):
    """Name what a rule takes away, the shorter way round."""
    kept = set(enlightenments.ENLIGHTENMENTS) - rule.removes
    if not kept:
        return 'everything'
    names, all_but = rule.removes, ''
    if len(kept) < len(rule.removes):
        names, all_but = kept, 'all but '
    return all_but + links(
        name for name in enlightenments.ENLIGHTENMENTS if name in names
    )


def left_out(release):
    """Say what the rules take from a release's profile."""
    rules = {
        firmware: rule
        for firmware in ('bios', 'uefi')
        if (rule := windows.rule_for(release, firmware))
    }
    return '; '.join(
        ('' if rule.firmware is None else f'on {rule.firmware.upper()} ')
        + f'{removed(rule)}: {rule.text}'
        for rule in dict.fromkeys(rules.values())
    )


class WindowsReleases(CatalogueDirective):
    """A row for each release of Windows."""

    def lines(self):
        return table(
            'Windows releases',
            ('``os_distro``', '``os_version``', 'Release', 'Left out'),
            [
                (
                    f'``{release.distro}``',
                    ', '.join(f'``{each}``' for each in release.versions),
                    release.title,
                    left_out(release),
                )
                for release in windows.RELEASES
            ],
        )


def setup(app):
    app.add_directive('enlightenments', Enlightenments)
    app.add_directive('enlightenments-table', EnlightenmentsTable)
    app.add_directive('profiles', Profiles)
    app.add_directive('profile-matrix', ProfileMatrix)
    app.add_directive('properties', Properties)
    app.add_directive('windows-releases', WindowsReleases)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
