"""Serves a frozen graph: predictions by HTTP, JSON in and JSON out.

A frozen graph is one file with the values of its variables in it. Without one, a model of carbon
dioxide over Mauna Loa (see linear_regression.py) is fitted, frozen and served.

    python serve.py [--model FILE.pb] [--output NAME] [--port N] [--requests N]
    curl -d '{"years": [1990.5, 2001.0]}' http://localhost:8080/

With `--requests` it asks itself so many times, from several threads, and ends.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import http.server
import json
import pathlib
import tempfile
import threading
import urllib.request
from typing import Any

import linear_regression
import numpy as np

import hybridflow as hf


def freeze(folder: str) -> pathlib.Path:
    """Fits the model, and writes a graph from years to carbon dioxide."""
    _, features, ppm = linear_regression.load()
    weights = np.linalg.lstsq(features, ppm[:, None], rcond=None)[0]
    with hf.Graph().as_default() as graph, hf.Session() as session:
        year = hf.placeholder(hf.float32, [None], name="years")
        time = (year - 1975.0) / 10.0
        waves = [f(2 * np.pi * k * year) for k in (1.0, 2.0) for f in (hf.sin, hf.cos)]
        inputs = hf.stack([hf.ones_like(time), time, time**2, *waves], axis=1)
        fitted = hf.get_variable("weights", initializer=weights.astype(np.float32))
        hf.squeeze(hf.matmul(inputs, fitted), axis=1, name="ppm")
        session.run(hf.global_variables_initializer())
        frozen = hf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["ppm"]
        )
    return pathlib.Path(hf.train.write_graph(frozen, folder, "co2.pb", as_text=False))


class Model:
    """A graph in a session; threads may call it at the same time.

    Args:
      path: the file of the graph.
      output: the node that gives the predictions.
    """

    def __init__(self, path: pathlib.Path, output: str) -> None:
        graph_def = hf.GraphDef()
        graph_def.ParseFromString(path.read_bytes())
        with hf.Graph().as_default() as graph:
            hf.import_graph_def(graph_def, name="")
        inputs = [op for op in graph.get_operations() if op.type == "Placeholder"]
        self.inputs = [op.name for op in inputs]
        self._call = hf.Session(graph=graph).make_callable(
            f"{output}:0", [op.outputs[0] for op in inputs]
        )

    def __call__(self, **values: Any) -> list[float]:
        """The predictions for a value of each input."""
        predicted: list[float] = self._call(*[values[name] for name in self.inputs]).tolist()
        return predicted


def server(model: Model, port: int) -> http.server.ThreadingHTTPServer:
    """A server that answers with predictions, and a wrong request with what is wrong."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = 200, {"predictions": model(**request)}
            except (KeyError, TypeError, ValueError, hf.errors.OpError) as error:
                status, answer = 400, {"error": str(error)}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    return http.server.ThreadingHTTPServer(("localhost", port), Handler)


def ask(port: int, **values: Any) -> Any:
    """What the server answers."""
    data = json.dumps(values).encode()
    with urllib.request.urlopen(f"http://localhost:{port}/", data) as answer:
        return json.loads(answer.read())


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--output", default="ppm")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--requests", type=int, default=0)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        model = Model(options.model or freeze(folder), options.output)
    with server(model, options.port) as serving:
        port = serving.server_address[1]
        if not options.requests:
            print(f"serving at http://localhost:{port}/, inputs: {', '.join(model.inputs)}")
            serving.serve_forever()
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            years = [1960.0 + 2.5 * number for number in range(options.requests)]
            for year, answer in zip(
                years, threads.map(lambda y: ask(port, years=[y]), years), strict=True
            ):
                print(f"{year:.1f}: {answer['predictions'][0]:.1f} ppm")
        serving.shutdown()


if __name__ == "__main__":
    main()
