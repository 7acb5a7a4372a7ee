import bz2
import csv
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from benchmarks.public_data.made_files import write_jester_jokes, write_jester_ratings
from benchmarks.public_data.r_data import NotReadable, read_r_data

# As in "R Internals": a word of flags (type, 0x200 attributes, 0x400 tag), lengths, big-endian values.
NIL = struct.pack(">i", 254)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">ii", 9 | 0x8000, len(raw)) + raw


def symbol(name: str) -> bytes:
    return struct.pack(">i", 1) + text(name)


def integers(*values: int, flags: int = 13) -> bytes:
    return struct.pack(f">ii{len(values)}i", flags, len(values), *values)


def reals(*values: float) -> bytes:
    return struct.pack(f">ii{len(values)}d", 14, len(values), *values)


def strings(*values: str) -> bytes:
    return struct.pack(">ii", 16, len(values)) + b"".join(text(value) for value in values)


def values(*items: bytes) -> bytes:
    return struct.pack(">ii", 19, len(items)) + b"".join(items)


def pairs(named: dict[bytes, bytes]) -> bytes:
    return b"".join(struct.pack(">i", 2 | 0x400) + tag + value for tag, value in named.items()) + NIL


def s4(named: dict[bytes, bytes]) -> bytes:
    return struct.pack(">i", 25 | 0x200) + pairs(named)


def saved(named: dict[bytes, bytes], version: int = 2) -> bytes:
    head = f"RDX{version}\nX\n".encode() + struct.pack(">iii", version, 0x40300, 0x20300)
    encoding = struct.pack(">i", 5) + b"UTF-8" if version == 3 else b""
    return head + encoding + pairs(named)


@pytest.mark.parametrize(("version", "compress"), [(2, bytes), (2, gzip.compress), (3, bz2.compress)])
def test_values_are_read_by_name_in_either_version_compressed_or_not(
    tmp_path: Path, version: int, compress: type[bytes]
) -> None:
    content = {
        symbol("counts"): integers(1, -2),
        symbol("weights"): reals(0.5),
        symbol("names"): strings("é"),
    }
    (tmp_path / "a.rda").write_bytes(compress(saved(content, version)))
    found = read_r_data(tmp_path / "a.rda")
    assert list(found) == ["counts", "weights", "names"]
    np.testing.assert_array_equal(found["counts"].value, [1, -2])
    np.testing.assert_array_equal(found["weights"].value, [0.5])
    assert found["names"].value == ["é"]


def test_attributes_references_to_symbols_and_wrapped_vectors_are_read(tmp_path: Path) -> None:
    reference = struct.pack(">i", 255 | (1 << 8))  # the first symbol again
    attributed = integers(7, flags=13 | 0x200) + pairs({reference: strings("b")})
    class_of = struct.pack(">i", 2) + symbol("wrap_real") + struct.pack(">i", 2) + symbol("base") + NIL
    dotted_pair = struct.pack(">i", 2) + reals(2.5) + integers(1, 0)
    wrapped = struct.pack(">i", 238) + class_of + dotted_pair + NIL
    (tmp_path / "a.rda").write_bytes(saved({symbol("a"): attributed, symbol("w"): wrapped, symbol("z"): NIL}))
    found = read_r_data(tmp_path / "a.rda")
    assert found["a"].attributes["a"].value == ["b"]
    np.testing.assert_array_equal(found["w"].value, [2.5])
    assert found["z"] is None


def test_a_file_that_is_not_of_r_or_holds_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rda").write_bytes(b"user,item\n")
    with pytest.raises(NotReadable, match="expected R's binary data"):
        read_r_data(tmp_path / "a.rda")
    (tmp_path / "b.rda").write_bytes(saved({symbol("f"): struct.pack(">i", 3)}))
    with pytest.raises(NotReadable, match="kind of value 3"):
        read_r_data(tmp_path / "b.rda")


def test_jesters_sparse_matrix_becomes_rows_and_its_texts_titles(tmp_path: Path) -> None:
    # Two users by two jokes, by columns: joke 1 rated -1.25 by the second; joke 2 rated 4.0 and 9.5 by both.
    matrix = s4(
        {
            symbol("i"): integers(1, 0, 1),
            symbol("p"): integers(0, 1, 3),
            symbol("x"): reals(-1.25, 4.0, 9.5),
            symbol("Dimnames"): values(strings("u1", "u2"), strings("j1", "j2")),
        }
    )
    content = {
        symbol("Jester5k"): s4({symbol("data"): matrix}),
        symbol("JesterJokes"): strings('A "pun", sir', "B"),
    }
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/Jester5k.rda").write_bytes(gzip.compress(saved(content, version=3)))
    write_jester_ratings(tmp_path, tmp_path / "ratings.csv")
    write_jester_jokes(tmp_path, tmp_path / "jokes.csv")
    with (tmp_path / "ratings.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["user_id", "joke_id", "rating"]
    assert rows == [["u2", "j1", "-1.25"], ["u1", "j2", "4"], ["u2", "j2", "9.5"]]
    with (tmp_path / "jokes.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["joke_id", "title"], ["j1", 'A "pun", sir'], ["j2", "B"]]
