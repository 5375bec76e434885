#include "cli/run/limits.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>

#include "cli/run/layer_latency.h"
#include "codegen/compile.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What the next measurement may differ by: limits of time are met with so much to spare.
constexpr double kClock = 0.98;

[[noreturn]] void refuse_memory(RunContext& run, double most, double needed,
                                const std::string& which) {
  run.report()["requirements"] = {
      {{"name", "peak_ram_bytes_max"}, {"wanted", most}, {"got", needed}, {"met", false}}};
  throw RequirementsError(::xgen::str("peak_ram_bytes_max: wanted at most ", most, ", the ", which,
                                      " needs ", needed, "; masks save no memory, channels do"));
}

bool has_stage(const RunConfig& config, const std::function<bool(const Stage&)>& is) {
  return std::any_of(config.stages.begin(), config.stages.end(), is);
}

}  // namespace

Limits limits_of(const RunContext& run, const PruneStage& stage, double all_conv_macs,
                 double open_conv_macs, const std::function<double()>& dense_us) {
  Limits limits;
  const auto add = [&](double prune::Cost::*of, const char* name, double wanted, double unit,
                       double most) {
    limits.limits.push_back({of, most});
    limits.names.emplace_back(name);
    limits.wanted.push_back(wanted);
    limits.unit.push_back(unit);
  };
  if (const auto& fewer = stage.rates.conv_macs_divided_by) {
    add(&prune::Cost::conv_macs, "rates/conv_macs_divided_by", *fewer, 1,
        all_conv_macs / *fewer - (all_conv_macs - open_conv_macs));
    return limits;
  }
  const Goal& goal = run.goal();
  const double whole_us = goal.latency_share ? dense_us() : 0;
  const double share_us = whole_us * goal.latency_share.value_or(0);
  if (goal.latency_share && !(goal.latency_ms && 1e3 * *goal.latency_ms < share_us))
    add(&prune::Cost::latency_us, "latency_share_max", *goal.latency_share, whole_us,
        kClock * share_us);
  else if (goal.latency_ms)
    add(&prune::Cost::latency_us, "latency_ms_max", *goal.latency_ms, 1e3,
        1e3 * kClock * *goal.latency_ms);
  if (goal.size_bytes)
    add(&prune::Cost::bytes, "size_bytes_max", *goal.size_bytes, 1, *goal.size_bytes);
  return limits;
}

void refuse(RunContext& run, const Limits& limits, const prune::Cost& fixed,
            const prune::ChosenRates& chosen) {
  run.report()["requirements"] = json::array();
  std::string text;
  for (std::size_t i = 0; i < limits.limits.size(); ++i) {
    if (chosen.binding && *chosen.binding != i) continue;
    const double got = chosen.chosen.cost.*limits.limits[i].of / limits.unit[i];
    if (limits.limits[i].of == &prune::Cost::conv_macs)
      throw UserError(::xgen::str(limits.names[i], ": ", limits.wanted[i],
                                  " cannot be reached by layers whose pruned kernels win time"));
    run.report()["requirements"].push_back({{"name", limits.names[i]},
                                            {"wanted", limits.wanted[i]},
                                            {"got", got},
                                            {"met", got <= limits.wanted[i]}});
    text += ::xgen::str(text.empty() ? "" : "; ", limits.names[i], ": wanted at most ",
                        limits.wanted[i], ", the least is predicted to be ", got, ", of which ",
                        fixed.*limits.limits[i].of / limits.unit[i], " cannot be pruned");
  }
  throw RequirementsError(
      ::xgen::str(text, chosen.binding ? "" : "; each could be met alone, not both"));
}

void check_memory_before(RunContext& run, const ir::Graph& initial) {
  const auto& most = run.config().requirements.peak_ram_bytes_max;
  const auto removes_channels = [](const Stage& stage) {
    const auto* prune = std::get_if<PruneStage>(&stage);
    return prune != nullptr && prune->scheme == "channel";
  };
  const auto quantizes = [](const Stage& s) { return std::holds_alternative<QuantizeStage>(s); };
  if (!most || has_stage(run.config(), removes_channels)) return;
  CompileOptions options;
  options.target = run.target();
  const auto needed = static_cast<double>(
      compile(deployed_form(run, initial, has_stage(run.config(), quantizes)), options)
          .program.memory_bytes());
  if (needed > *most) refuse_memory(run, *most, needed, "network");
}

void check_memory(RunContext& run, double memory_bytes) {
  const auto& most = run.config().requirements.peak_ram_bytes_max;
  if (most && memory_bytes > *most) refuse_memory(run, *most, memory_bytes, "pruned network");
}

}  // namespace xgen::cli
