"""Programs on queues, readers, strings, records and tables, as text.

`tf`, `np`, `session`, `run`, `folder` are bound; each fills `out`. `error_of` gives the class of
the error that running something raises.

Run by TensorFlow 1.4.1 too, hence no syntax newer than Python 3.6.
"""

PROGRAMS = {}

PROGRAMS["queues/fifo"] = """
q = tf.FIFOQueue(4, [tf.int32, tf.string], shapes=[(2,), ()])
run(q.enqueue_many([[[1, 2], [3, 4]], [b"a", b"b"]]))
run(q.enqueue(([5, 6], b"c")))
out["size"] = q.size()
out["is_closed"] = q.is_closed()
out["one"] = run(q.dequeue())
out["two"] = run(q.dequeue_many(2))
out["none"] = run(q.dequeue_many(0))
run(q.enqueue(([7, 8], b"d")))
run(q.close())
out["closed"] = q.is_closed()
out["up_to"] = run(q.dequeue_up_to(3))
out["enqueue after"] = error_of(q.enqueue(([1, 2], b"")))
out["dequeue after"] = error_of(q.dequeue())
out["close again"] = error_of(q.close())
"""

PROGRAMS["batches/sparse"] = """
def rows(n):
    i = tf.cast(n, tf.int64)
    places = tf.stack([tf.range(i), tf.range(i) * 0], 1)
    return tf.SparseTensor(
        places, tf.cast(tf.range(i), tf.float32), tf.stack([i + 1, tf.constant(2, tf.int64)])
    )

def batches(make):
    found = []
    with tf.Graph().as_default(), tf.Session() as own:
        n = tf.train.range_input_producer(7, num_epochs=1, shuffle=False).dequeue()
        batch = make(n)
        own.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(own, coord)
        try:
            while True:
                found.append(own.run(batch))
        except tf.errors.OutOfRangeError:
            coord.request_stop()
            coord.join(threads)
    return found

kept = lambda n: tf.equal(tf.range(n + 2) % 2, 0)
out["smaller"] = batches(
    lambda n: tf.train.batch([rows(n), n], 3, allow_smaller_final_batch=True)
)
out["maybe"] = batches(lambda n: tf.train.maybe_batch([rows(n), n], tf.equal(n % 2, 0), 2))
out["many"] = batches(lambda n: tf.train.batch([rows(n + 1)], 4, enqueue_many=True))
out["kept"] = batches(lambda n: tf.train.maybe_batch([rows(n + 1)], kept(n), 4, enqueue_many=True))
out["dict"] = batches(lambda n: tf.train.batch({"rows": rows(n), "n": n}, 3))
out["join"] = batches(lambda n: tf.train.batch_join([[rows(n), n]], 3))
out["shuffled"] = batches(lambda n: tf.train.shuffle_batch([rows(n), n], 3, 20, 6, seed=3))
out["shuffled join"] = batches(lambda n: tf.train.shuffle_batch_join([[rows(n), n]], 3, 20, 6, 3))
many = tf.train.batch([rows(tf.constant(3))], 4, enqueue_many=True)
unknown = tf.SparseTensor(
    tf.placeholder(tf.int64), tf.placeholder(tf.int32), tf.placeholder(tf.int64)
)
one = tf.train.batch([unknown], 4)
shapes = [t.dense_shape.shape for t in (many, one, tf.train.batch([rows(tf.constant(3))], 4))]
out["shapes"] = np.array([str(shape).encode() for shape in shapes], object)
"""

PROGRAMS["accumulators"] = """
mean = tf.ConditionalAccumulator(tf.float32, [2, None], name="mean")
gradient = tf.placeholder(tf.float32)
apply = mean.apply_grad(gradient, local_step=0)
for rows in ([[1, 2, 3], [4, 5, 6]], [[0, 1, 0], [1, 0, 1]]):
    run(apply, {gradient: rows})
out["wrong"] = [error_of(apply, {gradient: np.ones(s)}) for s in ((2, 4), (3, 3), (2,))]
out["count"] = mean.num_accumulated()
take = mean.take_grad(2)
out["mean"] = run(take)
run(apply, {gradient: np.ones((2, 3))})
out["late"] = mean.num_accumulated()
run(mean.set_global_step(7))
for step in (6, 7, 8):
    run(mean.apply_grad(tf.fill([2, 1], float(step)), local_step=step))
out["of 7 on"] = run(mean.take_grad(2))
out["wrong numbers"] = [error_of(mean.take_grad(n)) for n in (0, -1)]
some = tf.SparseConditionalAccumulator(tf.float64, [5, 2], name="some")

def add(indices, values, shape=None, step=1):
    return some.apply_grad(indices, np.array(values, np.float64), shape, step)

run(add([0, 2], [[1, 1], [2, 2]]))
run(add([2, 4], [[4, 6], [8, 9]], [5, 2]))
run(add([], np.zeros((0, 2))))
out["wrong slices"] = [error_of(op) for op in (
    add([0, 7], [[1, 1], [2, 2]]),
    add([0, 1], [[1, 1], [2, 2]], [4, 2]),
    add([0, 1], [[1, 1], [2, 2]], [5, 3]),
    add([0], [[1, 1], [2, 2]]),
    add([[0, 1]], [[1, 1], [2, 2]]),
    add([0], 1.0),
    add([0], [[1, 2, 3]]),
    add([0, 1], [[1, 1], [2, 2]], [5]),
)]
out["rows"] = [some.num_accumulated(), list(run(some.take_grad(3)))]
free = tf.SparseConditionalAccumulator(tf.float32, name="free")
run(free.apply_indexed_slices_grad(tf.IndexedSlices(tf.ones([2, 3]), tf.constant([1, 3]))))
out["other rows"] = error_of(free.apply_grad([0], tf.ones([1, 2])))
slices = free.take_indexed_slices_grad(1)
out["slices"] = run([slices.indices, slices.values, slices.dense_shape])
ops = [mean.accumulator_ref.op, some.accumulator_ref.op, slices.values.op, add([], [[]])]
ops += [some.num_accumulated().op]
out["names"] = np.array([op.name.encode() for op in ops], object)
out["static"] = np.array(str(take.shape).encode(), object)
"""

PROGRAMS["queues/names"] = """
q = tf.FIFOQueue(4, [tf.int32, tf.float32], shapes=[(), (2,)], names=["i", "x"], name="mine")
enqueue = q.enqueue({"i": 1, "x": [2.0, 3.0]})
many = q.enqueue_many({"i": [1], "x": [[2.0, 3.0]]})
one = q.dequeue()
two = q.dequeue_many(2)
up = q.dequeue_up_to(2)
ops = [q.queue_ref.op, enqueue, many, one["i"].op, two["x"].op, up["i"].op, q.size().op]
ops += [q.is_closed().op, q.close(), q.close(cancel_pending_enqueues=True, name="stop")]
with tf.name_scope("scope"):
    inner = tf.RandomShuffleQueue(4, 1, tf.int32)
    ops += [inner.queue_ref.op, inner.enqueue(1), inner.dequeue().op]
ops += [tf.PaddingFIFOQueue(4, tf.int32, [[None]]).queue_ref.op]
ops += [tf.PriorityQueue(4, tf.int32, shapes=[()]).queue_ref.op]
out["names"] = np.array([op.name.encode() for op in ops], object)
out["shapes"] = np.array([str(t.shape).encode() for t in (one["x"], two["x"], up["x"])], object)
run(enqueue)
run(many)
out["value"] = run(two)
"""

PROGRAMS["queues/shuffle"] = """
q = tf.RandomShuffleQueue(50, 3, tf.int64, shapes=[()], seed=7)
run(q.enqueue_many([np.arange(40)]))
order = [run(q.dequeue()) for _ in range(10)]
out["order"] = np.array(order)
out["many"] = run(q.dequeue_many(9))
run(q.enqueue_many([np.arange(100, 120)]))
run(q.close())
out["rest"] = run(q.dequeue_many(41))
"""

PROGRAMS["queues/shuffle under a graph's seed"] = """
tf.set_random_seed(5)
a = tf.RandomShuffleQueue(50, 0, tf.int32, shapes=[()], seed=11)
b = tf.RandomShuffleQueue(50, 0, tf.int32, shapes=[()], shared_name="shared")
run([a.enqueue_many([np.arange(30)]), b.enqueue_many([np.arange(30)])])
out["a"] = run(a.dequeue_many(30))
out["b"] = run(b.dequeue_many(30))
"""

PROGRAMS["queues/padding"] = """
q = tf.PaddingFIFOQueue(9, [tf.float32, tf.string], shapes=[[None, 2], [None]])
run(q.enqueue([np.ones((1, 2), "float32"), ["a"]]))
run(q.enqueue([np.ones((3, 2), "float32"), ["b", "c"]]))
run(q.enqueue([np.ones((0, 2), "float32"), []]))
out["padded"] = run(q.dequeue_many(3))
out["none"] = run(q.dequeue_many(0))
"""

PROGRAMS["queues/priority"] = """
q = tf.PriorityQueue(9, [tf.string], shapes=[()])
run(q.enqueue_many([np.array([3, 1, 2, -5], "int64"), ["c", "a", "b", "first"]]))
out["one"] = run(q.dequeue())
out["rest"] = run(q.dequeue_many(3))
"""

PROGRAMS["queues/from a list"] = """
queues = [tf.FIFOQueue(9, tf.int32, shapes=[()]) for _ in range(3)]
for i, q in enumerate(queues):
    run(q.enqueue_many([[10 * i, 10 * i + 1]]))
index = tf.placeholder(tf.int32, [])
chosen = tf.QueueBase.from_list(index, queues)
out["values"] = np.array([run(chosen.dequeue(), {index: i}) for i in (2, 0, 1, 2)])
"""

PROGRAMS["queues/errors"] = """
q = tf.FIFOQueue(4, tf.float32)
x = tf.placeholder(tf.float32)
out["many without shapes"] = error_of(q.dequeue_many(1))
r = tf.RandomShuffleQueue(4, 0, tf.float32, shapes=[(2,)])
out["another shape"] = error_of(r.enqueue(x), {x: [1.0]})
out["another shape of many"] = error_of(r.enqueue_many([x]), {x: [[1.0]]})
tf.FIFOQueue(4, tf.float32, shared_name="name").size().eval()
for kind, make in (
    ("capacity", lambda: tf.FIFOQueue(5, tf.float32, shared_name="name")),
    ("types", lambda: tf.FIFOQueue(4, tf.int32, shared_name="name")),
    ("shapes", lambda: tf.FIFOQueue(4, tf.float32, shapes=[()], shared_name="name")),
):
    out["another " + kind] = error_of(make().size())
"""

PROGRAMS["input/batch"] = """
q = tf.train.range_input_producer(7, num_epochs=2, shuffle=False)
number = q.dequeue()
text = tf.gather(["zero", "one", "two", "three", "four", "five", "six"], number)
pairs = tf.train.batch({"n": number, "s": text}, 4, allow_smaller_final_batch=True)
names = sorted(op.name for op in tf.get_default_graph().get_operations())
kinds = ("queue", "batch", "producer")
out["names"] = np.array(
    [n.encode() for n in names if n.count("/") < 2 and any(k in n for k in kinds)], object
)
out["runners"] = np.array(
    [r.name.encode() for r in tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)], object
)
run(tf.local_variables_initializer())
coord = tf.train.Coordinator()
threads = tf.train.start_queue_runners(session, coord)
for i in range(4):
    found = run(pairs)
    out["numbers %d" % i] = found["n"]
    out["strings %d" % i] = found["s"]
out["end"] = error_of(pairs["n"])
coord.request_stop()
coord.join(threads)
"""

PROGRAMS["input/producers"] = """
tf.set_random_seed(3)
x, y = tf.train.slice_input_producer(
    [np.arange(5), np.arange(10).reshape(5, 2)], num_epochs=2, seed=4
)
s = tf.train.string_input_producer(["a", "b", "c"], seed=1).dequeue_many(6)
i = tf.train.input_producer([[1.5, 2.0], [3.0, 4.0]], shuffle=False, num_epochs=1).dequeue()
run(tf.local_variables_initializer())
coord = tf.train.Coordinator()
threads = tf.train.start_queue_runners(session, coord)
for number in range(10):
    out["slice %d" % number] = run([x, y])
out["strings"] = run(s)
out["rows"] = run(i)
out["end of slices"] = error_of(x)
coord.request_stop()
coord.join(threads)
"""

PROGRAMS["input/readers"] = """
import gzip
import os
import zlib

def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path

lines = [write("a.txt", b"one\\n\\ntwo\\r\\nlast"), write("b.txt", b"")]
lines += [write("c.txt", b"x\\ny\\n")]
fixed = [write("a.bin", b"HEAD" + bytes(bytearray(range(11))) + b"FO"), write("b.bin", b"HEADab")]

def all_of(reader, files, number):
    q = tf.FIFOQueue(99, tf.string, shapes=[()])
    run(q.enqueue_many([files]))
    run(q.close())
    record = reader.read(q)
    found = [run(record) for _ in range(number)]
    keys = [key.replace(folder.encode(), b"") for key, _ in found]
    counts = [reader.num_records_produced(), reader.num_work_units_completed()]
    return np.array(keys, object), np.array([v for _, v in found], object), error_of(record), counts

out["lines"] = all_of(tf.TextLineReader(), lines, 6)
out["lines without heads"] = all_of(tf.TextLineReader(skip_header_lines=1), lines, 4)
out["fixed"] = all_of(tf.FixedLengthRecordReader(3, header_bytes=4, footer_bytes=2), fixed[:1], 3)
out["overlapping"] = all_of(
    tf.FixedLengthRecordReader(3, header_bytes=4, footer_bytes=2, hop_bytes=2), fixed[:1], 5
)
out["apart"] = all_of(
    tf.FixedLengthRecordReader(3, header_bytes=4, footer_bytes=2, hop_bytes=4), fixed[:1], 3
)
out["whole"] = all_of(tf.WholeFileReader(), lines, 3)
out["identity"] = all_of(tf.IdentityReader(), ["a", "b"], 2)
reader = tf.TextLineReader()
q = tf.FIFOQueue(99, tf.string, shapes=[()])
run(q.enqueue_many([lines]))
some = reader.read_up_to(q, 3)
for i in range(3):
    out["up to %d" % i] = run(some)[1]
reader = tf.IdentityReader()
run(q.enqueue_many([["u", "v"]]))
out["state"] = (run(reader.read(q)), reader.serialize_state())
run(reader.reset())
out["reset"] = [reader.num_records_produced(), reader.num_work_units_completed()]
out["no state"] = error_of(tf.TextLineReader().serialize_state())
run(q.enqueue_many([["/no/such/file"]]))
out["no file"] = error_of(tf.WholeFileReader().read(q))
"""

PROGRAMS["strings/hashes"] = """
texts = [bytes(bytearray((i * 7 + n) % 256 for i in range(n))) for n in list(range(0, 80)) + [200]]
out["fast"] = tf.string_to_hash_bucket_fast(texts, 2 ** 31 - 1)
out["strong"] = tf.string_to_hash_bucket_strong(texts, 1000, [5, -6])
out["plain"] = tf.string_to_hash_bucket(texts, 1000)
"""

PROGRAMS["strings/split"] = """
for number, (texts, delimiter, skip) in enumerate((
    (["a b  c", "", " x "], " ", True),
    (["a b  c", "", " x "], " ", False),
    (["a,b;c", ";;"], ",;", True),
    (["a,b;c", ";;"], ",;", False),
    ([b"a\\xc3\\xa4", ""], "", True),
    ([], " ", True),
)):
    found = tf.string_split(np.array(texts, object), delimiter, skip_empty=skip)
    out["split %d" % number] = [found.indices, found.values, found.dense_shape]
"""

PROGRAMS["strings/parts"] = """
x = [["hello", "world"], ["a", "bcd"]]
out["one place"] = tf.substr(x, 1, 2)
out["places"] = tf.substr(x, [[0, 4], [1, 2]], [[9, 1], [3, 0]])
out["broadcast"] = tf.substr(["hello", "world"], [[1], [2]], [[2], [3]])
out["outside"] = error_of(tf.substr(["ab"], 3, 1))
"""

PROGRAMS["strings/joined"] = """
x = [[["a", "b"], ["c", "d"]], [["e", "f"], ["g", "h"]]]
for axis in (0, -1, [0, 1], [1, 0], [2, 0, 1], []):
    out["axis %s" % axis] = tf.reduce_join(x, axis, separator="-")
out["all"] = tf.reduce_join(x)
out["kept"] = tf.reduce_join(x, [0, 2], keep_dims=True)
out["twice"] = error_of(tf.reduce_join(tf.placeholder_with_default(x, None), [1, 1]))
"""

PROGRAMS["strings/numbers"] = """
floats = np.array([0, 1.5, -2.25, 1e-7, 123456789.0, 1e20, np.inf, -np.inf], "float32")
out["floats"] = tf.as_string(floats)
out["precise"] = tf.as_string(floats, precision=2)
out["scientific"] = tf.as_string(floats.astype("float64"), scientific=True, precision=3)
out["shortest"] = tf.as_string(floats, shortest=True)
out["wide"] = tf.as_string([1, -20, 300], width=6, fill="0")
out["spaces"] = tf.as_string(np.array([1, -20], "int64"), width=6)
out["plus"] = tf.as_string([1.5, -2.0], width=8, fill="+")
out["bools"] = tf.as_string([True, False])
out["complex"] = tf.as_string(np.array([1 - 2j], "complex64"), precision=1)
texts = ["1", " -2.5 ", "+3e2", "inf", "-INF", "nan", "0x10", ".5", "5."]
out["to float"] = tf.string_to_number(texts)
out["to double"] = tf.string_to_number(texts, tf.float64)
out["to int32"] = tf.string_to_number(["1", " -20 ", "2147483647"], tf.int32)
out["to int64"] = tf.string_to_number(["-9223372036854775808"], tf.int64)
for number, text in enumerate(("", "1_0", "1x", "1 2", "--1", "e5", "0x")):
    out["no float %d" % number] = error_of(tf.string_to_number([text]))
for number, text in enumerate(("", "1.5", "2147483648", "1_0", "- 1", "0x10")):
    out["no int %d" % number] = error_of(tf.string_to_number([text], tf.int32))
"""

PROGRAMS["strings/rewritten"] = """
texts = [b"a1b22", b"", b"xyz", b"\\xc3\\xa4b"]
for number, (pattern, rewrite, every) in enumerate((
    ("[0-9]+", "#", True), ("[0-9]+", "#", False), ("b*", "-", True),
    ("(.)(b)", r"\\2\\1", True),
    ("[a-z]", r"<\\0>", True), ("^", ">", True), ("$", "<", True),
)):
    out["replaced %d" % number] = tf.regex_replace(texts, pattern, rewrite, replace_global=every)
out["no pattern"] = error_of(tf.regex_replace(texts, "(", "x"))
for pad in (True, False):
    encoded = tf.encode_base64([b"", b"a", b"ab", b"abc", b"\\xff\\xfe\\x00?"], pad=pad)
    out["encoded %s" % pad] = encoded
    out["decoded %s" % pad] = tf.decode_base64(encoded)
for number, text in enumerate((b"YQ=", b"Y", b"Y+==", b"YQ===", b"YQ==YQ==", b"YR==")):
    out["no base 64, %d" % number] = error_of(tf.decode_base64([text]))
"""

PROGRAMS["strings/through arrays"] = """
x = tf.constant([["a", "b", "c"], ["d", "e", "f"]])
i = tf.placeholder_with_default(1, [])
found = {
    "row": x[0],
    "one": x[1, 2],
    "part": x[:, 1:],
    "by a tensor": x[i],
    "transposed": tf.transpose(x),
    "reshaped": tf.reshape(x, [3, 2]),
    "tiled": tf.tile(x, [1, 2]),
    "joined": tf.concat([x, x], 0),
    "stacked": tf.stack([x, x], 1),
    "split": tf.split(x, 3, 1),
    "unstacked": tf.unstack(x),
    "gathered": tf.gather(x, [1, 0]),
    "nd": tf.gather_nd(x, [[0, 1]]),
    "one gathered": tf.gather(["p", "q"], i),
    "padded": tf.pad(x, [[0, 1], [1, 0]]),
    "reversed": tf.reverse(x, [1]),
    "expanded": tf.expand_dims(x, 1),
    "squeezed": tf.squeeze(x[:1]),
    "chosen": tf.where([[True, False, True], [False, True, False]], x, x[::-1]),
    "equal": tf.equal(x, "b"),
    "unequal": tf.not_equal(x, [["a"], ["f"]]),
    "filled": tf.fill([2], "w"),
    "zeros": tf.zeros([2], tf.string),
    "zeros like": tf.zeros_like(x),
    "masked": tf.boolean_mask(x, [True, False]),
    "partitions": tf.dynamic_partition(x[0], [0, 1, 0], 2),
    "identity": tf.identity(x),
    "conditional": tf.cond(i > 0, lambda: x[0], lambda: x[1]),
    "shape": tf.shape(x),
    "size": tf.size(x),
    "unique": list(tf.unique(["a", "b", "a"])),
    "sliced": tf.slice(x, [0, 1], [2, 1]),
    "broadcast": tf.string_join([x, "!"]),
    "mapped": tf.map_fn(lambda t: tf.string_join([t, t]), x),
}
out.update(found)
"""

EXAMPLES = """
def feature(value):
    if value is None:
        return tf.train.Feature()
    if isinstance(value[:1] or [""], list) and isinstance((value[:1] or [""])[0], (bytes, str)):
        items = [v if isinstance(v, bytes) else v.encode() for v in value]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=items))
    if isinstance(value[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))

def features(**named):
    return tf.train.Features(feature={key: feature(value) for key, value in named.items()})

def example(**named):
    return tf.train.Example(features=features(**named)).SerializeToString()

def sequence(context, **lists):
    found = {k: tf.train.FeatureList(feature=[feature(v) for v in vs]) for k, vs in lists.items()}
    return tf.train.SequenceExample(
        context=features(**context), feature_lists=tf.train.FeatureLists(feature_list=found)
    ).SerializeToString()

def parts(value):
    if isinstance(value, dict):
        return {key: parts(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [parts(item) for item in value]
    if hasattr(value, "dense_shape"):
        return [value.indices, value.values, value.dense_shape]
    return value
"""

PROGRAMS["parsing/examples"] = (
    EXAMPLES
    + """
batch = [
    example(x=[1.0, 2.0], n=[7], s=[b"a", b"bc"], v=[1, 2, 3], p=[5.0, 6.0]),
    example(x=[3.0, 4.0], s=[b"d", b""], v=None, p=[7.0]),
    example(x=[5.0, 6.0], n=[9], s=[b"e", b"f"], i=[3, 1], w=[0.5, 0.25]),
]
spec = {
    "x": tf.FixedLenFeature([2], tf.float32),
    "n": tf.FixedLenFeature([], tf.int64, -1),
    "s": tf.FixedLenFeature([1, 2], tf.string),
    "v": tf.VarLenFeature(tf.int64),
    "p": tf.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
    "q": tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True, default_value=-1.0),
    "sparse": tf.SparseFeature("i", "w", tf.float32, 10),
}
out["batch"] = parts(tf.parse_example(batch, spec))
out["none"] = parts(tf.parse_example(np.array([], object), {"x": spec["x"], "v": spec["v"]}))
out["one"] = parts(tf.parse_single_example(
    batch[0], {key: spec[key] for key in ("x", "n", "s", "v")}
))
out["shapes"] = np.array([
    str(t.shape).encode() for t in (tf.parse_example(batch, spec)[k] for k in ("x", "n", "s", "p"))
], object)
"""
)

PROGRAMS["parsing/errors"] = (
    EXAMPLES
    + """
good = example(x=[1.0, 2.0], s=[b"a"])
fixed = tf.FixedLenFeature
for name, text, spec in (
    ("missing", good, fixed([], tf.int64)),
    ("another dtype", good, {"x": fixed([2], tf.int64)}),
    ("another number", good, {"x": fixed([3], tf.float32)}),
    ("another dtype, sparse", good, {"x": tf.VarLenFeature(tf.string)}),
    ("no example", b"nothing", {"x": fixed([2], tf.float32)}),
    ("cut", good[:-3], {"x": fixed([2], tf.float32)}),
    ("no multiple", good, {"x": tf.FixedLenSequenceFeature([3], tf.float32, True)}),
):
    spec = spec if isinstance(spec, dict) else {"y": spec}
    out[name] = error_of(tf.parse_example([text], spec)[sorted(spec)[0]])
out["json"] = error_of(tf.decode_json_example(["{"]))
out["tensor"] = error_of(tf.parse_tensor(b"x", tf.float32))
out["type"] = error_of(tf.parse_tensor(tf.serialize_tensor([1]), tf.float32))
"""
)

PROGRAMS["parsing/sequences"] = (
    EXAMPLES
    + """
text = sequence(
    {"a": [1.5, 2.5], "b": [b"x"]},
    t=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], w=[[b"one"], [b"two", b"three"], None],
)
context, lists = tf.parse_single_sequence_example(
    text,
    context_features={
        "a": tf.FixedLenFeature([2], tf.float32), "b": tf.VarLenFeature(tf.string),
        "c": tf.FixedLenFeature([], tf.int64, 5), "d": tf.VarLenFeature(tf.int64),
    },
    sequence_features={
        "t": tf.FixedLenSequenceFeature([2], tf.float32), "w": tf.VarLenFeature(tf.string),
        "u": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    },
)
out["context"] = parts(context)
out["lists"] = parts(lists)
_, lists = tf.parse_single_sequence_example(
    text, sequence_features={"u": tf.FixedLenSequenceFeature([], tf.int64)}
)
out["missing"] = error_of(lists["u"])
"""
)

PROGRAMS["parsing/lines"] = """
lines = ['1,2.5,"a ""b"", c",', "-3,,x,7", "4,1e3,NA,8"]
defaults = [tf.constant([], tf.int32), [1.5], ["none"], tf.constant([9], tf.int64)]
out["columns"] = tf.decode_csv(lines, defaults)
out["not available"] = tf.decode_csv(lines, defaults, na_value="NA")
out["tabs"] = tf.decode_csv(["1\\t2"], [[0], [0]], field_delim="\\t")
out["quotes"] = tf.decode_csv(['"a",b"c'], [[""], [""]], use_quote_delim=False)
out["matrix"] = tf.decode_csv([["1"], ["2"]], [[0.0]])
for number, (line, kinds) in enumerate((
    ("1,2", [[0]]), ("1", [[0], [0]]), (",2", [tf.constant([], tf.int32), [0]]), ("x", [[0.0]]),
    ("1.5", [[0]]), ('a"b', [[""]]), ('"ab', [[""]]), ('"a"b', [[""]]), ('"a', [[""]]),
    ("", [[""]]), ("99999999999", [[0]]), ('"', [[""]]), ("a\\nb", [[""]]), ('"a\\nb"', [[""]]),
    ('"a""', [[""]]), ("1_0", [[0]]), (" 1 ", [[0]]),
)):
    out["line %d" % number] = error_of(tf.decode_csv([line], kinds))
out["inside quotes"] = tf.decode_csv(['"a\\nb",\\n"c"'], [[""], [""]])
"""

PROGRAMS["parsing/raw"] = """
data = bytes(bytearray(range(16)))
for dtype in (tf.uint8, tf.int8, tf.int16, tf.int32, tf.int64, tf.float32, tf.float64):
    for little in (True, False):
        out["%s %s" % (dtype.name, little)] = tf.decode_raw([[data]], dtype, little_endian=little)
out["one"] = tf.decode_raw(b"ab", tf.uint8)
out["odd"] = error_of(tf.decode_raw([b"abc"], tf.int16))
out["lengths"] = error_of(tf.decode_raw([b"ab", b"a"], tf.uint8))
values = {"floats": [[1.5, 2.0]], "text": [b"a", b"\\xff"], "whole": 7, "flag": [True]}
for name, value in sorted(values.items()):
    text = tf.serialize_tensor(value)
    out[name] = tf.parse_tensor(text, tf.convert_to_tensor(value).dtype)
    out[name + ", serialized"] = text
json = '{"features": {"feature": {"x": {"int64List": {"value": ["7", 8]}}}}}'
out["json"] = tf.parse_example(
    tf.decode_json_example([json]), {"x": tf.FixedLenFeature([2], tf.int64)}
)["x"]
import os
path = os.path.join(folder, "new", "a.bin")
os.mkdir(os.path.dirname(path))
run(tf.write_file(path, b"bytes\\x00"))
out["file"] = tf.read_file(path)
names = tf.matching_files([os.path.join(folder, "new", "*"), os.path.join(folder, "*.none")])
out["names"] = np.array([n.replace(folder.encode(), b"") for n in run(names)], object)
"""

PROGRAMS["bits"] = """
x = np.array([0, 1, 5, -7, 127], "int32")
y = np.array([3], "int32")
for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):
    out[name] = getattr(tf.bitwise, name)(x, y)
    out[name + ", 8 bits"] = getattr(tf.bitwise, name)(x.astype("int8"), y.astype("int8"))
out["invert"] = tf.bitwise.invert(x)
out["unsigned"] = tf.bitwise.invert(x.astype("uint8"))
"""

PROGRAMS["tables/from tensors"] = """
lookup = tf.contrib.lookup
table = lookup.HashTable(
    lookup.KeyValueTensorInitializer(["a", "b", "c"], np.array([5, 6, 7], "int64")), -1
)
x = tf.constant([["a", "z"], ["c", "b"]])
out["before"] = error_of(table.lookup(x))
out["size before"] = error_of(table.size())
run(tf.tables_initializer())
out["found"] = table.lookup(x)
sparse = table.lookup(tf.SparseTensor([[0, 1], [2, 0]], ["b", "q"], [3, 2]))
out["sparse"] = [sparse.indices, sparse.values, sparse.dense_shape]
out["size"] = table.size()
words = lookup.index_to_string_table_from_tensor(["x", "y"], default_value="?")
ids = lookup.index_table_from_tensor(["x", "y"], num_oov_buckets=3)
numbers = lookup.index_table_from_tensor([10, 30], num_oov_buckets=2, dtype=tf.int32)
strong = lookup.index_table_from_tensor(
    ["x"], num_oov_buckets=50, hasher_spec=lookup.StrongHashSpec([3, 4])
)
buckets = lookup.IdTableWithHashBuckets(None, 100)
run(tf.tables_initializer())
unknown = tf.constant(["x", "no", "y", "other", ""])
out["words"] = words.lookup(tf.constant([1, 0, 9], tf.int64))
out["ids"] = [ids.lookup(unknown), ids.size()]
out["numbers"] = numbers.lookup(tf.constant([30, 10, 7, -1]))
out["strong"] = strong.lookup(unknown)
out["buckets"] = [buckets.lookup(unknown), buckets.size()]
twice = lookup.HashTable(lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), -1)
out["twice"] = error_of(twice.init)
floats = lookup.HashTable(
    lookup.KeyValueTensorInitializer(np.array([1, 2], "int64"), [0.5, 1.5]), 9.0
)
run(floats.init)
out["floats"] = floats.lookup(tf.constant([2, 3], tf.int64))
"""

PROGRAMS["tables/from files"] = """
import os

def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path

lookup = tf.contrib.lookup
words = write("words", b"emerson\\nlake\\r\\npalmer\\n")
columns = write("columns", b"a\\t1\\nb\\t2\\n")
x = tf.constant(["lake", "king", "palmer"])
tables = [
    lookup.index_table_from_file(words),
    lookup.index_table_from_file(words, num_oov_buckets=2, vocab_size=3),
    lookup.index_table_from_file(words, vocab_size=2),
]
strings = lookup.index_to_string_table_from_file(words)
pairs = lookup.HashTable(
    lookup.TextFileInitializer(columns, tf.string, 0, tf.int64, 1), -1
)
backwards = lookup.HashTable(
    lookup.TextFileInitializer(columns, tf.int64, 1, tf.string, 0), "?"
)
run(tf.tables_initializer())
run(tf.tables_initializer())
for number, table in enumerate(tables):
    out["ids %d" % number] = [table.lookup(x), table.size()]
out["strings"] = strings.lookup(tf.constant([2, 0, 5], tf.int64))
out["pairs"] = pairs.lookup(tf.constant(["b", "c"]))
out["backwards"] = backwards.lookup(tf.constant([1, 3], tf.int64))
out["assets"] = np.array([
    os.path.basename(run(t)) for t in tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)
], object)
for name, make in (
    ("too few", lambda: lookup.TextFileIdTableInitializer(words, vocab_size=5)),
    ("no column", lambda: lookup.TextFileInitializer(words, tf.string, 0, tf.int64, 1)),
    ("no number", lambda: lookup.TextFileInitializer(columns, tf.int64, 0, tf.string, 1)),
    ("no file", lambda: lookup.TextFileIdTableInitializer(words + "x")),
):
    entries = make()
    default = "?" if entries.value_dtype == tf.string else -1
    out[name] = error_of(lookup.HashTable(entries, default).init)
"""

PROGRAMS["tables/mutable"] = """
lookup = tf.contrib.lookup
table = lookup.MutableHashTable(tf.string, tf.int64, -1, name="counts")
out["empty"] = [table.lookup(tf.constant(["a"])), table.size()]
run(table.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64)))
run(table.insert(tf.constant(["b", "c"]), tf.constant([5, 6], tf.int64)))
out["found"] = [table.lookup(tf.constant([["a", "b"], ["c", "d"]])), table.size()]
keys, values = run(table.export())
order = np.argsort(keys)
out["exported"] = [keys[order], values[order]]
rows = lookup.MutableHashTable(tf.int64, tf.float32, [0.0, -1.0], name="rows")
run(rows.insert(tf.constant([3, 4], tf.int64), tf.constant([[1.0, 2.0], [3.0, 4.0]])))
out["rows"] = rows.lookup(tf.constant([4, 9, 3], tf.int64))

def dense_table(*args, **kwargs):
    try:
        return lookup.MutableDenseHashTable(*args, **kwargs)
    except TypeError:  # later versions want a second key that none may be
        other = args[3] - 1 if isinstance(args[3], int) else [-7, -7]
        return lookup.MutableDenseHashTable(*args, deleted_key=other, **kwargs)

dense = dense_table(tf.int64, tf.int64, -1, 0, initial_num_buckets=8, name="dense")
run(dense.insert(tf.constant([11, 12], tf.int64), tf.constant([1, 2], tf.int64)))
out["dense"] = [dense.lookup(tf.constant([12, 7], tf.int64)), dense.size()]
out["empty key"] = error_of(dense.lookup(tf.constant([0], tf.int64)))
pairs = dense_table(
    tf.int64, tf.float32, [0.0, 0.0], [-1, -1], initial_num_buckets=8, name="pairs"
)
run(pairs.insert(tf.constant([[1, 2]], tf.int64), tf.constant([[0.5, 1.5]])))
out["pairs"] = pairs.lookup(tf.constant([[1, 2], [2, 1]], tf.int64))
out["shapes"] = error_of(rows.insert(
    tf.placeholder_with_default(np.array([1], "int64"), None),
    tf.placeholder_with_default(np.ones((1, 3), "float32"), None),
))
"""

_ELEMENTS = """
D, C = tf.data.Dataset, tf.contrib.data

def elements(dataset, most=None):
    n = dataset.make_one_shot_iterator().get_next()
    found = []
    try:
        while most is None or len(found) < most:
            found.append(run(n))
    except tf.errors.OutOfRangeError:
        pass
    return found
"""

PROGRAMS["data/sources"] = (
    _ELEMENTS
    + """
import os, gzip

def numbers():
    for i in range(3):
        yield i, [i] * i

out["generator"] = elements(D.from_generator(numbers, (tf.int64, tf.float32), ([], [None])))
sparse = tf.SparseTensor([[0, 1], [2, 0], [2, 3]], [1.5, 2.5, 3.5], [3, 4])
out["sparse"] = elements(D.from_sparse_tensor_slices(sparse))
for name in ("b.txt", "a.txt", "c.csv"):
    with open(os.path.join(folder, name), "w") as file:
        file.write("one\\n\\r\\ntwo " + name)
text = os.path.join(folder, "a.txt")
found = elements(D.list_files(os.path.join(folder, "*.txt")))
out["files"] = np.array(sorted(os.path.basename(f) for f in found), object)
out["lines"] = elements(tf.data.TextLineDataset([text, os.path.join(folder, "c.csv")]))
out["pieces"] = elements(tf.data.FixedLengthRecordDataset(text, 3, 2, 1))
for kind, name in (("GZIP", "g"), ("ZLIB", "z"), ("", "p")):
    path = os.path.join(folder, name)
    compressed = getattr(tf.python_io.TFRecordCompressionType, kind or "NONE")
    options = tf.python_io.TFRecordOptions(compressed)
    with tf.python_io.TFRecordWriter(path, options=options) as writer:
        for record in (b"first", b"", b"third" * 50):
            writer.write(record)
    out["records %s" % kind] = elements(tf.data.TFRecordDataset(path, kind))
    iterated = list(tf.python_io.tf_record_iterator(path, options=options))
    out["iterated %s" % kind] = np.array(iterated, object)
    queue = tf.FIFOQueue(3, tf.string, [[]])
    run(queue.enqueue(path))
    reader = tf.TFRecordReader(options=options)
    key, value = reader.read(queue)
    out["read %s" % kind] = run(value)
"""
)

PROGRAMS["data/methods"] = (
    _ELEMENTS
    + """
times = lambda x: D.from_tensors(x).repeat(3)
out["interleave"] = elements(D.range(1, 5).interleave(times, 2, 2))
out["interleave wide"] = elements(D.range(1, 4).interleave(times, cycle_length=5, block_length=1))
out["parallel"] = elements(D.range(1, 5).apply(C.parallel_interleave(times, 2, 2)))
out["shard"] = elements(D.range(10).shard(4, 1))
out["cache"] = elements(D.range(3).map(lambda x: 2 * x).cache().repeat(2))
out["dropped"] = elements(D.range(7).apply(C.batch_and_drop_remainder(3)))
out["grouped"] = elements(D.range(9).apply(
    C.group_by_window(lambda x: x % 3, lambda key, w: w.map(lambda x: x + 10 * key).batch(2), 2)
))
out["grouped by size"] = elements(D.range(9).apply(C.group_by_window(
    lambda x: x % 2, lambda key, w: w.batch(4), window_size_func=lambda key: key + 2
)))
out["rows"] = elements(D.from_tensors(([[1, 2], [3, 4]], ["a", "b"])).apply(C.unbatch()))
out["mapped"] = elements(D.range(5).apply(C.map_and_batch(lambda x: (x, -x), 2)))
out["counted"] = elements(C.Counter(3, -2).apply(C.enumerate_dataset(7)), 4)
out["sloppy"] = elements(D.range(1, 3).apply(C.sloppy_interleave(times, 1)))
data = D.from_tensor_slices({"a": [1.0, 2.0], "b": [["x"], ["y"]]})
out["types"] = [np.array(data.output_types[key].name.encode(), object) for key in "ab"]
out["shapes"] = [data.output_shapes[key].as_list() for key in "ab"]
out["classes"] = [np.array(c is tf.Tensor) for c in (data.output_classes["a"],)]
"""
)

PROGRAMS["data/iterators"] = (
    _ELEMENTS
    + """
one, other = D.range(3), D.range(5, 9)
iterator = tf.data.Iterator.from_structure(one.output_types, one.output_shapes)
n = iterator.get_next()
out["before"] = error_of(n)
run(iterator.make_initializer(one))
out["first"] = [run(n) for _ in range(3)]
out["end"] = error_of(n)
run(iterator.make_initializer(other))
out["second"] = [run(n) for _ in range(2)]
handle = tf.placeholder(tf.string, [])
chosen = tf.data.Iterator.from_string_handle(handle, one.output_types, one.output_shapes)
handles = [run(d.make_one_shot_iterator().string_handle()) for d in (one, other)]
m = chosen.get_next()
out["chosen"] = [session.run(m, {handle: handles[i]}) for i in (0, 1, 1, 0)]
size = tf.placeholder(tf.int64, [])
fed = D.range(size).make_initializable_iterator()
k = fed.get_next()
session.run(fed.initializer, {size: 1})
out["fed"] = [run(k), error_of(k)]
"""
)

PROGRAMS["queues/limits"] = """
import os
for name in ("b1", "a1", "c2"):
    open(os.path.join(folder, name), "w").close()
matched = tf.train.match_filenames_once(os.path.join(folder, "*1"))
run(tf.local_variables_initializer())
out["matched"] = np.array(sorted(os.path.basename(f) for f in run(matched)), object)
limited = tf.train.limit_epochs(tf.constant([1, 2]), num_epochs=2)
run(tf.local_variables_initializer())
out["limited"] = [run(limited), run(limited), error_of(limited)]

def batches(make):
    found = []
    with tf.Graph().as_default(), tf.Session() as own:
        n = tf.train.range_input_producer(8, num_epochs=1, shuffle=False).dequeue()
        batch = make(n)
        own.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(own, coord)
        try:
            while True:
                found.append(own.run(batch))
        except tf.errors.OutOfRangeError:
            coord.request_stop()
            coord.join(threads)
    return found

def sorted_of(found):
    return np.sort(np.concatenate(found))

out["maybe shuffled"] = sorted_of(batches(
    lambda n: tf.train.maybe_shuffle_batch([n], 2, 10, 2, tf.equal(n % 2, 0))
))
out["maybe shuffled, joined"] = sorted_of(batches(
    lambda n: tf.train.maybe_shuffle_batch_join([[n]], 2, 10, 2, n < 4)
))
"""

PROGRAMS["tables/older names"] = """
import os
lookup = tf.contrib.lookup
path = os.path.join(folder, "words")
with open(path, "w") as file:
    file.write("one\\ntwo\\nthree\\n")
words = tf.constant(["a", "b"])
ids = lookup.string_to_index(tf.constant(["b", "x"]), words, default_value=9)
texts = lookup.index_to_string(tf.constant([1, 5], tf.int64), words, default_value="?")
entries = lookup.TextFileStringTableInitializer(path)
by_number = lookup.HashTable(entries, "?")
hashed = lookup.index_table_from_tensor(
    words, num_oov_buckets=50, hasher_spec=lookup.StrongHashSpec([3, 4])
)
quick = lookup.IdTableWithHashBuckets(None, 50, lookup.FastHashSpec)
run(tf.tables_initializer())
out["ids"], out["texts"] = ids, texts
out["lines"] = by_number.lookup(tf.constant([2, 0, 7], tf.int64))
out["hashed"] = hashed.lookup(tf.constant(["a", "q", "r"]))
out["quick"] = quick.lookup(tf.constant(["a", "q", "r"]))
out["names"] = np.array([lookup.FastHashSpec.hasher.encode()], object)
"""
