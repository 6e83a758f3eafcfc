/* SPDX-License-Identifier: MIT */
/* Start an interpreter, run a line, finish it: as often as the first argument says. */
#include <Python.h>

int
main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (int left = atoi(argv[1]); left > 0; left--) {
        Py_Initialize();
        if (PyRun_SimpleString(argv[2]) != 0)
            return 1;
        if (Py_FinalizeEx() < 0)
            return 3;
    }
    puts("done");
    return 0;
}
