#include "codegen/latency/measured_latency.h"

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "codegen/compile.h"
#include "codegen/kernels/isa.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"
#include "codegen/runtime/c_compiler.h"
#include "codegen/targets.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/error.h"

namespace xgen {

namespace {

std::string key_of(const LayerShape& shape, const LayerVariant& variant) {
  return to_string(shape) + " | " + to_string(variant);
}

}  // namespace

MeasuredLatency::MeasuredLatency(Target target, std::filesystem::path store)
    : target_(std::move(target)), store_(std::move(store)) {
  if (std::filesystem::exists(store_)) load(store_);
}

void MeasuredLatency::give(const std::filesystem::path& file) {
  load(file);
  save();
}

void MeasuredLatency::load(const std::filesystem::path& file) {
  const nlohmann::json json = load_config_json(file);
  if (!json.is_object() || json.value("format", "") != "xgen measurements 1" ||
      !json.contains("layers_us") || !json["layers_us"].is_object()) {
    throw UserError(str(file.string(),
                        ": expected measurements of layers (\"format\": \"xgen measurements 1\")"));
  }
  if (json.value("target", "") != target_.name) {
    throw UserError(str(file.string(), ": /target: expected \"", target_.name, "\", got ",
                        json.value("target", nlohmann::json()).dump()));
  }
  for (const auto& [key, value] : json["layers_us"].items()) {
    if (!value.is_number() || value.get<double>() <= 0)
      throw UserError(str(file.string(), ": /layers_us/", key,
                          ": expected microseconds above 0, got ", value.dump()));
    microseconds_[key] = value.get<double>();
  }
  kernels_ = json.value("kernels", "");
  compiler_ = json.value("compiler", "");
}

void MeasuredLatency::save() const {
  if (store_.empty()) return;
  const nlohmann::json json = {{"format", "xgen measurements 1"},
                               {"target", target_.name},
                               {"kernels", kernels_},
                               {"compiler", compiler_},
                               {"layers_us", microseconds_}};
  write_atomically(store_, json.dump(1) + "\n");
}

void MeasuredLatency::measure(const std::vector<Query>& queries,
                              const std::function<void(std::size_t, std::size_t)>& progress) {
  std::map<std::string, Query> missing;
  for (const Query& q : queries) {
    if (!knows(q.first, q.second)) missing.emplace(key_of(q.first, q.second), q);
  }
  if (missing.empty()) return;
  if (!runs_here(target_))
    throw UserError(str("target \"", target_.name,
                        "\": its kernels do not run on this machine, so nothing can be measured; "
                        "give --measurements FILE"));
  std::vector<std::unique_ptr<TimedModel>> timed;
  std::vector<std::function<void()>> functions;
  for (const auto& [key, query] : missing) {
    if (progress) progress(timed.size(), missing.size());
    const Program program =
        lower::lower(latency::single_layer(query.first, query.second), lowering_for(target_));
    timed.push_back(std::make_unique<TimedModel>(program));
    functions.emplace_back([model = timed.back().get(), step = latency::layer_step(program)] {
      model->run_step(step);
    });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  kernels_ = timed.front()->model().kernels();
  compiler_ = CCompiler(host_compiler()).version();
  std::size_t i = 0;
  for (const auto& [key, query] : missing)
    microseconds_[key] = std::round(1e4 * timings[i++].median_us) / 1e4;
  save();
  if (progress) progress(missing.size(), missing.size());
}

std::optional<double> MeasuredLatency::recall(const std::string& name) const {
  const auto it = microseconds_.find(name);
  if (it == microseconds_.end()) return std::nullopt;
  return it->second;
}

void MeasuredLatency::remember(const std::map<std::string, double>& microseconds) {
  for (const auto& [name, value] : microseconds)
    microseconds_[name] = std::round(1e4 * value) / 1e4;
  if (kernels_.empty()) kernels_ = kernels::host_isas().back()->name;
  save();
}

bool MeasuredLatency::knows(const LayerShape& shape, const LayerVariant& variant) const {
  return microseconds_.count(key_of(shape, variant)) != 0;
}

double MeasuredLatency::latency_us(const LayerShape& shape, const LayerVariant& variant) const {
  const auto it = microseconds_.find(key_of(shape, variant));
  XGEN_CHECK(it != microseconds_.end(), "not measured: ", key_of(shape, variant));
  return it->second;
}

std::string MeasuredLatency::source() const { return str("measured with ", kernels_); }

}  // namespace xgen
