#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

constexpr double kLine = 64;  ///< bytes of a cache line

/// Functions that a vector loop computes, each at a cost of its own, in the order of their codes.
const std::vector<std::string>& function_names();
/// The one of them that an activation or unary of this code is; empty for none.
std::string_view function_of(int kind);

/// Streams find what they use again in the last level up to the first of these times its size, and
/// nothing from the second on.
constexpr double kAllKept = 0.5, kAllLost = 2.2, kHalfLost = (kAllKept + kAllLost) / 2;

/// 64-byte lines that come from farther than the first cache level, the second, and the last.
struct Lines {
  double l2 = 0, l3 = 0, memory = 0;
};
/// When `bytes` are walked through `times` times, so far from one time to the next.
Lines streamed(double bytes, double times, const Distance& reach, const Machine& machine);
/// With at least so many bytes: those of the step itself.
Distance at_least(double bytes, Distance reach);
/// Of `bytes` that are used once, where their last uses left them. @param own  bytes that the step
/// touches itself.
Lines found(double bytes, double own, const std::vector<Reach::Part>& parts,
            const Machine& machine);

/// Counts by name, for one kernel: every rule that several kernels share.
class Counts {
 public:
  Counts(const std::string& kernel, const Machine& machine, const Reach& reach);

  /// That it is called, and how far its constants are by then.
  void call();
  void add(std::string_view name, double count);
  void add(std::string_view prefix, const Lines& lines);
  /// Vectors of an activation or unary.
  void function(int kind, double vectors);
  /// What write_border() of the kernels does for `count` planes: what is above and below them in
  /// vectors and shorter stores, and the gaps between rows by their stores.
  void border(const xgen_planes& planes, int count);
  /// What split_phases() does.
  void split(const xgen_planes& phases);
  /// What every_second_lane() does for rows of which `width` lanes are kept, to rows at this pitch.
  void halved(double rows, int width, int pitch);
  /// What copy_over() does for rows of `width` lanes, from and to rows at these pitches: whole
  /// vectors, of which those across cache lines take longer, short ends, and rows by their vectors
  /// where these are few.
  void copied_over(double rows, int width, int from_pitch, int to_pitch);
  /// What fill_over() does for `runs` runs of `lanes` lanes.
  void filled_over(double runs, int lanes);
  /// Bytes that are read once, at this offset of the arena, and written once.
  struct Stream {
    double bytes;
    std::size_t at;
  };
  void memory(std::initializer_list<Stream> read, std::initializer_list<Stream> written);

  Work take() { return std::move(work_); }

 private:
  // What fill_lanes() does.
  void filled(double runs, int lanes);

  const std::vector<std::string>& names_;
  const Machine& machine_;
  Reach reach_;
  Work work_;
};

/// The share of rows at a pitch of so many lanes that do not begin with a cache line.
double unaligned_rows(int pitch);

/// Names of what Counts counts: of call(), function(), border(), split(), halved(),
/// copied_over(), filled_over(), memory().
std::vector<std::string> call_names();
std::vector<std::string> border_names();
std::vector<std::string> split_names();
std::vector<std::string> halved_names();
std::vector<std::string> copied_over_names();
std::vector<std::string> filled_over_names();
std::vector<std::string> memory_names();
std::vector<std::string> joined(std::initializer_list<std::vector<std::string>> lists);

/// Vectors that hold so many lanes.
double vectors_of(double lanes, const Machine& machine);

}  // namespace xgen::latency
