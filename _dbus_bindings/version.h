/* SPDX-License-Identifier: MIT */
/*
 * The API level that the module states; the project's own version is dbus.shim_version.
 */
#ifndef DBUS_SHIM_VERSION_H
#define DBUS_SHIM_VERSION_H

#define DBUS_PYTHON_API_LEVEL "1.5.1"

#endif
