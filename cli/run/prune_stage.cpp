#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "cli/run/check_stages.h"
#include "cli/run/evidence.h"
#include "cli/run/fine_tune.h"
#include "cli/run/hooks.h"
#include "cli/run/layer_latency.h"
#include "cli/run/mapping.h"
#include "cli/run/repair_weights.h"
#include "cli/run/run_context.h"
#include "cli/run/twin_times.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/one_image.h"
#include "core/ir/rewrite/joined_name.h"
#include "core/log.h"
#include "prune/plan.h"
#include "prune/rates.h"
#include "prune/schemes/schemes.h"
#include "train/data/loader.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// One layer's row of the report.
struct Row {
  double dense_us = 0, sparse_us = 0, sensitivity = -1;
};

struct Decision {
  std::vector<prune::Layer> layers;  // with reasons
  prune::Rates rates;
  std::map<std::string, Row> rows;  // by weight
};

// The latencies of the layers that `rates` prunes, beside those of their dense versions.
void measure_rates(RunContext& run, const PruneStage& stage, const ir::Graph& image,
                   Decision& decision) {
  const bool int8 = stage.final_type == "int8";
  std::vector<LatencyStore::Query> queries;
  for (const prune::Layer& layer : decision.layers) {
    const auto rate = decision.rates.find(layer.weight);
    if (rate == decision.rates.end()) continue;
    const LayerShape shape = latency_shape(image, layer, int8);
    queries.emplace_back(shape, LayerVariant{});
    queries.emplace_back(shape,
                         latency_variant(layer, prune::constraint_of(layer, rate->second, stage)));
  }
  run.find_latencies(::xgen::str(queries.size() / 2, " layers, dense and pruned"), queries);
  std::size_t i = 0;
  for (const prune::Layer& layer : decision.layers) {
    if (decision.rates.count(layer.weight) == 0) continue;
    Row& row = decision.rows[layer.weight];
    row.dense_us = run.latency().latency_us(queries[i].first, queries[i].second);
    row.sparse_us = run.latency().latency_us(queries[i + 1].first, queries[i + 1].second);
    i += 2;
  }
}

// Single zeros are trained and exported, though no kernel skips them.
bool compiled_dense(const prune::Layer& layer, const PruneStage& stage) {
  return prune::scheme_of(layer, stage) == Sparsity::Scheme::unstructured;
}

// Law 1: a layer whose sparse kernel does not win stays dense, and what it would have saved is
// asked of the others.
void keep_winners(RunContext& run, const PruneStage& stage, const ir::Graph& image,
                  Decision& decision) {
  for (;;) {
    measure_rates(run, stage, image, decision);
    bool lost = false;
    for (prune::Layer& layer : decision.layers) {
      if (decision.rates.count(layer.weight) == 0) continue;
      if (compiled_dense(layer, stage)) continue;
      const Row& row = decision.rows[layer.weight];
      if (row.sparse_us < row.dense_us) continue;
      layer.prunable = false;
      layer.reason = ::xgen::str("its pruned kernel takes ", row.sparse_us, " us, its dense one ",
                                 row.dense_us, " us");
      lost = true;
    }
    if (!lost) return;
    if (stage.rates.conv_macs_divided_by) {
      decision.rates = wanted_rates(run.loaded(), stage, decision.layers);
      continue;
    }
    for (const prune::Layer& layer : decision.layers) {
      if (!layer.prunable) decision.rates.erase(layer.weight);
    }
    return;
  }
}

json layer_rows(const PruneStage& stage, const Decision& decision,
                const std::vector<prune::PlannedLayer>& planned) {
  json rows = json::array();
  for (const prune::Layer& layer : decision.layers) {
    json row = {{"node", layer.node},
                {"weight", layer.weight},
                {"op", layer.op},
                {"macs", layer.macs},
                {"status", "dense"},
                {"scheme", "dense"},
                {"reason", layer.reason},
                {"shape", ::xgen::str(layer.shape.c_in, " -> ", layer.shape.c_out, ", ",
                                      layer.shape.kh, "x", layer.shape.kw)},
                {"kept_macs", layer.macs}};
    const auto times = decision.rows.find(layer.weight);
    if (times != decision.rows.end()) {
      row["dense_us"] = times->second.dense_us;
      if (times->second.sparse_us > 0) row["sparse_us"] = times->second.sparse_us;
      if (times->second.sensitivity >= 0) row["sensitivity"] = times->second.sensitivity;
    }
    const auto plan = std::find_if(planned.begin(), planned.end(),
                                   [&](const auto& p) { return p.weight == layer.weight; });
    if (plan != planned.end()) {
      const std::int64_t kept = prune::kept_macs(layer, plan->constraint);
      row["status"] = "pruned";
      row["scheme"] = name_of(plan->constraint.scheme);
      row["kept_macs"] = kept;
      row["rate"] =
          static_cast<double>(layer.macs) / static_cast<double>(std::max<std::int64_t>(1, kept));
      row["kept"] = static_cast<double>(kept) / static_cast<double>(layer.macs);
      row["group_out"] = plan->constraint.group_out;
      row["lane_channels"] = plan->constraint.lane_channels;
      row["reason"] =
          compiled_dense(layer, stage)
              ? "compiled dense: kernels skip groups of filters x lanes, not single weights"
              : ::xgen::str(
                    "the pruned kernel is ",
                    std::round(100 * times->second.dense_us / times->second.sparse_us) / 100,
                    " times as fast");
    } else if (layer.prunable && layer.reason.empty()) {
      row["reason"] = "no rate above 1 was asked of it";
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// Notes of layers which lost against their dense twins that they stay dense.
void mark_losers(json& rows, const json& losers) {
  for (json& row : rows) {
    const auto lost = losers.find(row["node"].get<std::string>());
    if (lost == losers.end()) continue;
    for (const char* key : {"rate", "kept", "group_out", "lane_channels"}) row.erase(key);
    row.update(
        {{"status", "dense"}, {"scheme", "dense"}, {"kept_macs", row["macs"]}, {"reason", *lost}});
  }
}

double macs_divided_by(const json& rows) {
  double before = 0, after = 0;
  for (const json& row : rows) {
    if (row["op"] != "Conv") continue;
    before += row["macs"].get<double>();
    after += row["kept_macs"].get<double>();
  }
  return after > 0 ? before / after : 1;
}

// The stage with the schemes that were chosen for its layers.
PruneStage with_mapping(PruneStage stage, const json& record) {
  for (const json& rule : record["mapping"])
    stage.layers.push_back(read_config<prune::LayerRule>(rule, "the stage's decision"));
  return stage;
}

// Decides what to prune: stored before it is used, so that a resumed run decides alike.
StageResult decide(RunContext& run, const PruneStage& stage, const ir::Graph& graph) {
  const ir::Graph image = ir::for_one_image(graph);
  Decision decision;
  decision.layers = prune::layers_of(image, stage.exclude);
  json record;
  record["mapping"] = json::array();
  if (stage.rates.from_requirements || stage.scheme == "auto") {
    const Mapping mapping = map_layers(run, stage, graph, image, decision.layers);
    decision.rates = mapping.rates;
    for (const auto& [weight, harm] : mapping.harm) decision.rows[weight].sensitivity = harm;
    for (const prune::LayerRule& rule : mapping.rules)
      record["mapping"].push_back(json(write_config(rule)));
    record["points"] = mapping.points;
  } else {
    decision.rates = wanted_rates(run.loaded(), stage, decision.layers);
  }
  const PruneStage mapped = with_mapping(stage, record);
  keep_winners(run, mapped, image, decision);
  const std::vector<prune::PlannedLayer> planned =
      prune::plan(decision.layers, decision.rates, mapped, prune::reader_of(image));
  if (planned.empty() && stage.rates.from_requirements)
    run.note(::xgen::str("stage \"", stage.name,
                         "\": the network keeps the limits as it is; nothing is pruned"));
  else if (planned.empty())
    throw UserError(::xgen::str("stage \"", stage.name,
                                "\": no layer is left to prune; the report says why of each"));
  record["rates"] = decision.rates;
  record["layers"] = layer_rows(mapped, decision, planned);
  record["conv_macs_divided_by"] = macs_divided_by(record["layers"]);
  record["latency_source"] = run.latency().source();
  record["kernel_times"] = {{"asked", run.kernel_times().asked},
                            {"found", run.kernel_times().found}};
  return {graph, record};
}

std::vector<prune::PlannedLayer> planned_again(const PruneStage& stage, const ir::Graph& graph,
                                               const json& record) {
  const ir::Graph image = ir::for_one_image(graph);
  return prune::plan(prune::layers_of(image), record["rates"].get<prune::Rates>(),
                     with_mapping(stage, record), prune::reader_of(image));
}

// Scores of the planned layers' weights by the config's importance.
prune::Params scores(RunContext& run, train::GraphModule& module,
                     const std::vector<prune::PlannedLayer>& planned,
                     const prune::AlgorithmConfig& algorithm) {
  const prune::Importance& importance = prune::find_importance(algorithm.importance);
  prune::Params result;
  for (const auto& [weight, evidence] :
       collect_evidence(run, module, planned, importance, algorithm.importance_samples))
    result[weight] = importance.scores(evidence);
  return result;
}

// Of the algorithm's part of training.
std::int64_t training_steps(const RunContext& run, const PruneStage& stage) {
  train::LoaderOptions options;
  options.batch_size = stage.training.batch_size;
  return stage.algorithm.epochs * train::Loader::batch_count(run.data().train.size(), options);
}

// Gives a network the weights of an earlier stage.
void rewind(RunContext& run, const PruneStage& stage, train::GraphModule& module) {
  const train::GraphModule before(run.graphs.at(stage.fine_tune.rewind_to), run.device());
  std::map<std::string, torch::Tensor> state;
  for (const auto& [name, tensor] : before.state()) state[name] = tensor;
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : module.state()) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != tensor.sizes())
      throw UserError(::xgen::str("stage \"", stage.name, "\": it cannot rewind to \"",
                                  stage.fine_tune.rewind_to, "\", which has no \"", name,
                                  "\" of the same shape"));
    tensor.detach().copy_(found->second);
  }
}

// Law 1 in the whole network: masks of layers that lose there are taken away before the network is
// trained on. @return the reasons, by node.
json drop_losers(RunContext& run, const PruneStage& stage, const train::GraphModule& module,
                 const json& rows, prune::MaskSet& masks) {
  json reasons = json::object();
  const ir::Graph masked = ir::infer_shapes(masks.annotate(module.to_graph()));
  for (const auto& [node, times] :
       losers_of_network(run, stage.name + " masked", masked, stage.final_type == "int8")) {
    for (const json& row : rows) {
      const std::string layer = row["node"];
      if (!ir::is_made_of(node, layer) || masks.layers().count(row["weight"]) == 0) continue;
      masks.erase(row["weight"]);
      reasons[layer] = text_of_loser(times);
      log::info(::xgen::str(layer, " stays dense: ", text_of_loser(times)));
    }
  }
  return reasons;
}

// The masks of earlier stages, but for layers that are pruned again: those are chosen anew.
prune::MaskSet masks_before(RunContext& run, ir::Graph& graph,
                            const std::vector<prune::PlannedLayer>& planned) {
  for (const prune::PlannedLayer& layer : planned)
    graph.value(graph.find(layer.weight)).sparsity.reset();
  return masks_of(graph, run.device());
}

// A network whose weights moved less than halfway is pruned by magnitude in effect: 0.1 to 0.2 is
// what converging runs end with.
constexpr double kAdmmConverged = 0.5;

}  // namespace

StageResult run_prune_stage(RunContext& run, const PruneStage& stage, const ir::Graph& graph) {
  const StageResult decided =
      run.once(stage.name + ".decide", [&] { return decide(run, stage, graph); });
  const std::vector<prune::PlannedLayer> planned =
      planned_again(stage, decided.graph, decided.record);
  json record = decided.record;
  record["scheme"] = stage.scheme;
  record["final_type"] = stage.final_type;
  if (planned.empty()) {
    train::GraphModule module(decided.graph, run.device());
    record["validation"] = to_json(run.validate(module));
    return {decided.graph, std::move(record)};
  }

  const StageResult masked = run.once(stage.name + ".mask", [&]() -> StageResult {
    ir::Graph unmasked = decided.graph;
    const prune::MaskSet before = masks_before(run, unmasked, planned);
    train::GraphModule module(unmasked, run.device());
    const prune::Params params = params_of(module);
    const std::string& name = stage.algorithm.name;
    const auto algorithm =
        prune::make_algorithm({params, planned, stage.algorithm, training_steps(run, stage),
                               [&] { return scores(run, module, planned, stage.algorithm); }});
    json row;
    if (prune::trains(name)) {
      AlgorithmHook hook(name, *algorithm);
      train::TrainContext context =
          run.train_context(stage.name + "." + name, stage.algorithm.epochs);
      MaskHook keep(params, before);
      context.hooks = {&hook};
      if (!before.empty()) context.hooks.push_back(&keep);
      row["training"] = to_json(
          train::train(module, run.data().train, run.data().validation, stage.training, context));
      row["figures"] = algorithm->figures();
    }
    prune::MaskSet masks = algorithm->masks();
    row["losers"] = drop_losers(run, stage, module, decided.record["layers"], masks);
    masks.apply(params);
    if (stage.algorithm.repair_samples > 0) {
      train::GraphModule dense(decided.graph, run.device());
      repair_weights(run.samples(), module, dense, masks, stage.algorithm.repair_samples);
    }
    for (const auto& [weight, mask] : before.layers()) masks.set(weight, mask);
    row["validation"] = validate_pruned(run, stage, module);
    row["mask_sha256"] = masks.hash();
    return {ir::infer_shapes(masks.annotate(module.to_graph())), row};
  });
  record["algorithm"] = stage.algorithm.name;
  if (masked.record.contains("training")) {
    record["algorithm_history"] = masked.record["training"]["history"];
    record["figures"] = masked.record["figures"];
    const double residual = record["figures"].value("primal residual", 0.0);
    if (residual > kAdmmConverged) {
      run.note(::xgen::str("stage \"", stage.name,
                           "\": ADMM ended far from the constraint (primal residual ", residual,
                           "); raise rho, lr, epochs or clip_norm, or take one_shot"));
    }
  }
  record["mask_sha256"] = masked.record["mask_sha256"];
  mark_losers(record["layers"], masked.record["losers"]);
  record["conv_macs_divided_by"] = macs_divided_by(record["layers"]);
  record["validation_before_fine_tuning"] = masked.record["validation"];

  train::GraphModule module(masked.graph, run.device());
  const prune::Params params = params_of(module);
  const prune::MaskSet masks = masks_of(masked.graph, run.device());
  if (!stage.fine_tune.rewind_to.empty()) {
    rewind(run, stage, module);
    masks.apply(params);
  }
  MaskHook hook(params, masks);
  fine_tune(run, stage, module, {&hook}, record);
  XGEN_CHECK(masks.hash_of(params) == record["mask_sha256"], "a pruned weight came back");
  record["validation"] = to_json(run.validate(module));
  return {ir::infer_shapes(masks.annotate(module.to_graph())), std::move(record)};
}

}  // namespace xgen::cli
