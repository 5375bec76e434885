#include "codegen/latency/counts.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr double kLine = 64;       // bytes of a cache line
constexpr int kWidestVector = 16;  // lanes

// A level keeps all of what is walked through again and again where that takes less than the first
// share of it, and nothing beyond the second: pages lie at random, lines do not spread evenly.
constexpr double kKept = 0.75, kLost = 1.25;

double missed(double bytes, std::int64_t level) {
  const double share = bytes / static_cast<double>(level);
  return std::clamp((share - kKept) / (kLost - kKept), 0.0, 1.0);
}

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {"polynomials", "divisions", "exponentials",
                                                 "scalar_functions"};
  return names;
}

std::string_view function_of(int kind) {
  switch (kind) {
    case XGEN_LINEAR:
      return {};
    case XGEN_RECIPROCAL:
      return "divisions";
    case XGEN_SIGMOID:
    case XGEN_SILU:
    case XGEN_EXP:
      return "exponentials";
    case XGEN_LOG:
    case XGEN_SQRT:
    case XGEN_ERF:
    case XGEN_TANH:
      return "scalar_functions";
    default:
      return "polynomials";
  }
}

Lines streamed(double bytes, double times, double others, const Machine& machine) {
  const double lines = bytes / kLine * times, all = bytes + others;
  Lines result;
  result.l2 = lines * missed(all, machine.l1_bytes);
  result.l3 = lines * missed(all, machine.l2_bytes);
  // The last level is shared and replaced at random: what fits is found there.
  result.memory = lines * std::max(0.0, 1 - static_cast<double>(machine.l3_bytes) / all);
  return result;
}

Counts::Counts(const std::string& kernel, const Machine& machine)
    : names_(work_names(kernel)),
      machine_(machine),
      work_{kernel, std::vector<double>(names_.size(), 0.0)} {}

void Counts::add(std::string_view name, double count) {
  if (count == 0) return;
  const auto at = std::find(names_.begin(), names_.end(), name);
  XGEN_CHECK(at != names_.end(), work_.kernel, " does not count ", name);
  work_.counts[static_cast<std::size_t>(at - names_.begin())] += count;
}

void Counts::add(std::string_view prefix, const Lines& lines) {
  add(str(prefix, "l2_lines"), lines.l2);
  add(str(prefix, "l3_lines"), lines.l3);
  add(str(prefix, "memory_lines"), lines.memory);
}

void Counts::function(int kind, double vectors) {
  if (const auto name = function_of(kind); !name.empty()) add(name, vectors);
}

void Counts::border(const xgen_planes& p, int count) {
  const int gap = p.pitch - p.width, above = p.top * p.pitch + p.left;
  if (p.phases > 1 || (gap == 0 && above == 0 && p.bottom == 0)) return;
  const double below = gap + p.bottom * p.pitch + p.right;
  add("border_lanes", count * (above + static_cast<double>(gap) * (p.height - 1) + below));
  add("border_runs", count * static_cast<double>(p.height + 1));
}

void Counts::split(const xgen_planes& p) {
  const double planes = static_cast<double>(p.planes) * p.phases;
  add("split_lanes", planes * (p.top + p.height + p.bottom) * p.pitch);
  add("split_runs", planes * p.height);
}

void Counts::copied(double rows, int width) {
  const int rest = width % machine_.isa.lanes;
  add(rest == 0 ? "copied_vectors" : "crossing_vectors", rows * (width / machine_.isa.lanes));
  if (rest > 0) add(str("rests_", rest), rows);
}

void Counts::memory(double read, double written) {
  add("", streamed(read, 1, written, machine_));
  add("stored_", streamed(written, 1, read, machine_));
}

std::vector<std::string> border_names() { return {"border_lanes", "border_runs"}; }

std::vector<std::string> split_names() { return {"split_lanes", "split_runs"}; }

std::vector<std::string> copied_names() {
  std::vector<std::string> names = {"copied_vectors", "crossing_vectors"};
  for (int rest = 1; rest < kWidestVector; ++rest) names.push_back(str("rests_", rest));
  return names;
}

std::vector<std::string> memory_names() {
  return {"l2_lines",        "l3_lines",        "memory_lines",
          "stored_l2_lines", "stored_l3_lines", "stored_memory_lines"};
}

std::vector<std::string> joined(std::initializer_list<std::vector<std::string>> lists) {
  std::vector<std::string> names;
  for (const auto& list : lists) names.insert(names.end(), list.begin(), list.end());
  return names;
}

double vectors_of(double lanes, const Machine& machine) {
  return std::ceil(lanes / machine.isa.lanes);
}

}  // namespace xgen::latency
