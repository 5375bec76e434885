#include "quantize/simulation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/reference/unary.h"
#include "quantize/integer_plan.h"
#include "quantize/straight_through.h"
#include "quantize/weights.h"

namespace xgen::quantize {

namespace {

using torch::Tensor;

constexpr std::int64_t kExactInFloat = std::int64_t{1} << 24;

torch::Tensor tensor_of(const std::vector<float>& values) {
  return torch::tensor(values, torch::kFloat32);
}

/// One number for each output channel, in the shape that broadcasts to the result.
Tensor per_channel(const std::vector<float>& values, const ir::Node& node, torch::Device device) {
  const Tensor tensor = tensor_of(values).to(device);
  return node.as<ir::Conv>() != nullptr ? tensor.view({1, -1, 1, 1}) : tensor;
}

template <class T>
std::vector<T> elements(const Tensor& tensor, torch::ScalarType type) {
  const Tensor flat = tensor.detach().to(torch::kCPU, type).contiguous();
  return {flat.data_ptr<T>(), flat.data_ptr<T>() + flat.numel()};
}

/// Integers of a layer as tensors; with the gradients of the float weights where these are live.
struct LayerIntegers {
  Tensor weight;  ///< integer-valued, float or double.
  Tensor bias;    ///< likewise; undefined when absent.
  std::vector<float> scale;
};

Tensor pad(const Tensor& x, const std::array<std::int64_t, 4>& pads, double value) {
  if (std::all_of(pads.begin(), pads.end(), [](std::int64_t p) { return p == 0; })) return x;
  return at::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]}, value);
}

}  // namespace

struct IntegerSimulation::Impl {
  ir::Graph graph;
  ir::UseMap uses;
  IntegerPlan plan;

  explicit Impl(const ir::Graph& g) : graph(g), uses(graph), plan(make_integer_plan(graph)) {}

  /// Stored integers minus the zero point of activation `i`.
  static Tensor centred(const IntegerNode& node, const std::vector<Tensor>& inputs, std::size_t i) {
    const Steps& steps = node.inputs[i];
    if (!node.is_real[i]) return inputs[i] - steps.zero_point;
    return round_half_even(inputs[i] / steps.scale);
  }

  static Tensor rounded(const Tensor& x, const Tensor& scale, const Rounding& to) {
    return rounded_to_steps(x, scale, to.steps.zero_point, to.interval.low, to.interval.high);
  }
  static Tensor rounded(const Tensor& x, float scale, const Rounding& to) {
    // As a tensor of float: a C++ number would be multiplied in double.
    return rounded(x, torch::full({}, scale, torch::kFloat32).to(x.device()), to);
  }

  LayerIntegers integers(const WeightLayer& layer, const Tensor& weight, const Tensor& bias,
                         const LayerScales& scales) const {
    QuantizedWeights q;
    const bool baked = weight.scalar_type() == torch::kChar;
    if (baked) {
      const auto scale = graph.constant(layer.weight_dq->input(1))->as<float>();
      q.scale.assign(scale.begin(), scale.end());
      q.values = elements<std::int8_t>(weight, torch::kChar);
      q.bias.assign(layer.channels.count, 0);
      if (bias.defined()) q.bias = elements<std::int32_t>(bias, torch::kInt32);
      q.scale.resize(layer.channels.count, q.scale.front());  // one for all channels is legal
      for (const std::int32_t b : q.bias) q.bound.push_back(std::abs(static_cast<std::int64_t>(b)));
      for (std::size_t i = 0; i < q.values.size(); ++i) {
        q.bound[layer.channels.of(i)] += 255 * std::abs(static_cast<std::int64_t>(q.values[i]));
      }
    } else {
      const auto w = elements<float>(weight, torch::kFloat32);
      const auto b = bias.defined() ? elements<float>(bias, torch::kFloat32) : std::vector<float>{};
      q = quantize_weights(w, b, layer.channels, scales);
    }
    if (const auto problem = overflow(q)) {
      throw UserError(::xgen::str("node \"", layer.node->name, "\": ", *problem,
                                  "; exclude it from quantization"));
    }
    const bool narrow = std::all_of(q.bound.begin(), q.bound.end(),
                                    [](std::int64_t bound) { return bound <= kExactInFloat; });
    const auto type = narrow ? torch::kFloat32 : torch::kFloat64;
    LayerIntegers result;
    Tensor values = torch::empty(weight.sizes(), torch::kChar);
    std::memcpy(values.data_ptr<std::int8_t>(), q.values.data(), q.values.size());
    result.weight = values.to(weight.device(), type);
    Tensor biases = torch::empty({static_cast<std::int64_t>(q.bias.size())}, torch::kInt32);
    std::memcpy(biases.data_ptr<std::int32_t>(), q.bias.data(),
                q.bias.size() * sizeof(std::int32_t));
    result.bias = biases.to(weight.device(), type);
    if (!baked) {
      const Tensor scale = tensor_of(q.scale).to(weight.device());
      std::vector<std::int64_t> along(static_cast<std::size_t>(weight.dim()), 1);
      along[static_cast<std::size_t>(layer.axis)] = -1;
      result.weight = with_gradient_of(result.weight, (weight / scale.view(along)).to(type));
      if (bias.defined()) {
        result.bias = with_gradient_of(result.bias, (bias / (scale * scales.s_x)).to(type));
      }
    }
    result.scale = std::move(q.scale);
    return result;
  }

  Tensor layer(const ir::Node& node, const IntegerNode& planned,
               const std::vector<Tensor>& inputs) const {
    const WeightLayer description = *weight_layer(graph, uses, node);
    const float s_x = planned.inputs[0].scale;
    const Tensor bias = inputs.size() > 2 ? inputs[2] : Tensor();
    const std::optional<float> s_y =
        planned.result ? std::optional(planned.result->steps.scale) : std::nullopt;
    const LayerIntegers q = integers(description, inputs[1], bias, {s_x, s_y});
    const Tensor x = centred(planned, inputs, 0).to(q.weight.scalar_type());
    Tensor sums;
    if (const ir::Conv* conv = node.as<ir::Conv>()) {
      const std::vector<std::int64_t> no_padding{0, 0};
      sums = at::conv2d(pad(x, conv->pads, 0), q.weight, q.bias, at::IntArrayRef(conv->strides),
                        no_padding, at::IntArrayRef(conv->dilations), conv->groups);
    } else {
      const ir::Gemm* gemm = node.as<ir::Gemm>();
      const bool transposed = gemm != nullptr && gemm->trans_b;
      sums = at::matmul(x, transposed ? q.weight.t() : q.weight) + q.bias;
    }
    // Algorithms of a GPU may transform (Winograd): the nearest integer is what is meant.
    if (sums.is_cuda()) sums = round_half_even(sums);
    sums = sums.to(torch::kFloat32);
    std::vector<float> scale;
    for (const float s_w : q.scale) {
      scale.push_back(planned.result
                          ? reference::requantize_scale(s_x, s_w, planned.result->steps.scale)
                          : reference::dequantize_scale(s_x, s_w));
    }
    const Tensor factors = per_channel(scale, node, sums.device());
    return planned.result ? rounded(sums, factors, *planned.result) : sums * factors;
  }

  static Tensor add(const IntegerNode& planned, const std::vector<Tensor>& inputs) {
    const Rounding& to = *planned.result;
    Tensor sum;
    for (std::size_t i = 0; i < 2; ++i) {
      const float scale = reference::fixed_point_scale(planned.inputs[i].scale, to.steps.scale);
      const Tensor x = centred(planned, inputs, i);
      Tensor part = round_half_even(x * torch::full({}, scale, torch::kFloat32).to(x.device()));
      // Sums of the fixed-point steps must be exact.
      if (255 * static_cast<double>(scale) > 4e6) part = part.to(torch::kFloat64);
      sum = sum.defined() ? sum + part : part;
    }
    constexpr double kOne = 1 << reference::kFixedPointBits;
    const Tensor steps = with_gradient_of(((sum.detach() + kOne / 2) / kOne).floor(), sum / kOne);
    const double zero = to.steps.zero_point;
    return (steps.clamp(to.interval.low - zero, to.interval.high - zero) + zero)
        .to(torch::kFloat32);
  }

  static Tensor concat(const ir::Concat& op, const IntegerNode& planned,
                       const std::vector<Tensor>& inputs) {
    std::vector<Tensor> parts;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const float factor =
          reference::rescale_factor(planned.inputs[i].scale, planned.result->steps.scale);
      parts.push_back(rounded(centred(planned, inputs, i), factor, *planned.result));
    }
    return at::cat(parts, op.axis);
  }

  static Tensor average(const ir::Node& node, const IntegerNode& planned,
                        const std::vector<Tensor>& inputs) {
    const Tensor x = centred(planned, inputs, 0);
    const float s_x = planned.inputs[0].scale;
    const float s_y = planned.result->steps.scale;
    const ir::AveragePool* pool = node.as<ir::AveragePool>();
    if (pool == nullptr) {
      const std::int64_t count = x.numel() / (x.size(0) * x.size(1));
      const bool wide = count * 255 > kExactInFloat;
      const Tensor wide_x = wide ? x.to(torch::kFloat64) : x;
      std::vector<std::int64_t> spatial;
      for (std::int64_t d = 2; d < x.dim(); ++d) spatial.push_back(d);
      const Tensor sum = wide_x.sum(spatial, true).to(torch::kFloat32);
      return rounded(sum, reference::average_scale(s_x, s_y, count), *planned.result);
    }
    const auto sums = [&](const Tensor& values) {
      return at::avg_pool2d(values, at::IntArrayRef(pool->kernel), at::IntArrayRef(pool->strides),
                            0, false, true, 1);
    };
    const Tensor ones = torch::ones({1, 1, x.size(2), x.size(3)});
    const Tensor counts = sums(pad(ones, pool->pads, pool->count_include_pad ? 1 : 0));
    std::vector<float> scale = elements<float>(counts, torch::kFloat32);
    for (float& s : scale) {
      // A window that lies in the padding as a whole sums nothing: its scale does not matter.
      s = reference::average_scale(s_x, s_y, std::max<std::int64_t>(1, std::llround(s)));
    }
    return rounded(sums(pad(x, pool->pads, 0)),
                   tensor_of(scale).view(counts.sizes()).to(x.device()), *planned.result);
  }

  static Tensor unary(const ir::Unary& op, const IntegerNode& planned,
                      const std::vector<Tensor>& inputs) {
    const Steps& x = planned.inputs[0];
    const Steps& y = planned.result->steps;
    const auto table = reference::unary_table(op, {{x.scale}, {x.zero_point}, -1},
                                              {{y.scale}, {y.zero_point}, -1});
    // Slopes of the saturated function, in steps, by central differences.
    const auto exact = [&](int q) {
      const float value =
          reference::apply(op, x.scale * static_cast<float>(q - x.zero_point)) / y.scale;
      return std::clamp(value + static_cast<float>(y.zero_point), 0.0F, 255.0F);
    };
    std::vector<float> values;
    std::vector<float> slopes;
    for (int q = 0; q < 256; ++q) {
      values.push_back(table[static_cast<std::size_t>(q)]);
      slopes.push_back((exact(q + 1) - exact(q - 1)) / 2);
    }
    const Tensor stored = centred(planned, inputs, 0) + x.zero_point;
    const Tensor index = stored.detach().to(torch::kInt64);
    const auto look_up = [&](const std::vector<float>& entries) {
      return tensor_of(entries).to(stored.device()).index({index});
    };
    return with_gradient_of(look_up(values), stored * look_up(slopes));
  }

  /// Moved values; the padding of stored integers is the zero point.
  std::optional<Tensor> moved(const ir::Node& node, const IntegerNode& planned,
                              const std::vector<Tensor>& inputs) const {
    if (node.as<ir::Pad>() == nullptr) return {};
    const std::vector<std::int64_t> pads = graph.constant(node.input(1))->as_integers();
    const auto rank = static_cast<std::size_t>(inputs[0].dim());
    XGEN_CHECK(pads.size() == 2 * rank, "pads of \"", node.name, "\"");
    std::vector<std::int64_t> reversed;
    for (std::size_t d = rank; d-- > 0;) {
      reversed.push_back(pads[d]);
      reversed.push_back(pads[rank + d]);
    }
    return at::constant_pad_nd(inputs[0], reversed, planned.inputs[0].zero_point);
  }

  std::optional<Tensor> run(const ir::Node& node, const std::vector<Tensor>& inputs) const {
    if (plan.pass_through.count(node.name) != 0) return inputs[0];
    if (const auto q = plan.rounds.find(node.name); q != plan.rounds.end()) {
      const double zero = q->second.zero_point;
      const Tensor scale = torch::full({}, q->second.scale, torch::kFloat32).to(inputs[0].device());
      return round_half_even((inputs[0] / scale).clamp(-zero, 255 - zero)) + zero;
    }
    if (const auto dq = plan.scales.find(node.name); dq != plan.scales.end()) {
      const Tensor scale =
          torch::full({}, dq->second.scale, torch::kFloat32).to(inputs[0].device());
      return (inputs[0] - dq->second.zero_point) * scale;
    }
    const auto found = plan.nodes.find(node.name);
    if (found == plan.nodes.end()) return {};
    const IntegerNode& planned = found->second;
    if (node.as<ir::Binary>() != nullptr) return add(planned, inputs);
    if (const auto* op = node.as<ir::Concat>()) return concat(*op, planned, inputs);
    if (const auto* op = node.as<ir::Unary>()) return unary(*op, planned, inputs);
    if (node.as<ir::AveragePool>() != nullptr || node.as<ir::GlobalAveragePool>() != nullptr) {
      return average(node, planned, inputs);
    }
    if (keeps_scale(graph, node)) return moved(node, planned, inputs);
    return layer(node, planned, inputs);
  }
};

IntegerSimulation::IntegerSimulation(const ir::Graph& graph)
    : impl_(std::make_unique<Impl>(graph)) {}
IntegerSimulation::~IntegerSimulation() = default;
IntegerSimulation::IntegerSimulation(IntegerSimulation&&) noexcept = default;
IntegerSimulation& IntegerSimulation::operator=(IntegerSimulation&&) noexcept = default;

std::optional<std::vector<torch::Tensor>> IntegerSimulation::operator()(
    const ir::Node& node, const std::vector<torch::Tensor>& inputs) const {
  std::optional<Tensor> result = impl_->run(node, inputs);
  if (!result) return {};
  return std::vector<Tensor>{std::move(*result)};
}

}  // namespace xgen::quantize
