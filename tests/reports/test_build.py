"""The command: what it writes, what it refuses, and that broken runs give pages, not tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports import build
from reports.page.content import Section
from reports.registry import SECTIONS, SectionEntry
from search_spaces.common import cli


def run(*words: object) -> int:
    return cli.run(build.main, [str(word) for word in words])


def test_a_report_lies_in_the_run_folder(make_search: Any, capsys: Any):
    search = make_search()
    assert run(search) == 0
    out = search / "report"
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")
    for figure in (out / "figures").glob("*.svg"):
        assert figure.with_suffix(".png").exists()
    assert (out / "report.md").exists()
    assert list((out / "tables").glob("*.csv"))
    assert f"report    {out / 'report.html'}" in capsys.readouterr().out


def test_the_markdown_page_is_as_recorded(make_search: Any, make_trial: Any):
    finalists = [
        make_trial(index, key=key, seed=1000 + index % 2, accuracy=0.6 + 0.01 * index, phase="finalist")
        for index, key in enumerate(("aaaa", "aaaa", "bbbb", "bbbb"))
    ]
    search = make_search(finalists=finalists)
    assert run(search) == 0
    text, parent = (search / "report" / "report.md").read_text(), str(search.parent)
    for written in (parent, parent.replace("_", r"\_")):
        text = text.replace(written, "runs")
    assert text == Path(__file__).with_name("report.md").read_text()


def test_it_ends_by_naming_what_is_missing_and_the_command_for_it(make_search: Any, capsys: Any):
    run(make_search())
    text = capsys.readouterr().out
    assert "python -m scaling.grid" in text
    assert "python -m scaling.curves" in text


def test_several_runs_share_a_report_beside_the_first(make_search: Any):
    first, second = make_search("a/search"), make_search("b/search")
    assert run(first, second) == 0
    page = (first.parent / "report" / "report.html").read_text()
    assert ">a/search</th>" in page
    assert ">b/search</th>" in page


def test_the_same_run_given_twice_is_one(make_search: Any):
    search = make_search()
    assert [one.name for one in build.read([str(search), f"{search}/"])] == ["search"]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/runs/x"], ["x"]),
        (["/runs/x", "/runs/y"], ["x", "y"]),
        (["/a/runs/x", "/b/runs/x", "/b/runs/y"], ["a/runs/x", "b/runs/x", "b/runs/y"]),
    ],
)
def test_runs_have_names_that_tell_them_apart(paths: list[str], names: list[str]):
    assert build.labels([Path(path) for path in paths]) == names


def test_words_and_flags_may_stand_in_any_order():
    assert build.split(["a", "--out", "x", "b"]) == (["a", "b"], ["--out", "x"])
    assert build.split(["--out=x", "a"]) == (["a"], ["--out=x"])


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "RUN"),
        (["--oot", "x", "y"], "'--oot'"),
        (["{tmp}"], "{tmp}"),
        (["{tmp}/none"], "{tmp}/none"),
        (["x", "--out"], "--out"),
    ],
)
def test_mistakes_end_in_one_line_and_code_2(tmp_path: Path, capsys: Any, words: list[str], named: str):
    assert run(*(word.format(tmp=tmp_path) for word in words)) == 2
    error = capsys.readouterr().err
    assert named.format(tmp=tmp_path) in error
    assert len(error.splitlines()) == 1


def test_a_folder_with_something_else_is_refused_and_left_alone(make_search: Any, tmp_path: Path, capsys: Any):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.tex").write_text("mine")
    assert run(make_search(), "--out", out) == 2
    assert "chapter.tex" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["chapter.tex"]


def test_an_earlier_report_is_replaced_whole(make_search: Any, tmp_path: Path):
    out = tmp_path / "out"
    assert run(make_search(), "--out", out) == 0
    assert (out / "figures").exists()
    bare = make_search("other", rows=[{"number": None}], result=None)
    assert run(bare, "--out", out) == 0
    assert json.loads((out / "report.json").read_text())["runs"] == [str(bare)]
    assert not (out / "figures" / "search-progress.svg").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


BROKEN = {
    "empty": lambda folder: (folder / "trials.csv").write_text("number,outcome\n"),
    "no trials": lambda folder: (folder / "trials.csv").unlink(),
    "cut off": lambda folder: (folder / "trials.csv").write_text((folder / "trials.csv").read_text()[:-30]),
    "no columns": lambda folder: (folder / "trials.csv").write_text("number,outcome\n0,complete\n1,pruned\n"),
    "odd values": lambda folder: (folder / "trials.csv").write_text(
        "number,outcome,accuracy,seconds,macs,key\n0,complete,much,long,?,k\n1,new outcome,nan,inf,-1,\n"
    ),
    "result is a list": lambda folder: (folder / "result.json").write_text("[]"),
    "result lacks all": lambda folder: (folder / "result.json").write_text('{"best": {}}'),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "manifest of nothing": lambda folder: (folder / "manifest.json").write_text('{"sessions": [null, 3]}'),
    "broken ledger": lambda folder: (folder / "ledger.db").write_bytes(b"SQLite format 3\0 no more"),
    "only failures": lambda folder: (folder / "trials.csv").write_text(
        (folder / "trials.csv").read_text().replace("complete", "error").replace("pruned", "nan")
    ),
}


RUNNING = ("empty", "no trials", "only failures")


@pytest.mark.parametrize(
    ("name", "status"), [*((name, "finished") for name in BROKEN), *((name, "running") for name in RUNNING)]
)
def test_a_broken_run_gives_a_page(make_search: Any, name: str, status: str):
    search = make_search(status=status)
    if status == "running":
        (search / "result.json").unlink()
    BROKEN[name](search)
    assert run(search) == 0
    page = (search / "report" / "report.html").read_text()
    assert "could not be made" not in page
    assert "could not be drawn" not in page
    assert "Run health" in page


def broken_section(runs: Any) -> list[Section]:
    raise KeyError("step")


def sound_section(runs: Any) -> list[Section]:
    return [Section("health", "H")]


def test_a_section_that_fails_leaves_the_others(make_search: Any):
    entries = [SectionEntry(name=name, code=f"{__name__}:{name}_section", label=name) for name in ("broken", "sound")]
    sections = build.gather(build.read([str(make_search())]), entries)
    assert [section.title for section in sections] == ["Broken", "H"]
    (line,) = sections[0].missing
    assert "KeyError: 'step'" in line


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", [*SECTIONS, "outside_section:effort"])
def test_every_section_is_made_of_a_run_and_of_none(make_search: Any, name: str):
    entry = SECTIONS.row(name)
    assert entry.label
    for runs in ([], build.read([str(make_search())])):
        made = entry.make(runs)
        assert all(isinstance(section, Section) for section in made)


@pytest.mark.usefixtures("outside")
def test_the_sections_asked_for_are_shown_in_their_order(make_search: Any, outside: Path):
    search = make_search()
    (outside / "outside_broken.py").write_text("def wrong(runs): return 'text'\n")
    assert run(search, "--sections", "health", "outside_section:effort", "outside_broken:wrong") == 0
    page = (search / "report" / "report.html").read_text()
    assert page.index("Run health") < page.index("search has 4 trials of search")
    assert "outside_broken:wrong could not be made" in page
    assert "Search progress" not in page


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", ["helth", "outside_section:efort", "outside_section:Section", "not_there:x"])
def test_a_wrong_section_writes_nothing(make_search: Any, capsys: Any, name: str):
    search = make_search()
    assert run(search, "--sections", name) == 2
    error = capsys.readouterr().err
    assert name in error
    assert len(error.splitlines()) == 1
    assert not (search / "report").exists()


def test_names_from_the_run_are_shown_as_text(make_search: Any):
    search = make_search("<script>alert(1)<∕script>", data={"dataset": "imagefolder:<script>alert(2)</script>"})
    assert run(search) == 0
    page = (search / "report" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "imagefolder:&lt;script&gt;alert(2)" in page
    assert "<script>" not in (search / "report" / "report.md").read_text().replace("`", "").split("The command")[0]


def test_the_report_says_what_it_was_made_of(make_search: Any):
    search = make_search()
    run(search)
    about = json.loads((search / "report" / "report.json").read_text())
    assert about["runs"] == [str(search)]
    assert any("scaling.grid" in line for line in about["missing"])


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from reports import build; from search_spaces.common import cli\n"
        "try: build.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'jinja2', 'optuna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--out" in done.stdout
