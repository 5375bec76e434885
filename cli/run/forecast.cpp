#include "cli/run/forecast.h"

#include <torch/torch.h>

#include <algorithm>

#include "cli/run/layer_latency.h"
#include "cli/run/mapping.h"
#include "codegen/compile.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/ir/one_image.h"
#include "core/log.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

template <class S>
const S* find_stage(const RunConfig& config) {
  for (const Stage& stage : config.stages) {
    if (const auto* s = std::get_if<S>(&stage)) return s;
  }
  return nullptr;
}

bool removes_channels(const RunConfig& config) {
  return std::any_of(config.stages.begin(), config.stages.end(), [](const Stage& stage) {
    const auto* prune = std::get_if<PruneStage>(&stage);
    return prune != nullptr && prune->scheme == "channel";
  });
}

std::string ms(double us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g ms", 1e-3 * us);
  return text;
}

// The requirement on time that is predicted to be the tighter one.
struct WantedTime {
  std::string name, text;
  double us = 0;
};

// @param dense_us  of the dense network in fp32.
WantedTime wanted_time(const Requirements& requirements, double dense_us) {
  const double share_us = requirements.latency_share_max.value_or(0) * dense_us;
  if (const auto& most = requirements.latency_ms_max;
      most && !(requirements.latency_share_max && share_us < 1e3 * *most))
    return {"latency_ms_max", "wanted are at most " + ms(1e3 * *most), 1e3 * *most};
  return {"latency_share_max",
          ::xgen::str("wanted are at most ", *requirements.latency_share_max, " of ", ms(dense_us),
                      " that the dense network is predicted to take in fp32, ", ms(share_us)),
          share_us};
}

}  // namespace

bool can_forecast(const RunConfig& config, std::size_t end) {
  return (config.requirements.latency_ms_max || config.requirements.latency_share_max) &&
         std::any_of(config.stages.begin(),
                     config.stages.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Stage& s) { return std::holds_alternative<CompileStage>(s); });
}

json forecast(RunContext& run, const ir::Graph& initial) {
  const RunConfig& config = run.config();
  const latency::FittedLatency& model = run.predictions();
  const bool int8 = find_stage<QuantizeStage>(config) != nullptr;
  CompileOptions options;
  options.target = run.target();
  options.batch = find_stage<CompileStage>(config)->batch;
  latency::Prediction dense;
  WantedTime wanted;
  try {
    const auto predicted = [&](bool in_int8) {
      return model.predict(compile(deployed_form(run, initial, in_int8), options).program);
    };
    dense = predicted(int8);
    const bool by_share = config.requirements.latency_share_max.has_value();
    wanted = wanted_time(config.requirements, by_share && int8 ? predicted(false).us : dense.us);
  } catch (const UserError& error) {  // such as a layer that the quantize stage leaves out
    return {{"met", "unknown"},
            {"text", ::xgen::str("latency: nothing can be said of it yet: ", error.what())}};
  }
  json result = {{"wanted_ms", 1e-3 * wanted.us},  {"dense_ms", 1e-3 * dense.us},
                 {"low_ms", 1e-3 * dense.low_us},  {"high_ms", 1e-3 * dense.high_us},
                 {"type", int8 ? "int8" : "fp32"}, {"source", model.source()}};
  std::string text =
      ::xgen::str(wanted.name, ": ", wanted.text, "; as it is the network is predicted to ",
                  "take ", ms(dense.us), " (", ms(dense.low_us), " to ", ms(dense.high_us), ") in ",
                  int8 ? "int8" : "fp32");
  const auto* prune = find_stage<PruneStage>(config);
  std::string met = "unknown";
  if (dense.us <= wanted.us) {
    met = "dense";
  } else if (prune != nullptr && !removes_channels(config)) {
    const double least = std::max(
        0.0, dense.us - options.batch * most_saved_us(model, *prune, ir::for_one_image(initial)));
    result["least_ms"] = 1e-3 * least;
    met = least <= wanted.us ? "pruned" : "never";
    text += ::xgen::str(", with masks at their highest rates ", ms(least));
    if (met == "never") text += ", so that the limit is out of reach";
  }
  result["met"] = met;
  result["text"] = ::xgen::str(text, "; ", model.source());
  return result;
}

void say_forecast(RunContext& run, const ir::Graph& initial) {
  const std::filesystem::path file = run.folder() / "checkpoints" / "forecast.json";
  if (!std::filesystem::exists(file)) write_atomically(file, forecast(run, initial).dump(2) + "\n");
  const json said = load_config_json(file);
  run.report()["forecast"] = said;
  run.note(said["text"]);
}

}  // namespace xgen::cli
