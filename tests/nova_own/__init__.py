# SPDX-License-Identifier: Apache-2.0

"""Nova's own tests of its libvirt driver, with our class in its place.

``python -m tests.nova_own`` runs them once with each and compares.
"""
