#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""CPU time of building and parsing message bodies, as one JSON line: `codec.py [WORKLOAD ...]`.

Measures the `dbus` that is imported, in microseconds of user and system time an operation.
"""

import argparse
import json
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

Workload = Tuple[str, Callable[[Any], List[Any]]]


def managed_objects(dbus: Any) -> List[Any]:
    """A GetManagedObjects reply: 50 objects, 3 interfaces each, 10 properties each."""

    def properties(i: int, j: int) -> Dict[str, Any]:
        return {
            "Name": dbus.String("device number %d" % i, variant_level=1),
            "Alias": dbus.String("alias-%d-%d" % (i, j), variant_level=1),
            "Powered": dbus.Boolean(i % 2 == 0, variant_level=1),
            "Class": dbus.UInt32(0x240404 + i, variant_level=1),
            "RSSI": dbus.Int16(-40 - i, variant_level=1),
            "Adapter": dbus.ObjectPath("/org/example/hci%d" % j, variant_level=1),
            "UUIDs": dbus.Array(["0000110%d-0000" % k for k in range(4)], "s", variant_level=1),
            "Level": dbus.Double(i / 7.0, variant_level=1),
            "Size": dbus.UInt64(i * 1_000_003, variant_level=1),
            "Index": dbus.Int32(j, variant_level=1),
        }

    return [
        {
            "/org/example/hci0/dev_%02d" % i: {
                "org.example.Interface%d" % j: properties(i, j) for j in range(3)
            }
            for i in range(50)
        }
    ]


def small_dict(dbus: Any) -> List[Any]:
    """a{sv} of 20."""
    values: Dict[str, Any] = {"key%d" % i: i * 3 for i in range(10)}
    values.update({"text%d" % i: "value %d" % i for i in range(10)})
    return [values]


WORKLOADS: Dict[str, Workload] = {
    "gmo": ("a{oa{sa{sv}}}", managed_objects),
    "structs1000": ("a(iisb)", lambda dbus: [[(i, -i, "item %d" % i, True) for i in range(1000)]]),
    "asv20": ("a{sv}", small_dict),
    "ai100k": ("ai", lambda dbus: [list(range(100_000))]),
    "s": ("s", lambda dbus: ["a short text"]),
    "ay1M": ("ay", lambda dbus: [bytes(range(256)) * 4096]),
}


def per_operation(operation: Callable[[], Any], budget: float = 0.15) -> float:
    """CPU seconds of one operation: the best of five batches, each a fifth of the budget."""
    operation()
    start = time.process_time()
    operation()
    count = max(1, int(budget / 5 / max(time.process_time() - start, 1e-7)))
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(count):
            operation()
        best = min(best, (time.process_time() - start) / count)
    return best


def measure(names: List[str]) -> Dict[str, float]:
    """What one process measures: microseconds by workload and direction."""
    import dbus
    from dbus.lowlevel import SignalMessage

    results: Dict[str, float] = {}
    for name in names:
        signature, make = WORKLOADS[name]
        values = make(dbus)

        def build(values: List[Any] = values, signature: str = signature) -> Any:
            message = SignalMessage("/", "org.example.Bench", "Bench")
            message.append(*values, signature=signature)
            return message

        message = build()
        results["build " + name] = per_operation(build) * 1e6
        results["parse " + name] = per_operation(message.get_args_list) * 1e6
        if signature == "ay":
            results["parse %s as ByteArray" % name] = (
                per_operation(lambda m=message: m.get_args_list(byte_arrays=True)) * 1e6
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    names = parser.parse_args().workloads or list(WORKLOADS)
    json.dump({name: [value] for name, value in measure(names).items()}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
