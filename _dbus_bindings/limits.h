/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the protocol and of libdbus (D-Bus Specification, "Marshaling", "Valid Names",
 * "Match Rules").
 */
#ifndef DBUS_SHIM_LIMITS_H
#define DBUS_SHIM_LIMITS_H

#include <limits.h>

#define LIMIT_NAME 255u                        /* bytes of a bus, interface, member or error name */
#define LIMIT_SIGNATURE 255u                   /* bytes of a signature */
#define LIMIT_ARRAY (1u << 26)                 /* bytes of the items of one array */
#define LIMIT_MESSAGE (1u << 27)               /* bytes of a message, its header included */
#define LIMIT_NAMES (8u * (LIMIT_NAME + 16u))  /* bytes of all header fields but the path */
#define LIMIT_PATH (LIMIT_ARRAY - LIMIT_NAMES) /* bytes of a path in a header, which is an array */
#define LIMIT_ARRAY_DEPTH 32u                  /* arrays within arrays in one signature */
#define LIMIT_STRUCT_DEPTH 32u                 /* structs within structs in one signature */
#define LIMIT_VALUE_DEPTH 64u         /* containers within containers in one value, with variants */
#define LIMIT_FDS 253u                /* Linux passes no more with one message (SCM_MAX_FD) */
#define LIMIT_TIMEOUT_MS INT_MAX      /* means: no time-out at all */
#define DEFAULT_TIMEOUT_MS 25000      /* what a time-out of -1 stands for */
#define FIRST_CALL_SERIAL 0x80000000u /* our calls use the upper half, libdbus counts from 1 */

#endif
