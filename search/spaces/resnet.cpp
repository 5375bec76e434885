#include "search/spaces/resnet.h"

#include <algorithm>

#include "core/error.h"
#include "search/spaces/stages.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {

namespace {

void add_block(train::NetBuilder& net, const std::string& prefix, std::int64_t width,
               std::int64_t stride, bool projection) {
  const ir::ValueId x = net.current();
  const std::int64_t channels = net.channels();
  net.conv(prefix + "conv1", width, {.stride = stride}).batch_norm(prefix + "bn1");
  net.relu(prefix + "relu1").conv(prefix + "conv2", width, {}).batch_norm(prefix + "bn2");
  const ir::ValueId branch = net.current();
  net.from(x, channels);
  if (stride != 1 || channels != width) {
    if (projection) {
      net.conv(prefix + "shortcut.conv", width, {.kernel = 1, .stride = stride});
      net.batch_norm(prefix + "shortcut.bn");
    } else {
      net.subsample_and_widen(prefix + "shortcut", stride, width);
    }
  }
  const ir::ValueId shortcut = net.current();
  net.from(branch, width).add(prefix + "add", shortcut).relu(prefix + "relu2");
}

}  // namespace

std::optional<ConfigProblem> ResnetSpace::Stage::problem() const {
  if (auto problem = problem_of_choices("widths", widths)) return problem;
  return problem_of_choices("depths", depths);
}

std::optional<ConfigProblem> ResnetSpace::Stem::problem() const {
  if (kernel % 2 == 0) return ConfigProblem{"kernel", str("expected an odd number, got ", kernel)};
  return std::nullopt;
}

std::optional<ConfigProblem> ResnetSpace::problem() const {
  if (stages.empty()) return ConfigProblem{"stages", "expected at least one stage"};
  if (shortcut != "zeros") return std::nullopt;
  std::int64_t widest = stem.channels;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto [least, most] =
        std::minmax_element(stages[i].widths.begin(), stages[i].widths.end());
    if (*least < widest)
      return ConfigProblem{
          "stages", str("expected widths of at least ", widest, ", as wide as what stage ", i + 1,
                        " may read, got ", *least,
                        ": shortcuts of zeros only widen; \"projection\" does both")};
    widest = *most;
  }
  return std::nullopt;
}

Space ResnetSpace::space() const { return {kKind, stage_parameters(stages)}; }

ir::Graph ResnetSpace::network(const Point& point, const std::optional<Random>& random) const {
  XGEN_CHECK(space().contains(point), "a point of another space");
  train::NetBuilder net(kKind, image_channels, image_size, image_size, random);
  net.conv_bn_relu("1", stem.channels, {.kernel = stem.kernel, .stride = stem.stride});
  const std::vector<StageChoice> choices = stage_choices(stages, point);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (std::int64_t b = 0; b < choices[s].depth; ++b)
      add_block(net, str("layer", s + 1, ".", b, "."), choices[s].width,
                b == 0 ? stages[s].stride : 1, shortcut == "projection");
  }
  return net.average_pool_to_features("pool").finish(classes);
}

LabelledGraph ResnetSpace::labelled(const Point& point) const {
  std::vector<std::string> labels;
  const std::vector<StageChoice> choices = stage_choices(stages, point);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (std::int64_t b = 0; b < choices[s].depth; ++b)
      labels.push_back(str("block ", choices[s].width, " /", b == 0 ? stages[s].stride : 1));
  }
  return chain_of(labels);
}

}  // namespace xgen::search
