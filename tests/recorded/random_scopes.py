"""Programs made at random that open scopes and ask for variables, and what comes of each step.

Runs under Python 3.6 with TensorFlow 1.4.1, and with hybridflow: `tf` is either.
"""

import binascii


class Draw:
    """Numbers that are the same in every Python."""

    def __init__(self, seed):
        self._state = seed * 7919 + 13

    def below(self, count):
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % count

    def pick(self, items):
        return items[self.below(len(items))]

    def once_in(self, count):
        return self.below(count) == 0


def renamed(getter, name, *args, **kwargs):
    return getter(name + "_g", *args, **kwargs)


class Program:
    """One program; `trace` are the names and errors of its steps."""

    def __init__(self, tf, seed):
        self.tf = tf
        self.draw = Draw(seed)
        self.trace = []
        self.scopes = []
        self.initializers = [tf.zeros_initializer(), tf.constant_initializer(2.0)]

    def run(self):
        """Runs it in a new graph; gives the trace and a checksum of all ops."""
        with self.tf.Graph().as_default() as graph:
            self.block(0)
            for key in sorted(key for key in graph.get_all_collection_keys() if key is not None):
                found = [getattr(item, "name", None) for item in graph.get_collection(key)]
                self.trace.append(f"in {key}: {found}")
            ops = [
                (op.name, op.type, op.device, [c.name for c in op.control_inputs])
                for op in graph.get_operations()
            ]
        return self.trace, binascii.crc32(repr(ops).encode())

    def block(self, depth):
        steps = [self.variable] * 5 + [self.plain_variable] * 2 + [self.op, self.change]
        if depth < 4:
            steps += [self.scope] * 4 + [self.name_scope]
        for _ in range(1 + self.draw.below(4)):
            try:
                self.draw.pick(steps)(depth)
            except (ValueError, TypeError, NotImplementedError) as error:
                kind = "TypeError" if isinstance(error, TypeError) else "ValueError"
                self.trace.append(f"{kind} {str(error)[:30]}")

    def scope(self, depth):
        tf, draw = self.tf, self.draw
        options = {}
        if draw.once_in(4):
            options["reuse"] = draw.pick([None, False, True, tf.AUTO_REUSE, tf.AUTO_REUSE])
        if draw.once_in(6):
            options["dtype"] = draw.pick([tf.float64, tf.float32])
        if draw.once_in(6):
            options["use_resource"] = draw.pick([True, False])
        if draw.once_in(6):
            options["initializer"] = draw.pick(self.initializers)
        if draw.once_in(8):
            options["custom_getter"] = renamed
        if draw.once_in(10):
            options["partitioner"] = tf.fixed_size_partitioner(2)
        if draw.once_in(10):
            options["caching_device"] = "/cpu:0"
        kind = draw.below(6)
        if kind == 3:
            names = (None, draw.pick(["a", "d", "e/f"]))
        elif kind == 4 and self.scopes:
            names = (draw.pick(self.scopes),)
        elif kind == 5:
            names = (draw.pick(["a", "b"]), "unused")
        else:
            names = (draw.pick(["a", "b", "a/b", "c"]),)
        with tf.variable_scope(*names, **options) as scope:
            self.scopes.append(scope)
            form = [scope.name, scope.original_name_scope, str(bool(scope.reuse)), scope.dtype.name]
            self.trace.append("scope " + ", ".join(form))
            self.block(depth + 1)

    def name_scope(self, depth):
        with self.tf.name_scope(self.draw.pick(["n", "m", None, "a", "n/o"])) as name:
            self.trace.append(f"name scope {name}")
            self.block(depth + 1)

    def variable(self, depth):
        tf, draw = self.tf, self.draw
        options = {}
        if draw.once_in(5):
            options["initializer"] = draw.pick(self.initializers)
        if draw.once_in(8):
            options["dtype"] = draw.pick([tf.int32, tf.float64, tf.float32])
        if draw.once_in(8):
            options["trainable"] = False
        if draw.once_in(10):
            options["use_resource"] = True
        if draw.once_in(12):
            options["partitioner"] = tf.fixed_size_partitioner(2)
        if draw.once_in(12):
            options["collections"] = ["mine"]
        if draw.once_in(12):
            options["custom_getter"] = renamed
        get = tf.get_local_variable if draw.once_in(9) else tf.get_variable
        shape = draw.pick([[2], [2], [2], [4], []])
        v = get(draw.pick(["v", "w", "v/x"]), shape, **options)
        self.trace.append(f"got {v.name}, {v.dtype.name}")
        if draw.once_in(2):
            used = v + 1 if hasattr(v, "op") else tf.convert_to_tensor(v)
            self.trace.append(f"used {used.name}")

    def plain_variable(self, depth):
        draw = self.draw
        value = [1.0, 2.0]
        if draw.once_in(2):
            value = lambda: self.tf.constant([1.0, 2.0])  # noqa: E731
        name = draw.pick([None, "v", "q"])
        v = self.tf.Variable(value, name=name, trainable=draw.once_in(2))
        self.trace.append(f"made {v.name}")

    def op(self, depth):
        name = self.draw.pick(["Const", "v", "a"])
        self.trace.append(f"op {self.tf.constant(1.0, name=name).name}")

    def change(self, depth):
        scope = self.tf.get_variable_scope()
        if self.draw.once_in(3):
            scope.reuse_variables()
        elif self.draw.once_in(2):
            scope.set_dtype(self.tf.float32)
        else:
            scope.set_initializer(self.draw.pick(self.initializers))
