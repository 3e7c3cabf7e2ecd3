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
