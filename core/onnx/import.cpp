#include "core/onnx/import.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/onnx/node_importer.h"
#include "core/onnx/read_masks.h"
#include "core/onnx/roles.h"
#include "core/onnx/tensor_proto.h"

namespace xgen {

namespace {

using onnx_io::ImportState;
using onnx_io::NodeImporter;
using Function = void (*)(NodeImporter&);

struct Operator {
  const char* name;
  Function import;
};

constexpr Operator kOperators[] = {
#define XGEN_ONNX_OPERATOR(op_type, function) {#op_type, onnx_io::function},
#include "core/onnx/operators.inc"
#undef XGEN_ONNX_OPERATOR
};

Function find_operator(const onnx::NodeProto& node) {
  if (!node.domain().empty() && node.domain() != "ai.onnx") return nullptr;
  for (const Operator& op : kOperators) {
    if (node.op_type() == op.name) return op.import;
  }
  return nullptr;
}

/// Given names, or the operator and the position for nodes without one; each once.
std::vector<std::string> node_names(const onnx::GraphProto& graph) {
  std::set<std::string> taken;
  for (const auto& node : graph.node()) taken.insert(node.name());
  std::set<std::string> used;
  std::vector<std::string> names;
  for (int i = 0; i < graph.node_size(); ++i) {
    std::string name = graph.node(i).name();
    if (name.empty()) {
      name = str(graph.node(i).op_type(), "_", i);
      while (taken.count(name) != 0) name += "_";
    }
    std::string unique = name;
    for (int n = 1; !used.insert(unique).second; ++n) unique = str(name, "_", n);
    names.push_back(unique);
  }
  return names;
}

using NodesByOperator = std::map<std::string, std::vector<std::string>>;

NodesByOperator find_unsupported(const onnx::GraphProto& graph,
                                 const std::vector<std::string>& names) {
  NodesByOperator unsupported;
  for (int i = 0; i < graph.node_size(); ++i) {
    const auto& node = graph.node(i);
    if (find_operator(node) != nullptr) continue;
    const std::string domain = node.domain().empty() ? "" : node.domain() + ".";
    unsupported[domain + node.op_type()].push_back(names[static_cast<std::size_t>(i)]);
  }
  return unsupported;
}

void refuse_unsupported(const NodesByOperator& unsupported, int opset, const std::string& path) {
  if (unsupported.empty()) return;
  std::string message =
      str(path, ": ", unsupported.size(), " operator", unsupported.size() == 1 ? " is" : "s are",
          " not supported (opset ", opset, "):");
  constexpr std::size_t kNodesListed = 3;
  for (const auto& [op, nodes] : unsupported) {
    message += str("\n  ", op, ": node");
    for (std::size_t i = 0; i < nodes.size() && i < kNodesListed; ++i)
      message += str(i == 0 ? " \"" : ", \"", nodes[i], "\"");
    if (nodes.size() > kNodesListed) message += str(" and ", nodes.size() - kNodesListed, " more");
  }
  throw UserError(message);
}

int read_opset(const onnx::ModelProto& model, const std::string& path) {
  int opset = 0;
  for (const auto& entry : model.opset_import()) {
    if (entry.domain().empty() || entry.domain() == "ai.onnx")
      opset = static_cast<int>(entry.version());
  }
  if (!model.has_graph() || opset == 0)
    throw UserError(str(path, ": not an ONNX model (it has no graph or no opset)"));
  if (opset < kLowestOpset || opset > kHighestOpset) {
    throw UserError(str(path, ": opset ", opset, " is not supported; expected ", kLowestOpset,
                        " to ", kHighestOpset));
  }
  return opset;
}

void define(ImportState& state, const std::string& name, ir::ValueId id) {
  if (!state.scope.emplace(name, id).second)
    throw UserError(str("value \"", name, "\" is defined twice"));
}

ir::TensorType read_type(const onnx::ValueInfoProto& info) {
  const std::string where = str("input \"", info.name(), "\"");
  if (!info.type().has_tensor_type())
    throw UserError(str(where, ": expected a tensor, got another type"));
  const auto& tensor = info.type().tensor_type();
  ir::TensorType type;
  type.dtype = onnx_io::to_dtype(tensor.elem_type(), where);
  if (!tensor.has_shape()) throw UserError(str(where, " has no shape"));
  ir::Shape shape;
  for (int i = 0; i < tensor.shape().dim_size(); ++i) {
    const auto& dim = tensor.shape().dim(i);
    // Some exporters write 0 or -1 for "any".
    if (dim.has_dim_value() && dim.dim_value() > 0)
      shape.emplace_back(dim.dim_value());
    else if (!dim.dim_param().empty())
      shape.emplace_back(dim.dim_param());
    else
      shape.emplace_back(i == 0 ? std::string("N") : str(info.name(), "_", i));
  }
  type.shape = std::move(shape);
  return type;
}

void read_sources(ImportState& state, const onnx::GraphProto& graph, const std::string& path) {
  if (graph.sparse_initializer_size() > 0)
    throw UserError(str("sparse_initializer is not supported"));
  std::set<std::string> initializers;
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  for (const auto& info : graph.input()) {
    // Before IR version 4 every initializer was listed as an input as well.
    if (initializers.count(info.name()) != 0) continue;
    const ir::ValueId id = state.graph.add_input(info.name(), read_type(info));
    state.values.push_back(ir::InferredValue{state.graph.value(id).type, std::nullopt});
    define(state, info.name(), id);
  }
  for (const auto& tensor : graph.initializer()) {
    const std::string where = str(path, ": initializer \"", tensor.name(), "\"");
    define(state, tensor.name(),
           state.add_constant(tensor.name(), onnx_io::to_constant(tensor, state.folder, where)));
  }
}

/// Identity nodes are dropped; where one gave an output of the model, the value that it copied
/// takes the output's name.
void find_renamed(ImportState& state, const onnx::GraphProto& graph) {
  std::set<std::string> outputs;
  for (const auto& info : graph.output()) outputs.insert(info.name());
  std::map<std::string, std::string> wanted;  // by value: the name of an output of the model
  for (int i = graph.node_size() - 1; i >= 0; --i) {
    const auto& node = graph.node(i);
    if (node.op_type() != "Identity" || node.input_size() != 1 || node.output_size() != 1) continue;
    const std::string& out = node.output(0);
    const auto further = wanted.find(out);
    if (further != wanted.end())
      wanted.emplace(node.input(0), further->second);
    else if (outputs.count(out) != 0)
      wanted.emplace(node.input(0), out);
  }
  for (const auto& [from, to] : wanted) {
    if (outputs.count(from) == 0) state.renamed.emplace(from, to);
  }
}

void read_nodes(ImportState& state, const onnx::GraphProto& graph,
                const std::vector<std::string>& names) {
  std::set<std::string> read;
  for (const auto& info : graph.output()) read.insert(info.name());
  for (const auto& node : graph.node()) read.insert(node.input().begin(), node.input().end());
  for (int i = 0; i < graph.node_size(); ++i) {
    const auto& proto = graph.node(i);
    NodeImporter node(state, proto, names[static_cast<std::size_t>(i)]);
    if (proto.output_size() == 0 || proto.output(0).empty()) node.fail("it has no output");
    for (const std::string& output : proto.output()) {
      if (!output.empty() && state.scope.count(output) != 0)
        node.fail("value \"", output, "\" is defined twice");
    }
    find_operator(proto)(node);
    for (int o = 1; o < proto.output_size(); ++o) {
      if (read.count(proto.output(o)) != 0 && state.scope.count(proto.output(o)) == 0)
        node.fail("output ", o, " (\"", proto.output(o), "\") is not supported, only the first");
    }
  }
  std::vector<ir::ValueId> outputs;
  for (const auto& info : graph.output()) {
    const auto at = state.scope.find(info.name());
    if (at == state.scope.end())
      throw UserError(str("output \"", info.name(), "\" is not computed by any node"));
    outputs.push_back(at->second);
  }
  if (outputs.empty()) throw UserError("the model has no outputs");
  state.graph.set_outputs(outputs);
}

constexpr const char* kSparsityKey = "xgen.sparsity";

void read_metadata(const onnx::ModelProto& proto, OnnxModel& model, const std::string& path) {
  for (const auto& entry : proto.metadata_props()) {
    if (entry.key() != kSparsityKey) {
      model.metadata[entry.key()] = entry.value();
      continue;
    }
    read_masks(nlohmann::json::parse(entry.value(), nullptr, false), model.graph,
               str(path, ": metadata \"", kSparsityKey, "\""));
  }
}

}  // namespace

OnnxModel import_onnx_model(const std::filesystem::path& path) {
  const std::string file = path.string();
  onnx::ModelProto proto;
  onnx_io::parse_file(path, "ONNX model", proto);
  OnnxModel model;
  model.opset = read_opset(proto, file);
  const std::vector<std::string> names = node_names(proto.graph());
  refuse_unsupported(find_unsupported(proto.graph(), names), model.opset, file);

  ImportState state;
  state.opset = model.opset;
  state.folder = path.parent_path();
  state.graph.name = proto.graph().name().empty() ? path.stem().string() : proto.graph().name();
  try {
    read_sources(state, proto.graph(), file);
    find_renamed(state, proto.graph());
    read_nodes(state, proto.graph(), names);
  } catch (const UserError& e) {
    const std::string message = e.what();
    throw UserError(message.rfind(file, 0) == 0 ? message : str(file, ": ", message));
  }
  assign_roles(state.graph);
  model.graph = std::move(state.graph).pruned();
  read_metadata(proto, model, file);
  return model;
}

ir::Graph import_onnx(const std::filesystem::path& path) { return import_onnx_model(path).graph; }

std::vector<UnsupportedOperator> unsupported_onnx_operators(const std::filesystem::path& path) {
  onnx::ModelProto proto;
  onnx_io::parse_file(path, "ONNX model", proto);
  read_opset(proto, path.string());
  std::vector<UnsupportedOperator> operators;
  for (auto& [op, nodes] : find_unsupported(proto.graph(), node_names(proto.graph())))
    operators.push_back({op, nodes});
  return operators;
}

std::vector<std::string> supported_onnx_operators() {
  std::vector<std::string> names;
  for (const Operator& op : kOperators) names.emplace_back(op.name);
  return names;
}

}  // namespace xgen
