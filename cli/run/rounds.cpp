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
  return {wanted.latency_ms_max, wanted.size_bytes_max, wanted.latency_share_max};
}

json to_json(const Goal& goal) {
  json limits = json::object();
  if (goal.latency_ms) limits["latency_ms"] = *goal.latency_ms;
  if (goal.size_bytes) limits["size_bytes"] = *goal.size_bytes;
  if (goal.latency_share) limits["latency_share"] = *goal.latency_share;
  return limits;
}

std::optional<Goal> next_goal(const Goal& goal, const json& rows) {
  Goal next = goal;
  struct Moving {
    std::optional<double>& limit;
    std::optional<double> room;
    bool missed() const { return room.value_or(1) < 1; }
  };
  const Moving all[] = {{next.latency_ms, room(rows, "latency_ms_max")},
                        {next.latency_share, room(rows, "latency_share_max")},
                        {next.size_bytes, room(rows, "size_bytes_max")}};
  const bool inaccurate = is_missed(rows, "accuracy_drop_max");
  const bool slow_or_large = std::any_of(std::begin(all), std::end(all),
                                         [](const Moving& moving) { return moving.missed(); });
  if (inaccurate == slow_or_large) return {};
  bool moved = false;
  for (const Moving& moving : all) {
    // What is met stays as it is while something else is missed.
    if (!moving.room || moving.missed() == inaccurate) continue;
    const double by = inaccurate ? std::max(1.0, *moving.room) : *moving.room * (1 - kLeastChange);
    *moving.limit *= by;
    moved = moved || by < 1 || by > 1 + kLeastChange;
  }
  return moved ? std::optional(next) : std::nullopt;
}

}  // namespace xgen::cli
