#include "cli/run/rounds.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xgen::cli {

namespace {

using nlohmann::json;

// A goal that moves by less would choose the same rates.
constexpr double kLeastChange = 0.01;

// By how much a result may grow, relative; below 1 it must shrink.
std::optional<double> room(const json& rows, const char* name) {
  for (const json& row : rows) {
    if (row["name"] == name) return row["wanted"].get<double>() / row["got"].get<double>();
  }
  return {};
}

bool is_missed(const json& rows, const char* name) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const json& row) { return row["name"] == name && !row["met"]; });
}

}  // namespace

Goal first_goal(const Requirements& wanted) {
  return {wanted.latency_ms_max, wanted.size_bytes_max};
}

json to_json(const Goal& goal) {
  json limits = json::object();
  if (goal.latency_ms) limits["latency_ms"] = *goal.latency_ms;
  if (goal.size_bytes) limits["size_bytes"] = *goal.size_bytes;
  return limits;
}

std::optional<Goal> next_goal(const Goal& goal, const json& rows) {
  const std::optional<double> time = room(rows, "latency_ms_max"),
                              size = room(rows, "size_bytes_max");
  const bool inaccurate = is_missed(rows, "accuracy_drop_max");
  const bool slow = time.value_or(1) < 1, large = size.value_or(1) < 1;
  if (inaccurate == (slow || large)) return {};
  Goal next = goal;
  bool moved = false;
  // What is met stays as it is while something else is missed.
  const auto move = [&](std::optional<double>& limit, std::optional<double> factor, bool missed) {
    if (!factor || missed == inaccurate) return;
    const double by = inaccurate ? std::max(1.0, *factor) : *factor * (1 - kLeastChange);
    *limit *= by;
    moved = moved || by < 1 || by > 1 + kLeastChange;
  };
  move(next.latency_ms, time, slow);
  move(next.size_bytes, size, large);
  return moved ? std::optional(next) : std::nullopt;
}

}  // namespace xgen::cli
