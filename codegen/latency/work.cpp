#include "codegen/latency/work.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "codegen/latency/conv_work.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

double vectors(double lanes, const Machine& machine) {
  const double width = machine.isa.lanes;
  return std::floor((lanes + width - 1) / width);
}

/// Rows of a row-major tensor.
double outer_rows(const std::int32_t* extent, int rank) {
  double rows = 1;
  for (int d = 0; d + 1 < rank; ++d) rows *= extent[d];
  return rows;
}

/// Functions which a vector loop computes at costs of their own.
enum class Function { linear, polynomial, divided, exponential, scalar };
Function function_of(int kind) {
  switch (kind) {
    case XGEN_LINEAR:
      return Function::linear;
    case XGEN_RECIPROCAL:
      return Function::divided;
    case XGEN_SIGMOID:
    case XGEN_SILU:
    case XGEN_EXP:
      return Function::exponential;
    case XGEN_LOG:
    case XGEN_SQRT:
    case XGEN_ERF:
    case XGEN_TANH:
      return Function::scalar;
    default:
      return Function::polynomial;
  }
}

/// Counts by name, for one kernel.
class Counts {
 public:
  explicit Counts(const std::string& kernel)
      : names_(work_names(kernel)), work_{kernel, std::vector<double>(names_.size(), 0.0)} {}
  void add(const std::string& name, double count) {
    const auto at = std::find(names_.begin(), names_.end(), name);
    XGEN_CHECK(at != names_.end(), work_.kernel, " does not count ", name);
    work_.counts[static_cast<std::size_t>(at - names_.begin())] += count;
  }
  void border(const xgen_planes& planes, int count) {
    const BorderWork border = border_work(planes, count);
    add("border_lanes", border.lanes);
    add("border_runs", border.runs);
  }
  void function(int kind, double count) {
    static const std::map<Function, const char*> kNames = {{Function::polynomial, "polynomials"},
                                                           {Function::divided, "divisions"},
                                                           {Function::exponential, "exponentials"},
                                                           {Function::scalar, "scalar_functions"}};
    const auto name = kNames.find(function_of(kind));
    if (name != kNames.end()) add(name->second, count);
  }
  Work take() { return std::move(work_); }

 private:
  const std::vector<std::string>& names_;
  Work work_;
};

struct Counter {
  const Program& program;
  const Step& step;
  const Machine& machine;

  Work operator()(const xgen_conv& c) const { return conv_work(program, step.kernel, c, machine); }
  Work operator()(const xgen_filter_conv& c) const {
    return conv_work(program, step.kernel, c, machine);
  }
  Work operator()(const xgen_pool& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add("rows", static_cast<double>(c.y.planes) * c.y.height);
    const double lines = static_cast<double>(c.y.planes) * c.y.height * c.kernel_h * c.kernel_w;
    counts.add("lines", lines);
    counts.add(c.stride_w == 1 ? "elements_stride_1" : "elements_strided", lines * c.y.width);
    counts.add("outputs", static_cast<double>(c.y.planes) * c.y.height * c.y.width);
    counts.border(c.y, c.y.planes);
    return counts.take();
  }
  Work operator()(const xgen_global_pool& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add("planes", c.x.planes);
    counts.add("rows", static_cast<double>(c.x.planes) * c.x.height);
    const double whole = std::floor(c.x.width / static_cast<double>(machine.isa.lanes));
    counts.add("vectors", whole * c.x.planes * c.x.height);
    counts.add("elements", (c.x.width - whole * machine.isa.lanes) * c.x.planes * c.x.height);
    return counts.take();
  }
  Work planes(const xgen_planes& y, int kind, bool both) const {
    Counts counts(step.kernel);
    const double v = vectors(static_cast<double>(y.height) * y.pitch, machine) * y.planes;
    counts.add("calls", 1);
    counts.add("planes", y.planes);
    counts.add("vectors", v);
    if (both) counts.add("operand_vectors", v);
    counts.function(kind, v);
    counts.border(y, y.planes);
    return counts.take();
  }
  Work operator()(const xgen_binary& c) const {
    return planes(c.y, c.activation, c.b_per_channel == 0);
  }
  Work operator()(const xgen_unary& c) const { return planes(c.y, c.kind, false); }
  Work operator()(const xgen_copy& c) const {
    Counts counts(step.kernel);
    const double rows = static_cast<double>(c.y.planes) * c.y.height * std::max(1, c.y.phases);
    counts.add("calls", 1);
    counts.add("rows", rows);
    const char* kind = c.requantize != 0    ? "requantized"
                       : c.column_step == 1 ? "copied"
                                            : "gathered";
    counts.add(kind, rows * (c.y.phases > 1 ? c.y.pitch : c.y.width));
    counts.border(c.y, c.y.planes);
    return counts.take();
  }
  Work operator()(const xgen_resize& c) const {
    Counts counts(step.kernel);
    const double positions = static_cast<double>(c.y.height) * c.y.width;
    counts.add("calls", 1);
    counts.add("positions", positions);
    counts.add(c.mode == 0 ? "copied" : "interpolated", positions * c.y.planes);
    counts.border(c.y, c.y.planes);
    return counts.take();
  }
  Work operator()(const xgen_pack& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add("rows", static_cast<double>(c.channels) * c.planes.height);
    const double elements = static_cast<double>(c.channels) * c.planes.height * c.planes.width;
    const bool by_vector = c.quantize != 0 && c.natural != 0 && c.planes.phases <= 1;
    counts.add(
        by_vector         ? "quantized_vectors"
        : c.quantize != 0 ? "quantized"
                          : "elements",
        by_vector ? vectors(c.planes.width, machine) * c.channels * c.planes.height : elements);
    counts.add("plane_lanes", static_cast<double>(c.planes.planes) * std::max(1, c.planes.phases) *
                                  c.planes.height * c.planes.pitch);
    return counts.take();
  }
  Work operator()(const xgen_move& c) const {
    Counts counts(step.kernel);
    const double rows = outer_rows(c.extent, c.rank);
    const int last = c.rank - 1;
    const bool run = c.x_stride[last] == 1 && c.y_stride[last] == 1;
    counts.add("calls", 1);
    counts.add("rows", rows);
    counts.add(run ? "bytes" : "elements", rows * c.extent[last] * (run ? c.size : 1));
    return counts.take();
  }
  Work operator()(const xgen_broadcast& c) const {
    Counts counts(step.kernel);
    const double rows = outer_rows(c.extent, c.rank);
    counts.add("calls", 1);
    counts.add("rows", rows);
    counts.add(c.kind == XGEN_POW ? "powers" : "elements", rows * c.extent[c.rank - 1]);
    return counts.take();
  }
  Work operator()(const xgen_map& c) const {
    Counts counts(step.kernel);
    const double v = vectors(c.count, machine);
    counts.add("calls", 1);
    counts.add("vectors", v);
    counts.function(c.kind, v);
    return counts.take();
  }
  Work operator()(const xgen_axis& c) const {
    Counts counts(step.kernel);
    const double outputs = static_cast<double>(c.outer) * c.inner;
    counts.add("calls", 1);
    counts.add("outputs", outputs);
    counts.add(c.inner == 1 ? "elements" : "strided", outputs * c.axis);
    return counts.take();
  }
  Work operator()(const xgen_matmul& c) const {
    Counts counts(step.kernel);
    const double rows = static_cast<double>(c.batch) * c.m;
    counts.add("calls", 1);
    counts.add("rows", rows);
    counts.add("products", rows * c.k);
    counts.add(c.b_n == 1 ? "elements" : "strided", rows * c.k * c.n);
    return counts.take();
  }
  Work operator()(const xgen_quantize& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add(c.dequantize != 0 ? "dequantized" : "quantized", c.count);
    return counts.take();
  }
  Work operator()(const xgen_transfer& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add(c.flip != 0 ? "flipped" : "bytes", static_cast<double>(c.bytes));
    return counts.take();
  }
};

std::vector<std::string> names_of_family(const std::string& kernel) {
  const std::vector<std::string> functions = {"polynomials", "divisions", "exponentials",
                                              "scalar_functions"};
  const std::vector<std::string> border = {"border_lanes", "border_runs"};
  const auto join = [](std::vector<std::string> names,
                       std::initializer_list<std::vector<std::string>> more) {
    for (const auto& list : more) names.insert(names.end(), list.begin(), list.end());
    return names;
  };
  const auto starts = [&](const char* prefix) { return kernel.rfind(prefix, 0) == 0; };
  if (starts("plane_conv") || starts("filter_conv")) return conv_work_names(kernel);
  if (starts("max_pool") || starts("average_pool"))
    return join({"calls", "rows", "lines", "elements_stride_1", "elements_strided", "outputs"},
                {border});
  if (starts("global_pool")) return {"calls", "planes", "rows", "vectors", "elements"};
  if (starts("binary") || starts("add") || starts("unary") || starts("table"))
    return join({"calls", "planes", "vectors", "operand_vectors"}, {functions, border});
  if (starts("copy_planes") || starts("split_planes"))
    return join({"calls", "rows", "copied", "gathered", "requantized"}, {border});
  if (starts("resize")) return join({"calls", "positions", "copied", "interpolated"}, {border});
  if (starts("pack") || starts("unpack"))
    return {"calls", "rows", "quantized_vectors", "quantized", "elements", "plane_lanes"};
  if (starts("move")) return {"calls", "rows", "bytes", "elements"};
  if (starts("broadcast")) return {"calls", "rows", "elements", "powers"};
  if (starts("map_f32")) return join({"calls", "vectors"}, {functions});
  if (starts("softmax") || starts("reduce")) return {"calls", "outputs", "elements", "strided"};
  if (starts("matmul")) return {"calls", "rows", "products", "elements", "strided"};
  if (starts("quantize")) return {"calls", "quantized", "dequantized"};
  if (starts("transfer")) return {"calls", "bytes", "flipped"};
  return {};
}

}  // namespace

Machine machine_of(const Target& target, const std::string& isa) {
  return {kernels::find_isa(isa), target.l1_bytes, target.l2_bytes};
}

const std::vector<std::string>& work_names(const std::string& kernel) {
  static std::map<std::string, std::vector<std::string>> known;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  auto at = known.find(kernel);
  if (at == known.end()) at = known.emplace(kernel, names_of_family(kernel)).first;
  XGEN_CHECK(!at->second.empty(), "nothing is counted of kernel ", kernel);
  return at->second;
}

bool is_counted(const std::string& kernel) { return !names_of_family(kernel).empty(); }

Work work_of(const Program& program, const Step& step, const Machine& machine) {
  return std::visit(Counter{program, step, machine}, step.args);
}

}  // namespace xgen::latency
