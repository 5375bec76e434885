#include "codegen/latency/sample_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "codegen/latency/single_layer.h"
#include "core/ir/infer_shapes.h"

namespace xgen::latency {

namespace {

using ir::ValueId;

template <class T>
T one_of(RandomStream& random, std::initializer_list<T> choices) {
  return choices.begin()[random.integer(0, static_cast<std::int64_t>(choices.size()) - 1)];
}

/// Between `low` and `high`, each octave as likely as the others.
int log_uniform(RandomStream& random, double low, double high) {
  return static_cast<int>(std::lround(low * std::pow(high / low, random.uniform())));
}

// Beyond this a layer takes so long that its measurement could stand for twenty others.
constexpr double kMostMacs = 2e8;

LayerShape conv_shape(bool int8, RandomStream& random) {
  LayerShape s;
  s.int8 = int8;
  do {
    s.kernel_h = s.kernel_w = one_of(random, {1, 1, 1, 3, 3, 3, 5, 7});
    s.stride = random.chance(0.2) ? 2 : 1;
    s.height = log_uniform(random, 1, 112);
    s.width = random.chance(0.8) ? s.height : log_uniform(random, 1, 112);
    s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = s.kernel_h / 2;
    // What is fully connected has more.
    const double most = s.height * s.width == 1 ? 4096 : 1024;
    s.c_in = log_uniform(random, 3, most);
    s.c_out = log_uniform(random, 4, most);
    // Most networks have round numbers.
    if (random.chance(0.7)) s.c_in = std::max(8, s.c_in / 8 * 8);
    if (random.chance(0.7)) s.c_out = std::max(8, s.c_out / 8 * 8);
    s.groups = 1;
    if (random.chance(0.12)) s.groups = s.c_out = s.c_in;
  } while (static_cast<double>(s.height) * s.width / (s.stride * s.stride) * s.c_out * s.c_in /
               s.groups * s.kernel_h * s.kernel_w >
           kMostMacs);
  return s;
}

LayerVariant conv_variant(const LayerShape& s, RandomStream& random) {
  LayerVariant v;
  if (s.groups > 1 || random.chance(0.4)) return v;
  const bool pattern = s.kernel_h == 3 && random.chance(0.6);
  v.scheme = pattern ? Sparsity::Scheme::pattern : Sparsity::Scheme::block;
  v.taps = pattern ? 4 : 0;
  v.lane_channels = s.int8 ? 4 : 1;
  v.group_out = s.int8 ? one_of(random, {4, 4, 8, 16}) : one_of(random, {1, 4, 8, 8, 16});
  v.kept_blocks = 0.1 + 0.9 * random.uniform();
  return v;
}

LayerExtras conv_extras(const LayerShape& s, RandomStream& random) {
  LayerExtras extras;
  extras.real_input = s.int8 && random.chance(0.3);
  extras.strided_reader = s.height > 4 && s.width > 4 && random.chance(0.15);
  // At one position nothing is fused but an activation.
  extras.residual = s.groups == 1 && s.height > 2 && random.chance(0.2);
  if (!s.int8 && !extras.residual && random.chance(0.2))
    extras.activation =
        one_of(random, {ir::Activation::Kind::silu, ir::Activation::Kind::sigmoid,
                        ir::Activation::Kind::hard_swish, ir::Activation::Kind::leaky_relu});
  return extras;
}

ir::QuantParams per_tensor(float scale, int zero) { return {{scale}, {zero}, -1}; }

/// Operators besides convolutions, on one image.
class Others {
 public:
  Others(bool int8, RandomStream& random) : int8_(int8), random_(random) {
    const int side = log_uniform(random, 2, 112), most = 4000000 / (side * side);
    channels_ = std::min(log_uniform(random, 4, 512), std::max(4, most));
    height_ = side;
    width_ = random.chance(0.8) ? side : log_uniform(random, 2, 112);
    x_ = input();
  }

  ir::Graph make() {
    switch (random_.integer(0, int8_ ? 6 : 9)) {
      case 0:
        return finish(pool(ir::MaxPool{}, true));
      case 1:
        return finish(pool(ir::AveragePool{}, false));
      case 2:
        return finish(node(ir::GlobalAveragePool{}, {x_}));
      case 3:
        return finish(node(ir::Binary{}, {x_, input()}));
      case 4: {
        ir::Unary unary{one_of(
            random_, {ir::Unary::Kind::silu, ir::Unary::Kind::sigmoid, ir::Unary::Kind::hard_swish,
                      ir::Unary::Kind::relu, ir::Unary::Kind::leaky_relu, ir::Unary::Kind::exp})};
        unary.alpha = 0.1F;
        unary.low = 0;
        return finish(node(unary, {x_}));
      }
      case 5: {
        ir::Resize resize;
        resize.coordinates = ir::Resize::Coordinates::asymmetric;
        resize.nearest = ir::Resize::Nearest::floor;
        if (!int8_ && random_.chance(0.5)) resize.mode = ir::Resize::Mode::linear;
        return finish(kept(resize, {x_, ir::kNoValue, floats({1, 1, 2, 2})}));
      }
      case 6: {
        // Of another scale, so that its operands are copied.
        const ValueId other = input();
        return finish(node(ir::Concat{1}, {x_, other}));
      }
      case 7:
        return finish(node(ir::Binary{ir::Binary::Kind::mul}, {x_, floats_of({channels_, 1, 1})}));
      case 8: {
        const ValueId rows = kept(ir::Transpose{{0, 2, 3, 1}}, {x_});
        return finish(kept(ir::Softmax{-1}, {rows}));
      }
      default: {
        const ValueId rows = kept(ir::Reshape{}, {x_, integers({1, channels_, height_ * width_})});
        return finish(kept(ir::MatMul{}, {rows, floats_of({height_ * width_, 16})}));
      }
    }
  }

 private:
  ValueId input() {
    const ir::DType type = int8_ ? ir::DType::u8 : ir::DType::f32;
    const ValueId id = graph_.add_input(str("x", graph_.inputs().size()),
                                        {type, ir::Shape{1, channels_, height_, width_}, {}});
    if (int8_) graph_.value(id).type.quant = per_tensor(0.02F + 0.01F * static_cast<float>(id), 7);
    return id;
  }
  ValueId node(ir::Op op, std::vector<ValueId> inputs) {
    const ValueId id = graph_.add_node(str("n", graph_.nodes().size()), std::move(op), inputs);
    if (int8_) {
      graph_.value(id).type.dtype = ir::DType::u8;
      graph_.value(id).type.quant = per_tensor(0.05F, 31);
    }
    return id;
  }
  /// A node which only moves bytes keeps the scale of its input.
  ValueId kept(ir::Op op, std::vector<ValueId> inputs) {
    const ValueId from = inputs[0], id = node(std::move(op), std::move(inputs));
    graph_.value(id).type.quant = graph_.value(from).type.quant;
    return id;
  }
  ValueId pool(auto op, bool keeps_scale) {
    const int kernel = one_of(random_, {2, 3, 5});
    const int stride = random_.chance(0.6) ? 2 : 1;
    op.kernel = {std::min(kernel, height_), std::min(kernel, width_)};
    op.strides = {stride, stride};
    return keeps_scale ? kept(op, {x_}) : node(op, {x_});
  }
  ValueId integers(const std::vector<std::int64_t>& values) {
    return graph_.add_constant(
        "c", ir::Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  }
  ValueId floats(const std::vector<float>& values) {
    return graph_.add_constant(
        "c", ir::Constant::of<float>({static_cast<std::int64_t>(values.size())}, values));
  }
  ValueId floats_of(const ir::Extents& shape) {
    return graph_.add_constant(
        "c",
        ir::Constant::of<float>(
            shape, std::vector<float>(static_cast<std::size_t>(ir::element_count(shape)), 0.5F)));
  }
  ir::Graph finish(ValueId output) {
    graph_.set_outputs({output});
    graph_.name = "sample";
    return ir::infer_shapes(std::move(graph_));
  }

  bool int8_;
  RandomStream& random_;
  ir::Graph graph_;
  int channels_ = 0, height_ = 0, width_ = 0;
  ValueId x_ = ir::kNoValue;
};

}  // namespace

ir::Graph sample_graph(SampleKind kind, RandomStream& random) {
  const bool int8 = kind == SampleKind::conv_i8 || kind == SampleKind::other_i8;
  if (kind == SampleKind::other_f32 || kind == SampleKind::other_i8)
    return Others(int8, random).make();
  const LayerShape shape = conv_shape(int8, random);
  const LayerVariant variant = conv_variant(shape, random);
  return single_layer(shape, variant, conv_extras(shape, random));
}

}  // namespace xgen::latency
