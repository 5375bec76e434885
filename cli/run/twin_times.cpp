#include "cli/run/twin_times.h"

#include "cli/run/layer_latency.h"
#include "codegen/compile.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

std::string key_of(const std::string& pair, const char* which, const std::string& node) {
  return str(pair, " ", which, " ", node);
}

latency::LayerTwinTimes recalled(RunContext& run, const std::string& pair,
                                 const Program& compressed) {
  latency::LayerTwinTimes times;
  for (const Step& step : compressed.steps) {
    const auto mine = run.latency().recall(key_of(pair, "compressed", step.name));
    const auto twin = run.latency().recall(key_of(pair, "dense", step.name));
    if (mine && twin) times[step.name] = {*mine, *twin};
  }
  return times;
}

}  // namespace

latency::LayerTwinTimes twin_times(RunContext& run, const std::string& name,
                                   const Program& compressed, const Program& dense,
                                   const std::function<latency::LayerTwinTimes()>& measure) {
  const std::string pair = run.of_round(name);
  if (const auto known = recalled(run, pair, compressed); !known.empty()) return known;
  const latency::LayerTwinTimes found =
      run.latency().measures() ? measure()
                               : latency::predict_twins(compressed, dense, run.latency().model());
  std::map<std::string, double> fresh;
  for (const auto& [node, layer] : found) {
    fresh[key_of(pair, "compressed", node)] = layer.compressed_us;
    fresh[key_of(pair, "dense", node)] = layer.dense_us;
  }
  run.latency().remember(fresh);
  return recalled(run, pair, compressed);
}

latency::LayerTwinTimes losers_of_network(RunContext& run, const std::string& name,
                                          const ir::Graph& masked, bool int8) {
  CompileOptions options;
  options.target = run.target();
  const CompiledModel model = compile(deployed_form(run, masked, int8), options);
  const Program dense = lower_dense(model, nullptr);
  const latency::LayerTwinTimes times = twin_times(run, name, model.program, dense, [&] {
    TimedModel compressed_model(model.program), dense_model(dense);
    return latency::time_twins({model.program, compressed_model}, {dense, dense_model});
  });
  latency::LayerTwinTimes lost;
  for (const std::string& node : latency::losers(model.program, times)) lost[node] = times.at(node);
  return lost;
}

std::string text_of_loser(const latency::TwinTimes& times) {
  return str("in the network its pruned kernel takes ", times.compressed_us, " us, its dense one ",
             times.dense_us, " us");
}

}  // namespace xgen::cli
