#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/ir/infer_shapes.h"

namespace xgen::search {

/// With shapes, and every batch of one image: they are numbers.
inline ir::Graph for_one_image(const ir::Graph& network) {
  const ir::Graph graph = ir::infer_shapes(network);
  std::map<std::string, std::int64_t> sizes;
  for (const std::string& symbol : ir::free_symbols(graph)) sizes[symbol] = 1;
  return sizes.empty() ? graph : ir::bind_dims(graph, sizes);
}

}  // namespace xgen::search
