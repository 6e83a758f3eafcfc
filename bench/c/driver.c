/* SPDX-License-Identifier: MIT */
/*
 * The other end of every workload: it sends the signals, calls the service, echoes the calls.
 *
 *   driver ADDRESS commands    prints its unique name, then carries out a command a line and prints
 *                              "done" after each:
 *                                signals COUNT REGISTERED          "done" when the bus has passed
 *                                                                  them on
 *                                calls NAME MEMBER COUNT REGISTERED
 *                                                                  50 in flight, then Done
 *   driver ADDRESS echo        prints its unique name and answers every call with what came in it
 *   driver listen              prints an address; does so for the one that connects there without a
 *                              bus, and greets it as a bus would
 *
 * Of REGISTERED paths and names ten are spoken to, in turn.  The parent's end ends it.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <dbus/dbus.h>

#include "common.h"
#include "payload.h"

enum { IN_FLIGHT = 50 };

static void
say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static void
send_and_forget(DBusConnection *connection, DBusMessage *message)
{
    require(message && dbus_connection_send(connection, message, NULL), "cannot send");
    dbus_message_unref(message);
}

/* --- Signals and calls */

static void
send_signals(DBusConnection *connection, long count, long registered)
{
    DBusMessage *ping, *pong;
    char path[NAME_SIZE], text[NAME_SIZE];

    for (long i = 0; i < count; i++) {
        long number = addressed(i, registered);
        const char *argument = numbered(text, BENCH_ARG0, number);
        DBusMessage *tick = dbus_message_new_signal(numbered(path, BENCH_PATH, number),
                                                    BENCH_INTERFACE, BENCH_SIGNAL);

        require(tick &&
                    dbus_message_append_args(tick, DBUS_TYPE_STRING, &argument, DBUS_TYPE_INVALID),
                "no memory");
        send_and_forget(connection, tick);
    }
    /* The bus answers after it has dealt with what came before. */
    ping = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_PEER,
                                        "Ping");
    require(ping != NULL, "no memory");
    pong = dbus_connection_send_with_reply_and_block(connection, ping, DBUS_TIMEOUT_INFINITE, NULL);
    require(pong != NULL, "the bus has not answered");
    dbus_message_unref(pong);
    dbus_message_unref(ping);
}

static void
answered(DBusPendingCall *pending, void *count)
{
    DBusMessage *reply = dbus_pending_call_steal_reply(pending);

    require(dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN,
            "the service has answered with an error");
    dbus_message_unref(reply);
    ++*(long *)count;
}

static void
call(DBusConnection *connection, const char *name, const char *member, long number, long *count)
{
    const char *text = "a short text";
    dbus_int32_t one = 1, two = 2;
    char path[NAME_SIZE];
    DBusPendingCall *pending = NULL;
    DBusMessage *message = dbus_message_new_method_call(name, numbered(path, BENCH_PATH, number),
                                                        BENCH_INTERFACE, member);

    require(message &&
                (strcmp(member, "Echo") == 0
                     ? dbus_message_append_args(message, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID)
                     : dbus_message_append_args(message, DBUS_TYPE_INT32, &one, DBUS_TYPE_INT32,
                                                &two, DBUS_TYPE_INVALID)),
            "no memory");
    require(dbus_connection_send_with_reply(connection, message, &pending, DBUS_TIMEOUT_INFINITE) &&
                pending && dbus_pending_call_set_notify(pending, answered, count, NULL),
            "cannot call");
    dbus_pending_call_unref(pending);
    dbus_message_unref(message);
}

static void
call_service(DBusConnection *connection, const char *name, const char *member, long count,
             long registered)
{
    long sent = 0, ended = 0;
    char path[NAME_SIZE];
    DBusMessage *done;

    while (ended < count) {
        for (; sent < count && sent - ended < IN_FLIGHT; sent++)
            call(connection, name, member, addressed(sent, registered), &ended);
        require(dbus_connection_read_write_dispatch(connection, -1), "disconnected");
    }
    done =
        dbus_message_new_method_call(name, numbered(path, BENCH_PATH, 0), BENCH_INTERFACE, "Done");
    require(done != NULL, "no memory");
    dbus_message_set_no_reply(done, TRUE);
    send_and_forget(connection, done);
    dbus_connection_flush(connection);
}

static void
obey(DBusConnection *connection)
{
    char line[LINE_SIZE], name[LINE_SIZE], member[LINE_SIZE];
    long count, registered;

    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "signals %ld %ld", &count, &registered) == 2)
            send_signals(connection, count, registered);
        else if (sscanf(line, "calls %s %s %ld %ld", name, member, &count, &registered) == 4)
            call_service(connection, name, member, count, registered);
        else
            require(0, "no such command");
        say("done");
    }
}

/* --- Echo */

static DBusHandlerResult
echo(DBusConnection *connection, DBusMessage *message, void *data)
{
    const char *name = ":1.1";
    DBusMessage *reply;

    (void)data;
    if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
    reply = dbus_message_new_method_return(message);
    require(reply != NULL, "no memory");
    if (strcmp(dbus_message_get_member(message), "Hello") == 0)
        require(dbus_message_append_args(reply, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID) &&
                    dbus_message_set_sender(reply, DBUS_SERVICE_DBUS) &&
                    dbus_message_set_destination(reply, name),
                "no memory");
    else
        payload_copy(message, reply);
    send_and_forget(connection, reply);
    return DBUS_HANDLER_RESULT_HANDLED;
}

static void
echo_forever(DBusConnection *connection)
{
    dbus_connection_set_max_received_size(connection, 1L << 30);
    require(dbus_connection_add_filter(connection, echo, NULL, NULL), "no memory");
    while (dbus_connection_read_write_dispatch(connection, -1))
        continue;
}

static dbus_bool_t
keep_watch(DBusWatch *watch, void *kept)
{
    *(DBusWatch **)kept = watch;
    return TRUE;
}

static void
forget_watch(DBusWatch *watch, void *kept)
{
    (void)watch;
    *(DBusWatch **)kept = NULL;
}

static void
keep_connection(DBusServer *server, DBusConnection *connection, void *kept)
{
    (void)server;
    *(DBusConnection **)kept = dbus_connection_ref(connection);
}

static DBusConnection *
accept_one(void)
{
    DBusServer *server = dbus_server_listen("unix:tmpdir=/tmp", NULL);
    DBusWatch *watch = NULL;
    DBusConnection *connection = NULL;
    char *address;

    require(server && dbus_server_set_watch_functions(server, keep_watch, forget_watch, NULL,
                                                      &watch, NULL),
            "cannot listen");
    dbus_server_set_new_connection_function(server, keep_connection, &connection, NULL);
    address = dbus_server_get_address(server);
    say(address);
    dbus_free(address);
    while (connection == NULL) {
        struct pollfd ready = {dbus_watch_get_unix_fd(watch), POLLIN, 0};

        require(poll(&ready, 1, -1) == 1, "cannot poll");
        dbus_watch_handle(watch, DBUS_WATCH_READABLE);
    }
    dbus_server_disconnect(server);
    return connection;
}

int
main(int argc, char **argv)
{
    DBusConnection *connection;
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    require(parent == getppid(), "the parent has gone");
    if (argc == 2 && strcmp(argv[1], "listen") == 0) {
        echo_forever(accept_one());
        return 0;
    }
    require(argc == 3, "arguments: ADDRESS commands | ADDRESS echo | listen");
    connection = dbus_connection_open_private(argv[1], NULL);
    require(connection && dbus_bus_register(connection, NULL), "cannot connect");
    dbus_connection_set_exit_on_disconnect(connection, FALSE);
    say(dbus_bus_get_unique_name(connection));
    if (strcmp(argv[2], "echo") == 0)
        echo_forever(connection);
    else
        obey(connection);
    return 0;
}
