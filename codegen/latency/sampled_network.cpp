#include "codegen/latency/sampled_network.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "codegen/latency/single_layer.h"
#include "core/error.h"
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
constexpr double kMostMacs = 1e8;
constexpr double kMostMacsOfNetwork = 3e8;
constexpr double kMostElements = 2e6;  // of a tensor
// Weights of a network in all, each octave as likely: from what the first cache level holds to what
// none does.
constexpr double kFewestWeights = 2e4, kMostWeights = 2e7;
constexpr int kFewestLayers = 4, kMostLayers = 24;
// Of networks that hold one of the rarer operators.
constexpr double kOthers = 0.25;

// Most networks have round numbers.
int channels_of(RandomStream& random, double least, double most) {
  const int channels = log_uniform(random, least, most);
  return random.chance(0.7) ? std::max(8, channels / 8 * 8) : channels;
}

double macs_of(const LayerShape& s) {
  const auto [height, width] = result_of(s);
  return static_cast<double>(height) * width * s.c_out * s.c_in / s.groups * s.kernel_h *
         s.kernel_w;
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

ir::Unary any_unary(RandomStream& random) {
  ir::Unary unary{
      one_of(random, {ir::Unary::Kind::silu, ir::Unary::Kind::sigmoid, ir::Unary::Kind::hard_swish,
                      ir::Unary::Kind::relu, ir::Unary::Kind::leaky_relu, ir::Unary::Kind::exp})};
  unary.alpha = 0.1F;
  unary.low = 0;
  return unary;
}

ir::QuantParams per_tensor(float scale, int zero) { return {{scale}, {zero}, -1}; }

/// A graph of images in one type, as it grows.
class Images {
 public:
  struct Image {
    ValueId id = ir::kNoValue;
    int channels = 0, height = 0, width = 0;
  };

  Images(bool int8, RandomStream& random) : int8_(int8), random_(random) { graph_.name = "sample"; }

  bool int8() const { return int8_; }
  RandomStream& random() { return random_; }
  ir::Graph& graph() { return graph_; }

  ValueId input(const Image& image) {
    const ir::DType type = int8_ ? ir::DType::u8 : ir::DType::f32;
    const ValueId id =
        graph_.add_input(str("x", graph_.inputs().size()),
                         {type, ir::Shape{1, image.channels, image.height, image.width}, {}});
    // Of another scale each, so that what joins two of them cannot just copy.
    if (int8_) graph_.value(id).type.quant = per_tensor(0.02F + 0.01F * static_cast<float>(id), 7);
    return id;
  }
  /// An fp32 input that the network quantizes.
  ValueId real_input(const Image& image) {
    const ValueId real = graph_.add_input(
        "x", {ir::DType::f32, ir::Shape{1, image.channels, image.height, image.width}, {}});
    const ValueId scale = graph_.add_constant("x/scale", ir::Constant::scalar(0.02F));
    const ValueId zero =
        graph_.add_constant("x/zero", ir::Constant::scalar(static_cast<std::uint8_t>(7)));
    const ValueId x = graph_.add_node("q", ir::QuantizeLinear{}, {real, scale, zero});
    graph_.value(x).type.dtype = ir::DType::u8;
    graph_.value(x).type.quant = per_tensor(0.02F, 7);
    return x;
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
  /// A pool without padding; `image` becomes its result.
  void pool(Image& image) {
    const bool most = random_.chance(0.5);
    const int kernel = one_of(random_, {2, 3, 5}), stride = random_.chance(0.6) ? 2 : 1;
    const int high = std::min(kernel, image.height), wide = std::min(kernel, image.width);
    const auto sized = [&](auto op) {
      op.kernel = {high, wide};
      op.strides = {stride, stride};
      return op;
    };
    image.id =
        most ? kept(sized(ir::MaxPool{}), {image.id}) : node(sized(ir::AveragePool{}), {image.id});
    image.height = (image.height - high) / stride + 1;
    image.width = (image.width - wide) / stride + 1;
  }
  /// Twice as high and wide.
  void resize(Image& image) {
    ir::Resize resize;
    resize.coordinates = ir::Resize::Coordinates::asymmetric;
    resize.nearest = ir::Resize::Nearest::floor;
    if (!int8_ && random_.chance(0.5)) resize.mode = ir::Resize::Mode::linear;
    image.id = kept(resize, {image.id, ir::kNoValue, floats({4}, {1, 1, 2, 2})});
    image.height *= 2;
    image.width *= 2;
  }
  ValueId floats(const ir::Extents& shape, const std::vector<float>& values) {
    return graph_.add_constant("c", ir::Constant::of<float>(shape, values));
  }
  ValueId floats(const ir::Extents& shape) {
    return floats(shape,
                  std::vector<float>(static_cast<std::size_t>(ir::element_count(shape)), 0.5F));
  }
  ir::Graph finish(ValueId output) {
    graph_.set_outputs({output});
    return lowering_form(std::move(graph_));
  }

 private:
  bool int8_;
  RandomStream& random_;
  ir::Graph graph_;
};

/// One operator that networks have few of.
ir::Graph one_operator(Images images) {
  RandomStream& random = images.random();
  Images::Image x;
  x.height = log_uniform(random, 2, 112);
  x.width = random.chance(0.8) ? x.height : log_uniform(random, 2, 112);
  x.channels =
      log_uniform(random, 4, std::clamp(kMostElements / (x.height * x.height), 4.0, 512.0));
  x.id = images.input(x);
  switch (random.integer(0, images.int8() ? 6 : 9)) {
    case 0:
    case 1:
      images.pool(x);
      return images.finish(x.id);
    case 2:
      return images.finish(images.node(ir::GlobalAveragePool{}, {x.id}));
    case 3:
      return images.finish(images.node(ir::Binary{}, {x.id, images.input(x)}));
    case 4:
      return images.finish(images.node(any_unary(random), {x.id}));
    case 5:
      images.resize(x);
      return images.finish(x.id);
    case 6:
      return images.finish(images.node(ir::Concat{1}, {x.id, images.input(x)}));
    case 7:
      return images.finish(images.node(ir::Binary{ir::Binary::Kind::mul},
                                       {x.id, images.floats({x.channels, 1, 1})}));
    case 8: {
      const ValueId rows = images.kept(ir::Transpose{{0, 2, 3, 1}}, {x.id});
      return images.finish(images.kept(ir::Softmax{-1}, {rows}));
    }
    default: {
      const std::vector<std::int64_t> extents = {1, x.channels, x.height * x.width};
      const ValueId shape =
          images.graph().add_constant("s", ir::Constant::of<std::int64_t>({3}, extents));
      const ValueId rows = images.kept(ir::Reshape{}, {x.id, shape});
      return images.finish(images.kept(ir::MatMul{}, {rows, images.floats({extents[2], 16})}));
    }
  }
}

/// Layers one after another, as networks have them.
class Layers {
 public:
  explicit Layers(Images images) : images_(std::move(images)), random_(images_.random()) {
    most_weights_ = log_uniform(random_, kFewestWeights, kMostWeights);
    x_.height = log_uniform(random_, 1, 224);
    x_.width = random_.chance(0.8) ? x_.height : log_uniform(random_, 1, 224);
    const double most = kMostElements / (static_cast<double>(x_.height) * x_.width);
    x_.channels = channels_of(random_, is_point() ? 8 : 3, std::min(most, most_channels()));
    x_.id = images_.int8() && random_.chance(0.3) ? images_.real_input(x_) : images_.input(x_);
    seen_.push_back(x_);
  }

  ir::Graph make() {
    const auto layers = random_.integer(kFewestLayers, kMostLayers);
    for (std::int64_t i = 0; i < layers && macs_ < kMostMacsOfNetwork && weights_ < most_weights_;
         ++i) {
      add();
      seen_.push_back(x_);
      // A network has few layers behind its last image.
      if (is_point() && random_.chance(0.4)) break;
    }
    return images_.finish(x_.id);
  }

 private:
  bool is_point() const { return x_.height * x_.width == 1; }
  // What is fully connected has more; some filters must fit into the weights that there may be.
  double most_channels() const {
    return std::min(is_point() ? 4096.0 : 1024.0, most_weights_ / 10);
  }

  void add() {
    const double u = random_.uniform();
    if (is_point() || u < 0.68) return conv();
    if (u < 0.76) return between();
    if (u < 0.83 && std::min(x_.height, x_.width) >= 3) return images_.pool(x_);
    if (u < 0.88) {
      x_.id = images_.node(any_unary(random_), {x_.id});
    } else if (u < 0.94) {
      concat();
    } else if (u < 0.97 && 4.0 * x_.channels * x_.height * x_.width < kMostElements) {
      images_.resize(x_);
    } else {
      x_.id = images_.node(ir::GlobalAveragePool{}, {x_.id});
      x_.height = x_.width = 1;
    }
  }

  LayerShape shape() {
    LayerShape s;
    s.int8 = images_.int8();
    s.c_in = x_.channels;
    s.height = x_.height;
    s.width = x_.width;
    s.kernel_h = s.kernel_w = is_point() ? 1 : one_of(random_, {1, 1, 1, 3, 3, 3, 5, 7});
    s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = s.kernel_h / 2;
    s.stride = !is_point() && random_.chance(0.2) ? 2 : 1;
    s.c_out =
        random_.chance(0.3) ? s.c_in : channels_of(random_, is_point() ? 8 : 4, most_channels());
    if (!is_point() && s.kernel_h > 1 && random_.chance(0.2)) s.groups = s.c_out = s.c_in;
    return s;
  }

  void conv() {
    LayerShape s = shape();
    while (macs_of(s) > kMostMacs || weights_of(s) > most_weights_ ||
           elements_after(s) > kMostElements)
      s = shape();
    const auto [height, width] = result_of(s);
    Images::Image y{ir::kNoValue, s.c_out, height, width};
    // At one position nothing is fused but an activation.
    const ValueId residual =
        s.groups == 1 && height > 2 && random_.chance(0.4) ? one_like(y) : ir::kNoValue;
    auto activation = ir::Activation::Kind::clip;
    if (!s.int8 && residual == ir::kNoValue && random_.chance(0.2))
      activation =
          one_of(random_, {ir::Activation::Kind::silu, ir::Activation::Kind::sigmoid,
                           ir::Activation::Kind::hard_swish, ir::Activation::Kind::leaky_relu});
    y.id = add_layer(images_.graph(), str("conv", seen_.size()), s, conv_variant(s, random_),
                     activation, x_.id, residual);
    macs_ += macs_of(s);
    weights_ += weights_of(s);
    x_ = y;
  }
  static double weights_of(const LayerShape& s) {
    return static_cast<double>(s.c_out) * s.c_in / s.groups * s.kernel_h * s.kernel_w;
  }
  static double elements_after(const LayerShape& s) {
    const auto [height, width] = result_of(s);
    return static_cast<double>(s.c_out) * height * width;
  }

  // An addition, or a product with one value a channel.
  void between() {
    const ValueId other = one_like(x_);
    if (other != ir::kNoValue && other != x_.id)
      x_.id = images_.node(ir::Binary{}, {x_.id, other});
    else if (!images_.int8())
      x_.id = images_.node(ir::Binary{ir::Binary::Kind::mul},
                           {x_.id, images_.floats({x_.channels, 1, 1})});
    else
      x_.id = images_.node(any_unary(random_), {x_.id});
  }

  // With something as large that came before.
  void concat() {
    const auto at = std::find_if(seen_.begin(), seen_.end(), [&](const Images::Image& s) {
      return s.height == x_.height && s.width == x_.width && s.id != x_.id &&
             s.channels + x_.channels <= 2048;
    });
    if (at == seen_.end()) return conv();
    x_.id = images_.node(ir::Concat{1}, {x_.id, at->id});
    x_.channels += at->channels;
  }

  // The first image of this size.
  ValueId one_like(const Images::Image& image) const {
    for (const Images::Image& s : seen_) {
      if (s.channels == image.channels && s.height == image.height && s.width == image.width)
        return s.id;
    }
    return ir::kNoValue;
  }

  Images images_;
  RandomStream& random_;
  Images::Image x_;
  std::vector<Images::Image> seen_;
  double most_weights_ = 0, macs_ = 0, weights_ = 0;
};

}  // namespace

ir::Graph sampled_network(RandomStream& random) {
  const bool int8 = random.chance(0.5), other = random.chance(kOthers);
  Images images(int8, random);
  return other ? one_operator(std::move(images)) : Layers(std::move(images)).make();
}

}  // namespace xgen::latency
