#include "cli/run/report_values.h"

#include <cmath>
#include <cstdio>

namespace xgen::cli {

namespace {

using nlohmann::json;

const json* find(const json& value, const std::string& pointer) {
  const json::json_pointer at(pointer);
  return value.contains(at) ? &value.at(at) : nullptr;
}

std::string scaled(double value, double step, const std::vector<std::string>& units) {
  std::size_t unit = 0;
  while (std::abs(value) >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  return (unit == 0 ? fixed(value, 0) : significant(value)) + units[unit];
}

}  // namespace

std::optional<double> number_at(const json& value, const std::string& pointer) {
  const json* found = find(value, pointer);
  if (found == nullptr || !found->is_number()) return {};
  const double number = found->get<double>();
  return std::isfinite(number) ? std::optional<double>(number) : std::nullopt;
}

std::string text_at(const json& value, const std::string& pointer) {
  const json* found = find(value, pointer);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

const json& list_at(const json& value, const std::string& pointer) {
  static const json none = json::array();
  const json* found = find(value, pointer);
  return found != nullptr && found->is_array() ? *found : none;
}

const json& list_of_run(const json& report, const std::string& pointer) {
  const json* found = &list_at(report, pointer);
  if (!found->empty()) return *found;
  for (const json& stage : list_at(report, "/stages")) {
    const json& own = list_at(stage, pointer);
    if (!own.empty()) found = &own;
  }
  return *found;
}

std::optional<double> ratio(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b && *b > 0 ? std::optional<double>(*a / *b) : std::nullopt;
}

std::vector<VariantRow> variants_of(const json& report) {
  std::vector<VariantRow> rows;
  for (const json& variant : list_of_run(report, "/variants")) {
    VariantRow row;
    row.name = text_at(variant, "/name");
    row.accuracy = number_at(variant, "/test/top1");
    row.on_test_split = row.accuracy.has_value();
    if (!row.accuracy) row.accuracy = number_at(variant, "/validation/top1");
    row.latency_ms = number_at(variant, "/latency_ms");
    row.p95_ms = number_at(variant, "/p95_ms");
    row.low_ms = number_at(variant, "/low_ms");
    row.high_ms = number_at(variant, "/high_ms");
    row.size_bytes = number_at(variant, "/size_bytes");
    row.code_bytes = number_at(variant, "/code_bytes");
    row.memory_bytes = number_at(variant, "/memory_bytes");
    row.macs = number_at(variant, "/macs");
    row.macs_divided_by = ratio(number_at(variant, "/dense_macs"), row.macs);
    rows.push_back(std::move(row));
  }
  const VariantRow* fp32 = find_variant(rows, "dense fp32");
  const VariantRow* int8 = find_variant(rows, "dense int8");
  for (VariantRow& row : rows) {
    if (fp32 != nullptr) row.over_dense_fp32 = ratio(fp32->latency_ms, row.latency_ms);
    if (int8 != nullptr) row.over_dense_int8 = ratio(int8->latency_ms, row.latency_ms);
  }
  return rows;
}

const VariantRow* find_variant(const std::vector<VariantRow>& variants, const std::string& name) {
  for (const VariantRow& variant : variants) {
    if (variant.name == name) return &variant;
  }
  return nullptr;
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string significant(double value) {
  const double magnitude = std::abs(value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e9)) {
    char text[64];
    std::snprintf(text, sizeof text, "%.2e", value);
    return text;
  }
  int digits = 0;
  if (magnitude > 0) digits = std::max(0, 2 - static_cast<int>(std::floor(std::log10(magnitude))));
  return fixed(value, digits);
}

std::string plain(double value) {
  if (std::abs(value) >= 1e4) return fixed(value, 0);
  char text[64];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string percent(double share, int digits) { return fixed(100 * share, digits) + " %"; }

std::string bytes(double value) { return scaled(value, 1000, {" B", " kB", " MB", " GB"}); }

std::string count(double value) { return scaled(value, 1000, {"", " k", " M", " G"}); }

std::string milliseconds(double ms) { return significant(ms) + " ms"; }

std::string duration(double seconds) {
  if (seconds < 10) return fixed(seconds, 1) + " s";
  const auto whole = static_cast<long>(std::lround(seconds));
  const auto part = [](long n, const char* unit) { return std::to_string(n) + unit; };
  if (whole < 60) return part(whole, " s");
  if (whole < 3600) return part(whole / 60, " min ") + part(whole % 60, " s");
  return part(whole / 3600, " h ") + part(whole % 3600 / 60, " min");
}

}  // namespace xgen::cli
