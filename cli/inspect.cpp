#include "cli/inspect.h"

#include <algorithm>
#include <set>

#include "cli/model_file.h"
#include "codegen/compile.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/ir/node_size.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/onnx/import.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json shape_json(const ir::Value& value) {
  json shape = json::array();
  if (!value.type.shape) return nullptr;
  for (const ir::Dim& d : *value.type.shape)
    shape.push_back(d.is_static() ? json(d.size) : json(d.symbol));
  return shape;
}

json layer_rows(const ir::Graph& graph) {
  const ir::UseMap uses(graph);
  std::set<ir::ValueId> counted;
  json rows = json::array();
  for (const ir::Node& node : graph.nodes()) {
    const ir::NodeSize size = ir::size_of_node(graph, uses, node, counted);
    rows.push_back({{"name", node.name},
                    {"op", ir::op_name(node.op)},
                    {"shape", shape_json(graph.value(node.output()))},
                    {"macs", size.macs},
                    {"dense_macs", size.dense_macs},
                    {"parameters", size.parameters},
                    {"nonzero", size.nonzero},
                    {"scheme", size.scheme}});
  }
  return rows;
}

// A model of this node alone, to see whether a kernel serves it.
ir::Graph alone(const ir::Graph& graph, const ir::Node& node) {
  ir::Graph single;
  std::vector<ir::ValueId> inputs;
  std::map<ir::ValueId, ir::ValueId> made;
  for (const ir::ValueId id : node.inputs) {
    if (id == ir::kNoValue) {
      inputs.push_back(id);
      continue;
    }
    if (made.count(id) == 0) {
      const ir::Value& value = graph.value(id);
      made[id] = value.constant ? single.add_constant(value.name, value.constant)
                                : single.add_input(value.name, value.type);
      single.value(made[id]).type = value.type;
      single.value(made[id]).sparsity = value.sparsity;
    }
    inputs.push_back(made[id]);
  }
  const ir::ValueId out = single.add_node(node.name, node.op, inputs);
  single.value(out).type = graph.value(node.output()).type;
  single.set_outputs({out});
  return single;
}

// Every node of a prepared graph that lowering refuses by itself.
json refused_nodes(const ir::Graph& graph, const std::string& first) {
  json rows = json::array();
  for (const ir::Node& node : graph.nodes()) {
    try {
      lower::lower(alone(graph, node), {});
    } catch (const UserError& error) {
      const std::string reason = error.what();
      rows.push_back({{"op", ir::op_name(node.op)}, {"node", node.name}, {"reason", reason}});
    }
  }
  const bool known = std::any_of(rows.begin(), rows.end(), [&](const json& row) {
    return row["reason"].get<std::string>() == first;
  });
  if (!known) rows.push_back({{"op", ""}, {"node", ""}, {"reason", first}});
  return rows;
}

void try_compile(const ir::Graph& graph, const std::map<std::string, std::int64_t>& dims,
                 json& result) {
  CompileOptions options;
  options.target = find_target("host");
  options.dims = dims;
  result["peak_bytes"] = nullptr;
  ir::Graph prepared;
  try {
    prepared = prepare(graph, options).graph;
  } catch (const UserError& error) {
    result["unsupported"].push_back({{"op", ""}, {"node", ""}, {"reason", error.what()}});
    return;
  }
  try {
    const Program program = lower::lower(prepared, lowering_for(options.target));
    result["peak_bytes"] = program.memory_bytes() + program.weights.size();
    result["memory_bytes"] = program.memory_bytes();
    result["weights_bytes"] = program.weights.size();
  } catch (const UserError& error) {
    result["unsupported"] = refused_nodes(prepared, error.what());
  }
}

json unread_operators(const fs::path& path) {
  json rows = json::array();
  for (const UnsupportedOperator& u : unsupported_onnx_operators(path)) {
    for (const std::string& node : u.nodes)
      rows.push_back({{"op", u.op}, {"node", node}, {"reason", "this operator is not read"}});
  }
  return rows;
}

}  // namespace

json inspect_onnx(const fs::path& path, const std::map<std::string, std::int64_t>& dims) {
  json result = {{"path", path.string()}, {"kind", "onnx"},         {"macs", 0},
                 {"dense_macs", 0},       {"parameters", 0},        {"nonzero", 0},
                 {"peak_bytes", nullptr}, {"layers", json::array()}};
  result["unsupported"] = unread_operators(path);
  if (!result["unsupported"].empty()) {
    result["trainable"] = false;
    result["trainable_reason"] = "it has operators that are not read";
    return result;
  }
  OnnxModel model;
  try {
    model = import_onnx_model(path);
  } catch (const UserError& error) {
    result["unsupported"].push_back({{"op", ""}, {"node", ""}, {"reason", error.what()}});
    result["trainable"] = false;
    result["trainable_reason"] = "it cannot be read";
    return result;
  }
  result["name"] = model.graph.name;
  result["opset"] = model.opset;
  result["layers"] = layer_rows(model.graph);
  const ir::NodeSize sum = ir::size_of_graph(model.graph);
  result["macs"] = sum.macs;
  result["dense_macs"] = sum.dense_macs;
  result["parameters"] = sum.parameters;
  result["nonzero"] = sum.nonzero;
  try_compile(model.graph, dims, result);
  const ir::RebatchResult rebatched = ir::rebatch(model.graph);
  result["trainable"] = rebatched.graph.has_value();
  result["trainable_reason"] = rebatched.reason;
  return result;
}

json inspect_bundle(const fs::path& path) {
  const json manifest = read_manifest(path);
  json layers = json::array();
  std::int64_t macs = 0, dense_macs = 0;
  for (const json& step : manifest["steps"]) {
    macs += step.at("macs").get<std::int64_t>();
    dense_macs += step.at("dense_macs").get<std::int64_t>();
    layers.push_back(step);
  }
  const auto memory = manifest["memory_bytes"].get<std::int64_t>();
  const auto weights = manifest["weights_bytes"].get<std::int64_t>();
  return {{"path", path.string()},
          {"kind", "bundle"},
          {"name", manifest["name"]},
          {"arch", manifest["arch"]},
          {"kernels", manifest.value("kernels", json::array())},
          {"macs", macs},
          {"dense_macs", dense_macs},
          {"parameters", manifest.value("parameters", 0)},
          {"nonzero", manifest.value("nonzero", 0)},
          {"peak_bytes", memory + weights},
          {"memory_bytes", memory},
          {"weights_bytes", weights},
          {"layers", layers},
          {"unsupported", json::array()},
          {"trainable", false},
          {"trainable_reason", "a bundle is C code; train from the model that it was made from"}};
}

}  // namespace xgen::cli
