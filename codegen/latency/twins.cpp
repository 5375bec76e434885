#include "codegen/latency/twins.h"

#include <vector>

#include "codegen/latency/step_times.h"

namespace xgen::latency {

namespace {

// By node: the steps of each convolution, which may be computed in parts.
std::map<std::string, std::vector<std::size_t>> convolutions(const Program& program) {
  std::map<std::string, std::vector<std::size_t>> steps;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].op == "Conv") steps[program.steps[i].name].push_back(i);
  }
  return steps;
}

// `compressed_us(step)` and `dense_us(step)` tell the times of a program's steps.
template <class CompressedUs, class DenseUs>
LayerTwinTimes twin_times(const Program& compressed, const Program& dense,
                          CompressedUs compressed_us, DenseUs dense_us) {
  LayerTwinTimes times;
  const auto dense_steps = convolutions(dense);
  for (const auto& [node, steps] : convolutions(compressed)) {
    const auto twin = dense_steps.find(node);
    if (twin == dense_steps.end()) continue;
    for (const std::size_t step : steps) times[node].compressed_us += compressed_us(step);
    for (const std::size_t step : twin->second) times[node].dense_us += dense_us(step);
  }
  return times;
}

}  // namespace

LayerTwinTimes time_twins(Twin compressed, Twin dense) {
  const std::vector<StepTimes> timings = time_steps({&compressed.model, &dense.model});
  return twin_times(
      compressed.program, dense.program, [&](std::size_t step) { return timings[0].step_us[step]; },
      [&](std::size_t step) { return timings[1].step_us[step]; });
}

LayerTwinTimes predict_twins(const Program& compressed, const Program& dense,
                             const FittedLatency& model) {
  const std::vector<Prediction> of_compressed = model.predict_steps(compressed),
                                of_dense = model.predict_steps(dense);
  return twin_times(
      compressed, dense, [&](std::size_t step) { return of_compressed[step].us; },
      [&](std::size_t step) { return of_dense[step].us; });
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
