// Where lowering can choose a kernel, all choices interleaved, one thread, and which one it takes:
// on small maps vectors over positions (plane_conv) or over filters (filter_conv), of dense layers
// and of patterns and blocks at a quarter of the products; for depthwise int8 layers one tap at a
// time (plane_conv) or four (depthwise).
//
//   conv_families

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"

namespace {

using namespace xgen;

struct Shape {
  int channels, size, kernel;
  int stride = 1;
  bool depthwise = false, integer = false, sparse = false;

  std::string name() const {
    return str(channels, depthwise ? " depthwise" : str(" -> ", channels), ", ", kernel, "x",
               kernel, stride > 1 ? " stride 2" : "", " on ", size, "x", size,
               integer ? " int8" : " fp32", sparse ? " sparse" : "");
  }
};

LayerVariant variant_of(const Shape& s) {
  LayerVariant variant;
  if (!s.sparse) return variant;
  variant.group_out = s.integer ? 4 : 8;
  variant.lane_channels = s.integer ? 4 : 1;
  variant.scheme = s.kernel == 3 ? Sparsity::Scheme::pattern : Sparsity::Scheme::block;
  variant.taps = s.kernel == 3 ? 4 : 0;
  variant.kept_blocks = s.kernel == 3 ? 9.0 / 16 : 0.25;
  return variant;
}

ir::Graph layer_of(const Shape& s) {
  LayerShape shape;
  shape.c_in = shape.c_out = s.channels;
  shape.groups = s.depthwise ? s.channels : 1;
  shape.kernel_h = shape.kernel_w = s.kernel;
  shape.stride = s.stride;
  shape.height = shape.width = s.size;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = s.kernel / 2;
  shape.int8 = s.integer;
  return latency::single_layer(shape, variant_of(s));
}

// The convolution of a graph, in one family.
class Layer {
 public:
  Layer(const ir::Graph& graph, lower::ConvFamily family) {
    lower::LowerOptions options;
    options.conv_family = family;
    const Program program = lower::lower(graph, options);
    step_ = latency::layer_step(program);
    kernel_ = program.steps[static_cast<std::size_t>(step_)].kernel;
    model_ = std::make_unique<TimedModel>(program);
  }
  void run() { model_->run_step(step_); }
  const std::string& kernel() const { return kernel_; }

 private:
  std::unique_ptr<TimedModel> model_;
  int step_ = 0;
  std::string kernel_;
};

}  // namespace

int main() {
  struct Row {
    std::string name;
    Layer plane, other;
    std::string taken;
  };
  std::vector<Shape> shapes;
  for (const bool integer : {false, true}) {
    for (const int kernel : {1, 3}) {
      for (const int size : {2, 3, 4, 5, 6, 7, 8, 10})
        shapes.push_back({size <= 4 ? 512 : 256, size, kernel, 1, false, integer});
      for (const int size : {4, 7, 8, 14})
        shapes.push_back({256, size, kernel, 1, false, integer, true});
    }
    for (const bool sparse : {false, true}) {
      for (const int size : {8, 14, 28})
        shapes.push_back({256, size, 3, 2, false, integer, sparse});
    }
  }
  for (const int stride : {1, 2}) {
    for (const int kernel : {3, 5}) {
      for (const int size : {7, 14, 28, 56, 112})
        shapes.push_back({size <= 14 ? 256 : 64, size, kernel, stride, true, true});
    }
  }
  std::vector<std::unique_ptr<Row>> rows;
  for (const Shape& shape : shapes) {
    const ir::Graph graph = layer_of(shape);
    const auto other =
        shape.depthwise ? lower::ConvFamily::depthwise : lower::ConvFamily::filter_conv;
    rows.push_back(std::make_unique<Row>(
        Row{shape.name(), Layer(graph, lower::ConvFamily::plane_conv), Layer(graph, other),
            Layer(graph, lower::ConvFamily::fastest).kernel()}));
  }
  std::vector<std::function<void()>> functions;
  for (const auto& row : rows) {
    functions.emplace_back([r = row.get()] { r->plane.run(); });
    functions.emplace_back([r = row.get()] { r->other.run(); });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  std::printf("%-40s %13s %10s %6s  taken\n", "layer", "plane, us", "other, us", "ratio");
  double worst = 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double plane = timings[2 * i].median_us, other = timings[2 * i + 1].median_us;
    const bool by_other = rows[i]->taken == rows[i]->other.kernel();
    worst = std::max(worst, (by_other ? other : plane) / std::min(plane, other));
    std::printf("%-40s %13.2f %10.2f %6.2f  %s\n", rows[i]->name.c_str(), plane, other,
                plane / other, rows[i]->taken.c_str());
  }
  std::printf("the kernel that is taken costs at most %.2f times the better one\n", worst);
  return 0;
}
