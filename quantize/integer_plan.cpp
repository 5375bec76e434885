#include "quantize/integer_plan.h"

#include <algorithm>

#include "core/ir/activation.h"

namespace xgen::quantize {

namespace {

class Planner {
 public:
  explicit Planner(const ir::Graph& graph) : graph_(graph), uses_(graph) {}

  IntegerPlan run() {
    for (const ir::Node& node : graph_.nodes()) plan_node(node);
    for (const ir::Node& node : graph_.nodes()) {
      if (is_activation_dq(node)) settle_dq(node);
    }
    for (const ir::Node& node : graph_.nodes()) {
      const auto planned = plan_.nodes.find(node.name);
      if (planned != plan_.nodes.end()) settle_inputs(node, planned->second);
    }
    for (const ir::Node& node : graph_.nodes()) {
      if (node.as<ir::QuantizeLinear>() == nullptr || plan_.pass_through.count(node.name) != 0) {
        continue;
      }
      if (!graph_.is_constant(node.input(0))) {
        if (const auto steps = steps_of(node)) plan_.rounds[node.name] = *steps;
      }
    }
    return std::move(plan_);
  }

 private:
  /// Scale and zero point of a Q or DQ of u8 per tensor.
  std::optional<Steps> steps_of(const ir::Node& node) const {
    const ir::Constant* scale = graph_.constant(node.input(1));
    const ir::Constant* zero = graph_.constant(node.input(2));
    if (scale == nullptr || scale->size() != 1 || scale->dtype != ir::DType::f32) return {};
    if (zero == nullptr && node.input(2) != ir::kNoValue) return {};
    if (zero == nullptr) return Steps{scale->as<float>()[0], 0};
    if (zero->dtype != ir::DType::u8 || zero->size() != 1) return {};
    return Steps{scale->as<float>()[0], zero->as<std::uint8_t>()[0]};
  }

  bool is_activation_dq(const ir::Node& node) const {
    if (node.as<ir::DequantizeLinear>() == nullptr || !steps_of(node)) return false;
    const ir::Node* before = producer(graph_, uses_, node.input(0));
    return before != nullptr && before->as<ir::QuantizeLinear>() != nullptr &&
           !graph_.is_constant(before->input(0));
  }

  std::optional<Steps> input_steps(ir::ValueId id) const {
    const ir::Node* before = producer(graph_, uses_, id);
    if (before == nullptr || !is_activation_dq(*before)) return {};
    return steps_of(*before);
  }

  /// The Q that alone reads `id`.
  const ir::Node* only_q(ir::ValueId id) const {
    const ir::Node* reader = only_reader(graph_, uses_, id);
    return reader != nullptr && reader->as<ir::QuantizeLinear>() != nullptr && steps_of(*reader)
               ? reader
               : nullptr;
  }

  /// The rounding after `node`; `passed` collects what is fused.
  std::optional<Rounding> rounding_after(const ir::Node& node, bool takes_clip,
                                         std::vector<std::string>& passed) const {
    const ir::Node* reader = only_reader(graph_, uses_, node.output());
    std::optional<ir::Activation> clip;
    ir::ValueId last = node.output();
    if (takes_clip && reader != nullptr && is_clip(*reader)) {
      clip = ir::to_activation(*reader->as<ir::Unary>());
      last = reader->output();
    }
    const ir::Node* q = only_q(last);
    if (q == nullptr) return {};
    Rounding rounding{*steps_of(*q), {}};
    if (clip) {
      rounding.interval =
          reference::clip_interval(*clip, rounding.steps.scale, rounding.steps.zero_point);
      passed.push_back(reader->name);
    }
    passed.push_back(q->name);
    return rounding;
  }

  void accept(const ir::Node& node, IntegerNode planned, const std::vector<std::string>& passed) {
    plan_.nodes[node.name] = std::move(planned);
    plan_.pass_through.insert(passed.begin(), passed.end());
  }

  void plan_node(const ir::Node& node) {
    std::vector<std::string> passed;
    if (const std::optional<WeightLayer> layer = weight_layer(graph_, uses_, node)) {
      const auto x = input_steps(node.input(0));
      if (!x || layer->weight == nullptr || layer->weight_dq == nullptr) return;
      IntegerNode planned{{*x}, {}, rounding_after(node, true, passed)};
      pass_weight(layer->weight_dq, passed);
      if (layer->bias_id != ir::kNoValue) {
        const ir::Node* dq = producer(graph_, uses_, node.input(2));
        if (dq != nullptr) pass_weight(dq, passed);
      }
      accept(node, std::move(planned), passed);
      return;
    }
    const bool moves = keeps_scale(graph_, node);
    const ir::Binary* binary = node.as<ir::Binary>();
    const bool is_add = binary != nullptr && binary->kind == ir::Binary::Kind::add;
    const ir::AveragePool* average = node.as<ir::AveragePool>();
    const bool averages = (average != nullptr && !average->ceil_mode &&
                           average->dilations == std::array<std::int64_t, 2>{1, 1}) ||
                          node.as<ir::GlobalAveragePool>() != nullptr;
    const bool known = moves || is_add || averages || node.as<ir::Concat>() != nullptr ||
                       node.as<ir::Unary>() != nullptr;
    if (!known || plan_.pass_through.count(node.name) != 0) return;
    IntegerNode planned;
    for (std::size_t i = 0; i < (moves ? 1 : node.inputs.size()); ++i) {
      const auto steps = input_steps(node.inputs[i]);
      if (!steps) return;
      planned.inputs.push_back(*steps);
    }
    planned.result = rounding_after(node, is_add, passed);
    if (!planned.result || (moves && planned.result->steps != planned.inputs.front())) return;
    accept(node, std::move(planned), passed);
  }

  /// Weights go to their layer as they are, float or integer.
  void pass_weight(const ir::Node* dq, std::vector<std::string>& passed) const {
    passed.push_back(dq->name);
    const ir::Node* q = producer(graph_, uses_, dq->input(0));
    if (q != nullptr) passed.push_back(q->name);
  }

  /// A pair hands on stored integers when every reader takes them.
  void settle_dq(const ir::Node& dq) {
    const auto readers = uses_.readers[static_cast<std::size_t>(dq.output())];
    const bool is_output =
        static_cast<int>(readers.size()) != uses_.uses[static_cast<std::size_t>(dq.output())];
    const bool all_integer = !is_output && std::all_of(readers.begin(), readers.end(), [&](int n) {
      const ir::Node& reader = graph_.nodes()[static_cast<std::size_t>(n)];
      return reader.as<ir::ShapeOf>() != nullptr || plan_.nodes.count(reader.name) != 0;
    });
    if (all_integer) {
      plan_.pass_through.insert(dq.name);
      return;
    }
    plan_.scales[dq.name] = *steps_of(dq);
    for (const int n : readers) {
      // What moves real values needs no integers; the Q after it recovers them.
      const ir::Node& reader = graph_.nodes()[static_cast<std::size_t>(n)];
      if (!keeps_scale(graph_, reader) || plan_.nodes.erase(reader.name) == 0) continue;
      plan_.pass_through.erase(only_q(reader.output())->name);
    }
  }

  void settle_inputs(const ir::Node& node, IntegerNode& planned) {
    for (std::size_t i = 0; i < planned.inputs.size(); ++i) {
      const ir::Node* dq = producer(graph_, uses_, node.inputs[i]);
      planned.is_real.push_back(plan_.pass_through.count(dq->name) == 0);
    }
  }

  const ir::Graph& graph_;
  ir::UseMap uses_;
  IntegerPlan plan_;
};

}  // namespace

IntegerPlan make_integer_plan(const ir::Graph& graph) { return Planner(graph).run(); }

}  // namespace xgen::quantize
