"""`Predictor`: a SavedModel as a function from names to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.graph import Graph
from hybridflow._src.runtime.session import Session
from hybridflow._src.saved_model import constants
from hybridflow._src.saved_model.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Predictor", "from_saved_model"]


class Predictor:
    """A graph with its session, inputs and outputs by names of their own: called like a function.

    Attributes:
      graph: the graph. session: the session, which holds the values of its variables.
      feed_tensors: the inputs by name. fetch_tensors: the outputs by name.
    """

    def __init__(
        self, session: Session, feed_tensors: dict[str, Any], fetch_tensors: dict[str, Any]
    ) -> None:
        self.session = session
        self.graph = session.graph
        self.feed_tensors = feed_tensors
        self.fetch_tensors = fetch_tensors

    def __call__(self, input_dict: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs by name, for inputs by name.

        Raises:
          ValueError: for an input of a name that there is not.
        """
        unknown = set(input_dict) - set(self.feed_tensors)
        if unknown:
            raise ValueError(
                f"Got unexpected keys in input_dict: {unknown}; expected: {set(self.feed_tensors)}"
            )
        feeds = {self.feed_tensors[key]: value for key, value in input_dict.items()}
        found: dict[str, Any] = self.session.run(self.fetch_tensors, feeds)
        return found

    def __repr__(self) -> str:
        return f"Predictor with feeds {self.feed_tensors} and fetches {self.fetch_tensors}"


def from_saved_model(
    export_dir: str,
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: Mapping[str, str] | None = None,
    output_names: Mapping[str, str] | None = None,
    tags: str | Iterable[str] | None = None,
    graph: Graph | None = None,
    config: Any = None,
) -> Predictor:
    """A SavedModel as a function, in a session of its own.

    Args:
      export_dir: the folder.
      signature_def_key: which signature tells inputs and outputs; "serving_default" by default.
      signature_def: a `SignatureDef` that does.
      input_names, output_names: names of tensors by names of inputs and outputs.
      tags: what the graph is for; "serve" by default.
      graph: a graph to which it is added; a new one by default.
      config: a `ConfigProto` of the session.

    Returns: a `Predictor`.

    Raises:
      ValueError: if inputs and outputs are told in more than one way, or half; or there is no such
        signature. OSError, RuntimeError: as `hf.saved_model.loader.load` does.

    >>> import hybridflow as hf
    >>> hf.contrib.predictor.from_saved_model("no_such_folder")
    Traceback (most recent call last):
    OSError: SavedModel file does not exist at: no_such_folder/{saved_model.pbtxt|saved_model.pb}
    """
    if (input_names is None) != (output_names is None):
        raise ValueError("input_names and output_names must both be specified or both be None.")
    ways = [signature_def_key, signature_def, input_names]
    if sum(way is not None for way in ways) > 1:
        raise ValueError(
            "You must specify at most one of: signature_def_key, signature_def, or input_names "
            f"and output_names; got {ways}."
        )
    wanted = (constants.SERVING,) if tags is None else tags
    chosen = tuple(wanted.split(",")) if isinstance(wanted, str) else tuple(wanted)
    with (Graph() if graph is None else graph).as_default() as own:
        session = Session(graph=own, config=config)
        meta_graph = load(session, chosen, export_dir)
    if input_names is None or output_names is None:
        if signature_def is None:
            key = signature_def_key or constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
            if key not in meta_graph.signature_def:
                known = sorted(meta_graph.signature_def)
                raise ValueError(f"There is no signature {key!r}; there are {known}.")
            signature_def = meta_graph.signature_def[key]
        input_names = {key: info.name for key, info in signature_def.inputs.items()}
        output_names = {key: info.name for key, info in signature_def.outputs.items()}
    feeds = {key: own.get_tensor_by_name(name) for key, name in input_names.items()}
    fetches = {key: own.get_tensor_by_name(name) for key, name in output_names.items()}
    return Predictor(session, feeds, fetches)
