#include "cli/explain.h"

#include <algorithm>

#include "cli/model_file.h"
#include "cli/table.h"
#include "codegen/lower/layout.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

bool is_row_major(const StepArgs& args) {
  return std::holds_alternative<xgen_move>(args) || std::holds_alternative<xgen_broadcast>(args) ||
         std::holds_alternative<xgen_map>(args) || std::holds_alternative<xgen_axis>(args) ||
         std::holds_alternative<xgen_matmul>(args) || std::holds_alternative<xgen_quantize>(args);
}

std::string shape_of(const ir::Value& value) {
  return value.type.shape ? ir::to_string(*value.type.shape) : "?";
}

// Why a node does not run over planes (DESIGN section 4).
std::string why_row_major(const ir::Graph& graph, const ir::Node& node) {
  for (const ir::ValueId id : node.inputs) {
    if (id != ir::kNoValue && lower::is_spatial(graph.value(id)))
      return str("row major: no kernel over planes serves ", ir::op_name(node.op), " of ",
                 shape_of(graph.value(id)));
  }
  return str("row major: ", shape_of(graph.value(node.output())), " is no stack of images");
}

// Of a weight without a mask; a few zeros are chance, of int8 more so.
std::string why_zeros_stay(const ir::Constant& weight) {
  constexpr int kWorthSaying = 5;  // percent
  std::int64_t zeros = 0;
  const auto count = [&](const auto& values) {
    zeros = std::count(values.begin(), values.end(), 0);
  };
  if (weight.dtype == ir::DType::f32) count(weight.as<float>());
  if (weight.dtype == ir::DType::i8) count(weight.as<std::int8_t>());
  if (100 * zeros < kWorthSaying * weight.size()) return "";
  return str("dense: ", 100 * zeros / weight.size(),
             " % of its weights are 0, but no mask says that they stay so, and kernels skip blocks "
             "of filters x channels");
}

std::string why_dense(const ir::Graph& graph, const ir::Node& node, const PrunedTimes* times) {
  if (times != nullptr) {
    const auto found = times->layers.find(node.name);
    if (found != times->layers.end())
      return str("dense: its pruned kernel ", times->measured ? "took " : "is predicted to take ",
                 fixed_text(found->second.compressed_us, 2), " us, the dense one ",
                 fixed_text(found->second.dense_us, 2), " us");
  }
  const ir::ValueId weight = node.input(1);
  if (!graph.is_constant(weight)) return "";
  if (!graph.value(weight).sparsity) return why_zeros_stay(*graph.constant(weight));
  const Sparsity& sparsity = *graph.value(weight).sparsity;
  if (sparsity.scheme == Sparsity::Scheme::dense) return "";
  return str("dense: no kernel skips the zeros of scheme ", name_of(sparsity.scheme),
             ", groups of ", sparsity.group_out, " filters x ", sparsity.lane_channels,
             " channels");
}

std::string why_pruned(const Step& step, const PrunedTimes* times) {
  const std::string share = step.dense_macs > 0
                                ? str(fixed_text(100.0 * static_cast<double>(step.macs) /
                                                     static_cast<double>(step.dense_macs),
                                                 0),
                                      " % of the multiply-adds")
                                : "";
  if (times == nullptr) return str(step.scheme, ": ", share, "; not measured");
  const auto found = times->layers.find(step.name);
  if (found == times->layers.end()) return str(step.scheme, ": ", share);
  return str(step.scheme, ": ", share, times->measured ? ", " : ", predicted to be ",
             fixed_text(found->second.dense_us / found->second.compressed_us, 2),
             " times as fast as dense");
}

std::string why(const CompiledModel& model, const Step& step, const PrunedTimes* times) {
  if (step.op == "layout")
    return "between the caller's row-major tensor, or another form, and planes";
  if (step.scheme != "dense") return why_pruned(step, times);
  const ir::Node* node = model.graph.find_node(step.name);
  if (node == nullptr) return "";
  if (is_row_major(step.args)) return why_row_major(model.graph, *node);
  return node->as<ir::Conv>() != nullptr ? why_dense(model.graph, *node, times) : "";
}

}  // namespace

json explain(const CompiledModel& model, const PrunedTimes* times) {
  json passes = json::array(), steps = json::array();
  for (const passes::PassRecord& p : model.passes) {
    passes.push_back({{"name", p.name},
                      {"seconds", p.seconds},
                      {"nodes_before", p.nodes_before},
                      {"nodes_after", p.nodes_after}});
  }
  for (const LayerCalls& layer : by_layer(steps_of(model.program))) {
    const StepInfo& s = layer.info;
    steps.push_back({{"name", s.name},
                     {"op", s.op},
                     {"kernel", s.kernel},
                     {"scheme", s.scheme},
                     {"sizes", s.sizes},
                     {"macs", s.macs},
                     {"dense_macs", s.dense_macs},
                     {"why", why(model, model.program.steps[layer.steps[0]], times)}});
  }
  return {{"passes", passes}, {"steps", steps}};
}

std::string explain_text(const json& explanation) {
  Table passes({"<pass", "nodes before", "after", "ms"});
  for (const json& p : explanation["passes"])
    passes.add({p["name"], std::to_string(p["nodes_before"].get<int>()),
                std::to_string(p["nodes_after"].get<int>()),
                fixed_text(1e3 * p["seconds"].get<double>(), 2)});
  Table steps({"", "<step", "<op", "<kernel", "<scheme", "MACs", "<sizes", "<why"});
  int i = 0;
  for (const json& s : explanation["steps"]) {
    const auto macs = s["macs"].get<std::int64_t>();
    steps.add({std::to_string(i++), s["name"], s["op"], s["kernel"], s["scheme"],
               macs > 0 ? grouped(macs) : "", s["sizes"], s["why"]});
  }
  return passes.text(2) + "\n" + steps.text(2);
}

}  // namespace xgen::cli
