/* SPDX-License-Identifier: MIT */
/*
 * Plain libdbus for bench/aio.py: the loop that bindings are compared with, and the sender of the
 * signals that they all receive.
 *
 *   inflight ADDRESS calls COUNT    calls Ping of the bus daemon COUNT times, 100 in flight, after a
 *                                   first round of as many; prints microseconds of user and system
 *                                   time a call
 *   inflight ADDRESS send           prints its unique name; then for every number on a line of
 *                                   standard input sends as many signals and prints a line when the
 *                                   bus daemon has passed them on
 *
 * Everything that goes wrong ends the program with status 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <dbus/dbus.h>

enum { IN_FLIGHT = 100 };

static void
require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "inflight: %s\n", what);
        exit(1);
    }
}

static double
cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static DBusMessage *
new_ping(void)
{
    DBusMessage *call = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                     DBUS_INTERFACE_PEER, "Ping");

    require(call != NULL, "no memory for a call");
    return call;
}

static void
ended(DBusPendingCall *pending, void *count)
{
    DBusMessage *reply = dbus_pending_call_steal_reply(pending);

    require(dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN, "Ping has failed");
    dbus_message_unref(reply);
    ++*(long *)count;
}

static void
send_ping(DBusConnection *connection, long *count)
{
    DBusMessage *call = new_ping();
    DBusPendingCall *pending = NULL;

    require(dbus_connection_send_with_reply(connection, call, &pending, -1) && pending &&
                dbus_pending_call_set_notify(pending, ended, count, NULL),
            "cannot call");
    dbus_pending_call_unref(pending);
    dbus_message_unref(call);
}

static void
calls(DBusConnection *connection, long count)
{
    long sent = 0, answered = 0;

    while (answered < count) {
        for (; sent < count && sent - answered < IN_FLIGHT; sent++)
            send_ping(connection, &answered);
        require(dbus_connection_read_write_dispatch(connection, -1), "disconnected");
    }
}

static void
send_signals(DBusConnection *connection, long count)
{
    const char *text = "a short text";

    while (count-- > 0) {
        DBusMessage *signal =
            dbus_message_new_signal("/org/example/Bench", "org.example.Bench", "Tick");

        require(signal &&
                    dbus_message_append_args(signal, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID) &&
                    dbus_connection_send(connection, signal, NULL),
                "cannot send");
        dbus_message_unref(signal);
    }
    /* The bus daemon answers after it has dealt with what came before. */
    calls(connection, 1);
}

int
main(int argc, char **argv)
{
    DBusConnection *connection;
    char line[32];

    require(argc > 2, "arguments: ADDRESS calls COUNT | ADDRESS send");
    connection = dbus_connection_open_private(argv[1], NULL);
    require(connection && dbus_bus_register(connection, NULL), "cannot connect");
    if (strcmp(argv[2], "calls") == 0) {
        long count = argc > 3 ? atol(argv[3]) : 0;
        double before;

        require(count > 0, "COUNT is a number from 1");
        calls(connection, count);
        before = cpu_us();
        calls(connection, count);
        printf("%f\n", (cpu_us() - before) / (double)count);
    } else {
        puts(dbus_bus_get_unique_name(connection));
        fflush(stdout);
        while (fgets(line, sizeof line, stdin)) {
            send_signals(connection, atol(line));
            puts("sent");
            fflush(stdout);
        }
    }
    dbus_connection_close(connection);
    dbus_connection_unref(connection);
    return 0;
}
