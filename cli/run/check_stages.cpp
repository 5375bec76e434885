#include "cli/run/check_stages.h"

#include <torch/torch.h>

#include "core/ir/one_image.h"
#include "core/ir/rewrite/fold_constants.h"
#include "prune/channels.h"
#include "prune/importance/importance.h"
#include "prune/schemes/schemes.h"

namespace xgen::cli {

namespace {

[[noreturn]] void refuse(const PruneStage& stage, const std::string& what) {
  throw UserError(::xgen::str("stage \"", stage.name, "\": ", what));
}

void check_channel_options(const PruneStage& stage) {
  const std::string who = "scheme \"channel\" ";
  if (stage.algorithm.name != "one_shot")
    refuse(stage,
           ::xgen::str(who, "removes channels at once: expected algorithm \"one_shot\", got \"",
                       stage.algorithm.name, "\""));
  if (!stage.fine_tune.rewind_to.empty())
    refuse(stage, who + "cannot rewind: earlier weights belong to the larger network");
  if (stage.rates.from_requirements)
    refuse(stage, who +
                      "takes \"conv_macs_divided_by\" or \"per_layer\" as rates, not "
                      "\"from_requirements\"");
  if (!stage.layers.empty())
    refuse(stage, who +
                      "changes whole networks: \"layers\" cannot give some of them another one; "
                      "add a stage");
}

void check_options(const PruneStage& stage) {
  if (stage.scheme == "channel") return check_channel_options(stage);
  if (stage.scheme == "auto" && !stage.rates.per_layer.empty())
    refuse(stage,
           "scheme \"auto\" chooses the layers' rates itself: expected \"conv_macs_divided_by\" or "
           "\"from_requirements\"");
  if (prune::find_importance(stage.algorithm.importance).ranks_filters_only)
    refuse(stage, ::xgen::str("importance \"", stage.algorithm.importance,
                              "\" tells whole filters apart; the schemes of this stage drop parts "
                              "of filters"));
}

}  // namespace

std::string place_of(const LoadedConfig& loaded, const std::string& stage) {
  const auto& stages = loaded.config.stages;
  std::size_t i = 0;
  while (i < stages.size() && name_of(stages[i]) != stage) ++i;
  return ::xgen::str(loaded.file.string(), ": /stages/", i, ": ");
}

prune::Rates wanted_rates(const LoadedConfig& loaded, const PruneStage& stage,
                          const std::vector<prune::Layer>& layers) {
  return at_stage(loaded, stage.name, [&] {
    return stage.rates.conv_macs_divided_by
               ? prune::uniform_rates(layers, *stage.rates.conv_macs_divided_by, stage)
               : prune::listed_rates(layers, stage.rates.per_layer, stage);
  });
}

void check_prune_stages(const LoadedConfig& loaded, const ir::Graph& initial) {
  ir::Graph graph = ir::fold_constants(initial);
  for (const Stage& any : loaded.config.stages) {
    const auto* stage = std::get_if<PruneStage>(&any);
    if (stage == nullptr) continue;
    const auto layers = at_stage(loaded, stage->name, [&] {
      check_options(*stage);
      auto found = prune::layers_of(ir::for_one_image(graph), stage->exclude);
      if (stage->scheme != "channel") prune::check_rules(found, *stage);
      return found;
    });
    // How many channels go depends on sizes alone, not on which ones score least.
    if (stage->scheme == "channel")
      graph = at_stage(loaded, stage->name,
                       [&] { return prune::thin_channels(graph, {}, *stage).graph; });
    else if (stage->scheme != "auto" && !stage->rates.from_requirements)
      wanted_rates(loaded, *stage, layers);
  }
}

}  // namespace xgen::cli
