"""What the experiment scripts share: running xgen-train, and reading its reports. Standard library only."""

import argparse
import datetime
import json
import math
import pathlib
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESNET20 = ROOT / "configs/resnet20_cifar10_from_dense.json"
MAPPER = {"scheme": "auto", "patterns": 56, "nm_lanes": 16, "rates": {"from_requirements": True}}


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xgen", default=str(ROOT / "build/release/cli/xgen-train"), help="the program to run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the config")
    return parser


def run_config(xgen, config, output, overrides=()):
    """Like run(), of a config that is written beside the run's folder."""
    file = pathlib.Path(f"{output}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config, indent=1))
    return run(xgen, file, output, overrides)


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


def resnet20(name, prune, epochs, kind="int8", requirements=None):
    """A config: the committed dense ResNet-20 pruned as `prune` says and fine-tuned; fp32 has no stage that quantizes."""
    config = json.loads(RESNET20.read_text())
    for place, key in ((config["model"], "onnx"), (config["data"], "path")):
        place[key] = str((RESNET20.parent / place[key]).resolve())
    config["name"] = name
    stage, quantize, ship = config["stages"]
    for key in ("scheme", "patterns", "rates", "algorithm", "training"):
        stage.pop(key, None)
    stage.update(final_type=kind, **prune)
    stage["fine_tune"]["epochs"] = epochs
    config["stages"] = [stage, quantize, ship] if kind == "int8" else [stage, ship]
    if requirements:
        config["requirements"] = requirements
    config.pop("$schema", None)
    return config


def dense_ms(xgen):
    """What the committed dense ResNet-20 is predicted to take: a clock may find half as much again in one moment, and kernels be timed in another."""
    command = [xgen, "-q", "predict", str(ROOT / "configs/models/resnet20_cifar10_dense.onnx"), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["latency_ms"]


def search_for(xgen, config, folder, seconds):
    """Lets a search go on until it has had so long, what it had before included, or is complete; the seconds that it has had."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "seconds"
    spent = float(file.read_text()) if file.exists() else 0.0
    if spent >= seconds:
        return spent
    print("==", xgen, "search", config, "--output", folder, file=sys.stderr, flush=True)
    begun = time.monotonic()
    process = subprocess.Popen([xgen, "search", str(config), "--output", str(folder)], stdout=subprocess.DEVNULL)
    while process.poll() is None and spent + time.monotonic() - begun < seconds:
        time.sleep(1)
        file.write_text(str(spent + time.monotonic() - begun))
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    if process.wait() not in (0, 3, 130):
        sys.exit(f"the search ended with exit code {process.returncode}")
    return float(file.read_text())


class Rows:
    """What finished runs have shown, a JSON line each, beside the page that is made of them.

    A run that has a line with the same settings is not repeated, wherever it was done.
    """

    def __init__(self, page):
        self.file = page.with_suffix(".jsonl")
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self.rows = {row["name"]: row for row in map(json.loads, lines)}

    def get(self, name, settings):
        row = self.rows.get(name)
        return row if row and row["settings"] == settings else None

    def add(self, name, settings, report, figures):
        manifest = report["manifest"]
        row = {"name": name, "settings": settings, "date": datetime.date.today().isoformat(), "cpu": manifest["cpu"],
               "libtorch": manifest["libtorch"], "threads": manifest["threads"], "target": manifest["target"], **figures}
        self.rows[name] = row
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("".join(json.dumps(r) + "\n" for r in self.rows.values()))
        return row


def variants(report):
    """The compiled forms of the network, by name."""
    for stage in reversed(report["stages"]):
        if "variants" in stage:
            return {variant["name"]: variant for variant in stage["variants"]}
    raise SystemExit(f"{report.get('name')}: no stage has compiled anything")


def stage(report, kind):
    return next(s for s in report["stages"] if s["kind"] == kind)


def against_peers(output, *options):
    """What scripts/bench_peers measures of a run, with options of it, kept in its folder."""
    file = pathlib.Path(output) / "peers.json"
    if not file.exists():
        print("== scripts/bench_peers", output, file=sys.stderr, flush=True)
        subprocess.run([ROOT / "scripts/bench_peers", output, "--json", file, *options], stdout=subprocess.DEVNULL, check=True)
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


# Student's t, 97.5 %, of 1 to 19 degrees of freedom.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)


def mean_and_interval(values, digits=2, unit=""):
    """"6.10 ± 0.42x": the mean, and half of its 95 % confidence interval, of 2 to 20 values."""
    half = STUDENT[len(values) - 2] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.{digits}f} ± {half:.{digits}f}{unit}"


def geometric_mean(values):
    return math.exp(statistics.mean(math.log(value) for value in values))


def heading(title, command, report):
    """The top of a page of results: what was run, when, on what."""
    return heading_of_rows(title, command, [{"date": datetime.date.today().isoformat(), **report["manifest"]}])


def heading_of_rows(title, command, rows):
    dates = sorted({row["date"] for row in rows})
    machines = "; ".join(sorted({f"{row['cpu']}, LibTorch {row['libtorch']}" for row in rows}))
    return (
        f"# {title}\n\n"
        f"`{command}`, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}; {machines},\n"
        f"{rows[0]['threads']} threads for training, 1 for the compiled network, target {rows[0]['target']}.\n\n"
    )
