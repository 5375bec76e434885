#include "core/ir/rewrite/lower_quantization.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/ir/activation.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/quantized_weight.h"
#include "core/reference/evaluate.h"
#include "core/reference/integer.h"

namespace xgen::ir {

namespace {

template <class... Args>
[[noreturn]] void refuse(const Node& node, const Args&... message) {
  throw UserError(str("node \"", node.name, "\" (", op_name(node.op), "): ", message...));
}

bool only_moves_bytes(const Node& node) {
  if (const auto* resize = node.as<Resize>()) return resize->mode == Resize::Mode::nearest;
  return node.as<MaxPool>() || node.as<Slice>() || node.as<Reshape>() || node.as<Flatten>() ||
         node.as<Transpose>() || node.as<Squeeze>() || node.as<Unsqueeze>();
}

/// Builds the lowered graph on demand, from the outputs backwards: every value of the old graph has
/// a real form (f32, or integers that are no quantization), every quantized one a u8 form.
class Lowering {
 public:
  explicit Lowering(const Graph& old) : old_(old), uses_(old) {}

  Graph run() {
    new_.name = old_.name;
    for (const ValueId id : old_.inputs())
      real_[id] = new_.add_input(old_.value(id).name, old_.value(id).type);
    // In topological order, so that the recursion below stays shallow.
    for (const Node& node : old_.nodes()) {
      if (node.as<QuantizeLinear>() && !old_.is_constant(node.inputs[0]) && is_live(node))
        quantized(node.output());
    }
    std::vector<ValueId> outputs;
    for (const ValueId id : old_.outputs()) outputs.push_back(output(id));
    new_.set_outputs(outputs);
    return infer_shapes(std::move(new_).pruned());
  }

 private:
  const Node* producer(ValueId id) const {
    const int n = id == kNoValue ? -1 : uses_.producer[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &old_.nodes()[static_cast<std::size_t>(n)];
  }
  bool is_live(const Node& node) const {
    return uses_.uses[static_cast<std::size_t>(node.output())] > 0;
  }
  bool is_output(ValueId id) const {
    return std::find(old_.outputs().begin(), old_.outputs().end(), id) != old_.outputs().end();
  }

  // Scale and zero point of a Q or DQ node as parameters of u8.
  QuantParams params_of(const Node& node) const {
    const Constant* scale = old_.constant(node.input(1));
    const Constant* zero = old_.constant(node.input(2));
    if (scale == nullptr || (node.input(2) != kNoValue && zero == nullptr))
      refuse(node, "scale and zero point must be constants");
    if (scale->size() != 1)
      refuse(node, "activations with ", scale->size(), " scales; expected one for the tensor");
    QuantParams q;
    q.scale = {scale->as<float>()[0]};
    if (!(q.scale[0] > 0)) refuse(node, "scale ", q.scale[0]);
    q.zero_point = {0};
    if (zero != nullptr && zero->dtype == DType::i8)
      q.zero_point = {zero->as<std::int8_t>()[0] + 128};
    else if (zero != nullptr && zero->dtype == DType::u8)
      q.zero_point = {zero->as<std::uint8_t>()[0]};
    else if (zero != nullptr)
      refuse(node, "a zero point of type ", name_of(zero->dtype));
    return q;
  }

  /// The Q (or u8 input) behind a DequantizeLinear that gives `id`; kNoValue when there is none.
  ValueId quantized_source(ValueId id) const {
    const Node* dequantize = producer(id);
    if (dequantize == nullptr || !dequantize->as<DequantizeLinear>()) return kNoValue;
    const ValueId source = dequantize->inputs[0];
    const Node* quantize = producer(source);
    if (quantize != nullptr) {
      if (!quantize->as<QuantizeLinear>() || old_.is_constant(quantize->inputs[0])) return kNoValue;
      // A pair which disagrees is a change of scale, not a quantization.
      return params_of(*quantize) == params_of(*dequantize) ? source : kNoValue;
    }
    const bool is_u8_input =
        !old_.is_constant(source) && old_.value(source).type.dtype == DType::u8;
    return is_u8_input ? source : kNoValue;
  }

  const QuantParams& quant(ValueId lowered) const { return *new_.value(lowered).type.quant; }

  ValueId constant(ValueId id) {
    const Value& v = old_.value(id);
    const ValueId copy = new_.add_constant(v.name, v.constant);
    new_.value(copy).sparsity = v.sparsity;
    return copy;
  }

  ValueId emit(const std::string& name, Op op, std::vector<ValueId> inputs,
               const std::string& output_name, const std::optional<QuantParams>& q) {
    std::string unique = name;
    for (int n = 1; !node_names_.insert(unique).second; ++n) unique = str(name, "_", n);
    const ValueId id = new_.add_node(unique, std::move(op), std::move(inputs), output_name);
    if (q) new_.value(id).type = {DType::u8, std::nullopt, q};
    return id;
  }

  ValueId scale_constant(const std::string& name, const QuantParams& q) {
    return new_.add_constant(name + ".scale", Constant::scalar(q.scale[0]));
  }
  ValueId zero_point_constant(const std::string& name, const QuantParams& q) {
    return new_.add_constant(name + ".zero_point",
                             Constant::scalar(static_cast<std::uint8_t>(q.zero_point[0])));
  }

  /// The value of an old output, under its name and of its type.
  ValueId output(ValueId id) {
    const Node* node = producer(id);
    if (node == nullptr || !node->as<QuantizeLinear>()) return real(id);
    const ValueId u8 = quantized(id);
    if (old_.value(id).type.dtype == DType::u8) return u8;
    // An s8 output of the model: requantized from the same real numbers, which is exact.
    const ValueId f32 = dequantize(u8, node->name + ".real", node->name + ".real");
    return emit(node->name + ".s8", QuantizeLinear{},
                {f32, constant(node->inputs[1]), constant(node->inputs[2])}, old_.value(id).name,
                std::nullopt);
  }

  ValueId dequantize(ValueId u8, const std::string& name, const std::string& output_name) {
    const QuantParams q = quant(u8);
    return emit(name, DequantizeLinear{},
                {u8, scale_constant(name, q), zero_point_constant(name, q)}, output_name,
                std::nullopt);
  }

  ValueId real(ValueId id) {
    if (id == kNoValue) return kNoValue;
    const auto known = real_.find(id);
    if (known != real_.end()) return known->second;
    const ValueId made = make_real(id);
    real_[id] = made;
    return made;
  }

  ValueId make_real(ValueId id) {
    if (old_.is_constant(id)) return constant(id);
    const Node& node = *producer(id);
    const std::string& name = old_.value(id).name;
    if (node.as<DequantizeLinear>()) {
      const ValueId source = quantized_source(id);
      if (source != kNoValue) return dequantize(quantized(source), node.name, name);
    } else if (const auto integer = linear(node, std::nullopt, {}, name)) {
      return *integer;
    }
    std::vector<ValueId> inputs;
    for (const ValueId in : node.inputs) inputs.push_back(real(in));
    if (node.as<QuantizeLinear>() || node.as<DequantizeLinear>()) {
      // A quantized weight of an operator that stays f32.
      if (const auto folded = fold(node, inputs)) return new_.add_constant(name, *folded);
    }
    return emit(node.name, node.op, inputs, name, std::nullopt);
  }

  std::optional<Constant> fold(const Node& node, const std::vector<ValueId>& inputs) const {
    std::vector<ConstantPtr> operands;
    for (const ValueId in : inputs) {
      if (in != kNoValue && !new_.is_constant(in)) return std::nullopt;
      operands.push_back(in == kNoValue ? nullptr : new_.value(in).constant);
    }
    return reference::evaluate_node(old_, node, operands);
  }

  ValueId quantized(ValueId id) {
    const auto known = quantized_.find(id);
    if (known != quantized_.end()) return known->second;
    const Node* node = producer(id);
    if (node == nullptr) {  // a u8 input of the model, typed by the first DQ that reads it
      for (const int reader : uses_.readers[static_cast<std::size_t>(id)]) {
        const Node& dequantize = old_.nodes()[static_cast<std::size_t>(reader)];
        if (dequantize.as<DequantizeLinear>())
          new_.value(real_.at(id)).type.quant = params_of(dequantize);
      }
      return quantized_[id] = real_.at(id);
    }
    const QuantParams q = params_of(*node);
    const auto key = std::make_tuple(node->inputs[0], q.scale[0], q.zero_point[0]);
    const auto twin = by_params_.find(key);
    if (twin != by_params_.end()) return quantized_[id] = twin->second;
    const ValueId made = make_quantized(*node, q);
    by_params_[key] = made;
    quantized_[id] = made;
    return made;
  }

  ValueId make_quantized(const Node& quantize, const QuantParams& q) {
    const ValueId x = quantize.inputs[0];
    const std::string& name = old_.value(quantize.output()).name;
    if (read_only_by_q(x, q)) {
      if (const auto integer = integer_form(x, q, name)) return *integer;
    }
    // Of a u8 value with the same parameters the round trip changes nothing.
    const ValueId source = quantized_source(x);
    if (source != kNoValue && quant(quantized(source)) == q) return quantized(source);
    return emit(quantize.name, QuantizeLinear{},
                {real(x), scale_constant(quantize.name, q), zero_point_constant(quantize.name, q)},
                name, q);
  }

  /// Whether every reader of `id` quantizes it to `q`, so that no real form is needed.
  bool read_only_by_q(ValueId id, const QuantParams& q) const {
    const auto readers = uses_.readers[static_cast<std::size_t>(id)];
    return !is_output(id) && std::all_of(readers.begin(), readers.end(), [&](int n) {
      const Node& reader = old_.nodes()[static_cast<std::size_t>(n)];
      return reader.as<QuantizeLinear>() && params_of(reader) == q;
    });
  }

  std::optional<ValueId> integer_form(ValueId x, const QuantParams& q, const std::string& name) {
    const Node* node = producer(x);
    if (node == nullptr) return std::nullopt;
    if (const auto* unary = node->as<Unary>()) {
      if (quantized_source(node->inputs[0]) != kNoValue)
        return emit(node->name, *unary, {quantized(quantized_source(node->inputs[0]))}, name, q);
      const auto activation = to_activation(*unary);
      const ValueId before = node->inputs[0];
      const bool alone = uses_.uses[static_cast<std::size_t>(before)] == 1;
      if (!activation || activation->kind != Activation::Kind::clip || !alone) return std::nullopt;
      return clipped(before, *activation, q, node->name, name);
    }
    return unclipped(x, {}, q, name);
  }

  /// clip(x) as u8, where x is the result of an operator with an integer form.
  std::optional<ValueId> clipped(ValueId x, const Activation& clip, const QuantParams& q,
                                 const std::string& clip_name, const std::string& name) {
    const Node* node = producer(x);
    if (node == nullptr) return std::nullopt;
    if (node->as<Conv>()) return unclipped(x, clip, q, name);
    const bool binds =
        reference::clip_interval(clip, q.scale[0], q.zero_point[0]) != reference::QuantInterval{};
    if (!binds) return unclipped(x, {}, q, name);
    const auto whole = unclipped(x, {}, q, name + ".unclipped");
    if (!whole) return std::nullopt;
    return emit(clip_name, to_unary(clip), {*whole}, name, q);
  }

  std::optional<ValueId> unclipped(ValueId x, const Activation& clip, const QuantParams& q,
                                   const std::string& name) {
    const Node* node = producer(x);
    if (node == nullptr) return std::nullopt;
    if (const auto integer = linear(*node, q, clip, name)) return integer;
    const auto* binary = node->as<Binary>();
    const bool adds = binary != nullptr && binary->kind == Binary::Kind::add;
    const bool averages = node->as<AveragePool>() || node->as<GlobalAveragePool>();
    const bool pads = node->as<Pad>() != nullptr;
    const bool moves = only_moves_bytes(*node) || pads;
    if (!adds && !averages && !moves && !node->as<Concat>()) return std::nullopt;

    const std::size_t data_inputs = adds || node->as<Concat>() ? node->inputs.size() : 1;
    for (std::size_t i = 0; i < data_inputs; ++i) {
      if (quantized_source(node->inputs[i]) == kNoValue) return std::nullopt;
    }
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < data_inputs; ++i)
      inputs.push_back(quantized(quantized_source(node->inputs[i])));
    if (moves && quant(inputs[0]) != q) return std::nullopt;
    if (pads && !pads_zero(*node)) return std::nullopt;
    for (std::size_t i = data_inputs; i < node->inputs.size(); ++i) {
      if (pads && i == 2)
        inputs.push_back(zero_point_constant(node->name, q));
      else
        inputs.push_back(real(node->inputs[i]));
    }
    return emit(node->name, node->op, inputs, name, q);
  }

  bool pads_zero(const Node& pad) {
    if (pad.input(2) == kNoValue) return true;
    // The value may be quantized itself; its real form is a constant then as well.
    const Constant* value = new_.constant(real(pad.input(2)));
    return value != nullptr && value->dtype == DType::f32 && value->as<float>()[0] == 0;
  }

  /// Conv, Gemm or MatMul with quantized input and weight; with an f32 result where `q` is empty.
  std::optional<ValueId> linear(const Node& node, const std::optional<QuantParams>& q,
                                const Activation& clip, const std::string& name) {
    const bool is_conv = node.as<Conv>() != nullptr;
    const auto* gemm = node.as<Gemm>();
    if (!is_conv && gemm == nullptr && !node.as<MatMul>()) return std::nullopt;
    if (gemm != nullptr && (gemm->alpha != 1 || gemm->beta != 1 || gemm->trans_a))
      return std::nullopt;
    const ValueId source = quantized_source(node.inputs[0]);
    if (source == kNoValue) return std::nullopt;
    auto weight = read_quantized_weight(old_, uses_, node.inputs[1], node);
    if (!weight || (!is_conv && weight->values.shape.size() != 2)) return std::nullopt;
    const std::size_t channel_axis = is_conv || (gemm != nullptr && gemm->trans_b) ? 0 : 1;
    if (weight->quant.axis >= 0 && weight->quant.axis != static_cast<int>(channel_axis))
      refuse(node, "the weight has scales along axis ", weight->quant.axis, ", expected axis ",
             channel_axis);
    const ValueId x = quantized(source);
    auto bias =
        read_quantized_bias(old_, uses_, node.input(2), quant(x).scale[0], *weight,
                            static_cast<std::size_t>(weight->values.shape[channel_axis]), node);
    if (!bias) return std::nullopt;

    std::vector<ValueId> inputs{x, weight_constant(*weight)};
    if (node.input(2) != kNoValue)
      inputs.push_back(new_.add_constant(node.name + ".bias", *std::move(bias)));
    Op op = node.op;
    if (is_conv) std::get<Conv>(op).epilogue.activation = clip;
    return emit(node.name, op, inputs, name, q);
  }

  ValueId weight_constant(const QuantizedWeight& weight) {
    const auto known = weights_.find(weight.source);
    if (known != weights_.end() && quant(known->second) == weight.quant) return known->second;
    const ValueId id = new_.add_constant(old_.value(weight.source).name, weight.values);
    new_.value(id).type.quant = weight.quant;
    new_.value(id).sparsity = weight.sparsity;
    weights_[weight.source] = id;
    return id;
  }

  const Graph& old_;
  const UseMap uses_;
  Graph new_;
  std::map<ValueId, ValueId> real_;
  std::map<ValueId, ValueId> quantized_;
  std::map<std::tuple<ValueId, float, std::int32_t>, ValueId> by_params_;
  std::map<ValueId, ValueId> weights_;
  std::set<std::string> node_names_;
};

}  // namespace

Graph lower_quantization(const Graph& graph) {
  const bool quantizes = std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& n) {
    return n.as<QuantizeLinear>() || n.as<DequantizeLinear>();
  });
  return quantizes ? Lowering(graph).run() : graph;
}

}  // namespace xgen::ir
