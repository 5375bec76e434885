#include "codegen/latency/counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kLineLanes = 16;
constexpr int kShortGap = 3;  // lanes of those that have a loop of their own

// Rows of so few vectors overlap with the next ones, each number in its own way; of rows of more
// than kLongRow the memory alone decides.
constexpr int kShortRow = 4, kLongRow = 16;

// The share of lines that a level has lost when they are used again, after so many times its size:
// nothing below `kept`, all beyond `lost`. Pages lie at random, lines do not spread evenly; the
// last level is shared with other cores, and keeps some of what is too large.
double missed(double sizes, double kept, double lost) {
  return std::clamp((sizes - kept) / (lost - kept), 0.0, 1.0);
}

Lines lines_of(double lines, const Distance& reach, const Caches& caches) {
  const auto sizes = [&](std::int64_t level) { return reach.bytes / static_cast<double>(level); };
  const double turned = caches.l3_turnover_us > 0 ? reach.us / caches.l3_turnover_us : 0;
  const double from_l3 = missed(sizes(caches.l2_bytes), 0.75, 1.25);
  return {lines * missed(sizes(caches.l1_bytes), 0.75, 1.25), lines * from_l3,
          lines * std::min(from_l3, missed(sizes(caches.l3_bytes) + turned, kAllKept, kAllLost))};
}

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {
      "leaky_relu", "sigmoid", "tanh", "silu", "hard_sigmoid", "hard_swish", "exp",
      "log",        "neg",     "sqrt", "abs",  "erf",          "reciprocal"};
  return names;
}

std::string_view function_of(int kind) {
  if (kind == XGEN_LINEAR) return {};
  return function_names().at(static_cast<std::size_t>(kind - XGEN_LEAKY_RELU));
}

Lines streamed(double bytes, double times, const Distance& reach, const Machine& machine) {
  return lines_of(bytes / kLine * times, reach, machine.caches);
}

Distance at_least(double bytes, Distance reach) {
  reach.bytes = std::max(bytes, reach.bytes);
  return reach;
}

Lines found(double bytes, double own, const std::vector<Reach::Part>& parts,
            const Machine& machine) {
  Lines sum;
  for (const Reach::Part& part : parts) {
    const Lines lines = streamed(bytes * part.share, 1, at_least(own, part.since), machine);
    sum.l2 += lines.l2;
    sum.l3 += lines.l3;
    sum.memory += lines.memory;
  }
  return sum;
}

Counts::Counts(const std::string& kernel, const Machine& machine, const Reach& reach)
    : names_(work_names(kernel)),
      machine_(machine),
      reach_(reach),
      work_{kernel, std::vector<double>(names_.size(), 0.0)} {}

void Counts::call() {
  add("calls", 1);
  // Its arguments, and where loops begin: what nothing fetches ahead.
  add("call_", streamed(kLine, 1, reach_.run, machine_));
}

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
  const int gap = p.pitch - p.width, above = p.top * p.pitch + p.left,
            below = gap + p.bottom * p.pitch + p.right;
  if (p.phases > 1 || above + below == 0) return;
  const double rows = static_cast<double>(count) * (p.height - 1);
  add("border_planes", count);
  filled(count, above);
  filled(count, below);
  if (gap == 0) return;
  if (gap <= kShortGap)
    add("border_gaps", rows * (gap == 3 ? 2 : 1));
  else
    filled(rows, gap);
}

void Counts::filled(double runs, int lanes) {
  const int most = machine_.isa.lanes;
  if (lanes >= most)
    add("border_vectors", runs * std::ceil(static_cast<double>(lanes) / most));
  else
    add("border_ends", runs * std::popcount(static_cast<unsigned>(lanes)));
}

void Counts::split(const xgen_planes& p) {
  if (p.phases > 2) {
    const double planes = static_cast<double>(p.planes) * p.phases;
    add("split_lanes", planes * (p.top + p.height + p.bottom) * p.pitch);
    add("split_runs", planes * p.height);
    return;
  }
  const double rows = static_cast<double>(p.planes) * p.height;
  const double stores = vectors_of((p.width + 1) / 2, machine_);
  add("split_rows", rows);
  for (int odd = 0; odd < 2; ++odd) {
    const int at = (p.left + odd) / 2, end = at + (p.width + 1 - odd) / 2;
    add("split_vectors", rows * stores);
    add("split_crossing", rows * stores * (at % kLineLanes == 0 ? unaligned_rows(p.pitch) : 1));
    filled_over(rows, at);
    filled_over(rows, p.pitch - end);
    filled_over(p.planes, p.top * p.pitch);
    filled_over(p.planes, p.bottom * p.pitch);
  }
}

void Counts::halved(double rows, int width, int pitch) {
  const double vectors = rows * vectors_of(width, machine_);
  add("halved_vectors", vectors);
  add("halved_crossing", vectors * unaligned_rows(pitch));
}

double unaligned_rows(int pitch) {
  return 1 - std::gcd(pitch, kLineLanes) / static_cast<double>(kLineLanes);
}

void Counts::copied_over(double rows, int width, int from_pitch, int to_pitch) {
  const int lanes = machine_.isa.lanes, rest = width % lanes;
  const int whole = width / lanes + (rest > 8 ? 1 : 0);
  const double vectors = rows * whole;
  if (whole <= kShortRow) add(str("rows_of_", whole), rows);
  add(whole > kLongRow ? "run_vectors" : "vectors", vectors);
  add("crossing_loads", vectors * unaligned_rows(from_pitch));
  add("crossing_stores", vectors * unaligned_rows(to_pitch));
  if (rest > 0 && rest <= 8) add(rest > 4 ? "ends_8" : "ends_4", rows);
}

void Counts::filled_over(double runs, int lanes) {
  const int rest = lanes % machine_.isa.lanes;
  add("filled_vectors", runs * (lanes / machine_.isa.lanes));
  add("filled_ends", runs * ((rest + 3) / 4));
}

void Counts::memory(std::initializer_list<Stream> read, std::initializer_list<Stream> written) {
  double own = 0;
  for (const auto& streams : {read, written}) {
    for (const Stream& s : streams) own += s.bytes;
  }
  for (const Stream& s : read) add("", found(s.bytes, own, reach_.of(s.at), machine_));
  for (const Stream& s : written) add("stored_", found(s.bytes, own, reach_.of(s.at), machine_));
}

std::vector<std::string> call_names() {
  return {"calls", "call_l2_lines", "call_l3_lines", "call_memory_lines"};
}

std::vector<std::string> border_names() {
  return {"border_planes", "border_gaps", "border_vectors", "border_ends"};
}

std::vector<std::string> split_names() {
  return joined({{"split_lanes", "split_runs", "split_rows", "split_vectors", "split_crossing"},
                 filled_over_names()});
}

std::vector<std::string> halved_names() { return {"halved_vectors", "halved_crossing"}; }

std::vector<std::string> copied_over_names() {
  std::vector<std::string> names = {"vectors",         "run_vectors", "crossing_loads",
                                    "crossing_stores", "ends_8",      "ends_4"};
  for (int whole = 0; whole <= kShortRow; ++whole) names.push_back(str("rows_of_", whole));
  return names;
}

std::vector<std::string> filled_over_names() { return {"filled_vectors", "filled_ends"}; }

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
