#include "codegen/latency/measured_latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "codegen/compile.h"
#include "codegen/kernels/isa.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/runtime/c_compiler.h"
#include "codegen/runtime/host_model.h"
#include "codegen/targets.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/error.h"

namespace xgen {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Half the width of the middle half, relative to the median.
double relative_spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[3 * n / 4] - values[n / 4]) / 2 / values[n / 2];
}

// How many calls make a sample long enough for the clock.
int calls_for(const std::function<void()>& function) {
  function();
  const auto start = Clock::now();
  function();
  const double once = std::max(0.05, microseconds_since(start));
  return std::clamp(static_cast<int>(100.0 / once), 1, 1000);
}

// A layer's model, loaded, with its buffers.
struct Timed {
  explicit Timed(const Program& program) : model(HostModel::build(program)) {
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      if (program.steps[i].op == "Conv") step = static_cast<int>(i);
    }
    for (const TensorInfo& t : model.inputs()) {
      inputs.emplace_back(static_cast<std::size_t>(ir::element_count(t.shape)) *
                          ir::size_of(t.dtype));
    }
    for (const TensorInfo& t : model.outputs()) {
      outputs.emplace_back(static_cast<std::size_t>(ir::element_count(t.shape)) *
                           ir::size_of(t.dtype));
    }
    for (auto& b : inputs) in.push_back(b.data());
    for (auto& b : outputs) out.push_back(b.data());
    model.run_raw(in.data(), out.data());
  }
  void run() { model.run_step(step, in.data(), out.data()); }

  HostModel model;
  int step = 0;
  std::vector<std::vector<std::byte>> inputs, outputs;
  std::vector<const void*> in;
  std::vector<void*> out;
};

std::string key_of(const LayerShape& shape, const LayerVariant& variant) {
  return to_string(shape) + " | " + to_string(variant);
}

}  // namespace

std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& functions,
                                     int min_rounds, int max_rounds, double spread) {
  std::vector<int> calls;
  std::vector<std::vector<double>> samples(functions.size());
  for (const auto& f : functions) calls.push_back(calls_for(f));
  for (int round = 0; round < max_rounds; ++round) {
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const auto start = Clock::now();
      for (int c = 0; c < calls[i]; ++c) functions[i]();
      samples[i].push_back(microseconds_since(start) / calls[i]);
    }
    if (round + 1 < min_rounds) continue;
    if (std::all_of(samples.begin(), samples.end(),
                    [&](const auto& s) { return relative_spread(s) < spread; }))
      break;
  }
  std::vector<Timing> timings;
  for (auto& s : samples) {
    std::sort(s.begin(), s.end());
    timings.push_back({s[s.size() / 2], s[s.size() * 95 / 100], s.front()});
  }
  return timings;
}

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
  std::vector<std::unique_ptr<Timed>> timed;
  std::vector<std::function<void()>> functions;
  for (const auto& [key, query] : missing) {
    if (progress) progress(timed.size(), missing.size());
    timed.push_back(std::make_unique<Timed>(
        lower::lower(latency::single_layer(query.first, query.second), lowering_for(target_))));
    functions.emplace_back([t = timed.back().get()] { t->run(); });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  kernels_ = timed.front()->model.kernels();
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
