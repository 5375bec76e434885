#include "codegen/lower/lower.h"

#include "codegen/lower/interleave.h"
#include "codegen/lower/memory_plan.h"

namespace xgen::lower {

Program lower(const ir::Graph& graph, const LowerOptions& options) {
  Context context(graph, options);
  for (const ir::Node& node : graph.nodes()) {
    if (node.as<ir::Conv>() != nullptr) {
      lower_conv(context, node);
      continue;
    }
    if (lower_spatial(context, node) || lower_elementwise(context, node)) continue;
    for (const ir::ValueId out : node.outputs) context.forget_planes(out);
    lower_row_major(context, node);
  }
  Program program = context.finish();
  std::vector<std::size_t> buffer_bytes = context.buffer_bytes();
  interleave_depthwise(program, buffer_bytes, options.cache_bytes);
  plan_memory(program, buffer_bytes);
  return program;
}

}  // namespace xgen::lower

namespace xgen {

std::set<std::string> Program::kernels() const {
  std::set<std::string> names;
  for (const Step& step : steps) names.insert(step.kernel);
  return names;
}

}  // namespace xgen
