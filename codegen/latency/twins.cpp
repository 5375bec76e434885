#include "codegen/latency/twins.h"

#include <functional>
#include <vector>

#include "codegen/latency/timing.h"

namespace xgen::latency {

namespace {

// By node: the step of each convolution.
std::map<std::string, int> convolutions(const Program& program) {
  std::map<std::string, int> steps;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].op == "Conv") steps[program.steps[i].name] = static_cast<int>(i);
  }
  return steps;
}

}  // namespace

LayerTwinTimes time_twins(Twin compressed, Twin dense) {
  LayerTwinTimes times;
  std::vector<std::function<void()>> functions;
  const std::map<std::string, int> dense_steps = convolutions(dense.program);
  for (const auto& [node, step] : convolutions(compressed.program)) {
    const auto twin = dense_steps.find(node);
    if (twin == dense_steps.end()) continue;
    times[node] = {};
    functions.emplace_back([&model = compressed.model, at = step] { model.run_step(at); });
    functions.emplace_back([&model = dense.model, at = twin->second] { model.run_step(at); });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  std::size_t i = 0;
  for (auto& [node, layer] : times) {
    layer = {timings[i].median_us, timings[i + 1].median_us};
    i += 2;
  }
  return times;
}

LayerTwinTimes predict_twins(const Program& compressed, const Program& dense,
                             const FittedLatency& model) {
  LayerTwinTimes times;
  const std::map<std::string, int> dense_steps = convolutions(dense);
  for (const auto& [node, step] : convolutions(compressed)) {
    const auto twin = dense_steps.find(node);
    if (twin == dense_steps.end()) continue;
    times[node] = {model.predict(compressed, step).us, model.predict(dense, twin->second).us};
  }
  return times;
}

std::set<std::string> losers(const Program& program, const LayerTwinTimes& times) {
  std::set<std::string> nodes;
  for (const Step& step : program.steps) {
    const auto found = times.find(step.name);
    if (step.scheme != "dense" && found != times.end() &&
        found->second.compressed_us >= found->second.dense_us)
      nodes.insert(step.name);
  }
  return nodes;
}

}  // namespace xgen::latency
