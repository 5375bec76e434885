#include "search/spaces/model_plan.h"

#include <algorithm>
#include <set>

#include "core/glob.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/channel_groups.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/ir/rewrite/simplify.h"
#include "core/onnx/import.h"
#include "search/spaces/model_edits.h"
#include "train/zoo/zoo.h"

namespace xgen::search {

namespace {

using ir::Node;
using ir::ValueId;
using Kind = ModelDecision::Kind;

std::string name_of_model(const ModelSpace& space, const std::filesystem::path& folder) {
  return space.onnx.empty() ? "zoo model \"" + space.zoo + "\"" : (folder / space.onnx).string();
}

bool is_excluded(const ModelSpace& space, const std::string& node) {
  return std::any_of(space.exclude.begin(), space.exclude.end(),
                     [&](const std::string& glob) { return matches_glob(glob, node); });
}

std::string shapes_of_outputs(const ir::Graph& graph) {
  std::string text;
  for (const ValueId id : graph.outputs()) {
    const ir::Value& value = graph.value(id);
    text +=
        str(text.empty() ? "" : ", ", "\"", value.name, "\" ", ir::to_string(*value.type.shape));
  }
  return text;
}

// One graph for each resolution, or the model itself.
std::vector<ir::Graph> sized(const ir::Graph& base, const ModelSpace& space,
                             const std::string& what) {
  const auto refuse = [&](const std::string& reason) { throw UserError(what + ": " + reason); };
  const ir::Value& input = base.value(base.inputs().at(0));
  const ir::Shape& shape = *input.type.shape;
  const bool images = base.inputs().size() == 1 && shape.size() == 4 && shape[1].is_static();
  const bool has_size = std::all_of(shape.begin() + (shape.empty() ? 0 : 1), shape.end(),
                                    [](const ir::Dim& dim) { return dim.is_static(); });
  if (space.resolutions.empty()) {
    if (!has_size)
      refuse(str("input \"", input.name, "\" is ", ir::to_string(shape),
                 ": expected \"resolutions\" that give it a size"));
    return {base};
  }
  if (!images)
    refuse(
        str(R"("resolutions": expected a model with one input [N, channels, height, width], got ")",
            input.name, "\" ", ir::to_string(shape)));
  std::vector<ir::Graph> graphs;
  std::string known = has_size ? shapes_of_outputs(base) : "";
  for (const std::int64_t size : space.resolutions) {
    try {
      graphs.push_back(with_resolution(base, size));
    } catch (const UserError& error) {
      refuse(str("\"resolutions\": cannot take images of ", size, "x", size, ": ", error.what()));
    }
    const std::string outputs = shapes_of_outputs(graphs.back());
    if (known.empty()) known = outputs;
    if (outputs != known)
      refuse(
          str("\"resolutions\": expected a model whose outputs do not depend on the size of "
              "images, got ",
              outputs, " for ", size, "x", size, " instead of ", known));
  }
  return graphs;
}

// A node with a label of its own; the others hand on what they read.
std::string label_of(const ir::Graph& graph, const Node& node) {
  if (const auto* conv = node.as<ir::Conv>()) {
    const ir::Shape& weight = *graph.value(node.inputs[1]).type.shape;
    return str(conv->groups == 1 ? "" : "grouped ", ir::to_string(weight[2]), "x",
               ir::to_string(weight[3]), " ", ir::to_string(weight[0]), " /", conv->strides[0]);
  }
  const bool labelled = node.as<ir::Gemm>() || node.as<ir::MatMul>() || node.as<ir::MaxPool>() ||
                        node.as<ir::AveragePool>() || node.as<ir::GlobalAveragePool>() ||
                        node.as<ir::Concat>() || node.as<ir::Resize>();
  const bool joins = node.as<ir::Binary>() && !graph.is_constant(node.inputs[0]) &&
                     !graph.is_constant(node.inputs[1]);
  return labelled || joins ? ir::op_name(node.op) : "";
}

void add_labels(ModelPlan& plan) {
  const ir::Graph& graph = plan.graphs[0];
  std::map<ValueId, std::set<int>> from;  // labels that a value comes from
  const auto add = [&](const std::string& node, const std::string& text,
                       const std::set<int>& producers) {
    const int label = static_cast<int>(plan.labels.size());
    plan.labels.push_back({node, text});
    for (const int producer : producers) plan.edges.emplace_back(producer, label);
    return label;
  };
  for (const ValueId input : graph.inputs()) from[input] = {add("", "input", {})};
  for (const Node& node : graph.nodes()) {
    std::set<int> producers;
    for (const ValueId id : node.inputs) producers.insert(from[id].begin(), from[id].end());
    const std::string text = label_of(graph, node);
    if (!text.empty()) producers = {add(node.name, text, producers)};
    for (const ValueId out : node.outputs) from[out] = producers;
  }
  for (const ValueId output : graph.outputs()) add("", "output", from[output]);
}

void add_groups(const ModelSpace& space, ModelPlan& plan) {
  std::vector<std::string> shares;
  for (const double share : space.widths) shares.push_back(str(share));
  for (const ir::ChannelGroup& group : ir::channel_groups(plan.graphs[0])) {
    const bool free = std::any_of(group.units.begin(), group.units.end(),
                                  [](const ir::ChannelUnit& unit) { return unit.pinned.empty(); });
    const bool excluded =
        std::any_of(group.producers.begin(), group.producers.end(),
                    [&](const std::string& node) { return is_excluded(space, node); });
    if (!free || excluded) continue;
    for (const std::string& node : group.producers) plan.group_of[node] = plan.groups;
    if (space.width_per == "group")
      plan.decisions.push_back(
          {Kind::group_width, plan.groups, {"width:" + group.producers[0], shares}});
    ++plan.groups;
  }
  if (space.width_per == "network" && plan.groups > 0)
    plan.decisions.push_back({Kind::width, 0, {"width", shares}});
}

void add_convolutions(const ModelSpace& space, ModelPlan& plan) {
  const ir::Graph& graph = plan.graphs[0];
  for (const ConvolutionPlace& place : convolution_places(graph)) {
    if (is_excluded(space, place.convolution)) continue;
    std::vector<std::string> offered;
    for (const std::string& name : space.operators) {
      if (name == "keep" || fits(graph, place, name)) offered.push_back(name);
    }
    if (!offers(offered)) continue;
    plan.decisions.push_back(
        {Kind::convolution, plan.convolutions.size(), {"operator:" + place.convolution, offered}});
    plan.convolutions.push_back(place);
  }
}

}  // namespace

ir::Graph load_base_model(const ModelSpace& space, const std::filesystem::path& folder,
                          std::uint64_t seed) {
  const std::string what = name_of_model(space, folder);
  ir::Graph graph;
  if (space.onnx.empty()) {
    std::int64_t classes = space.classes.value_or(2);
    for (const train::ZooEntry& entry : train::zoo()) {
      if (entry.name == space.zoo) classes = space.classes.value_or(entry.classes);
    }
    graph = ir::infer_shapes(train::make_zoo_model(space.zoo, classes, seed));
  } else {
    graph = ir::infer_shapes(import_onnx(what));
  }
  const ir::RebatchResult batched = ir::rebatch(graph);
  if (!batched.graph)
    throw UserError(str(what, ": cannot be trained: its batch is fixed: ", batched.reason));
  for (const ir::Value& value : batched.graph->values()) {
    if (value.sparsity)
      throw UserError(str(what, ": weight \"", value.name,
                          "\" has a mask; expected the model as it was before it was pruned"));
  }
  return ir::infer_shapes(ir::simplify(ir::fold_constants(ir::infer_shapes(*batched.graph))));
}

ModelPlan plan_of(const ModelSpace& space, const std::filesystem::path& folder) {
  ModelPlan plan;
  plan.what = name_of_model(space, folder);
  const auto missing = [&](const char* list, const char* of) {
    throw UserError(str(plan.what, ": \"", list, "\": expected a model with ", of, ", got none"));
  };
  plan.graphs = sized(load_base_model(space, folder, 0), space, plan.what);
  if (space.resolutions.size() > 1) {
    std::vector<std::string> sizes;
    for (const std::int64_t size : space.resolutions) sizes.push_back(str(size));
    plan.decisions.push_back({Kind::resolution, 0, {"resolution", sizes}});
  }
  if (offers(space.activations)) {
    plan.activations = activation_places(plan.graphs[0]);
    if (plan.activations.empty()) missing("activations", "SiLU, GELU, hard swish, tanh or sigmoid");
    plan.decisions.push_back({Kind::activation, 0, {"activation", space.activations}});
  }
  if (space.widths.size() > 1 || (space.widths.size() == 1 && space.widths[0] != 1)) {
    add_groups(space, plan);
    if (plan.groups == 0) missing("widths", "channels that can be removed");
  }
  if (offers(space.blocks)) {
    plan.branches = branch_places(plan.graphs[0]);
    if (plan.branches.empty()) missing("blocks", "residual blocks that keep the shape");
    for (std::size_t i = 0; i < plan.branches.size(); ++i)
      plan.decisions.push_back({Kind::block, i, {str("block", i + 1), space.blocks}});
  }
  if (offers(space.operators)) {
    add_convolutions(space, plan);
    if (plan.convolutions.empty()) missing("operators", "convolutions in whose place one fits");
  }
  add_labels(plan);
  return plan;
}

}  // namespace xgen::search
