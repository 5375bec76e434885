#include "cli/run/rates_from_latency.h"

#include <torch/torch.h>

#include <algorithm>

#include "cli/run/layer_latency.h"
#include "codegen/compile.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "core/error.h"
#include "core/log.h"
#include "prune/masks.h"
#include "prune/plan.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What a layer may be divided by. Patterns of four taps start at 9/4.
const std::vector<double> kRates = {1.5, 2.25, 3, 4, 6, 9, 13};
constexpr std::int64_t kScanSamples = 1000;
// A prediction per layer leaves out what lies between layers; the wish is met with this to spare.
constexpr double kSafety = 0.97;

// Of the compiled graph; measured once, then remembered under `name`.
double dense_latency_us(RunContext& run, const ir::Graph& graph, const std::string& name) {
  if (const auto known = run.latency().recall(name)) return *known;
  CompileOptions options;
  options.target = run.target();
  options.use_sparsity = false;
  TimedModel model(compile(graph, options).program);
  const double us = time_interleaved({[&] { model.run(); }}).front().median_us;
  run.latency().remember({{name, us}});
  return us;
}

train::Dataset scan_samples(const RunContext& run) {
  const train::Dataset& data = run.validation();
  const std::int64_t count = std::min(kScanSamples, data.size());
  return data.subset(
      train::stratified_positions(data, count, Random(run.config().seed).stream("sensitivity")));
}

struct Option {
  double rate;
  prune::Constraint constraint;
};

// The distinct ways to prune a layer.
std::vector<Option> options_of(const prune::Layer& layer, const PruneStage& stage) {
  std::vector<Option> options;
  for (const double rate : kRates) {
    const prune::Constraint c = prune::constraint_of(layer, rate, stage);
    const auto same = [&](const Option& o) { return o.constraint == c; };
    if (std::none_of(options.begin(), options.end(), same)) options.push_back({rate, c});
  }
  return options;
}

}  // namespace

LatencyChoice rates_from_latency(RunContext& run, const PruneStage& stage, const ir::Graph& graph,
                                 const ir::Graph& image, const std::vector<prune::Layer>& layers) {
  const bool int8 = stage.final_type == "int8";
  std::vector<prune::Layer> candidates;
  std::copy_if(layers.begin(), layers.end(), std::back_inserter(candidates),
               [](const prune::Layer& l) { return l.prunable && !(l.is_output && !l.is_conv()); });

  std::vector<MeasuredLatency::Query> queries;
  for (const prune::Layer& layer : candidates) {
    const LayerShape shape = latency_shape(image, layer, int8);
    queries.emplace_back(shape, LayerVariant{});
    for (const Option& option : options_of(layer, stage))
      queries.emplace_back(shape, latency_variant(layer, option.constraint));
  }
  log::info(::xgen::str("timing generated kernels: ", queries.size(), " variants of ",
                        candidates.size(), " layers"));
  run.latency().measure(queries);

  // The scan: each layer pruned alone, at once, without training.
  const train::Dataset samples = scan_samples(run);
  train::GraphModule module(graph, run.device());
  const prune::Params params = params_of(module);
  const double loss = train::evaluate(module, samples, run.config().data.normalize).loss;
  std::vector<prune::RateTable> tables;
  double dense_total = 0;
  log::Progress progress("sensitivity", static_cast<std::int64_t>(candidates.size()), "layers");
  for (const prune::Layer& layer : candidates) {
    const LayerShape shape = latency_shape(image, layer, int8);
    prune::RateTable table{layer.weight, {{1, run.latency().latency_us(shape, {}), 0}}};
    dense_total += table.options[0].latency_us;
    const torch::Tensor weight = params.at(layer.weight), kept = weight.detach().clone();
    for (const Option& option : options_of(layer, stage)) {
      const auto plan =
          prune::plan({layer}, {{layer.weight, option.rate}}, stage, prune::reader_of(params));
      if (plan.empty()) continue;
      prune::magnitude_masks(params, plan).apply(params);
      const double harmed = train::evaluate(module, samples, run.config().data.normalize).loss;
      const torch::NoGradGuard no_grad;
      weight.copy_(kept);
      table.options.push_back(
          {option.rate, run.latency().latency_us(shape, latency_variant(layer, option.constraint)),
           std::max(0.0, harmed - loss)});
    }
    tables.push_back(std::move(table));
    progress.update(static_cast<std::int64_t>(tables.size()));
  }

  const double whole_us = dense_latency_us(run, deployed_form(run, graph, int8),
                                           stage.name + (int8 ? " dense int8" : " dense fp32"));
  const double wish_us = 1e3 * *run.config().requirements.latency_ms_max;
  const double fixed_us = std::max(0.0, whole_us - dense_total);
  const prune::ChosenRates chosen = prune::choose_rates(tables, fixed_us, kSafety * wish_us);
  LatencyChoice result;
  result.rates = chosen.rates;
  result.points = json::array();
  for (const prune::RatePoint& point : chosen.points)
    result.points.push_back(
        {{"latency_ms", 1e-3 * point.latency_us}, {"harm", point.harm}, {"rates", point.rates}});
  for (const prune::RateTable& table : tables) {
    for (const prune::RateOption& option : table.options) {
      const auto rate = result.rates.find(table.weight);
      if (rate != result.rates.end() && rate->second == option.rate)
        result.harm[table.weight] = option.harm;
    }
  }
  if (!chosen.feasible) {
    run.report()["points"] = result.points;
    const double best = chosen.points.empty() ? whole_us : chosen.points.back().latency_us;
    run.report()["requirements"] = {{{"name", "latency_ms_max"},
                                     {"wanted", 1e-3 * wish_us},
                                     {"got", 1e-3 * best},
                                     {"met", false}}};
    throw RequirementsError(::xgen::str(
        "latency_ms_max: ", 1e-3 * wish_us, " ms cannot be met: the dense network takes ",
        1e-3 * whole_us, " ms, the fastest pruned one is predicted to take ", 1e-3 * best,
        " ms, of which ", 1e-3 * fixed_us, " ms cannot be pruned"));
  }
  return result;
}

}  // namespace xgen::cli
