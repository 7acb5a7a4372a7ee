"""Names of a SavedModel's signatures and of their tensors, read from `saved_model.pb`.

Of its messages only the fields that are needed are described here: what else there is, protobuf skips.
https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/protobuf/meta_graph.proto
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "matinee"
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "SavedModel": {"meta_graphs": (2, "MetaGraph*")},
    "MetaGraph": {"signatures": (5, "NamedSignature*")},
    "NamedSignature": {"key": (1, "string"), "value": (2, "Signature")},
    "Signature": {"inputs": (1, "NamedTensor*"), "outputs": (2, "NamedTensor*")},
    "NamedTensor": {"key": (1, "string"), "value": (2, "Tensor")},
    "Tensor": {"name": (1, "string"), "shape": (3, "Shape")},
    "Shape": {"dim": (2, "Dim*")},
    "Dim": {"size": (1, "int64")},
}
"""By message and field its number and type; a star for several. A map is several pairs of key and value."""


class ModelSignature(NamedTuple):
    """A function of a SavedModel.

    Attributes:
        inputs: By name of an argument its tensor in the graph.
        outputs: By name of a result its tensor.
        widths: By name of a result its last dimension; -1 where it is not fixed, or there is none.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    widths: dict[str, int]


def read_signatures(directory: Path) -> dict[str, ModelSignature]:
    """The signatures of a SavedModel by name.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none.
    """
    path = directory / "saved_model.pb"
    try:
        model = _message("SavedModel").FromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path}: not a SavedModel ({error})") from error
    named = [each for graph in model.meta_graphs for each in graph.signatures]
    return {each.key: _signature(each.value) for each in named}


def _signature(message: Any) -> ModelSignature:
    return ModelSignature(
        {each.key: each.value.name for each in message.inputs},
        {each.key: each.value.name for each in message.outputs},
        {each.key: _width(each.value.shape) for each in message.outputs},
    )


def _width(shape: Any) -> int:
    return int(shape.dim[-1].size) if shape.dim else -1


@cache
def _message(name: str) -> Any:
    # A pool of its own: where TensorFlow is imported too, it has its messages in the default one.
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(
        name="saved_model_parts.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, (number, kind) in fields.items():
            many = kind.endswith("*")
            label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
            added = described.field.add(name=field, number=number, label=label)
            if kind in ("string", "int64"):
                added.type = _Field.TYPE_STRING if kind == "string" else _Field.TYPE_INT64
            else:
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind.rstrip('*')}"
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
