/* SPDX-License-Identifier: MIT */
/*
 * What sd-bus takes for calls: as limit.c, with the commands ping, flight and mark.
 */
#include <systemd/sd-bus.h>

#include "common.h"

static sd_bus *bus;

static int
ping_reply(sd_bus_message *reply, void *count, sd_bus_error *error)
{
    (void)error;
    require(!sd_bus_message_is_method_error(reply, NULL), "Ping has failed");
    ++*(long *)count;
    return 0;
}

static void
ping(long count)
{
    while (count-- > 0) {
        sd_bus_message *reply = NULL;

        require(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus.Peer", "Ping", NULL, &reply, "") >= 0,
                "Ping has failed");
        sd_bus_message_unref(reply);
    }
}

static void
flight(long count, long window)
{
    long sent = 0, answered = 0;

    while (answered < count) {
        int result;

        for (; sent < count && sent - answered < window; sent++)
            require(sd_bus_call_method_async(bus, NULL, "org.freedesktop.DBus",
                                             "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer",
                                             "Ping", ping_reply, &answered, "") >= 0,
                    "cannot call");
        result = sd_bus_process(bus, NULL);
        require(result >= 0, "disconnected");
        if (result == 0)
            require(sd_bus_wait(bus, UINT64_MAX) >= 0, "cannot wait");
    }
}

int
main(int argc, char **argv)
{
    char line[LINE_SIZE];
    long count, window;

    require(argc > 1, "arguments: ADDRESS");
    require(sd_bus_new(&bus) >= 0 && sd_bus_set_address(bus, argv[1]) >= 0 &&
                sd_bus_set_bus_client(bus, 1) >= 0 && sd_bus_start(bus) >= 0,
            "cannot connect");
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "ping %ld", &count) == 1)
            ping(count);
        else if (sscanf(line, "flight %ld %ld", &count, &window) == 2)
            flight(count, window);
        else if (strcmp(line, "mark\n") == 0)
            mark();
        else
            require(0, "no such command");
        printf("%.1f\n", cpu_us());
        fflush(stdout);
    }
    sd_bus_flush_close_unref(bus);
    return 0;
}
