#include "core/ir/one_image.h"

#include <cstdint>
#include <map>
#include <string>

#include "core/ir/infer_shapes.h"

namespace xgen::ir {

Graph for_one_image(const Graph& network) {
  Graph graph = infer_shapes(network);
  std::map<std::string, std::int64_t> sizes;
  for (const std::string& symbol : free_symbols(graph)) sizes[symbol] = 1;
  return sizes.empty() ? graph : bind_dims(graph, sizes);
}

}  // namespace xgen::ir
