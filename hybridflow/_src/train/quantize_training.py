"""`do_quantize_training_on_graphdef`."""

from __future__ import annotations

from typing import Any, NoReturn

from hybridflow._src.framework.errors import UnimplementedError

__all__ = ["do_quantize_training_on_graphdef"]


def do_quantize_training_on_graphdef(input_graph: Any, num_bits: int) -> NoReturn:
    """Refuses to rewrite a graph: what rounds numbers while a network trains is written in it.

    TensorFlow's rewriter puts such ops before products and convolutions of a `GraphDef`.

    Args:
      input_graph: a `GraphDef`. num_bits: how many bits numbers are rounded to.

    Raises:
      UnimplementedError: always; it says what to write instead.

    >>> import hybridflow as hf
    >>> try:
    ...     hf.train.do_quantize_training_on_graphdef(hf.GraphDef(), 8)
    ... except hf.errors.UnimplementedError as error:
    ...     print("fake_quant_with_min_max_vars" in error.message)
    True
    """
    raise UnimplementedError(
        None,
        None,
        "do_quantize_training_on_graphdef: graphs are not rewritten to round their numbers. Round "
        "them where the network is defined, before each product and convolution: "
        f"`x = hf.fake_quant_with_min_max_vars(x, low, high, num_bits={num_bits})`, with variables "
        "`low` and `high` that gradients train.",
    )
