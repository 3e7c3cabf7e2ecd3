"""In which dtype tensors travel between ranks."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.registry import raw


class Compressor:
    """How a tensor is made smaller before it travels, and made what it was afterwards.

    A class of your own defines both.
    """

    @staticmethod
    def compress(tensor: Any) -> tuple[Any, Any]:
        """Gives the tensor that travels, and what `decompress` has to know."""
        raise NotImplementedError("A compressor defines compress(tensor).")

    @staticmethod
    def decompress(tensor: Any, ctx: Any) -> Any:
        """Gives the tensor in its own dtype."""
        raise NotImplementedError("A compressor defines decompress(tensor, ctx).")


class NoneCompressor(Compressor):
    """Tensors travel as they are."""

    @staticmethod
    def compress(tensor: Any) -> tuple[Any, Any]:
        """The tensor itself."""
        return tensor, None

    @staticmethod
    def decompress(tensor: Any, ctx: Any) -> Any:
        """The tensor itself."""
        return tensor


class FP16Compressor(Compressor):
    """Floating-point tensors travel, and are summed, in half precision."""

    @staticmethod
    def compress(tensor: Any) -> tuple[Any, Any]:
        """The tensor in float16, and the dtype that it had."""
        dtype = tensor.dtype.base_dtype
        if not dtype.is_floating or dtype is dtypes.float16:
            return tensor, None
        return raw.Cast(tensor, DstT=dtypes.float16), dtype

    @staticmethod
    def decompress(tensor: Any, ctx: Any) -> Any:
        """The tensor in the dtype that it had."""
        return tensor if ctx is None else raw.Cast(tensor, DstT=ctx)


class Compression:
    """What `allreduce` and optimizers take as `compression`: `none`, or `fp16` for half precision.

    >>> import hybridflow as hf
    >>> hvd = hf.distributed
    >>> hvd.init()
    >>> with hf.eager_mode():
    ...     x = hf.constant([0.1])
    ...     print(hvd.allreduce(x, compression=hvd.Compression.fp16).numpy())
    [0.09997559]
    """

    none = NoneCompressor
    fp16 = FP16Compressor
