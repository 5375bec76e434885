#include "search/spaces/model.h"

#include <set>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/suggest.h"
#include "search/spaces/model_edits.h"
#include "search/spaces/model_plan.h"

namespace xgen::search {

namespace {

// What a point says.
struct Chosen {
  std::size_t graph = 0;
  std::string resolution, activation = "keep";
  std::vector<double> shares;          // by group
  std::vector<std::string> operators;  // by convolution
  std::vector<bool> skipped;           // by branch
};

Chosen chosen_by(const ModelPlan& plan, const std::vector<double>& widths, const Point& point) {
  using Kind = ModelDecision::Kind;
  Chosen chosen;
  chosen.shares.resize(plan.groups, 1);
  chosen.operators.resize(plan.convolutions.size(), "keep");
  chosen.skipped.resize(plan.branches.size());
  for (std::size_t i = 0; i < plan.decisions.size(); ++i) {
    const ModelDecision& decision = plan.decisions[i];
    const auto at = static_cast<std::size_t>(point[i]);
    const std::string& choice = decision.parameter.choices[at];
    switch (decision.kind) {
      case Kind::resolution:
        chosen.graph = at;
        chosen.resolution = choice;
        break;
      case Kind::activation:
        chosen.activation = choice;
        break;
      case Kind::width:
        chosen.shares.assign(plan.groups, widths[at]);
        break;
      case Kind::group_width:
        chosen.shares[decision.index] = widths[at];
        break;
      case Kind::block:
        chosen.skipped[decision.index] = choice == "skip";
        break;
      case Kind::convolution:
        chosen.operators[decision.index] = choice;
        break;
    }
  }
  return chosen;
}

template <class T>
std::optional<ConfigProblem> twice(const std::string& key, const std::vector<T>& choices) {
  std::set<T> seen;
  for (const T& choice : choices) {
    if (!seen.insert(choice).second)
      return ConfigProblem{key, str("\"", choice, "\" stands there twice")};
  }
  return std::nullopt;
}

std::optional<ConfigProblem> other_than(const std::string& key,
                                        const std::vector<std::string>& choices,
                                        const std::vector<std::string>& allowed) {
  const std::set<std::string> names(allowed.begin(), allowed.end());
  for (const std::string& choice : choices) {
    if (names.count(choice) == 0)
      return ConfigProblem{key, str("expected one of ", detail::quoted_list(allowed), ", got \"",
                                    choice, "\"", did_you_mean(choice, allowed))};
  }
  return twice(key, choices);
}

// A block that is skipped has one form: its convolutions take their first choice.
std::vector<Condition> conditions_of(const ModelPlan& plan) {
  const auto only = [&](std::size_t parameter, std::size_t choice) {
    Clause clause{parameter,
                  std::vector<bool>(plan.decisions[parameter].parameter.choices.size(), false)};
    clause.holds[choice] = true;
    return clause;
  };
  std::vector<Condition> conditions;
  for (std::size_t b = 0; b < plan.decisions.size(); ++b) {
    const ModelDecision& block = plan.decisions[b];
    if (block.kind != ModelDecision::Kind::block) continue;
    const std::vector<std::string>& choices = block.parameter.choices;
    const auto skip = std::find(choices.begin(), choices.end(), "skip");
    if (skip == choices.end()) continue;
    const std::vector<std::string>& nodes = plan.branches[block.index].nodes;
    Condition condition{{only(b, static_cast<std::size_t>(skip - choices.begin()))}, {}};
    for (std::size_t c = 0; c < plan.decisions.size(); ++c) {
      const ModelDecision& inner = plan.decisions[c];
      if (inner.kind == ModelDecision::Kind::convolution &&
          std::find(nodes.begin(), nodes.end(), plan.convolutions[inner.index].convolution) !=
              nodes.end())
        condition.then.push_back(only(c, 0));
    }
    if (!condition.then.empty()) conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace

std::optional<ConfigProblem> ModelSpace::problem() const {
  if (onnx.empty() == zoo.empty())
    return ConfigProblem{"", R"(expected exactly one of "onnx", "zoo")"};
  if (classes && zoo.empty())
    return ConfigProblem{"classes", "expected none: an ONNX file has its own"};
  for (const std::string& name : operators) {
    if (name != "keep" && !operator_layers(name))
      return ConfigProblem{"operators", str("expected \"keep\", \"skip\" or layers like \"1x1\" or "
                                            "\"dw3x3+1x1\" (kernels of 1, 3, 5 or 7), got \"",
                                            name, "\"")};
  }
  if (auto problem = twice("operators", operators)) return problem;
  if (auto problem = twice("widths", widths)) return problem;
  if (auto problem = twice("resolutions", resolutions)) return problem;
  if (auto problem = other_than("blocks", blocks, {"keep", "skip"})) return problem;
  return other_than("activations", activations, {"keep", "relu", "relu6", "hard_swish"});
}

void ModelSpace::resolve(const std::filesystem::path& folder) {
  plan = std::make_shared<const ModelPlan>(plan_of(*this, folder));
}

Space ModelSpace::space() const {
  XGEN_CHECK(plan != nullptr, "a space whose model is not loaded");
  Space space{kKind, {}};
  for (const ModelDecision& decision : plan->decisions)
    space.parameters.push_back(decision.parameter);
  space.conditions = conditions_of(*plan);
  return space;
}

ir::Graph ModelSpace::network(const Point& point, const std::optional<Random>& random) const {
  XGEN_CHECK(space().contains(point), "a point of another space");
  const Chosen chosen = chosen_by(*plan, widths, point);
  ir::Graph graph = plan->graphs[chosen.graph];
  if (!zoo.empty() && random) {
    graph = load_base_model(*this, "", random->seed());
    if (!resolutions.empty()) graph = with_resolution(graph, resolutions[chosen.graph]);
  }
  if (const auto activation = activation_of(chosen.activation))
    graph = with_activation(std::move(graph), plan->activations, *activation);
  for (std::size_t i = 0; i < plan->branches.size(); ++i) {
    if (chosen.skipped[i]) graph = without_branch(std::move(graph), plan->branches[i]);
  }
  FreshConvolutions fresh;
  for (std::size_t i = 0; i < plan->convolutions.size(); ++i) {
    if (chosen.operators[i] != "keep")
      graph = with_operator(std::move(graph), plan->convolutions[i], chosen.operators[i], fresh);
  }
  graph = with_widths(ir::infer_shapes(std::move(graph)),
                      [&](const std::string& producer) -> std::optional<double> {
                        const auto replaced = fresh.find(producer);
                        const auto group = plan->group_of.find(
                            replaced == fresh.end() ? producer : replaced->second);
                        if (group == plan->group_of.end()) return std::nullopt;
                        return chosen.shares[group->second];
                      });
  return random ? with_drawn_weights(std::move(graph), fresh, *random) : graph;
}

std::optional<std::int64_t> ModelSpace::resolution(const Point& point) const {
  if (resolutions.empty()) return std::nullopt;
  return resolutions[chosen_by(*plan, widths, point).graph];
}

LabelledGraph ModelSpace::labelled(const Point& point) const {
  XGEN_CHECK(space().contains(point), "a point of another space");
  const Chosen chosen = chosen_by(*plan, widths, point);
  std::map<std::string, std::string> operators_of;  // by convolution
  for (std::size_t i = 0; i < plan->convolutions.size(); ++i)
    operators_of[plan->convolutions[i].convolution] = chosen.operators[i];
  std::set<std::string> gone;
  for (std::size_t i = 0; i < plan->branches.size(); ++i) {
    if (!chosen.skipped[i]) continue;
    gone.insert(plan->branches[i].add);
    gone.insert(plan->branches[i].nodes.begin(), plan->branches[i].nodes.end());
  }
  LabelledGraph graph{{}, plan->edges};
  for (const ModelLabel& label : plan->labels) {
    std::string text = label.text;
    if (label.text == "input" && label.node.empty())
      text =
          str("input ", chosen.resolution, chosen.resolution.empty() ? "" : " ", chosen.activation);
    if (const auto known = operators_of.find(label.node); known != operators_of.end())
      text = known->second == "skip" ? "skip" : str(known->second, " ", text);
    if (const auto group = plan->group_of.find(label.node);
        group != plan->group_of.end() && text != "skip")
      text += str(" x", chosen.shares[group->second]);
    graph.labels.push_back(gone.count(label.node) != 0 ? "skip" : text);
  }
  return graph;
}

}  // namespace xgen::search
