#include "codegen/latency/latency_store.h"

#include <algorithm>
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

constexpr const char* kFormat = "xgen measurements 1";

std::string key_of(const LayerShape& shape, const LayerVariant& variant) {
  return to_string(shape) + " | " + to_string(variant);
}

// As files hold it: in tenths of a nanosecond, and never 0.
double rounded(double us) { return std::max(1.0, std::round(1e4 * us)) / 1e4; }

}  // namespace

LatencyStore::LatencyStore(Target target, std::filesystem::path store)
    : target_(std::move(target)), store_(std::move(store)) {
  if (std::filesystem::exists(store_)) load(store_);
}

void LatencyStore::give(const std::filesystem::path& file) {
  load(file);
  save();
}

void LatencyStore::predict_by(latency::LatencyTable table) {
  model_.emplace(std::move(table), target_);
}

bool LatencyStore::measures() const { return runs_here(target_); }

const latency::FittedLatency& LatencyStore::model() {
  if (!model_) predict_by({{target_.name, target_.kernels.back(), "", ""}, {}});
  return *model_;
}

void LatencyStore::load(const std::filesystem::path& file) {
  const nlohmann::json json = load_config_json(file);
  if (!json.is_object() || json.value("format", nlohmann::json()) != kFormat ||
      !json.contains("layers_us") || !json["layers_us"].is_object()) {
    throw UserError(
        str(file.string(), ": expected measurements of layers (\"format\": \"", kFormat, "\")"));
  }
  if (json.value("target", nlohmann::json()) != target_.name) {
    throw UserError(str(file.string(), ": /target: expected \"", target_.name, "\", got ",
                        json.value("target", nlohmann::json()).dump()));
  }
  const nlohmann::json reference = json.value("reference_us", nlohmann::json(0));
  if (!reference.is_number() || reference.get<double>() < 0)
    throw UserError(
        str(file.string(), ": /reference_us: expected microseconds, got ", reference.dump()));
  const double theirs = reference.get<double>();
  if (reference_us_ == 0) reference_us_ = theirs;
  const double factor = theirs > 0 ? reference_us_ / theirs : 1;
  for (const auto& [key, value] : json["layers_us"].items()) {
    if (!value.is_number() || value.get<double>() <= 0)
      throw UserError(str(file.string(), ": /layers_us/", key,
                          ": expected microseconds above 0, got ", value.dump()));
    microseconds_[key] = factor * value.get<double>();
  }
  const auto text = [&](const char* key) {
    const nlohmann::json value = json.value(key, nlohmann::json(""));
    if (!value.is_string())
      throw UserError(str(file.string(), ": /", key, ": expected text, got ", value.dump()));
    return value.get<std::string>();
  };
  source_ = text("source");
  kernels_ = text("kernels");
  compiler_ = text("compiler");
}

void LatencyStore::save() const {
  if (store_.empty()) return;
  nlohmann::json json = {{"format", kFormat},     {"target", target_.name},
                         {"source", source_},     {"kernels", kernels_},
                         {"compiler", compiler_}, {"layers_us", microseconds_}};
  if (reference_us_ > 0) json["reference_us"] = reference_us_;
  write_atomically(store_, json.dump(1) + "\n");
}

std::size_t LatencyStore::find(const std::vector<Query>& queries,
                               const std::function<void(std::size_t, std::size_t)>& progress) {
  std::map<std::string, Query> missing;
  for (const Query& q : queries) {
    if (!knows(q.first, q.second)) missing.emplace(key_of(q.first, q.second), q);
  }
  if (missing.empty()) return 0;
  if (measures()) {
    measure(missing, progress);
  } else {
    for (const auto& [key, query] : missing)
      microseconds_[key] = rounded(model().latency_us(query.first, query.second));
    source_ = model().source();
    kernels_ = model().platform().kernels;
    compiler_ = model().platform().compiler;
  }
  save();
  if (progress) progress(missing.size(), missing.size());
  return missing.size();
}

bool LatencyStore::names_a_kernel(const std::string& name) {
  return name.starts_with("conv ") && name.find(" | ") != std::string::npos;
}

void LatencyStore::measure(const std::map<std::string, Query>& missing,
                           const std::function<void(std::size_t, std::size_t)>& progress) {
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
  const std::vector<double> times = timed_us(functions);
  std::size_t i = 0;
  for (const auto& [key, query] : missing) microseconds_[key] = rounded(times[i++]);
  kernels_ = timed.front()->model().kernels();
  source_ = str("measured with ", kernels_);
  compiler_ = CCompiler(host_compiler()).version();
}

// The least that each takes, of functions that take turns.
std::vector<double> LatencyStore::timed_us(std::vector<std::function<void()>> functions) {
  if (!reference_)
    reference_ =
        std::make_unique<latency::SpeedReference>(target_, kernels::host_isas().back()->name);
  functions.emplace_back([this] { reference_->observe(); });
  std::vector<Timing> timings = time_interleaved(functions);
  const double now_us = timings.back().min_us;
  timings.pop_back();
  if (reference_us_ == 0) reference_us_ = rounded(now_us);
  std::vector<double> times;
  for (const Timing& timing : timings) times.push_back(timing.min_us * reference_us_ / now_us);
  return times;
}

double LatencyStore::network_us(const std::string& name, const Program& program) {
  if (const auto known = recall(name)) return *known;
  double us = 0;
  if (measures()) {
    TimedModel timed(program);
    us = timed_us({[&] { timed.run(); }}).front();
  } else {
    us = model().predict(program).us;
  }
  remember({{name, us}});
  return us;
}

std::optional<double> LatencyStore::recall(const std::string& name) const {
  const auto it = microseconds_.find(name);
  if (it == microseconds_.end()) return std::nullopt;
  return it->second;
}

void LatencyStore::remember(const std::map<std::string, double>& microseconds) {
  for (const auto& [name, value] : microseconds) microseconds_[name] = rounded(value);
  if (kernels_.empty()) kernels_ = kernels::host_isas().back()->name;
  save();
}

bool LatencyStore::knows(const LayerShape& shape, const LayerVariant& variant) const {
  return microseconds_.count(key_of(shape, variant)) != 0;
}

double LatencyStore::latency_us(const LayerShape& shape, const LayerVariant& variant) const {
  const auto it = microseconds_.find(key_of(shape, variant));
  XGEN_CHECK(it != microseconds_.end(), "not measured: ", key_of(shape, variant));
  return it->second;
}

std::string LatencyStore::source() const {
  return source_.empty() ? str("measured with ", kernels_) : source_;
}

}  // namespace xgen
