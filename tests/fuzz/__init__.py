# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A differential fuzzer: archives of real servers are changed layer by layer, and Consul itself judges our reader.

``cases`` makes a case of a seed and a number, with ``wrappers`` and ``records``; ``reader`` is what our code says of
it, ``servers`` and ``inspector`` what Consul says; ``verdicts`` holds one against the other.
"""
