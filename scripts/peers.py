"""A virtual environment of its own with the peers that xgen is compared with, and what draws; the product itself never
needs Python."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-peers"
PACKAGES = ["numpy", "onnx", "onnxruntime", "openvino", "pillow", "matplotlib"]


def enter():
    """Goes on in .venv-peers, which is made when it is not there."""
    if pathlib.Path(sys.prefix).resolve() == FOLDER.resolve():
        return
    python = FOLDER / "bin/python"
    stamp = FOLDER / "packages.txt"
    if not stamp.exists() or stamp.read_text().split() != PACKAGES:
        print(f"peers: installing {' '.join(PACKAGES)} in {FOLDER.name}", file=sys.stderr)
        try:
            venv.create(FOLDER, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit("peers: no virtual environment; on Debian and Ubuntu: apt-get install python3-venv")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES) + "\n")
    os.execv(python, [str(python), *sys.argv])


def cpu_name(xgen):
    """What the program calls the processor."""
    return json.loads(subprocess.run([xgen, "targets", "--json"], capture_output=True, check=True).stdout)["cpu"]


def infer(xgen, model, feeds, dims=()):
    """Outputs of `xgen-train infer` by name, for arrays by input's name."""
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        command = [xgen, "-q", "infer", str(model), "--output", f"{folder}/out", "--json"]
        for i, (name, array) in enumerate(feeds.items()):
            numpy.save(f"{folder}/{i}.npy", array)
            command += ["--input", f"{name}={folder}/{i}.npy"]
        for name, size in dict(dims).items():
            command += ["--dim", f"{name}={size}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}")
        return {o["name"]: numpy.load(o["file"]) for o in json.loads(done.stdout)["outputs"]}


def has_vnni():
    """Whether the processor multiplies u8 by s8 exactly (AVX-512 VNNI or AVX-VNNI)."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return True
    return "x86" not in os.uname().machine or "avx512_vnni" in flags or "avx_vnni" in flags


def ort_session(model):
    """ONNX Runtime at one thread, without products that saturate."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; it warns of every initializer that is an input, too
    if not has_vnni():
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def dims_of(tensor, sizes):
    """Shape of a session's input; symbolic dimensions take `sizes`, or 1 where that is the first."""
    shape = []
    for i, dim in enumerate(tensor.shape):
        if isinstance(dim, int):
            shape.append(dim)
        elif dim in sizes:
            shape.append(sizes[dim])
        elif i == 0:
            shape.append(1)
        else:
            sys.exit(f"input \"{tensor.name}\": dimension \"{dim}\" has no size; give it as --dim {dim}=N")
    return shape


def parse_dims(texts):
    return {name: int(size) for name, size in (text.split("=") for text in texts)}
