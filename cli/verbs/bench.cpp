#include <algorithm>

#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/latency/ceiling.h"
#include "codegen/latency/step_times.h"
#include "codegen/latency/timing.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::vector<std::string> models, dims;
  int threads = 1, runs = 101;
  bool per_layer = false, json = false;
  std::string kernels;
};

struct Benched {
  std::string path;
  std::string kernels;
  int batch = 1;
  std::vector<StepInfo> steps;
  TimedModel timed;
};

// All models in turn, `runs` rounds at most; fewer once the medians are stable.
std::vector<Timing> time_models(std::vector<Benched>& models, int runs) {
  std::vector<std::function<void()>> functions;
  for (Benched& b : models) functions.emplace_back([&b] { b.timed.run(); });
  return time_interleaved(functions, std::min(11, runs), runs, 0.01);
}

json layer_rows(Benched& b, int runs, const latency::Ceiling& ceiling) {
  const std::vector<double> times =
      time_steps({&b.timed}, std::min(11, runs), std::min(31, runs)).front().step_us;
  json rows = json::array();
  for (const LayerCalls& layer : by_layer(b.steps)) {
    const StepInfo& step = layer.info;
    double ms = 0;
    for (const std::size_t i : layer.steps) ms += 1e-3 * times.at(i);
    const double gflops = 2e-6 * static_cast<double>(step.macs) / ms;
    const bool integer = step.kernel.find("_i8") != std::string::npos;
    const double top = integer ? ceiling.int8 : ceiling.fp32;
    rows.push_back({{"name", step.name},
                    {"op", step.op},
                    {"kernel", step.kernel},
                    {"sizes", step.sizes},
                    {"scheme", step.scheme},
                    {"macs", step.macs},
                    {"ms", ms},
                    {"gflops", gflops},
                    {"ceiling_share", top > 0 ? 1e9 * gflops / top : 0.0}});
  }
  return rows;
}

std::string text_of(const json& result) {
  Table models({"<model", "<kernels", "median ms", "p95 ms", "min ms"});
  for (const json& m : result["models"])
    models.add({m["path"], m["kernels"], fixed_text(m["median_ms"], 4), fixed_text(m["p95_ms"], 4),
                fixed_text(m["min_ms"], 4)});
  std::string text = models.text();
  for (const json& m : result["models"]) {
    if (!m.contains("layers")) continue;
    Table layers({"<layer", "<op", "<kernel", "<scheme", "ms", "GFLOP/s", "of ceiling", "<sizes"});
    for (const json& l : m["layers"]) {
      const double share = l["ceiling_share"];
      layers.add({l["name"], l["op"], l["kernel"], l["scheme"], fixed_text(l["ms"], 4),
                  l["macs"].get<std::int64_t>() > 0 ? fixed_text(l["gflops"], 1) : "",
                  share > 0 ? fixed_text(100 * share, 0) + " %" : "", l["sizes"]});
    }
    text += "\n" + m["path"].get<std::string>() + "\n" + layers.text(2);
  }
  return text;
}

json bench(const Arguments& args) {
  check_threads(args.threads);
  const OpenOptions options{parse_dims(args.dims), args.kernels};
  std::vector<Benched> models;
  for (const std::string& path : args.models) {
    OpenModel open = open_model(path, options);
    models.push_back(
        {path, open.kernels_text(), open.batch, open.steps, TimedModel(std::move(open.model))});
  }
  const std::vector<Timing> timings = time_models(models, args.runs);
  const latency::Ceiling ceiling = args.per_layer ? latency::measure_ceiling() : latency::Ceiling{};
  json rows = json::array();
  for (std::size_t i = 0; i < models.size(); ++i) {
    rows.push_back({{"path", models[i].path},
                    {"kernels", models[i].kernels},
                    {"batch", models[i].batch},
                    {"memory_bytes", models[i].timed.model().memory_bytes()},
                    {"median_ms", 1e-3 * timings[i].median_us},
                    {"p95_ms", 1e-3 * timings[i].p95_us},
                    {"min_ms", 1e-3 * timings[i].min_us}});
    if (args.per_layer) rows.back()["layers"] = layer_rows(models[i], args.runs, ceiling);
  }
  return {{"threads", 1},
          {"ceiling_gflops", {{"fp32", 1e-9 * ceiling.fp32}, {"int8", 1e-9 * ceiling.int8}}},
          {"models", rows}};
}

}  // namespace

void add_bench(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "bench", "Times the generated kernels of models, in turn: median, 95th percentile, minimum.");
  verb->add_option("models", args->models, "ONNX files, bundles, or folders of runs.")->required();
  verb->add_option("--threads", args->threads, "Threads; 1 is what the kernels use.")
      ->capture_default_str();
  verb->add_option("--runs", args->runs, "Rounds at most; fewer once the medians are stable.")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_flag("--per-layer", args->per_layer,
                 "Time every kernel call as well, with GFLOP/s and the share of what a core can "
                 "do.");
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_option("--kernels", args->kernels,
                   "Instruction set, such as scalar or x86-avx2; the best of this machine if not "
                   "given.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] {
    const json result = bench(*args);
    if (args->json)
      print_json(result);
    else
      std::cout << text_of(result);
  });
}

}  // namespace xgen::cli
