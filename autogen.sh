#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure and its helpers from configure.ac; does not run it.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake libtoolize pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: $tool is missing; install autoconf, automake, libtool and pkg-config" >&2
        exit 1
    fi
done
mkdir -p build-aux
exec autoreconf --force --install "$@"
