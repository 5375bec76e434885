"""What the experiment scripts share: running xgen-train, and reading its reports. Standard library only."""

import argparse
import datetime
import json
import math
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xgen", default=str(ROOT / "build/release/cli/xgen-train"), help="the program to run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the config")
    return parser


def run(xgen, config, output, overrides=()):
    """Runs a config, or goes on with it, or takes what is there when it is done; its report.

    A run whose requirements are missed (exit code 3) has a report like any other.
    """
    command = [xgen, "run", str(config), "--output", str(output), "--resume"]
    for override in overrides:
        command += ["--set", override]
    print("==", " ".join(command), file=sys.stderr, flush=True)
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit code {status}")
    return json.loads((pathlib.Path(output) / "report.json").read_text())


def variants(report):
    """The compiled forms of the network, by name."""
    for stage in reversed(report["stages"]):
        if "variants" in stage:
            return {variant["name"]: variant for variant in stage["variants"]}
    raise SystemExit(f"{report.get('name')}: no stage has compiled anything")


def stage(report, kind):
    return next(s for s in report["stages"] if s["kind"] == kind)


def against_peers(output):
    """What scripts/bench_peers measures of a run, kept in its folder."""
    file = pathlib.Path(output) / "peers.json"
    if not file.exists():
        print("== scripts/bench_peers", output, file=sys.stderr, flush=True)
        subprocess.run([ROOT / "scripts/bench_peers", output, "--json", file], stdout=subprocess.DEVNULL, check=True)
    return json.loads(file.read_text())


def peers_table(peers):
    rows = "".join(
        f"| {p['name']} | {p['median_ms']:.4f} | {p['over_xgen']:.2f}x | {p['over_xgen_p10']:.2f} .. {p['over_xgen_p90']:.2f} |\n"
        for p in peers["peers"]
    )
    versions = ", ".join(f"{name} {version}" for name, version in peers["versions"].items())
    return (
        f"`scripts/bench_peers`: {peers['rounds']} interleaved rounds of {peers['runs']}, one thread; {versions}. The peers run the dense\n"
        "network; the last row is the compressed one, whose zeros they multiply.\n\n"
        f"| | median, ms | times xgen | 10 % .. 90 % of rounds |\n|---|---|---|---|\n{rows}"
    )


def test_accuracy(xgen, model, config):
    """Top-1 in percent of a network's compiled kernels on a config's test images."""
    command = [xgen, "-q", "evaluate", model, "--config", config, "--json"]
    return 100 * json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["top1"]


def different_predictions(xgen, output, config, samples=1000):
    """The line of scripts/check_against_onnxruntime about a run's QDQ network: "1 of 1000 predictions differ"."""
    command = [ROOT / "scripts/check_against_onnxruntime", pathlib.Path(output) / "model.onnx", "--predictions", config]
    command += ["--samples", str(samples), "--xgen", xgen]
    print("==", *command, file=sys.stderr, flush=True)
    line = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return line.split(None, 1)[1].split("  ")[0] if line else "the comparison failed"


def mean_and_spread(values, digits=2, unit=""):
    """"98.40 ± 0.31": the mean and the standard deviation of the sample."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}{unit}"


def geometric_mean(values):
    return math.exp(statistics.mean(math.log(value) for value in values))


def heading(title, command, report):
    """The top of a page of results: what was run, when, on what."""
    manifest = report["manifest"]
    return (
        f"# {title}\n\n"
        f"`{command}`, {datetime.date.today().isoformat()}; {manifest['cpu']}, LibTorch {manifest['libtorch']},\n"
        f"{manifest['threads']} threads for training, 1 for the compiled network, target {manifest['target']}.\n\n"
    )
