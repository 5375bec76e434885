#include "search/candidate_cost.h"

#include "codegen/compile.h"
#include "core/ir/node_size.h"

namespace xgen::search {

CandidateCost cost_of(const ir::Graph& network, const Target& target,
                      const latency::LatencyTable& table) {
  CompileOptions options;
  options.target = target;
  options.fill_weights = false;
  const CompiledModel model = compile(network, options);
  CandidateCost cost;
  cost.latency = table.predict(model.program, table.machine(model.target));
  const ir::NodeSize size = ir::size_of_graph(model.graph, false);
  cost.macs = size.macs;
  cost.parameters = size.parameters;
  cost.size_bytes = static_cast<std::int64_t>(model.program.weight_bytes());
  cost.peak_bytes = static_cast<std::int64_t>(model.program.memory_bytes());
  return cost;
}

}  // namespace xgen::search
