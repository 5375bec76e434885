#include <gtest/gtest.h>

#include <random>

#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/lower_quantization.h"
#include "core/reference/evaluate.h"
#include "core/reference/integer.h"
#include "quantize/qdq.h"
#include "quantize/simulation.h"
#include "quantize/straight_through.h"
#include "quantize/weights.h"
#include "train/autocast.h"
#include "train/graph_module.h"

namespace xgen::quantize {
namespace {

using reference::QuantInterval;

/// A u8 tensor [1, c, h, w] of the naive computation.
struct Stored {
  int c = 0, h = 0, w = 0;
  float scale = 1;
  int zero = 0;
  std::vector<std::uint8_t> values;

  int at(int ci, int y, int x) const {
    return values[static_cast<std::size_t>((ci * h + y) * w + x)];
  }
};

struct Random {
  std::mt19937 engine;
  float operator()(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(engine);
  }
};

ir::Constant random_weight(Random& random, const ir::Extents& shape) {
  std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)));
  for (float& v : values) v = random(-1, 1);
  return ir::Constant::of<float>(shape, values, ir::Role::parameter);
}

/// An empty result whose scale and zero point are those of the Q after `value` in the graph.
Stored result(const ir::Graph& qdq, const std::string& value, int c, int h, int w) {
  return {c,
          h,
          w,
          qdq.constant(qdq.find(value + "/scale"))->as<float>()[0],
          qdq.constant(qdq.find(value + "/zero_point"))->as<std::uint8_t>()[0],
          {}};
}

/// The convolution, one multiplication at a time; the interval starts at the zero point for ReLU.
Stored naive_conv(const Stored& x, const ir::Constant& weight, const ir::Constant& bias,
                  const ir::Conv& op, bool relu, Stored y) {
  const auto kh = static_cast<int>(weight.shape[2]);
  const auto kw = static_cast<int>(weight.shape[3]);
  const auto per_filter = static_cast<std::size_t>(weight.size() / weight.shape[0]);
  const QuantizedWeights q =
      quantize_weights(weight.as<float>(), bias.as<float>(),
                       {static_cast<std::size_t>(weight.shape[0]), per_filter}, {x.scale, y.scale});
  for (int o = 0; o < y.c; ++o) {
    const auto f = static_cast<std::size_t>(o);
    const float scale = reference::requantize_scale(x.scale, q.scale[f], y.scale);
    for (int row = 0; row < y.h; ++row) {
      for (int column = 0; column < y.w; ++column) {
        std::int32_t sum = q.bias[f];
        for (int i = 0; i < x.c; ++i) {
          for (int ky = 0; ky < kh; ++ky) {
            for (int kx = 0; kx < kw; ++kx) {
              const int iy =
                  row * static_cast<int>(op.strides[0]) + ky - static_cast<int>(op.pads[0]);
              const int ix =
                  column * static_cast<int>(op.strides[1]) + kx - static_cast<int>(op.pads[1]);
              if (iy < 0 || iy >= x.h || ix < 0 || ix >= x.w) continue;
              sum += (x.at(i, iy, ix) - x.zero) *
                     q.values[static_cast<std::size_t>(((o * x.c + i) * kh + ky) * kw + kx)];
            }
          }
        }
        y.values.push_back(
            reference::requantize(sum, scale, y.zero, QuantInterval{relu ? y.zero : 0, 255}));
      }
    }
  }
  return y;
}

/// stem (stride 2, uneven padding, ReLU), body, add + ReLU, concat, max pool, average pool, global
/// average, classifier.
struct Network {
  ir::Graph graph;
  ir::Conv stem;
  ir::Conv body;
  std::map<std::string, ir::Constant> constants;

  explicit Network(Random& random) {
    const auto weight = [&](const std::string& name, const ir::Extents& shape) {
      constants[name] = random_weight(random, shape);
      return graph.add_constant(name, constants[name]);
    };
    const auto x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 3, 9, 9}, {}});
    stem.strides = {2, 2};
    stem.pads = {1, 1, 0, 1};
    auto h = graph.add_node("stem", stem, {x, weight("w1", {8, 3, 3, 3}), weight("b1", {8})});
    const auto relu = graph.add_node("relu1", ir::Unary{}, {h});
    body.pads = {1, 1, 1, 1};
    h = graph.add_node("body", body, {relu, weight("w2", {8, 8, 3, 3}), weight("b2", {8})});
    h = graph.add_node("add", ir::Binary{}, {h, relu});
    h = graph.add_node("relu2", ir::Unary{}, {h});
    h = graph.add_node("concat", ir::Concat{}, {h, relu});
    ir::MaxPool pool;
    pool.kernel = {2, 2};
    h = graph.add_node("pool", pool, {h});
    h = graph.add_node("average", ir::GlobalAveragePool{}, {h});
    h = graph.add_node("flatten", ir::Flatten{}, {h});
    ir::Gemm gemm;
    gemm.trans_b = true;
    graph.set_outputs({graph.add_node("fc", gemm, {h, weight("w3", {5, 16}), weight("b3", {5})})});
  }

  /// The outputs, computed with integers only.
  std::vector<float> naive(const ir::Graph& qdq, const std::vector<float>& input) const {
    Stored x = result(qdq, "x", 3, 9, 9);
    for (const float v : input) x.values.push_back(reference::quantize(v, x.scale, x.zero));
    const Stored a = naive_conv(x, constants.at("w1"), constants.at("b1"), stem, true,
                                result(qdq, "relu1", 8, 4, 5));
    const Stored b = naive_conv(a, constants.at("w2"), constants.at("b2"), body, false,
                                result(qdq, "body", 8, 4, 5));
    Stored sum = result(qdq, "relu2", 8, 4, 5);
    for (std::size_t i = 0; i < b.values.size(); ++i) {
      const auto fixed = [&](const Stored& s) {
        return reference::to_fixed_point(s.values[i], s.zero,
                                         reference::fixed_point_scale(s.scale, sum.scale));
      };
      sum.values.push_back(
          reference::from_fixed_point(fixed(b) + fixed(a), sum.zero, {sum.zero, 255}));
    }
    Stored joined = result(qdq, "concat", 16, 4, 5);
    for (const Stored* part : std::initializer_list<const Stored*>{&sum, &a}) {
      for (const std::uint8_t q : part->values) {
        joined.values.push_back(reference::rescale(
            q, part->zero, reference::rescale_factor(part->scale, joined.scale), joined.zero));
      }
    }
    Stored mean = result(qdq, "average", 16, 1, 1);
    for (int c = 0; c < 16; ++c) {
      std::int32_t total = 0;
      for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 4; ++column) {
          total +=
              std::max(std::max(joined.at(c, row, column), joined.at(c, row, column + 1)),
                       std::max(joined.at(c, row + 1, column), joined.at(c, row + 1, column + 1))) -
              joined.zero;
        }
      }
      mean.values.push_back(reference::requantize(
          total, reference::average_scale(joined.scale, mean.scale, 12), mean.zero, {}));
    }
    const QuantizedWeights q = quantize_weights(
        constants.at("w3").as<float>(), constants.at("b3").as<float>(), {5, 16}, {mean.scale});
    std::vector<float> outputs;
    for (std::size_t o = 0; o < 5; ++o) {
      std::int32_t total = q.bias[o];
      for (std::size_t i = 0; i < 16; ++i) {
        total += (mean.values[i] - mean.zero) * q.values[o * 16 + i];
      }
      outputs.push_back(static_cast<float>(total) *
                        reference::dequantize_scale(mean.scale, q.scale[o]));
    }
    return outputs;
  }
};

std::vector<float> random_input(Random& random) {
  std::vector<float> input(3 * 9 * 9);
  for (float& v : input) v = random(-1, 1);
  return input;
}

torch::Tensor as_tensor(const std::vector<float>& input) {
  return torch::tensor(input).view({1, 3, 9, 9});
}

/// Ranges as seen on one input, so that some values of another one saturate.
std::map<std::string, ActivationRange> ranges_of(const ir::Graph& graph,
                                                 const std::vector<float>& input) {
  train::GraphModule module(graph);
  std::map<std::string, ActivationRange> ranges;
  for (const auto& [name, value] :
       module.forward_values({as_tensor(input)}, values_to_observe(graph))) {
    const torch::Tensor flat = value.detach().contiguous().view(-1);
    Observer observer;
    observer.observe({flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel())});
    ranges[name] = observer.min_max();
  }
  return ranges;
}

train::GraphModule simulated(const ir::Graph& qdq) {
  train::GraphModule module(qdq);
  auto simulation = std::make_shared<IntegerSimulation>(qdq);
  module.set_node_function(
      [simulation](const ir::Node& node, const std::vector<torch::Tensor>& inputs) {
        return (*simulation)(node, inputs);
      });
  return module;
}

TEST(IntegerSimulation, EqualsIntegersBitForBit) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    Random random{std::mt19937(seed)};
    const Network network(random);
    const ir::Graph qdq = insert_qdq(network.graph, ranges_of(network.graph, random_input(random)));
    train::GraphModule live = simulated(qdq);
    train::GraphModule baked = simulated(bake_weights(qdq));
    for (int sample = 0; sample < 5; ++sample) {
      const std::vector<float> input = random_input(random);
      const std::vector<float> naive = network.naive(qdq, input);
      const torch::Tensor y = live.forward(as_tensor(input));
      const torch::Tensor z = baked.forward(as_tensor(input));
      for (std::int64_t o = 0; o < 5; ++o) {
        EXPECT_EQ(y[0][o].item<float>(), naive[static_cast<std::size_t>(o)]) << seed;
        EXPECT_EQ(z[0][o].item<float>(), naive[static_cast<std::size_t>(o)]) << seed;
      }
    }
  }
}

TEST(IntegerSimulation, IsExactUnderAnAutocast) {
  Random random{std::mt19937(40)};
  const Network network(random);
  const ir::Graph qdq = insert_qdq(network.graph, ranges_of(network.graph, random_input(random)));
  train::GraphModule module = simulated(qdq);
  const std::vector<float> input = random_input(random);
  const torch::Tensor exact = module.forward(as_tensor(input));
  const train::Autocast autocast(torch::kCPU, true);
  EXPECT_TRUE(at::equal(module.forward(as_tensor(input)), exact));
}

TEST(IntegerSimulation, EqualsTheReferenceOfTheLoweredGraph) {
  for (unsigned seed = 20; seed < 25; ++seed) {
    Random random{std::mt19937(seed)};
    const Network network(random);
    const ir::Graph qdq = insert_qdq(network.graph, ranges_of(network.graph, random_input(random)));
    const ir::Graph lowered = ir::lower_quantization(ir::infer_shapes(bake_weights(qdq)));
    const std::vector<float> input = random_input(random);
    const auto outputs =
        reference::evaluate(lowered, {ir::Constant::of<float>({1, 3, 9, 9}, input)});
    const torch::Tensor y = simulated(qdq).forward(as_tensor(input));
    for (std::int64_t o = 0; o < 5; ++o) {
      EXPECT_EQ(y[0][o].item<float>(), outputs[0].as<float>()[static_cast<std::size_t>(o)]);
    }
  }
}

TEST(IntegerSimulation, IsNearTheFloatNetwork) {
  Random random{std::mt19937(3)};
  const Network network(random);
  const std::vector<float> input = random_input(random);
  const ir::Graph qdq = insert_qdq(network.graph, ranges_of(network.graph, input));
  const torch::Tensor exact = train::GraphModule(network.graph).forward(as_tensor(input));
  const torch::Tensor y = simulated(qdq).forward(as_tensor(input));
  EXPECT_LT((y - exact).abs().max().item<float>(), 0.05 * exact.abs().max().item<float>());
  EXPECT_FALSE(torch::equal(y, exact));
}

TEST(IntegerSimulation, GradientsAreThoseOfTheFloatNetworkUpToRounding) {
  Random random{std::mt19937(4)};
  const Network network(random);
  const std::vector<float> input = random_input(random);
  train::GraphModule exact(network.graph);
  train::GraphModule live = simulated(insert_qdq(network.graph, ranges_of(network.graph, input)));
  exact.forward(as_tensor(input)).square().sum().backward();
  live.forward(as_tensor(input)).square().sum().backward();
  for (const char* name : {"w1", "b1", "w2", "b2", "w3", "b3"}) {
    const torch::Tensor wanted = exact.tensor(name).grad().flatten();
    const torch::Tensor found = live.tensor(name).grad().flatten();
    const double cosine = (wanted.dot(found) / (wanted.norm() * found.norm())).item<double>();
    EXPECT_GT(cosine, 0.97) << name;
    EXPECT_NEAR((found.norm() / wanted.norm()).item<double>(), 1, 0.15) << name;
  }
}

TEST(IntegerSimulation, FollowsTheLiveWeights) {
  Random random{std::mt19937(5)};
  const Network network(random);
  const std::vector<float> input = random_input(random);
  train::GraphModule live = simulated(insert_qdq(network.graph, ranges_of(network.graph, input)));
  {
    const torch::NoGradGuard no_grad;
    live.tensor("w3").mul_(3);
    live.tensor("b3").zero_();
  }
  const torch::Tensor y = live.forward(as_tensor(input));
  train::GraphModule again = simulated(bake_weights(live.to_graph()));
  EXPECT_TRUE(torch::equal(again.forward(as_tensor(input)), y));
}

TEST(RoundHalfEven, RoundsTiesToEvenAndPassesGradients) {
  const torch::Tensor x = torch::tensor({0.5F, 1.5F, -0.5F, 2.4F}).requires_grad_();
  const torch::Tensor y = round_half_even(x);
  EXPECT_TRUE(torch::equal(y, torch::tensor({0.0F, 2.0F, 0.0F, 2.0F})));
  y.sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::ones(4)));
}

}  // namespace
}  // namespace xgen::quantize
