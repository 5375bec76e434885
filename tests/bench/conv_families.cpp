// Convolutions on small maps: vectors over positions (plane_conv) against vectors over filters
// (filter_conv), interleaved, one thread, and which of them lowering takes.
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

ir::Graph layer_of(int channels, int size, int kernel, bool integer) {
  LayerShape shape;
  shape.c_in = shape.c_out = channels;
  shape.kernel_h = shape.kernel_w = kernel;
  shape.height = shape.width = size;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = kernel / 2;
  shape.int8 = integer;
  return latency::single_layer(shape, {});
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
    Layer plane, filter;
    std::string taken;
  };
  std::vector<std::unique_ptr<Row>> rows;
  for (const bool integer : {false, true}) {
    for (const int kernel : {1, 3}) {
      for (const int size : {2, 3, 4, 5, 6, 7, 8, 10}) {
        const int channels = size <= 4 ? 512 : 256;
        const ir::Graph graph = layer_of(channels, size, kernel, integer);
        rows.push_back(
            std::make_unique<Row>(Row{str(channels, " -> ", channels, ", ", kernel, "x", kernel,
                                          " on ", size, "x", size, integer ? " int8" : " fp32"),
                                      Layer(graph, lower::ConvFamily::plane_conv),
                                      Layer(graph, lower::ConvFamily::filter_conv),
                                      Layer(graph, lower::ConvFamily::fastest).kernel()}));
      }
    }
  }
  std::vector<std::function<void()>> functions;
  for (const auto& row : rows) {
    functions.emplace_back([r = row.get()] { r->plane.run(); });
    functions.emplace_back([r = row.get()] { r->filter.run(); });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  std::printf("%-28s %12s %12s %7s  taken\n", "layer", "plane, us", "filter, us", "ratio");
  double worst = 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double plane = timings[2 * i].median_us, filter = timings[2 * i + 1].median_us;
    const bool by_filter = rows[i]->taken.rfind("filter", 0) == 0;
    worst = std::max(worst, (by_filter ? filter : plane) / std::min(plane, filter));
    std::printf("%-28s %12.2f %12.2f %7.2f  %s\n", rows[i]->name.c_str(), plane, filter,
                plane / filter, rows[i]->taken.c_str());
  }
  std::printf("the family that is taken costs at most %.2f times the better one\n", worst);
  return 0;
}
