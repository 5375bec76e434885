#include "search/spaces/vgg.h"

#include "core/error.h"
#include "search/spaces/stages.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {

std::optional<ConfigProblem> VggSpace::Stage::problem() const {
  if (auto problem = problem_of_choices("widths", widths)) return problem;
  return problem_of_choices("depths", depths);
}

std::optional<ConfigProblem> VggSpace::problem() const {
  if (stages.empty()) return ConfigProblem{"stages", "expected at least one stage"};
  std::int64_t size = image_size;
  std::size_t most = 0;
  for (; size > 1; size /= 2) ++most;
  if (stages.size() > most)
    return ConfigProblem{
        "stages", str("expected at most ", most, ", each of which halves images of ", image_size,
                      "x", image_size, ", got ", stages.size())};
  return std::nullopt;
}

Space VggSpace::space() const { return {kKind, stage_parameters(stages)}; }

ir::Graph VggSpace::network(const Point& point, const std::optional<Random>& random) const {
  XGEN_CHECK(space().contains(point), "a point of another space");
  train::NetBuilder net(kKind, image_channels, image_size, image_size, random);
  std::int64_t size = image_size;
  int stage = 0;
  for (const StageChoice& choice : stage_choices(stages, point)) {
    ++stage;
    for (std::int64_t i = 1; i <= choice.depth; ++i)
      net.conv_bn_relu(str(stage, "_", i), choice.width, {});
    net.max_pool(str("pool", stage), 2);
    size /= 2;
  }
  if (head == "flatten")
    net.flatten("flatten", size, size);
  else
    net.average_pool_to_features("pool");
  if (hidden > 0) net.linear("hidden", hidden).relu("hidden.relu");
  return net.finish(classes);
}

LabelledGraph VggSpace::labelled(const Point& point) const {
  std::vector<std::string> labels;
  for (const StageChoice& choice : stage_choices(stages, point)) {
    labels.insert(labels.end(), static_cast<std::size_t>(choice.depth), str("conv ", choice.width));
    labels.emplace_back("pool");
  }
  return chain_of(labels);
}

}  // namespace xgen::search
