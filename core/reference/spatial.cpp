#include <algorithm>
#include <cmath>
#include <limits>

#include "core/reference/operands.h"
#include "core/reference/unary.h"

namespace xgen::reference {

std::vector<ConvRun> conv_runs(const ir::Conv& op, std::int64_t kh, std::int64_t kw,
                               std::int64_t height, std::int64_t width, std::int64_t out_height,
                               std::int64_t out_width) {
  std::vector<ConvRun> runs;
  for (std::int64_t ky = 0; ky < kh; ++ky) {
    for (std::int64_t kx = 0; kx < kw; ++kx) {
      const std::int64_t x0 = kx * op.dilations[1] - op.pads[1];
      // The output columns whose tap lies in [0, width).
      std::int64_t first = 0;
      while (first < out_width && x0 + first * op.strides[1] < 0) ++first;
      std::int64_t last = first;
      while (last < out_width && x0 + last * op.strides[1] < width) ++last;
      if (first == last) continue;
      for (std::int64_t oy = 0; oy < out_height; ++oy) {
        const std::int64_t y = oy * op.strides[0] + ky * op.dilations[0] - op.pads[0];
        if (y < 0 || y >= height) continue;
        runs.push_back({ky * kw + kx, y * width + x0 + first * op.strides[1],
                        oy * out_width + first, last - first, op.strides[1]});
      }
    }
  }
  return runs;
}

void compute(const ir::Conv& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  const auto w = in.as<float>(1);
  auto y = out.as_mutable<float>();
  const std::int64_t channels = in.extent(0, 1);
  const std::int64_t plane = in.extent(0, 2) * in.extent(0, 3);
  const std::int64_t filters = out.shape[1];
  const std::int64_t out_plane = out.shape[2] * out.shape[3];
  const std::int64_t group_in = in.extent(1, 1);
  const std::int64_t taps = in.extent(1, 2) * in.extent(1, 3);
  const auto runs = conv_runs(op, in.extent(1, 2), in.extent(1, 3), in.extent(0, 2),
                              in.extent(0, 3), out.shape[2], out.shape[3]);
  std::vector<double> sums(static_cast<std::size_t>(out_plane));
  for (std::int64_t n = 0; n < out.shape[0]; ++n) {
    for (std::int64_t o = 0; o < filters; ++o) {
      const auto filter = static_cast<std::size_t>(o);
      std::fill(sums.begin(), sums.end(),
                in.has(2) ? static_cast<double>(in.as<float>(2)[filter]) : 0.0);
      const std::int64_t group = o / (filters / op.groups);
      for (std::int64_t i = 0; i < group_in; ++i) {
        const float* image = x.data() + (n * channels + group * group_in + i) * plane;
        const float* weight = w.data() + (o * group_in + i) * taps;
        for (const ConvRun& r : runs) {
          const double k = static_cast<double>(weight[r.tap]);
          for (std::int64_t c = 0; c < r.count; ++c)
            sums[static_cast<std::size_t>(r.out_at + c)] +=
                k * static_cast<double>(image[r.in_at + c * r.step]);
        }
      }
      const auto base = static_cast<std::size_t>((n * filters + o) * out_plane);
      for (std::size_t p = 0; p < sums.size(); ++p) {
        float value = apply(op.epilogue.before_add, static_cast<float>(sums[p]));
        if (op.epilogue.residual) value += in.as<float>(3)[base + p];
        y[base + p] = apply(op.epilogue.activation, value);
      }
    }
  }
}

PoolWindow pool_window(const ir::Pool& op, bool count_include_pad, std::int64_t height,
                       std::int64_t width, std::int64_t oy, std::int64_t ox) {
  PoolWindow window;
  for (std::int64_t ky = 0; ky < op.kernel[0]; ++ky) {
    for (std::int64_t kx = 0; kx < op.kernel[1]; ++kx) {
      const std::int64_t y = oy * op.strides[0] + ky * op.dilations[0] - op.pads[0];
      const std::int64_t x = ox * op.strides[1] + kx * op.dilations[1] - op.pads[1];
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      // Positions beyond the padding exist with ceil_mode only, and never count.
      const bool padded = y < height + op.pads[2] && x < width + op.pads[3];
      if (inside) window.offsets.push_back(y * width + x);
      if (inside || (count_include_pad && padded)) ++window.count;
    }
  }
  return window;
}

namespace {

/// f(window, plane offset of the input, index of the output) for every output element.
template <class F>
void for_each_window(const ir::Pool& op, bool count_include_pad, const Tensor& x, const Tensor& out,
                     F&& f) {
  const std::int64_t height = x.shape[2];
  const std::int64_t width = x.shape[3];
  for (std::int64_t oy = 0; oy < out.shape[2]; ++oy) {
    for (std::int64_t ox = 0; ox < out.shape[3]; ++ox) {
      const PoolWindow window = pool_window(op, count_include_pad, height, width, oy, ox);
      for (std::int64_t p = 0; p < out.shape[0] * out.shape[1]; ++p)
        f(window, p * height * width, (p * out.shape[2] + oy) * out.shape[3] + ox);
    }
  }
}

}  // namespace

void compute(const ir::MaxPool& op, const Operands& in, Tensor& out) {
  with_type(out.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = in.as<T>(0);
    auto y = out.as_mutable<T>();
    for_each_window(op, false, in[0], out,
                    [&](const PoolWindow& window, std::int64_t base, std::int64_t at) {
                      T most = std::numeric_limits<T>::lowest();
                      for (const std::int64_t o : window.offsets)
                        most = std::max(most, x[static_cast<std::size_t>(base + o)]);
                      y[static_cast<std::size_t>(at)] = most;
                    });
  });
}

void compute(const ir::AveragePool& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  auto y = out.as_mutable<float>();
  for_each_window(op, op.count_include_pad, in[0], out,
                  [&](const PoolWindow& window, std::int64_t base, std::int64_t at) {
                    double sum = 0;
                    for (const std::int64_t o : window.offsets)
                      sum += static_cast<double>(x[static_cast<std::size_t>(base + o)]);
                    y[static_cast<std::size_t>(at)] = static_cast<float>(
                        sum / static_cast<double>(std::max<std::int64_t>(window.count, 1)));
                  });
}

void compute(const ir::GlobalAveragePool&, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  auto y = out.as_mutable<float>();
  const auto plane = static_cast<std::size_t>(in.extent(0, 2) * in.extent(0, 3));
  for (std::size_t p = 0; p < y.size(); ++p) {
    double sum = 0;
    for (std::size_t i = 0; i < plane; ++i) sum += static_cast<double>(x[p * plane + i]);
    y[p] = static_cast<float>(sum / static_cast<double>(plane));
  }
}

namespace {

/// Where output position `o` lies in the input; in float, as ONNX Runtime has it.
float source_position(ir::Resize::Coordinates mode, std::int64_t o, float scale,
                      std::int64_t in_size, std::int64_t out_size) {
  const auto position = static_cast<float>(o);
  switch (mode) {
    case ir::Resize::Coordinates::half_pixel:
      return (position + 0.5F) / scale - 0.5F;
    case ir::Resize::Coordinates::pytorch_half_pixel:
      return out_size > 1 ? (position + 0.5F) / scale - 0.5F : 0.0F;
    case ir::Resize::Coordinates::align_corners:
      return out_size > 1
                 ? position * static_cast<float>(in_size - 1) / static_cast<float>(out_size - 1)
                 : 0.0F;
    case ir::Resize::Coordinates::asymmetric:
      return position / scale;
  }
  return position;
}

std::int64_t nearest(ir::Resize::Nearest mode, float position, std::int64_t size) {
  float rounded = 0;
  switch (mode) {
    case ir::Resize::Nearest::round_prefer_floor:
      rounded = std::ceil(position - 0.5F);
      break;
    case ir::Resize::Nearest::round_prefer_ceil:
      rounded = std::floor(position + 0.5F);
      break;
    case ir::Resize::Nearest::floor:
      rounded = std::floor(position);
      break;
    case ir::Resize::Nearest::ceil:
      rounded = std::ceil(position);
      break;
  }
  return std::clamp(static_cast<std::int64_t>(rounded), std::int64_t{0}, size - 1);
}

float resize_scale(const Operands& in, const Tensor& out, std::size_t axis) {
  if (in.has(2)) return in.as<float>(2)[axis];
  return static_cast<float>(out.shape[axis]) / static_cast<float>(in.extent(0, axis));
}

/// The two neighbours of a position and the share of the second.
struct Blend {
  std::int64_t low, high;
  float share;
};

std::vector<Blend> blends(const ir::Resize& op, const Operands& in, const Tensor& out,
                          std::size_t axis) {
  std::vector<Blend> result;
  const std::int64_t size = in.extent(0, axis);
  for (std::int64_t o = 0; o < out.shape[axis]; ++o) {
    const float position = std::clamp(
        source_position(op.coordinates, o, resize_scale(in, out, axis), size, out.shape[axis]),
        0.0F, static_cast<float>(size - 1));
    const auto low = static_cast<std::int64_t>(position);
    result.push_back({low, std::min(low + 1, size - 1), position - static_cast<float>(low)});
  }
  return result;
}

void resize_linear(const ir::Resize& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  auto y = out.as_mutable<float>();
  XGEN_CHECK(
      out.shape.size() == 4 && out.shape[0] == in.extent(0, 0) && out.shape[1] == in.extent(0, 1),
      "linear resizing of ", to_string(ir::to_shape(in.shape(0))));
  const auto rows = blends(op, in, out, 2);
  const auto columns = blends(op, in, out, 3);
  const std::int64_t width = in.extent(0, 3);
  for_each_index(out.shape, [&, at = std::size_t{0}](const auto& index) mutable {
    const Blend& r = rows[static_cast<std::size_t>(index[2])];
    const Blend& c = columns[static_cast<std::size_t>(index[3])];
    const std::int64_t plane = (index[0] * out.shape[1] + index[1]) * in.extent(0, 2) * width;
    const auto pixel = [&](std::int64_t row, std::int64_t column) {
      return x[static_cast<std::size_t>(plane + row * width + column)];
    };
    const float top = pixel(r.low, c.low) * (1 - c.share) + pixel(r.low, c.high) * c.share;
    const float bottom = pixel(r.high, c.low) * (1 - c.share) + pixel(r.high, c.high) * c.share;
    y[at++] = top * (1 - r.share) + bottom * r.share;
  });
}

}  // namespace

void compute(const ir::Resize& op, const Operands& in, Tensor& out) {
  if (op.mode == ir::Resize::Mode::linear) {
    resize_linear(op, in, out);
    return;
  }
  const auto strides = strides_of(in.shape(0));
  std::vector<std::vector<std::int64_t>> sources(out.shape.size());
  for (std::size_t axis = 0; axis < out.shape.size(); ++axis) {
    const std::int64_t size = in.extent(0, axis);
    for (std::int64_t o = 0; o < out.shape[axis]; ++o) {
      const float position =
          source_position(op.coordinates, o, resize_scale(in, out, axis), size, out.shape[axis]);
      // An axis that keeps its size is not resized, whatever rounding would say.
      sources[axis].push_back(size == out.shape[axis] ? o : nearest(op.nearest, position, size));
    }
  }
  for_each_index(out.shape, [&, at = std::int64_t{0}](const auto& index) mutable {
    std::int64_t from = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis)
      from += sources[axis][static_cast<std::size_t>(index[axis])] * strides[axis];
    copy_element(in[0], from, out, at++);
  });
}

}  // namespace xgen::reference
