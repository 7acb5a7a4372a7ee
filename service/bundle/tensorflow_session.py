"""Run a SavedModel with TensorFlow's C library, without importing `tensorflow`; the only user of ctypes.

The import takes 3 s of processor and 250 MiB that no worker shares, and of the package the service needs next
to nothing. The library is part of the installed package, and its C interface is a stable one:
tensorflow/c/c_api.h, https://www.tensorflow.org/install/lang_c
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.tensorflow_import import without_startup_messages
from service.errors import BundleIncompatible

_TYPES: dict[str, int] = {"float32": 1, "int32": 3, "object": 7, "int64": 9}
"""TF_DataType by numpy's name; text is an array of objects, each `bytes`."""
_NAMES = {number: name for name, number in _TYPES.items()}
_TEXT_BYTES = 24
"""sizeof(TF_TString)."""
_SERVE = b"serve"
_Pointer = ctypes.c_void_p


class TensorFlowError(Exception):
    """TensorFlow's own message of what failed."""


class _Output(ctypes.Structure):
    """TF_Output: an operation of the graph, and which of its outputs."""

    _fields_ = (("operation", _Pointer), ("index", ctypes.c_int))


class TensorFlowSession:
    """A loaded SavedModel; safe to be used by several threads at once.

    Args:
        directory: The SavedModel.
        intra_op_threads: Threads inside one operation. Both numbers hold from the first session of a process
            until its end.
        inter_op_threads: Operations run at the same time; of 1 they run in the thread that asks.

    Raises:
        TensorFlowError: TensorFlow cannot load it.
        BundleIncompatible: TensorFlow is not installed.
    """

    def __init__(self, directory: Path, *, intra_op_threads: int, inter_op_threads: int) -> None:
        with without_startup_messages():
            self._library = library = _library()
            status, options = library.TF_NewStatus(), library.TF_NewSessionOptions()
            self._graph = library.TF_NewGraph()
            try:
                threads = -1 if inter_op_threads == 1 else inter_op_threads
                config = _number_field(2, intra_op_threads) + _number_field(5, threads)
                library.TF_SetConfig(options, config, len(config), status)
                _check(library, status)
                tags = (ctypes.c_char_p * 1)(_SERVE)
                self._session = library.TF_LoadSessionFromSavedModel(
                    options, None, str(directory).encode(), tags, 1, self._graph, None, status
                )
                _check(library, status)
            except TensorFlowError:
                library.TF_DeleteGraph(self._graph)
                raise
            finally:
                library.TF_DeleteSessionOptions(options)
                library.TF_DeleteStatus(status)
        weakref.finalize(self, _delete, library, self._session, self._graph)

    def function(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> SessionFunction:
        """A function of the graph.

        Args:
            inputs: By name of an argument its tensor, such as `query_state_user_rows:0`.
            outputs: By name of a result its tensor.

        Raises:
            TensorFlowError: The graph has no such tensor.
        """
        return SessionFunction(self, inputs, outputs)

    def tensors(self, names: Sequence[str]) -> ctypes.Array[_Output]:
        """The tensors of these names."""
        found = []
        for name in names:
            operation, _, index = name.partition(":")
            pointer = self._library.TF_GraphOperationByName(self._graph, operation.encode())
            if not pointer:
                raise TensorFlowError(f"expected the tensor {name}, the graph has none of this name")
            found.append(_Output(pointer, int(index)))
        return (_Output * len(found))(*found)

    def run(
        self,
        fed: ctypes.Array[_Output],
        values: Sequence[NDArray[Any]],
        fetched: ctypes.Array[_Output],
    ) -> list[NDArray[Any]]:
        """Values of tensors, where others have these values.

        Raises:
            TensorFlowError: An operation failed.
        """
        library = self._library
        results = (_Pointer * len(fetched))()
        status = library.TF_NewStatus()
        given = (_Pointer * len(values))(*[_tensor(library, value) for value in values])
        try:
            library.TF_SessionRun(
                *(self._session, None),
                *(fed, given, len(values)),
                *(fetched, results, len(fetched)),
                *(None, 0, None, status),
            )
            _check(library, status)
            return [_array(library, tensor) for tensor in results if tensor]
        finally:
            for tensor in (*given, *results):
                if tensor:
                    library.TF_DeleteTensor(tensor)
            library.TF_DeleteStatus(status)


class SessionFunction:
    """A function from arrays by name to arrays by name. Made by `TensorFlowSession.function`."""

    def __init__(
        self, session: TensorFlowSession, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        self._session = session
        self.arguments = sorted(inputs)
        self._results = sorted(outputs)
        self._fed = session.tensors([inputs[name] for name in self.arguments])
        self._fetched = session.tensors([outputs[name] for name in self._results])

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The results of arrays that have the arguments' types."""
        values = [columns[name] for name in self.arguments]
        return dict(zip(self._results, self._session.run(self._fed, values, self._fetched), strict=True))


@cache
def _library() -> Any:
    """The library, with the types of what is called."""
    spec = importlib.util.find_spec("tensorflow")
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    name = "libtensorflow_cc.2.dylib" if sys.platform == "darwin" else "libtensorflow_cc.so.2"
    if not places:
        raise BundleIncompatible(f"expected TensorFlow with its {name}, found none; install tensorflow")
    try:
        library = ctypes.CDLL(str(Path(places[0]) / name))
    except OSError as error:
        raise BundleIncompatible(
            f"TensorFlow's library cannot be loaded ({error}); install it anew"
        ) from error
    integer, size, text = ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "TF_NewStatus": (_Pointer, ()),
        "TF_DeleteStatus": (None, (_Pointer,)),
        "TF_GetCode": (integer, (_Pointer,)),
        "TF_Message": (text, (_Pointer,)),
        "TF_NewGraph": (_Pointer, ()),
        "TF_DeleteGraph": (None, (_Pointer,)),
        "TF_GraphOperationByName": (_Pointer, (_Pointer, text)),
        "TF_NewSessionOptions": (_Pointer, ()),
        "TF_DeleteSessionOptions": (None, (_Pointer,)),
        "TF_SetConfig": (None, (_Pointer, text, size, _Pointer)),
        "TF_LoadSessionFromSavedModel": (
            _Pointer,
            (_Pointer, _Pointer, text, _Pointer, integer, _Pointer, _Pointer, _Pointer),
        ),
        "TF_DeleteSession": (None, (_Pointer, _Pointer)),
        "TF_SessionRun": (
            None,
            (*(_Pointer,) * 4, integer, *(_Pointer,) * 2, integer, _Pointer, integer, *(_Pointer,) * 2),
        ),
        "TF_AllocateTensor": (_Pointer, (integer, _Pointer, integer, size)),
        "TF_DeleteTensor": (None, (_Pointer,)),
        "TF_TensorData": (_Pointer, (_Pointer,)),
        "TF_TensorType": (integer, (_Pointer,)),
        "TF_NumDims": (integer, (_Pointer,)),
        "TF_Dim": (ctypes.c_int64, (_Pointer, integer)),
        "TF_StringInit": (None, (_Pointer,)),
        "TF_StringAssignView": (None, (_Pointer, text, size)),
    }
    for function, (result, arguments) in signatures.items():
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


def _check(library: Any, status: int) -> None:
    if library.TF_GetCode(status):
        raise TensorFlowError(library.TF_Message(status).decode(errors="replace"))


def _delete(library: Any, session: int, graph: int) -> None:
    status = library.TF_NewStatus()
    library.TF_DeleteSession(session, status)
    library.TF_DeleteGraph(graph)
    library.TF_DeleteStatus(status)


def _number_field(number: int, value: int) -> bytes:
    """A field of a protocol buffer that holds an integer, here of ConfigProto."""
    left, encoded = value & (2**64 - 1), [number << 3]
    while left > 127:
        encoded.append(left & 127 | 128)
        left >>= 7
    return bytes([*encoded, left])


def _tensor(library: Any, array: NDArray[Any]) -> int:
    """A tensor of an array's values; it points to text, which must outlive it."""
    dimensions = (ctypes.c_int64 * array.ndim)(*array.shape)
    is_text = array.dtype == object
    num_bytes = _TEXT_BYTES * array.size if is_text else array.nbytes
    tensor: int = library.TF_AllocateTensor(_TYPES[array.dtype.name], dimensions, array.ndim, num_bytes)
    data = library.TF_TensorData(tensor)
    if is_text:
        for place, text in enumerate(array.flat):
            library.TF_StringInit(data + _TEXT_BYTES * place)
            library.TF_StringAssignView(data + _TEXT_BYTES * place, text, len(text))
    elif num_bytes:
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, num_bytes)
    return tensor


def _array(library: Any, tensor: int) -> NDArray[Any]:
    """A copy of a tensor's numbers."""
    shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
    array: NDArray[Any] = np.empty(shape, _NAMES[library.TF_TensorType(tensor)])
    if array.nbytes:
        ctypes.memmove(array.ctypes.data, library.TF_TensorData(tensor), array.nbytes)
    return array
