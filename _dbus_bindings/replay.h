/* SPDX-License-Identifier: MIT */
/*
 * An encoded body into a message by libdbus' append iterators.
 *
 * Slower than handing over the bytes as a whole, but the only way for file descriptors, for a
 * second helping of arguments, and for messages that libdbus would not accept as bytes.
 */
#ifndef DBUS_SHIM_REPLAY_H
#define DBUS_SHIM_REPLAY_H

#include <Python.h>

#include <dbus/dbus.h>

#include "encode.h"
#include "program.h"
#include "state.h"

/* `e` has what encode_args() made of the program.  -1 with an exception: the message is then
 * unusable. */
int replay_body(State *st, DBusMessage *message, const Program *program, const Encoder *e);

/* Raises what made libdbus say no: OSError for want of descriptors where errno, cleared before,
 * says so, else MemoryError.  Returns -1. */
int replay_refuse(void);

#endif
