/* SPDX-License-Identifier: MIT */
/*
 * What libdbus itself takes, without a binding: the workloads in plain C.
 *
 *   limit ADDRESS bus|peer         connects, to a bus or to a peer, prints "ready", then
 *                                  carries out a command a line and prints after each the user and
 *                                  system time of this process so far, in microseconds:
 *     ping COUNT                   blocking calls of Ping of the bus
 *     flight COUNT WINDOW          the same, WINDOW in flight
 *     echo NAME PAYLOAD COUNT      blocking calls with a payload there and back; NAME is - for a peer
 *     matches FIELD FIRST END      match rules, FIELD being path, arg0 or none
 *     receive COUNT                waits for so many signals
 *     name NAME                    requests it
 *     export FIRST END             objects with Echo and Add
 *     serve                        answers calls until that of Done
 *     parse|build PAYLOAD COUNT    a body by iterators
 *     mark                         see common.h
 *
 * bench/adapter_c.py speaks to it.
 */
#include <dbus/dbus.h>

#include "common.h"
#include "payload.h"

static DBusConnection *connection;
static long signals_left;
static int serving;

static DBusMessage *
new_ping(void)
{
    DBusMessage *ping = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                     DBUS_INTERFACE_PEER, "Ping");

    require(ping != NULL, "no memory");
    return ping;
}

/* Both messages are the caller's; the first is let go. */
static DBusMessage *
call_and_block(DBusMessage *call)
{
    DBusMessage *reply =
        dbus_connection_send_with_reply_and_block(connection, call, DBUS_TIMEOUT_INFINITE, NULL);

    require(reply != NULL, "a call has failed");
    dbus_message_unref(call);
    return reply;
}

static void
ping(long count)
{
    while (count-- > 0)
        dbus_message_unref(call_and_block(new_ping()));
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
flight(long count, long window)
{
    long sent = 0, answered = 0;

    while (answered < count) {
        for (; sent < count && sent - answered < window; sent++) {
            DBusPendingCall *pending = NULL;
            DBusMessage *call = new_ping();

            require(dbus_connection_send_with_reply(connection, call, &pending, -1) && pending &&
                        dbus_pending_call_set_notify(pending, ended, &answered, NULL),
                    "cannot call");
            dbus_pending_call_unref(pending);
            dbus_message_unref(call);
        }
        require(dbus_connection_read_write_dispatch(connection, -1), "disconnected");
    }
}

static void
echo(const char *name, const char *payload, long count)
{
    char path[NAME_SIZE];

    numbered(path, BENCH_PATH, 0);
    while (count-- > 0) {
        DBusMessage *reply, *call = dbus_message_new_method_call(*name == '-' ? NULL : name, path,
                                                                 BENCH_INTERFACE, "Echo");

        require(call != NULL, "no memory");
        payload_append(call, payload);
        reply = call_and_block(call);
        require(payload_walk(reply) > 0, "nothing has come back");
        dbus_message_unref(reply);
    }
}

/* --- Signals */

static DBusHandlerResult
count_signal(DBusConnection *from, DBusMessage *message, void *data)
{
    const char *text;

    (void)from;
    (void)data;
    if (!dbus_message_is_signal(message, BENCH_INTERFACE, BENCH_SIGNAL))
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
    require(dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID),
            "the signal has no text");
    signals_left--;
    return DBUS_HANDLER_RESULT_HANDLED;
}

static void
add_matches(const char *field, long first, long end)
{
    const char *head = "type='signal',interface='" BENCH_INTERFACE "',member='" BENCH_SIGNAL "'";
    char rule[LINE_SIZE], value[NAME_SIZE];

    for (long i = first; i < end; i++) {
        if (strcmp(field, "none") == 0)
            snprintf(rule, sizeof rule, "%s", head);
        else
            snprintf(rule, sizeof rule, "%s,%.8s='%s'", head, field,
                     numbered(value, *field == 'p' ? BENCH_PATH : BENCH_ARG0, i));
        dbus_bus_add_match(connection, rule, NULL);
    }
    if (first == 0)
        require(dbus_connection_add_filter(connection, count_signal, NULL, NULL), "no memory");
    flight(1, 1); /* answered after all that came before has been dispatched */
}

static void
receive(long count)
{
    signals_left += count;
    while (signals_left > 0)
        require(dbus_connection_read_write_dispatch(connection, -1), "disconnected");
}

/* --- The service */

static DBusHandlerResult
answer(DBusConnection *from, DBusMessage *message, void *data)
{
    const char *member = dbus_message_get_member(message), *text;
    dbus_int32_t one, two;
    DBusMessage *reply;

    (void)data;
    if (strcmp(member, "Done") == 0) {
        serving = 0;
        return DBUS_HANDLER_RESULT_HANDLED;
    }
    reply = dbus_message_new_method_return(message);
    require(reply != NULL, "no memory");
    if (strcmp(member, "Echo") == 0) {
        require(dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID) &&
                    dbus_message_append_args(reply, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID),
                "cannot echo");
    } else {
        require(dbus_message_get_args(message, NULL, DBUS_TYPE_INT32, &one, DBUS_TYPE_INT32, &two,
                                      DBUS_TYPE_INVALID),
                "cannot add");
        one += two;
        require(dbus_message_append_args(reply, DBUS_TYPE_INT32, &one, DBUS_TYPE_INVALID),
                "cannot answer");
    }
    require(dbus_connection_send(from, reply, NULL), "cannot send");
    dbus_message_unref(reply);
    return DBUS_HANDLER_RESULT_HANDLED;
}

static void
export_objects(long first, long end)
{
    static const DBusObjectPathVTable table = {.message_function = answer};
    char path[NAME_SIZE];

    for (long i = first; i < end; i++)
        require(dbus_connection_register_object_path(connection, numbered(path, BENCH_PATH, i),
                                                     &table, NULL),
                "cannot export");
}

static void
serve(void)
{
    serving = 1;
    while (serving)
        require(dbus_connection_read_write_dispatch(connection, -1), "disconnected");
}

/* --- Bodies */

static DBusMessage *
new_body(const char *payload)
{
    DBusMessage *message = dbus_message_new_signal("/", BENCH_INTERFACE, BENCH_SIGNAL);

    require(message != NULL, "no memory");
    payload_append(message, payload);
    return message;
}

static void
build(const char *payload, long count)
{
    while (count-- > 0)
        dbus_message_unref(new_body(payload));
}

static void
parse(const char *payload, long count)
{
    DBusMessage *message = new_body(payload);

    while (count-- > 0)
        require(payload_walk(message) > 0, "no values");
    dbus_message_unref(message);
}

/* --- Commands */

static void
obey(const char *line)
{
    char first[LINE_SIZE], second[LINE_SIZE];
    long one, two;

    if (sscanf(line, "ping %ld", &one) == 1)
        ping(one);
    else if (sscanf(line, "flight %ld %ld", &one, &two) == 2)
        flight(one, two);
    else if (sscanf(line, "echo %s %s %ld", first, second, &one) == 3)
        echo(first, second, one);
    else if (sscanf(line, "matches %s %ld %ld", first, &one, &two) == 3)
        add_matches(first, one, two);
    else if (sscanf(line, "receive %ld", &one) == 1)
        receive(one);
    else if (sscanf(line, "name %s", first) == 1)
        require(dbus_bus_request_name(connection, first, 0, NULL) > 0, "cannot have the name");
    else if (sscanf(line, "export %ld %ld", &one, &two) == 2)
        export_objects(one, two);
    else if (strcmp(line, "serve\n") == 0)
        serve();
    else if (sscanf(line, "parse %s %ld", first, &one) == 2)
        parse(first, one);
    else if (sscanf(line, "build %s %ld", first, &one) == 2)
        build(first, one);
    else if (strcmp(line, "mark\n") == 0)
        mark();
    else
        require(0, "no such command");
}

int
main(int argc, char **argv)
{
    char line[LINE_SIZE];

    require(argc == 3, "arguments: ADDRESS bus|peer");
    connection = dbus_connection_open_private(argv[1], NULL);
    require(connection != NULL, "cannot connect");
    dbus_connection_set_max_received_size(connection, 1L << 30);
    require(*argv[2] == 'p' || dbus_bus_register(connection, NULL), "no bus");
    dbus_connection_set_exit_on_disconnect(connection, FALSE);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        obey(line);
        printf("%.1f\n", cpu_us());
        fflush(stdout);
    }
    return 0;
}
