#include <algorithm>

#include "core/reference/integer.h"
#include "core/reference/operands.h"

/// Convolutions, products and averages of u8 activations (DESIGN section 6).
namespace xgen::reference {

namespace {

/// How an accumulator becomes an output element.
class Finish {
 public:
  Finish(const Operands& in, const ir::Epilogue& epilogue, std::size_t channels)
      : epilogue_(epilogue), real_(!in.result.quant) {
    const ir::QuantParams& x = in.quant(0);
    const ir::QuantParams& w = in.quant(1);
    XGEN_CHECK(w.scale.size() == 1 || w.scale.size() == channels, "node \"", in.node.name,
               "\": ", w.scale.size(), " weight scales for ", channels, " channels");
    for (const std::int32_t z : w.zero_point)
      XGEN_CHECK(z == 0, "node \"", in.node.name, "\": the weight's zero point is ", z);
    if (real_) {
      XGEN_CHECK(!epilogue.residual && epilogue.activation == ir::Activation{} &&
                     epilogue.before_add == ir::Activation{},
                 "node \"", in.node.name, "\": an epilogue needs a u8 result");
    } else {
      // Before a residual the convolution is rounded to u8 by its own parameters.
      result_ = *in.result.quant;
      own_ = epilogue.residual ? epilogue.before_residual.value() : result_;
      own_interval_ = clip_interval(epilogue.residual ? epilogue.before_add : epilogue.activation,
                                    own_.scale.at(0), own_.zero_point.at(0));
      if (epilogue.residual) {
        residual_ = in.quant(3);
        result_interval_ =
            clip_interval(epilogue.activation, result_.scale.at(0), result_.zero_point.at(0));
      }
    }
    for (std::size_t c = 0; c < channels; ++c) {
      const float s_w = w.scale[w.scale.size() == 1 ? 0 : c];
      scales_.push_back(real_ ? dequantize_scale(x.scale.at(0), s_w)
                              : requantize_scale(x.scale.at(0), s_w, own_.scale.at(0)));
    }
  }

  bool is_real() const { return real_; }
  float to_real(std::int32_t acc, std::size_t channel) const {
    return static_cast<float>(acc) * scales_[channel];
  }
  std::uint8_t to_u8(std::int32_t acc, std::size_t channel, const std::uint8_t* residual) const {
    const std::uint8_t own =
        requantize(acc, scales_[channel], own_.zero_point.at(0), own_interval_);
    if (residual == nullptr) return own;
    const std::int32_t sum =
        to_fixed_point(own, own_.zero_point.at(0),
                       fixed_point_scale(own_.scale.at(0), result_.scale.at(0))) +
        to_fixed_point(*residual, residual_.zero_point.at(0),
                       fixed_point_scale(residual_.scale.at(0), result_.scale.at(0)));
    return from_fixed_point(sum, result_.zero_point.at(0), result_interval_);
  }

 private:
  ir::Epilogue epilogue_;
  bool real_;
  ir::QuantParams own_, result_, residual_;
  QuantInterval own_interval_, result_interval_;
  std::vector<float> scales_;
};

void store(const Finish& finish, Tensor& out, std::size_t at, std::int32_t acc, std::size_t channel,
           const std::uint8_t* residual) {
  if (finish.is_real())
    out.as_mutable<float>()[at] = finish.to_real(acc, channel);
  else
    out.as_mutable<std::uint8_t>()[at] = finish.to_u8(acc, channel, residual);
}

}  // namespace

void compute_integer(const ir::Conv& op, const Operands& in, Tensor& out) {
  const auto x = in.as<std::uint8_t>(0);
  const auto w = in.as<std::int8_t>(1);
  const std::int32_t zero = in.quant(0).zero_point.at(0);
  const std::int64_t channels = in.extent(0, 1);
  const std::int64_t plane = in.extent(0, 2) * in.extent(0, 3);
  const std::int64_t filters = out.shape[1];
  const std::int64_t out_plane = out.shape[2] * out.shape[3];
  const std::int64_t group_in = in.extent(1, 1);
  const std::int64_t taps = in.extent(1, 2) * in.extent(1, 3);
  const Finish finish(in, op.epilogue, static_cast<std::size_t>(filters));
  const auto runs = conv_runs(op, in.extent(1, 2), in.extent(1, 3), in.extent(0, 2),
                              in.extent(0, 3), out.shape[2], out.shape[3]);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(out_plane));
  for (std::int64_t n = 0; n < out.shape[0]; ++n) {
    for (std::int64_t o = 0; o < filters; ++o) {
      const auto filter = static_cast<std::size_t>(o);
      std::fill(sums.begin(), sums.end(), in.has(2) ? in.as<std::int32_t>(2)[filter] : 0);
      const std::int64_t group = o / (filters / op.groups);
      for (std::int64_t i = 0; i < group_in; ++i) {
        const std::uint8_t* image = x.data() + (n * channels + group * group_in + i) * plane;
        const std::int8_t* weight = w.data() + (o * group_in + i) * taps;
        // Padding holds the zero point, so it adds nothing and is left out.
        for (const ConvRun& r : runs) {
          const std::int32_t k = weight[r.tap];
          for (std::int64_t c = 0; c < r.count; ++c)
            sums[static_cast<std::size_t>(r.out_at + c)] +=
                k * (image[r.in_at + c * r.step] - zero);
        }
      }
      const auto base = static_cast<std::size_t>((n * filters + o) * out_plane);
      for (std::size_t p = 0; p < sums.size(); ++p) {
        store(finish, out, base + p, sums[p], filter,
              op.epilogue.residual ? in.as<std::uint8_t>(3).data() + base + p : nullptr);
      }
    }
  }
}

namespace {

/// x [rows, inner] times w, whose element (k, column) is at k * k_stride + column * column_stride.
void product(const Operands& in, Tensor& out, std::int64_t inner, std::int64_t columns,
             std::int64_t k_stride, std::int64_t column_stride) {
  const auto x = in.as<std::uint8_t>(0);
  const auto w = in.as<std::int8_t>(1);
  const std::int32_t zero = in.quant(0).zero_point.at(0);
  const Finish finish(in, {}, static_cast<std::size_t>(columns));
  const std::int64_t rows = in[0].size() / std::max<std::int64_t>(inner, 1);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      std::int32_t acc = in.has(2) ? in.as<std::int32_t>(2)[static_cast<std::size_t>(c)] : 0;
      for (std::int64_t k = 0; k < inner; ++k) {
        acc += (x[static_cast<std::size_t>(r * inner + k)] - zero) *
               w[static_cast<std::size_t>(k * k_stride + c * column_stride)];
      }
      store(finish, out, static_cast<std::size_t>(r * columns + c), acc,
            static_cast<std::size_t>(c), nullptr);
    }
  }
}

}  // namespace

void compute_integer(const ir::Gemm& op, const Operands& in, Tensor& out) {
  XGEN_CHECK(op.alpha == 1 && op.beta == 1 && !op.trans_a, "node \"", in.node.name,
             "\": alpha, beta and trans_a have no integer form");
  const std::int64_t inner = in.extent(0, 1);
  const std::int64_t columns = out.shape[1];
  if (op.trans_b)
    product(in, out, inner, columns, 1, inner);
  else
    product(in, out, inner, columns, columns, 1);
}

void compute_integer(const ir::MatMul&, const Operands& in, Tensor& out) {
  XGEN_CHECK(in.shape(1).size() == 2, "node \"", in.node.name, "\": weight ",
             to_string(ir::to_shape(in.shape(1))));
  product(in, out, in.extent(1, 0), in.extent(1, 1), in.extent(1, 1), 1);
}

void compute_integer(const ir::AveragePool& op, const Operands& in, Tensor& out) {
  const ir::QuantParams& q = in.result.quant.value();
  const auto x = in.as<std::uint8_t>(0);
  auto y = out.as_mutable<std::uint8_t>();
  const std::int64_t plane = in.extent(0, 2) * in.extent(0, 3);
  for_each_index(out.shape, [&, at = std::size_t{0}](const auto& index) mutable {
    const PoolWindow window =
        pool_window(op, op.count_include_pad, in.extent(0, 2), in.extent(0, 3), index[2], index[3]);
    const std::int64_t base = (index[0] * out.shape[1] + index[1]) * plane;
    std::int32_t sum = 0;
    for (const std::int64_t o : window.offsets)
      sum += x[static_cast<std::size_t>(base + o)] - in.quant(0).zero_point.at(0);
    const float scale = average_scale(in.quant(0).scale.at(0), q.scale.at(0),
                                      std::max<std::int64_t>(window.count, 1));
    y[at++] = requantize(sum, scale, q.zero_point.at(0), {});
  });
}

void compute_integer(const ir::GlobalAveragePool&, const Operands& in, Tensor& out) {
  ir::AveragePool whole;
  whole.kernel = {in.extent(0, 2), in.extent(0, 3)};
  compute_integer(whole, in, out);
}

}  // namespace xgen::reference
