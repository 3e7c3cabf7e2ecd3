"""Messages: the definitions are compiled as they stand, and agree with what files hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2

from hybridflow._src.formats import messages

PROTOS = Path(messages.__file__).parent / "protos"


def test_what_is_compiled_is_what_is_written(tmp_path):
    included = Path(grpc_tools.__file__).parent / "_proto"
    command = ["-m", "grpc_tools.protoc", "--include_imports", f"-I{PROTOS}", f"-I{included}"]
    command += [
        f"--descriptor_set_out={tmp_path / 'set'}",
        *sorted(map(str, PROTOS.glob("*.proto"))),
    ]
    subprocess.run([sys.executable, *command], check=True)
    compiled, committed = (
        descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
        for path in (tmp_path / "set", PROTOS / "messages.binpb")
    )
    assert sorted(compiled.file, key=lambda f: f.name) == sorted(
        committed.file, key=lambda f: f.name
    )


def test_a_message():
    graph = messages.GraphDef()
    graph.versions.producer = 24
    node = graph.node.add(name="x", op="Const")
    node.attr["dtype"].type = messages.enum("DataType").Value("DT_FLOAT")
    assert messages.GraphDef.FromString(graph.SerializeToString()) == graph
    assert messages.GraphDef is type(graph)
    assert "type: DT_FLOAT" in str(graph)


def test_what_is_no_message():
    with pytest.raises(AttributeError, match="There is no message 'GraphDefs'"):
        _ = messages.GraphDefs
    with pytest.raises(AttributeError, match="has no attribute 'graph'"):
        _ = messages.graph
    with pytest.raises(messages.decode_error()):
        messages.GraphDef.FromString(b"\xff\xff\xff")


def test_threads_that_need_messages_first_at_once_have_the_same():
    program = """
import threading
import hybridflow as hf
train, errors, go = hf.train, [], threading.Barrier(8)
def work():
    go.wait()
    try:
        text = train.Feature(bytes_list=train.BytesList(value=[b"x"]))
        train.Example(features=train.Features(feature={"a": text})).SerializeToString()
    except Exception as error:
        errors.append(error)
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(errors)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("[]\n", 0), run.stderr


def test_messages_of_protobuf_in_python():
    """What protobuf advises for libraries with messages of old compilers."""
    program = (
        "import hybridflow as hf\n"
        "from hybridflow._src.formats import messages as m\n"
        "from google.protobuf.internal import api_implementation\n"
        "assert api_implementation.Type() == 'python'\n"
        "assert m.AttrValue.ListValue is type(m.AttrValue().list)\n"
        "with hf.Graph().as_default():\n"
        "    hf.get_variable('v', [2])\n"
        "    graph = hf.train.export_meta_graph()\n"
        "    print(m.MetaGraphDef.FromString(graph.SerializeToString()).graph_def.node[-1].name)\n"
    )
    variables = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "v/read", done.stderr
