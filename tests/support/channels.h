#pragma once

#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "core/ir/rewrite/channel_groups.h"
#include "tests/support/random_graph.h"

namespace xgen::test {

/// Some units of each group, up to `share` of them; pinned ones never, and never all.
inline std::vector<ir::ChannelUnit> random_units(const std::vector<ir::ChannelGroup>& groups,
                                                 double share, RandomTensors& random) {
  std::vector<ir::ChannelUnit> units;
  for (const ir::ChannelGroup& group : groups) {
    const auto most = static_cast<int>(share * static_cast<double>(group.units.size()));
    int left = most == 0 ? 0 : random.below(most + 1);
    for (const ir::ChannelUnit& unit : group.units) {
      if (left == 0) break;
      if (!unit.pinned.empty() || random.below(2) == 0) continue;
      units.push_back(unit);
      --left;
    }
  }
  return units;
}

/// The whole network with zeros in every slice that goes with `units`.
inline ir::Graph zeroed(ir::Graph graph, const std::vector<ir::ChannelUnit>& units) {
  std::map<ir::ValueId, std::vector<ir::ConstantSlice>> slices;
  for (const ir::ChannelUnit& unit : units) {
    for (const ir::ConstantSlice& slice : unit.filters) slices[slice.constant].push_back(slice);
    for (const ir::ConstantSlice& slice : unit.others) slices[slice.constant].push_back(slice);
  }
  for (const auto& [id, of_constant] : slices) {
    ir::Constant constant = *graph.constant(id);
    for (const ir::ConstantSlice& slice : of_constant) {
      const auto axis = static_cast<std::size_t>(slice.axis);
      std::size_t inner = ir::size_of(constant.dtype);
      for (std::size_t a = axis + 1; a < constant.shape.size(); ++a)
        inner *= static_cast<std::size_t>(constant.shape[a]);
      const std::size_t step = inner * static_cast<std::size_t>(constant.shape[axis]);
      for (std::size_t at = inner * static_cast<std::size_t>(slice.index);
           at < constant.bytes.size(); at += step)
        std::memset(constant.bytes.data() + at, 0, inner);
    }
    graph.set_constant(id, std::move(constant));
  }
  return graph;
}

}  // namespace xgen::test
