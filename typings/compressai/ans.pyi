class BufferedRansEncoder:
    def encode_with_indexes(
        self,
        symbols: list[int],
        indexes: list[int],
        cdfs: list[list[int]],
        cdfs_sizes: list[int],
        offsets: list[int],
        /,
    ) -> None: ...
    def flush(self) -> bytes: ...

class RansDecoder:
    def set_stream(self, stream: bytes, /) -> None: ...
    def decode_stream(
        self, indexes: list[int], cdfs: list[list[int]], cdfs_sizes: list[int], offsets: list[int], /
    ) -> list[int]: ...
