#include "cli/run/plan.h"

#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "cli/run/check_stages.h"
#include "cli/run/forecast.h"
#include "cli/run/limits.h"
#include "cli/run/run_context.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/ir/one_image.h"
#include "core/log.h"
#include "prune/algorithms/algorithm.h"
#include "prune/rates.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// Seconds of one training step: the second of two, since the first one allocates.
double time_step(RunContext& run, const ir::Graph& graph, std::int64_t batch_size) {
  train::GraphModule module(graph, run.device());
  module.train();
  const torch::Tensor images = torch::zeros({batch_size, run.data().train.channels(),
                                             run.data().train.height(), run.data().train.width()});
  double seconds = 0;
  for (int i = 0; i < 2; ++i) {
    const auto start = std::chrono::steady_clock::now();
    module.forward(images).sum().backward();
    if (run.device().is_cuda()) torch::cuda::synchronize();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return seconds;
}

std::int64_t resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

struct Work {
  std::int64_t epochs = 0;
  std::int64_t batch_size = 128;
};

Work work_of(const Stage& stage) {
  if (const auto* s = std::get_if<TrainStage>(&stage)) return {s->epochs, s->training.batch_size};
  if (const auto* s = std::get_if<PruneStage>(&stage))
    return {s->fine_tune.epochs + (prune::trains(s->algorithm.name) ? s->algorithm.epochs : 0),
            s->fine_tune.training.batch_size};
  if (const auto* s = std::get_if<QuantizeStage>(&stage)) {
    if (s->qat) return {s->qat->epochs, s->qat->training ? s->qat->training->batch_size : 128};
  }
  return {};
}

}  // namespace

json make_plan(const LoadedConfig& loaded) {
  // A folder of its own: a plan leaves the run's folder alone.
  std::string pattern = (std::filesystem::temp_directory_path() / "xgen-plan-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw UserError(::xgen::str(pattern, ": cannot make a temporary folder"));
  const std::filesystem::path folder = pattern;
  struct Remove {
    std::filesystem::path path;
    ~Remove() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } remove{folder};
  RunOptions options;
  options.output = folder / "run";
  options.builds_table = false;
  RunContext run(loaded, options);
  const ir::Graph graph = initial_model(run).graph;
  check_prune_stages(loaded, graph);
  check_memory_before(run, graph);

  json plan = {{"name", loaded.config.name},
               {"samples", run.report()["samples"]},
               {"stages", json::array()}};
  double total = 0;
  for (const Stage& stage : loaded.config.stages) {
    json row = {{"name", name_of(stage)}, {"kind", kind_of(stage)}};
    const Work work = work_of(stage);
    if (work.epochs > 0) {
      // With the simulation of integers a step takes about twice as long.
      const double factor = std::get_if<QuantizeStage>(&stage) != nullptr ? 2 : 1;
      const std::int64_t batch = std::min(work.batch_size, run.data().train.size());
      const double seconds = factor * time_step(run, graph, batch) *
                             static_cast<double>(run.data().train.size()) /
                             static_cast<double>(batch) * static_cast<double>(work.epochs);
      row["epochs"] = work.epochs;
      row["seconds"] = seconds;
      total += seconds;
    }
    if (const auto* prune = std::get_if<PruneStage>(&stage)) {
      const auto layers = prune::layers_of(ir::for_one_image(graph), prune->exclude);
      json rows = json::array();
      prune::Rates rates;  // none where only the run itself can choose them
      const bool chosen_later =
          prune->rates.from_requirements || prune->scheme == "auto" || prune->scheme == "channel";
      if (!chosen_later) rates = wanted_rates(loaded, *prune, layers);
      for (const prune::Layer& layer : layers) {
        json entry = {{"node", layer.node},
                      {"macs", layer.macs},
                      {"prunable", layer.prunable},
                      {"reason", layer.reason}};
        if (rates.count(layer.weight) != 0) entry["rate"] = rates[layer.weight];
        rows.push_back(entry);
      }
      row["layers"] = rows;
    }
    plan["stages"].push_back(row);
  }
  plan["seconds"] = total;
  plan["memory_bytes"] = resident_bytes();
  plan["measures_here"] = runs_here(run.target());
  if (can_forecast(run.config(), run.config().stages.size())) {
    plan["forecast"] = forecast(run, graph);
    plan["notes"] = run.report()["notes"];
    if (run.predictions().is_estimate() && plan["measures_here"] &&
        run.config().latency_table.empty() && run.config().latency_build_minutes > 0)
      plan["seconds_of_latency_build"] = 60 * run.config().latency_build_minutes;
  }
  return plan;
}

std::string plan_text(const json& plan) {
  std::string text =
      ::xgen::str(plan["name"].get<std::string>(), ": ", plan["samples"]["train"].dump(),
                  " training, ", plan["samples"]["validation"].dump(), " validation, ",
                  plan["samples"]["test"].dump(), " test samples\n");
  char line[256];
  for (const json& stage : plan["stages"]) {
    std::snprintf(line, sizeof line, "  %-12s %-9s %s\n", stage["name"].get<std::string>().c_str(),
                  stage["kind"].get<std::string>().c_str(),
                  stage.contains("seconds")
                      ? ::xgen::str(stage["epochs"].dump(), " epochs, about ",
                                    log::duration_text(stage["seconds"].get<double>()))
                            .c_str()
                      : "");
    text += line;
    for (const json& layer : stage.value("layers", json::array())) {
      const std::string what = layer.contains("rate")
                                   ? ::xgen::str("divided by ", layer["rate"].dump())
                                   : layer["reason"].get<std::string>();
      std::snprintf(line, sizeof line, "    %-40s %12s MACs  %s\n",
                    layer["node"].get<std::string>().c_str(), layer["macs"].dump().c_str(),
                    what.c_str());
      text += line;
    }
  }
  std::snprintf(line, sizeof line, "about %s of training, %.0f MB of memory\n",
                log::duration_text(plan["seconds"].get<double>()).c_str(),
                plan["memory_bytes"].get<double>() / 1e6);
  text += line;
  if (plan.contains("forecast")) text += plan["forecast"]["text"].get<std::string>() + "\n";
  if (plan.contains("seconds_of_latency_build"))
    text += ::xgen::str("the run first measures a latency table of this machine: ",
                        log::duration_text(plan["seconds_of_latency_build"].get<double>()), "\n");
  return text;
}

}  // namespace xgen::cli
