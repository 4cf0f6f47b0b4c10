"""Hostile files: small valid models and arrays are damaged at random, and a reader must read each or refuse it in one line.

Run by hand: `python tests/fuzz_readers.py --minutes 60`. A finding is anything else than a result or one of the package's own errors in
one line; more than --seconds of processor time or --mebibytes of memory for one file; a file run as code, a program started, the network
used or a file written. The damaged file of every finding and what was raised are kept in --keep; so is the last file, which a crash
of the whole process leaves as `current`. The exit code is 1 where something was found.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import faulthandler
import gc
import io
import json
import random
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from hypothesis import HealthCheck, Phase, given, seed, settings
from onnx import numpy_helper

from exactrelu.domain import parse_domain
from exactrelu.errors import ExactReluError
from exactrelu.network.readers import load
from exactrelu.points import read_points

INTEGERS = [0, 1, -1, 2, 3, -2, 7, 255, 2**16, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63), 2**63 - 1]
NUMBERS = [
    *map(str, INTEGERS),
    str(2**64),
    "9" * 5000,
    "-0.0",
    "1e308",
    "1e9999",
    "1e-9999",
    "nan",
    "inf",
    "1/0",
    "3/7",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    "",
]
PLACES = [
    "/etc/passwd",
    "../../../etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    ".",
    "",
    "a\0b",
    "x" * 5000,
    "current.onnx",
    "https://example.org/x",
]
WORDS = ["[" * 3000, "{" * 3000, '{"a":' * 3000, "\0", "\ud7ff", "\\ud800", ",", "\n", '"', "//", "-", "e", "../x"]
LONGEST = 200_000
# A reader may ask for address space without using it; what it uses is measured.
RESERVED_MEBIBYTES = 8192
HOSTILE_EVENTS = ("pickle.find_class", "socket.", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "urllib.Request")


class TooSlow(BaseException):
    """Raised by the timer in whatever runs; no reader catches it."""


# ---------------------------------------------------------------- what is damaged


def onnx_seeds(count):
    """Random graphs of all operators, as the tests of the operators draw them."""
    import test_lowering_operators

    found = []

    @seed(0)
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
    @given(test_lowering_operators.graphs())
    def draw(graph):
        found.append(graph[0].SerializeToString())

    draw()
    return found


def safetensors_seeds():
    from safetensors.numpy import save

    found = []
    for dtype in (np.float16, np.float32, np.float64):
        tensors = {"0.weight": np.ones((3, 2), dtype), "0.bias": np.zeros(3, dtype), "2.weight": np.full((1, 3), -0.5, dtype)}
        layers = [{"linear": "0"}, {"relu": True}, {"linear": "2"}]
        found.append(save(tensors, {"exactrelu": json.dumps({"format": 1, "input": [2], "layers": layers})}))
    return found


def nnet_seeds():
    small = "// comment\n2,2,1,3,\n2,3,1,\n0,\n-1,-1,\n1,1,\n0,0,0,\n1,1,1,\n1,-2,\n0.5,0.25\n-3e0,.5,\n0,\n1.5,\n-2,\n1,1,-1,\n0.125,\n"
    return [small.encode(), small.replace("0.125", "0.1").replace("\n", "\r\n").encode()]


def array_seeds():
    """(suffix, bytes) of points and boxes."""
    arrays = [np.arange(12).reshape(2, 6).astype(kind) for kind in ("<f2", "<f4", "<f8", "u1", ">i4", "?")] + [np.zeros((2, 2, 3))]
    for array in arrays:
        stream = io.BytesIO()
        np.save(stream, array)
        yield ".npy", stream.getvalue()
        for write in (np.savez, np.savez_compressed):
            stream = io.BytesIO()
            write(stream, x=array, lo=np.zeros(6), hi=np.ones(6))
            yield ".npz", stream.getvalue()
    yield ".csv", b"1,2,3/4,0.5,-1e-3,6\n0,0,0,0,0,0\n"
    yield ".json", json.dumps({"A": [[1, "2/3", 0, 0, 0, -1], [0, 0, 1, 0, 0, 0]], "b": [1, "-1/2"]}).encode()


def export_seeds():
    """Modules saved by torch.export, where a reader for them exists."""
    try:
        import torch

        from exactrelu.network.readers import from_torch_export  # noqa: F401
    except ImportError:
        return
    from torch import nn

    torch.manual_seed(0)
    chain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    convolutional = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)
    )
    for module, shape in ((chain, (1, 4)), (convolutional, (1, 1, 4, 4))):
        stream = io.BytesIO()
        torch.export.save(torch.export.export(module.eval(), (torch.zeros(shape),)), stream)
        yield stream.getvalue()


def seeds():
    yield from ((".onnx", data) for data in onnx_seeds(150))
    yield from ((".safetensors", data) for data in safetensors_seeds())
    yield from ((".nnet", data) for data in nnet_seeds())
    yield from array_seeds()
    yield from ((".pt2", data) for data in export_seeds())


# ---------------------------------------------------------------- how it is damaged


def damage_bytes(draw, data):
    """Overwrite, cut, repeat, insert or write a number of 1 to 8 bytes."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at, other = sorted(draw.randrange(len(data) + 1) for _ in range(2))
        kind = draw.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = draw.randrange(256)
        elif kind == 1:
            del data[at : at + draw.choice([1, 2, 8, len(data)])]
        elif kind == 2:
            data[at:at] = data[at:other][:4096]
        elif kind == 3:
            data[at:at] = draw.randbytes(draw.randint(1, 9))
        else:
            size = draw.choice([1, 2, 4, 8])
            data[at : at + size] = (draw.choice(INTEGERS) % 2 ** (8 * size)).to_bytes(size, draw.choice(["little", "big"]))
    return bytes(data)


def damage_text(draw, data):
    """Replace a number or a name by one that is hostile, take out or repeat a piece between separators, put in a word."""
    text = data.decode("latin-1")
    for _ in range(draw.randint(1, 3)):
        kind = draw.randrange(5)
        tokens = list(re.finditer(r"[-+.\w/]+" if kind < 3 else r"[^\n]+" if kind == 3 else r"[^,]+", text))
        if not tokens or draw.random() < 0.05:
            at = draw.randrange(len(text) + 1)
            text = text[:at] + draw.choice(WORDS) + text[at:]
            continue
        token = draw.choice(tokens)
        if kind < 3:
            new = (
                draw.choice(NUMBERS) if draw.random() < 0.7 else draw.choice(tokens).group() if draw.random() < 0.7 else draw.choice(PLACES)
            )
        else:
            new = (token.group() + text[token.end() : token.end() + 1]) * draw.choice([0, 0, 2, 200])
        text = (text[: token.start()] + new + text[token.end() + (kind >= 3) :])[:LONGEST]
    return text.encode("utf-8", "replace") if draw.random() < 0.3 else text.encode("latin-1", "replace")


def damage_safetensors(draw, data):
    """Damage the header and, mostly, give it its right length again."""
    size = int.from_bytes(data[:8], "little")
    header = damage_text(draw, data[8 : 8 + size])
    length = len(header) if draw.random() < 0.9 else draw.choice(INTEGERS) % 2**64
    return struct.pack("<Q", length) + header + data[8 + size :]


def damage_zip(draw, data):
    """Damage one member, its name or its number of times; mostly the members stay packed as they were."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info), info.compress_type) for info in archive.infolist()]
    at = draw.randrange(len(members))
    name, content, packed = members[at]
    kind = draw.random()
    if kind < 0.8:
        textual = content[:1] in {b"{", b"["} or content[:6] == b"\x93NUMPY"
        members[at] = name, (damage_text if textual and draw.random() < 0.7 else damage_bytes)(draw, content), packed
    elif kind < 0.9:
        members[at] = draw.choice([*(place for place in PLACES if place), draw.choice(members)[0]]), content, packed
    elif kind < 0.95:
        members[at] = name, content, draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    else:
        members[at : at + 1] = draw.choice([[], [members[at]] * 2])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for member, inside, method in members:
            archive.writestr(member, inside, method)
    return stream.getvalue()


def damage_onnx(draw, data):
    """Damage the graph: attributes, sizes, names, operators, inputs, external data, nesting."""
    model = onnx.ModelProto.FromString(data)
    graph = model.graph
    for _ in range(draw.randint(1, 3)):
        if not graph.node:
            break
        draw.choice(
            [_attribute, _attribute, _attribute, _constant, _constant, _wire, _wire, _operator, _sizes, _inputs, _external, _nested]
        )(draw, graph)
    if draw.random() < 0.03:
        model.opset_import[0].version = draw.choice(INTEGERS)
    return model.SerializeToString()


def _attribute(draw, graph):
    node = draw.choice(graph.node)
    if not node.attribute:
        return
    attribute = draw.choice(node.attribute)
    if attribute.ints:
        attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice(INTEGERS)
    elif attribute.type == attribute.INTS:
        attribute.ints.extend(draw.choices(INTEGERS, k=draw.choice([1, 2, 70])))
    elif attribute.type == attribute.INT:
        attribute.i = draw.choice(INTEGERS)
    elif attribute.type == attribute.FLOAT:
        attribute.f = draw.choice([0, 1e38, -1, float("nan"), float("inf"), 1e-45])
    if draw.random() < 0.1:
        attribute.type = draw.randrange(0, 15)
    if draw.random() < 0.05:
        del node.attribute[:]


def _constant(draw, graph):
    if not graph.initializer:
        return
    tensor = draw.choice(graph.initializer)
    kind = draw.random()
    if kind < 0.1:
        tensor.data_type = draw.randrange(0, 24)
    elif kind < 0.2:
        tensor.dims.extend(draw.choices([0, 1, 2, 2**31], k=draw.choice([1, 70])))
    elif tensor.data_type == tensor.INT64 and tensor.data_location != tensor.EXTERNAL:
        with contextlib.suppress(ValueError):
            values = numpy_helper.to_array(tensor).copy().reshape(-1)
            if values.size:
                values[draw.randrange(values.size)] = draw.choice(INTEGERS)
                tensor.ClearField("int64_data")
                tensor.raw_data = values.tobytes()
    elif tensor.dims:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(INTEGERS)


def _wire(draw, graph):
    node = draw.choice(graph.node)
    names = [name for other in graph.node for name in other.output] + [tensor.name for tensor in graph.initializer] + ["x", "", "none"]
    side = node.input if draw.random() < 0.8 else node.output
    if side:
        side[draw.randrange(len(side))] = draw.choice(names)


def _operator(draw, graph):
    node = draw.choice(graph.node)
    node.op_type = draw.choice(
        [*(other.op_type for other in graph.node), "Loop", "If", "Shape", "Gather", "ConstantOfShape", "Softmax", "x\n" * 99]
    )


def _sizes(draw, graph):
    dims = graph.input[0].type.tensor_type.shape.dim if graph.input else []
    if dims:
        draw.choice(dims).dim_value = draw.choice(INTEGERS)


def _inputs(draw, graph):
    node = draw.choice(graph.node)
    if draw.random() < 0.5:
        node.input.append(draw.choice(draw.choice(graph.node).output or ["x"]))
    elif node.input:
        del node.input[-1]


def _external(draw, graph):
    if graph.initializer:
        tensor = draw.choice(graph.initializer)
        tensor.data_location = tensor.EXTERNAL
        for key, values in (("location", PLACES), ("offset", NUMBERS), ("length", NUMBERS)):
            if draw.random() < 0.8:
                tensor.external_data.add(key=key, value=draw.choice(values))


def _nested(draw, graph):
    attribute = draw.choice(graph.node).attribute.add(name="body", type=onnx.AttributeProto.GRAPH)
    for _ in range(draw.choice([1, 20, 60])):
        attribute = attribute.g.node.add(op_type="If").attribute.add(name="body", type=onnx.AttributeProto.GRAPH)


DAMAGE = {".onnx": damage_onnx, ".safetensors": damage_safetensors, ".nnet": damage_text, ".npz": damage_zip, ".pt2": damage_zip}
DAMAGE |= {".csv": damage_text, ".json": damage_text, ".npy": damage_text}


# ---------------------------------------------------------------- what must hold


def read(path, draw):
    """Read a file as what its suffix says, in every way that suffix is read."""
    if path.suffix in {".npy", ".npz", ".csv"}:
        read_points(path, shape=(2, 3), inputs=6, scale=draw.choice([None, Fraction(1, 255)]), rows=draw.choice([None, "0:1"]))
        if path.suffix == ".npz":
            parse_domain(f"box:{path}", 6)
    elif path.suffix == ".json":
        parse_domain(f"polytope:{path}", 6)
    else:
        load(path)


def peak_mebibytes():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024


def size_mebibytes():
    return int(re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024


class Run:
    """Counts and keeps what was found."""

    def __init__(self, keep, seconds, mebibytes):
        self.keep, self.seconds, self.mebibytes = keep, seconds, mebibytes
        self.counts, self.found = Counter(), Counter()
        self.slowest, self.largest = (0.0, ""), (0, "")
        self.reading, self.events = False, set()
        keep.mkdir(parents=True, exist_ok=True)

    def watch(self):
        """Hear of what a reader must never do; start the timer's signal and the limit of memory."""

        def hear(event, arguments):
            if not self.reading:
                return
            writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
            if writes or event.startswith(HOSTILE_EVENTS):
                self.events.add(f"{event} {arguments!r:.200}")

        def stop(*_):
            raise TooSlow

        sys.addaudithook(hear)
        signal.signal(signal.SIGPROF, stop)
        limit = (size_mebibytes() + self.mebibytes + RESERVED_MEBIBYTES) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

    def one(self, path, draw):
        """Read one file; returns what became of it."""
        self.events.clear()
        Path("/proc/self/clear_refs").write_text("5")
        before, begin = peak_mebibytes(), time.process_time()
        outcome, raised = "read", ""
        signal.setitimer(signal.ITIMER_PROF, self.seconds)
        faulthandler.dump_traceback_later(30 * self.seconds, exit=True)
        self.reading = True
        try:
            read(path, draw)
        except ExactReluError as error:
            outcome = type(error).__name__
            if len(str(error).splitlines()) != 1 or len(str(error)) > 2000:
                outcome, raised = "not one line", repr(error)
        except TooSlow:
            outcome, raised = "too slow", traceback.format_exc()
        except BaseException as error:
            outcome, raised = f"crash: {type(error).__name__}", traceback.format_exc()
            if isinstance(error, KeyboardInterrupt):
                raise
        finally:
            self.reading = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.cancel_dump_traceback_later()
        spent, used = time.process_time() - begin, peak_mebibytes() - before
        self.slowest, self.largest = max(self.slowest, (spent, path.suffix)), max(self.largest, (used, path.suffix))
        if self.events:
            outcome, raised = "did what no reader may", "\n".join(sorted(self.events))
        elif used > self.mebibytes:
            outcome, raised = "too much memory", f"{used} MiB"
        self.counts[path.suffix, outcome] += 1
        if raised:
            self.record(path, outcome, raised)

    def record(self, path, outcome, raised):
        where = [line.strip() for line in raised.splitlines() if line.strip().startswith("File ")]
        key = (path.suffix, outcome, where[-1] if where else raised[:60])
        self.found[key] += 1
        if self.found[key] == 1:
            stem = f"{len(self.found):03d}-{re.sub('[^a-z]+', '-', outcome.lower()).strip('-')}"
            (self.keep / f"{stem}{path.suffix}").write_bytes(path.read_bytes())
            (self.keep / f"{stem}.txt").write_text(f"{outcome}\n{raised}\n", encoding="utf-8", errors="replace")
            print(f"FOUND {stem}{path.suffix}: {outcome} {key[2]}", flush=True)

    def summary(self):
        lines = []
        for suffix in sorted({suffix for suffix, _ in self.counts}):
            own = {outcome: count for (one, outcome), count in self.counts.items() if one == suffix}
            lines.append(
                f"{suffix}: {sum(own.values())} files: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(own.items()))
            )
        lines.append(f"slowest {self.slowest[0]:.2f} s ({self.slowest[1]}), largest growth {self.largest[0]} MiB ({self.largest[1]})")
        lines.append(f"findings: {sum(self.found.values())}, of {len(self.found)} kinds")
        return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Damage small valid files at random; every reader reads them or refuses them in one line.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10, help="processor time that one file may take")
    parser.add_argument("--mebibytes", type=int, default=2048, help="memory that one file may take")
    parser.add_argument("--only", help="one kind of file alone, such as .pt2")
    parser.add_argument("--keep", type=Path, default=Path("fuzz_findings"), help="folder for what is found")
    given = parser.parse_args(arguments)
    draw = random.Random(given.seed)
    by_suffix = {}
    for suffix, data in seeds():
        if given.only in {None, suffix}:
            by_suffix.setdefault(suffix, []).append(data)
    # ONNX has by far the most to damage.
    suffixes = [suffix for suffix in by_suffix for _ in range(8 if suffix == ".onnx" else 1)]
    run = Run(given.keep, given.seconds, given.mebibytes)
    with tempfile.TemporaryDirectory() as folder:
        # Whole files first: all that is loaded late is there before the limits count.
        for suffix, files in by_suffix.items():
            for data in files:
                path = Path(folder, f"current{suffix}")
                path.write_bytes(data)
                with contextlib.suppress(ExactReluError):
                    read(path, draw)
        run.watch()
        begun = shown = time.monotonic()
        while time.monotonic() - begun < 60 * given.minutes:
            suffix = draw.choice(suffixes)
            data = draw.choice(by_suffix[suffix])
            damaged = (DAMAGE[suffix] if draw.random() < 0.7 else damage_bytes)(draw, data)
            path = Path(folder, f"current{suffix}")
            path.write_bytes(damaged)
            last = given.keep / path.name
            last.write_bytes(damaged)
            run.one(path, draw)
            last.unlink()
            if sum(run.counts.values()) % 500 == 0:
                gc.collect()
                with contextlib.suppress(AttributeError, OSError):
                    ctypes.CDLL(None).malloc_trim(0)
            if time.monotonic() - shown > 300:
                shown = time.monotonic()
                print(f"after {(shown - begun) / 60:.0f} minutes\n{run.summary()}", flush=True)
    print(f"seed {given.seed}, {given.minutes:g} minutes\n{run.summary()}")
    return 1 if run.found else 0


if __name__ == "__main__":
    raise SystemExit(main())
