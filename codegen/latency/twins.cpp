#include "codegen/latency/twins.h"

#include <vector>

#include "codegen/latency/step_times.h"

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
  const std::vector<StepTimes> timings = time_steps({&compressed.model, &dense.model});
  LayerTwinTimes times;
  const std::map<std::string, int> dense_steps = convolutions(dense.program);
  for (const auto& [node, step] : convolutions(compressed.program)) {
    const auto twin = dense_steps.find(node);
    if (twin == dense_steps.end()) continue;
    times[node] = {timings[0].step_us[static_cast<std::size_t>(step)],
                   timings[1].step_us[static_cast<std::size_t>(twin->second)]};
  }
  return times;
}

LayerTwinTimes predict_twins(const Program& compressed, const Program& dense,
                             const FittedLatency& model) {
  LayerTwinTimes times;
  const std::map<std::string, int> dense_steps = convolutions(dense);
  const std::vector<Prediction> of_compressed = model.predict_steps(compressed),
                                of_dense = model.predict_steps(dense);
  for (const auto& [node, step] : convolutions(compressed)) {
    const auto twin = dense_steps.find(node);
    if (twin == dense_steps.end()) continue;
    times[node] = {of_compressed[static_cast<std::size_t>(step)].us,
                   of_dense[static_cast<std::size_t>(twin->second)].us};
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
