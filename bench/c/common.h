/* SPDX-License-Identifier: MIT */
/*
 * What the C programs of the bench share: the names that are on the bus, and how to fail.
 *
 * The Python side of the same agreement is bench/adapter.py.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BENCH_PATH "/org/example/Bench/p%ld"
#define BENCH_ARG0 "name%ld"
#define BENCH_INTERFACE "org.example.Bench"
#define BENCH_SIGNAL "Tick"

/* Of everything that is registered so many are spoken to. */
enum { ADDRESSED = 10, NAME_SIZE = 64, LINE_SIZE = 512 };

/* Ends the program when something goes wrong: a bench has nothing to rescue. */
static inline void
require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

/* Microseconds of user and system time of this process. */
static inline double
cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* Forks a process that ends at once: cachegrind then tells what it has counted so far. */
static inline void
mark(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    require(child > 0 && waitpid(child, NULL, 0) == child, "cannot fork");
}

/* The number of what the turn-th message is for: ten of `registered`, evenly spread. */
static inline long
addressed(long turn, long registered)
{
    return registered < ADDRESSED ? turn % registered : turn % ADDRESSED * (registered / ADDRESSED);
}

/* A name made of a number, in `name`. */
static inline const char *
numbered(char name[NAME_SIZE], const char *format, long number)
{
    snprintf(name, NAME_SIZE, format, number);
    return name;
}

#endif
