#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

/// Reading a report that may lack any part, and writing its numbers for people.
namespace xgen::cli {

/// The number at a JSON pointer, or nothing when it is absent, no number or not finite.
std::optional<double> number_at(const nlohmann::json& json, const std::string& pointer);
/// The string at a JSON pointer, or "".
std::string text_at(const nlohmann::json& json, const std::string& pointer);
/// The array at a JSON pointer, or an empty one.
const nlohmann::json& list_at(const nlohmann::json& json, const std::string& pointer);
/// The array of the whole run, or else that of the last stage which has one that is not empty.
const nlohmann::json& list_of_run(const nlohmann::json& report, const std::string& pointer);

/// One compiled form of the network.
struct VariantRow {
  std::string name;
  bool on_test_split = false;  ///< whether accuracy is of the test or of the validation split.
  std::optional<double> accuracy, latency_ms, p95_ms, low_ms, high_ms, size_bytes, code_bytes,
      memory_bytes, macs;
  std::optional<double> over_dense_fp32;  ///< how many times as fast as that variant.
  std::optional<double> over_dense_int8;
  std::optional<double> macs_divided_by;
};

std::vector<VariantRow> variants_of(const nlohmann::json& report);
const VariantRow* find_variant(const std::vector<VariantRow>& variants, const std::string& name);
/// a / b where both are known and b is positive.
std::optional<double> ratio(const std::optional<double>& a, const std::optional<double>& b);

std::string fixed(double value, int digits);
/// At least three significant digits, without an exponent from 1e-4 on: 0.0312, 3.21, 1234.
std::string significant(double value);
/// Up to four significant digits without trailing zeros; whole numbers from 1e4 on: 0.5, 12345678.
std::string plain(double value);
/// A share of 1 as "98.60 %".
std::string percent(double share, int digits = 2);
/// "312 B", "12.3 kB", "4.56 MB": powers of 1000.
std::string bytes(double count);
/// "312", "12.3 k", "4.56 M".
std::string count(double value);
std::string milliseconds(double ms);
/// "59 s", "3 min 20 s", "2 h 5 min".
std::string duration(double seconds);

/// format(*value), or `absent`.
template <class Format>
std::string or_absent(const std::optional<double>& value, const Format& format,
                      const std::string& absent = "") {
  return value ? format(*value) : absent;
}

}  // namespace xgen::cli
