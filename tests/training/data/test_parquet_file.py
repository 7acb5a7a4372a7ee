import io

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from training.data.parquet_file import ParquetFile
from training.data.problems import Problems

TABLE = pa.table(
    {
        "item": [{"id": 7, "by": {"name": "x"}}, {"id": 8, "by": None}],
        "genres": [["War", "Drama"], None],
        "user": ["a", "b"],
    }
)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_structs_are_columns_and_lists_are_text(kind: str) -> None:
    content = io.BytesIO()
    if kind == "parquet":
        pyarrow.parquet.write_table(TABLE, content)
    else:
        pyarrow.feather.write_feather(TABLE, content)
    file = ParquetFile("r", content.getvalue())
    assert file.names == ("item.id", "item.by.name", "genres", "user")
    assert file.sample["item.by.name"] == ["x", ""]
    columns = file.read(["item.by.name", "genres", "item.id"], Problems())
    assert columns["item.id"].texts() == ["7", "8"]
    assert columns["item.by.name"].texts() == ["x", ""]
    assert columns["genres"].coded[1] == ['["War", "Drama"]', ""]
