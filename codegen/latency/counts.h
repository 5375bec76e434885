#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// Functions which a vector loop computes at costs of their own: how many vectors of each.
const std::vector<std::string>& function_names();
/// The one of them that an activation or unary of this code is; empty for none.
std::string_view function_of(int kind);

/// 64-byte lines that come from farther than the first cache level, the second, and the last.
struct Lines {
  double l2 = 0, l3 = 0, memory = 0;
};
/// When `bytes` are walked through `times` times beside `others` bytes which are in use as well.
Lines streamed(double bytes, double times, double others, const Machine& machine);

/// Counts by name, for one kernel: every rule that several kernels share.
class Counts {
 public:
  Counts(const std::string& kernel, const Machine& machine);

  void add(std::string_view name, double count);
  void add(std::string_view prefix, const Lines& lines);
  /// Vectors of an activation or unary.
  void function(int kind, double vectors);
  /// What write_borders() of the kernels does for `count` planes.
  void border(const xgen_planes& planes, int count);
  /// What split_phases() does.
  void split(const xgen_planes& phases);
  /// What copy_lanes() does for rows of `width` lanes: whole vectors, and a rest whose code depends
  /// on its lanes. Of rows of odd widths vectors cross cache lines.
  void copied(double rows, int width);
  /// Bytes that are read and written once, from and to where they lie when the call is repeated.
  void memory(double read, double written);

  Work take() { return std::move(work_); }

 private:
  const std::vector<std::string>& names_;
  const Machine& machine_;
  Work work_;
};

/// Names of what Counts counts: of function(), border(), split(), copied(), memory().
std::vector<std::string> border_names();
std::vector<std::string> split_names();
std::vector<std::string> copied_names();
std::vector<std::string> memory_names();
std::vector<std::string> joined(std::initializer_list<std::vector<std::string>> lists);

/// Vectors that hold so many lanes.
double vectors_of(double lanes, const Machine& machine);

}  // namespace xgen::latency
