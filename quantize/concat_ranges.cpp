#include "quantize/concat_ranges.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "quantize/qdq_layers.h"

namespace xgen::quantize {

namespace {

/// Sets of values that share a scale.
class ScaleSets {
 public:
  explicit ScaleSets(std::size_t values) : parent_(values) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(ir::ValueId id) {
    auto at = static_cast<std::size_t>(id);
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  void unite(ir::ValueId a, ir::ValueId b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

std::map<std::string, ActivationRange> share_concat_ranges(
    const ir::Graph& graph, std::map<std::string, ActivationRange> ranges) {
  ScaleSets sets(graph.values().size());
  for (const ir::Node& node : graph.nodes()) {
    if (keeps_scale(graph, node)) sets.unite(node.output(), node.inputs[0]);
    if (node.as<ir::Concat>() == nullptr || ranges.count(graph.value(node.output()).name) == 0)
      continue;
    for (const ir::ValueId in : node.inputs) sets.unite(node.output(), in);
  }
  std::map<std::size_t, ActivationRange> shared;
  std::vector<std::pair<ActivationRange*, std::size_t>> members;
  for (auto& [name, range] : ranges) {
    const std::size_t set = sets.find(graph.find(name));
    members.emplace_back(&range, set);
    const auto [it, fresh] = shared.emplace(set, range);
    if (fresh) continue;
    it->second.low = std::min(it->second.low, range.low);
    it->second.high = std::max(it->second.high, range.high);
  }
  for (const auto& [range, set] : members) *range = shared.at(set);
  return ranges;
}

}  // namespace xgen::quantize
