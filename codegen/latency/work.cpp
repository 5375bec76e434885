#include "codegen/latency/work.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "codegen/latency/conv_work.h"
#include "codegen/latency/counts.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

double bytes_of(const xgen_planes& p) {
  return static_cast<double>(p.planes) * std::max(1, p.phases) * static_cast<double>(p.plane);
}

/// Rows of a row-major tensor.
double outer_rows(const std::int32_t* extent, int rank) {
  double rows = 1;
  for (int d = 0; d + 1 < rank; ++d) rows *= extent[d];
  return rows;
}

struct Counter {
  const Program& program;
  const Step& step;
  const Machine& machine;
  const Reach& reach;

  Work operator()(const xgen_conv& c) const {
    return conv_map_work(step.kernel, c, list_work(program, c.list, c.begin, c.groups), machine,
                         reach);
  }
  Work operator()(const xgen_filter_conv& c) const {
    return filter_conv_work(step.kernel, c, list_work(program, c.list, c.begin, c.groups), machine,
                            reach);
  }
  Work operator()(const xgen_pool& c) const {
    Counts counts(step.kernel, machine, reach);
    counts.call();
    counts.add("rows", static_cast<double>(c.y.planes) * c.y.height);
    count_windows(counts, c);
    counts.border(c.y, c.y.planes);
    counts.memory({{bytes_of(c.x), c.x.data}}, {{bytes_of(c.y), c.y.data}});
    return counts.take();
  }
  // Vectors of windows that lie inside, and windows one by one that do not.
  void count_windows(Counts& counts, const xgen_pool& c) const {
    const int lanes = machine.isa.lanes;
    const auto taps = [](int out, int stride, int pad, int dilation, int kernel, int extent) {
      int inside = 0;
      for (int k = 0; k < kernel; ++k) {
        const int at = out * stride - pad + k * dilation;
        inside += at >= 0 && at < extent ? 1 : 0;
      }
      return inside;
    };
    double rows = 0, columns = 0, seconds = 0, windows = 0;
    for (int y = 0; y < c.y.height; ++y)
      rows += taps(y, c.stride_h, c.pad_top, c.dilation_h, c.kernel_h, c.x.height);
    int whole = 0;
    for (int x = 0; x < c.y.width; ++x) {
      const int inside = taps(x, c.stride_w, c.pad_left, c.dilation_w, c.kernel_w, c.x.width);
      if (inside == c.kernel_w && c.stride_w <= 2) {
        ++whole;
      } else {
        ++windows;
        columns += inside;
      }
    }
    const double vectors = vectors_of(whole, machine);
    columns += vectors * c.kernel_w;
    if (c.stride_w == 2 && 2 * whole > lanes) seconds = vectors * c.kernel_w;
    const double all_rows = static_cast<double>(c.y.planes) * c.y.height;
    counts.add("windows", all_rows * (windows + vectors));
    counts.add("columns", all_rows * columns);
    counts.add("taps", c.y.planes * rows * columns);
    counts.add("second_taps", c.y.planes * rows * seconds);
  }
  Work operator()(const xgen_global_pool& c) const {
    Counts counts(step.kernel, machine, reach);
    counts.call();
    counts.add("planes", c.x.planes);
    counts.add("rows", static_cast<double>(c.x.planes) * c.x.height);
    const double whole = std::floor(c.x.width / static_cast<double>(machine.isa.lanes));
    counts.add("vectors", whole * c.x.planes * c.x.height);
    counts.add("elements", (c.x.width - whole * machine.isa.lanes) * c.x.planes * c.x.height);
    counts.memory({{bytes_of(c.x), c.x.data}}, {});
    return counts.take();
  }
  double vectors_in(const xgen_planes& y) const {
    return vectors_of(static_cast<double>(y.height) * y.pitch, machine) * y.planes;
  }
  Counts planes(const xgen_planes& y, int kind) const {
    Counts counts(step.kernel, machine, reach);
    const double v = vectors_in(y);
    counts.call();
    counts.add("planes", y.planes);
    counts.add("vectors", v);
    counts.function(kind, v);
    counts.border(y, y.planes);
    return counts;
  }
  Work operator()(const xgen_binary& c) const {
    Counts counts = planes(c.y, c.activation);
    const double v = vectors_in(c.y), bytes = bytes_of(c.y);
    if (c.kind == XGEN_DIV) counts.add("divided_vectors", v);
    if (c.b_per_channel == 0) counts.add("operand_vectors", v);
    counts.memory({{bytes, c.a.data}, {c.b_per_channel == 0 ? bytes : 0, c.b.data}},
                  {{bytes, c.y.data}});
    return counts.take();
  }
  Work operator()(const xgen_unary& c) const {
    Counts counts = planes(c.y, c.kind);
    counts.memory({{bytes_of(c.y), c.x.data}}, {{bytes_of(c.y), c.y.data}});
    return counts.take();
  }
  Work operator()(const xgen_copy& c) const {
    Counts counts(step.kernel, machine, reach);
    counts.call();
    const double of_row = 4.0 * c.y.width * std::clamp(c.column_step, 1, 16);
    counts.memory({{of_row * c.y.planes * c.y.height, c.x.data}}, {{bytes_of(c.y), c.y.data}});
    if (c.y.phases > 1) {
      counts.split(c.y);
      return counts.take();
    }
    count_copied(counts, c);
    counts.border(c.y, c.y.planes);
    return counts.take();
  }
  // At one pitch rows and the gaps between them are one run.
  void count_copied(Counts& counts, const xgen_copy& c) const {
    const bool run = c.x.pitch == c.y.pitch && c.row_step == 1 && c.column_step == 1;
    const int width = run ? (c.y.height - 1) * c.y.pitch + c.y.width : c.y.width;
    const double rows = static_cast<double>(c.y.planes) * (run ? 1 : c.y.height);
    counts.add("rows", rows);
    if (c.requantize != 0) {
      counts.add("requantized_vectors", rows * vectors_of(width, machine));
    } else if (c.column_step == 1) {
      // Rows that do not begin with a cache line are as good as any of an odd pitch.
      const int first = c.column + (run ? c.row * c.x.pitch : 0);
      counts.copied_over(rows, width,
                         first % 16 != 0 ? 1
                         : run           ? 0
                                         : c.x.pitch * c.row_step,
                         run ? 0 : c.y.pitch);
    } else if (c.column_step == 2) {
      counts.halved(rows, width, c.y.pitch);
    } else {
      counts.add("gathered", rows * width);
    }
  }
  Work operator()(const xgen_resize& c) const {
    Counts counts(step.kernel, machine, reach);
    const double positions = static_cast<double>(c.y.height) * c.y.width;
    counts.call();
    counts.add("positions", positions);
    counts.add(c.mode == 0 ? "copied" : "interpolated", positions * c.y.planes);
    counts.border(c.y, c.y.planes);
    counts.memory({{bytes_of(c.x), c.x.data}}, {{bytes_of(c.y), c.y.data}});
    return counts.take();
  }
  Work operator()(const xgen_pack& c) const {
    const bool out = step.kernel.starts_with("unpack"), real = step.kernel.ends_with("f32");
    Counts counts(step.kernel, machine, reach);
    counts.call();
    const double elements = static_cast<double>(c.channels) * c.planes.height * c.planes.width,
                 flat = elements * (real || c.quantize != 0 ? 4 : 1), planes = bytes_of(c.planes);
    const Counts::Stream in_planes = {planes, c.planes.data}, in_rows = {flat, c.flat};
    counts.memory({out ? in_planes : in_rows}, {out ? in_rows : in_planes});
    if (out)
      count_unpacked(counts, c, real);
    else if (real)
      count_packed_f32(counts, c);
    else
      count_packed_i8(counts, c);
    return counts.take();
  }
  void count_unpacked(Counts& counts, const xgen_pack& c, bool real) const {
    const Rows r = rows_of(c.planes, c.channels);
    counts.add("planes", c.channels);
    counts.add("rows", r.rows);
    if (real)
      counts.copied_over(r.rows, r.width, r.pitch, r.width);
    else
      counts.add(c.quantize != 0 ? "dequantized_vectors" : "narrowed_vectors",
                 r.rows * vectors_of(r.width, machine));
  }
  // Planes without gaps are one row, which begins with a cache line.
  struct Rows {
    double rows;
    int width, pitch;
  };
  static Rows rows_of(const xgen_planes& p, int planes) {
    if (p.pitch == p.width) return {static_cast<double>(planes), p.width * p.height, 0};
    return {static_cast<double>(planes) * p.height, p.width, p.pitch};
  }
  static void count_filled(Counts& counts, const xgen_planes& p, int planes) {
    counts.filled_over(planes, p.top * p.pitch + p.left);
    counts.filled_over(static_cast<double>(planes) * p.height, p.pitch - p.width);
    counts.filled_over(planes, p.bottom * p.pitch + p.right);
  }
  static void count_packed_f32(Counts& counts, const xgen_pack& c) {
    counts.add("planes", c.channels);
    if (c.planes.phases > 1) {
      counts.split(c.planes);
      return;
    }
    const Rows r = rows_of(c.planes, c.channels);
    counts.add("rows", r.rows);
    counts.copied_over(r.rows, r.width, r.width, r.pitch);
    count_filled(counts, c.planes, c.channels);
  }
  void count_packed_i8(Counts& counts, const xgen_pack& c) const {
    const Rows r = rows_of(c.planes, c.planes.planes);
    const double in_row = vectors_of(r.width, machine);
    counts.add("planes", c.planes.planes);
    counts.add("rows", r.rows);
    counts.add("packed_vectors", r.rows * in_row);
    counts.add(c.quantize != 0 ? "quantized_vectors" : "widened_vectors",
               r.rows / c.planes.planes * in_row * c.channels);
    if (c.planes.phases > 2) {
      counts.add("scattered",
                 static_cast<double>(c.planes.planes) * c.planes.height * c.planes.width);
      counts.add("cleared", bytes_of(c.planes) / 4);
    } else if (c.planes.phases == 2) {
      counts.split(c.planes);
    } else {
      counts.add("crossing_stores", r.rows * in_row * unaligned_rows(r.pitch));
      count_filled(counts, c.planes, c.planes.planes);
    }
  }
  Work operator()(const xgen_move& c) const {
    Counts counts(step.kernel, machine, reach);
    const double rows = outer_rows(c.extent, c.rank);
    const int last = c.rank - 1;
    const bool run = c.x_stride[last] == 1 && c.y_stride[last] == 1;
    counts.call();
    counts.add("rows", rows);
    const double elements = rows * c.extent[last], bytes = elements * c.size;
    counts.add(run ? "copied_vectors" : "elements",
               run ? rows * vectors_of(c.extent[last] * c.size / 4.0, machine) : elements);
    counts.memory({{bytes, c.x}}, {{bytes, c.y}});
    return counts.take();
  }
  Work operator()(const xgen_broadcast& c) const {
    Counts counts(step.kernel, machine, reach);
    const double rows = outer_rows(c.extent, c.rank);
    counts.call();
    counts.add("rows", rows);
    const double elements = rows * c.extent[c.rank - 1];
    counts.add(c.kind == XGEN_POW ? "powers" : "elements", elements);
    counts.memory({{4 * elements, c.a}}, {{4 * elements, c.y}});
    return counts.take();
  }
  Work operator()(const xgen_map& c) const {
    Counts counts(step.kernel, machine, reach);
    const double v = vectors_of(c.count, machine);
    counts.call();
    counts.add("vectors", v);
    counts.function(c.kind, v);
    counts.memory({{4.0 * c.count, c.x}}, {{4.0 * c.count, c.y}});
    return counts.take();
  }
  Work operator()(const xgen_axis& c) const {
    Counts counts(step.kernel, machine, reach);
    const double outputs = static_cast<double>(c.outer) * c.inner;
    counts.call();
    counts.add("outputs", outputs);
    counts.add(c.inner == 1 ? "elements" : "strided", outputs * c.axis);
    const double bytes = 4 * outputs * c.axis;
    counts.memory({{bytes, c.x}},
                  {{step.kernel.starts_with("softmax") ? bytes : 4 * outputs, c.y}});
    return counts.take();
  }
  Work operator()(const xgen_matmul& c) const {
    Counts counts(step.kernel, machine, reach);
    const double rows = static_cast<double>(c.batch) * c.m;
    counts.call();
    counts.add("rows", rows);
    counts.add("products", rows * c.k);
    counts.add(c.b_n == 1 ? "elements" : "strided", rows * c.k * c.n);
    // Each row walks through all of b.
    const double b = 4.0 * c.k * c.n;
    const Lines again = streamed(b, rows, {b + 4.0 * (c.k + c.n)}, machine);
    counts.memory({{4 * rows * c.k, c.a}}, {{4 * rows * c.n, c.y}});
    counts.add("", again);
    return counts.take();
  }
  Work operator()(const xgen_quantize& c) const {
    Counts counts(step.kernel, machine, reach);
    counts.call();
    counts.add(c.dequantize != 0 ? "dequantized" : "quantized", c.count);
    const double real = 4.0 * c.count, integer = c.count;
    counts.memory({{c.dequantize != 0 ? integer : real, c.x}},
                  {{c.dequantize != 0 ? real : integer, c.y}});
    return counts.take();
  }
  Work operator()(const xgen_transfer& c) const {
    Counts counts(step.kernel, machine, reach);
    counts.call();
    const auto bytes = static_cast<double>(c.bytes);
    if (c.flip != 0) {
      counts.add("flipped", bytes);
    } else {
      const double vectors = std::floor(bytes / 4 / machine.isa.lanes);
      counts.add("vectors", vectors);
      if (bytes > 4 * vectors * machine.isa.lanes) counts.add("ends", 1);
    }
    const std::size_t caller = XGEN_NONE;
    counts.memory({{bytes, c.output != 0 ? c.at : caller}},
                  {{bytes, c.output != 0 ? caller : c.at}});
    return counts.take();
  }
};

std::vector<std::string> names_of_family(const std::string& kernel) {
  using Names = std::vector<std::string>;
  const auto starts = [&](const char* prefix) { return kernel.rfind(prefix, 0) == 0; };
  const auto with_memory = [&](const Names& names, const Names& more = {}) {
    return joined({call_names(), names, more, memory_names()});
  };
  if (starts("plane_conv") || starts("filter_conv") || starts("depthwise"))
    return conv_work_names(kernel);
  if (starts("max_pool") || starts("average_pool"))
    return with_memory({"rows", "windows", "columns", "taps", "second_taps"}, border_names());
  if (starts("global_pool")) return with_memory({"planes", "rows", "vectors", "elements"});
  if (starts("binary"))
    return with_memory({"planes", "vectors", "operand_vectors", "divided_vectors"},
                       joined({function_names(), border_names()}));
  if (starts("add") || starts("unary") || starts("table"))
    return with_memory({"planes", "vectors", "operand_vectors"},
                       joined({function_names(), border_names()}));
  if (starts("copy_planes") || starts("split_planes"))
    return with_memory(
        {"rows", "gathered", "requantized_vectors"},
        joined({copied_over_names(), halved_names(), border_names(), split_names()}));
  if (starts("resize")) return with_memory({"positions", "copied", "interpolated"}, border_names());
  if (starts("unpack_f32")) return with_memory({"planes", "rows"}, copied_over_names());
  if (starts("unpack_i8"))
    return with_memory({"planes", "rows", "dequantized_vectors", "narrowed_vectors"});
  if (starts("pack_f32"))
    return with_memory({"planes", "rows"}, joined({copied_over_names(), split_names()}));
  if (starts("pack_i8"))
    return with_memory({"planes", "rows", "packed_vectors", "quantized_vectors", "widened_vectors",
                        "crossing_stores", "scattered", "cleared"},
                       split_names());
  if (starts("move")) return with_memory({"rows", "copied_vectors", "elements"});
  if (starts("broadcast")) return with_memory({"rows", "elements", "powers"});
  if (starts("map_f32")) return with_memory({"vectors"}, function_names());
  if (starts("softmax") || starts("reduce")) return with_memory({"outputs", "elements", "strided"});
  if (starts("matmul")) return with_memory({"rows", "products", "elements", "strided"});
  if (starts("quantize")) return with_memory({"quantized", "dequantized"});
  if (starts("transfer")) return with_memory({"flipped", "vectors", "ends"});
  return {};
}

}  // namespace

Machine machine_of(const Target& target, const std::string& isa) {
  return {kernels::find_isa(isa), {target.l1_bytes, target.l2_bytes, target.l3_bytes, 0}};
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

Work work_of(const Program& program, const Step& step, const Machine& machine, const Reach& reach) {
  return std::visit(Counter{program, step, machine, reach}, step.args);
}

std::vector<Work> works_of(const Program& program, const Machine& machine,
                           const std::vector<double>& step_us) {
  const std::vector<Reach> reach = reach_of(program, step_us);
  std::vector<Work> works;
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    works.push_back(work_of(program, program.steps[i], machine, reach[i]));
  return works;
}

}  // namespace xgen::latency
