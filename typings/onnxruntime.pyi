from typing import Any

from numpy.typing import NDArray

class SessionOptions:
    intra_op_num_threads: int

class NodeArg:
    shape: list[int]

class InferenceSession:
    def __init__(self, path_or_bytes: bytes, sess_options: SessionOptions, *, providers: list[str]) -> None: ...
    def get_inputs(self) -> list[NodeArg]: ...
    def run(self, output_names: None, input_feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]: ...
