#!/usr/bin/env python3
"""Keeps the rooms apart: who may include whom (docs/architecture.md).

Names every include that crosses a wall, as FILE:LINE: reason, and fails when there is one.
  scripts/check_layering.py [ROOT]
"""

import os
import re
import sys

# room -> rooms that it may include besides itself
ROOMS = {
    "core": set(),
    "codegen": {"core"},
    "prune": {"core"},
    "quantize": {"core"},
    "train": {"core", "prune", "quantize"},
    "search": {"core", "codegen", "prune", "quantize", "train"},
    "cli": {"core", "codegen", "prune", "quantize", "train", "search"},
}
TORCH_ROOMS = {"prune", "quantize", "train", "search", "cli"}
TORCH = re.compile(r"<(torch|ATen|c10|caffe2)/")
PROTOBUF = re.compile(r"<(google/protobuf|onnx)/|\.pb\.h[>\"]")
PROTOBUF_FOLDER = "core/onnx/"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])')
SOURCES = (".h", ".cpp", ".c", ".inc")


def sources(root):
    for room in [*ROOMS, "tests"]:
        for folder, folders, names in os.walk(os.path.join(root, room)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def problem(path, include):
    """Why `path` may not have this include, or None."""
    parts = path.split("/")
    is_test = parts[0] == "tests"
    room = parts[1] if is_test else parts[0]
    if room not in ROOMS:
        return None  # tests/support, tests/bench, tests/package: used by all, use all
    target = include[1:-1].split("/")[0]
    if include[0] == '"' and target in ROOMS and target != room and target not in ROOMS[room]:
        allowed = ", ".join(sorted(ROOMS[room])) or "no other room"
        return f"{room}/ may include {allowed}, not {target}/"
    if TORCH.search(include):
        if room not in TORCH_ROOMS:
            return f"{room}/ builds without LibTorch"
        if parts[-1] == "config.h":
            return "a config.h is read where LibTorch is not installed"
    within = path[len("tests/") :] if is_test else path
    if PROTOBUF.search(include) and not within.startswith(PROTOBUF_FOLDER):
        return f"protobuf is seen by {PROTOBUF_FOLDER} only"
    return None


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    count = bad = 0
    for path in sources(root):
        count += 1
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = INCLUDE.match(line)
                reason = match and problem(path, match.group(1))
                if reason:
                    bad += 1
                    print(f"{path}:{number}: {match.group(1)}: {reason}")
    print(f"layering: {count} files, {bad} includes cross a wall")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
