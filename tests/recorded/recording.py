"""What the recording scripts share: TensorFlow, and a writer that packs cases.

Runs under Python 3.6 with TensorFlow 1.4.1 (the contract) and under newer ones with
TensorFlow 2.x through `tensorflow.compat.v1`; so no syntax newer than Python 3.6 here.
"""

import json
import os
import platform
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import reader  # noqa: E402
import tensorflow  # noqa: E402

VERSION = tensorflow.__version__
IS_CONTRACT = VERSION.startswith("1.")
if IS_CONTRACT:
    tf = tensorflow
else:
    tf = tensorflow.compat.v1
    tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)

TOLERANCE = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-12}


def lookup(name):
    """Returns the public name `name` ("nn.softmax") below `tf`; AttributeError without it."""
    found = tf
    for part in name.split("."):
        found = getattr(found, part)
    return found


def one_thread():
    """A session configuration under which reductions add in one order."""
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


def same(left, right):
    """Tells whether two recorded values agree to rounding."""
    left = np.asarray(left) if isinstance(left, np.generic) else left
    right = np.asarray(right) if isinstance(right, np.generic) else right
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        if not (isinstance(left, np.ndarray) and isinstance(right, np.ndarray)):
            return False
        if left.dtype != right.dtype or left.shape != right.shape:
            return False
        tolerance = TOLERANCE.get(left.dtype.name)
        if tolerance is None:
            return bool((left == right).all())
        return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


class Writer:
    """Collects cases (dicts with an "id") and packs their arrays.

    TensorFlow 1.x writes `<stem>.json/.npz`. TensorFlow 2.x writes `<stem>_later.json/.npz`
    with the cases alone that 1.x lacks or answers otherwise; each then has a field
    "in_1_4": "missing" or "differs". Fields in `only_in_contract` are not compared.
    """

    def __init__(self, stem, only_in_contract=()):
        self.stem = stem
        self.only_in_contract = only_in_contract
        self.cases = []
        self.unsupported = {}
        self._seen = set()
        self._flat = {}
        self._length = {}
        self._placed = {}

    def add(self, case):
        """Adds one finished case."""
        if case["id"] in self._seen:
            raise ValueError("two cases named " + case["id"])
        self._seen.add(case["id"])
        self.cases.append(case)

    def attempt(self, ident, record, args):
        """Adds what `record(*args)` returns; what this TensorFlow refuses is listed, not hidden."""
        try:
            case = record(*args)
        except Exception as error:  # any class: the library's refusal is the result
            first_line = str(error).strip().split("\n")[0][:200]
            self.unsupported[ident] = f"{type(error).__name__}: {first_line}"
            return
        self.add(dict(case, id=ident))

    def _place(self, array):
        array = np.asarray(array)
        data = np.ascontiguousarray(array)
        key = (data.dtype.name, array.shape, data.tobytes())
        if key not in self._placed:
            name = data.dtype.name
            offset = self._length.get(name, 0)
            self._flat.setdefault(name, []).append(data.ravel())
            self._length[name] = offset + data.size
            self._placed[key] = {"array": [name, offset, list(array.shape)]}
        return self._placed[key]

    def _encode(self, node):
        if isinstance(node, (np.ndarray, np.generic)):
            return self._place(node)
        if isinstance(node, dict):
            return {key: self._encode(value) for key, value in node.items()}
        if isinstance(node, (list, tuple)):
            return [self._encode(item) for item in node]
        return node

    def _only_news(self):
        known = {
            case["id"]: {k: v for k, v in case.items() if k not in self.only_in_contract}
            for case in reader.load(self.stem)["cases"]
        }
        news = []
        for case in self.cases:
            before = known.get(case["id"])
            if before is None:
                news.append(dict(case, in_1_4="missing"))
            elif not same(case, before):
                news.append(dict(case, in_1_4="differs"))
        return news

    def save(self, **fields):
        """Writes both files next to this module, `fields` in the document's head."""
        stem = self.stem if IS_CONTRACT else self.stem + "_later"
        cases = self.cases if IS_CONTRACT else self._only_news()
        head = {
            "tensorflow": VERSION,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "unsupported": self.unsupported,
        }
        lines = [
            json.dumps(self._encode(case), sort_keys=True, separators=(",", ":")) for case in cases
        ]
        head.update(self._encode(fields))
        text = json.dumps(head, sort_keys=True, indent=1)[:-2]
        text += ',\n "cases": [\n' + ",\n".join(lines) + "\n ]\n}\n"
        path = reader.FOLDER / (stem + ".json")
        path.write_text(text, encoding="utf-8")
        packed = {name: np.concatenate(parts) for name, parts in self._flat.items()}
        arrays = str(reader.FOLDER / (stem + ".npz"))
        np.savez_compressed(arrays, **packed)
        sizes = f"{path.stat().st_size} + {os.path.getsize(arrays)} bytes"
        print(f"{stem}: {len(cases)} cases, {len(self.unsupported)} unsupported, {sizes}")
