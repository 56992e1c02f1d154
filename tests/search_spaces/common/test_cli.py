"""Flags, YAML and Python give the same configuration; mistakes are one line and exit code 2."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from search_spaces.common import cli


@dataclass(frozen=True)
class Inner:
    """Inner settings.

    Attributes:
        width: A factor.
        min_map: A side.

    """

    width: float = 0.25
    min_map: int = 4

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ValueError(f"width must be 0 or more, got {self.width:g}")


@dataclass(frozen=True)
class Settings:
    """Settings.

    Attributes:
        target_flops: A target.
        band: Two numbers.
        workers: How many.
        inner: Nested.
        dry_run: A flag.

    """

    target_flops: int | str = "400M"
    band: tuple[float, float] = (0.8, 1.05)
    workers: int | None = None
    inner: Inner = field(default_factory=Inner)
    dry_run: bool = False


def parse(*words: str) -> Settings:
    return cli.parse(Settings, words, prog="python -m x", description="An example.")


def test_flags_fill_the_dataclass():
    got = parse("--target-flops", "1.5G", "--band", "0.5", "1", "--inner.min-map=8", "--workers", "3", "--dry-run")
    assert got == Settings("1.5G", (0.5, 1.0), 3, Inner(min_map=8), True)


def test_words_stay_words():
    """YAML would read 1:1:1 as a number to the base of 60, on as true, 0 as a number."""

    @dataclass(frozen=True)
    class Words:
        """Words.

        Attributes:
            strategies: Names.

        """

        strategies: tuple[str, ...] = ()

    for words in (("1:1:1", "2:1:1"), ("on",), ("0", "1"), ("a,b", "c]")):
        got = cli.parse(Words, ("--strategies", *words), prog="python -m x", description="")
        assert got.strategies == words
    assert cli.parse(Words, ("--strategies=1:1:1",), prog="x", description="").strategies == ("1:1:1",)


def test_no_flags_give_the_defaults():
    assert parse() == Settings()


def test_yaml_reads_back_to_the_same_configuration(tmp_path: Path):
    config = Settings("123M", (0.7, 0.9), 2, Inner(0.5, 2), True)
    path = tmp_path / "config.yaml"
    path.write_text(cli.to_yaml(config))
    assert parse("--config", str(path)) == config


def test_flags_win_over_the_file_wherever_they_stand(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("target_flops: 5G\ninner:\n  width: 0.5\n")
    assert parse("--config", str(path), "--target-flops", "6G") == Settings("6G", inner=Inner(0.5))
    assert parse("--target-flops", "6G", "--config", str(path)) == Settings("6G", inner=Inner(0.5))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tagret-flops", "1M"], "unknown flag '--tagret-flops': did you mean '--target-flops'?"),
        (["--inner.width", "wide"], "--inner.width must be a number, got wide"),
        (["--inner.width", "-1"], "--inner.width must be 0 or more, got -1"),
        (["--inner.min-map", "2.5"], "--inner.min-map must be a whole number, got 2.5"),
        (["--workers", "two"], "--workers must be a whole number, got two"),
        (["--band", "0.7"], "--band must be 2 numbers, got [0.7]"),
        (["--workers"], "--workers needs a value"),
        (["400M"], "unexpected argument '400M': settings are flags, see --help"),
    ],
)
def test_mistakes_name_the_flag_the_rule_and_the_value(words: list[str], message: str):
    with pytest.raises(ValueError, match=".") as caught:
        parse(*words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tarflops: 1M\n", "unknown setting 'tarflops': did you mean 'target_flops'?"),
        ("inner:\n  widht: 1\n", "unknown setting 'inner.widht': did you mean 'inner.width'?"),
    ],
)
def test_unknown_keys_of_a_file_name_the_near_one(tmp_path: Path, text: str, message: str):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=".") as caught:
        parse("--config", str(path))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must hold settings, a line 'name: value' each, got None"),
        (b"- 400M\n", "must hold settings, a line 'name: value' each, got ['400M']"),
        (b"inner: 3\n", "'inner' must hold settings of its own, got 3"),
        (b"\xa8\x00", "is no YAML"),
        (None, "cannot read --config"),
    ],
)
def test_a_file_without_settings_is_named(tmp_path: Path, content: bytes | None, message: str):
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=".") as caught:
        parse("--config", str(path))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_broken_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "config.yaml"
    path.write_text("band: [1\n")
    assert cli.run(lambda argv: parse(*argv) and 0, ["--config", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@dataclass(frozen=True)
class Many:
    """Settings of several words.

    Attributes:
        phi: As many numbers as there are.
        pair: Two numbers.

    """

    phi: tuple[float, ...] = (0.0, 1.0)
    pair: tuple[int, int] = (1, 2)


def test_a_tuple_of_any_length_takes_all_words():
    def many(*words: str) -> Many:
        return cli.parse(Many, words, prog="python -m x", description="An example.")

    assert many("--phi", "0", "1", "2.5", "--pair", "3", "4") == Many((0.0, 1.0, 2.5), (3, 4))
    assert many("--phi", "3") == Many((3.0,))
    with pytest.raises(ValueError, match="--phi must be numbers, got"):
        many("--phi", "1", "two")


def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(capsys: pytest.CaptureFixture[str]):
    def main(argv: object) -> int:
        raise ValueError("a rule,\n  broken by 5")

    assert cli.run(main, []) == 2
    assert capsys.readouterr().err == "error: a rule, broken by 5\n"


def test_ctrl_c_is_exit_code_130(capsys: pytest.CaptureFixture[str]):
    def main(argv: object) -> int:
        raise KeyboardInterrupt("go on with the same command")

    assert cli.run(main, []) == 130
    assert capsys.readouterr().err == "interrupted: go on with the same command\n"
