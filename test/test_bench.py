# SPDX-License-Identifier: MIT
"""The bench's own logic, on canned samples: nothing is measured and no bus is started."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench"
MODULES = "adapter context machine report results run runner targets workloads".split()


@pytest.fixture(scope="module")
def bench() -> Any:
    """The modules of the bench; they import each other by their plain names."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCH))
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(BENCH))
        for name in set(sys.modules) - before:
            if (BENCH / f"{name}.py").exists():
                del sys.modules[name]


def row(workload: str, metric: str = "CPU", unit: str = "us", **samples: list[float]) -> Any:
    """A row; in the names of sides a minus or a dot is an underscore here."""
    names = {"dbus_python": "dbus-python", "dbus_fast": "dbus-fast", "dbus_aio": "dbus.aio"}
    return {
        "workload": workload,
        "theme": "Calls",
        "metric": metric,
        "unit": unit,
        "samples": {names.get(side, side): values for side, values in samples.items()},
        "absent": {},
        "failed": {},
        "not_run": {},
    }


def a_run(*rows: Any, **keys: Any) -> Any:
    return {
        "format": 1,
        "date": "2026-01-02 03:04 UTC",
        "commit": "abc1234",
        "quick": False,
        "rounds": 5,
        "only": None,
        "machine": {"processor": "Z80", "cores": "2", "system": "CP/M", "load": "0.1"},
        "versions": {"libdbus": "1.14.10"},
        "not_run": {},
        "rows": list(rows),
        **keys,
    }


LOG = "==7== \n==7== I   refs:      {}\n"


@pytest.mark.parametrize(("text", "count"), [("214,238,203", 214238203), ("17", 17)])
def test_instructions_are_read_from_cachegrinds_log(bench, text, count):
    assert bench.runner.instruction_count(LOG.format(text)) == count


def test_a_log_without_a_count_is_refused(bench):
    with pytest.raises(ValueError, match="counted nothing"):
        bench.runner.instruction_count("==7== Cachegrind\n")


def test_instructions_between_the_marks_are_those_of_the_middle(bench):
    # In any order; the process itself ends last, and a program that is not followed has no count.
    logs = [LOG.format("5,900"), "==8== nothing\n", LOG.format("1,000"), LOG.format("5,000")]
    assert bench.runner.between_marks(logs) == 4000
    with pytest.raises(ValueError, match="2 processes instead of 3"):
        bench.runner.between_marks(logs[:3])


def test_what_a_worker_says_is_understood(bench):
    runner = bench.runner
    assert runner.outcome('{"value": 3}', "") == runner.Value(3.0)
    assert runner.outcome('{"absent": "no signals"}', "") == runner.Absent("no signals")
    assert runner.outcome('{"failed": "OSError: x"}', "") == runner.Failed("OSError: x")


def test_of_a_trace_only_the_last_line_is_told(bench):
    trace = "Traceback (most recent call last):\n  File inside\nOSError: gone\n"
    assert bench.runner.outcome("", trace) == bench.runner.Failed("OSError: gone")
    assert "without a word" in bench.runner.outcome("", "").reason
    assert bench.runner.outcome('{"other": 1}', "") != bench.runner.Value(1.0)


def test_only_ours_has_our_modules(bench, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/mine")
    places = bench.runner.Places("/ours", "/peers/python", {"dbus-daemon": "unix:path=/bus"})
    for side in ("ours", "dbus.aio"):
        assert bench.runner.environment(side, places)["PYTHONPATH"] == "/ours"
    environ = bench.runner.environment("dbus-python", places)
    assert "PYTHONPATH" not in environ and "DBUS_SESSION_BUS_ADDRESS" not in environ
    workload = bench.workloads.find("Ping through a proxy")
    command = bench.runner.command_for(workload, "sdbus", places, quick=True, counting=False)
    assert command[0] == "/peers/python" and '"address": "unix:path=/bus"' in command[2]


def test_a_figure_is_the_median_with_the_extremes(bench):
    some = row("x", ours=[3.0, 1.0, 2.0, 9.0, 2.5])
    assert bench.results.figure(some, "ours") == (2.5, 1.0, 9.0)
    assert bench.results.figure(some, "sdbus") is None
    assert bench.results.figure(None, "ours") is None


def test_ratios_are_of_medians(bench):
    some = row("x", ours=[2.0, 4.0, 90.0], libdbus=[8.0], sdbus=[0.0])
    assert bench.results.ratio(some, "ours", "libdbus") == 0.5
    assert bench.results.ratio(some, "ours", "sdbus") is None
    assert bench.results.ratio(some, "ours", "dbus-fast") is None


def test_the_best_peer_is_one_for_asyncio(bench):
    some = row("x", dbus_python=[1.0], dbus_fast=[3.0], sdbus=[2.0])
    assert bench.results.best_peer(some) == "sdbus"
    assert bench.results.best_peer(row("x", ours=[1.0])) is None


@pytest.mark.parametrize(("ours", "met"), [(43.9, True), (44.1, False)])
def test_a_target_is_a_ratio_to_a_side_of_this_run(bench, ours, met):
    # 1.1 x C, whatever PERFORMANCE.md's machine has had.
    some = row("service Echo(s)", ours=[ours], libdbus=[40.0])
    verdict = bench.results.judge(a_run(some), some, "ours")
    assert verdict.met is met
    assert verdict.reached == pytest.approx(ours / 40)


def test_a_figure_of_the_table_becomes_a_ratio(bench):
    target = bench.targets.target_for("Ping through a proxy", "instructions", "ours")
    assert target.limit == pytest.approx(40 / 54.1) and target.side == "libdbus"
    target = bench.targets.target_for("parse gmo", "CPU", "dbus.aio")
    assert target.limit == pytest.approx(190 / 230) and target.side == "dbus-fast"
    assert bench.targets.target_for("Ping through a proxy", "CPU", "ours") is None


@pytest.mark.parametrize(("many", "met"), [([11.0], True), ([13.0], False)])
def test_scaling_is_judged_against_the_same_side(bench, many, met):
    ten = row("10 calls in flight", ours=[10.0], libdbus=[1.0])
    some = row("10,000 calls in flight", ours=many, libdbus=[100.0])
    assert bench.results.judge(a_run(ten, some), some, "ours").met is met


def test_what_cannot_be_said_is_neither_met_nor_missed(bench):
    some = row("10,000 calls in flight", ours=[1.0])
    verdict = bench.results.judge(a_run(some), some, "ours")
    assert verdict.met is None and verdict.reached is None
    assert "not measured" in bench.report.verdict_text(verdict)


def test_growth_is_judged_by_itself(bench):
    some = row("RSS growth over 200,000 calls", unit="KiB", ours=[8.0], dbus_aio=[4000.0])
    found = bench.results.verdicts(a_run(some))
    assert [(verdict.face, verdict.met) for verdict in found] == [
        ("ours", True),
        ("dbus.aio", False),
    ]


def test_every_target_has_its_rows(bench):
    for target in bench.targets.TARGETS:
        workload = bench.workloads.find(target.workload)
        sides = workload.sides if target.metric == "CPU" else workload.counted
        assert {*target.faces, *filter(None, [target.side])} <= set(sides), target
        if target.row:
            assert set(target.faces) <= set(bench.workloads.find(target.row).sides), target


def test_every_side_has_an_adapter_and_every_name_is_one(bench):
    names = [row.name for rows in bench.workloads.THEMES.values() for row in rows]
    assert len(names) == len(set(names))
    for rows in bench.workloads.THEMES.values():
        for workload in rows:
            assert set(workload.sides) | set(workload.counted) <= set(bench.context.ADAPTERS)
            assert set(workload.counted) <= set(workload.sides)
            assert workload.counts[0] >= workload.counts[1] > 0


@pytest.mark.parametrize(
    ("pattern", "has", "lacks"),
    [
        ("arg0", "signal, 1 match by arg0", "signal, 1 match by path"),
        ("GMO", "parse gmo", "parse asv20"),
        ("signals", "signal, 1 match", "parse gmo"),
        ("parse*k", "parse ai100k", "parse gmo"),
        (None, "import, CPU", ""),
    ],
)
def test_rows_are_chosen_by_name_and_theme(bench, pattern, has, lacks):
    names = [workload.name for _, workload in bench.workloads.chosen(pattern)]
    assert has in names and lacks not in names


def test_the_plan_says_why_a_side_is_not_run(bench):
    run = a_run()
    not_run = {"sdbus": "no PyPI", "instructions": "no valgrind", "dbus-broker": "no systemd"}
    options = argparse.Namespace(only="Ping through a proxy")
    jobs = list(bench.run.plan(options, not_run, run))
    assert {job.workload.name for job in jobs} == {"Ping through a proxy"}
    assert "ours" in {job.side for job in jobs} and "sdbus" not in {job.side for job in jobs}
    assert run["rows"][0]["not_run"] == {"sdbus": "no PyPI"}
    broker = run["rows"][1]
    assert set(broker["not_run"].values()) == {"no systemd"} and "ours" in broker["not_run"]


def test_what_fails_once_gives_no_figure(bench, capsys):
    some = row("x")
    job = bench.run.Job(bench.workloads.find("parse gmo"), "ours", "CPU", some)
    assert bench.run.note(job, bench.runner.Value(1.0))
    assert not bench.run.note(job, bench.runner.Failed("OSError: gone"))
    assert some["samples"] == {} and some["failed"] == {"ours": "OSError: gone"}
    assert "OSError: gone" in capsys.readouterr().err


def test_jobs_take_turns_and_some_are_done_once(bench):
    done = []
    often, once = (
        bench.workloads.find(name) for name in ("parse gmo", "RSS growth over 200,000 calls")
    )
    jobs = [
        bench.run.Job(workload, side, "CPU", row("x"))
        for workload, side in ((often, "ours"), (often, "sdbus"), (once, "ours"))
    ]

    first, second, third = jobs

    def action(job: Any) -> Any:
        done.append(job)
        absent = job.side == "sdbus" and len(done) > 4
        return bench.runner.Absent("") if absent else bench.runner.Value(1.0)

    progress = bench.run.Progress([first, second] * 3 + [third])
    bench.run.repeat(jobs, 3, action, progress)
    # The third round has what the second has found absent no more.
    assert done[:3] == [first, second, third]
    assert done[3:5] == [second, first]
    assert done[5:] == [first, second]
    assert len(first.row["samples"]["ours"]) == 3


def test_the_time_left_is_what_the_jobs_took_before(bench):
    gmo, asv = (bench.workloads.find(name) for name in ("parse gmo", "parse asv20"))
    jobs = [bench.run.Job(workload, "ours", "CPU", row("x")) for workload in (gmo, asv)] * 2
    progress = bench.run.Progress(jobs)
    assert progress.remaining() == 0.0
    progress.done(jobs[0], 2.0)
    assert progress.remaining() == 6.0  # one known, two as the mean
    progress.done(jobs[1], 4.0)
    assert progress.remaining() == 6.0
    progress.drop(jobs[1])
    assert progress.remaining() == 2.0
    assert bench.run.clock(125.9) == "2:05"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.256, "0.26"),
        (3.14159, "3.14"),
        (9.7, "9.70"),
        (31.4159, "31.4"),
        (314.159, "314"),
        (7334.4, "7,334"),
    ],
)
def test_numbers_have_three_digits(bench, value, text):
    assert bench.report.number(value) == text


def test_the_tables(bench):
    some = row("service Echo(s)", libdbus=[10.0, 9.0, 12.0], ours=[10.5], sdbus=[21.0])
    some["absent"]["dbus.aio"] = "it has no services"
    some["not_run"]["dbus-fast"] = "no PyPI"
    assert bench.report.figures_table([some]) == [
        "| workload | unit | libdbus | dbus-fast | sdbus | ours |",
        "|---|--:|--:|--:|--:|--:|",
        "| service Echo(s) | CPU us | 10.0 (9.00..12.0) | not run | 21.0 | 10.5 |",
    ]
    assert bench.report.ratios_table(a_run(some), [some])[2:] == [
        "| service Echo(s) | ours | 1.05 | - | 0.50 (sdbus) | 1.10 x libdbus: 1.05, met |"
    ]


def test_units(bench):
    cells = [
        bench.report.cell(row("x", unit="ms", ours=[3500.0]), "ours"),
        bench.report.cell(row("x", metric="instructions", ours=[40_100.0]), "ours"),
        bench.report.cell(row("x", unit="bytes", ours=[600.0]), "ours"),
    ]
    assert cells == ["3.50", "40.1", "600"]


def test_the_report_says_what_it_is_from(bench):
    some = row("service Echo(s)", libdbus=[10.0], ours=[12.0])
    failed = row("parse gmo", libdbus=[1.0])
    failed["failed"]["sdbus"] = "OSError: gone"
    text = bench.report.report(a_run(some, failed, not_run={"dbus-broker": "no systemd"}))
    assert "run of 2026-01-02 03:04 UTC, commit abc1234: 5 repetitions" in text
    assert "* Not run: dbus-broker: no systemd" in text
    assert "Targets: 0 of 1 met." in text
    assert "* service Echo(s), ours: 1.10 x libdbus: 1.20, **missed**" in text
    assert "* Failed: parse gmo, sdbus: OSError: gone" in text
    assert "not how fast it is" not in text
    assert "not how fast it is" in bench.report.report(a_run(some, quick=True))


def test_the_report_goes_between_its_two_lines(bench):
    report = bench.report
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    made = report.inserted(page, "new\n")
    assert made == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    assert report.inserted(made, "new\n") == made
    with pytest.raises(ValueError, match="no part"):
        report.inserted("before\nafter\n", "new")


def test_the_page_has_its_two_lines(bench):
    text = bench.report.PAGE.read_text(encoding="utf-8")
    assert "\n\nnew\n\n" in bench.report.inserted(text, "new\n")


def test_runs_are_kept_as_json(bench, tmp_path):
    path = tmp_path / "deep" / "run.json"
    run = a_run(row("x", ours=[1.0]))
    bench.results.save(run, path)
    assert bench.results.load(path) == run
    path.write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99"):
        bench.results.load(path)


def test_what_a_program_is_built_from_is_there(bench):
    for sources, _ in bench.machine.PROGRAMS.values():
        for source in sources:
            assert (BENCH / "c" / source).exists()
