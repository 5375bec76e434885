#include "search/spaces/macro.h"

#include <regex>
#include <set>

#include "core/error.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {

namespace {

// Expansion 0: no block.
struct Block {
  std::int64_t expansion = 0, kernel = 1;
};

std::optional<Block> block_of(const std::string& name) {
  if (name == "identity") return Block{};
  static const std::regex form("mb([1-9])_k([1357])");
  std::smatch match;
  if (!std::regex_match(name, match, form)) return std::nullopt;
  return Block{std::stoll(match[1]), std::stoll(match[2])};
}

// A block in its place.
struct Placed {
  std::int64_t channels, stride;
};

std::vector<Placed> places(const MacroSpace& space) {
  std::vector<Placed> all;
  for (const MacroSpace::Stage& stage : space.stages) {
    for (int i = 0; i < stage.blocks; ++i)
      all.push_back({stage.channels, i == 0 ? stage.stride : 1});
  }
  return all;
}

void add_block(train::NetBuilder& net, const std::string& prefix, const Block& block,
               const Placed& place) {
  const ir::ValueId x = net.current();
  const std::int64_t channels = net.channels(), hidden = block.expansion * channels;
  const bool same = place.stride == 1 && channels == place.channels;
  if (block.expansion == 0) {
    if (same) return;
    net.conv(prefix + "conv", place.channels, {.kernel = 1, .stride = place.stride});
    net.batch_norm(prefix + "bn");
    return;
  }
  net.conv(prefix + "expand.conv", hidden, {.kernel = 1});
  net.batch_norm(prefix + "expand.bn").relu6(prefix + "expand.relu");
  net.conv(prefix + "depthwise.conv", hidden,
           {.kernel = block.kernel, .stride = place.stride, .groups = hidden});
  net.batch_norm(prefix + "depthwise.bn").relu6(prefix + "depthwise.relu");
  net.conv(prefix + "project.conv", place.channels, {.kernel = 1});
  net.batch_norm(prefix + "project.bn");
  if (same) net.add(prefix + "add", x);
}

}  // namespace

std::optional<ConfigProblem> MacroSpace::problem() const {
  if (stages.empty()) return ConfigProblem{"stages", "expected at least one stage"};
  if (blocks.empty()) return ConfigProblem{"blocks", "expected at least one block"};
  std::set<std::string> seen;
  for (const std::string& name : blocks) {
    if (!block_of(name))
      return ConfigProblem{"blocks",
                           str("expected \"identity\" or a block like \"mb3_k5\" (expansion 1 to "
                               "9, kernel 1, 3, 5 or 7), got \"",
                               name, "\"")};
    if (!seen.insert(name).second)
      return ConfigProblem{"blocks", str("\"", name, "\" stands there twice")};
  }
  return std::nullopt;
}

Space MacroSpace::space() const {
  Space space{kKind, {}};
  const std::size_t count = places(*this).size();
  for (std::size_t i = 0; i < count; ++i) space.parameters.push_back({str("block", i + 1), blocks});
  return space;
}

ir::Graph MacroSpace::network(const Point& point, const std::optional<Random>& random) const {
  XGEN_CHECK(space().contains(point), "a point of another space");
  train::NetBuilder net(kKind, image_channels, image_size, image_size, random);
  net.conv("stem.conv", stem_channels, {}).batch_norm("stem.bn").relu6("stem.relu");
  const std::vector<Placed> all = places(*this);
  for (std::size_t i = 0; i < all.size(); ++i)
    add_block(net, str("block", i + 1, "."), *block_of(blocks[static_cast<std::size_t>(point[i])]),
              all[i]);
  net.conv("head.conv", head_channels, {.kernel = 1}).batch_norm("head.bn").relu6("head.relu");
  return net.average_pool_to_features("pool").finish(classes);
}

LabelledGraph MacroSpace::labelled(const Point& point) const {
  LabelledGraph graph{{"input"}, {}};
  const std::vector<Placed> all = places(*this);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& block = blocks[static_cast<std::size_t>(point[i])];
    graph.labels.push_back(str(block, " ", all[i].channels, " /", all[i].stride));
  }
  graph.labels.emplace_back("output");
  for (int i = 1; i < static_cast<int>(graph.labels.size()); ++i)
    graph.edges.emplace_back(i - 1, i);
  return graph;
}

const MacroSpace& nas_bench_macro() {
  static const MacroSpace space = [] {
    MacroSpace s;
    s.stages = {{64, 2, 2}, {128, 3, 2}, {256, 3, 2}};
    s.blocks = {"identity", "mb3_k3", "mb6_k5"};
    return s;
  }();
  return space;
}

}  // namespace xgen::search
