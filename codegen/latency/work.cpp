#include "codegen/latency/work.h"

#include <algorithm>
#include <bit>
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

double bytes_of(const xgen_planes& p) {
  return static_cast<double>(p.planes) * std::max(1, p.phases) * static_cast<double>(p.plane);
}

/// What copy_lanes() of the kernels does for a row: whole vectors, and a part for each bit of the
/// rest.
double copied_parts(int width, const Machine& machine) {
  return std::popcount(static_cast<unsigned>(width % machine.isa.lanes));
}

/// Rows of a row-major tensor.
double outer_rows(const std::int32_t* extent, int rank) {
  double rows = 1;
  for (int d = 0; d + 1 < rank; ++d) rows *= extent[d];
  return rows;
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
  /// Bytes that are read and written once, from and to where they lie when the call is repeated.
  void memory(double read, double written, const Machine& machine) {
    const Lines from = streamed(read, 1, written, machine),
                to = streamed(written, 1, read, machine);
    lines("", from);
    lines("stored_", to);
  }
  void copied(double rows, int width, const Machine& machine) {
    add("copied_vectors", rows * (width / machine.isa.lanes));
    add("copied_parts", rows * copied_parts(width, machine));
  }
  void lines(const std::string& prefix, const Lines& lines) {
    add(prefix + "l2_lines", lines.l2);
    add(prefix + "l3_lines", lines.l3);
    add(prefix + "memory_lines", lines.memory);
  }
  void function(int kind, double count) {
    if (const auto of = function_of(kind)) add(function_names()[*of], count);
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
    counts.memory(bytes_of(c.x), bytes_of(c.y), machine);
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
    counts.memory(bytes_of(c.x), 0, machine);
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
    counts.memory((both ? 2 : 1) * bytes_of(y), bytes_of(y), machine);
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
    const int width = c.y.phases > 1 ? c.y.pitch : c.y.width;
    if (c.requantize == 0 && c.column_step == 1)
      counts.copied(rows, width, machine);
    else
      counts.add(c.requantize != 0 ? "requantized" : "gathered", rows * width);
    counts.border(c.y, c.y.planes);
    counts.memory(rows * width * 4, bytes_of(c.y), machine);
    return counts.take();
  }
  Work operator()(const xgen_resize& c) const {
    Counts counts(step.kernel);
    const double positions = static_cast<double>(c.y.height) * c.y.width;
    counts.add("calls", 1);
    counts.add("positions", positions);
    counts.add(c.mode == 0 ? "copied" : "interpolated", positions * c.y.planes);
    counts.border(c.y, c.y.planes);
    counts.memory(bytes_of(c.x), bytes_of(c.y), machine);
    return counts.take();
  }
  Work operator()(const xgen_pack& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    const double rows = static_cast<double>(c.channels) * c.planes.height;
    counts.add("rows", rows);
    const double elements = rows * c.planes.width;
    const bool real = step.kernel.ends_with("f32");
    if (real && c.planes.phases <= 1)
      counts.copied(rows, c.planes.width, machine);
    else if (c.quantize != 0 && c.natural != 0 && c.planes.phases <= 1)
      counts.add("quantized_vectors", rows * vectors(c.planes.width, machine));
    else
      counts.add(c.quantize != 0 ? "quantized" : "elements", elements);
    const double planes = bytes_of(c.planes);
    counts.add("planes", c.planes.planes * std::max(1, c.planes.phases));
    counts.add("plane_lanes", planes / 4);
    const double flat = elements * (real || c.quantize != 0 ? 4 : 1);
    const bool out = step.kernel.starts_with("unpack");
    counts.memory(out ? planes : flat, out ? flat : planes, machine);
    return counts.take();
  }
  Work operator()(const xgen_move& c) const {
    Counts counts(step.kernel);
    const double rows = outer_rows(c.extent, c.rank);
    const int last = c.rank - 1;
    const bool run = c.x_stride[last] == 1 && c.y_stride[last] == 1;
    counts.add("calls", 1);
    counts.add("rows", rows);
    const double elements = rows * c.extent[last], bytes = elements * c.size;
    counts.add(run ? "copied_vectors" : "elements",
               run ? rows * vectors(c.extent[last] * c.size / 4.0, machine) : elements);
    counts.memory(bytes, bytes, machine);
    return counts.take();
  }
  Work operator()(const xgen_broadcast& c) const {
    Counts counts(step.kernel);
    const double rows = outer_rows(c.extent, c.rank);
    counts.add("calls", 1);
    counts.add("rows", rows);
    const double elements = rows * c.extent[c.rank - 1];
    counts.add(c.kind == XGEN_POW ? "powers" : "elements", elements);
    counts.memory(4 * elements, 4 * elements, machine);
    return counts.take();
  }
  Work operator()(const xgen_map& c) const {
    Counts counts(step.kernel);
    const double v = vectors(c.count, machine);
    counts.add("calls", 1);
    counts.add("vectors", v);
    counts.function(c.kind, v);
    counts.memory(4.0 * c.count, 4.0 * c.count, machine);
    return counts.take();
  }
  Work operator()(const xgen_axis& c) const {
    Counts counts(step.kernel);
    const double outputs = static_cast<double>(c.outer) * c.inner;
    counts.add("calls", 1);
    counts.add("outputs", outputs);
    counts.add(c.inner == 1 ? "elements" : "strided", outputs * c.axis);
    const double bytes = 4 * outputs * c.axis;
    counts.memory(bytes, step.kernel.starts_with("softmax") ? bytes : 4 * outputs, machine);
    return counts.take();
  }
  Work operator()(const xgen_matmul& c) const {
    Counts counts(step.kernel);
    const double rows = static_cast<double>(c.batch) * c.m;
    counts.add("calls", 1);
    counts.add("rows", rows);
    counts.add("products", rows * c.k);
    counts.add(c.b_n == 1 ? "elements" : "strided", rows * c.k * c.n);
    // Each row walks through all of b.
    const double b = 4.0 * c.k * c.n;
    const Lines again = streamed(b, rows, 4.0 * (c.k + c.n), machine);
    counts.memory(4 * rows * c.k, 4 * rows * c.n, machine);
    counts.lines("", again);
    return counts.take();
  }
  Work operator()(const xgen_quantize& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    counts.add(c.dequantize != 0 ? "dequantized" : "quantized", c.count);
    const double real = 4.0 * c.count, integer = c.count;
    counts.memory(c.dequantize != 0 ? integer : real, c.dequantize != 0 ? real : integer, machine);
    return counts.take();
  }
  Work operator()(const xgen_transfer& c) const {
    Counts counts(step.kernel);
    counts.add("calls", 1);
    const auto bytes = static_cast<double>(c.bytes);
    counts.add(c.flip != 0 ? "flipped" : "copied_vectors",
               c.flip != 0 ? bytes : vectors(bytes / 4, machine));
    counts.memory(bytes, bytes, machine);
    return counts.take();
  }
};

std::vector<std::string> names_of_family(const std::string& kernel) {
  const std::vector<std::string>& functions = function_names();
  const std::vector<std::string> border = {"border_lanes", "border_runs"};
  const std::vector<std::string> memory = {"l2_lines",        "l3_lines",
                                           "memory_lines",    "stored_l2_lines",
                                           "stored_l3_lines", "stored_memory_lines"};
  const auto join = [](std::vector<std::string> names,
                       std::initializer_list<std::vector<std::string>> more) {
    for (const auto& list : more) names.insert(names.end(), list.begin(), list.end());
    return names;
  };
  const auto starts = [&](const char* prefix) { return kernel.rfind(prefix, 0) == 0; };
  if (starts("plane_conv") || starts("filter_conv")) return conv_work_names(kernel);
  if (starts("max_pool") || starts("average_pool"))
    return join({"calls", "rows", "lines", "elements_stride_1", "elements_strided", "outputs"},
                {border, memory});
  if (starts("global_pool"))
    return join({"calls", "planes", "rows", "vectors", "elements"}, {memory});
  if (starts("binary") || starts("add") || starts("unary") || starts("table"))
    return join({"calls", "planes", "vectors", "operand_vectors"}, {functions, border, memory});
  if (starts("copy_planes") || starts("split_planes"))
    return join({"calls", "rows", "copied_vectors", "copied_parts", "gathered", "requantized"},
                {border, memory});
  if (starts("resize"))
    return join({"calls", "positions", "copied", "interpolated"}, {border, memory});
  if (starts("pack") || starts("unpack"))
    return join({"calls", "planes", "rows", "copied_vectors", "copied_parts", "quantized_vectors",
                 "quantized", "elements", "plane_lanes"},
                {memory});
  if (starts("move")) return join({"calls", "rows", "copied_vectors", "elements"}, {memory});
  if (starts("broadcast")) return join({"calls", "rows", "elements", "powers"}, {memory});
  if (starts("map_f32")) return join({"calls", "vectors"}, {functions, memory});
  if (starts("softmax") || starts("reduce"))
    return join({"calls", "outputs", "elements", "strided"}, {memory});
  if (starts("matmul")) return join({"calls", "rows", "products", "elements", "strided"}, {memory});
  if (starts("quantize")) return join({"calls", "quantized", "dequantized"}, {memory});
  if (starts("transfer")) return join({"calls", "copied_vectors", "flipped"}, {memory});
  return {};
}

}  // namespace

Machine machine_of(const Target& target, const std::string& isa) {
  return {kernels::find_isa(isa), target.l1_bytes, target.l2_bytes, target.l3_bytes};
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
