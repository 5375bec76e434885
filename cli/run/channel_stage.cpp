#include <torch/torch.h>

#include <cmath>
#include <set>

#include "cli/run/check_stages.h"
#include "cli/run/evidence.h"
#include "cli/run/fine_tune.h"
#include "cli/run/layer_latency.h"
#include "cli/run/repair_weights.h"
#include "cli/run/run_context.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/one_image.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/log.h"
#include "prune/channels.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// Of all layers with filters, by the config's importance.
prune::FilterScores filter_scores(RunContext& run, const PruneStage& stage,
                                  const ir::Graph& graph) {
  const prune::Importance& importance = prune::find_importance(stage.algorithm.importance);
  std::vector<prune::PlannedLayer> layers;
  for (const prune::Layer& layer : prune::layers_of(ir::for_one_image(graph))) {
    if (layer.prunable || (layer.is_conv() && !importance.inputs && layer.macs > 0))
      layers.push_back({layer.weight, layer.shape, layer.transposed, {}});
  }
  train::GraphModule module(graph, run.device());
  prune::FilterScores scores;
  for (const auto& [weight, evidence] :
       collect_evidence(run, module, layers, importance, stage.algorithm.importance_samples)) {
    const torch::Tensor of_filter = importance.scores(evidence)
                                        .sum(at::IntArrayRef{1, 2, 3})
                                        .to(torch::kCPU, torch::kFloat64)
                                        .contiguous();
    scores[weight] = {of_filter.data_ptr<double>(),
                      of_filter.data_ptr<double>() + of_filter.numel()};
  }
  return scores;
}

// A convolution before and after.
struct Change {
  prune::Layer before, after;
  double before_us = 0, after_us = 0;
};

// Of the layers whose shape has changed.
std::vector<Change> changes_of(RunContext& run, const PruneStage& stage, const ir::Graph& image,
                               const ir::Graph& thin) {
  const bool int8 = stage.final_type == "int8";
  const std::vector<prune::Layer> before = prune::layers_of(image), after = prune::layers_of(thin);
  XGEN_CHECK(before.size() == after.size(), "layers were lost");
  std::vector<Change> changes;
  std::vector<LatencyStore::Query> queries;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].macs == after[i].macs) continue;
    changes.push_back({before[i], after[i]});
    queries.emplace_back(latency_shape(image, before[i], int8), LayerVariant{});
    queries.emplace_back(latency_shape(thin, after[i], int8), LayerVariant{});
  }
  run.find_latencies(
      ::xgen::str(changes.size(), " layers, with all channels and with those that stay"), queries);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    changes[i].before_us = run.latency().latency_us(queries[2 * i].first, {});
    changes[i].after_us = run.latency().latency_us(queries[2 * i + 1].first, {});
  }
  return changes;
}

json layer_rows(const ir::Graph& image, const std::vector<prune::ThinnedGroup>& groups,
                const std::vector<Change>& changes) {
  std::map<std::string, const Change*> by_node;
  for (const Change& change : changes) by_node[change.before.node] = &change;
  std::map<std::string, std::string> reasons;
  for (const prune::ThinnedGroup& group : groups) {
    for (const std::string& node : group.producers) reasons[node] = group.reason;
  }
  const auto shape = [](const prune::Layer& l) {
    return ::xgen::str(l.shape.c_in, " -> ", l.shape.c_out, ", ", l.shape.kh, "x", l.shape.kw);
  };
  json rows = json::array();
  for (const prune::Layer& layer : prune::layers_of(image)) {
    json row = {
        {"node", layer.node},    {"weight", layer.weight},  {"op", layer.op},
        {"macs", layer.macs},    {"status", "dense"},       {"scheme", "dense"},
        {"shape", shape(layer)}, {"kept_macs", layer.macs}, {"reason", reasons[layer.node]}};
    const auto found = by_node.find(layer.node);
    if (found != by_node.end()) {
      const Change& change = *found->second;
      const auto kept = static_cast<double>(std::max<std::int64_t>(1, change.after.macs));
      row["status"] = "pruned";
      row["scheme"] = "channel";
      row["kept_macs"] = change.after.macs;
      row["rate"] = static_cast<double>(layer.macs) / kept;
      row["kept"] = kept / static_cast<double>(layer.macs);
      row["dense_us"] = change.before_us;
      row["sparse_us"] = change.after_us;
      row["reason"] =
          ::xgen::str("now ", shape(change.after), ": ",
                      std::round(100 * change.before_us / change.after_us) / 100, " times as fast");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// Law 1: where a layer would not be faster with fewer channels, those that it computes stay.
StageResult decide(RunContext& run, const PruneStage& stage, const ir::Graph& graph) {
  const ir::Graph folded = ir::fold_constants(graph), image = ir::for_one_image(folded);
  const prune::FilterScores scores = filter_scores(run, stage, folded);
  std::set<std::string> kept;
  for (;;) {
    const prune::ThinnedNetwork thin = at_stage(run.loaded(), stage.name, [&] {
      return prune::thin_channels(folded, scores, stage, kept);
    });
    const std::vector<Change> changes =
        changes_of(run, stage, image, ir::for_one_image(thin.graph));
    if (changes.empty())
      throw UserError(::xgen::str("stage \"", stage.name, "\": no channel can be removed"));
    const std::size_t known = kept.size();
    for (const Change& change : changes) {
      if (change.after.shape.c_out < change.before.shape.c_out &&
          change.after_us >= change.before_us)
        kept.insert(change.before.node);
    }
    if (kept.size() > known) continue;
    json record;
    record["layers"] = layer_rows(image, thin.groups, changes);
    record["conv_macs_divided_by"] = thin.conv_macs_divided_by;
    record["filters"] = thin.filters;
    record["latency_source"] = run.latency().source();
    record["groups"] = json::array();
    for (const prune::ThinnedGroup& group : thin.groups)
      record["groups"].push_back({{"producers", group.producers},
                                  {"channels", group.channels},
                                  {"kept", group.kept},
                                  {"reason", group.reason}});
    return {thin.graph, record};
  }
}

}  // namespace

StageResult run_channel_stage(RunContext& run, const PruneStage& stage, const ir::Graph& graph) {
  const StageResult decided =
      run.once(stage.name + ".decide", [&] { return decide(run, stage, graph); });
  json record = decided.record;
  record.erase("filters");
  record["scheme"] = stage.scheme;
  record["algorithm"] = stage.algorithm.name;
  record["final_type"] = stage.final_type;
  const StageResult thinned = run.once(stage.name + ".mask", [&]() -> StageResult {
    train::GraphModule module(decided.graph, run.device());
    if (stage.algorithm.repair_samples > 0) {
      train::GraphModule dense(ir::fold_constants(graph), run.device());
      repair_thinned(
          run.samples(), module, dense,
          decided.record["filters"].get<std::map<std::string, std::vector<std::int64_t>>>(),
          stage.algorithm.repair_samples);
    }
    const json validation = validate_pruned(run, stage, module);
    return {ir::infer_shapes(module.to_graph()), {{"validation", validation}}};
  });
  record["validation_before_fine_tuning"] = thinned.record["validation"];
  train::GraphModule module(thinned.graph, run.device());
  fine_tune(run, stage, module, {}, record);
  record["validation"] = to_json(run.validate(module));
  return {ir::infer_shapes(module.to_graph()), std::move(record)};
}

}  // namespace xgen::cli
