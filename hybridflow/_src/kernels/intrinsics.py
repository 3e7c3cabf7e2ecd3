"""Functions of kernels that are written with LLVM's builder.

Numba has them too, but asks its own compiler at each call of one, which then loads all that it
knows of arrays, lists and random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global


def intrinsic(definition: Callable[..., Any], literal: bool = False) -> Callable[..., Any]:
    """Makes a function callable in kernels.

    Args:
      definition: gives for the typing context and the types of arguments a signature, and a
        function that adds the instructions for a target, a builder, the signature and the values of
        arguments.
      literal: whether types of constants tell their values.
    """
    known: set[tuple[Any, ...]] = set()

    class Template(AbstractTemplate):
        key = definition
        prefer_literal = literal

        def generic(self, args: Any, kws: Any) -> Any:
            signature, code = definition(self.context, *args)
            if signature.args not in known:
                known.add(signature.args)
                lowered: Any = lower_builtin(definition, *signature.args)
                lowered(code)
            return signature

    infer_global(definition, types.Function(Template))
    return definition
